// A faulty fetch between the client and the real Worker. It splits bodies anywhere,
// puts one fault after another into requests, and records them.

import { exports } from "cloudflare:workers";
import type { Fetch } from "../../src/client/client.ts";
import { type CutPoint, frameLength, hasReached } from "../support/event-stream.ts";
import { Random } from "../support/random.ts";

export type Fault =
  /** The request is lost. */
  | "unsent"
  /** The request arrives; its response is lost. */
  | "unanswered"
  | Cut
  /** This response instead of the server's. */
  | ((request: Recorded) => Response | Promise<Response>);

/** The body breaks off. */
export interface Cut extends CutPoint {
  /** What the client sees: an error, a proper end, or nothing more. */
  readonly how: "error" | "end" | "silence";
  /** A proxy reads on, so that the server counts all as delivered. */
  readonly swallowed?: boolean;
}

export interface Recorded {
  readonly method: string;
  /** Below /api/v1, with its parameters. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
  readonly keepalive: boolean;
  readonly signal: AbortSignal | null;
}

export class FaultyFetch {
  readonly requests: Recorded[] = [];
  /** Bodies that were cut. */
  cuts = 0;
  readonly #faults: Fault[];
  readonly #random: Random;

  /** The nth request for events gets the nth fault; others pass. */
  constructor(faults: Fault[] = [], seed = 1) {
    this.#faults = [...faults];
    this.#random = new Random(seed);
  }

  /** The asks, and the requests to resume. */
  get streams(): string[] {
    return this.requests.map(line).filter((text) => /\/ask|\/events/.test(text));
  }

  get cancels(): Recorded[] {
    return this.requests.filter(({ path }) => path.endsWith("/cancel"));
  }

  readonly fetch: Fetch = async (url, init) => {
    const recorded: Recorded = {
      method: init.method ?? "GET",
      path: url.replace(/^.*\/api\/v1/, ""),
      headers: new Headers(init.headers),
      body: String(init.body ?? ""),
      keepalive: (init as { keepalive?: boolean }).keepalive === true,
      signal: (init.signal as AbortSignal | undefined) ?? null,
    };
    this.requests.push(recorded);
    const fault = /\/ask|\/events/.test(recorded.path) ? this.#faults.shift() : undefined;
    if (typeof fault === "function") return fault(recorded);
    if (fault === "unsent") throw new TypeError("fetch failed");
    const response = await exports.default.fetch(new Request(url, init));
    if (fault === "unanswered") {
      await response.body?.cancel();
      throw new TypeError("fetch failed");
    }
    if (response.body === null) return response;
    return new Response(this.#damaged(response.body, fault), response);
  };

  #damaged(body: ReadableStream<Uint8Array>, cut: Cut | undefined): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    let pending = new Uint8Array();
    let passed = new Uint8Array();
    return new ReadableStream(
      {
        pull: async (controller) => {
          if (cut !== undefined && hasReached(cut, passed)) {
            this.cuts += 1;
            if (cut.swallowed) await drain(reader);
            else await reader.cancel();
            if (cut.how === "error") controller.error(new TypeError("network error"));
            if (cut.how === "end") controller.close();
            return;
          }
          if (pending.length === 0) {
            const { done, value } = await reader.read();
            if (done) return controller.close();
            pending = new Uint8Array(value);
          }
          let length = this.#random.whole(1, Math.min(pending.length, 200));
          if (cut?.bytes !== undefined) length = Math.min(length, cut.bytes - passed.length);
          // Event by event if the cut counts events.
          if (cut?.events !== undefined) length = frameLength(pending);
          const part = pending.slice(0, length);
          pending = pending.slice(length);
          if (cut !== undefined) passed = concat(passed, part);
          controller.enqueue(part);
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }
}

export function line({ method, path }: Recorded): string {
  return `${method} ${path.replace(/\/queries\/\d+-[0-9a-f]+/, "/queries/:id")}`;
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

function concat(a: Uint8Array, b: Uint8Array) {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
