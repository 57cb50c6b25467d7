// A client of types that openapi-typescript makes. It asks once, as it is
// told, and prints what it got as JSON. The test compiles it beside its types.

import createClient from "openapi-fetch";
import type { components, paths } from "./belay.d.ts";

type Event = components["schemas"]["StreamEvent"];
type Source = components["schemas"]["Source"];
type Refusal = components["schemas"]["Error"];

const [mode, query = ""] = process.argv.slice(2);
const leaving = new AbortController();

const belay = createClient<paths, "application/json">({
  baseUrl: process.env.BELAY_URL ?? "",
  headers: { Authorization: `Bearer ${process.env.BELAY_TOKEN}` },
});

interface Got {
  text: string;
  sources: readonly Source[];
  found?: boolean;
  queryId?: string;
  refusal?: Refusal;
  status?: number;
}

async function whole(): Promise<Got> {
  const { data, error, response } = await belay.POST("/api/v1/ai/ask", {
    body: { query, history: [{ role: "user", content: "Hello" }], onDisconnect: "cancel" },
  });
  if (error !== undefined) {
    return { text: "", sources: [], refusal: error, status: response.status };
  }
  const { answer = "", ...rest } = data ?? { sources: [] };
  return { text: answer, ...rest, status: response.status };
}

async function streamed(): Promise<Got> {
  const { data, response } = await belay.POST("/api/v1/ai/ask", {
    params: { query: { stream: true } },
    body: { query },
    parseAs: "stream",
    signal: leaving.signal,
  });
  const got: Got = { text: "", sources: [], status: response.status };
  if (data) for await (const event of eventsOf(data)) take(event, got);
  return got;
}

function take(event: Event, got: Got): void {
  switch (event.type) {
    case "start":
      got.queryId = event.queryId;
      break;
    case "token":
      got.text += event.token;
      if (mode === "leave") leaving.abort();
      break;
    case "done":
      got.sources = event.sources;
      got.found = event.found;
      break;
    case "error":
      got.refusal = event;
  }
}

async function* eventsOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Event> {
  let buffer = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const frames = (buffer + text).split("\n\n");
    buffer = frames.pop() ?? "";
    for (const frame of frames) yield JSON.parse(frame.slice("data: ".length));
  }
}

const got = await (mode === "whole" ? whole() : streamed()).catch((error: unknown) => {
  if (!leaving.signal.aborted) throw error;
  return { text: "", sources: [] };
});
const { queryId = "" } = got as Got;
const { data: receipt } = await belay.GET("/api/v1/ai/queries/{id}", {
  params: { path: { id: queryId } },
});
const { data: quota } = await belay.GET("/api/v1/ai/quota");
console.log(JSON.stringify({ ...got, receipt: receipt?.answer, remaining: quota?.remaining }));
