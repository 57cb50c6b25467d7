// How `npm run ask` shows an answer in a terminal.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf, painted, run, wrap } from "../../scripts/ask/lines.ts";
import { Markdown } from "../../scripts/ask/markdown.ts";
import { Screen } from "../../scripts/ask/screen.ts";
import { FakeTerminal } from "../support/terminal.ts";

describe("a line", () => {
  test.each([
    ["breaks between words", "one two three four", 9, ["one two", "three", "four"]],
    ["may be full", "never charged for", 5, ["never", "charg", "ed", "for"]],
    ["breaks in a word that is too long", "abcdefgh i", 3, ["abc", "def", "gh", "i"]],
    ["drops spaces where it breaks", "one   two", 4, ["one", "two"]],
    ["keeps spaces at its beginning", "  one two", 5, ["  one", "two"]],
    ["breaks between wide characters", "日本語の文章", 5, ["日本", "語の", "文章"]],
    ["does not begin with closing punctuation", "日本。語", 4, ["日", "本。", "語"]],
    ["counts no column for marks", "e\u0301e\u0301 e\u0301", 2, ["e\u0301e\u0301", "e\u0301"]],
    ["shows control characters", "a\x1b[31mb\u202e", 99, ["a\\x1b[31mb\\u{202e}"]],
    ["has spaces for a tab", "\ta", 99, ["    a"]],
    ["is there for an empty text", "", 9, [""]],
  ])("%s", (_, text, width, lines) => {
    expect(wrap([run(text)], width).map((line) => painted(line, true))).toEqual(lines);
  });

  test("is never longer than the terminal, and loses no character but spaces", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "語", "。", "-", "\u0301") });
    fc.assert(
      fc.property(fc.array(text), fc.integer({ min: 2, max: 12 }), (texts, width) => {
        const lines = wrap(
          texts.map((part) => run(part)),
          width,
        ).map((line) => painted(line, false));
        for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(width);
        expect(lines.join("").replaceAll(" ", "")).toBe(texts.join("").replaceAll(" ", ""));
      }),
    );
  });
});

describe("Markdown in a terminal", () => {
  test.each([
    [
      "headings and emphasis",
      "# One\n\n**two** *three* ~~four~~",
      ["\x1b[1mOne\x1b[22m", "", "\x1b[1mtwo\x1b[22m \x1b[3mthree\x1b[23m \x1b[9mfour\x1b[29m"],
      true,
    ],
    [
      "marks where there are no styles",
      "## One\n\n**two** *three* ~~four~~ `five`",
      ["## One", "", "**two** *three*", "~~four~~ `five`"],
      false,
    ],
    [
      "code, not broken",
      `\`\`\`sh\n${"x".repeat(30)} y\n\`\`\``,
      [`  \x1b[33m${"x".repeat(30)} y\x1b[39m`],
      true,
    ],
    [
      "code, with its fences where there are no styles",
      "~~~\na\n\n  b\n~~~",
      ["~~~", "a", "", "  b", "~~~"],
      false,
    ],
    [
      "lists",
      "1. one two three four\n   - five\n2. six\n\n* [x] seven\n* [ ] eight",
      ["1. one two three", "   four", "   • five", "2. six", "", "☑ seven", "☐ eight"],
      false,
    ],
    ["lists that begin later", "9. one\n10. two", [" 9. one", "10. two"], false],
    [
      "lists of paragraphs",
      "- one\n\n  two\n- three",
      ["• one", "", "  two", "", "• three"],
      false,
    ],
    ["quotes", "> one two three four five", ["│ one two three four", "│ five"], false],
    ["a rule", "one\n\n---\n\ntwo", ["one", "", "─".repeat(20), "", "two"], false],
    [
      "a table",
      "|A|Bcd|\n|-|-:|\n|long|1|\n|`x`|**2**|",
      ["A    │   Bcd", "─────┼──────", "long │     1", "`x`  │ **2**"],
      false,
    ],
    [
      "a wide table",
      "|Name|What it does|\n|-|-|\n|QUOTA_LIMIT|answers per window|\n|B|c|",
      [
        "Name: QUOTA_LIMIT",
        "What it does:",
        "  answers per window",
        "",
        "Name: B",
        "What it does: c",
      ],
      false,
    ],
    [
      "links with their address",
      "[one](https://a.b) <https://c.d>",
      ["one (https://a.b)", "https://c.d"],
      false,
    ],
    ["citations of sources only", "a [1] b [7].", ["a \x1b[36m[1]\x1b[39m b [7]."], true],
    [
      "no control characters",
      "a&#27;[31m `\x1b` [b](https://c.d/\x1b)",
      ["a\\x1b[31m `\\x1b`", "[b](https://c.d/\\x1b", ")"],
      false,
    ],
    ["line breaks", "one\ntwo  \nthree<br>four", ["one", "two", "three<br>four"], false],
  ])("has %s", (_, text, lines, isStyled) => {
    const markdown = new Markdown((n) => n === 1);
    markdown.write(text);
    markdown.end();
    expect(markdown.lines({ width: 20, isStyled })).toEqual(lines);
  });

  test("holds back a table until its columns are known", () => {
    const markdown = new Markdown(() => false);
    const look = { width: 20, isStyled: false };
    markdown.write("one\n\n|A|B|\n|-|-|\n|long");
    expect(markdown.lines(look)).toEqual(["one"]);
    markdown.write("er|c|\n\ntwo");
    expect(markdown.lines(look).slice(0, 3)).toEqual(["one", "", "A      │ B"]);
  });
});

