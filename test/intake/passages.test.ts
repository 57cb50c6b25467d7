import { describe, expect, it } from "vitest";
import { passages } from "../../src/intake/passages.ts";

const texts = (text: string) => passages(text).map((passage) => passage.text);
const sentence = (i: number) => `This is sentence number ${i} of a text that goes on and on.`;
const paragraph = (n: number, from = 0) =>
  Array.from({ length: n }, (_, i) => sentence(from + i)).join(" ");

describe("a document", () => {
  it("of a few lines is one passage", () => {
    expect(passages("Just a line.")).toEqual([
      { heading: [], anchor: null, text: "Just a line.", start: 0, end: 12 },
    ]);
  });

  it("without text has no passages", () => {
    for (const text of ["", " \n\n ", "---\n", "[a]: http://b.c", "<!-- nothing -->"]) {
      expect(passages(text)).toEqual([]);
    }
  });

  it("is cut at its headings, which the passages remember", () => {
    const found = passages("# A\n\none\n\n## B\n\ntwo\n\n### C & D\n\nthree\n\n## B\n\nfour");
    expect(found.map(({ heading, anchor, text }) => [heading, anchor, text])).toEqual([
      [["A"], "a", "one"],
      [["A", "B"], "b", "two"],
      [["A", "B", "C & D"], "c--d", "three"],
      [["A", "B"], "b-1", "four"],
    ]);
  });

  it("gives a heading with nothing under it a passage of its own", () => {
    expect(texts("# A\n\n## B\n\n## C\n\ntext\n\n# D")).toEqual(["B", "text", "D"]);
  });

  it("loses its mark-up and its front matter", () => {
    const text =
      "---\nkey: value\n---\n\nSome *very* **bold** `code`, a [link](http://a.b 'c'), ![alt](d.png)<br>\nand <b>tags</b>.\n\n<script>alert(1)</script>\n\n<!-- secret -->";
    expect(texts(text)).toEqual(["Some very bold code, a link, alt and tags."]);
  });

  it("joins the lines of a Chinese paragraph without a space", () => {
    expect(texts("今天天气很好，\n我们去公园。")).toEqual(["今天天气很好，我们去公园。"]);
  });

  it("keeps lists, tables, code and quotes in their lines", () => {
    expect(
      texts(
        "- a\n- b\n  - c\n\n3. d\n4. e\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```\nf()\n\n# g\n```\n\n> h\n> i",
      ),
    ).toEqual(["- a\n- b\n  - c\n\n3. d\n4. e\n\nx | y\n1 | 2\n\nf()\n\n# g\n\nh i"]);
  });
});

