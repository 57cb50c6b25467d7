import fc from "fast-check";
import { expect, it } from "vitest";
import { TokenCount } from "../../src/text/token-count.ts";

const WORD_BEGINS = /(?<![\p{L}\p{N}\p{M}_])[\p{L}\p{N}_]/gu;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/** By one rule for every script. */
function countOf(before: string, piece: string): number {
  const last = before.slice(-1);
  WORD_BEGINS.lastIndex = last.length;
  const begins = WORD_BEGINS.test(last + piece.slice(0, 8_192));
  const unspaced = piece.slice(0, 4).match(UNSPACED)?.length ?? 0;
  return unspaced > 0 ? Math.min(1, unspaced / 4) : Number(begins);
}

const unit = fc.constantFrom(
  ...["a", "Z", "0", "_", " ", ",", "\n", "é", "́", "日", "😀", "\ud83d"],
);
const piece = fc.string({ unit, minLength: 1, maxLength: 8 });

it("counts the pieces in which a word begins, and four characters without spaces, as one", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const count = new TokenCount();
      let before = "";
      for (const next of pieces) {
        expect(count.add(next)).toBe(countOf(before, next));
        before += next;
      }
    }),
  );
});

it("looks at the beginning of a long piece only", () => {
  const blank = " ".repeat(8_192);
  expect(new TokenCount().add(`${blank}word`)).toBe(0);
  expect(new TokenCount().add(`${blank}wörd`)).toBe(0);
  expect(new TokenCount().add(`${blank.slice(1)}word`)).toBe(1);
});
