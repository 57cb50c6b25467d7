// The model of the soak: it speaks the streaming format of OpenAI, sends what
// the question asks for, and fails on demand.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { type Script, scriptIn, token } from "./script.ts";

export class Model {
  /** Requests so far. */
  asked = 0;
  /** Of all prompts so far. */
  characters = 0;
  /** How long it has answered, all requests together. */
  seconds = 0;
  /** Requests that are still being answered. */
  open = 0;
  readonly #server = createServer((request, response) => {
    this.asked += 1;
    this.open += 1;
    const from = performance.now();
    response.once("close", () => {
      this.open -= 1;
      this.seconds += (performance.now() - from) / 1_000;
    });
    this.#answer(request, response).catch(() => response.destroy());
  });

  async start(): Promise<string> {
    // A connection that ends by itself can meet the request that reuses it.
    this.#server.keepAliveTimeout = 0;
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { messages } = (await json(request)) as { messages: { content: string }[] };
    this.characters += messages.reduce((sum, { content }) => sum + content.length, 0);
    const script = scriptIn(messages.at(-1)?.content ?? "");
    if (script === undefined || script.fault === "refused") {
      response.writeHead(script === undefined ? 400 : 500).end("No answer.");
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    await write(script, response);
  }
}

async function write(script: Script, response: ServerResponse): Promise<void> {
  const { tokens, gapMs, fault, at } = script;
  for (let n = 0; n < tokens && !response.destroyed; n += 1) {
    if (fault !== undefined && n === at) return fail(script, response);
    response.write(frame({ content: token(n) }));
    if (gapMs > 0) await delay(gapMs);
  }
  response.end(`${frame({}, "stop")}data: [DONE]\n\n`);
}

function fail({ fault }: Script, response: ServerResponse): void {
  switch (fault) {
    case "cut":
      response.destroy();
      return;
    case "unfinished":
      response.end();
      return;
    case "error":
      response.end(`data: {"error":{"message":"overloaded"}}\n\ndata: [DONE]\n\n`);
      return;
    case "garbage":
      response.end(`data: {"choices":[{"delta"\n\n${frame({}, "stop")}data: [DONE]\n\n`);
  }
  // The silent one sends nothing more.
}

function frame(delta: object, finish_reason: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason }];
  return `data: ${JSON.stringify({ object: "chat.completion.chunk", choices })}\n\n`;
}
