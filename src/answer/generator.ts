// What the pipeline asks of a generator, whichever it is. The adapters are in generators/.

import type { Finish, Turn } from "../protocol.ts";
import type { Passage } from "./retriever.ts";

/** One message of a chat model's prompt. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface Generation {
  readonly query: string;
  readonly history: readonly Turn[];
  /** Numbered by their place: the first is cited as `[1]`. */
  readonly passages: readonly Passage[];
  /** The same, put into words for a chat model. */
  readonly messages: readonly Message[];
  readonly maxTokens: number;
  readonly temperature: number | undefined;
  /** To be called whenever the model is heard of, with text or without: it may think for long. */
  readonly onSignOfLife?: (() => void) | undefined;
}

export interface Generator {
  /**
   * Yields the answer in pieces, each a non-empty string, and returns why it ended.
   * An answer that broke off is an error, never an end: ServiceError GENERATION_FAILED where the
   * model refused, failed or stopped short; anything else that it throws becomes that too.
   * When `signal` aborts it ends soon, and lets go of whatever it holds upstream.
   */
  generate(generation: Generation, signal: AbortSignal): AsyncGenerator<string, Finish, void>;
}
