// Which sentences of a source an answer quotes, what it suggests to ask next, and the
// language of a text.

import { expect, it } from "vitest";
import type { Source } from "../../src/protocol.ts";
import { languageOf } from "../../src/web/language.ts";
import { quotedParts, wordsOf } from "../../src/web/quote.ts";
import { relatedQuestions } from "../../src/web/related.ts";

const quoted = (text: string, ...claims: string[]) =>
  quotedParts(text, claims.map(wordsOf))
    .filter((part) => part.quoted)
    .map((part) => part.text.trim());

const TEXT = "A refund takes a day. The quota renews at midnight in UTC. Ask us by mail.";

it("marks the sentence that an answer quotes, and no other", () => {
  expect(quoted(TEXT, "The quota renews at midnight in UTC.")).toEqual([
    "The quota renews at midnight in UTC.",
  ]);
  // Two claims, and sentences beside each other.
  expect(quoted(TEXT, "The quota renews at midnight, UTC.", "A refund takes a day")).toEqual([
    "A refund takes a day. The quota renews at midnight in UTC.",
  ]);
  expect(quoted(TEXT, "Your quota comes back every night.")).toEqual([]);
  expect(quoted(TEXT)).toEqual([]);
  expect(quoted("Yes. No.", "Yes. No.")).toEqual([]);
});

it("marks sentences of scripts without spaces", () => {
  const text = "配额每天午夜更新。退款需要一天。";
  expect(quoted(text, "退款需要一天")).toEqual(["退款需要一天。"]);
});

it("loses no character", () => {
  for (const text of [TEXT, "", " a\n\n b ", "One… two?\n\tThree! 四。"]) {
    expect(
      quotedParts(text, [wordsOf(TEXT)])
        .map((part) => part.text)
        .join(""),
    ).toBe(text);
  }
});

it("suggests headings that are questions: others than the one asked, each once, three", () => {
  const source = (n: number, ...heading: string[]) => ({ n, heading }) as unknown as Source;
  const headings = [
    "How do I pay?",
    "Paying",
    "how do I  PAY?!",
    "When?",
    "Why?",
    "Who?",
    "いつですか？",
  ];
  const sources = headings.map((heading, n) => source(n, "Money", heading));
  expect(relatedQuestions(sources, "How do I pay")).toEqual(["When?", "Why?", "Who?"]);
  expect(relatedQuestions(sources.slice(-1), "x")).toEqual(["いつですか？"]);
  expect(relatedQuestions([source(1), source(2, "No question")], "x")).toEqual([]);
  const cited = { ...source(1, "Cited?"), cited: true };
  expect(relatedQuestions([cited, source(2, "Not cited?")], "x")).toEqual(["Not cited?"]);
});

it.each([
  ["What is it?", "en", undefined],
  ["What is it?", "de", undefined],
  ["What is it?", "ja", "en"],
  ["何ですか", "en", "ja"],
  ["東京 wa どこ", "en", "ja"],
  ["配额", "en", "zh"],
  ["配额", "zh-Hans", undefined],
  ["1, 2: متى", "en", "ar"],
  ["The word 配额 is Chinese", "en", undefined],
  ["42", "ja", undefined],
])("%j on a page of %s is %s", (text, page, lang) => {
  expect(languageOf(text, page)).toBe(lang);
});
