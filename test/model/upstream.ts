// The model of every run in a history: a fetch that answers when told,
// and records each request and its outcome.
// It replaces only the network; the generator is the real one.

import { vi } from "vitest";

/**
 * How a model may fail; each must end as an error, whatever came before.
 * Those that most resemble a proper end are listed repeatedly.
 */
export const FAILURES = [
  ...["cut", "end", "error", "garbage", "status", "empty"],
  ...["error line", "error object", "unknown part", "unknown reason", "filter", "tool"],
  ...["bytes", "thought", "blank", "early reason"],
  ...["unknown reason", "unknown reason", "unknown part", "thought"],
] as const;
export type Failure = (typeof FAILURES)[number];

/** How a model may show a whole answer; not all show everything. */
export const FINISHES = [
  ...["all", "reason", "marker", "length"],
  ...["early reason", "parts", "repeated", "other words", "end token"],
] as const;
export type Finishing = (typeof FINISHES)[number];

/** Never part of an answer. */
const THOUGHT = "Hidden thought [1]. ";
const REASONS = { "unknown reason": "pause_turn", filter: "SAFETY", tool: "tool_calls" };

const encoder = new TextEncoder();

/** Whether the answer says only that nothing was found. */
export function isAboutNothing(question: string): boolean {
  return question.includes("about nothing");
}

/**
 * One request to the model. Its methods must run inside the calling object:
 * streams are bound to it.
 */
export class Call {
  readonly user: string;
  readonly question: string;
  readonly tokens: string[] = [];
  /** The query it was made for. */
  queryId = "";
  state: "open" | "finished" | "failed" | "aborted" = "open";
  readonly #serial: number;
  readonly #mark: "[0] " | "";
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly #response = Promise.withResolvers<Response>();

  constructor(serial: number, user: string, question: string, signal: AbortSignal) {
    this.#serial = serial;
    this.user = user;
    this.question = question;
    this.#mark = isAboutNothing(question) ? "[0] " : "";
    signal.addEventListener("abort", () => {
      if (this.state === "open") this.state = "aborted";
      this.#response.reject(signal.reason);
      try {
        this.#body?.error(signal.reason);
      } catch {
        // Already closed: aborted after its end.
      }
    });
  }

  get response(): Promise<Response> {
    return this.#response.promise;
  }

  /** The answer so far. Calls never share text, so mix-ups show. */
  get text(): string {
    return this.tokens.join("");
  }

  /** A token, before or after a thought that no user may see. */
  say(): void {
    const text = this.#next();
    switch (this.tokens.length % 4) {
      case 1:
        this.#chunk({ delta: { reasoning_content: THOUGHT } });
        this.#chunk({ delta: { content: text } });
        break;
      case 2:
        this.#chunk({ delta: { content: `<think>${THOUGHT}` } });
        this.#chunk({ delta: { content: `${THOUGHT}</think>${text}` } });
        break;
      default:
        this.#chunk({ delta: { content: text } });
    }
  }

  /** The next token as it is sent: the first one may say that nothing was found. */
  #next(): string {
    const token = `answer ${this.#serial}, token ${this.tokens.length}; `;
    this.tokens.push(token);
    return this.tokens.length === 1 ? this.#mark + token : token;
  }

  finish(how: Finishing): void {
    this.state = "finished";
    switch (how) {
      case "early reason":
        this.#chunk({ delta: { content: this.#next() }, finish_reason: "stop" });
        this.#chunk({ delta: { content: this.#next() }, finish_reason: "null" });
        break;
      case "parts":
        this.#chunk({
          delta: {
            content: [
              { type: "thinking", thinking: [{ type: "text", text: THOUGHT }] },
              { type: "text", text: this.#next() },
            ],
          },
        });
        break;
      default:
        this.say();
    }
    if (how === "end token") this.#chunk({ delta: { content: "<|im_end|>" } });
    if (how === "repeated") this.#chunk({ message: { content: this.#mark + this.text } });
    if (how !== "marker") {
      const others: Partial<Record<Finishing, string>> = {
        length: "MAX_TOKENS",
        "other words": "end_turn",
      };
      this.#chunk({ delta: {}, finish_reason: others[how] ?? "stop" });
    }
    if (how !== "reason") this.#write("data: [DONE]\n\n");
    this.#close();
  }

  fail(how: Failure): void {
    this.state = "failed";
    // After some text the status is already sent.
    const failure = this.tokens.length > 0 && (how === "status" || how === "empty") ? "cut" : how;
    switch (failure) {
      case "cut":
        this.#begin().error(new Error("The connection was reset."));
        return;
      case "end":
        break;
      case "error":
        this.#write('data: {"error":{"message":"overloaded"}}\n\n');
        break;
      case "garbage":
        this.#write('data: {"choices":[{"delta":{"cont\n\n');
        break;
      case "status":
        this.#response.resolve(new Response("overloaded", { status: 503 }));
        return;
      case "empty":
        break;
      case "error line":
        this.#write('error: {"code":500}\n\n');
        break;
      case "error object":
        this.#write('data: {"object":"error","message":"overloaded","code":500}\n\n');
        break;
      case "unknown part":
        this.#chunk({ delta: { content: [{ type: "video", video: "NEVER" }] } });
        this.say();
        break;
      case "unknown reason":
      case "filter":
      case "tool":
        this.say();
        this.#chunk({ delta: {}, finish_reason: REASONS[failure] });
        break;
      case "bytes":
        this.#begin().enqueue(Uint8Array.of(0xff, 0xfe));
        break;
      case "thought":
        this.say();
        this.#chunk({ delta: { content: `<think>${THOUGHT}` } });
        break;
      case "blank":
        this.#chunk({
          delta: { content: this.tokens.length > 0 ? "<|im_end|>NEVER" : "\u200b\u0000 " },
        });
        break;
      case "early reason":
        this.#chunk({ delta: { content: this.#next() }, finish_reason: "stop" });
        this.#begin().error(new Error("The connection was reset."));
        return;
    }
    if (failure !== "end") this.#write("data: [DONE]\n\n");
    this.#close();
  }

  #chunk(choice: Record<string, unknown>): void {
    this.#write(`data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`);
  }

  #write(text: string): void {
    this.#begin().enqueue(encoder.encode(text));
  }

  #close(): void {
    this.#begin().close();
  }

  #begin(): ReadableStreamDefaultController<Uint8Array> {
    if (this.#body === undefined) {
      const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
        this.#body = controller;
      };
      const body = new ReadableStream({ start });
      this.#response.resolve(
        new Response(body, { headers: { "content-type": "text/event-stream" } }),
      );
    }
    return this.#body as unknown as ReadableStreamDefaultController<Uint8Array>;
  }
}

/** All calls of all users, oldest first. */
export class Upstream {
  readonly calls: Call[] = [];
  /** Called inside the object, before the call is answered. */
  onCall: (call: Call) => void = () => {};

  /** Routes every fetch of the isolate here. */
  install(): void {
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
      const user = new URL(String(input)).pathname.split("/")[1] as string;
      const { messages } = JSON.parse(String(init?.body)) as { messages: { content: string }[] };
      const question = messages.at(-1)?.content.split("Question: ").at(-1) as string;
      const call = new Call(this.calls.length, user, question, init?.signal as AbortSignal);
      this.calls.push(call);
      this.onCall(call);
      return call.response;
    });
  }

  /** The base url that makes a user's generator call here. */
  static url(user: string): string {
    return `http://model.test/${user}/v1`;
  }
}
