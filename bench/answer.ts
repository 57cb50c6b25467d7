// One ask over HTTP, and what arrived of its answer.

import { Agent, type IncomingMessage, request } from "node:http";
import type { Contender } from "./contender.ts";
import { type Script, written } from "./script.ts";

export interface Answer {
  readonly tokens: number;
  /** Milliseconds from the ask to the first token. */
  readonly firstMs: number;
  /** Every token and the end arrived. */
  readonly isWhole: boolean;
  /** The status, and the last that was read. */
  readonly last: string;
  /** When the user left, in milliseconds since the epoch. */
  readonly leftAt: number | undefined;
}

export interface Leaving {
  readonly afterTokens: number;
}

const CONNECTIONS_MAX = 2_000;
const TAIL = 300;

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
/** Numbers the questions, so that no two are the same. */
let asked = 0;

export async function ask(
  contender: Contender,
  user: number,
  script: Script,
  leaving?: Leaving,
): Promise<Answer> {
  asked += 1;
  const question = `Question ${asked} ${written(script)}`;
  const { port, path, body, headers } = await contender.request(user, question);
  const options = {
    host: "127.0.0.1",
    port,
    path,
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    // Who leaves takes the connection along.
    ...(leaving === undefined ? { agent } : { agent: false as const }),
  };
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const reading = new Reading(contender, script.tokens);
  const outgoing = request(options, (response) => {
    reading.begin(response);
    response.on("data", (bytes: Buffer) => {
      reading.add(bytes);
      if (leaving && reading.tokens >= leaving.afterTokens && !reading.hasLeft) {
        reading.leave();
        outgoing.destroy();
      }
    });
    response.once("close", () => resolve(reading.answer()));
  });
  outgoing.once("error", (error) => {
    reading.fail(error);
    resolve(reading.answer());
  });
  outgoing.end(JSON.stringify(body));
  return promise;
}

class Reading {
  readonly #contender: Contender;
  readonly #wanted: number;
  readonly #startedAt = performance.now();
  #status = "no response";
  #tail = "";
  #hasEnded = false;
  #firstMs = Number.NaN;
  #leftAt: number | undefined;
  tokens = 0;

  constructor(contender: Contender, wanted: number) {
    this.#contender = contender;
    this.#wanted = wanted;
  }

  get hasLeft(): boolean {
    return this.#leftAt !== undefined;
  }

  begin({ statusCode }: IncomingMessage): void {
    this.#status = String(statusCode);
  }

  add(bytes: Buffer): void {
    const { mark, end } = this.#contender;
    const text = bytes.toString("latin1");
    // A mark may be cut in two by a chunk's end.
    const count = (this.#tail.slice(1 - mark.length) + text).split(mark).length - 1;
    if ((this.#tail.slice(1 - end.length) + text).includes(end)) this.#hasEnded = true;
    if (count > 0 && this.tokens === 0) this.#firstMs = performance.now() - this.#startedAt;
    this.tokens += count;
    this.#tail = (this.#tail + text).slice(-TAIL);
  }

  leave(): void {
    this.#leftAt = performance.timeOrigin + performance.now();
  }

  fail(error: Error): void {
    this.#tail += ` ${error.message}`;
  }

  answer(): Answer {
    return {
      tokens: this.tokens,
      firstMs: this.#firstMs,
      isWhole: this.tokens === this.#wanted && this.#hasEnded,
      last: `${this.#status} ${this.#tail}`,
      leftAt: this.#leftAt,
    };
  }
}
