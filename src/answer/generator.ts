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
  /** Called when the model sends anything without text, such as thoughts. */
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

/** Takes the next piece of an answer. It is not empty. */
export type OnText = (text: string) => void;

export interface Generator {
  /**
   * Hands the answer on in pieces as they come; resolves with the finish
   * reason. An answer that says only that nothing was found begins with
   * NOTHING_FOUND. Rejects with GENERATION_FAILED if the model refuses, fails
   * or breaks off. Errors other than ServiceError become that too. Rejects
   * soon after `signal` aborts, and releases its upstream connection.
   */
  generate(generation: Generation, onText: OnText, signal: AbortSignal): Promise<Finish>;
}

/** A generator that needs nothing but a prompt. */
export interface ChatModel {
  /** As a generator's. */
  generate(prompt: Prompt, onText: OnText, signal: AbortSignal): Promise<Finish>;
}
