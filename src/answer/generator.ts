// The interface of a generator. Adapters are in generators/.

import type { Finish, Turn } from "../protocol.ts";
import type { Passage } from "./retriever.ts";
import type { SearchQuery } from "./search-query.ts";

/** A message of a chat model's prompt. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** What a chat model is asked. */
export interface Prompt {
  readonly messages: readonly Message[];
  readonly maxTokens: number;
  readonly temperature: number | undefined;
  /** Nothing is shown before the end: the model need not stream. */
  readonly isWhole?: boolean;
  /** Called when the model sends anything, thoughts included. */
  readonly onSignOfLife?: (() => void) | undefined;
  /** Called at the end with all tokens, if the model counts them. */
  readonly onUsage?: (tokens: number) => void;
}

export interface Generation extends Prompt {
  readonly query: string;
  /** What the passages were searched for. */
  readonly search: SearchQuery;
  readonly history: readonly Turn[];
  /** The first is cited as `[1]`. */
  readonly passages: readonly Passage[];
}

export interface Generator {
  /**
   * Yields the answer in non-empty pieces; returns the finish reason. An
   * answer that says only that nothing was found begins with NOTHING_FOUND.
   * Throws GENERATION_FAILED if the model refuses, fails or breaks
   * off. Errors other than ServiceError become that too. Ends soon
   * after `signal` aborts, and releases its upstream connection.
   */
  generate(generation: Generation, signal: AbortSignal): AsyncGenerator<string, Finish, void>;
}

/** A generator that needs nothing but a prompt. */
export interface ChatModel {
  /** As a generator's. */
  generate(prompt: Prompt, signal: AbortSignal): AsyncGenerator<string, Finish, void>;
}
