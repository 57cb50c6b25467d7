import { expect, it } from "vitest";
import { sentences } from "../../src/text/sentences.ts";

const texts = (text: string) => sentences(text).map((sentence) => sentence.text);

it("ends a sentence at its full stop, in any script", () => {
  expect(texts("It rains. Does it? It does!")).toEqual(["It rains.", "Does it?", "It does!"]);
  expect(texts("今天下雨。真的吗？真的！")).toEqual(["今天下雨。", "真的吗？", "真的！"]);
});

it("ends a sentence at every line end of Unicode", () => {
  expect(texts("one\rtwo\u2028three\u2029four\x85five")).toHaveLength(5);
});

it("does not end a sentence at an abbreviation or an initial", () => {
  expect(texts("Dr. Smith met J. Doe at St. Mary's. They spoke.")).toEqual([
    "Dr. Smith met J. Doe at St. Mary's.",
    "They spoke.",
  ]);
});

it("ends a sentence at the end of a line, even after an abbreviation", () => {
  expect(texts("one\ntwo etc.\n\nthree")).toEqual(["one", "two etc.", "three"]);
});

it("gives the offsets of each sentence, without the white space around it", () => {
  const text = "  One.  Two.\n Three. ";
  for (const { start, end, text: sentence } of sentences(text)) {
    expect(text.slice(start, end)).toBe(sentence);
    expect(sentence).toBe(sentence.trim());
  }
  expect(sentences(" \n ")).toEqual([]);
});

it("does not end a sentence at the number of a list item, or inside a name or an address", () => {
  for (const text of ["4. In addition it rains.", "Add ?lang=ar to it.", "The .NET tool rains."]) {
    expect(texts(text)).toEqual([text]);
  }
});
