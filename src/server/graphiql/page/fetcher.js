// Sends a request to the gateway that the page came from. "Stop" ends the request itself, and so its work in the gateway.
import { parse } from "graphql";

const endpoint = new URL("graphql", document.baseURI);

async function ask(parameters, headers, signal) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/json", ...headers },
    body: JSON.stringify(parameters),
    signal,
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The answer is not JSON (status ${response.status}): ${text.slice(0, 300)}`);
  }
}

/**
 * GraphiQL learns the operation's name from the editor a moment after a tab was changed, so until then it sends that of the tab
 * before. A name that the document does not have is left out.
 */
function withOwnName({ operationName, ...parameters }) {
  try {
    const { definitions } = parse(parameters.query, { noLocation: true });
    if (!definitions.some((definition) => definition.name?.value === operationName)) return parameters;
  } catch {
    // The gateway tells what is wrong with the document.
  }
  return { operationName, ...parameters };
}

export function fetcher(parameters, { headers } = {}) {
  return {
    subscribe(observer) {
      const controller = new AbortController();
      ask(withOwnName(parameters), headers, controller.signal).then(
        (answer) => {
          observer.next(answer);
          observer.complete();
        },
        (error) => {
          if (!controller.signal.aborted) observer.error(error);
        },
      );
      return { unsubscribe: () => controller.abort() };
    },
  };
}
