// A server's documents over its admin routes, with the patience that a busy server asks for.

import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import { Failure } from "../command.ts";
import { printable } from "../printable.ts";

const Entry = v.object({
  id: v.string(),
  title: v.string(),
  url: v.nullable(v.string()),
  contentHash: v.string(),
});
const Page = v.object({ documents: v.array(Entry), after: v.nullable(v.string()) });
const Put = v.object({ passages: v.number() });
const Refusal = v.object({ message: v.string() });

/** What the server knows of a document, as far as it matters here. */
export type Entry = v.InferOutput<typeof Entry>;

export interface Content {
  readonly title: string;
  readonly text: string;
  readonly url: string | null;
}

/** The server will not have this one document, whoever sends it. */
export class Refused extends Error {}

const PAGE = 200;
const TRIES = 6;
/** Nobody there is more often a wrong address than a server that starts. */
const TRIES_TO_REACH = 3;
/** After a first refusal; twice as long after each further one, unless the server says how long. */
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 30_000;
/** A longer pause is explained. */
const SILENT_MS_MAX = 5_000;
const MESSAGE_LENGTH_MAX = 300;
/** Statuses that are about the one document, whatever became of it there. */
const REFUSES_THE_DOCUMENT: ReadonlySet<number> = new Set([400, 413, 422, 500]);
const RESPONSE_TIMEOUT_MS = 120_000;

export class Server {
  readonly #documents: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(origin: string, token: string) {
    this.#documents = `${origin}/api/v1/admin/documents`;
    this.#headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  }

  /** All documents that it holds, by their ids. */
  async entries(): Promise<Map<string, Entry>> {
    const entries = new Map<string, Entry>();
    let after: string | null = "";
    do {
      const path: string = `?limit=${PAGE}&after=${encodeURIComponent(after)}`;
      const page: v.InferOutput<typeof Page> = await this.#call("GET", path, Page);
      for (const entry of page.documents) entries.set(entry.id, entry);
      after = page.after;
    } while (after !== null);
    return entries;
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#call("GET", "?limit=1", Page)).documents.length === 0;
  }

  /** How many passages it was cut into. Throws Refused for what the server will not have. */
  async put(id: string, content: Content): Promise<number> {
    const path = `/${encodeURIComponent(id)}`;
    return (await this.#call("PUT", path, Put, JSON.stringify(content))).passages;
  }

  /** It may be gone already. */
  async delete(id: string): Promise<void> {
    await this.#send("DELETE", `/${encodeURIComponent(id)}`);
  }

  async #call<const Schema extends v.GenericSchema>(
    method: string,
    path: string,
    schema: Schema,
    body?: string,
  ): Promise<v.InferOutput<Schema>> {
    const answer = v.safeParse(schema, jsonOf(await this.#send(method, path, body)));
    if (answer.success) return answer.output;
    throw new Failure("What answers there is not Belay: check the server's address.");
  }

  async #send(method: string, path: string, body?: string): Promise<string> {
    for (let tries = 1; ; tries++) {
      const exchange = await this.#exchange(method, path, body).catch((error: Error) => {
        if (tries < TRIES_TO_REACH) return undefined;
        throw new Failure(`The server cannot be reached: ${reason(error)}.`);
      });
      if (exchange === undefined) {
        await delay(pauseMs(tries, null));
        continue;
      }
      const { response, answer } = exchange;
      const { status } = response;
      if (response.ok || (method === "DELETE" && status === 404)) return answer;
      const message = messageOf(answer) ?? printable(`${status} ${answer}`, MESSAGE_LENGTH_MAX);
      if ((status === 429 || status === 503) && tries < TRIES) {
        const waitMs = pauseMs(tries, response.headers.get("retry-after"));
        if (waitMs > SILENT_MS_MAX) {
          console.error(`The server says: ${message} Trying again in ${waitMs / 1000} s.`);
        }
        await delay(waitMs);
      } else if (method === "PUT" && REFUSES_THE_DOCUMENT.has(status)) {
        throw new Refused(message);
      } else {
        throw new Failure(`The server refuses: ${message}`);
      }
    }
  }

  async #exchange(method: string, path: string, body?: string) {
    const response = await fetch(this.#documents + path, {
      method,
      headers: this.#headers,
      body: body ?? null,
      // Whatever is elsewhere, the bearer token was not meant for it.
      redirect: "error",
      signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS),
    });
    return { response, answer: await response.text() };
  }
}

function pauseMs(tries: number, retryAfter: string | null): number {
  const asked = retryAfter !== null && /^\d+$/.test(retryAfter) ? 1_000 * Number(retryAfter) : 0;
  return Math.min(Math.max(asked, PAUSE_MS * 2 ** (tries - 1)), PAUSE_MS_MAX);
}

/** fetch says only that it failed; the cause says why. */
function reason(error: Error): string {
  const { cause } = error;
  const { message } = cause instanceof Error && cause.message !== "" ? cause : error;
  return printable(message, MESSAGE_LENGTH_MAX);
}

/** Undefined if it is not the server's own refusal, which is JSON, but that of a proxy. */
function messageOf(answer: string): string | undefined {
  const refusal = v.safeParse(Refusal, jsonOf(answer));
  return refusal.success ? printable(refusal.output.message, MESSAGE_LENGTH_MAX) : undefined;
}

function jsonOf(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    // No JSON, and so of no shape that is asked for.
    return undefined;
  }
}
