// The model behind every run of a history: a fetch that answers when the history says so, and records
// who was asked for what and what became of it. It stands in for the network and for nothing else:
// the generator that calls it is the real one.

import { vi } from "vitest";

/** How a model may fail; each must end as an error, whatever was said before. */
export const FAILURES = ["cut", "end", "error", "garbage", "status", "empty"] as const;
export type Failure = (typeof FAILURES)[number];

/** How a model may say that its answer is whole: not all of them say everything. */
export const FINISHES = ["all", "reason", "marker", "length"] as const;
export type Finishing = (typeof FINISHES)[number];

const encoder = new TextEncoder();

/** One request to the model. What drives it must run inside the object that called: streams are bound to it. */
export class Call {
  readonly user: string;
  readonly question: string;
  readonly tokens: string[] = [];
  /** The query that it was made for. */
  queryId = "";
  state: "open" | "finished" | "failed" | "aborted" = "open";
  readonly #serial: number;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly #response = Promise.withResolvers<Response>();

  constructor(serial: number, user: string, question: string, signal: AbortSignal) {
    this.#serial = serial;
    this.user = user;
    this.question = question;
    signal.addEventListener("abort", () => {
      if (this.state === "open") this.state = "aborted";
      this.#response.reject(signal.reason);
      try {
        this.#body?.error(signal.reason);
      } catch {
        // Closed already: it was aborted behind its end.
      }
    });
  }

  get response(): Promise<Response> {
    return this.#response.promise;
  }

  /** The answer so far. No two calls say the same, so that whoever mixes them up is seen. */
  get text(): string {
    return this.tokens.join("");
  }

  say(): void {
    this.tokens.push(`answer ${this.#serial}, token ${this.tokens.length}; `);
    this.#chunk({ delta: { content: this.tokens.at(-1) } });
  }

  finish(how: Finishing): void {
    this.say();
    this.state = "finished";
    if (how !== "marker") {
      this.#chunk({ delta: {}, finish_reason: how === "length" ? "length" : "stop" });
    }
    if (how !== "reason") this.#write("data: [DONE]\n\n");
    this.#close();
  }

  fail(how: Failure): void {
    this.state = "failed";
    // Once it has begun, a status is out, and there is some text.
    const failure = this.tokens.length > 0 && (how === "status" || how === "empty") ? "cut" : how;
    switch (failure) {
      case "cut":
        this.#begin().error(new Error("The connection was reset."));
        return;
      case "end":
        break;
      case "error":
        this.#write('data: {"error":{"message":"overloaded"}}\n\ndata: [DONE]\n\n');
        break;
      case "garbage":
        this.#write('data: {"choices":[{"delta":{"cont\n\ndata: [DONE]\n\n');
        break;
      case "status":
        this.#response.resolve(new Response("overloaded", { status: 503 }));
        return;
      case "empty":
        this.#write("data: [DONE]\n\n");
        break;
    }
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

/** All calls of all users, oldest first, and who wants to look when one is made. */
export class Upstream {
  readonly calls: Call[] = [];
  /** Called inside the object, before the call is answered. */
  onCall: (call: Call) => void = () => {};

  /** From now on, every fetch of the isolate comes here. */
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

  /** The address that makes a user's generator call here. */
  static url(user: string): string {
    return `http://model.test/${user}/v1`;
  }
}
