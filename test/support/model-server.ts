// A scripted model behind the OpenAI API, which misbehaves on demand.
// Tests of generators talk to it. It runs no model and checks no key.
//
//   POST /v1/chat/completions    follows the directive of the last user message
//   POST /v1/embeddings          the same, see meaning.ts
//   POST /v1/rerank              the same, see reranking.ts
//   GET  /v1/models              the list of its one model
//   GET  /requests               the requests so far, and their outcomes
//   POST /reset                  deletes them
//
// directive.ts, meaning.ts and reranking.ts describe the directives.
// By hand: `node test/support/model-server.ts --port 9999`.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  ANSWER,
  CANARY,
  type Directive,
  type Frame,
  type ModelRequest,
  parseDirective,
  piece,
} from "./directive.ts";
import { listen } from "./listen.ts";
import { type EmbeddingDirective, embeddingDirective, meaning } from "./meaning.ts";
import { rerankDirective, reranked } from "./reranking.ts";

export interface ModelServer {
  /** Ends in /v1. */
  readonly url: string;
  /** The variables with which a Belay server asks this model. */
  readonly vars: Readonly<Record<string, string>>;
  /** Oldest first. */
  readonly requests: ModelRequest[];
  close(): Promise<void>;
}

const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
/** How often it looks whether it may go on. */
const HELD_MS = 10;

