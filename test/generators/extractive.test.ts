import { describe, expect, it } from "vitest";
import type { Passage } from "../../src/answer/retriever.ts";
import { ExtractiveGenerator } from "../../src/generators/extractive.ts";
import type { Finish } from "../../src/protocol.ts";

const passage = (text: string, score = 0.8, documentId = "d"): Passage => ({
  id: `${documentId}#1`,
  documentId,
  title: "T",
  heading: [],
  url: null,
  text,
  score,
});

interface Options {
  tokensPerSecond?: number;
  maxTokens?: number;
  signal?: AbortSignal;
}

async function generate(query: string, passages: Passage[], options: Options = {}) {
  const { tokensPerSecond = 0, maxTokens = 1024, signal = new AbortController().signal } = options;
  const answer = new ExtractiveGenerator({ tokensPerSecond }).generate(
    {
      ...{ query, search: { text: query, asked: query }, passages, maxTokens },
      ...{ history: [], messages: [], temperature: undefined },
    },
    signal,
  );
  const tokens: string[] = [];
  for (;;) {
    const step = await answer.next();
    if (step.done) return { tokens, text: tokens.join(""), finish: step.value satisfies Finish };
    tokens.push(step.value);
  }
}

const quota = "The weather was fine. Every user has a quota of twenty answers a day.\nBirds sang.";

describe("an answer", () => {
  it("quotes the sentence that matches and cites its passage", async () => {
    const other = passage("A row holds two megabytes.", 0.3, "e");
    const { text, finish } = await generate("How large is the quota of a user?", [
      other,
      passage(quota),
    ]);
    expect(text).toBe("Every user has a quota of twenty answers a day. [2]");
    expect(finish).toBe("stop");
  });

  it("quotes the sentence after the best, in the same paragraph", async () => {
    const tokens =
      "A bearer token is needed. To get one, run a command. It expires.\n\nBirds sang.";
    const { text } = await generate("How do I get a bearer token?", [passage(tokens)]);
    expect(text).toBe("A bearer token is needed. To get one, run a command. [1]");
  });

  it("joins neighbours, in the order of the passages", async () => {
    const first = passage("The quota is per day. The quota is twenty. Nothing else.", 0.8);
    const second = passage("A user without quota waits.", 0.8, "e");
    const { text } = await generate("What is the quota?", [first, second]);
    expect(text).toBe(
      "The quota is per day. The quota is twenty. [1]\n\nA user without quota waits. [2]",
    );
  });

  it("quotes code only if all is code", async () => {
    const json = 'data: {"type":"done","quota":3,"finish":"stop","sources":[{"n":1}]}';
    const shell = 'curl "$URL/quota" -H "Authorization: Bearer $TOKEN" -d "{}"';
    const { text } = await generate("What is the quota?", [
      passage(`The quota is twenty.\n${json}\n${shell}`),
    ]);
    expect(text).toBe("The quota is twenty. [1]");
    expect((await generate("What is the quota?", [passage(json)])).text).toContain("quota");
  });

  it("quotes a sentence of two passages once", async () => {
    const { text } = await generate("quota", [
      passage("The quota is twenty."),
      passage("The quota is twenty."),
    ]);
    expect(text).toBe("The quota is twenty. [1]");
  });

  it("never takes a quoted mark for a citation", async () => {
    const { text } = await generate("quota", [
      passage("The quota is twenty.[1] Quota a[0] and b[7]."),
    ]);
    expect(text.match(/\[\d+\]/g)).toEqual(["[0]", "[7]", "[1]"]);
  });

  it("says that nothing was found, in the language of the question", async () => {
    // The mark comes first.
    const nothing = "[0]I found nothing about that in the indexed documents.";
    expect((await generate("What is a zebra?", [])).text).toBe(nothing);
    expect((await generate("What is a zebra?", [passage(quota, 0.2)])).text).toBe(nothing);
    expect((await generate("斑马是什么？", [])).text).toMatch(/没有找到/);
    expect((await generate("シマウマとは何ですか", [])).text).toMatch(/見つかりません/);
  });

  it("asks less coverage of Chinese, which has more terms", async () => {
    const { text } = await generate("每天的配额是多少？", [
      passage("天气很好。每天的配额是二十次。", 0.43),
    ]);
    expect(text).toBe("每天的配额是二十次。[1]");
  });
});

describe("the tokens of an answer", () => {
  it("are words with the space after them", async () => {
    const { tokens } = await generate("quota", [passage("The quota is twenty.")]);
    expect(tokens).toEqual(["The ", "quota ", "is ", "twenty. ", "[1]"]);
  });

  it("are one or two characters in scripts without spaces, and whole citations", async () => {
    const { tokens } = await generate("配额", [passage("每天的配额是二十次。")]);
    expect(tokens).toEqual(["每天", "的配", "额是", "二十", "次。", "[1]"]);
  });

  it("are cut at maxTokens", async () => {
    const cut = await generate("quota", [passage("The quota is twenty.")], { maxTokens: 2 });
    expect(cut).toMatchObject({ text: "The quota ", finish: "length" });
    const whole = await generate("quota", [passage("The quota is twenty.")], { maxTokens: 5 });
    expect(whole.finish).toBe("stop");
  });

  it("come at the given pace", async () => {
    const startedAt = Date.now();
    await generate("quota", [passage("The quota is twenty.")], { tokensPerSecond: 50 });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(75);
  });

  it("stop as soon as the signal aborts, with its reason", async () => {
    const left = new AbortController();
    const startedAt = Date.now();
    const answer = generate("quota", [passage("The quota is twenty.")], {
      tokensPerSecond: 0.01,
      signal: left.signal,
    });
    setTimeout(() => left.abort(new Error("no listener")), 20);
    await expect(answer).rejects.toThrow("no listener");
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    await expect(
      generate("quota", [], { signal: AbortSignal.abort(new Error("gone")) }),
    ).rejects.toThrow("gone");
  });
});
