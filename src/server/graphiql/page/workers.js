// The editor's workers, as files of their own: the policy of the page allows no worker from a blob.
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQlWorker from "monaco-graphql/esm/graphql.worker.js?worker";

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    if (label === "graphql") return new GraphQlWorker();
    if (label === "json") return new JsonWorker();
    return new EditorWorker();
  },
};
