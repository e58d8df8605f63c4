// Builds the page into `dist/`; `finish.js` makes of it what is committed.
import { writeFileSync } from "node:fs";
import { defineConfig } from "vite";

/** Files that something of the bundle or of its workers comes from, for `finish.js`. */
const modules = new Set();

const recordModules = {
  name: "record-modules",
  // Style sheets leave no code behind, so the graph has to be asked for them.
  buildEnd() {
    for (const id of this.getModuleIds()) if (id.split("?")[0].endsWith(".css")) modules.add(id);
  },
  generateBundle(_options, bundle) {
    for (const output of Object.values(bundle)) {
      for (const id of [...(output.moduleIds ?? []), ...(output.originalFileNames ?? [])]) modules.add(id);
    }
  },
};

const writeModules = {
  name: "write-modules",
  writeBundle() {
    writeFileSync("modules.json", JSON.stringify([...modules].sort(), null, 1));
  },
};

/**
 * Two faults of the explorer. It knows no lists: it shows nothing for one and writes an error to the console; now it shows the
 * list's text. It scrolls to the last input when it is opened.
 */
const mendExplorer = {
  name: "mend-explorer",
  transform(code, id) {
    if (!id.endsWith("graphiql-explorer/dist/Explorer.js")) return null;
    const replace = (text, pattern, by) => {
      const parts = text.split(pattern);
      if (parts.length !== 2) throw new Error(`graphiql-explorer has changed: ${pattern}`);
      return parts.join(by);
    };
    const scalar = /} else if \(\(0, _graphql\.isScalarType\)\(argType\)\) {(?=\s*if \(argType\.name === 'Boolean'\))/;
    const list = `} else if (argValue.kind === "ListValue") {
      input = React.createElement("span", { style: { color: styleConfig.colors.string2 } }, (0, _graphql.print)(argValue));
    } else if ((0, _graphql.isScalarType)(argType)) {`;
    const mended = replace(replace(code, scalar, list), "input.focus();", "input.focus({ preventScroll: true });");
    return { code: mended, map: null };
  },
};

// Few files, and what changes often apart from what does not.
const groups = [
  { name: "editor", test: /node_modules\/(monaco-editor|monaco-graphql)\// },
  { name: "libraries", test: /node_modules\/(?!prettier\/)/ },
];

const names = { entryFileNames: "graphiql/assets/[name]-[hash].js", chunkFileNames: "graphiql/assets/[name]-[hash].js" };

export default defineConfig({
  // Relative, so that the page works below any path of a proxy.
  base: "./",
  plugins: [mendExplorer, recordModules, writeModules],
  oxc: { jsx: { runtime: "automatic" } },
  worker: { format: "es", plugins: () => [recordModules], rolldownOptions: { output: names } },
  build: {
    assetsDir: "graphiql/assets",
    // The policy of the page allows fonts and workers only as files.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 5000,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: { codeSplitting: { groups } },
      // "use client" means nothing in a browser, and a hundred files say it.
      onwarn: (warning, warn) => warning.code === "MODULE_LEVEL_DIRECTIVE" || warn(warning),
    },
    sourcemap: false,
    target: "es2022",
  },
});
