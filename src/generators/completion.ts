// A chat completion as it arrives: text of a model's body in, pieces of the answer out. It reads and
// judges; it does no I/O, and what it finds wrong it describes rather than throws. Whoever has the
// body reads it by means of completion-stream.ts.
//
// Both forms are read, whatever the content type claims: an event stream, and the one JSON object that
// some endpoints send although they were asked for a stream. Both dialects as well, and their mixture
// in one stream: OpenAI's `choices`, and Workers AI's own `response`.

import { createParser } from "eventsource-parser";
import type { Finish } from "../protocol.ts";

export type Outcome = { readonly finish: Finish } | Failure;

interface Failure {
  /** A message for the user. */
  readonly failure: string;
  /** What was found, for the log. */
  readonly detail: string;
}

/** What we read of a chunk, each member of which may be missing or of another type. */
interface Chunk {
  readonly error?: unknown;
  readonly errors?: unknown;
  readonly choices?: readonly [Choice?] | null;
  readonly response?: unknown;
  readonly finish_reason?: unknown;
  readonly usage?: { readonly completion_tokens?: unknown } | null;
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
/** The end marker as a line of its own, and as much of a body's end as it takes to see it there. */
const BARE_DONE = /[\r\n]\[DONE\]\s*$/;
const TAIL_LENGTH = 12;

const THINKING = "<think>";
const THOUGHT = "</think>";

export class Completion {
  /** Whether there is nothing more to read: an end marker came, the body ended, or all is lost. */
  ended = false;
  /** Present once the model said that it is done: its text is whole from then on. */
  finish: Finish | undefined;

  #form: "events" | "json" | undefined;
  #json = "";
  #tail = "\n";
  #pieces: string[] = [];
  /** What is held back until it is known to be answer: the beginning, then a thought's latest part. */
  #held = "";
  #stage: "beginning" | "thinking" | "answering" = "beginning";
  /** Tokens that the model has counted. Some say so twice, and the second time that it was none. */
  #tokens = 0;
  readonly #maxTokens: number;
  /** Half of a character, whose other half is in the next token. */
  #half = "";
  #hasText = false;
  #failure: Failure | undefined;

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

  /** `maxTokens`: a model that gives no reason for its end, and got this far, was cut there. */
  constructor(maxTokens = Number.POSITIVE_INFINITY) {
    this.#maxTokens = maxTokens;
  }

  feed(text: string): void {
    // A byte order mark and blank lines may come before either form.
    const rest = this.#form === undefined ? text.trimStart() : text;
    if (rest === "" || this.ended) return;
    this.#form ??= rest.startsWith("{") ? "json" : "events";
    if (this.#form === "events") {
      this.#parser.feed(rest);
      // Some streams of Workers AI end in `[DONE]` alone, which to a parser is an unknown field.
      this.#tail = (this.#tail + rest.slice(-TAIL_LENGTH)).slice(-TAIL_LENGTH);
      if (!this.ended && BARE_DONE.test(this.#tail)) {
        this.#parser.feed("\n\n");
        this.#done();
      }
    } else {
      this.#json += rest;
      if (this.#json.length > EVENT_LENGTH_MAX) this.#failIf(TOO_LARGE, "one JSON object");
    }
  }

  /** The body has ended. */
  end(): void {
    if (this.ended) return;
    if (this.#form === "events") {
      const whole = this.finish !== undefined;
      // Many an endpoint leaves out the blank line after its last event.
      this.#parser.feed("\n\n");
      // What broke off after the answer was whole left no hole in it.
      if (whole && this.#failure?.failure === UNREADABLE) this.#failure = undefined;
    }
    if (this.#form === "json") {
      this.#failIf(this.#readChunk(this.#json), this.#json);
      // An object that can be read has arrived whole.
      this.#done();
    }
    this.#end();
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
    this.#done();
    return undefined;
  }

  #done(): void {
    this.finish ??= this.#tokens >= this.#maxTokens ? "length" : "stop";
    this.#end();
  }

  #end(): void {
    // What only looked like the beginning of a thought was the whole answer.
    if (!this.ended && this.#stage === "beginning") this.#add(this.#held);
    this.ended = true;
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
    const reason = choice?.finish_reason ?? chunk.finish_reason;
    if (chunk.error || isFilled(chunk.errors) || reason === "error") return FAILED;

    // Nothing else is shown: `reasoning_content` and its like are the model's own, and `p` is padding.
    const content = asText((choice?.delta ?? choice?.message)?.content) || asText(chunk.response);
    this.#add(this.#answerIn(content));
    const tokens = chunk.usage?.completion_tokens;
    if (typeof tokens === "number") this.#tokens = Math.max(this.#tokens, tokens);
    if (typeof reason === "string" && reason !== "") {
      // Workers AI says `model_length` as well.
      this.finish = reason.endsWith("length") ? "length" : "stop";
    }
    return undefined;
  }

  /** As much of what has come as is answer: some models put their thoughts before it, between tags. */
  #answerIn(token: string): string {
    if (this.#stage === "answering") return token;
    this.#held += token;
    if (this.#stage === "beginning") {
      const text = this.#held.trimStart();
      if (text.length < THINKING.length && THINKING.startsWith(text)) return "";
      this.#stage = text.startsWith(THINKING) ? "thinking" : "answering";
    }
    if (this.#stage === "thinking") {
      const end = this.#held.indexOf(THOUGHT);
      if (end === -1) {
        // Only a part of the tag may be needed again.
        this.#held = this.#held.slice(-THOUGHT.length);
        return "";
      }
      this.#held = this.#held.slice(end + THOUGHT.length).trimStart();
      this.#stage = "answering";
    }
    return this.#held;
  }

  /** Cut and joined so that no piece is too long and none holds half a character. */
  #add(token: string): void {
    const text = this.#half + token;
    let from = 0;
    while (from < text.length) {
      let to = Math.min(from + PIECE_LENGTH_MAX, text.length);
      if (isHighSurrogate(text.charCodeAt(to - 1))) to--;
      if (to === from) break;
      this.#pieces.push(text.slice(from, to).toWellFormed());
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

/** Workers AI sends a token of digits as a number. */
function asText(content: unknown): string {
  if (typeof content === "string") return content;
  return typeof content === "number" ? String(content) : "";
}

function isFilled(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
