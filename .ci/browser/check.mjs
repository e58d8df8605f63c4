// Usage: check.mjs ORIGIN/ FOLDER: does in GraphiQL what an analyst does, and puts screenshots into the folder.
import { strict as assert } from "node:assert";
import { open, watched } from "./watch.mjs";

const [base, folder] = process.argv.slice(2);
const origin = new URL(base).origin;
const browser = await open();
const main = await watched(browser, origin);
const { page, wrong } = main;
page.setDefaultTimeout(20_000);

// The sources of the demonstration, in the order of its configuration.
const VENDORS = ["ciso-assistant", "eventlog-analyzer", "adversarial", "kaspersky-xdr", "cortex-xpanse"];
let passed = 0;
const failed = [];
async function check(name, work) {
  try {
    await work();
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed.push(name);
    console.log(`FAILED  ${name}\n${String(error.stack).split("\n").slice(0, 12).join("\n")}`);
    await page.screenshot({ path: `${folder}/failed-${failed.length}.png` });
  }
}

const shot = (name) => page.screenshot({ path: `${folder}/${name}.png` });
// Below the query: variables or headers, whichever is shown.
const [queryEditor, toolEditor] = [".graphiql-query-editor", ".graphiql-editor-tool .graphiql-editor:not(.hidden)"];
const tabs = () => page.locator(".graphiql-tab-button").allInnerTexts();
const plugin = (name) => page.getByRole("button", { name: new RegExp(`^(Show|Hide) ${name}`) });

/** The text of an editor, from its model: what is on the screen is only a part of it. */
const text = (uri) =>
  page.evaluate((end) => globalThis.__MONACO.editor.getModels().find((model) => model.uri.path.endsWith(end))?.getValue(), uri);
async function until(what, condition) {
  const end = Date.now() + 20_000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    assert(Date.now() < end, `never: ${what}`);
    await page.waitForTimeout(50);
  }
}
const query = () => text("operation.graphql");
const answer = async () => JSON.parse((await text("response.json")) || "null");

async function ready(on = page) {
  await on.waitForSelector(".graphiql-query-editor .view-line");
  // Completion and documentation wait for the schema.
  await on.waitForFunction(() => !document.querySelector(".graphiql-spinner"));
}
async function write(editor, content) {
  await page.locator(`${editor} .monaco-editor`).first().click();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(content);
}
async function newTab() {
  const before = (await tabs()).length;
  await page.locator(".graphiql-tab-add").click();
  await until("one more tab", async () => (await tabs()).length === before + 1);
}
async function run() {
  await page.locator(".graphiql-execute-button").click();
  return until("an answer", answer);
}

await check("the root leads to GraphiQL", async () => {
  await page.goto(base);
  await ready();
  assert.equal(await page.title(), "Incident Gateway");
  assert.equal(new URL(page.url()).pathname, "/graphiql");
  assert.equal(await page.locator(".gateway-warning").count(), 0);
});

await check("its own fonts are there", async () => {
  const loaded = await page.evaluate(() => [...document.fonts].filter((font) => font.status === "loaded").map((font) => font.family.replaceAll('"', "")));
  for (const family of ["Roboto", "Fira Code"]) assert(loaded.includes(family), `${family}: ${loaded}`);
});

await check("the first tabs are the examples", async () => {
  assert.deepEqual(await tabs(), ["Triage", "Overview", "Sources", "Rows", "OneIncident"]);
});

await check("the first query answers", async () => {
  const { data, errors } = await run();
  assert.equal(errors, undefined);
  assert(data.incidents.totalCount > 0 && data.incidents.nodes.length > 0);
  // One list of all five, and all of them answered.
  assert.deepEqual(new Set(data.incidents.nodes.map(({ source }) => source.name)), new Set(VENDORS));
  assert.deepEqual(new Set(data.incidents.sources.map(({ source, status }) => `${source.name} ${status}`)), new Set(VENDORS.map((name) => `${name} OK`)));
  await page.waitForSelector("text=totalCount >> nth=1");
  await shot("result");
});

for (const [index, name] of [[1, "Overview"], [2, "Sources"], [3, "Rows"], [4, "OneIncident"]]) {
  await check(`the example ${name} answers`, async () => {
    await page.locator(".graphiql-tab-button").nth(index).click();
    await until("the tab's query", async () => (await query()).includes(`query ${name}`));
    const { data, errors } = await run();
    assert.equal(errors, undefined);
    assert(Object.values(data).every((value) => value !== null));
  });
}

await check("the example's variables are shown", async () => {
  assert.deepEqual(JSON.parse(await text("variables.json")), { source: "ciso-assistant", id: "INC-428" });
  await page.getByRole("button", { name: "Variables", exact: true }).click();
  await page.locator(`${toolEditor} .view-lines`, { hasText: "INC-428" }).waitFor();
  await shot("variables");
});

