// The Markdown readers against the examples of the CommonMark
// specification, with our differences: HTML and reference definitions
// stay text, an image is a link, and a line's end is a line break.

import spec from "commonmark-spec/spec.txt?raw";
import { describe, expect, it } from "vitest";
import type { Inline } from "../../src/text/inline-tree.ts";
import { type Block, MarkdownBlocks } from "../../src/text/markdown-blocks.ts";
import { inlinesOf } from "../../src/text/markdown-inlines.ts";
import { Random } from "../support/random.ts";

interface Example {
  readonly section: string;
  readonly markdown: string;
  readonly html: string;
}

const SECTIONS_LEFT_OUT = ["HTML blocks", "Raw HTML", "Link reference definitions"];
/** Examples of omissions: definitions, HTML, other schemes, rare entities. */
const NEEDS_MORE =
  /^ *\[[^\]\n]*\]: |<\/?[a-z!?][^>\n]*$|<[a-z]+ |<!--|<(?!https?:|mailto:|[\w.]+@)[a-z+.-]+:|&[A-Za-z]*(?:ouml|auml|Aelig|Hilbert)/im;
/**
 * Our rules: no empty links, an address as the text of a bare link,
 * linked images.
 */
const ON_PURPOSE =
  /\]\((?:<>)?\)|\[\]\(|\[!\[|\((?:\/url\u00A0)?"title"\)|^https?:|< https:|bar\/baz bim|^\[Foo$/m;

const examples: Example[] = [];
for (const [, heading, markdown = "", html = ""] of spec.matchAll(
  /^#{1,6} *(.*)$|^`{32} example\n([\s\S]*?)^\.\n([\s\S]*?)^`{32}$/gm,
)) {
  const section = heading ?? examples.at(-1)?.section ?? "";
  examples.push({ section, markdown: tabbed(markdown), html: tabbed(html) });
}

const kept = examples.filter(
  ({ section, markdown }) =>
    markdown !== "" &&
    !SECTIONS_LEFT_OUT.includes(section) &&
    !NEEDS_MORE.test(markdown) &&
    !ON_PURPOSE.test(markdown),
);

describe("CommonMark", () => {
  it("has its examples read as specified", () => {
    expect(kept.length).toBeGreaterThan(450);
  });

  it.each([...new Set(kept.map(({ section }) => section))])("%s", (section) => {
    const those = kept.filter((example) => example.section === section);
    const made = those.map(({ markdown }) => ({
      markdown,
      html: alike(htmlOf(blocksOf([markdown]))),
    }));
    expect(made).toEqual(those.map(({ markdown, html }) => ({ markdown, html: alike(html) })));
  });

  it("is read alike however it is cut, with a peek after each piece", () => {
    const random = new Random(5);
    for (const { markdown } of kept) {
      const pieces: string[] = [];
      for (let at = 0; at < markdown.length; at += pieces.at(-1)?.length ?? 1) {
        pieces.push(markdown.slice(at, at + random.whole(1, 7)));
      }
      expect(htmlOf(blocksOf(pieces))).toBe(htmlOf(blocksOf([markdown])));
    }
  });
});

it("closes open code and strong text of an unfinished text", () => {
  const read = (text: string) => inlinesOf(text, { unfinished: true });
  expect(read("a **b")).toEqual([text("a "), { kind: "strong", children: [text("b")] }]);
  expect(read("a `b")).toEqual([text("a "), { kind: "code", text: "b" }]);
  expect(read("a *b")).toEqual([text("a *b")]);
  expect(inlinesOf("a **b `c")).toEqual([text("a **b `c")]);
});

it("cuts long lines between words, and never within a character", () => {
  const words = "word ".repeat(5_000).trim();
  const families = "👩‍👩‍👧".repeat(2_000);
  for (const [long, word, joint] of [
    [words, /^(?:word ?)+$/, " "],
    [families, /^(?:👩‍👩‍👧)+$/u, ""],
  ] as const) {
    const paragraphs = blocksOf([long]).children.map((block) => block.text);
    expect(paragraphs.length).toBeGreaterThan(3);
    expect(paragraphs.join(joint)).toBe(long);
    for (const paragraph of paragraphs) expect(paragraph).toMatch(word);
  }
});

it("loses no word to a mark in random texts", () => {
  const random = new Random(3);
  const marks = [
    ...["*", "**", "_", "~~", "`", "``", "$", "$$", "[", "]", "](", "(", ")", "![", "<", ">", "> "],
    ...[
      "|",
      "\\",
      "&",
      "# ",
      "- ",
      "1. ",
      "+ ",
      "\n",
      "\n",
      "\n\n",
      "\r\n",
      "\r",
      "\t",
      "    ",
      " ",
      " ",
    ],
    ...["---", "===", "|-|-|", "[1]", "【2】", "[x] ", "[a]: ", "https://b/", "!", "{#"],
  ];
  for (let n = 0; n < 3_000; n += 1) {
    const words = Array.from({ length: random.whole(1, 12) }, (_, i) => `w${"abcdefghijkl"[i]}`);
    const source = words.map((word) => {
      const around = Array.from({ length: random.whole(0, 3) }, () => random.pick(marks)).join("");
      return random.chance(0.5) ? `${word}${around}` : `${around}${word} `;
    });
    // A fence's language is not shown.
    if (/`{3}|~{3}/.test(source.join(""))) continue;
    const pieces = random.chance(0.5) ? source : source.join("").split("");
    const html = htmlOf(blocksOf(pieces));
    expect(html, source.join("")).toBe(htmlOf(blocksOf([source.join("")])));
    const shown = html.replace(/<a href="[^"]*">/g, (link) => ` ${link} `);
    expect(
      words.filter((word) => !shown.includes(word)),
      source.join(""),
    ).toEqual([]);
  }
});

function text(text: string): Inline {
  return { kind: "text", text };
}

/** The specification shows a tab as an arrow. */
function tabbed(text: string): string {
  return text.replaceAll("→", "\t");
}

function blocksOf(pieces: readonly string[]): Block {
  const blocks = new MarkdownBlocks();
  for (const piece of pieces) {
    blocks.write(piece);
    blocks.peek(() => {});
  }
  blocks.end();
  return blocks.root;
}

/** Without white space, paragraph tags, titles and languages of code. */
function alike(html: string): string {
  return html
    .replace(/<br \/>|<\/?p>| class="[^"]*"| title="[^"]*"/g, "")
    .replace(/<img src="([^"]*)" alt="([^"]*)" \/>/g, '<a href="$1">$2</a>')
    .replace(/<a href="[^"]*">(<a href[^>]*>[^<]*<\/a>)<\/a>/g, "$1")
    .replace(/<a href="([^"]*)">/g, (_, address) => `<a href="${decoded(address)}">`)
    .replace(/(<pre>[\s\S]*?<\/pre>)|\s+/g, (_, code) => code ?? "");
}

function decoded(address: string): string {
  try {
    return decodeURI(address).replace(/%(?:5C|5B|60|22)/g, decodeURIComponent);
  } catch {
    return address;
  }
}

function htmlOf(block: Block): string {
  const inside = block.children.map(htmlOf).join("");
  const words = inlinesOf(block.text, { isSource: () => false })
    .map(wordsOf)
    .join("");
  switch (block.kind) {
    case "quote":
      return `<blockquote>${inside}</blockquote>`;
    case "list": {
      const start = block.start === 1 ? "" : ` start="${block.start}"`;
      return block.start === undefined ? `<ul>${inside}</ul>` : `<ol${start}>${inside}</ol>`;
    }
    case "item":
      return `<li>${inside}</li>`;
    case "paragraph":
      return `<p>${words}</p>`;
    case "heading":
      return `<h${block.level}>${words}</h${block.level}>`;
    case "code":
      return `<pre><code>${escaped(block.text)}${block.begun ? "\n" : ""}</code></pre>`;
    case "rule":
      return "<hr />";
    case "row": {
      const cells = block.cells.map((cell) =>
        inlinesOf(cell, { isCell: true }).map(wordsOf).join(""),
      );
      return `<tr><td>${cells.join("</td><td>")}</td></tr>`;
    }
    default:
      return inside;
  }
}

const TAGS = { emphasis: "em", strong: "strong", strike: "del" } as const;

function wordsOf(inline: Inline): string {
  switch (inline.kind) {
    case "text":
      return escaped(inline.text);
    case "code":
      return `<code>${escaped(inline.text)}</code>`;
    case "break":
      return "\n";
    case "citation":
      return "";
    case "link":
      return `<a href="${escaped(inline.address)}">${inline.children.map(wordsOf).join("")}</a>`;
    default: {
      const tag = TAGS[inline.kind];
      return `<${tag}>${inline.children.map(wordsOf).join("")}</${tag}>`;
    }
  }
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
