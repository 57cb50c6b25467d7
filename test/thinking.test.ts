// A thinking model is alive: everything it sends is a sign of life.
// The time to its first word has a limit of its own,
// and the answer's time begins with that word.

import { describe, expect, it } from "vitest";
import { newUser, upstreamEnded } from "./harness.ts";
import { DONE, type Frame, frame, piece } from "./support/directive.ts";

const reason = frame({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
const END = [reason, DONE];
const delta = (members: object) => frame({ choices: [{ index: 0, delta: members }] });
/** Longer than an allowed silence here, which a busy machine must not reach. */
const lasting = (text: string): Frame => ({ text, times: 30, gapMs: 50 });
const SHORT = { FIRST_TOKEN_TIMEOUT_MS: "1200", TOKEN_GAP_TIMEOUT_MS: "1200" };

// Each waits for its model.
describe.concurrent("before the first word", () => {
  it.each<[string, Frame[]]>([
    ["`reasoning_content`", [lasting(delta({ reasoning_content: "Hm. " })), piece("20"), ...END]],
    ["`reasoning`", [lasting(delta({ reasoning: "Hm. " })), piece("20"), ...END]],
    [
      "thoughts between tags",
      [piece("<think>"), lasting(piece("Hm. ")), piece("</think>20"), ...END],
    ],
    ["thoughts that nothing opened", [lasting(piece("Okay. ")), piece("</think>20"), ...END]],
    ["typed parts", [lasting(piece([{ type: "thinking", thinking: [] }])), piece("20"), ...END]],
    ["comments", [lasting(": PROCESSING\n\n"), piece("20"), ...END]],
    ["empty deltas", [lasting(delta({ content: "" })), piece("20"), ...END]],
    ["blanks", [lasting(piece(" ")), piece("20"), ...END]],
  ])("%s are signs of life", async (_, frames) => {
    const user = await newUser(SHORT);
    const stream = await user.ask({ frames });
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done", finish: "stop" });
    expect(stream.answer.trim()).toBe("20");
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
  });

  it.each<[string, Frame[]]>([
    ["thinks", [{ text: delta({ reasoning_content: "Hm. " }), times: 1e6, gapMs: 20 }]],
    ["sends nothing but comments", [{ text: ": alive\n\n", times: 1e6, gapMs: 20 }]],
    ["sends nothing but blanks", [{ text: piece("\u200b \n"), times: 1e6, gapMs: 20 }]],
  ])(
    "a model that %s for too long ends at THINKING_TIMEOUT_MS and costs nothing",
    async (_, frames) => {
      const user = await newUser({ ...SHORT, THINKING_TIMEOUT_MS: "600" });
      const tag = crypto.randomUUID();
      const stream = await user.ask({ tag, frames });
      const last = (await stream.all()).at(-1);
      expect(last).toMatchObject({ type: "error", code: "GENERATION_TIMEOUT", quotaRemaining: 20 });
      expect(await user.receipt(stream.queryId)).toMatchObject({ reason: "failed" });
      await upstreamEnded(tag);
    },
  );

  it("a silence after the first sign of life is still limited", async () => {
    const user = await newUser({ FIRST_TOKEN_TIMEOUT_MS: "200" });
    const stream = await user.ask({ frames: [delta({ reasoning: "Hm." }), "hang!"] });
    expect((await stream.all()).at(-1)).toMatchObject({ code: "GENERATION_TIMEOUT" });
  });

  it("thoughts do not use the answer's time", async () => {
    const user = await newUser({ ...SHORT, GENERATION_TIMEOUT_MS: "3000" });
    // Each is in time, and both together are not. Few gaps: a late timer makes each longer.
    const thoughts = { text: delta({ reasoning: "Hm. " }), times: 4, gapMs: 500 };
    const words = { text: piece("word "), times: 5, gapMs: 400 };
    const stream = await user.ask({ frames: [thoughts, words, ...END] });
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done", finish: "stop" });
    expect(stream.answer).toBe("word ".repeat(5));
  });
});

describe.concurrent("in the middle of an answer", () => {
  it("thoughts are signs of life", async () => {
    const user = await newUser(SHORT);
    const thoughts = [piece("<think>"), lasting(piece("Hm. ")), piece("</think>")];
    const stream = await user.ask({ frames: [piece("It is "), ...thoughts, piece("20"), ...END] });
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done", finish: "stop" });
    expect(stream.answer).toBe("It is 20");
  });

  it("comments alone do not keep a stalled answer alive", async () => {
    const user = await newUser({ ...SHORT, GENERATION_TIMEOUT_MS: "1200" });
    const comments = { text: ": alive\n\n", times: 1e6, gapMs: 20 };
    const stream = await user.ask({ frames: [piece("It is "), comments] });
    expect((await stream.all()).at(-1)).toMatchObject({ code: "GENERATION_TIMEOUT" });
    expect(await user.receipt(stream.queryId)).toMatchObject({ state: "refunded" });
  });
});

describe("maxTokens", () => {
  it.each([1, 2, 3, 5])(
    "is counted in words if a server sends %i characters at a time",
    async (length) => {
      const user = await newUser();
      // 2,520 characters in 480 words, which
      // no tokenizer makes fewer tokens of.
      const characters = "The quota of each user is twenty a day [1]. ";
      const stream = await user.ask(
        { frames: [{ characters, count: 60 * characters.length, length }, ...END] },
        { maxTokens: 600 },
      );
      expect((await stream.all()).at(-1)).toMatchObject({ type: "done", finish: "stop" });
      expect(stream.answer).toBe(characters.repeat(60));
    },
  );

  it.each([
    ["words", "w "],
    ["words cut into characters", "a word "],
    ["Chinese", "额"],
    ["one word without an end", "a"],
    ["signs", "!"],
  ])("limits a model that ignores it and sends %s", async (_, characters) => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const frames = [{ characters, count: 1e7 }];
    const stream = await user.ask({ tag, frames }, { maxTokens: 50 });
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done", finish: "length" });
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
    expect(stream.answer.length).toBeLessThanOrEqual(50 * 16);
    await upstreamEnded(tag);
  });
});
