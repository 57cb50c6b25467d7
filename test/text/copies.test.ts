// Which passages are copies, and which of them stays.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copyKey, withoutCopies } from "../../src/text/copies.ts";

const LONG =
  "The quota of a user is renewed at midnight, in the time zone of the server; see Limits.";

const areCopies = (a: string, b: string) => copyKey([], a) === copyKey([], b);

describe("copies", () => {
  it.each([
    ["the same text", "See Limits.", "See Limits."],
    ["case", "The QUOTA", "the quota"],
    ["white space", "The  quota\n\nof a\tuser ", "The quota of a user"],
    ["spaces that are wide or missing", "配额 每天\u3000重置。", "配额每天重置。"],
    ["punctuation", "“Quota”, (the) quota… - a user's!", '"Quota" the quota; a user’s.'],
    ["marks of Markdown", "**Quota**: `the` _quota_", "Quota: the quota"],
    ["list marks", "- one\n- two", "one\ntwo"],
    ["width", "Ｑｕｏｔａ ２０", "quota 20"],
    ["composed letters", "cafe\u0301", "caf\u00e9"],
    ["a comma after a number", "20, or 30", "20 or 30"],
    ["a hyphen before a number", "GPT-5", "GPT 5"],
  ])("may differ in %s", (_, a, b) => {
    expect(areCopies(a, b)).toBe(true);
  });

  it.each([
    ["a word", "The quota is 20", "The limit is 20"],
    ["a number", "at most 20", "at most 30"],
    ["a decimal point", "at most 1.5", "at most 15"],
    ["a thousands separator", "10 000 users", "1 0000 users"],
    ["a version", "v2.3.1", "v2.31"],
    ["a range", "1-5", "15"],
    ["a sign", "It is -5 degrees", "It is 5 degrees"],
    ["a symbol", "a + b", "a = b"],
    ["a currency", "$5", "€5"],
    ["accents", "résumé", "resume"],
    ["Simplified and Traditional characters", "額度", "额度"],
  ])("never differ in %s", (_, a, b) => {
    expect(areCopies(a, b)).toBe(false);
  });

  it("of a short text need the same headings, in which its meaning is", () => {
    expect(copyKey(["timeout"], "Default: 30 s")).not.toBe(copyKey(["retry"], "Default: 30 s"));
    expect(copyKey(["Time-out"], "Default: 30 s")).toBe(copyKey(["timeout"], "default: 30 s."));
    expect(copyKey(["Quota"], LONG)).toBe(copyKey(["Version 2", "Quota"], LONG));
  });

  it("have a key of one word, for any text", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.string(), (heading, text) => {
        expect(copyKey(heading, text)).toMatch(/^[0-9a-z]{14}$/);
        expect(copyKey(heading, `  ${text.toUpperCase().toLowerCase()}\n`)).toBe(
          copyKey(heading, text.toUpperCase().toLowerCase()),
        );
      }),
    );
  });

  it("are told apart from thousands of other texts", () => {
    const keys = Array.from({ length: 100_000 }, (_, i) => copyKey([], `${LONG} ${i}`));
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("of copies", () => {
  const passage = (id: string, text: string, relevance?: number) => ({
    ...{ id, heading: [], text, relevance },
  });
  const kept = (...passages: ReturnType<typeof passage>[]) =>
    withoutCopies(passages).map(({ id }) => id);

  it("the best stays, at its place", () => {
    expect(
      kept(passage("c#1", LONG, 3), passage("b#1", "x", 2), passage("a#1", `${LONG}!`, 1)),
    ).toEqual(["c#1", "b#1"]);
  });

  it("the one with the lowest id stays among equals", () => {
    expect(kept(passage("c#1", LONG, 3), passage("a#1", LONG, 3), passage("x#1", "x", 3))).toEqual([
      "a#1",
      "x#1",
    ]);
    expect(kept(passage("a#10", LONG, 3), passage("a#9", LONG, 3))).toEqual(["a#9"]);
    expect(kept(passage("a#1#1", LONG, 3), passage("a#1", LONG, 3))).toEqual(["a#1"]);
    expect(kept(passage("b#1", LONG), passage("a#1", LONG))).toEqual(["a#1"]);
  });

  it("leaves out nothing else", () => {
    expect(kept(passage("a#1", "x"), passage("b#1", "y"), passage("c#1", "z"))).toHaveLength(3);
    expect(kept()).toEqual([]);
  });
});
