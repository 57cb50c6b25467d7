// A server's documents over its admin routes, with the patience that a busy server asks for.

import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../command.ts";

/** What the server knows of a document, as far as it matters here. */
export interface Entry {
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
  readonly contentHash: string;
}

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
      const page: { documents: readonly Entry[]; after: string | null } = JSON.parse(
        await this.#send("GET", `?limit=${PAGE}&after=${encodeURIComponent(after)}`),
      );
      for (const entry of page.documents) entries.set(entry.id, entry);
      after = page.after;
    } while (after !== null);
    return entries;
  }

  async isEmpty(): Promise<boolean> {
    return JSON.parse(await this.#send("GET", "?limit=1")).documents.length === 0;
  }

  /** How many passages it was cut into. Throws Refused for what the server will not have. */
  async put(id: string, content: Content): Promise<number> {
    const path = `/${encodeURIComponent(id)}`;
    return JSON.parse(await this.#send("PUT", path, JSON.stringify(content))).passages;
  }

  /** It may be gone already. */
  async delete(id: string): Promise<void> {
    await this.#send("DELETE", `/${encodeURIComponent(id)}`);
  }

  async #send(method: string, path: string, body?: string): Promise<string> {
    for (let tries = 1; ; tries++) {
      const response = await fetch(this.#documents + path, {
        method,
        headers: this.#headers,
        body: body ?? null,
        // Whatever is elsewhere, the bearer token was not meant for it.
        redirect: "error",
        signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS),
      }).catch((error: Error) => {
        if (tries < TRIES_TO_REACH) return undefined;
        throw new Failure(`The server cannot be reached: ${reason(error)}.`);
      });
      if (response === undefined) {
        await delay(pauseMs(tries, null));
        continue;
      }
      const answer = await response.text();
      const { status } = response;
      if (response.ok || (method === "DELETE" && status === 404)) return answer;
      const message = messageOf(answer) ?? `${status} ${answer.slice(0, 200)}`;
      if ((status === 429 || status === 503) && tries < TRIES) {
        const waitMs = pauseMs(tries, response.headers.get("retry-after"));
        if (waitMs > SILENT_MS_MAX) {
          console.error(`The server says: ${message} Trying again in ${waitMs / 1000} s.`);
        }
        await delay(waitMs);
      } else if (method === "PUT" && (status === 400 || status === 413)) {
        throw new Refused(message);
      } else {
        throw new Failure(`The server refuses: ${message}`);
      }
    }
  }
}

function pauseMs(tries: number, retryAfter: string | null): number {
  const asked = retryAfter !== null && /^\d+$/.test(retryAfter) ? 1_000 * Number(retryAfter) : 0;
  return Math.min(Math.max(asked, PAUSE_MS * 2 ** (tries - 1)), PAUSE_MS_MAX);
}

/** fetch says only that it failed; the cause says why. */
function reason(error: Error): string {
  const { cause } = error;
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message;
}

function messageOf(answer: string): string | undefined {
  try {
    const { message } = JSON.parse(answer);
    return typeof message === "string" ? message : undefined;
  } catch {
    // Not the server's own refusal, which is JSON: a proxy's, which is shown as it is.
    return undefined;
  }
}
