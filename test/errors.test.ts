// The log may say where an error came from, but never its message.

import { afterEach, describe, expect, it, vi } from "vitest";
import { traceOf } from "../src/errors.ts";
import { newUser } from "./harness.ts";

/** A question that looks like stack frames. */
const QUESTION = [
  "What does the secret plan say?",
  "    at secret (file:///secret/plan.ts:1:1)",
  "    at async plan.secret (plan.ts:22:3)",
  "    at https://secret.example/plan.js:3:4",
].join("\n");

class UpstreamError extends Error {
  override readonly name = "UpstreamError";
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a trace", () => {
  it.each<[string, () => unknown]>([
    ["an error", () => new Error(QUESTION)],
    ["a TypeError", () => new TypeError(QUESTION)],
    ["an error of another class", () => new UpstreamError(QUESTION)],
    ["an error with a cause", () => new Error("x", { cause: new Error(QUESTION) })],
    [
      "an error whose message was changed",
      () => Object.assign(new Error(QUESTION), { message: "x" }),
    ],
    ["an error whose name is a question", () => Object.assign(new Error("x"), { name: QUESTION })],
    [
      "an error whose stack is a question",
      () => Object.assign(new Error("x"), { stack: QUESTION }),
    ],
    ["an AggregateError", () => new AggregateError([new Error(QUESTION)], QUESTION)],
    ["an error of a parser", () => thrownBy(() => JSON.parse(QUESTION))],
    ["a DOMException", () => new DOMException(QUESTION, "AbortError")],
    ["a string", () => QUESTION],
  ])("of %s has no word of its message", (_, thrown) => {
    expect(traceOf(thrown())).not.toMatch(/secret|plan/);
  });

  it("has the frames of where the error was made", () => {
    expect(traceOf(new TypeError(QUESTION))).toMatch(/^TypeError\n\s+at .*errors\.test\.ts:\d+/);
    expect(traceOf(new Error(""))).toMatch(/^Error\n\s+at .*errors\.test\.ts:\d+/);
  });
});

describe("the log line of a failure", () => {
  it("has no word of a question that a model repeats in a plain-text 500", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const user = await newUser();
    const directive = `[[model ${JSON.stringify({ refusals: [{ status: 500, body: QUESTION }] })}]]`;
    await (await user.ask(`${QUESTION} ${directive}`)).all();
    expect(log.mock.calls.join("\n")).toMatch(/failed: GENERATION_FAILED: .*HTTP 500/);
    expect(log.mock.calls.join("\n")).not.toMatch(/secret|plan\b/);
  });

  it.each<[string, unknown]>([
    ["a TypeError", new TypeError(QUESTION)],
    ["an error with a cause", new Error(QUESTION, { cause: new TypeError(QUESTION) })],
    ["a string", QUESTION],
  ])("has no word of a question that fetch throws as %s", async (_, thrown) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(globalThis, "fetch").mockRejectedValue(thrown);
    const user = await newUser();
    await (await user.ask(QUESTION)).all();
    expect(log.mock.calls.join("\n")).toMatch(/failed: GENERATION_FAILED/);
    expect(log.mock.calls.join("\n")).not.toMatch(/secret|plan\b/);
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    return call();
  } catch (thrown) {
    return thrown;
  }
}
