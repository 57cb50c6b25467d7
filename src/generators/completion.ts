// A chat completion as it arrives: text of a model's body in, pieces of the answer out. It reads and
// judges; it does no I/O, and what it finds wrong it describes rather than throws. completion-stream.ts
// has the body.
//
// Both forms are read, whatever the content type claims: an event stream, and the one JSON object that
// some endpoints send although they were asked for a stream. What is made of what it reads:
//
//   in the stream                                    what it is                          whose rule
//   a comment, a ping, an empty or unknown member    a sign of life                      completion-stream.ts
//   an object or a line that is not known            a failure                           chunk.ts, `#readOddLine`
//   anything that says that something failed         a failure                           chunk.ts, FAILURE
//   text, or parts of type text                      the answer                          chunk.ts
//   a part or a member of reasoning; marks of one    a thought                           chunk.ts, thoughts.ts
//   text before an end mark that nothing opened      a thought                           beginning.ts
//   a finish reason                                  an end, a cut or a failure, if it   finish-reason.ts
//                                                    is the last one
//   `[DONE]`; the end of the body                    the end of reading                  `#settle`

import type { Finish } from "../protocol.ts";
import { endsInHalf, pieces } from "../text/pieces.ts";
import { isVisible } from "../text/visible.ts";
import { Beginning } from "./beginning.ts";
import { readChunk } from "./chunk.ts";
import { EventStream } from "./event-stream.ts";
import { type Ending, endingOf } from "./finish-reason.ts";
import { Repetition } from "./repetition.ts";
import { Thoughts } from "./thoughts.ts";

export type Outcome = { readonly finish: Finish } | Failure;

interface Failure {
  /** A message for the user. */
  readonly failure: string;
  /** What was found. It may hold what the model said. */
  readonly detail: string;
}

interface Model {
  /** As its server knows it. */
  readonly name: string;
  readonly address: string;
}

/** One event, or one whole JSON object, in characters: four times the longest answer ever kept. */
const EVENT_LENGTH_MAX = 4 * 1024 * 1024;
/** A longer token is handed on in pieces, so that no event of ours is huge. In UTF-16 code units. */
const PIECE_LENGTH_MAX = 16 * 1024;

/** A shorter piece may say by itself what was said before. */
const REPEATED_LENGTH_MIN = 24;

const END_MARKER = "[DONE]";
/** What the names of events and lines that are no event say of a failure. */
const FAILURE = /error|exception|fail|abort|fatal/i;
/** Names of events without data that we understand: signs of life. */
const LIFE_NAME = /^(?:ping|heartbeat|keep-?_?alive)$/i;
/** Names of fields that may be a piece of the answer in another form, or tell of a failure. */
const TELLING_NAME =
  /content|text|delta|token|choice|response|answer|chunk|output|data|detail|^(?:message|code|status)$/i;
const FIELD = /^([A-Za-z][\w-]{0,40}): ?(.*)$/s;

export class Completion {
  /** Whether there is nothing more to read: an end marker came, the body ended, or all is lost. */
  ended = false;

  #form: "events" | "json" | undefined;
  #json: string[] = [];
  #jsonLength = 0;
  #pieces: string[] = [];
  #isShown = false;
  /** Half of a character, whose other half is in the next token. */
  #half = "";
  #hasText = false;
  #texts = 0;
  /** Text that is no thought was read, though it may not be shown yet. */
  #isSpoken = false;
  #reason: unknown;
  #ending: Ending = "open";
  /** How far a reason proves an end: less where text came with it, and not once text came after one. */
  #proof: "surely" | "maybe" | "not" = "surely";
  #hasMarker = false;
  #finish: Finish = "stop";
  /** Tokens that the model has counted. Some say so twice, and the second time that it was none. */
  #tokens = 0;
  readonly #maxTokens: number;
  readonly #repetition = new Repetition();
  readonly #beginning: Beginning;
  readonly #thoughts: Thoughts;
  #failure: Failure | undefined;
  #diagnosis = "";

