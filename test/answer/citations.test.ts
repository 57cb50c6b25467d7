// Which sources an answer cites: every way in which models write citations, and
// what only looks like one.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withCitations } from "../../src/answer/citations.ts";
import type { Source } from "../../src/protocol.ts";
import { withoutMarks } from "../../src/text/citation-marks.ts";

const SOURCES = Array.from({ length: 12 }, (_, i) => source(i + 1));

describe("a citation is found in", () => {
  test.each<[string, number[]]>([
    ["Charged once [1].", [1]],
    ["Charged once.[1]", [1]],
    ["Charged once![1]", [1]],
    ["Charged once[1], refunded once[2].", [1, 2]],
    ["Charged once [1][2].", [1, 2]],
    ["Charged once [1] [12].", [1, 12]],
    ["Charged once [1,2].", [1, 2]],
    ["Charged once [1, 2,3].", [1, 2, 3]],
    ["Charged once [ 1 ].", [1]],
    ["只收费一次【1】。", [1]],
    ["只收费一次【1】【2】。", [1, 2]],
    ["只收费一次【1，2、3】。", [1, 2, 3]],
    ["Charged once【1†source】.", [1]],
    ["Charged once【1†L10-L12】.", [1]],
    ["Charged once [[1]].", [1]],
    ["Charged once [[1], [2]].", [1, 2]],
    ["Charged once [1](https://example.com/quota).", [1]],
    ["Charged once [[1]](https://example.com/quota).", [1]],
    ["As in [1]: the quota is charged once.", [1]],
    ["[1]: the quota is charged once.", [1]],
    ["[1] The quota is charged once.", [1]],
    ["**[1]** and _[2]_", [1, 2]],
    ["> Charged once [1].", [1]],
    ["| once | [1] |", [1]],
    ["1. Charged once [2]", [2]],
    ["Charged once [1]\r\nand refunded [2]\r\n", [1, 2]],
    ["Charged once [1](#S37] and refunded [2](#S5).", [1, 2]],
    ["It costs $5 [1], or $10 [2].", [1, 2]],
    ["| a | b |\r| - | - |\r| once | [1] |", [1]],
    ["A lone ` [1], ~ [2], * [3] and < [4].", [1, 2, 3, 4]],
  ])("%j", (answer, expected) => {
    expect(cited(answer)).toEqual(expected);
  });
});

describe("no citation is found in", () => {
  test.each([
    ["no brackets", "Charged once (1), in 2 windows."],
    ["a number that no source has", "Charged once [13], [99], [0] and [2026]."],
    ["a number with a zero before it", "Charged once [01]."],
    ["a fraction", "Charged [1.5] times."],
    ["a sign", "Charged [-1] times [+1]."],
    ["a range", "Charged [1-3] times."],
    ["words", "Charged once [see 1] [one] [1st]."],
    ["a footnote", "Charged once [^1]."],
    ["two kinds of bracket", "Charged once [1】 or 【1]."],
    ["escaped brackets", String.raw`Charged once \[1\].`],
    ["no closing bracket", "Charged once [1"],
    ["an empty one", "Charged once [] [,]."],
    ["a list that ends in a comma", "Charged once [1,]."],
    ["a line's end between the brackets and the number", "Charged once [\n\n\n1]."],
    ["digits of another script", "Charged once [١] [１]."],
    ["an image", "![1](https://tracker.example/1.png)"],
    ["where a link leads", "[1]: https://example.com"],
    ["where a link leads, with a title", '   [1]: <https://example.com> "Quota"'],
    ["inline code", "The value is `rows[1]`."],
    ["inline code with backticks in it", "The value is ``a`[1]`b``."],
    ["inline code over two lines", "The value is `rows\n[1]`."],
    ["a fence", "```js\nrows[1]\n```\n"],
    ["a fence of tildes", "~~~\nrows[1]\n~~~"],
    ["a fence in a list", "- Thus:\n\n  ```\n  rows[1]\n  ```\n"],
    ["a fence that begins an item", "1. ```js\n   rows[1]\n   ```\n"],
    ["a fence in a quotation", "> ```\n> rows[1]\n> ```\n"],
    ["a fence with others in it", "````md\n```js\nrows[1]\n```\nrows[2]\n````\n"],
    ["a fence that is not closed by the other kind", "```\nrows[1]\n~~~\nrows[2]\n```"],
    ["a fence that was cut off", "```js\nrows[1]"],
    ["a fence with CR LF", "```js\r\nrows[1]\r\n```\r\n"],
    ["a fence with CR", "```js\rrows[1]\r```\r"],
    ["code by indentation", "Thus:\n\n    rows[1]\n"],
    ["an image's words", "![see [1] here](https://tracker.example/1.png)"],
    ["code in a table's cell", "| a | b |\n| - | - |\n| x | `rows[1] | y` |"],
  ])("%s", (_, answer) => {
    expect(cited(answer)).toEqual([]);
  });
});

describe("a citation is found after", () => {
  test.each([
    ["a fence", "```js\nrows[1]\n```\nCharged once [2]."],
    ["a longer fence", "```\nrows[1]\n`````\nCharged once [2]."],
    ["inline code", "The value is `rows[1]` [2]."],
    [
      "inline code, at the paragraph's end at the latest",
      "A lone ` here.\n\nCharged [2], a lone ` there.",
    ],
    ["what is no fence", "```not a fence``` [2]\nCharged once."],
    ["a lone backtick", "A lone ` here, ``two there, [2]."],
  ])("%s", (_, answer) => {
    expect(cited(answer)).toEqual([2]);
  });
});

test("sources keep their fields and their order", () => {
  const [first, second] = withCitations(SOURCES.slice(0, 2), "Twice [2].");
  expect(first).toEqual({ ...SOURCES[0], cited: false });
  expect(second).toEqual({ ...SOURCES[1], cited: true });
});

test("an answer without sources cites none", () => {
  expect(withCitations([], "Charged once [1].")).toEqual([]);
});

test("no answer adds a source or takes long", () => {
  const pieces = [
    "[",
    "]",
    "【",
    "】",
    "1",
    "99",
    ",",
    " ",
    "`",
    "```",
    "~~~",
    "\n",
    ":",
    "!",
    "(",
    ")",
    "†",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), (words) => {
      const answer = words.join("");
      const sources = withCitations(SOURCES, answer);
      expect(sources.map(({ cited: _, ...given }) => given)).toEqual(SOURCES);
      expect(
        withCitations(
          SOURCES,
          withoutMarks(answer, () => true),
        ).some(({ cited }) => cited),
      ).toBe(false);
    }),
    { seed: 7, numRuns: 2_000 },
  );
});

test.each([
  ["brackets", "["],
  ["numbers without an end", "[1,"],
  ["brackets and spaces", "[1  "],
  ["backticks", "` "],
  ["backticks, longer and longer", "`".repeat(7)],
  ["fences", "```\n"],
  ["definitions", "[1]: x "],
  ["images", "![1"],
  ["citations", "[1]"],
])("an answer of only %s is read quickly", (_, piece) => {
  const answer = piece.repeat(Math.ceil(262_144 / piece.length));
  // Clocks stop during synchronous code here; the test's timeout is the limit.
  expect(cited(answer)).toBeInstanceOf(Array);
});

function cited(answer: string): number[] {
  return withCitations(SOURCES, answer)
    .filter((source) => source.cited)
    .map(({ n }) => n);
}

function source(n: number): Source {
  const id = `doc#${n}`;
  return {
    n,
    id,
    documentId: "doc",
    title: "Quota",
    heading: [],
    url: null,
    snippet: "",
    score: 1,
  };
}
