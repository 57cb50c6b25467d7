// A chat completion as it arrives: text of an OpenAI-compatible body in, pieces of the answer out.
// It reads and judges; it does no I/O, and what it finds wrong it describes rather than throws.
//
// Both forms are read, whatever the content type claims: an event stream, and the one JSON object that
// some endpoints send although they were asked for a stream.

import { createParser } from "eventsource-parser";
import type { Finish } from "../protocol.ts";

export type Outcome =
  | { readonly finish: Finish }
  /** A message for the user, and what was found, for the log. */
  | { readonly failure: string; readonly detail: string };

/** What we read of a chunk, each member of which may be missing or of another type. */
interface Chunk {
  readonly error?: unknown;
  readonly choices?: readonly [Choice?] | null;
}
interface Choice {
  readonly delta?: { readonly content?: unknown } | null;
  readonly message?: { readonly content?: unknown } | null;
  readonly finish_reason?: unknown;
}

/** One event, or one whole JSON object, in characters: four times the longest answer ever kept. */
const EVENT_LENGTH_MAX = 4 * 1024 * 1024;
/** A longer token is handed on in pieces, so that no event of ours is huge. In UTF-16 code units. */
const PIECE_LENGTH_MAX = 16 * 1024;

export class Completion {
  /** Whether there is nothing more to read: an end marker came, the body ended, or all is lost. */
  ended = false;
  /** Present once the model said that it is done: its text is whole from then on. */
  finish: Finish | undefined;

  #form: "events" | "json" | undefined;
  #json = "";
  #pieces: string[] = [];
  /** Half of a character, whose other half is in the next token. */
  #half = "";
  #hasText = false;
  #failure: Outcome | undefined;

  readonly #parser = createParser({
    maxBufferSize: EVENT_LENGTH_MAX,
    onEvent: ({ event, data }) => {
      if (!this.ended) this.#failIf(this.#readEvent(event, data), data);
    },
    // Comments and fields that nobody knows are no errors of ours.
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") this.#failIf(TOO_LARGE, error.message);
    },
  });

  feed(text: string): void {
    // A byte order mark and blank lines may come before either form.
    const rest = this.#form === undefined ? text.trimStart() : text;
    if (rest === "" || this.ended) return;
    this.#form ??= rest.startsWith("{") ? "json" : "events";
    if (this.#form === "events") {
      this.#parser.feed(rest);
    } else {
      this.#json += rest;
      if (this.#json.length > EVENT_LENGTH_MAX) this.#failIf(TOO_LARGE, "one JSON object");
    }
  }

  /** The body has ended. */
  end(): void {
    if (this.ended) return;
    // Many an endpoint leaves out the blank line after its last event.
    if (this.#form === "events") this.#parser.feed("\n\n");
    if (this.#form === "json") {
      this.#failIf(this.#readChunk(this.#json), this.#json);
      // An object that can be read has arrived whole.
      this.finish ??= "stop";
    }
    this.ended = true;
  }

  /** The pieces of text since the last call, none of them empty. */
  take(): readonly string[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  /** What to make of it all; once there is nothing more to read. */
  outcome(): Outcome {
    if (this.#failure !== undefined) return this.#failure;
    if (this.finish === undefined) {
      return { failure: "The model's answer broke off. Ask again.", detail: "no end marker" };
    }
    if (!this.#hasText) {
      // Nobody is charged for nothing. A model that thinks aloud may use up its limit in doing so.
      return this.finish === "length"
        ? {
            failure: "The model got to no answer. Ask again with a larger maxTokens.",
            detail: "no text",
          }
        : { failure: "The model gave no answer. Ask again in other words.", detail: "no text" };
    }
    return { finish: this.finish };
  }

  /** Reads one event, and returns what is wrong with it. */
  #readEvent(event: string | undefined, data: string): string | undefined {
    if (data === "") return undefined;
    if (event === "error") return FAILED;
    if (data.trim() !== "[DONE]") return this.#readChunk(data);
    this.finish ??= "stop";
    this.ended = true;
    return undefined;
  }

  #readChunk(json: string): string | undefined {
    let chunk: Chunk | null;
    try {
      chunk = JSON.parse(json);
    } catch {
      // It may have held text, and an answer with a hole in it must never pass for a whole one.
      return UNREADABLE;
    }
    if (typeof chunk !== "object" || chunk === null) return UNREADABLE;
    const choice = chunk.choices?.[0];
    const reason = choice?.finish_reason;
    if (chunk.error || reason === "error") return FAILED;

    // Nothing else is shown: `reasoning_content` and its like are the model's own.
    const content = (choice?.delta ?? choice?.message)?.content;
    if (typeof content === "string") this.#add(content);
    if (typeof reason === "string" && reason !== "") {
      this.finish = reason === "length" ? "length" : "stop";
    }
    return undefined;
  }

  /** Cut and joined so that no piece is too long and none holds half a character. */
  #add(token: string): void {
    const text = this.#half + token;
    let from = 0;
    while (from < text.length) {
      let to = Math.min(from + PIECE_LENGTH_MAX, text.length);
      if (isHighSurrogate(text.charCodeAt(to - 1))) to--;
      if (to === from) break;
      this.#pieces.push(text.slice(from, to));
      from = to;
    }
    this.#half = text.slice(from);
    this.#hasText ||= /\S/.test(text);
  }

  #failIf(failure: string | undefined, detail: string): void {
    if (failure === undefined) return;
    this.#failure = { failure, detail };
    this.ended = true;
  }
}

const FAILED = "The model failed. Ask again.";
const UNREADABLE = "The model's answer could not be read. Ask again.";
const TOO_LARGE = "The model's answer was too large to read. Ask again.";

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
