// A caller: one bearer token, or none, and the routes as it may use them. The form of what comes back
// is checked here; whether it is what was expected is for a row. The bearer token goes nowhere else.

import { setTimeout as delay } from "node:timers/promises";
import type { AnswerBody, OnDisconnect, Quota, Receipt } from "../src/protocol.ts";
import { Exchange, type Reply } from "./exchange.ts";
import { expect, expectSame, expectShape, Mismatch } from "./expectation.ts";
import * as shapes from "./shapes.ts";

export interface Sent {
  /** Sent as JSON, unless it is text or bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an ask may say beside its query. */
export interface AskOptions {
  readonly maxTokens?: number;
  readonly onDisconnect?: OnDisconnect;
}

const CALL_TIMEOUT_MS = 30_000;
/** No reservation outlives its run by more than this. */
const REFUND_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

export class Caller {
  readonly #origin: string;
  readonly #token: string | undefined;

  constructor(origin: string, token?: string) {
    this.#origin = origin;
    this.#token = token;
  }

  /** The sub of the bearer token, which only the deployment can verify; empty if there is none. */
  get user(): string {
    try {
      const claims = this.#token?.split(".")[1] ?? "";
      return String(JSON.parse(Buffer.from(claims, "base64url").toString("utf8")).sub ?? "");
    } catch {
      return "";
    }
  }

  exchange(method: string, path: string, { body, headers = {} }: Sent = {}): Exchange {
    const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
    return new Exchange(method, this.#origin + path, {
      body: raw ? body : JSON.stringify(body),
      headers: {
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
    });
  }

  /** A short call to a route under /api/v1. */
  call(method: string, path: string, sent?: Sent): Promise<Reply> {
    return this.exchange(method, `/api/v1${path}`, sent).reply(CALL_TIMEOUT_MS);
  }

  /** A short call that must succeed: its JSON. */
  async json(method: string, path: string, body?: unknown): Promise<unknown> {
    return json(await this.call(method, path, { body }), `${method} ${path}`);
  }

  /** Asks for a stream, under a key of its own unless there is one: so it is no ask that was before. */
  ask(query: string, options: AskOptions = {}, key: string = crypto.randomUUID()): Exchange {
    const sent = { body: { query, ...options }, headers: { "idempotency-key": key } };
    return this.exchange("POST", "/api/v1/ai/ask?stream=true", sent);
  }

  askForJson(query: string, key: string = crypto.randomUUID()): Exchange {
    const sent = { body: { query }, headers: { "idempotency-key": key } };
    return this.exchange("POST", "/api/v1/ai/ask", sent);
  }

  async quota(): Promise<Quota> {
    const quota = expectShape(shapes.Quota, await this.json("GET", "/ai/quota"), "the quota");
    const { limit, reserved, charged, remaining } = quota;
    expectSame(remaining, Math.max(0, limit - reserved - charged), "remaining");
    return quota;
  }

  async receipt(queryId: string): Promise<Receipt> {
    const body = await this.json("GET", `/ai/queries/${queryId}`);
    return expectShape(shapes.Receipt, body, "a receipt") as Receipt;
  }

  /** The newest first, as many as there are at most. */
  async receipts(limit = 100): Promise<readonly Receipt[]> {
    const body = await this.json("GET", `/ai/queries?limit=${limit}`);
    return expectShape(shapes.ReceiptPage, body, "the receipts").queries as readonly Receipt[];
  }

  /** The query that comes after the newest so far: JSON does not tell its id before its end. */
  async nextAfter(newest: Receipt | undefined): Promise<Receipt> {
    const deadline = Date.now() + CALL_TIMEOUT_MS;
    for (;;) {
      const [next] = await this.receipts(1);
      if (next !== undefined && next.queryId !== newest?.queryId) return next;
      expect(Date.now() < deadline, "an ask is not among the receipts");
      await delay(POLL_MS);
    }
  }

  /** The receipt, once the query is no longer reserved. */
  async resolved(queryId: string, withinMs = REFUND_TIMEOUT_MS): Promise<Receipt> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const receipt = await this.receipt(queryId);
      if (receipt.state !== "reserved") return receipt;
      expect(Date.now() < deadline, `a query is still reserved after ${withinMs / 1000} s`);
      await delay(POLL_MS);
    }
  }
}

/** The JSON of a reply that must be 200. */
export function json({ status, headers, text }: Reply, what: string): unknown {
  expect(status === 200, `${what} is answered with ${status} ${text.trim()}`);
  expectSame(headers["content-type"], "application/json", `the content type of ${what}`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Mismatch(`${what} is answered with no JSON`, { cause });
  }
}

export function answerBody(reply: Reply): AnswerBody {
  return expectShape(shapes.AnswerBody, json(reply, "an ask"), "an answer") as AnswerBody;
}

/** How a quota's counters have moved between two looks at it. */
export function movement(before: Quota, after: Quota) {
  expect(before.resetsAt === after.resetsAt, "the quota's window ended meanwhile: run it again");
  return {
    reserved: after.reserved - before.reserved,
    charged: after.charged - before.charged,
    refunded: after.refunded - before.refunded,
  };
}
