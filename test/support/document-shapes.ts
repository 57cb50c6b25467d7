// Documents that a reader of Markdown might take too long over, in any length. Each is one construct, or
// a few of them inside each other; the dearest were found by trying random combinations.

import { between, repeated, type Shape } from "./growth.ts";

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

export const DOCUMENTS: Readonly<Record<string, Shape>> = {
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
  "open images in paragraphs": repeated(`${")![".repeat(30)}\n\n`),
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
export const DEAREST = [
  "more lists by tabs, then empty lines",
  "headings with text",
  "paragraphs of one letter",
  "paragraphs of one mark",
  "underlined headings",
  "a table as wide as a line may be",
  "emphasis of both kinds",
  "open brackets in paragraphs",
  "open images in paragraphs",
];
