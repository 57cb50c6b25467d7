// The scripted model of the benchmark: a program that speaks the
// streaming format of OpenAI, and sends its port to its parent.
//
//   POST /v1/chat/completions   the tokens that the question asks for
//   GET /stopped/ID             when the reader of that answer left, as
//                               milliseconds since the epoch, once it has

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { read } from "./script.ts";

const WORDS = [
  "The",
  " north",
  " face",
  " of",
  " the",
  " Eiger",
  " was",
  " first",
  " climbed",
  " in",
];
const FRAMES = WORDS.map((content) => frame({ content }, null));
const END = `${frame({}, "stop")}data: [DONE]\n\n`;

const stopped = new Map<string, PromiseWithResolvers<number>>();

const server = createServer((request, response) => {
  const [, id] = /^\/stopped\/(.+)$/.exec(request.url ?? "") ?? [];
  const work = id === undefined ? answer(request, response) : tellStop(id, response);
  work.catch((error: unknown) => response.destroy(error as Error));
});
server.listen(0, "127.0.0.1", () => {
  process.send?.(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const script = read(await text(request));
  if (script === undefined) {
    response.writeHead(400).end("The question has no script.");
    return;
  }
  const { tokens, gapMs, id } = script;
  response.once("close", () => {
    if (!response.writableFinished) stopOf(id).resolve(now());
  });
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  for (let i = 0; i < tokens && !response.destroyed; i += 1) {
    const isRoom = response.write(FRAMES[i % FRAMES.length]);
    if (!isRoom) await Promise.race([once(response, "drain"), once(response, "close")]);
    if (gapMs > 0) await delay(gapMs);
  }
  response.end(END);
}

async function tellStop(id: string, response: ServerResponse): Promise<void> {
  response.end(String(await stopOf(id).promise));
}

function stopOf(id: string): PromiseWithResolvers<number> {
  const known = stopped.get(id);
  if (known !== undefined) return known;
  const stop = Promise.withResolvers<number>();
  stopped.set(id, stop);
  return stop;
}

function frame(delta: object, finish_reason: string | null): string {
  const choices = [{ index: 0, delta, finish_reason }];
  const usage = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };
  const chunk = { id: "c", object: "chat.completion.chunk", created: 1, model: "lab", choices };
  return `data: ${JSON.stringify(finish_reason === null ? chunk : { ...chunk, usage })}\n\n`;
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
