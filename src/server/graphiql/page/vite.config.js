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

const names = { entryFileNames: "graphiql/assets/[name]-[hash].js", chunkFileNames: "graphiql/assets/[name]-[hash].js" };

export default defineConfig({
  // Relative, so that the page works below any path of a proxy.
  base: "./",
  plugins: [recordModules, writeModules],
  oxc: { jsx: { runtime: "automatic" } },
  worker: { format: "es", plugins: () => [recordModules], rolldownOptions: { output: names } },
  build: {
    assetsDir: "graphiql/assets",
    // The policy of the page allows fonts and workers only as files.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 5000,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // "use client" means nothing in a browser, and a hundred files say it.
      onwarn: (warning, warn) => warning.code === "MODULE_LEVEL_DIRECTIVE" || warn(warning),
    },
    sourcemap: false,
    target: "es2022",
  },
});
