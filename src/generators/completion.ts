// A chat completion as it arrives: the body's text in, pieces of the
// answer out. It returns failures and does not throw. No I/O:
// completion-stream.ts reads the body.
//
// Both forms are read, whatever the content type says: an event stream,
// and the single JSON object that some endpoints send instead. How each
// part counts:
//
//   in the stream                                    counts as                           rule
//   a comment, a ping, an empty or unknown member    a sign of life                      completion-stream.ts
//   an unknown object or line                        a failure                           chunk.ts, `#readOddLine`
//   anything that reports a failure                  a failure                           chunk.ts, FAILURE
//   text, or parts of type text                      the answer                          chunk.ts
//   a part or a member of reasoning; marks of one    a thought                           chunk.ts, thoughts.ts
//   text before an end mark that nothing opened      a thought                           beginning.ts
//   a finish reason                                  an end, a cut or a failure, if it   finish-reason.ts
//                                                    is the last one
//   `[DONE]`; the end of the body                    the end of reading                  `#settle`

import type { Usage } from "../answer/generator.ts";
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
  /** A message to the user. */
  readonly failure: string;
  /** What was found. It may quote the model. */
  readonly detail: string;
  /** Why, in our own words, for the log. */
  readonly diagnosis: string;
}

interface Model {
  /** As its server names it. */
  readonly name: string;
  readonly address: string;
}

/** UTF-16 units of an event or object: four times the longest stored answer. */
const EVENT_LENGTH_MAX = 4 * 1024 * 1024;
/** A longer token is cut, so that our events stay small. In UTF-16 units. */
const PIECE_LENGTH_MAX = 16 * 1024;

/** A shorter piece may repeat earlier text by chance. */
const REPEATED_LENGTH_MIN = 24;

const END_MARKER = "[DONE]";
/** Names of events, and other lines, that report a failure. */
const FAILURE = /error|exception|fail|abort|fatal/i;
/** Events without data that are signs of life. */
const LIFE_NAME = /^(?:ping|heartbeat|keep-?_?alive)$/i;
/** Fields that may hold text in another form, or a failure. */
const TELLING_NAME =
  /content|text|delta|token|choice|response|answer|chunk|output|data|detail|^(?:message|code|status)$/i;
const FIELD = /^([A-Za-z][\w-]{0,40}): ?(.*)$/s;

export class Completion {
  /** Nothing more is read: an end marker, the end of the body, or a failure. */
  ended = false;

  #form: "events" | "json" | undefined;
  #json: string[] = [];
  #jsonLength = 0;
  #pieces: string[] = [];
  #isShown = false;
  /** The first half of a character. The next token has the other. */
  #half = "";
  #hasText = false;
  #texts = 0;
  /** Text besides thoughts was read. It may not be shown yet. */
  #isSpoken = false;
  #reason: unknown;
  #ending: Ending = "open";
  /**
   * How well a reason proves an end. Text with it weakens, text after
   * it refutes.
   */
  #proof: "surely" | "maybe" | "not" = "surely";
  #hasMarker = false;
  #finish: Finish = "stop";
  /** Tokens by the model's count. Some models report 0 in a second report. */
  #tokens = 0;
  #usage: number | undefined;
  #promptTokens: number | undefined;
  #isUsageWhole = false;
  readonly #maxTokens: number;
  readonly #repetition = new Repetition();
  readonly #beginning: Beginning;
  readonly #thoughts: Thoughts;
  #failure: Failure | undefined;

