// Everything that reads a document or a query: its time grows with its length and with nothing else,
// whatever it says, and the longest document takes less than half a second. Everybody's search waits
// for the one object that reads them.

import { describe, expect, test } from "vitest";
import { headOf } from "../../scripts/ingest/head.ts";
import { exampleQuestions } from "../../src/corpus/examples.ts";
import { passages } from "../../src/corpus/passages.ts";
import { queryTerms, terms } from "../../src/text/analyzer.ts";
import { sentences } from "../../src/text/sentences.ts";
import { snippet } from "../../src/text/snippet.ts";
import { between, cpuMs, EXPONENT_MAX, growth, repeated, type Shape } from "../support/growth.ts";

const KIB = 1024;
/** Of CPU time, for the longest document; a machine that is busy with more makes it look like more. */
const MS_MAX = 500;

/** Lines of list marks, each line one tab deeper than the one before it, and a text after them. */
function staircase(steps: number, marks: number, rest: string): Shape {
  const stairs = Array.from({ length: steps }, (_, i) => "\t".repeat(i) + "- ".repeat(marks));
  return between(`${stairs.join("\n")}\n`, rest, "x");
}

/** Numbered pieces up to about a length. */
function numbered(piece: (i: number) => string): Shape {
  return (length) => {
    let text = "";
    for (let i = 0; text.length < length; i += 1) text += piece(i);
    return text;
  };
}

const DOCUMENTS: Readonly<Record<string, Shape>> = {
  "lists by tabs, then empty lines": staircase(8, 22, "\n"),
  "more lists by tabs, then empty lines": staircase(23, 22, "\n"),
  "lists by tabs as deep as the text is long": (length) =>
    staircase(Math.floor(Math.sqrt(length)), 1, "\n")(length),
  "lists by tabs, then lines": staircase(23, 2, "a\n"),
  "code in an item": between("- ```\n", "  a.\n", ""),
  "lists in lists in one line": repeated(`${"- ".repeat(200)}a\n`),
  "one line of list marks": repeated("- "),
  "items in items": repeated("- a\n  - b\n    - c\n      - d\n"),
  "items of paragraphs": repeated("- a\n\n  b\n\n"),
  "numbered items": repeated("1. a\n"),
  tasks: repeated("- [ ] a\n"),
  "quotes in quotes, then lazy lines": between("> ".repeat(30), "a\n", ""),
  "one line of quotes": repeated(">"),
  "quotes of lists": repeated("> - a\n>   b\n"),
  "lists of quotes of lists": repeated("- > - > a\nb\n"),
  "open brackets": repeated("["),
  "open brackets in lines": repeated("[\n"),
  "open brackets in paragraphs": repeated(`${"[".repeat(18)}a\n\n`),
  "open links": repeated("[a](<b\n"),
  "links in links": repeated(`${"[".repeat(20)}a${"](b)".repeat(20)}\n`),
  "images in images": repeated(`${"![".repeat(20)}a${"](b)".repeat(20)}\n`),
  links: repeated("[a](b)\n"),
  definitions: numbered((i) => `[a${i}]: b\n`),
  "uses of a definition": between("[a]: b\n\n", "[a]\n", ""),
  "open definitions": repeated('[a]: b "c\n'),
  footnotes: numbered((i) => `[^${i}]: a\n\n`),
  "footnotes in footnotes": repeated(`${"[^1]: ".repeat(50)}\n`),
  "uses of footnotes": between("[^1]: a\n\n", "b[^1]\n", ""),
  "open emphasis": repeated("*a **b _c __d ~~e\n"),
  "emphasis of both kinds": repeated(`${"*_".repeat(500)}\n`),
  "closed emphasis": repeated("***a** b* _c_\n"),
  backticks: repeated("`a\n"),
  "runs of backticks": (length) =>
    Array.from({ length: Math.sqrt(length) }, (_, i) => "`".repeat(1 + (i % 120))).join(" a\n"),
  fences: repeated("```\na\n```\n"),
  "a fence that never closes": between("~~~\n", "a\n", ""),
  "open tags": repeated("<a\n"),
  "open comments": repeated("a <!-- b\n"),
  "open instructions and sections": repeated("a <? b <![CDATA[ c <!D\n"),
  "blocks of HTML": repeated("<div>\n\n"),
  "open headings of HTML": repeated("<h1>"),
  "headings of HTML": repeated("<h1>a</h1>\n"),
  "open scripts": repeated("<script>\n"),
  "links by angle brackets": repeated("<http://a.b> <c@d.e>\n"),
  entities: repeated("&amp;&#1;&x\n"),
  backslashes: repeated(`${"\\".repeat(99)}\n`),
  "a table": between("|a|b|\n|-|-|\n", "|[a](b)|`c`|\n", ""),
  tables: repeated("|a|\n|-|\n|a|\n\n"),
  "a table as wide as a line may be": between(
    `${"|a".repeat(8_000)}\n${"|-".repeat(8_000)}\n`,
    "a|\n",
    "",
  ),
  "a table with a long head": between(`|${"h".repeat(985)}|b|\n|-|-|\n`, "|a|b|\n", ""),
  "rows of delimiters": repeated("a|b\n-|-\n"),
  rules: repeated("- - -\n"),
  "underlined headings": repeated("a\n=\nb\n---\n"),
  headings: repeated("# a\n"),
  "headings with text": repeated("## a\n\nb\n\n"),
  "headings under long headings": between(
    [1, 2, 3, 4, 5].map((depth) => `${"#".repeat(depth)} ${"x ".repeat(99)}\n`).join(""),
    "###### a\n",
    "",
  ),
  "a heading of spaces": between("# a", " ", "b"),
  "a heading of hashes and spaces": repeated(`# a${" #".repeat(500)}\n`),
  "empty lines": repeated("\n"),
  "lines of spaces and tabs": repeated(" \t\n"),
  "lines of one letter": repeated("a\n"),
  "paragraphs of one letter": repeated("a\n\n"),
  "paragraphs of one mark": repeated("x*\n\n"),
  "ends of lines of all kinds": repeated("a\r\n\r\rb\n"),
  NUL: repeated("\0"),
  "front matter that never closes": between("---\n", "a: b\n", ""),
  "a title that never closes": between('---\ntitle: "', "\\\n ", "\n---\n"),
  "a folded title": between("---\ntitle: >\n", "  a\n", "---\n"),
  "one word": repeated("a"),
  "words of one letter": repeated("a b "),
  "sentences of two letters": repeated("**a** b. "),
  "sentences with marks, in lines": repeated(`${"*Aa* bb. ".repeat(200)}\n`),
  abbreviations: repeated("Dr.  e.g. "),
  "long lines of marks": repeated(`${"**b** ".repeat(3_000)}\n`),
  "addresses and minified code": repeated("https://a.b/c?d=e&f=g#h;var a=[1,{b:2}];\n"),
  "Chinese without spaces": repeated("今天天气很好，我们去公园散步。"),
  "Thai without spaces": repeated("ภาษาไทย"),
  emoji: repeated("👩‍🚀😀"),
  "marks upon marks": repeated("\u0316\u0301"),
  "letters under marks": repeated(`a${"\u0316\u0301".repeat(300)} `),
  "characters that become eighteen": (length) => "ﷺ ".repeat(length / 6),
};

