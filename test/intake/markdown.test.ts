import { describe, expect, it, test } from "vitest";
import { markdown } from "../../src/intake/markdown.ts";
import { passages } from "../../src/intake/passages.ts";

const passagesOf = (text: string) => passages(markdown.read(text).sections);
const texts = (text: string) => passagesOf(text).map((passage) => passage.text);
const sentence = (i: number) => `This is sentence number ${i} of a text that goes on and on.`;

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
    ["what is beside its badges", "# [![ci](a.svg)](b) A ![npm](c.svg)\n\ntext", "A"],
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
    expect(markdown.read(text).title).toBe(title);
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
    expect(markdown.read(`---\n${fields}\n---\ntext`).title).toBe(title);
  });

  test.each([
    ['title = "A \\"b\\" \\u00e9" # c', 'A "b" é'],
    ["title='A'", "A"],
    ['date = 1\n  title = """\nA\nb"""', "A b"],
    ['"title" = "A"', "A"],
    ['[params]\ntitle = "B"', undefined],
    ['title = ""', undefined],
  ])("in TOML %j is %j", (fields, title) => {
    expect(markdown.read(`+++\n${fields}\n+++\n\ntext`).title).toBe(title);
  });
});

describe("a long run of marks", () => {
  const after = "\n\nSome *very* **bold** `code`, and [a link](b).";
  const read = "Some very bold code, and a link.";

  it.each([
    ["a heading underlined by hyphens", `Title\n${"-".repeat(80)}`, ["Title"]],
    ["a heading underlined by equals signs", `Title\n${"=".repeat(80)}`, ["Title"]],
    ["a rule of hyphens", "-".repeat(80), []],
    ["a rule of asterisks", "*".repeat(80), []],
    ["a rule of underscores", "_".repeat(80), []],
    ["a rule with spaces", "- ".repeat(40).trim(), []],
    ["a rule of asterisks with spaces", "* ".repeat(40).trim(), []],
  ])("is read as %s", (_, line, heading) => {
    expect(passagesOf(line + after)).toMatchObject([{ heading, text: read }]);
  });

  it.each([
    ["pluses", "+".repeat(80)],
    ["equals signs", "=".repeat(80)],
    ["tildes in a line", `a ${"~".repeat(80)}`],
    ["hashes", "#".repeat(80)],
    ["colons", ":".repeat(80)],
    ["a prompt", `a ${">".repeat(80)} b`],
    ["quotes in quotes", `${">".repeat(80)} b`],
    ["lists in lists", `${"- ".repeat(40)}b`],
    ["numbers", "1.2.3.4.5.".repeat(20)],
    ["numbered lists in lists", `${"1. ".repeat(40)}b`],
    [
      "a box",
      "+------------------------------+\n| in a box                     |\n+------------------------------+",
    ],
    ["an image as text", `data:image/png;base64,${"QUJD".repeat(10_000)}`],
    ["minified code", "**b** ".repeat(10_000)],
    ["brackets", "[".repeat(20_000)],
  ])("leaves the next paragraph alone: %s", (_, line) => {
    expect(
      texts(line + after)
        .at(-1)
        ?.endsWith(read),
    ).toBe(true);
    expect(texts(`# A\n\n${after}\n\n${line}`)[0]).toContain(read);
  });

  it("is a table if it is a delimiter row", () => {
    const table = `| a | b |\n|${"-".repeat(60)}|:${"-".repeat(60)}:|\n| *c* | [d](e) |`;
    expect(texts(table + after)).toEqual([`a | b\nc | d\n\n${read}`]);
  });

  it("keeps the text of blocks that nest too deep, and what follows", () => {
    for (const mark of ["- ", "> ", "1. ", "> - "]) {
      const [found = ""] = texts(`${mark.repeat(100)}the end${after}`);
      expect(found).toContain("the end");
      expect(found.endsWith(read)).toBe(true);
    }
    const byTabs = Array.from({ length: 100 }, (_, i) => `${"\t".repeat(i)}- item ${i}.`);
    const found = texts(`${byTabs.join("\n")}\n\n# A${after}`);
    for (const i of [0, 1, 11, 12, 50, 99]) expect(found.join("\n")).toContain(`item ${i}.`);
    expect(found.at(-1)).toBe(read);
  });

  it("is not parsed if its line is too long; other lines are", () => {
    const long = `| ${"**x** ".repeat(4_000)} |`;
    const text = `- *one*\n- *two*\n\n*before*\n${long}\n*after*\n\n| a |\n|---|\n| *b* |`;
    const all = texts(text).join("\n");
    for (const seen of ["- one\n- two", "before", "after", "a\nb"]) expect(all).toContain(seen);
    expect(all).not.toMatch(/\*(?:one|two|before|after|b)\*/);
  });
});