  readonly #events = new EventStream(EVENT_LENGTH_MAX, {
    onEvent: (name, data) => {
      if (!this.ended) this.#readEvent(name, data);
    },
    onOddLine: (line) => {
      if (!this.ended) this.#readOddLine(line);
    },
    onTooLong: () => this.#fail(TOO_LARGE, "an event is too large", ""),
  });

  /** `maxTokens`: a model that gives no reason for its end, and got this far, was cut there. */
  constructor(
    maxTokens = Number.POSITIVE_INFINITY,
    model: Model = { name: "unknown", address: "" },
  ) {
    this.#maxTokens = maxTokens;
    this.#beginning = new Beginning(model);
    this.#thoughts = new Thoughts({
      onText: (text) => {
        this.#repetition.add(text);
        this.#isSpoken ||= isVisible(text);
        for (const shown of this.#beginning.add(text)) this.#add(shown);
      },
      onThought: () => {
        for (const shown of this.#beginning.mark()) this.#add(shown);
      },
      onUnopened: () => this.#discard(),
      onFault: (fault) =>
        fault === "tool"
          ? this.#fail(TOOL, "the model called a tool", "")
          : this.#fail(UNREADABLE, "text after the end of the model's turn", ""),
    });
  }

  /** Why the outcome is a failure, in words of ours, for the log. */
  get diagnosis(): string {
    return this.#diagnosis;
  }

  /** How many texts were read, thoughts in them included: it grows as long as the model goes on. */
  get texts(): number {
    return this.#texts;
  }

  /** The model said that it is done, and that of an answer: `surely`, or so that more may follow. */
  get finishing(): "surely" | "maybe" | undefined {
    if (this.#ending === "open" || this.#proof === "not") return undefined;
    return this.#isSpoken && !this.#thoughts.isThinking ? this.#proof : undefined;
  }

  feed(text: string): void {
    // A byte order mark and blank lines may come before either form.
    const rest = this.#form === undefined ? text.trimStart() : text;
    if (rest === "" || this.ended) return;
    this.#form ??= rest.startsWith("{") ? "json" : "events";
    if (this.#form === "events") {
      this.#events.feed(rest);
      // Some streams of Workers AI end in this alone, without a line's end.
      if (this.#events.openLine.trim() === END_MARKER) this.#endAtMarker();
      if (this.#failure !== undefined) this.ended = true;
    } else {
      this.#json.push(rest);
      this.#jsonLength += rest.length;
      if (this.#jsonLength > EVENT_LENGTH_MAX) this.#fail(TOO_LARGE, "an object is too large", "");
    }
  }

  /** The body has ended, or is `broken`: the connection was lost, or its bytes are no text. */
  end(how: "ended" | "broken" = "ended"): void {
    if (this.ended) return;
    const isWhole = this.finishing === "surely";
    if (this.#form === "events") {
      this.#events.end();
      // What broke off after the answer was whole left no hole in it.
      if (isWhole && this.#failure?.failure === UNREADABLE) {
        this.#failure = undefined;
        this.ended = false;
      }
    }
    if (this.#form === "json") {
      this.#readObject(this.#json.join(""));
      // An object that can be read has arrived whole.
      this.#hasMarker = true;
    } else if (how === "broken" && !isWhole && !this.#hasMarker) {
      this.#fail(BROKEN, "the connection was lost", "no end marker");
    }
    this.#settle();
  }

  /** The pieces of text since the last call, none of them empty. */
  take(): readonly string[] {
    const pieces = this.#pieces;
    if (pieces.length > 0) this.#isShown = true;
    this.#pieces = [];
    return pieces;
  }

  /** What to make of it all; once there is nothing more to read. */
  outcome(): Outcome {
    return this.#failure ?? { finish: this.#finish };
  }

  #readEvent(name: string, data: string): void {
    if (FAILURE.test(name)) this.#fail(FAILED, "an event that is named an error", data);
    else if (data.trim() === END_MARKER) this.#endAtMarker();
    else if (data !== "" && !(LIFE_NAME.test(name) && !data.startsWith("{")))
      this.#readObject(data);
  }

  /** A line that is no part of an event: an end marker, a harmless field, or what must not be lost. */
  #readOddLine(line: string): void {
    const [, name = "", value = ""] = FIELD.exec(line) ?? [];
    if (line.trim() === END_MARKER) this.#endAtMarker();
    else if (/^[[{]/.test(line)) this.#readObject(line);
    else if (FAILURE.test(line)) this.#note(FAILED, "a line that says that it is an error", line);
    else if (name === "" || TELLING_NAME.test(name) || /^[[{]/.test(value)) {
      this.#note(UNREADABLE, "a line that is no event", line);
    }
  }

  #readObject(json: string): void {
    const chunk = readChunk(json);
    if (chunk.tokens !== undefined) this.#tokens = Math.max(this.#tokens, chunk.tokens);
    if (chunk.hasThoughts) {
      this.#texts += 1;
      for (const shown of this.#beginning.mark()) this.#add(shown);
    }
    const ending = endingOf(chunk.finishReason);
    if (chunk.text !== "" && !this.#isRepeated(chunk.text, ending)) {
      this.#texts += 1;
      // A reason that came before this text was no end.
      if (this.#ending !== "open") this.#proof = "not";
      else if (ending !== "open") this.#proof = "maybe";
      this.#thoughts.read(chunk.text);
    }
    if (chunk.whole !== undefined) this.#addRest(chunk.whole);
    if (chunk.fault !== undefined) {
      const [message, reason] = FAULTS[chunk.fault];
      this.#fail(message, reason, json);
    }
    if (ending === "open") return;
    this.#reason = chunk.finishReason;
    this.#ending = ending;
    // Of these no more can come of use.
    if (ending === "failed" || ending === "filter" || ending === "tool") this.#settle();
  }

  /** A message that repeats all: what is new in it is added, and it must begin as what was said. */
  #addRest(whole: string): void {
    this.#texts += 1;
    if (this.#texts === 1) this.#thoughts.read(whole);
    else {
      const rest = this.#repetition.restOf(whole);
      if (rest === undefined)
        this.#fail(UNREADABLE, "a message that differs from its pieces", whole);
      else if (rest !== "") this.#thoughts.readOn(rest);
    }
  }

  /** Some servers repeat all in the last piece, not in a message. */
  #isRepeated(text: string, ending: Ending): boolean {
    if (ending === "open" && this.#ending === "open") return false;
    return text.length >= REPEATED_LENGTH_MIN && this.#repetition.restOf(text) === "";
  }

  #endAtMarker(): void {
    this.#hasMarker = true;
    this.#settle();
  }

  /** There is nothing more to read: is it an answer, and a whole one? */
  #settle(): void {
    if (this.ended) return;
    this.ended = true;
    this.#thoughts.end();
    this.#settleEnding();
    if (this.#failure !== undefined) return;
    const isCut = this.#finish === "length";
    const rest = this.#beginning.end(isCut);
    for (const shown of rest ?? []) this.#add(shown);
    // No one is charged for nothing. A model that thinks aloud may use up its limit in doing so.
    if (!this.#hasText) {
      if (isCut) this.#fail(NO_ANSWER_YET, "the limit was used up before any text", "no text");
      else this.#fail(NO_ANSWER, "no text that a reader can see", "no text");
    } else if (this.#thoughts.isThinking) this.#fail(BROKEN, "the text ends in a thought", "");
  }

  #settleEnding(): void {
    switch (this.#ending) {
      case "stop":
      case "length":
        this.#finish = this.#ending;
        break;
      case "open":
        if (!this.#hasMarker) this.#fail(BROKEN, "no end marker", "no end marker");
        else if (this.#tokens >= this.#maxTokens) this.#finish = "length";
        break;
      default: {
        const detail = `finish_reason ${JSON.stringify(this.#reason)}`;
        this.#fail(BAD_ENDINGS[this.#ending], `finish reason: ${this.#ending}`, detail);
      }
    }
  }

  /** A thought ended that nothing had opened. */
  #discard(): void {
    this.#repetition.restart();
    this.#beginning.discard();
    this.#isSpoken = false;
    if (this.#isShown) {
      this.#beginning.remember();
      this.#fail(SHOWN, "a thought that nothing had opened was shown", "");
    }
    this.#pieces = [];
    this.#half = "";
    this.#hasText = false;
  }

  /** Cut and joined so that no piece is too long and none holds half a character. */
  #add(token: string): void {
    const text = this.#half + token;
    this.#half = endsInHalf(text) ? text.slice(-1) : "";
    const whole = text.slice(0, text.length - this.#half.length);
    for (const piece of pieces(whole, PIECE_LENGTH_MAX)) this.#pieces.push(piece.toWellFormed());
    this.#hasText ||= isVisible(text);
  }

  #fail(failure: string, reason: string, detail: string): void {
    this.#note(failure, reason, detail);
    this.ended = true;
  }

  /** As `#fail`, but the text that came with it is still read. */
  #note(failure: string, reason: string, detail: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = { failure, detail };
    this.#diagnosis = reason;
  }
}

const FAILED = "The model failed. You were not charged; ask again.";
const BROKEN = "The model's answer broke off. You were not charged; ask again.";
const UNREADABLE = "The model's answer could not be read. You were not charged; ask again.";
const UNKNOWN = "The model did not say that its answer is whole. You were not charged; ask again.";
const TOO_LARGE = "The model's answer was too large to read. You were not charged; ask again.";
const FILTERED =
  "A filter of the model stopped the answer. You were not charged; ask again, or ask something else.";
const TOOL = "The model called a tool instead of answering. You were not charged; ask again.";
const SHOWN = "The model's answer began with its thoughts. You were not charged; ask again.";
const NO_ANSWER = "The model gave no answer. You were not charged; ask again.";
const NO_ANSWER_YET =
  "The model got to no answer. You were not charged; ask again with a larger maxTokens.";

const BAD_ENDINGS = { filter: FILTERED, tool: TOOL, failed: FAILED, unknown: UNKNOWN };

const FAULTS = {
  failed: [FAILED, "the stream says that the model failed"],
  unreadable: [UNREADABLE, "an object that is not known"],
  tool: [TOOL, "the model called a tool"],
  refused: [FILTERED, "the model refused"],
} as const;
