// Calls with one bearer token, or none. Checks the form of each response; rows
// check its content.

import { setTimeout as delay } from "node:timers/promises";
import { UsageError } from "../scripts/command.ts";
import { type TokenFlag, tokenFor } from "../scripts/target.ts";
import type { AnswerBody, OnDisconnect, Quota, Receipt } from "../src/protocol.ts";
import { Exchange, type Reply } from "./exchange.ts";
import { expect, expectJson, expectSame, expectShape } from "./expectation.ts";
import * as shapes from "./shapes.ts";

export interface Sent {
  /** Text and bytes are sent as they are, all else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Fields of an ask beside its query. */
export interface AskOptions {
  readonly maxTokens?: number;
  readonly onDisconnect?: OnDisconnect;
}

const CALL_TIMEOUT_MS = 30_000;
/** A reservation outlives its run by at most this time. */
const REFUND_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

export class Caller {
  readonly #origin: string;
  readonly #token: string | undefined;

  constructor(origin: string, token?: string) {
    this.#origin = origin;
    this.#token = token;
  }

  /** The sub of the bearer token, unverified. Empty if there is none. */
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

  /** A short call that must succeed. Returns its JSON. */
  async json(method: string, path: string, body?: unknown): Promise<unknown> {
    return json(await this.call(method, path, { body }), `${method} ${path}`);
  }

  /** Asks for a stream. By default the key is new, so that the ask is new. */
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

  /** Newest first. */
  async receipts(limit = 100): Promise<readonly Receipt[]> {
    const body = await this.json("GET", `/ai/queries?limit=${limit}`);
    return expectShape(shapes.ReceiptPage, body, "the receipts").queries as readonly Receipt[];
  }

  /** The next query after the newest: JSON has its id only at its end. */
  async nextAfter(newest: Receipt | undefined): Promise<Receipt> {
    const deadline = Date.now() + CALL_TIMEOUT_MS;
    for (;;) {
      const [next] = await this.receipts(1);
      if (next !== undefined && next.queryId !== newest?.queryId) return next;
      expect(Date.now() < deadline, "an ask has no receipt");
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

/** An hour is longer than any check takes. */
const TOKEN_SECONDS = 3_600;

/**
 * The user whose bearer token was typed with a flag or is in a variable. On this
 * machine, `user` by default.
 */
export async function callerOf(
  origin: string,
  flag: TokenFlag,
  user: { readonly user: string; readonly operator?: true },
): Promise<Caller> {
  const token = await tokenFor(origin, flag, { ...user, seconds: TOKEN_SECONDS });
  const caller = new Caller(origin, token);
  if (caller.user !== "") return caller;
  throw new UsageError(`${flag.flag} must be a bearer token: a JWT with a sub.`);
}

/** The JSON of a reply that must be 200. */
export function json({ status, headers, text }: Reply, what: string): unknown {
  expect(status === 200, `${what} is answered with ${status} ${text.trim()}`);
  expectSame(headers["content-type"], "application/json", `the content type of ${what}`);
  return expectJson(text, `the body of ${what}`);
}

export function answerBody(reply: Reply): AnswerBody {
  return expectShape(shapes.AnswerBody, json(reply, "an ask"), "an answer") as AnswerBody;
}
