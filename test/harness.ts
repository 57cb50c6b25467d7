// Shared by the API tests in workerd: users with tokens, asks that can be
// closed, and a look into storage. It arranges; the tests assert.

import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { SignJWT } from "jose";
import type { AnswerBody, ErrorBody, Quota, Receipt, StreamEvent } from "../src/protocol.ts";
import type { Directive, ModelRequest } from "./support/directive.ts";
import { eventOf } from "./support/event-stream.ts";
import { variables } from "./worker.ts";

const ORIGIN = "https://belay.test";

const secret = () => new TextEncoder().encode(env.AUTH_SECRET);

export async function bearer(claims: Record<string, unknown>, key = secret()): Promise<string> {
  // Long enough for tests that move the clock.
  const { exp = "4000d", ...rest } = claims;
  const token = new SignJWT(rest).setProtectedHeader({ alg: "HS256" });
  if (exp !== null) token.setExpirationTime(exp as string);
  return token.sign(key);
}

/** The newest responses. One without a reference is collected, which disconnects its reader. */
const held: Response[] = [];
const HELD_MAX = 100;

export async function fetchApi(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await exports.default.fetch(new Request(`${ORIGIN}${path}`, init));
  held.push(response);
  if (held.length > HELD_MAX) held.shift();
  return response;
}

let users = 0;

/** A new user, with a stub for looking into the object. */
export async function newUser(settings: Record<string, unknown> = {}, name?: string) {
  users += 1;
  const id = name ?? `user ${users} of ${crypto.randomUUID()}`;
  variables.set(id, settings);
  return new TestUser(id, await bearer({ sub: id }));
}

/** A query that makes the scripted model follow the directive. */
export function scripted(directive: Directive, words = "What does Belay do?"): string {
  return `${words} [[model ${JSON.stringify(directive)}]]`;
}

export class TestUser {
  readonly name: string;
  readonly token: string;

  constructor(name: string, token: string) {
    this.name = name;
    this.token = token;
  }

  get stub() {
    return env.USERS.getByName(this.name);
  }

  request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${this.token}`);
    if (typeof init.body === "string" && !headers.has("content-type")) {
      headers.set("content-type", "application/json");
    }
    return fetchApi(`/api/v1${path}`, { ...init, headers });
  }

  post(path: string, body: unknown = {}, init: RequestInit = {}): Promise<Response> {
    return this.request(path, { method: "POST", body: JSON.stringify(body), ...init });
  }

  async get<T>(path: string): Promise<T> {
    return (await this.request(path)).json();
  }

  /** An ask as a stream; `query` may be a directive for the model. */
  async ask(
    query: string | Directive,
    body: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ): Promise<Stream> {
    const controller = new AbortController();
    const text = typeof query === "string" ? query : scripted(query);
    const response = await this.post(
      "/ai/ask?stream=true",
      { query: text, ...body },
      { signal: controller.signal, headers },
    );
    return new Stream(response, controller);
  }

  /** A query's events after `after`, as a stream. */
  async events(queryId: string, after = 0): Promise<Stream> {
    const controller = new AbortController();
    const path = `/ai/queries/${queryId}/events?after=${after}`;
    return new Stream(await this.request(path, { signal: controller.signal }), controller);
  }

  askForJson(
    query: string | Directive,
    body: Record<string, unknown> = {},
    init: RequestInit = {},
  ): Promise<Response> {
    const text = typeof query === "string" ? query : scripted(query);
    return this.post("/ai/ask", { query: text, ...body }, init);
  }

  quota(): Promise<Quota> {
    return this.get("/ai/quota");
  }

  receipt(queryId: string): Promise<Receipt> {
    return this.get(`/ai/queries/${queryId}`);
  }

  async receipts(): Promise<Receipt[]> {
    return (await this.get<{ queries: Receipt[] }>("/ai/queries?limit=100")).queries;
  }

  /** The receipt, once the query is no longer reserved. */
  resolved(queryId: string): Promise<Receipt> {
    return eventually(
      () => this.receipt(queryId),
      ({ state }) => state !== "reserved",
    );
  }

  /** Rows of the object's storage, read directly. */
  rows<T extends Record<string, SqlStorageValue>>(query: string): Promise<T[]> {
    return runInDurableObject(this.stub, (_instance, state) =>
      state.storage.sql.exec<T>(query).toArray(),
    );
  }
}

/** A response read event by event. */
export class Stream {
  readonly response: Response;
  readonly events: StreamEvent[] = [];
  /** Everything read so far. */
  text = "";
  readonly #controller: AbortController;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #buffer = "";

  constructor(response: Response, controller = new AbortController()) {
    this.response = response;
    this.#controller = controller;
    // A response without a body, such as a 204, has no events.
    const body = response.body ?? new Blob().stream();
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  get queryId(): string {
    return this.response.headers.get("x-query-id") ?? "";
  }

  /**
   * The browser loop of protocol.md, one event at a time; undefined at the end.
   */
  async next(): Promise<StreamEvent | undefined> {
    for (;;) {
      const end = this.#buffer.indexOf("\n\n");
      if (end >= 0) {
        const frame = this.#buffer.slice(0, end);
        this.#buffer = this.#buffer.slice(end + 2);
        const event = eventOf(frame);
        this.events.push(event);
        return event;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.text += value;
      this.#buffer += value;
    }
  }

  /** Reads until an event of this type. Throws if the stream ends first. */
  async until<T extends StreamEvent["type"]>(type: T): Promise<StreamEvent & { type: T }> {
    for (;;) {
      const event = await this.next();
      if (event === undefined) throw new Error(`The stream ended without ${type}: ${this.text}`);
      if (event.type === type) return event as StreamEvent & { type: T };
    }
  }

  /** All events to the end, without pings. */
  async all(): Promise<StreamEvent[]> {
    while ((await this.next()) !== undefined);
    return this.events.filter(({ type }) => type !== "ping");
  }

  get answer(): string {
    return this.events.map((event) => (event.type === "token" ? event.token : "")).join("");
  }

  leave(): void {
    // The decoder's pipe has its own reader: cancel reaches the response.
    this.#reader.cancel().catch(() => {});
    this.#controller.abort();
  }
}

/** The model server's requests with this tag, and their outcomes. */
export async function modelRequests(tag: string): Promise<ModelRequest[]> {
  const url = env.OPENAI_BASE_URL.replace(/\/v1$/, "/requests");
  const requests: ModelRequest[] = await (await fetch(url)).json();
  return requests.filter((request) => request.tag === tag);
}

/** Resolves once the model server has seen its client disconnect. */
export function upstreamEnded(tag: string): Promise<ModelRequest[]> {
  return eventually(
    () => modelRequests(tag),
    ([request]) => request?.state === "aborted",
  );
}

export async function asOperator(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${await bearer({ sub: "ops", scope: "operator" })}`);
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return fetchApi(`/api/v1${path}`, { ...init, headers });
}

export function adminPath({ name }: TestUser): string {
  return `/admin/users/${encodeURIComponent(name)}`;
}

/** The operator's audit of a user's object. */
export async function audit(user: TestUser): Promise<{ ok: boolean; differences: string[] }> {
  const response = await asOperator(adminPath(user));
  return (await response.json<{ audit: { ok: boolean; differences: string[] } }>()).audit;
}

/** Looks for up to 20 seconds, until the result is right. */
export async function eventually<T>(
  look: () => Promise<T>,
  right: (seen: T) => boolean,
): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const seen = await look();
    if (right(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`Never came right: ${JSON.stringify(seen)}`);
    await scheduler.wait(5);
  }
}

export type { AnswerBody, ErrorBody };
