// A model's text without its thoughts, however the text is cut.

import { describe, expect, test } from "vitest";
import { Completion } from "../../src/generators/completion.ts";
import { Thoughts } from "../../src/generators/thoughts.ts";
import { DONE, frame, piece } from "../support/directive.ts";

describe("marks are found wherever the text is cut:", () => {
  test.each([
    ["a<think>b</think>c", "ac"],
    ["a<THINK>b</Think>c", "ac"],
    ["a<thinking>b</thinking>c", "ac"],
    ["a<thought>b</thought>c", "ac"],
    ["a<reasoning>b</reasoning>c", "ac"],
    ['a<think a="b" c>d</think >e', "ae"],
    ["a< think >b</ think>c", "ac"],
    ["a<think/>b", "ab"],
    ["a<think>b<think>c</think>d</think>e", "ae"],
    ["a<think>b</thinking>c</think>d", "ad"],
    ["a<think>b`</think>c", "ac"],
    ["a<think>b<|im_end|>c</think>d", "ad"],
    ["[THINK]a[/THINK]b", "b"],
    ["◁think▷a◁/think▷b", "b"],
    ["<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b", "b"],
    ["<|channel|>final <|constrain|>json<|message|>{}<|return|>", "{}"],
    ["<|im_start|>assistant\na<|im_end|>\n", "a"],
    ["<|start_header_id|>assistant<|end_header_id|>\n\na<|eot_id|>", "\n\na"],
    ["a</s>", "a"],
    ["a</s> \n", "a"],
    ["a<s>b</s> c", "a<s>b</s> c"],
    ["a `<think>` b", "a `<think>` b"],
    ["a `` `<think>` `` b", "a `` `<think>` `` b"],
    ["a ` b <think>c</think>d", "a ` b d"],
    ["a `b\n<think>c</think>`d", "a `b\n`d"],
    ["```\n<think>a</think>\n```\nb<think>c</think>", "```\n<think>a</think>\n```\nb"],
    ["- ~~~\n  <think>\n  ~~~\n<think>a</think>b", "- ~~~\n  <think>\n  ~~~\nb"],
    ["a ``` b <think>c</think>d", "a ``` b d"],
    ["The tags <think> and </think> are named.", "The tags <think> and </think> are named."],
    ["<thinking> is a tag", "<thinking> is a tag"],
    ["1 < 2 <b>3</b> [4] [think] <thi", "1 < 2 <b>3</b> [4] [think] <thi"],
    ["a <|other|> b", "a <|other|> b"],
  ])("%j", (text, visible) => {
    for (let at = 0; at <= text.length; at += 1) {
      expect(shown(text.slice(0, at), text.slice(at)), `cut at ${at}`).toBe(visible);
    }
    expect(shown(...text)).toBe(visible);
  });
});

describe("a thought without an opening tag", () => {
  const CLOSE = [piece("</think>"), piece("\n\n20 [1].")];

  test("is dropped if none of it was shown", () => {
    const completion = new Completion();
    completion.feed(piece("Twenty or so. [2]") + CLOSE.join("") + DONE);
    expect(completion.take()).toEqual(["20 [1]."]);
    expect(completion.outcome()).toEqual({ finish: "stop" });
  });

  test.each(["Okay, ", "The user asks ", "We need to ", "so the user ", "好的，", "Hmm"])(
    "is held back until it ends if it begins with %j",
    (words) => {
      const { pieces, outcome } = read("any", piece(words), piece("so. [2]"), ...CLOSE, DONE);
      expect(pieces).toEqual([[], [], [], ["20 [1]."], []]);
      expect(outcome).toEqual({ finish: "stop" });
    },
  );

  test("is held back from a thinking model, however it begins", () => {
    for (const name of ["deepseek-r1:7b", "@cf/qwen/qwq-32b", "Qwen3-30B-A3B-Thinking-2507"]) {
      expect(read(name, piece("Twenty. [2]"), ...CLOSE, DONE).pieces.flat()).toEqual(["20 [1]."]);
    }
  });

  test("fails the answer if it was shown, and the model's next answer is held back", () => {
    const name = crypto.randomUUID();
    const thought = piece("Twenty or so. [2]");
    expect(read(name, thought, ...CLOSE, DONE).outcome).toHaveProperty("failure");
    expect(read(name, thought, ...CLOSE, DONE)).toEqual({
      pieces: [[], [], ["20 [1]."], []],
      outcome: { finish: "stop" },
    });
    // An answer without a thought arrives late, and the ones after it at once.
    expect(read(name, piece("20."), DONE).pieces).toEqual([[], ["20."]]);
    expect(read(name, piece("20."), DONE).pieces).toEqual([["20."], []]);
  });

  test("is no answer if it was cut", () => {
    const cut = frame({ choices: [{ delta: {}, finish_reason: "length" }] });
    const { pieces, outcome } = read("any", piece("Okay, the user "), cut, DONE);
    expect(pieces.flat()).toEqual([]);
    expect(outcome).toMatchObject({ failure: expect.stringContaining("maxTokens") });
  });

  test("differs from an answer with the same beginning only by its end", () => {
    const { pieces, outcome } = read("any", piece("Okay, "), piece("twenty."), DONE);
    expect(pieces).toEqual([[], [], ["Okay, ", "twenty."]]);
    expect(outcome).toEqual({ finish: "stop" });
  });

  test("is plain text if the server sends thoughts apart", () => {
    const apart = frame({ choices: [{ delta: { reasoning_content: "Hm." } }] });
    expect(read("deepseek-r1", apart, piece("Okay, "), DONE).pieces).toEqual([[], ["Okay, "], []]);
  });

  test("delays another answer only until its words differ", () => {
    const words = ["The", " user", " is", " charged", " once"].map((word) => piece(word));
    expect(read("any", ...words, DONE).pieces).toEqual([
      ...[[], [], [], ["The", " user", " is", " charged"], [" once"], []],
    ]);
  });
});

function shown(...parts: string[]): string {
  let text = "";
  const thoughts = new Thoughts({
    onText: (part) => {
      text += part;
    },
    onThought: () => {},
    onUnopened: () => expect.fail("a thought that nothing opened"),
    onFault: (fault) => expect.fail(fault),
  });
  for (const part of parts) thoughts.read(part);
  thoughts.end();
  return text;
}

/** The pieces after each event of a stream. */
function read(name: string, ...events: string[]) {
  const completion = new Completion(1024, { name, address: "https://models.example/v1" });
  const pieces = events.map((event) => {
    completion.feed(event);
    return completion.take();
  });
  completion.end();
  expect(completion.take()).toEqual([]);
  return { pieces, outcome: completion.outcome() };
}
