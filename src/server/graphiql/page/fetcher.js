// Sends a request to the gateway that the page came from. "Stop" ends the request itself, and so its work in the gateway.
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

export function fetcher(parameters, { headers } = {}) {
  return {
    subscribe(observer) {
      const controller = new AbortController();
      ask(parameters, headers, controller.signal).then(
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