  readonly #events = new EventStream(EVENT_LENGTH_MAX, {
    onEvent: (name, data) => {
      if (!this.ended) this.#readEvent(name, data);
    },
    onOddLine: (line) => {
      if (!this.ended) this.#readOddLine(line);
    },
    onTooLong: () => this.#fail(TOO_LARGE, "an event is too large", ""),
  });

  /** `maxTokens`: an answer of this length without a finish reason was cut. */
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
        this.#add(this.#beginning.add(text));
      },
      onThought: () => this.#add(this.#beginning.mark()),
      onUnopened: () => this.#discard(),
      onFault: (fault) =>
        fault === "tool"
          ? this.#fail(TOOL, "the model called a tool", "")
          : this.#fail(UNREADABLE, "text after the end of the model's turn", ""),
    });
  }

  /** Texts read, thoughts included. It grows while the model goes on. */
  get texts(): number {
    return this.#texts;
  }

  get usage(): Usage | undefined {
    if (this.#usage === undefined) return undefined;
    return { total: this.#usage, prompt: this.#promptTokens, isWhole: this.#isUsageWhole };
  }

  /** The model ended an answer: `surely`, or `maybe` with more to follow. */
  get finishing(): "surely" | "maybe" | undefined {
    if (this.#ending === "open" || this.#proof === "not") return undefined;
    return this.#isSpoken && !this.#thoughts.isThinking ? this.#proof : undefined;
  }

  feed(text: string): void {
    // A byte order mark and blank lines may precede either form.
    const rest = this.#form === undefined ? text.trimStart() : text;
    if (rest === "" || this.ended) return;
    this.#form ??= rest.startsWith("{") ? "json" : "events";
    if (this.#form === "events") {
      this.#events.feed(rest);
      // Some Workers AI streams end in the marker without a line end.
      if (this.#events.openLine.trim() === END_MARKER) this.#endAtMarker();
      if (this.#failure !== undefined) this.ended = true;
    } else {
      this.#json.push(rest);
      this.#jsonLength += rest.length;
      if (this.#jsonLength > EVENT_LENGTH_MAX) this.#fail(TOO_LARGE, "an object is too large", "");
    }
  }

  /**
   * The body ended, or is `broken`: a lost connection, or bytes that
   * are no text.
   */
  end(how: "ended" | "broken" = "ended"): void {
    if (this.ended) return;
    const isWhole = this.finishing === "surely";
    if (this.#form === "events") {
      this.#events.end();
      // The answer was whole before the broken event.
      if (isWhole && this.#failure?.failure === UNREADABLE) {
        this.#failure = undefined;
        this.ended = false;
      }
    }
    if (this.#form === "json") {
      this.#readObject(this.#json.join(""));
      // An object that parses is whole.
      this.#hasMarker = true;
    } else if (how === "broken" && !isWhole && !this.#hasMarker) {
      this.#fail(BROKEN, "the connection was lost", "no end marker");
    }
    this.#settle();
  }

  /** The pieces since the last call. None is empty. */
  take(): readonly string[] {
    const pieces = this.#pieces;
    if (pieces.length > 0) this.#isShown = true;
    this.#pieces = [];
    return pieces;
  }

  /** How the completion ended. Call it once `ended` is true. */
  outcome(): Outcome {
    return this.#failure ?? { finish: this.#finish };
  }

  #readEvent(name: string, data: string): void {
    if (name !== "" && FAILURE.test(name)) this.#fail(FAILED, "an event named as an error", data);
    else if (data.trim() === END_MARKER) this.#endAtMarker();
    else if (data !== "" && (data.startsWith("{") || !LIFE_NAME.test(name))) this.#readObject(data);
  }

  /**
   * A line outside events: an end marker, a harmless field, or lost
   * content.
   */
  #readOddLine(line: string): void {
    const [, name = "", value = ""] = FIELD.exec(line) ?? [];
    if (line.trim() === END_MARKER) this.#endAtMarker();
    else if (/^[[{]/.test(line)) this.#readObject(line);
    else if (FAILURE.test(line)) this.#note(FAILED, "a line that reports an error", line);
    else if (name === "" || TELLING_NAME.test(name) || /^[[{]/.test(value)) {
      this.#note(UNREADABLE, "a line outside events", line);
    }
  }

  #readObject(json: string): void {
    const chunk = readChunk(json);
    if (chunk.tokens !== undefined) this.#tokens = Math.max(this.#tokens, chunk.tokens);
    if (chunk.usage !== undefined) this.#usage = Math.max(this.#usage ?? 0, chunk.usage);
    this.#promptTokens = chunk.promptTokens ?? this.#promptTokens;
    const hasText = chunk.text !== "" || chunk.hasThoughts === true;
    if (chunk.usage !== undefined || hasText) this.#isUsageWhole = chunk.usage !== undefined;
    if (chunk.hasThoughts) {
      this.#texts += 1;
      this.#add(this.#beginning.mark());
    }
    const ending = endingOf(chunk.finishReason);
    if (chunk.text !== "" && !this.#isRepeated(chunk.text, ending)) {
      this.#texts += 1;
      // Text follows an earlier reason, so that was no end.
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
    // Nothing after these is of use.
    if (ending === "failed" || ending === "filter" || ending === "tool") this.#settle();
  }

  /** Adds what is new in a message that repeats the answer so far. */
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

  /** Some servers repeat the whole answer in the last piece. */
  #isRepeated(text: string, ending: Ending): boolean {
    if (ending === "open" && this.#ending === "open") return false;
    return text.length >= REPEATED_LENGTH_MIN && this.#repetition.restOf(text) === "";
  }

  #endAtMarker(): void {
    this.#hasMarker = true;
    this.#settle();
  }

  /** Decides whether this is an answer, and a whole one. */
  #settle(): void {
    if (this.ended) return;
    this.ended = true;
    this.#thoughts.end();
    this.#settleEnding();
    if (this.#failure !== undefined) return;
    const isCut = this.#finish === "length";
    this.#add(this.#beginning.end(isCut) ?? []);
    // An empty answer is free. A thinking model may use up its limit on
    // thoughts.
    if (!this.#hasText) {
      if (isCut) this.#fail(NO_ANSWER_YET, "the limit was used up before any text", "no text");
      else this.#fail(NO_ANSWER, "no visible text", "no text");
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

  /**
   * A thought ended that nothing opened: the text before it was the
   * thought.
   */
  #discard(): void {
    this.#repetition.restart();
    this.#beginning.discard();
    this.#isSpoken = false;
    if (this.#isShown) {
      this.#beginning.remember();
      this.#fail(SHOWN, "a thought without an opening mark was shown", "");
    }
    this.#pieces = [];
    this.#half = "";
    this.#hasText = false;
  }

  /**
   * Cuts and joins tokens, so that no piece is long or holds half a
   * character.
   */
  #add(texts: readonly string[]): void {
    for (const added of texts) this.#addText(added);
  }

  #addText(added: string): void {
    const text = this.#half + added;
    this.#half = endsInHalf(text) ? text.slice(-1) : "";
    const whole = text.slice(0, text.length - this.#half.length);
    for (const piece of pieces(whole, PIECE_LENGTH_MAX)) this.#pieces.push(piece.toWellFormed());
    this.#hasText ||= isVisible(text);
  }

  #fail(failure: string, diagnosis: string, detail: string): void {
    this.#note(failure, diagnosis, detail);
    this.ended = true;
  }

  /** As `#fail`, but the rest of the text is still read. */
  #note(failure: string, diagnosis: string, detail: string): void {
    this.#failure ??= { failure, detail, diagnosis };
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
  failed: [FAILED, "the stream reports that the model failed"],
  unreadable: [UNREADABLE, "an unknown object"],
  tool: [TOOL, "the model called a tool"],
  refused: [FILTERED, "the model refused"],
} as const;
