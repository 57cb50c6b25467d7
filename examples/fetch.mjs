// Asks with fetch alone, in pages and in Node: fetch.html and fetch-node.mjs
// use it.

/** Yields the events of an answer, from `start` to `done`. */
export async function* ask(url, query, { token, signal } = {}) {
  const response = await fetch(`${url}/api/v1/ai/ask?stream=true`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(token && { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
    signal,
  }).catch((error) => {
    signal?.throwIfAborted();
    throw new Error(`No answer from ${url || "the server"}: does it run?`, { cause: error });
  });
  // A refusal is a stream too. Its only event is the error.
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    throw new Error(`Not a response of Belay (${response.status}). Check the address.`);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error("The connection broke.");
      const frames = (buffer + value).split("\n\n");
      buffer = frames.pop();
      for (const frame of frames) {
        const event = JSON.parse(frame.slice("data: ".length));
        if (event.type === "error") throw new Error(event.message);
        yield event;
        if (event.type === "done") return;
      }
    }
  } finally {
    // Leaving the loop early closes the connection, and the answer is refunded.
    await reader.cancel().catch(() => {});
  }
}
