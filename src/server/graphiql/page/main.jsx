// The page: GraphiQL with its plug-ins, what the server wrote into index.html, and nothing from elsewhere.
import "./workers.js";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/plugin-explorer/style.css";
import "graphiql/graphiql.css";
import "./fonts.css";
import "./page.css";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { useGraphiQL } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import { fetcher } from "./fetcher.js";
import { storage } from "./storage.js";

/** `{ exposed: boolean, licences: string, tabs: { query, variables? }[] }`, written by `src/server/graphiql.rs`. */
const gateway = JSON.parse(document.getElementById("gateway").textContent);

const plugins = [{ ...explorerPlugin({ showAttribution: false }), title: "Explorer" }, HISTORY_PLUGIN];

function Warning() {
  return (
    <div className="gateway-warning" role="alert">
      <strong>No authentication.</strong> This gateway listens beyond its own machine and asks nobody who they are:
      everybody who reaches this address can do what you can do here.
    </div>
  );
}

/** GraphiQL cuts long lines of the query off, beneath its buttons. */
function WrapLongLines() {
  const editor = useGraphiQL((state) => state.queryEditor);
  useEffect(() => editor?.updateOptions({ wordWrap: "on", wrappingIndent: "indent" }), [editor]);
  return null;
}

function Page() {
  return (
    <div className="gateway-page">
      {gateway.exposed && <Warning />}
      <GraphiQL
        fetcher={fetcher}
        plugins={plugins}
        defaultTabs={gateway.tabs}
        storage={storage}
        inputValueDeprecation
        schemaDescription
      >
        <GraphiQL.Logo>
          <span className="gateway-name">Incident Gateway</span>
        </GraphiQL.Logo>
        <GraphiQL.Footer>
          <WrapLongLines />
          <nav className="gateway-links">
            <a href="schema.graphql" target="_blank" rel="noreferrer">Schema as text</a>
            <a href={gateway.licences} target="_blank" rel="noreferrer">Licences of this page</a>
          </nav>
        </GraphiQL.Footer>
      </GraphiQL>
    </div>
  );
}

// The editor measures its letters once, so the font has to be there before.
const font = document.fonts.load('14px "Fira Code"').catch(() => undefined);
font.then(() => createRoot(document.getElementById("root")).render(<Page />));
