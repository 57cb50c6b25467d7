// What a test tells the scripted model server, and what the server tells of it afterwards. Imports
// nothing, so that tests inside workerd share it with the server outside.
//
// A directive is `[[model {JSON}]]`, anywhere in the last user message. Without one, the model gives
// ANSWER at once and ends properly.

export interface Directive {
  /** The name under which the request is recorded. */
  tag?: string;
  /** The tokens themselves, or how many to make up. */
  tokens?: number | string[];
  /** Tokens, and the text of errors, are repeated until they are this many characters long. */
  tokenLength?: number;
  /** Silence before the headers, before the first token, between tokens, after the last one. */
  headersMs?: number;
  firstMs?: number;
  gapMs?: number;
  endMs?: number;

  /** Goes wrong after `at` tokens (0: after the headers, before the first token). */
  fault?: Fault;
  at?: number;
  /** Any but 200 is an error answer, whose body holds CANARY and repeats the key; or it hangs. */
  status?: number;
  contentType?: string;
  ignoreMaxTokens?: boolean;

  /** `reasoning_content` deltas before the first token. */
  reasoning?: number;
  finish?: string;
  /** What follows the last token, in order. */
  ending?: Ending[];

  /** Comments, other fields, fields without a space, members nobody knows, and a byte order mark. */
  noise?: boolean;
  lineEnd?: "\n" | "\r\n" | "\r";
  /** Each write holds so many frames, whole. */
  framesPerWrite?: number;
  /** Each write holds so many bytes, wherever that cuts. */
  bytesPerWrite?: number;

  /** The whole body, exactly: nothing above is sent but the headers. It ends properly after the last. */
  frames?: Frame[];
  /** Each request is refused that has what one of these names; the first that fits counts. */
  refusals?: Refusal[];
  /** How often a request of this tag finds its connection closed, after `resetAfter` and nothing else. */
  resets?: number;
  resetAfter?: string;
}

export type Frame =
  /** Sent as it is. */
  | string
  | { waitMs: number }
  | { bytes: number[] }
  /** `count` characters of a text that repeats, in pieces of an answer of `length` characters, or of one. */
  | { characters: string; count: number; length?: number }
  /** The same again and again. */
  | { text: string; times: number; gapMs?: number }
  | "cut!"
  | "hang!";

export interface Refusal {
  /** A member of the request, or `system` for a message of that role; left out, every request. */
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
  /** The body ends properly, with no end marker. */
  | "end"
  /** A frame says that something failed; the end markers follow as if nothing had. */
  | "error"
  /** A frame is not JSON, and the rest follows as if nothing had happened. */
  | "garbage"
  | "html"
  /** One JSON object instead of a stream. */
  | "json"
  /** The same, broken off in the middle. */
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
  /** The same, and the body ends in the middle of its line. */
  | "unfinished-done"
  /** Another token, and bytes that mean nothing. */
  | "more"
  | "hang"
  | "cut";

/** One request, and what became of it. Times are in milliseconds since the epoch. */
export interface ModelRequest {
  tag: string;
  path: string;
  model: unknown;
  authorization: string | undefined;
  messageCount: number;
  roles: unknown[];
  /** The body but for its messages. */
  options: Record<string, unknown>;
  startedAt: number;
  tokensSent: number;
  /** Just before the first token went out; null while none has. */
  firstTokenAt: number | null;
  /** `aborted`: its client went away before the answer was out. */
  state: "streaming" | "completed" | "aborted";
  endedAt: number | null;
}

/** Stands in every error that the server gives: no client of ours may ever see it. */
export const CANARY = "canary-of-the-model-server";

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

/** A question that makes the model do what the directive says. */
export function scripted(directive: Directive, question = "What is the quota?"): string {
  return `${question} [[model ${JSON.stringify(directive)}]]`;
}

export function parseDirective(question: string): Directive {
  const json = /\[\[model (\{.*?\})\]\]/s.exec(question)?.[1];
  return json === undefined ? {} : (JSON.parse(json) as Directive);
}
