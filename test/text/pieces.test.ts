import fc from "fast-check";
import { expect, it } from "vitest";
import { byteLength, endsInHalf, pieces, startOf } from "../../src/text/pieces.ts";

it("cuts a text into pieces of the given length, and loses nothing", () => {
  expect([...pieces("abcdefg", 3)]).toEqual(["abc", "def", "g"]);
  expect([...pieces("abc", 3)]).toEqual(["abc"]);
  expect([...pieces("", 3)]).toEqual([]);
});

it("cuts no surrogate pair, whatever the length", () => {
  const text = `a${"😀".repeat(5)}b`;
  for (const length of [2, 3, 4, 5]) {
    const cut = [...pieces(text, length)];
    expect(cut.join("")).toBe(text);
    expect(cut.every((piece) => piece.isWellFormed() && piece.length <= length)).toBe(true);
  }
});

it("keeps a half that has no other half", () => {
  expect([...pieces("ab\ud83d", 3)]).toEqual(["ab\ud83d"]);
  expect(endsInHalf("ab\ud83d")).toBe(true);
  expect(endsInHalf("😀")).toBe(false);
  expect(endsInHalf("")).toBe(false);
});

it("takes the beginning that fits into a number of bytes", () => {
  expect(startOf("aé😀", 3)).toBe("aé");
  expect(startOf("aé😀", 6)).toBe("aé");
  expect(startOf("aé😀", 7)).toBe("aé😀");
  expect(startOf("a", -1)).toBe("");
});

it("knows the bytes of a text", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "\u007f", "\u0080", "é", "\u07ff", "\u0800", "日", "😀"),
  });
  fc.assert(
    fc.property(text, (any) => {
      expect(byteLength(any)).toBe(new TextEncoder().encode(any).byteLength);
    }),
  );
});
