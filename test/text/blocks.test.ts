import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type BlockKind,
  blocksMarkdown,
  packBlocks,
  type TextBlock,
  unpackBlocks,
} from "../../src/text/blocks.ts";

/** A text of these blocks, with empty lines between them. */
function textOf(parts: readonly (readonly [BlockKind, string, Partial<TextBlock>?])[]) {
  const blocks: TextBlock[] = [];
  let text = "";
  for (const [kind, content, rest = {}] of parts) {
    if (text !== "") text += rest.nested ? "\n" : "\n\n";
    blocks.push({ kind, start: text.length, end: text.length + content.length, ...rest });
    text += content;
  }
  return { text, blocks };
}

const markdown = (...parts: Parameters<typeof textOf>[0]) => {
  const { text, blocks } = textOf(parts);
  return blocksMarkdown(text, blocks);
};

it("writes code with its fence and its language", () => {
  expect(markdown(["paragraph", "Run:"], ["code", "npm start", { language: "sh" }])).toBe(
    "Run:\n\n```sh\nnpm start\n```",
  );
});

it("writes code that contains a fence with a longer one", () => {
  expect(markdown(["code", "```\nx\n```"])).toBe("````\n```\nx\n```\n````");
});

it("writes a table with its head row", () => {
  expect(markdown(["table", "Plan | Price\nPro | $9"])).toBe(
    "| Plan | Price |\n| --- | --- |\n| Pro | $9 |",
  );
});

it("writes code below its list item", () => {
  expect(markdown(["item", "1. Run:"], ["code", "  npm start", { nested: true }])).toBe(
    "1. Run:\n    ```\n    npm start\n    ```",
  );
});

it("reads what it packs", () => {
  const kind = fc.constantFrom<BlockKind>("paragraph", "item", "table", "code", "quote", "heading");
  const block = fc.record({ kind, gap: fc.nat(9), length: fc.nat(999), flags: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(block), (all) => {
      let last = 0;
      const blocks = all.map(({ kind, gap, length, flags }): TextBlock => {
        const start = last + gap;
        last = start + length;
        return {
          ...{ kind, start, end: last },
          ...(flags & 1 ? { nested: true as const } : {}),
          ...(flags & 2 ? { partial: true as const } : { language: "c++" }),
        };
      });
      expect(unpackBlocks(packBlocks(blocks))).toEqual(blocks);
    }),
  );
});
