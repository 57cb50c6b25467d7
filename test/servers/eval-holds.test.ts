import { describe, expect, it } from "vitest";
import { holds } from "../../eval/holds.ts";
import { sectionsOf } from "../../eval/sections.ts";

describe("an answer holds", () => {
  it.each([
    ["a string in any case", "Use the HEADER.", [["header"]]],
    ["all strings of one alternative", "one and two", [["three"], ["two", "one"]]],
    ["a string across lines", "npm  run\n    ingest", [["npm run ingest"]]],
    ["a string with or without spaces", "{ blocked:true }", [["{blocked: true}"]]],
    ["code and emphasis without their marks", "set **`limit`** to 5", [["set limit to"]]],
    ["the text of a link", "[the [first] page](https://example.com/a_(b)) of it", [["page of"]]],
    ["text around a citation", "by words [1] and by vectors", [["by words and"]]],
    ["quotes, hyphens and widths of any kind", "‘Ａ’ “b” well‑known", [["'a' \"b\" well-known"]]],
    ["a heading without its mark", "## Why?\n\nBecause.", [["why? because"]]],
    ["Chinese", "默认值是 [2] 100。", [["默认值是100"]]],
    ["a number at the end of a word", "v24 and 100kb", [["100kb"]]],
  ])("%s", (_what, text, gold) => {
    expect(holds(text, gold)).toBe(true);
  });

  it.each([
    ["a part of a word before the string", "unlimited", [["limited"]]],
    ["a part of a number", "1024", [["102"]]],
    ["the end of a number", "1024", [["24"]]],
    ["only one string of an alternative", "one", [["one", "two"]]],
    ["nothing if there is no alternative", "one", []],
  ])("not %s", (_what, text, gold) => {
    expect(holds(text, gold)).toBe(false);
  });
});

describe("a section", () => {
  it("is what is below one heading, and a line of code is none", () => {
    const text = [
      "Before.",
      "# One {#first}",
      "```sh",
      "# a comment",
      "````",
      "## Two",
      "",
      "Text.",
    ].join("\r\n");
    expect(sectionsOf({ id: "a", title: "A", text })).toEqual([
      { documentId: "a", title: "A", heading: "", text: "Before." },
      { documentId: "a", title: "A", heading: "One", text: "```sh\n# a comment\n````" },
      { documentId: "a", title: "A", heading: "Two", text: "\nText." },
    ]);
  });
});