/** Without `stay`, it does not keep its process alive. */
export async function startModelServer({ port = 0, stay = false } = {}): Promise<ModelServer> {
  const requests: ModelRequest[] = [];
  const server = createServer((request, response) => {
    handle(requests, request, response).catch((error: unknown) => {
      // The client disconnected (recorded), or the directive is invalid.
      if (response.headersSent || response.destroyed) response.destroy();
      else response.writeHead(400).end(String(error));
    });
  });
  if (!stay) server.unref().on("connection", (socket) => socket.unref());
  const url = `${await listen(server, port)}/v1`;
  return {
    url,
    vars: { GENERATOR: "openai", OPENAI_BASE_URL: url, OPENAI_MODEL: "scripted" },
    requests,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function handle(
  requests: ModelRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url ?? "/";
  if (request.method === "GET" && path === "/v1/models") {
    const list = { object: "list", data: [{ id: "scripted", object: "model" }] };
    response.setHeader("content-type", "application/json").end(JSON.stringify(list));
    return;
  }
  if (request.method === "GET" && path === "/requests") {
    response.setHeader("content-type", "application/json").end(JSON.stringify(requests));
    return;
  }
  if (request.method === "POST" && path === "/reset") {
    requests.length = 0;
    response.writeHead(204).end();
    return;
  }
  const body = parseBody(await readBody(request));
  const question = body.messages.findLast((message) => message.role === "user")?.content;
  const directive = parseDirective(String(question));
  const record: ModelRequest = {
    tag: directive.tag ?? "",
    path,
    model: body.model,
    authorization: request.headers.authorization,
    traceparent: request.headers.traceparent as string | undefined,
    messageCount: body.messages.length,
    roles: body.messages.map(({ role }) => role),
    messages: body.messages,
    options: body.options,
    startedAt: Date.now(),
    tokensSent: 0,
    firstTokenAt: null,
    state: "streaming",
    endedAt: null,
  };
  requests.push(record);

  const left = new AbortController();
  response.once("close", () => {
    record.state = response.writableFinished ? "completed" : "aborted";
    record.endedAt = Date.now();
    left.abort();
  });
  const [route] = path.split("?");
  if (request.method === "POST" && route === "/v1/embeddings") {
    const writer = new Writer(response, {}, left.signal);
    await embed(body.options.input as string[], record, writer, request);
    return;
  }
  if (request.method === "POST" && route === "/v1/rerank") {
    await rerank(body.options, record, new Writer(response, {}, left.signal), request);
    return;
  }
  if (request.method !== "POST" || route !== "/v1/chat/completions") {
    response.writeHead(404).end(CANARY);
    return;
  }
  const { resets = 0, resetAfter = "" } = directive;
  if (requests.filter(({ tag }) => tag === record.tag).length <= resets) {
    request.socket.end(resetAfter);
    return;
  }
  const refusal = directive.refusals?.find(
    ({ has }) =>
      has === undefined || has in body.options || (has === "system" && record.roles.includes(has)),
  );
  if (refusal !== undefined) {
    response.writeHead(refusal.status ?? 400, { "content-type": "application/json" });
    response.end(refusal.body);
    return;
  }
  await answer(directive, record, new Writer(response, directive, left.signal), request);
}

async function answer(
  directive: Directive,
  record: ModelRequest,
  writer: Writer,
  request: IncomingMessage,
): Promise<void> {
  const { fault, at = 0, status = 200, gapMs = 0, reasoning = 0 } = directive;
  const limit = directive.ignoreMaxTokens
    ? Infinity
    : Number(record.options.max_tokens ?? Infinity);
  const planned = plannedTokens(directive);
  const tokens = planned.slice(0, limit);
  const finish = directive.finish ?? (planned.length > limit ? "length" : "stop");

  if (fault === "hang-before-headers") return writer.hang();
  await writer.wait(directive.headersMs ?? 0);
  if (fault === "redirect") {
    const location = `http://localhost:${request.socket.localPort}${record.path}?redirected`;
    return writer.whole(status === 200 ? 307 : status, "text/plain", CANARY, { location });
  }
  const complaint = CANARY.padEnd(directive.tokenLength ?? 0, CANARY);
  if (status !== 200) {
    if (fault === "hang") {
      writer.begin(status);
      return writer.hang();
    }
    const error = { key: record.authorization, message: complaint };
    return writer.whole(status, "application/json", JSON.stringify({ error }));
  }
  if (fault === "html") {
    return writer.whole(200, "text/html", `<!doctype html>\n<p>Bad gateway: ${CANARY}</p>\n`);
  }
  if (fault === "empty") return writer.whole(200, "text/event-stream", "");
  const isStream = record.options.stream === true || directive.frames !== undefined;
  if (fault === "json" || fault === "half-json" || (fault === undefined && !isStream)) {
    record.tokensSent = tokens.length;
    const whole = JSON.stringify({
      object: "chat.completion",
      usage: directive.usage ?? { total_tokens: tokens.length },
      choices: [
        {
          index: 0,
          finish_reason: finish,
          message: { role: "assistant", content: tokens.join("") },
        },
      ],
    });
    const sent = fault === "half-json" ? whole.slice(0, whole.length / 2) : whole;
    return writer.whole(200, directive.contentType ?? "application/json", sent);
  }

  writer.begin();
  if (directive.frames !== undefined) return writer.frames(directive.frames);
  await writer.chunk({ delta: { role: "assistant", content: "" } });
  for (let n = 0; n < reasoning; n++) {
    await writer.chunk({ delta: { reasoning_content: `Hidden thought ${n}. ` } });
  }
  for (let n = 0; ; n++) {
    while (n === directive.holdAt && !record.released) await writer.wait(HELD_MS);
    if (fault !== undefined && fault !== "endless" && n === at) {
      if (fault === "hang") return writer.hang();
      if (fault === "cut") return writer.cut();
      if (fault === "end") return writer.end();
      if (fault === "garbage") await writer.data(`{"choices":[{"delta":{"content":"${CANARY}`);
      if (fault === "error") {
        await writer.data(JSON.stringify({ error: { message: complaint } }));
        break;
      }
    }
    if (n === tokens.length && fault !== "endless") break;
    await writer.wait(n === 0 ? (directive.firstMs ?? 0) : gapMs);
    // Recorded first, so that a token that was read is always counted.
    record.tokensSent++;
    record.firstTokenAt ??= Date.now();
    await writer.chunk({ delta: { content: tokens[n % tokens.length] } });
  }
  await writer.wait(directive.endMs ?? 0);
  for (const ending of directive.ending ?? ["finish", "usage", "done"]) {
    switch (ending) {
      case "finish":
        await writer.chunk({ delta: {}, finish_reason: finish });
        break;
      case "usage":
        await writer.data(JSON.stringify({ choices: [], usage: { total_tokens: tokens.length } }));
        break;
      case "done":
        await writer.data("[DONE]");
        break;
      case "unfinished-done":
        return writer.end("data: [DONE]");
      case "more":
        await writer.chunk({ delta: { content: CANARY } });
        await writer.data("\u0000");
        break;
      case "hang":
        return writer.hang();
      case "cut":
        return writer.cut();
    }
  }
  return writer.end();
}

function embed(
  texts: readonly string[],
  record: ModelRequest,
  writer: Writer,
  request: IncomingMessage,
): Promise<void> {
  const directive = embeddingDirective(texts);
  record.tag = texts[0] ?? "";
  const data = (directive.order ?? texts.map((_, i) => i)).map((index) => ({
    object: "embedding",
    index,
    embedding: meaning(texts[index] ?? ""),
  }));
  const answer = { object: "list", data, usage: { prompt_tokens: 8 } };
  return once({ ...directive, said: texts.join() }, answer, record, writer, request);
}

function rerank(
  options: Record<string, unknown>,
  record: ModelRequest,
  writer: Writer,
  request: IncomingMessage,
): Promise<void> {
  const query = String(options.query);
  const directive = rerankDirective(query);
  record.tag = query;
  const texts = directive.form === "texts" ? options.texts : options.documents;
  if (!Array.isArray(texts)) return writer.whole(422, "text/plain", `missing field ${CANARY}`);
  const said = [query, ...texts].join();
  return once({ ...directive, said }, reranked(query, texts, directive), record, writer, request);
}

/** Sends one JSON answer, or what the directive says instead. */
async function once(
  { status = 200, body, fault, said }: Omit<EmbeddingDirective, "order"> & { said: string },
  answer: unknown,
  record: ModelRequest,
  writer: Writer,
  request: IncomingMessage,
): Promise<void> {
  if (fault === "hang") return writer.hang();
  if (fault === "redirect") {
    const location = `http://localhost:${request.socket.localPort}${record.path}?redirected`;
    return writer.whole(307, "text/plain", CANARY, { location });
  }
  if (fault === "endless") {
    writer.begin();
    for (;;) await writer.data("9".repeat(64 * 1024));
  }
  if (status !== 200) {
    const error = { key: record.authorization, message: `${CANARY} ${said}` };
    return writer.whole(status, "application/json", JSON.stringify({ error }));
  }
  const whole = body ?? JSON.stringify(answer);
  if (fault === "cut") {
    writer.begin();
    await writer.data(whole.slice(0, whole.length / 2));
    return writer.cut();
  }
  return writer.whole(200, "application/json", whole);
}

/** Writes the response frame by frame, in the pieces the directive asks for. */
class Writer {
  readonly #response: ServerResponse;
  readonly #directive: Directive;
  readonly #left: AbortSignal;
  #frames = 0;
  #pending = "";

  constructor(response: ServerResponse, directive: Directive, left: AbortSignal) {
    this.#response = response;
    this.#directive = directive;
    this.#left = left;
  }

  async wait(milliseconds: number): Promise<void> {
    if (milliseconds > 0) {
      await this.#flush();
      await sleep(milliseconds, undefined, { signal: this.#left });
    }
  }

  async frames(frames: readonly Frame[]): Promise<void> {
    for (const frame of frames) {
      if (frame === "hang!") return this.hang();
      if (frame === "cut!") return this.cut();
      if (typeof frame === "string") this.#pending += frame;
      else if ("waitMs" in frame) await this.wait(frame.waitMs);
      else if ("bytes" in frame) {
        await this.#flush();
        this.#response.write(Buffer.from(frame.bytes));
      } else if ("characters" in frame) {
        const { characters, count, length = 1 } = frame;
        const text = characters.repeat(Math.ceil(length / characters.length) + 1);
        for (let n = 0; n < count; n += length) {
          const from = n % characters.length;
          this.#pending += piece(text.slice(from, from + Math.min(length, count - n)));
          if (this.#pending.length > 16_384) await this.#flush();
        }
      } else {
        for (let n = 0; n < frame.times; n++) {
          await this.wait(frame.gapMs ?? 0);
          this.#pending += frame.text;
          if (this.#pending.length > 16_384) await this.#flush();
        }
      }
      await this.#flush();
    }
    return this.end();
  }

  async hang(): Promise<void> {
    await this.wait(2 ** 31 - 1);
  }

  async cut(): Promise<void> {
    await this.#flush();
    await nextTurn();
    this.#response.socket?.destroy();
  }

  async end(last = ""): Promise<void> {
    this.#pending += last;
    await this.#flush();
    this.#response.end();
  }

  whole(
    status: number,
    contentType: string,
    body: string,
    headers: Record<string, string> = {},
  ): Promise<void> {
    this.#response.writeHead(status, { "content-type": contentType, ...headers });
    return this.end(body);
  }

  begin(status = 200): void {
    const contentType = this.#directive.contentType ?? "text/event-stream; charset=utf-8";
    this.#response.writeHead(status, { "content-type": contentType }).flushHeaders();
    this.#response.socket?.setNoDelay(true);
    if (this.#directive.noise) this.#pending += "\uFEFF";
  }

  chunk(choice: Record<string, unknown>): Promise<void> {
    const chunk = {
      id: "chatcmpl-scripted",
      object: "chat.completion.chunk",
      choices: [{ index: 0, finish_reason: null, ...choice }],
    };
    return this.data(
      JSON.stringify(this.#directive.noise ? { p: "padding", ...chunk, x: {} } : chunk),
    );
  }

  async data(text: string): Promise<void> {
    const { noise, lineEnd = "\n", framesPerWrite = 1 } = this.#directive;
    const lines = noise
      ? [
          ": a comment",
          "",
          "event: message",
          "unknown: field",
          `data:${text}`,
          "id: 1",
          "retry: 1",
          "",
        ]
      : [`data: ${text}`, ""];
    for (const line of lines) this.#pending += line + lineEnd;
    this.#frames++;
    if (this.#frames % framesPerWrite === 0) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#pending);
    this.#pending = "";
    const size = this.#directive.bytesPerWrite ?? Math.max(1, bytes.length);
    for (let from = 0; from < bytes.length; from += size) {
      // Before each write: one turn's writes leave as one segment,
      // and other requests need a turn.
      // Not after it: between an end marker and the end,
      // a client that stops at the marker would count as disconnected.
      await nextTurn();
      this.#left.throwIfAborted();
      if (!this.#response.write(bytes.subarray(from, from + size))) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#response.on("drain", resolve).on("close", resolve);
        await promise;
        this.#response.off("drain", resolve).off("close", resolve);
      }
    }
  }
}

function plannedTokens({ tokens = ANSWER, tokenLength = 0 }: Directive): string[] {
  const words = Array.isArray(tokens) ? tokens : Array.from({ length: tokens }, (_, n) => `w${n} `);
  return words.map((word) => word.padEnd(tokenLength, word));
}

function parseBody(text: string) {
  const { messages, model, ...options } = JSON.parse(text || "{}") as Record<string, unknown>;
  return { messages: Array.isArray(messages) ? messages : [], model, options };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > REQUEST_BYTES_MAX) throw new Error("The request is too large.");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
  const { url } = await startModelServer({ port: Number(values.port), stay: true });
  console.log(`The scripted model is ready on ${url}`);
}
