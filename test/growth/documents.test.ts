// Documents and queries are read in linear time, and the longest
// document in less than half a second: all searches wait for the object
// that reads. A slower machine than ours gets more time.

import { describe, expect, test } from "vitest";
import { searchQuery } from "../../src/answer/search-query.ts";
import { isSmallTalk } from "../../src/answer/small-talk.ts";
import { exampleQuestions } from "../../src/corpus/examples.ts";
import { asksToDestroy, isDestructive } from "../../src/generators/destructive.ts";
import {
  expectsCode,
  expectsList,
  expectsNumber,
  hasNumber,
} from "../../src/generators/expected.ts";
import { markdown } from "../../src/intake/markdown.ts";
import { passages } from "../../src/intake/passages.ts";
import { queryTerms, terms } from "../../src/text/analyzer.ts";
import { clauses } from "../../src/text/clauses.ts";
import { withoutCourtesy } from "../../src/text/courtesy.ts";
import { sentences } from "../../src/text/sentences.ts";
import { snippets } from "../../src/text/snippet.ts";
import { DEAREST, DOCUMENTS, SLOW_TO_READ } from "../support/document-shapes.ts";
import { between, cpuMs, EXPONENT_MAX, growth, repeated, type Shape } from "../support/growth.ts";

const KIB = 1024;
/** CPU time for the longest document. */
const MS_MAX = 500;

/** All work on a document before it is written. */
function readDocument(text: string): void {
  for (const { heading, text: passage } of passages(markdown.read(text).sections)) {
    terms(heading.join(" "));
    terms(passage);
  }
}

/** Numbers them: some of what is read is remembered, so each is another. */
let texts = 0;

/** Reads longer and longer texts of one shape, up to a length. */
async function expectLinear(read: (text: string) => unknown, shape: Shape, to: number) {
  const measured = await growth(
    (length) => {
      const text = shape(length);
      return cpuMs(() => {
        texts += 1;
        read(text + texts);
      });
    },
    { from: to / 4, to, msMax: MS_MAX },
  );
  const told = JSON.stringify(measured);
  expect(measured.exponent, told).toBeLessThan(EXPONENT_MAX);
  expect(measured.ms, told).toBeLessThan(measured.msMax);
}

describe("a document is read in linear time:", () => {
  const slow = [...DEAREST, ...SLOW_TO_READ];
  const others = Object.entries(DOCUMENTS).filter(([name]) => !slow.includes(name));
  test.each(others)("%s", async (_, shape) => {
    await expectLinear(readDocument, shape, 512 * KIB);
  });

  test.each(slow)("%s, of the greatest length", async (name) => {
    await expectLinear(readDocument, DOCUMENTS[name] as Shape, 1024 * KIB);
  });
});

describe("the head of a file is read in linear time:", () => {
  const heads: Readonly<Record<string, Shape>> = {
    ...DOCUMENTS,
    "front matter of titles": between("---\n", "title:\n", "---\n"),
    "front matter of empty lines": between("---\n", "\n", "---\n# a"),
    "fences of TOML": between("+++\na = 1\n", "+++ \n", "b"),
    "a quoted title": between('---\ntitle: "', "\\\\", '"\n---\n'),
    "a comment after a title": between("---\ntitle: a", " #", "\n---\n"),
  };

  test.each([
    "a heading of spaces",
    "a heading of hashes and spaces",
    "front matter of JSON that never closes",
    "front matter that never closes",
    "front matter of titles",
    "front matter of empty lines",
    "fences of TOML",
    "a quoted title",
    "a comment after a title",
    "open headings of HTML",
    "paragraphs of one mark",
  ])("%s", async (name) => {
    await expectLinear(markdown.read, heads[name] as Shape, 512 * KIB);
  });
});

// These get no text longer than a query or a passage, but must not rely on it.
describe("a text is read in linear time:", () => {
  const readers: Readonly<Record<string, (text: string) => unknown>> = {
    "its terms": terms,
    "its terms as a query": queryTerms,
    "its sentences": sentences,
    "its clauses": clauses,
    "it without courtesy": withoutCourtesy,
    "whether it is small talk": (text) => isSmallTalk(text, []),
    "what it and a follow-up search": (text) =>
      searchQuery("And that?", [{ role: "user", content: text }]),
    "what it searches after a turn": (text) =>
      searchQuery(text, [{ role: "user", content: "How much does a licence cost?" }]),
    "whether it destroys": (text) => [isDestructive(text), asksToDestroy(text)],
    "what it expects": (text) =>
      [expectsCode, expectsList, expectsNumber, hasNumber].map((expects) => expects(text)),
    "a snippet of it": (text) => snippets("a day in Bangkok")(text),
    "a snippet for it": (text) => snippets(text)("Some words. And others."),
  };
  const texts: Readonly<Record<string, Shape>> = {
    "one word": repeated("a"),
    "words of one letter": repeated("a b "),
    "sentences of one letter": repeated("a. "),
    "sentences that may go on": repeated(". 1 ("),
    abbreviations: repeated("Dr.    "),
    initials: repeated("A. "),
    "spaces and line ends": repeated("  \n"),
    "quotation marks": repeated('.)" ('),
    "quotation marks before another letter": between("", ")\"'", "字"),
    "words that beg": repeated("please just "),
    "greetings and thanks": repeated("hello thanks sorry "),
    "words that ask": repeated("how many is it "),
    "words that refer": repeated("and it is? "),
    "commands with spaces": repeated(`docker${" ".repeat(900)}`),
    "Chinese without spaces": repeated("今天天气很好"),
    "Thai without spaces": repeated("ไทย"),
    "marks upon marks": repeated("\u0316\u0301"),
    "soft hyphens": repeated("a\u00ad"),
    emoji: repeated("👩‍🚀😀"),
    "characters that become eighteen": repeated("ﷺ"),
  };
  const cases = Object.entries(readers).flatMap(([name, read]) =>
    Object.entries(texts).map(([text, shape]) => ({ name, text, read, shape })),
  );

  test.each(cases)("$name: $text", async ({ read, shape }) => {
    await expectLinear(read, shape, 64 * KIB);
  });
});

describe("examples are found in linear time:", () => {
  const title = (i: number) => `Document ${i}`;
  test.each([
    ["one document", (i: number) => ({ title: "A", heading: [`Heading ${i}?`] })],
    ["many documents", (i: number) => ({ title: title(i), heading: ["Heading"] })],
    ["one of many headings", (i: number) => ({ title: title(i % 2 ? 0 : i), heading: [`${i}`] })],
  ])("%s", async (_, heading) => {
    const measured = await growth(
      (length) => {
        const headings = Array.from({ length }, (_, i) => heading(i));
        return cpuMs(() => exampleQuestions(headings));
      },
      { from: 2_000, to: 16_000, msMax: MS_MAX },
    );
    expect(measured.exponent, JSON.stringify(measured)).toBeLessThan(EXPONENT_MAX);
    expect(measured.ms).toBeLessThan(measured.msMax);
  });
});
