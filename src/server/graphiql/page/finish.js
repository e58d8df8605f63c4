// Makes of `dist/` what is committed: files compressed, a table of them for Rust, and the licences of everything in them.
// Everything that it writes depends on its inputs alone: no time, no path, no order of a folder.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "fflate";

const out = "out/bundle";
rmSync("out", { recursive: true, force: true });
mkdirSync(join(out, "assets"), { recursive: true });

const types = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  ttf: "font/ttf",
  txt: "text/plain; charset=utf-8",
  woff2: "font/woff2",
};
const sha256 = (content) => createHash("sha256").update(content).digest("hex");
const byName = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Every `node_modules/…` folder that a file of the bundle comes from. */
function bundledFolders() {
  const folders = new Set();
  for (const id of JSON.parse(readFileSync("modules.json", "utf8"))) {
    const at = id.indexOf("node_modules/");
    const last = id.lastIndexOf("node_modules/");
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id.slice(last));
    if (name) folders.add(`${id.slice(at, last)}node_modules/${name[1]}`);
  }
  return folders;
}

/** The texts that a package brings along. */
function texts(folder) {
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|notice|copying|thirdpartynotices)/i.test(name)).sort(byName);
  return files.map((name) => readFileSync(join(folder, name), "utf8").replace(/^\uFEFF/, "").replaceAll("\r\n", "\n").trim());
}

/** Packages that bring no text, and the one of the same repository or author that does. */
const kin = {
  "@graphiql/plugin-doc-explorer": "graphiql",
  "@graphiql/plugin-explorer": "graphiql",
  "@graphiql/plugin-history": "graphiql",
  "react-compiler-runtime": "react",
  "react-remove-scroll-bar": "react-remove-scroll",
};

function licenceText(folder, name) {
  const own = texts(folder);
  if (own.length) return own;
  if (!kin[name]) throw new Error(`${name} brings no licence, and none is known of its kin`);
  return [`(The package brings no text; this is that of ${kin[name]}, of the same authors.)`, ...texts(`node_modules/${kin[name]}`)];
}

function licences() {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")).packages;
  const bundled = bundledFolders();
  const production = Object.keys(lock).filter((folder) => folder && !lock[folder].dev && !lock[folder].optional).sort(byName);
  const stray = [...bundled].filter((folder) => !production.includes(folder));
  if (stray.length) throw new Error(`in the bundle, but no dependency: ${stray}`);
  // The editor's icons are of another work, with a licence of its own.
  const shown = [...production.filter((folder) => bundled.has(folder)), "node_modules/@vscode/codicons"];
  const title = (folder) => `${folder.split("node_modules/").pop()} ${lock[folder].version} (${lock[folder].license})`;
  const parts = shown.map((folder) => {
    const name = folder.split("node_modules/").pop();
    return [`${"=".repeat(100)}\n${title(folder)}\n${"=".repeat(100)}`, ...licenceText(folder, name)].join("\n\n");
  });
  const head = [
    "The page GraphiQL of Incident Gateway is built from these packages. Written by finish.js.",
    `In the bundle:\n${shown.map((folder) => `  ${title(folder)}`).join("\n")}`,
    `Needed by them, but nothing of it is in the bundle:\n${production.filter((folder) => !bundled.has(folder)).map((folder) => `  ${title(folder)}`).join("\n")}`,
  ];
  return [...head, ...parts].join("\n\n") + "\n";
}

const entries = [];
function add(name, content, { file = `assets/${name}`, gzip }) {
  const path = gzip ? `${file}.gz` : file;
  writeFileSync(join(out, path), gzip ? gzipSync(content, { level: 9, mtime: 0 }) : content);
  entries.push({ name, type: types[name.split(".").pop()], digest: sha256(content).slice(0, 32), gzip, path });
}

const built = "dist/graphiql/assets";
for (const name of readdirSync(built).sort(byName)) {
  add(name, readFileSync(join(built, name)), { gzip: !name.endsWith(".woff2") });
}
const text = Buffer.from(licences());
const licencesName = `THIRD-PARTY-${sha256(text).slice(0, 8)}.txt`;
// Kept as text, to be read in the repository.
add(licencesName, text, { file: "THIRD-PARTY.txt", gzip: false });
writeFileSync(join(out, "index.html"), readFileSync("dist/index.html"));

const row = ({ name, type, digest, gzip, path }) =>
  `    Asset { name: "${name}", media_type: "${type}", digest: "${digest}", gzip: ${gzip}, bytes: include_bytes!("bundle/${path}") },`;
writeFileSync(
  "out/assets.rs",
  `//! The files of the bundle. Written by \`graphiql/page/finish.js\`.

use super::Asset;

/// The licences of what is in the bundle.
pub(super) const LICENCES: &str = "${licencesName}";

/// All files that the page may ask for.
pub(super) const ASSETS: [Asset; ${entries.length}] = [
${entries.map(row).join("\n")}
];
`,
);