/** The dearest of them, up to the longest document that is taken. */
const DEAREST = [
  "more lists by tabs, then empty lines",
  "headings with text",
  "paragraphs of one letter",
  "paragraphs of one mark",
  "underlined headings",
  "a table as wide as a line may be",
  "emphasis of both kinds",
  "open brackets in paragraphs",
];

/** All that happens to a document before it is written. */
function readDocument(text: string): void {
  for (const { heading, text: passage } of passages(text)) {
    terms(heading.join(" "));
    terms(passage);
  }
}

/** Reads texts of one shape, ever longer ones, up to a length. */
async function expectLinear(read: (text: string) => unknown, shape: Shape, to: number) {
  const measured = await growth(
    (length) => {
      const text = shape(length);
      return cpuMs(() => read(text));
    },
    { from: to / 4, to },
  );
  const told = JSON.stringify(measured);
  expect(measured.exponent, told).toBeLessThan(EXPONENT_MAX);
  expect(measured.ms, told).toBeLessThan(MS_MAX);
}

describe("a document is read in linear time:", () => {
  test.each(Object.entries(DOCUMENTS))("%s", async (_, shape) => {
    await expectLinear(readDocument, shape, 128 * KIB);
  });

  test.each(DEAREST)("%s, as long as may be", async (name) => {
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
    "front matter that never closes",
    "front matter of titles",
    "front matter of empty lines",
    "fences of TOML",
    "a quoted title",
    "a comment after a title",
    "open headings of HTML",
    "paragraphs of one mark",
  ])("%s", async (name) => {
    await expectLinear(headOf, heads[name] as Shape, 512 * KIB);
  });
});

// No text that these are given is longer than a query or a passage, but their time must not depend on that.
describe("a text is read in linear time:", () => {
  const readers: Readonly<Record<string, (text: string) => unknown>> = {
    "its terms": terms,
    "its terms as a query": queryTerms,
    "its sentences": sentences,
    "a snippet of it": (text) => snippet(text, "a day in Bangkok"),
    "a snippet for it": (text) => snippet("Some words. And others.", text),
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
      { from: 2_000, to: 16_000 },
    );
    expect(measured.exponent, JSON.stringify(measured)).toBeLessThan(EXPONENT_MAX);
    expect(measured.ms).toBeLessThan(MS_MAX);
  });
});
