// The interface of a generator. Adapters are in generators/.

import type { Finish, Turn } from "../protocol.ts";
import type { Passage } from "./retriever.ts";
import type { SearchQuery } from "./search-query.ts";

/** A message of a chat model's prompt. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** The tokens of one call, by the model's count. */
export interface Usage {
  /** Of the prompt, the thoughts and the answer. */
  readonly total: number;
  /** Undefined if the model says the total only. */
  readonly prompt: number | undefined;
  /** False if text came after the report. */
  readonly isWhole: boolean;
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
  /** The header `traceparent`. */
  readonly trace?: string | undefined;
  /** The tokens are paid for: the model should count them. */
  readonly isCounted?: boolean;
  /** Called at the end, if the model counts its tokens. */
  readonly onUsage?: ((usage: Usage) => void) | undefined;
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
