import { describe, expect, it } from "vitest";
import { markdown } from "../../src/intake/markdown.ts";
import { passages } from "../../src/intake/passages.ts";

const passagesOf = (text: string) => passages(markdown.read(text).sections);
const texts = (text: string) => passagesOf(text).map((passage) => passage.text);
const sentence = (i: number) => `This is sentence number ${i} of a text that goes on and on.`;
const paragraph = (n: number, from = 0) =>
  Array.from({ length: n }, (_, i) => sentence(from + i)).join(" ");

describe("a document", () => {
  it("of a few lines is one passage", () => {
    expect(passagesOf("Just a line.")).toEqual([
      {
        ...{ heading: [], anchor: null, text: "Just a line." },
        blocks: [{ kind: "paragraph", start: 0, end: 12 }],
      },
    ]);
  });

  it("without text has no passages", () => {
    for (const text of ["", " \n\n ", "---\n", "[a]: http://b.c", "<!-- nothing -->"]) {
      expect(passagesOf(text)).toEqual([]);
    }
  });

  it("is cut at its headings, which the passages remember", () => {
    const found = passagesOf("# A\n\none\n\n## B\n\ntwo\n\n### C & D\n\nthree\n\n## B\n\nfour");
    expect(found.map(({ heading, anchor, text }) => [heading, anchor, text])).toEqual([
      [["A"], "a", "one"],
      [["A", "B"], "b", "two"],
      [["A", "B", "C & D"], "c--d", "three"],
      [["A", "B"], "b-1", "four"],
    ]);
  });

  it("gives a heading without text a passage of its own", () => {
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

  it("keeps the kind of each block, and the language of code", () => {
    const [passage] = passagesOf(
      "Do this:\n\n1. Run it:\n   ```sh\n   npm start\n   ```\n2. Wait.\n\n| a | b |\n|---|---|\n| 1 | x\\|y |\n\n> Mind this.\n\n```ts {1}\nf()\n```",
    );
    const { text = "", blocks = [] } = passage ?? {};
    expect(blocks.map(({ start, end, ...block }) => [text.slice(start, end), block])).toEqual([
      ["Do this:", { kind: "paragraph" }],
      ["1. Run it:", { kind: "item" }],
      ["  npm start", { kind: "code", language: "sh", nested: true }],
      ["2. Wait.", { kind: "item" }],
      ["a | b\n1 | x\\|y", { kind: "table" }],
      ["Mind this.", { kind: "quote" }],
      ["f()", { kind: "code", language: "ts" }],
    ]);
  });

  it("loses the marks of containers, but not what they contain", () => {
    expect(
      texts("::: tip Note\nMind this.\n:::\n\n::: code-group\n\n```sh\nnpm i\n```\n\n:::"),
    ).toEqual(["Note: Mind this.\n\nnpm i"]);
  });

  it("begins with the sentence that introduces its code", () => {
    const code = `\`\`\`sh\n${"npm start\n".repeat(90)}\`\`\``;
    const found = texts(`${paragraph(10)}\n\nRun this:\n\n${code}`);
    expect(found.at(-1)).toMatch(/^Run this:\n\nnpm start\n/);
  });

  it("keeps the lines of lists, tables, code and quotes", () => {
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

  it("is cut sooner in scripts whose characters say more", () => {
    for (const text of texts("今天天气很好，我们去公园散步。".repeat(100))) {
      expect(text.length).toBeLessThanOrEqual(450);
    }
  });

  it("leaves no small remainder", () => {
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

  it("is cut even without spaces, lines or sentences", () => {
    for (const text of [...texts("x".repeat(10_000)), ...texts("😀".repeat(5_000))]) {
      expect(text.length).toBeLessThanOrEqual(1_600);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it("is read the same way at any length", () => {
    const part = `## Part\n\n${paragraph(5)}\n\n\`\`\`\n# no heading\n\ntext\n\`\`\`\n\n- item\n\n  more of it\n\n`;
    const one = passagesOf(part);
    const many = passagesOf(part.repeat(200));
    expect(many).toHaveLength(one.length * 200);
    expect(new Set(many.map((passage) => passage.text))).toEqual(
      new Set(one.map((passage) => passage.text)),
    );
  });
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
        for (const { heading, anchor, text: passage } of passagesOf(text)) {
          const parts = [...heading, anchor ?? "", passage];
          if (!parts.every((part) => part.isWellFormed())) halves.push(text.slice(0, 20));
        }
      }
    }
  }
  expect(halves).toEqual([]);
});

it("never throws, whatever the text", () => {
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
    expect(() => passagesOf(text.repeat(n / text.length))).not.toThrow();
  }
}, 60_000);
