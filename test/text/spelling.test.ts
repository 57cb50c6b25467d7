import { describe, expect, it } from "vitest";
import { isCorrectable, isMisspeltAsking, nearTerms, slip } from "../../src/text/spelling.ts";
import { stem } from "../../src/text/words.ts";

const isSlip = (typed: string, meant: string, isName = false) =>
  slip(typed, stem(meant), isName) !== undefined;

describe("a slip of the keyboard", () => {
  it.each([
    ["recieve", "receive"],
    ["deploymnet", "deployment"],
    ["deploymet", "deployment"],
    ["cokie", "cookie"],
    ["midlleware", "middleware"],
    ["authentification", "authentication"],
    ["configuratoin", "configuration"],
  ])("is %s for %s", (typed, meant) => {
    expect(isSlip(typed, meant)).toBe(true);
  });

  it.each([
    ["swift", "shift"],
    ["python", "path"],
    ["bash", "base"],
    ["japan", "java"],
    ["flutter", "filter"],
    ["barcode", "code"],
  ])("is not %s for %s", (typed, meant) => {
    expect(isSlip(typed, meant)).toBe(false);
  });

  it("is smaller in a name, which may be the name of something else", () => {
    expect(isSlip("authentification", "authentication", true)).toBe(false);
    expect(isSlip("Postgers".toLowerCase(), "postgres", true)).toBe(true);
  });

  it("of a word that asks is known by missing and swapped letters alone", () => {
    expect(["wich", "waht", "shoud", "becuase"].filter(isMisspeltAsking)).toHaveLength(4);
    expect(["wheat", "theme", "form", "path"].filter(isMisspeltAsking)).toEqual([]);
  });

  it("is sought in words of letters only", () => {
    expect(isCorrectable("cokie")).toBe(true);
    expect(isCorrectable("h264")).toBe(false);
    expect(isCorrectable("api")).toBe(false);
  });

  it("at the beginning of a word is among the near terms", () => {
    expect(nearTerms("cokie", false)).toContain(stem("cookie"));
    expect(nearTerms("recieve", false)).toContain(stem("receive"));
    expect(nearTerms("conection", true)).toContain(stem("connection"));
  });
});