describe("a long text", () => {
  it("is cut between sentences, and repeats one of them", () => {
    const found = texts(paragraph(60));
    expect(found.length).toBeGreaterThan(2);
    for (const text of found) {
      expect(text.length).toBeLessThanOrEqual(1_200);
      expect(text).toMatch(/^This is .* on and on\.$/);
    }
    const last = found[0]?.match(/This is sentence number \d+/g)?.at(-1) ?? "?";
    expect(found[1]?.startsWith(last)).toBe(true);
  });

  it("is cut sooner where a character is as good as a word", () => {
    for (const text of texts("今天天气很好，我们去公园散步。".repeat(100))) {
      expect(text.length).toBeLessThanOrEqual(450);
    }
  });

  it("leaves no small rest", () => {
    const [only, ...more] = texts(`${paragraph(16)}\n\nA last word.`);
    expect(more).toEqual([]);
    expect(only?.endsWith("\n\nA last word.")).toBe(true);
  });

  it("keeps a table whole up to the limit, and repeats its head beyond", () => {
    const table = (rows: number) =>
      `| name | value |\n|---|---|\n${"| some name | 12345 |\n".repeat(rows)}`;
    expect(texts(`${paragraph(10)}\n\n${table(60)}`)).toHaveLength(2);
    const found = texts(table(200));
    expect(found.length).toBeGreaterThan(2);
    for (const text of found) {
      expect(text.startsWith("name | value\nsome name | 12345\n")).toBe(true);
    }
  });

  it("cuts code between lines", () => {
    const line = "const answer = compute(question);";
    for (const text of texts(`\`\`\`\n${`${line}\n`.repeat(200)}\`\`\``)) {
      expect(new Set(text.split("\n"))).toEqual(new Set([line]));
    }
  });

  it("cuts what has no spaces, lines or sentences all the same", () => {
    for (const text of [...texts("x".repeat(10_000)), ...texts("😀".repeat(5_000))]) {
      expect(text.length).toBeLessThanOrEqual(1_600);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it("means the same however long it is", () => {
    const part = `## Part\n\n${paragraph(5)}\n\n\`\`\`\n# no heading\n\ntext\n\`\`\`\n\n- item\n\n  more of it\n\n`;
    const one = passages(part);
    const many = passages(part.repeat(200));
    expect(many).toHaveLength(one.length * 200);
    expect(new Set(many.map((passage) => passage.text))).toEqual(
      new Set(one.map((passage) => passage.text)),
    );
  });
});

describe("what looks like mark-up without end", () => {
  const after = "\n\nSome *very* **bold** `code`, and [a link](b).";
  const read = "Some very bold code, and a link.";

  it.each([
    ["a heading underlined by", `Title\n${"-".repeat(80)}`, ["Title"]],
    ["a heading underlined by equals signs", `Title\n${"=".repeat(80)}`, ["Title"]],
    ["a rule of", "-".repeat(80), []],
    ["a rule of asterisks", "*".repeat(80), []],
    ["a rule of underscores", "_".repeat(80), []],
    ["a rule with spaces", "- ".repeat(40).trim(), []],
    ["a rule of asterisks with spaces", "* ".repeat(40).trim(), []],
  ])("is %s hyphens or so", (_, line, heading) => {
    expect(passages(line + after)).toMatchObject([{ heading, text: read }]);
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

  it("is a table, whatever its delimiter row", () => {
    const table = `| a | b |\n|${"-".repeat(60)}|:${"-".repeat(60)}:|\n| *c* | [d](e) |`;
    expect(texts(table + after)).toEqual([`a | b\nc | d\n\n${read}`]);
  });

  it("keeps the text of what nests too deep, and what follows it", () => {
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

  it("is a line too long to be parsed, and that line only", () => {
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
  ])("stay apart or together as they are seen: %j", (text, seen) => {
    expect(texts(text)).toEqual([seen]);
  });
});

describe("a heading's anchor", () => {
  it("is its own where it names one", () => {
    const found = passages("## Server *options* {#server-opts}\n\na\n\n## Server options\n\nb");
    expect(found.map(({ anchor }) => anchor)).toEqual(["server-opts", "server-options"]);
  });

  it("is there for a title in HTML", () => {
    const found = passages('<h1 align="center">A</h1>\n\na\n\n<h2>B c</h2>\n\nb');
    expect(found.map(({ heading, anchor }) => [heading, anchor])).toEqual([
      [["A"], "a"],
      [["A", "B c"], "b-c"],
    ]);
    expect(passages("# A\n\na\n\n<h1>An example</h1>\n\nb")).toMatchObject([
      { heading: ["A"], text: "a\n\nAn example\n\nb" },
    ]);
  });
});

it("takes any line's end", () => {
  const text = "# A\n\none\ntwo\n\n```\na\n\nb\n```\n\n- c\n- d\n";
  for (const end of ["\r\n", "\r"]) {
    expect(texts(text.replaceAll("\n", end))).toEqual(texts(text));
  }
});

describe("a text with more mark-up than is parsed", () => {
  const part = (i: number) => `## Part ${i}\n\n*a* \`b\` [c](d) ${sentence(i)}\n\n- e\n- f\n\n`;
  const whole = (parts: number) => Array.from({ length: parts }, (_, i) => part(i)).join("");

  it("is longer than any that people write", () => {
    const found = passages(whole(4_000));
    expect(found).toHaveLength(4_000);
    expect(found.at(-1)).toMatchObject({
      heading: ["Part 3999"],
      anchor: "part-3999",
      text: `a b c ${sentence(3_999)}\n\n- e\n- f`,
    });
  });

  it("keeps its headings and its text", () => {
    const found = passages(`${"- a\n".repeat(50_000)}\n${whole(100)}`);
    expect(found.slice(-100)).toMatchObject(
      Array.from({ length: 100 }, (_, i) => ({
        heading: [`Part ${i}`],
        text: `*a* \`b\` [c](d) ${sentence(i)}\n\n- e\n- f`,
      })),
    );
  });

  it("has code in it where a fence opens, and not where one opens and closes in a line", () => {
    const found = passages(
      `${"- a\n".repeat(50_000)}\n\`\`\`x\`\`\`\n\n# A\n\n\`\`\`\n# b\n\`\`\`\n`,
    );
    expect(found.at(-1)).toMatchObject({ heading: ["A"], text: "```\n# b\n```" });
  });

  it("has only so many headings", () => {
    const headings = passages(Array.from({ length: 20_000 }, (_, i) => `# ${i}\n`).join(""));
    expect(headings.length).toBeLessThan(6_000);
    expect(headings.at(-1)?.text.endsWith("19999")).toBe(true);
  });

  it("is not repeated without end by its passages", () => {
    const words = "word ".repeat(38).trim();
    const deep = [1, 2, 3, 4, 5].map((depth) => `${"#".repeat(depth)} ${words}`).join("\n");
    const table = `| ${"head ".repeat(190)} |\n|---|\n`;
    for (const text of [
      `${deep}\n${"###### a\n".repeat(20_000)}`,
      table + "|a|\n".repeat(50_000),
    ]) {
      const stored = passages(text).map(
        ({ heading, text }) => heading.join("").length + text.length,
      );
      expect(stored.reduce((sum, length) => sum + length, 0)).toBeLessThan(12 * text.length);
    }
  });
});

it("takes a heading that goes on and on for text", () => {
  const long = "words ".repeat(100).trim();
  expect(passages(`# ${long}\n\ntext`)).toMatchObject([{ heading: [], text: `${long}\n\ntext` }]);
});

it("never cuts a character in half, wherever a text or a heading is too long", () => {
  const halves = [];
  for (const [shift, unit] of [
    ["", "😀"],
    ["a", "😀"],
    ["", "𠮷"],
    ["a", "𠮷"],
    ["", "👩‍🚀 "],
    ["a", "😀x"],
  ] as const) {
    for (const length of [99, 100, 101, 199, 200, 201, 5_000]) {
      const run = shift + unit.repeat(length);
      for (const text of [
        run,
        `# ${run}`,
        `# ${run}\n\n${run}`,
        `- ${run}`,
        `\`\`\`\n${run}\n\`\`\``,
      ]) {
        for (const { heading, anchor, text: passage } of passages(text)) {
          const parts = [...heading, anchor ?? "", passage];
          if (!parts.every((part) => part.isWellFormed())) halves.push(text.slice(0, 20));
        }
      }
    }
  }
  expect(halves).toEqual([]);
});

describe("the place of a passage", () => {
  it("is where its text stands in the source", () => {
    const text = `# A\n\n${paragraph(60)}\n\nLast *words*.`;
    const found = passages(text);
    for (const { start, end, text: passage } of found.slice(0, -1)) {
      expect(text.slice(start, end)).toBe(passage);
    }
    expect(text.slice(found.at(-1)?.start, found.at(-1)?.end)).toContain("Last *words*.");
  });
});

it("takes what no one would write without losing its head", () => {
  const n = 100_000;
  for (const text of [
    ">",
    "- ",
    "[",
    "*a ",
    "`",
    "<a ",
    "<!--",
    "|",
    "#",
    "\n",
    "~a",
    "![](",
    "&",
  ]) {
    expect(() => passages(text.repeat(n / text.length))).not.toThrow();
  }
}, 60_000);
