// Popular event-stream clients, each as its documentation shows it, with its
// defaults. Each decides when to ask again.

import { fetchEventSource } from "@microsoft/fetch-event-source";
import { EventSourcePlus } from "event-source-plus";
import { EventSource } from "eventsource";
import { createEventSource } from "eventsource-client";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { JSDOM } from "jsdom";
import ky from "ky";
import OpenAI from "openai";
import { parseServerSentEvents } from "parse-sse";
import { SSE } from "sse.js";

/** One click: what an application gives its client. */
export interface Click {
  /** Of the server. */
  readonly origin: string;
  readonly token: string;
  readonly query: string;
  /** Called with each event of the client. */
  onEvent(event: unknown): void;
}

/** Asks; returns a function that stops all further requests. */
export type Client = (click: Click) => () => void;

const PATH = "/api/v1/ai/ask?stream=true";

export const CLIENTS = {
  "the loop of docs/protocol.md": withFetch(async (response, { onEvent }) => {
    if (response.body === null) return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const frames = (buffer + read.value).split("\n\n");
      buffer = frames.pop() as string;
      for (const frame of frames) onEvent(JSON.parse(frame.slice("data: ".length)));
    }
  }),

  "eventsource-parser": withFetch(async (response, { onEvent }) => {
    const events = response.body
      ?.pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    for await (const { data } of events ?? []) onEvent(JSON.parse(data));
  }),

  "ky with parse-sse": ({ origin, token, query, onEvent }) => {
    const leaving = new AbortController();
    ky.post(origin + PATH, {
      headers: { authorization: `Bearer ${token}` },
      json: { query },
      signal: leaving.signal,
    })
      .then(async (response) => {
        for await (const { data } of parseServerSentEvents(response)) onEvent(JSON.parse(data));
      })
      .catch(nothing);
    return () => leaving.abort();
  },

  openai: ({ origin, token, query, onEvent }) => {
    const leaving = new AbortController();
    new OpenAI({ baseURL: `${origin}/api/v1`, apiKey: token })
      .post("/ai/ask?stream=true", { body: { query }, stream: true, signal: leaving.signal })
      .then(async (stream) => {
        for await (const event of stream as AsyncIterable<unknown>) onEvent(event);
      })
      .catch(nothing);
    return () => leaving.abort();
  },

  "@microsoft/fetch-event-source": ({ onEvent, ...click }) => {
    const leaving = new AbortController();
    fetchEventSource(click.origin + PATH, {
      ...post(click),
      signal: leaving.signal,
      onmessage: ({ data }) => onEvent(JSON.parse(data)),
    }).catch(nothing);
    return () => leaving.abort();
  },

  eventsource: ({ onEvent, ...click }) => {
    const source = new EventSource(click.origin + PATH, {
      fetch: (url, init) => {
        const { method, headers, body } = post(click);
        return fetch(url, { ...init, method, headers: { ...init.headers, ...headers }, body });
      },
    });
    source.onmessage = ({ data }) => onEvent(JSON.parse(data));
    return () => source.close();
  },

  "eventsource-client": ({ onEvent, ...click }) => {
    const source = createEventSource({
      url: click.origin + PATH,
      ...post(click),
      onMessage: ({ data }) => onEvent(JSON.parse(data)),
    });
    return () => source.close();
  },

  "event-source-plus": ({ onEvent, ...click }) => {
    const source = new EventSourcePlus(click.origin + PATH, { ...post(click), method: "post" });
    const controller = source.listen({ onMessage: ({ data }) => onEvent(JSON.parse(data)) });
    return () => controller.abort();
  },

  "sse.js": ({ onEvent, ...click }) => {
    const { headers, body: payload } = post(click);
    // A page of the same origin, so without CORS.
    const page = new JSDOM("", { url: click.origin });
    Object.assign(globalThis, { XMLHttpRequest: page.window.XMLHttpRequest });
    const source = new SSE(click.origin + PATH, { headers, payload });
    source.addEventListener("message", ({ data }: { data: string }) => onEvent(JSON.parse(data)));
    return () => {
      source.close();
      page.window.close();
    };
  },
} satisfies Record<string, Client>;

function post({ token, query }: Pick<Click, "token" | "query">) {
  return {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ query }),
  };
}

function withFetch(read: (response: Response, click: Click) => Promise<void>): Client {
  return (click) => {
    const leaving = new AbortController();
    fetch(click.origin + PATH, { ...post(click), signal: leaving.signal })
      .then((response) => read(response, click))
      .catch(nothing);
    return () => leaving.abort();
  };
}

/** Ignores errors: the test checks the events and the charges. */
function nothing(): void {}