describe("words", () => {
  it.each([
    ["<kbd>Ctrl</kbd><kbd>C</kbd>", "Ctrl C"],
    ["H<sub>2</sub>O and R&amp;D&nbsp;x", "H2O and R&D x"],
    ["<p>R&amp;D</p><p>&lt;b&gt;</p>", "R&D <b>"],
    ["| Pro | One<br>Two<br/>Three |\n|---|---|", "Pro | One Two Three"],
    ["a\\\nb  \nc", "a b c"],
    ["See [^1].\n\n[^1]: A *note*.\n\n    More.", "See .\n\nA note.\n\nMore."],
    ["- [ ] one\n- [x] two", "- one\n- two"],
  ])("are separated as a reader sees them: %j", (text, seen) => {
    expect(texts(text)).toEqual([seen]);
  });
});

describe("a heading's anchor", () => {
  it("is the explicit one if there is one", () => {
    const found = passagesOf("## Server *options* {#server-opts}\n\na\n\n## Server options\n\nb");
    expect(found.map(({ anchor }) => anchor)).toEqual(["server-opts", "server-options"]);
  });

  it("is made for a title in HTML", () => {
    const found = passagesOf('<h1 align="center">A</h1>\n\na\n\n<h2>B c</h2>\n\nb');
    expect(found.map(({ heading, anchor }) => [heading, anchor])).toEqual([
      [["A"], "a"],
      [["A", "B c"], "b-c"],
    ]);
    expect(passagesOf("# A\n\na\n\n<h1>An example</h1>\n\nb")).toMatchObject([
      { heading: ["A"], text: "a\n\nAn example\n\nb" },
    ]);
  });
});

it("accepts every kind of line end", () => {
  const text = "# A\n\none\ntwo\n\n```\na\n\nb\n```\n\n- c\n- d\n";
  for (const end of ["\r\n", "\r"]) {
    expect(texts(text.replaceAll("\n", end))).toEqual(texts(text));
  }
});

describe("a text with much mark-up", () => {
  const part = (i: number) => `## Part ${i}\n\n*a* \`b\` [c](d) ${sentence(i)}\n\n- e\n- f\n\n`;
  const whole = (parts: number) => Array.from({ length: parts }, (_, i) => part(i)).join("");

  it("is parsed whole up to a length beyond what people write", () => {
    const found = passagesOf(whole(4_000));
    expect(found).toHaveLength(4_000);
    expect(found.at(-1)).toMatchObject({
      heading: ["Part 3999"],
      anchor: "part-3999",
      text: `a b c ${sentence(3_999)}\n\n- e\n- f`,
    });
  });

  it("keeps headings and text beyond the bounds", () => {
    const found = passagesOf(`${"- a\n".repeat(50_000)}\n${whole(100)}`);
    expect(found.slice(-100)).toMatchObject(
      Array.from({ length: 100 }, (_, i) => ({
        heading: [`Part ${i}`],
        text: `*a* \`b\` [c](d) ${sentence(i)}\n\n- e\n- f`,
      })),
    );
  });

  it("has code after a fence beyond the bounds, but not if the fence closes in its line", () => {
    const found = passagesOf(
      `${"- a\n".repeat(50_000)}\n\`\`\`x\`\`\`\n\n# A\n\n\`\`\`\n# b\n\`\`\`\n`,
    );
    expect(found.at(-1)).toMatchObject({ heading: ["A"], text: "```\n# b\n```" });
  });

  it("has a bounded number of headings", () => {
    const headings = passagesOf(Array.from({ length: 20_000 }, (_, i) => `# ${i}\n`).join(""));
    expect(headings.length).toBeLessThan(6_000);
    expect(headings.at(-1)?.text.endsWith("19999")).toBe(true);
  });

  it("is not repeated more than a few times by its passages", () => {
    const words = "word ".repeat(38).trim();
    const deep = [1, 2, 3, 4, 5].map((depth) => `${"#".repeat(depth)} ${words}`).join("\n");
    const table = `| ${"head ".repeat(190)} |\n|---|\n`;
    for (const text of [
      `${deep}\n${"###### a\n".repeat(20_000)}`,
      table + "|a|\n".repeat(50_000),
    ]) {
      const stored = passagesOf(text).map(
        ({ heading, text }) => heading.join("").length + text.length,
      );
      expect(stored.reduce((sum, length) => sum + length, 0)).toBeLessThan(12 * text.length);
    }
  });
});

it("reads an overlong heading as text", () => {
  const long = "words ".repeat(100).trim();
  expect(passagesOf(`# ${long}\n\ntext`)).toMatchObject([{ heading: [], text: `${long}\n\ntext` }]);
});
