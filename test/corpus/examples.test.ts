// What the documents suggest to ask.

import { expect, it } from "vitest";
import { exampleQuestions } from "../../src/corpus/examples.ts";

const under = (title: string, ...headings: string[]) =>
  headings.map((heading) => ({ title, heading: ["Above", heading] }));

it("takes headings that are questions first, from each document in turn", () => {
  const headings = [
    ...under("A", "Introduction", "How do I begin?", "How do I end?"),
    ...under("B", "予約できますか？", "متى تفتحون؟"),
  ];
  expect(exampleQuestions(headings)).toEqual([
    "How do I begin?",
    "予約できますか？",
    "How do I end?",
    "متى تفتحون؟",
  ]);
});

it("says what a document is about where it asks nothing", () => {
  const headings = [
    ...under("Limits", "Rows", "Rows", "x".repeat(81)),
    { title: "Note", heading: [] },
  ];
  expect(exampleQuestions(headings)).toEqual(["Limits: Rows", "Note"]);
});

it("says it of no document that asks something", () => {
  const headings = [
    ...under("FAQ", "How do I begin?", "Further reading"),
    ...under("Limits", "Rows"),
  ];
  expect(exampleQuestions(headings.slice(0, 1))).toEqual(["How do I begin?"]);
  expect(exampleQuestions(headings)).toEqual(["How do I begin?", "Limits: Rows"]);
});

it("has nothing to suggest where there is no document", () => {
  expect(exampleQuestions([])).toEqual([]);
});
