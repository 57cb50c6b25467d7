// What a document calls itself, and what of its front matter is text.

import { describe, expect, it, test } from "vitest";
import { headOf } from "../../scripts/ingest/head.ts";
import { frontMatter } from "../../src/intake/front-matter.ts";
import { passages } from "../../src/intake/passages.ts";

const titleOf = (text: string) => headOf(text).title;

describe("the title of a document", () => {
  test.each([
    ["its heading of the first level", "Intro.\n\n# A\n\n## B", "A"],
    [
      "its front matter's, before a lesser heading",
      "---\ntitle: A\n---\nIntro.\n\n## How do I?",
      "A",
    ],
    [
      "its first heading of the first level, before its front matter's",
      "---\ntitle: A\n---\n# B",
      "B",
    ],
    ["its front matter's, before a later chapter", "---\ntitle: A\n---\n## B\n\n# C", "A"],
    ["a later heading of the first level, before a lesser one", "## B\n\ntext\n\n# C", "C"],
    ["another heading", "text\n\n### B\n\n#### C", "B"],
    ["missing where there is no heading", "text\n\n#tag", undefined],
    ["underlined", "Title\r\n=====\r\n\r\ntext", "Title"],
    ["underlined by a long line", `Title *one*\n${"=".repeat(80)}\n\ntext`, "Title one"],
    ["in HTML", '<h1 align="center">\n  <img src="a.svg"> A &amp; B\n</h1>\n\n## C', "A & B"],
    [
      "in HTML inside something else",
      '<div align="center">\n<p>x</p><h1>A</h1>\n</div>\n\n## C',
      "A",
    ],
    ["what stands beside its badges", "# [![ci](a.svg)](b) A ![npm](c.svg)\n\ntext", "A"],
    ["not a badge where there is better", "---\ntitle: A\n---\n[![ci](a.svg)](b)\n\n## C", "A"],
    ["what an image shows where there is nothing else", "# ![The logo](a.svg)\n\ntext", "The logo"],
    ["not inside a fence", "```sh\n# not this\n```\n\n## A", "A"],
    ["not inside an open fence", "## A\n\n~~~\n# not this", "A"],
    ["not inside a comment", "<!--\n# not this\n\n<h1>nor this</h1>\n-->\n\n## A", "A"],
    ["not inside a script", "<script>\n// <h1>not this</h1>\n</script>\n\n## A", "A"],
    ["not inside a quote or a list", "> # not this\n\n- # nor this\n\n## A", "A"],
    ["not indented code", "    # not this\n\n## A", "A"],
    ["not empty", "#\n\n# \n\n## A", "A"],
    ["not a heading that no reader can see", "# \u200b\n\n# \u2060\u00ad\n\n## A", "A"],
    ["not a title that no reader can see", '---\ntitle: "\u200b"\n---\n\n## A', "A"],
    ["missing where no reader can see one", "# \u200b\n\ntext", undefined],
    [
      "without mark-up",
      '# `B` & [C](d "e") **f** _g_ h_i &lt; \\* <b>j</b> ##',
      "B & C f g h_i < * j",
    ],
    ["without its anchor", "# Server options {#server-opts}", "Server options"],
  ])("is %s", (_, text, title) => {
    expect(titleOf(text)).toBe(title);
  });

  test.each([
    ["title: A", "A"],
    ["title : A", "A"],
    ["Title: A", "A"],
    ["layout: x\ntitle: A: b # c", "A: b"],
    ["title: A#b", "A#b"],
    ['title: "A # \\"b\\"" # c', 'A # "b"'],
    ["title: 'It''s # A'", "It's # A"],
    ['"title": A', "A"],
    ["title: >-\n  A long\n  title\ntags: b", "A long title"],
    ["title: |\n  A\n  b\n", "A b"],
    ["title: >2 # c\n\n   A\n", "A"],
    ["title:\n  A\n  b", "A b"],
    ["title: A\n  goes on\nb: c", "A goes on"],
    ["# a comment\ntitle: A\r", "A"],
    ["title: {{ page.title }}", "{{ page.title }}"],
    ["seo:\n  title: B\ntitle: A", "A"],
    ["seo:\n  title: B", undefined],
    ["subtitle: B", undefined],
    ["title:", undefined],
    ["title: ''", undefined],
    ["title: ~", undefined],
    ["title: null", undefined],
    ["tags: a", undefined],
  ])("in YAML %j is %j", (fields, title) => {
    expect(titleOf(`---\n${fields}\n---\ntext`)).toBe(title);
  });

  test.each([
    ['title = "A \\"b\\" \\u00e9" # c', 'A "b" é'],
    ["title='A'", "A"],
    ['date = 1\n  title = """\nA\nb"""', "A b"],
    ['"title" = "A"', "A"],
    ['[params]\ntitle = "B"', undefined],
    ['title = ""', undefined],
  ])("in TOML %j is %j", (fields, title) => {
    expect(titleOf(`+++\n${fields}\n+++\n\ntext`)).toBe(title);
  });
});

describe("front matter", () => {
  test.each([
    "---\ntitle: A\n---\ntext",
    '+++\ntitle = "A"\n+++\n\ntext',
    "\ufeff---\r\ntitle: A\r\ndraft: true\r\n---\r\ntext",
    "---\n\n# a comment\ntitle: A\n---  \ntext",
    "---\n---\ntext",
    "---\n标题: 甲\n---\ntext",
    '+++\n[params]\na = "b"\n+++\ntext',
    "---\ntitle: A\n...\ntext",
    "---\r\ntitle: A\r\n... \r\n\r\ntext",
  ])("is no text: %j", (whole) => {
    expect(passages(whole).map(({ text }) => text)).toEqual(["text"]);
    expect(headOf(whole).text).toBe("text");
  });

  test.each([
    "---\n\nJust a rule.\n\n---\n\ntext",
    "---\ntitle: A\n\ntext",
    "text\n\n---\ntitle: A\n---\n",
    "+++\nplus plus plus\n+++\n",
    "--- title: A\n---\ntext",
    "+++\ntitle = 'A'\n...\ntext",
    "---\ntitle: A\n....\ntext",
    "---\n\nAnd so on\n...\n\ntext",
  ])("is not where there are mere rules: %j", (whole) => {
    expect(frontMatter(whole)).toEqual({ title: undefined, end: 0 });
    expect(headOf(whole).text).toBe(whole);
  });

  it("may be missing after a byte order mark", () => {
    expect(passages("\ufeff# A\n\ntext")).toMatchObject([{ heading: ["A"], text: "text" }]);
    expect(headOf("\ufeff# A")).toEqual({ title: "A", text: "# A" });
  });

  it("leaves each passage in its place", () => {
    const whole = "---\r\ntitle: A\r\n---\r\n\r\n# B\r\n\r\nSome text.\r\n";
    const [passage] = passages(whole);
    expect(whole.slice(passage?.start, passage?.end)).toBe("Some text.");
  });
});
