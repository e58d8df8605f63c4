// What GraphiQL keeps in the browser. Headers may hold secrets, so they are kept only by who says so in the settings. GraphiQL
// does the same for its tabs, but not for its history.
const CHOICE = "graphiql:shouldPersistHeaders";
const HISTORY = ["graphiql:queries", "graphiql:favorites"];

const withoutHeaders = (text) => JSON.stringify(JSON.parse(text, (key, value) => (key === "headers" ? undefined : value)));
const own = () => Object.keys(localStorage).filter((key) => key.startsWith("graphiql:"));

export const storage = {
  getItem: (key) => localStorage.getItem(key),
  removeItem: (key) => localStorage.removeItem(key),
  setItem(key, value) {
    const keeps = localStorage.getItem(CHOICE) === "true";
    localStorage.setItem(key, HISTORY.includes(key) && !keeps ? withoutHeaders(value) : value);
    if (key !== CHOICE || value === "true") return;
    for (const past of HISTORY) {
      const kept = localStorage.getItem(past);
      if (kept) localStorage.setItem(past, withoutHeaders(kept));
    }
  },
  get length() {
    return own().length;
  },
  clear: () => own().forEach((key) => localStorage.removeItem(key)),
};
