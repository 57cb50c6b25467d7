// What needs no search: greetings, thanks, questions about the service itself.

import { describe, expect, it } from "vitest";
import { isSmallTalk, smallTalk } from "../../src/answer/small-talk.ts";
import type { Ask } from "../../src/protocol.ts";
import { answer } from "../support/answer.ts";
import { Progress } from "../support/progress.ts";

const TURNS = [
  { role: "user", content: "How do I prune a rose?" },
  { role: "assistant", content: "In March." },
] as const;

describe("small talk", () => {
  it.each([
    ...["hello", "Hi!", "hey there", "Good morning, team!", "thanks!", "Thank you so much :)"],
    ...["what is this?", "What's this", "Who are you?", "what can you do?", "ok", "bye", "???"],
    ...[
      "你好",
      "您好！",
      "谢谢",
      "这是什么？",
      "你是谁",
      "こんにちは",
      "ありがとうございます",
      "これは何ですか",
    ],
    ...["hola", "¡Gracias!", "Bonjour", "merci beaucoup", "Guten Tag", "danke", "Was ist das?"],
    ...["привет", "спасибо", "Кто ты?", "안녕하세요", "감사합니다", "merhaba", "xin chào", "مرحبا"],
  ])("is %s", (query) => {
    expect(isSmallTalk(query, [])).toBe(true);
  });

  it.each([
    ...["hello world example in C", "thank you page", "if else", "What is a rose?", "test", "rose"],
    ...[
      "How to get it",
      "What it will not do",
      "What is it made of?",
      "help command",
      "yes or no?",
    ],
    ...[
      "Hi, how do I prune a rose?",
      "How does this work with roses?",
      "你好，怎么修剪玫瑰？",
      "玫瑰",
    ],
    ...["What is this rose?", "¿Cuándo podo las rosas? ¡Gracias!", "バラとは何ですか", "404", "x"],
  ])("is not %s", (query) => {
    expect(isSmallTalk(query, [])).toBe(false);
  });

  it("is thanks after an answer, but not a question about that answer", () => {
    expect(isSmallTalk("Thanks!", TURNS)).toBe(true);
    expect(isSmallTalk("what is this?", TURNS)).toBe(false);
  });

  it.each([
    ...["안녕하세요", "สวัสดีครับ", "привет", "здравствуйте", "γεια σας", "مرحبا", "שלום"],
    ...["नमस्ते", "こんにちは", "你好"],
  ])("is answered in the script of %s", (query) => {
    const [letter = ""] = query;
    expect(smallTalk(query)).toContain(smallTalk(letter));
    expect(smallTalk(query)).not.toMatch(/indexed documents/);
  });

  it("is answered without a search or a model, and marked as nothing found", async () => {
    const ask = { query: "Hello!", history: [], topK: 5, maxTokens: 100 } as unknown as Ask;
    const unused = () => {
      throw new Error("unused");
    };
    const progress = new Progress();
    const adapters = {
      ...{ retriever: { retrieve: unused }, generator: { generate: unused } },
      rewriter: undefined,
    };
    await answer(ask, adapters, progress, AbortSignal.timeout(1_000));
    expect(progress).toMatchObject({ sources: [], foundNothing: true });
    expect(progress.tokens).toEqual([expect.stringContaining("Ask a question")]);
  });
});
