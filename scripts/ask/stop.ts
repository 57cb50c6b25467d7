// A user who stops an answer before its end, and what they are told then.

import { setTimeout as delay } from "node:timers/promises";
import { type Answer, BelayError, type Receipt } from "../../src/client/client.ts";
import type { Failure } from "../command.ts";
import { stopLine } from "./closing.ts";
import { Unanswered } from "./server.ts";

/** What a stop may take. */
const STOP_MS = 5_000;
/** As a shell says that SIGINT ended a command. */
const STOPPED = 130;

/**
 * Stops the answer at Ctrl-C, at the end of the terminal, and when the reader of
 * the output is gone.
 */
export class Stop {
  readonly #answer: Answer;
  #cause: "signal" | "output" | undefined;
  #receipt: Promise<Receipt | undefined> | undefined;

  constructor(answer: Answer, output?: NodeJS.WriteStream) {
    this.#answer = answer;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => this.#begin("signal"));
    }
    output?.on("error", () => this.#begin("output"));
  }

  /** What to say of an answer that was stopped; undefined if it was not. */
  async failure(thrown: unknown): Promise<Failure | undefined> {
    if (this.#cause === undefined) return undefined;
    const receipt = await Promise.race([this.#receipt, delay(STOP_MS, undefined)]);
    const isClosed = this.#cause === "output";
    const why = isClosed ? "The output was closed. " : "";
    const error = thrown instanceof BelayError ? thrown : undefined;
    return new Unanswered(why + stopLine(receipt), error, isClosed ? 1 : STOPPED);
  }

  #begin(cause: "signal" | "output"): void {
    // Ctrl-C comes twice: npm passes it on.
    this.#cause ??= cause;
    this.#receipt ??= this.#answer.cancel();
  }
}