await check("variables and headers are sent", async () => {
  await newTab();
  await write(queryEditor, "query Few($n: Int!) { incidents(first: $n) { nodes { title } } }");
  await page.getByRole("button", { name: "Variables", exact: true }).click();
  await write(toolEditor, '{ "n": 2 }');
  await page.getByRole("button", { name: "Headers", exact: true }).click();
  await write(toolEditor, '{ "x-trial": "seen" }');
  // The tab knows its headers, and so history could, a moment after they were written.
  await page.waitForTimeout(500);
  const sent = page.waitForRequest((request) => request.method() === "POST" && request.headers()["x-trial"] === "seen");
  const { data } = await run();
  assert.deepEqual(JSON.parse((await sent).postData()).variables, { n: 2 });
  assert.equal(data.incidents.nodes.length, 2);
  await shot("headers");
});

await check("a mistake is underlined and explained", async () => {
  await newTab();
  await write(queryEditor, "{ incidents { nodes { titel } } }");
  await page.waitForSelector(".squiggly-error");
  await page.locator(".squiggly-error").first().hover({ force: true });
  await page.waitForSelector('.monaco-hover >> text=/Cannot query field "titel"/');
  await shot("mistake");
});

await check("completion suggests what fits, with its description", async () => {
  await write(queryEditor, "{\n  \n}");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("End");
  await page.keyboard.type("inc", { delay: 80 });
  const rows = page.locator(".suggest-widget.visible .monaco-list-row");
  await rows.first().waitFor();
  const labels = await until("incidents in the list", async () => {
    const all = await rows.allInnerTexts();
    return all.some((row) => row.startsWith("incidents")) && all;
  });
  await shot("completion");
  while (!(await page.locator(".suggest-widget .monaco-list-row.focused").innerText()).startsWith("incidents")) {
    await page.keyboard.press("ArrowDown");
  }
  await page.keyboard.press("Enter");
  await until("the word in the editor", async () => /incidents/.test(await query()));
  assert(labels.length > 1);
});

await check("documentation shows the root type, a field and its arguments", async () => {
  await plugin("Documentation Explorer").click();
  const docs = page.locator(".graphiql-doc-explorer");
  await docs.getByRole("link", { name: "Query", exact: true }).click();
  await docs.getByRole("link", { name: "incidents", exact: true }).click();
  await docs.getByText("orderBy").first().waitFor();
  assert.match(await docs.innerText(), /filter/);
  await shot("docs");
});

await check("documentation can be searched", async () => {
  await page.locator(".graphiql-doc-explorer-back").click();
  await page.locator(".graphiql-doc-explorer-search-input").click();
  await page.keyboard.type("severity");
  await page.waitForSelector('[role="option"] >> text=severity');
  await shot("search");
  await page.keyboard.press("Escape");
});

