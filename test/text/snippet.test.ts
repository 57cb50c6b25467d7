import { expect, it } from "vitest";
import { snippets } from "../../src/text/snippet.ts";

const filler = (n: number) => Array.from({ length: n }, (_, i) => `Nothing happens in part ${i}.`);

it("shows the sentence that matches, with its neighbours", () => {
  const text = [...filler(30), "A row holds 2 MB.", ...filler(30)].join(" ");
  const shown = snippets("How large can a row be?")(text);
  expect(shown).toContain("A row holds 2 MB.");
  expect(text).toContain(shown);
  expect(shown.length).toBeGreaterThan(200);
  expect(shown.length).toBeLessThanOrEqual(280);
});

it("shows the beginning if nothing matches", () => {
  expect(snippets("zebra")("One. Two.")).toBe("One. Two.");
  expect(snippets("")("One. Two.")).toBe("One. Two.");
});

it("shows the part of a long sentence that matches, and marks what was cut", () => {
  const text = `${"word ".repeat(200)}needle ${"word ".repeat(200)}.`;
  const shown = snippets("needle")(text);
  expect(shown).toMatch(/^….*needle.*…$/);
  expect(shown.length).toBeLessThanOrEqual(282);
});

it("is shorter in scripts without spaces", () => {
  const text = `${"今天天气很好".repeat(50)}东京大学${"今天天气很好".repeat(50)}`;
  const shown = snippets("东京大学在哪里？")(text);
  expect(shown).toContain("东京大学");
  expect(shown.length).toBeLessThanOrEqual(122);
});

it("takes any text and any query", () => {
  for (const hostile of [
    "",
    " ",
    "\0",
    "\ud800",
    "\u{1f600}",
    '"*(',
    "<b>x</b>",
    "a".repeat(5_000),
  ]) {
    expect(typeof snippets(hostile)(hostile)).toBe("string");
    expect(typeof snippets(hostile)("Some text.")).toBe("string");
  }
  expect(snippets("x")("")).toBe("");
});
