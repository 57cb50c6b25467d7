// What a test tells the scripted model server, and what the server records.
// Imports nothing, so that tests inside workerd can share it.
//
// A directive is `[[model {JSON}]]`, anywhere in the last user message.
// Without one, the model sends ANSWER at once and ends properly.

export interface Directive {
  /** The name under which the request is recorded. */
  tag?: string;
  /** The tokens themselves, or how many to make up. */
  tokens?: number | string[];
  /** Tokens, and error texts, are repeated up to this many characters. */
  tokenLength?: number;
  /** Silence before the headers, the first token, each next token, the end. */
  headersMs?: number;
  firstMs?: number;
  gapMs?: number;
  endMs?: number;
  /**
   * Silence after this many tokens, until the test calls `release`:
   * however slow the machine is, what comes before it has happened by then.
   */
  holdAt?: number;

  /** Fails after `at` tokens; 0 is after the headers, before any token. */
  fault?: Fault;
  at?: number;
  /**
   * Any other than 200 is an error whose body holds CANARY and the key.
   * With the fault "hang", that body never ends.
   */
  status?: number;
  contentType?: string;
  ignoreMaxTokens?: boolean;

  /** `reasoning_content` deltas before the first token. */
  reasoning?: number;
  finish?: string;
  /** Of an answer in one JSON object. Without it, its tokens are counted. */
  usage?: Record<string, unknown>;
  /** What follows the last token, in order. */
  ending?: Ending[];

  /** Adds comments, unknown fields and members, and a byte order mark. */
  noise?: boolean;
  lineEnd?: "\n" | "\r\n" | "\r";
  /** How many whole frames each write holds. */
  framesPerWrite?: number;
  /** How many bytes each write holds, wherever that cuts. */
  bytesPerWrite?: number;

  /**
   * The whole body, exactly. Everything above except the headers is ignored.
   * The body ends properly after the last frame.
   */
  frames?: Frame[];
  /** A request that has the named member is refused; the first match counts. */
  refusals?: Refusal[];
  /**
   * How often a request of this tag finds its connection closed.
   * `resetAfter` is sent before; nothing else is.
   */
  resets?: number;
  resetAfter?: string;
}

export type Frame =
  /** Sent unchanged. */
  | string
  | { waitMs: number }
  | { bytes: number[] }
  /**
   * `count` characters of a repeated text, `length` of them per piece (or one).
   */
  | { characters: string; count: number; length?: number }
  /** The same text again and again. */
  | { text: string; times: number; gapMs?: number }
  | "cut!"
  | "hang!";

export interface Refusal {
  /**
   * A member of the request, or `system` for a system message.
   * Without it, every request is refused.
   */
  has?: string;
  status?: number;
  body: string;
}

/** A frame with a piece of an answer, as OpenAI sends it. */
export function piece(content: unknown, finish_reason: string | null = null): string {
  return frame({ choices: [{ index: 0, delta: { content }, finish_reason }] });
}

export function frame(data: unknown): string {
  return `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
}

export const DONE = "data: [DONE]\n\n";

export type Fault =
  | "hang-before-headers"
  /** Silent for ever. */
  | "hang"
  /** The socket is destroyed. */
  | "cut"
  /** The body ends properly, but without an end marker. */
  | "end"
  /** A frame reports an error; the usual end markers follow. */
  | "error"
  /** A frame is not JSON; the rest follows as usual. */
  | "garbage"
  | "html"
  /** One JSON object instead of a stream. */
  | "json"
  /** The same, cut in half. */
  | "half-json"
  /** To this server, under another host name. */
  | "redirect"
  | "empty"
  | "endless";

export type Ending =
  /** A frame with the finish reason. */
  | "finish"
  /** A frame with figures and `choices: []`. */
  | "usage"
  /** `data: [DONE]`. */
  | "done"
  /** The same, but the body ends before the line does. */
  | "unfinished-done"
  /** Another token, and meaningless bytes. */
  | "more"
  | "hang"
  | "cut";

/** One request and its outcome. Times are in ms since the epoch. */
export interface ModelRequest {
  tag: string;
  path: string;
  model: unknown;
  authorization: string | undefined;
  traceparent: string | undefined;
  messageCount: number;
  roles: unknown[];
  messages: { role?: unknown; content?: unknown }[];
  /** The body without its messages. */
  options: Record<string, unknown>;
  startedAt: number;
  tokensSent: number;
  /** Just before the first token was sent; null before that. */
  firstTokenAt: number | null;
  /** `aborted`: the client disconnected before the answer was sent. */
  state: "streaming" | "completed" | "aborted";
  endedAt: number | null;
  /** Set by `release`. */
  released?: true;
}

/** Ends the silence of `holdAt` in the requests so far with this tag. */
export function release(requests: readonly ModelRequest[], tag: string): void {
  for (const request of requests) if (request.tag === tag) request.released = true;
}

/** Part of every error of this server. No client of ours may ever see it. */
export const CANARY = "canary-of-the-model-server";

/** A million bytes that JSON makes six million: no kernel has room for them. */
export const HUGE = {
  tokens: Array.from({ length: 125 }, (_, n) => (n === 0 ? "w" : "\u0000")),
  tokenLength: 8_000,
};

export const ANSWER = [
  "Belay ",
  "charges ",
  "a ",
  "user's ",
  "quota ",
  "only ",
  "for ",
  "answers ",
  "that ",
  "arrive ",
  "whole ",
  "[1].",
];

/** A question that makes the model follow the directive. */
export function scripted(directive: Directive, question = "What is the quota?"): string {
  return `${question} [[model ${JSON.stringify(directive)}]]`;
}

export function parseDirective(question: string): Directive {
  const json = /\[\[model (\{.*?\})\]\]/s.exec(question)?.[1];
  return json === undefined ? {} : (JSON.parse(json) as Directive);
}