await check("the explorer writes the query", async () => {
  await newTab();
  await write(queryEditor, "query Built { __typename }");
  await plugin("Explorer").click();
  const builder = page.locator(".docExplorerWrap, .graphiql-explorer-root").first();
  await builder.locator(".graphiql-explorer-field-view, .graphiql-explorer-node").getByText("sources", { exact: true }).first().click();
  await until("the field in the query", async () => /sources/.test(await query()));
  await builder.getByText("name", { exact: true }).first().click();
  await until("the inner field in the query", async () => /sources\s*{\s*name/.test(await query()));
  await shot("builder");
  const { data, errors } = await run();
  assert.equal(errors, undefined);
  assert.deepEqual(data.sources.map(({ name }) => name), VENDORS);
});

await check("the broom puts a query in order", async () => {
  await write(queryEditor, "query   Built{sources{name   kind}}");
  await page.getByRole("button", { name: /Prettify/ }).click();
  await until("a tidy query", async () => (await query()).includes("  sources {\n    name\n    kind\n"));
});

await check("history keeps what was asked, and gives it back", async () => {
  await plugin("History").click();
  const items = page.locator(".graphiql-history-item-label");
  await items.first().waitFor();
  const labels = await items.allInnerTexts();
  for (const name of ["Triage", "Few", "Built"]) assert(labels.includes(name), `${name}: ${labels}`);
  await shot("history");
  await newTab();
  await items.filter({ hasText: "Few" }).first().click();
  await until("the query from history", async () => (await query()).includes("query Few"));
  assert.deepEqual(JSON.parse(await text("variables.json")), { n: 2 });
});

await check("Stop ends the request itself", async () => {
  const waiting = [];
  await page.route("**/graphql", (route) => waiting.push(route));
  const ended = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/graphql"));
  await page.locator(".graphiql-execute-button").click();
  await until("the request on its way", () => waiting.length === 1);
  await page.locator(".graphiql-execute-button").click();
  assert.match((await ended).failure().errorText, /ABORTED/);
  await page.unroute("**/graphql");
});

await check("a reload keeps the tabs but not the headers", async () => {
  const [before, last] = [await tabs(), await query()];
  // Tabs are stored half a second after the last change.
  await page.waitForTimeout(1_500);
  await page.reload();
  await ready();
  assert.deepEqual(await tabs(), before);
  assert.equal(await query(), last);
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert(stored.includes("query Few"), "the query is not stored");
  const leak = Object.entries(JSON.parse(stored)).filter(([, value]) => value.includes("x-trial"));
  assert.deepEqual(leak, [], "headers are stored");
});

await check("headers are kept by who wants it, and forgotten when they no longer do", async () => {
  const stored = () => page.evaluate(() => JSON.stringify({ ...localStorage }));
  const choose = async (choice) => {
    await page.getByRole("button", { name: "Open settings dialog" }).click();
    await page.getByRole("button", { name: choice, exact: true }).click();
    await page.keyboard.press("Escape");
  };
  await choose("On");
  await page.locator(".graphiql-tab-button").first().click();
  await page.getByRole("button", { name: "Headers", exact: true }).click();
  await write(toolEditor, '{ "x-kept": "seen" }');
  await page.waitForTimeout(500);
  await run();
  await until("headers in history and tabs", async () => (await stored()).split("x-kept").length > 2);
  await page.reload();
  await ready();
  assert.equal(await text("request-headers.json"), '{ "x-kept": "seen" }');
  await choose("Off");
  await until("headers gone", async () => !(await stored()).includes("x-kept"));
});

await check("the settings switch to dark", async () => {
  await page.getByRole("button", { name: "Open settings dialog" }).click();
  await page.getByRole("button", { name: "Dark", exact: true }).click();
  await page.waitForSelector("body.graphiql-dark");
  await shot("settings");
  await page.keyboard.press("Escape");
  await page.locator(".graphiql-tab-button").first().click();
  await run();
  await shot("dark");
});

await check("links lead to the schema and the licences", async () => {
  for (const [name, found] of [["Schema as text", /type Query/], ["Licences of this page", /MIT License/]]) {
    const href = await page.getByRole("link", { name }).getAttribute("href");
    const got = await page.request.get(new URL(href, page.url()).href);
    assert.match(await got.text(), found);
  }
});

await check("the explorer shows the first example, lists as well", async () => {
  const { page: fresh, context, wrong: there } = await watched(browser, origin);
  await fresh.goto(`${base}graphiql`);
  await ready(fresh);
  await fresh.getByRole("button", { name: /^Show Explorer/ }).click();
  await fresh.locator(".graphiql-explorer-root").getByText("[CRITICAL, HIGH]").waitFor();
  await fresh.screenshot({ path: `${folder}/explorer.png` });
  await context.close();
  assert.deepEqual(there, []);
});

// docs/graphiql.png is a copy of this one.
await check("the picture of the README", async () => {
  // So high that the reports of all five stand on it.
  const { page: fresh, context, wrong: there } = await watched(browser, origin, { viewport: { width: 1280, height: 1040 } });
  await fresh.goto(`${base}graphiql`);
  await ready(fresh);
  await fresh.getByRole("button", { name: /^Show Documentation Explorer/ }).click();
  const docs = fresh.locator(".graphiql-doc-explorer");
  await docs.getByRole("link", { name: "Query", exact: true }).click();
  await fresh.locator(".graphiql-execute-button").click();
  await fresh.waitForSelector(".result-window >> text=cortex-xpanse");
  await fresh.mouse.move(300, 20);
  await fresh.waitForTimeout(500);
  await fresh.screenshot({ path: `${folder}/picture.png` });
  await context.close();
  assert.deepEqual(there, []);
});

await check("an open gateway says so", async () => {
  const { page: exposed, context, wrong: there } = await watched(browser, origin);
  await exposed.route("**/graphiql", async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace('"exposed":false', '"exposed":true');
    await route.fulfill({ response, body });
  });
  await exposed.goto(`${base}graphiql`);
  await exposed.getByRole("alert").getByText("No authentication.").waitFor();
  await ready(exposed);
  await exposed.waitForTimeout(500);
  await exposed.screenshot({ path: `${folder}/exposed.png` });
  await context.close();
  assert.deepEqual(there, []);
});

await check("nothing left the origin, broke the policy or went to the console as an error", async () => {
  assert.deepEqual(wrong.filter((line) => !/ERR_ABORTED/.test(line)), []);
});

await check("the watch sees what it is there for", async () => {
  const { page: bad, context, wrong: seen } = await watched(browser, origin);
  await bad.goto(`${base}graphiql`);
  await ready(bad);
  assert.deepEqual(seen, []);
  await bad.evaluate(async () => {
    document.body.append(Object.assign(new Image(), { src: "https://elsewhere.example/pixel.png" }));
    document.body.append(Object.assign(document.createElement("script"), { textContent: "globalThis.inline = 1" }));
    try { new Worker(URL.createObjectURL(new Blob([""]))); } catch {}
    console.error("an error");
    setTimeout(() => { throw new Error("a mistake"); });
    await fetch("/nothing").catch(() => undefined);
    await new Promise((done) => setTimeout(done, 500));
  });
  assert.equal(await bad.evaluate(() => globalThis.inline), undefined);
  for (const sign of ["policy: img-src", "policy: script-src", "policy: worker-src", "console: an error", "page: Error: a mistake", "404: "]) {
    assert(seen.some((line) => line.startsWith(sign)), `${sign}: ${seen.join("\n")}`);
  }
  await context.close();
});

await browser.close();
console.log(`${passed} passed, ${failed.length} failed`);
process.exit(failed.length ? 1 : 0);