describe("a growing answer", () => {
  const parts = fc.array(
    fc.constantFrom(
      "word ",
      "longer-word ",
      "**bold** ",
      "\n",
      "\n\n",
      "- ",
      "-",
      "item ",
      "```\n",
      "| a | b |\n",
      "|-|-|\n",
      "# ",
      "語",
      "> ",
      "===\n",
      "averyveryverylongword",
      "[1]",
    ),
    { maxLength: 60 },
  );

  test("shows at its end what a terminal of any size shows of the whole", () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 8, max: 30 }), (tokens, width) => {
        const terminal = new FakeTerminal(width, 500);
        const { lines } = grown(tokens, terminal);
        expect(terminal.lines).toEqual([...lines.flatMap((line) => rows(line, width)), ""]);
      }),
    );
  });

  test("ends right on a screen that is too low for it", () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 2, max: 6 }), (tokens, height) => {
        const terminal = new FakeTerminal(20, height);
        const { lines } = grown(tokens, terminal);
        const seen = terminal.lines.slice(-height);
        expect([...lines.flatMap((line) => rows(line, 20)), ""].slice(-seen.length)).toEqual(seen);
      }),
    );
  });

  test("writes again only the lines that change", () => {
    const written: string[] = [];
    const screen = new Screen({ columns: 80, rows: 24, write: (text) => written.push(text) });
    screen.draw(["one", "two"]);
    screen.draw(["one", "two"]);
    screen.draw(["one", "two three"]);
    screen.draw(["one", "two three", "four"]);
    expect(written).toEqual(["one\ntwo\n", "\x1b[1A\r\x1b[Jtwo three\n", "four\n"]);
  });
});

/** Writes an answer, token by token, into a terminal. */
function grown(tokens: readonly string[], terminal: FakeTerminal) {
  const markdown = new Markdown((n) => n === 1);
  const screen = new Screen(terminal);
  const look = { width: terminal.columns, isStyled: true };
  for (const token of tokens) {
    markdown.write(token);
    screen.draw([...markdown.lines(look), "Searching"]);
  }
  markdown.end();
  screen.draw(markdown.lines(look));
  const whole = new Markdown((n) => n === 1);
  whole.write(tokens.join(""));
  whole.end();
  return { lines: whole.lines(look) };
}

/** The rows that a line takes. */
function rows(line: string, width: number): string[] {
  const terminal = new FakeTerminal(width, 1_000);
  terminal.write(line);
  return terminal.lines;
}
