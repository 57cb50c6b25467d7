import { expect, it } from "vitest";
import { exampleQuestions } from "../../src/corpus/examples.ts";

const under = (title: string, ...headings: string[]) =>
  headings.map((heading) => ({ title, heading: ["Above", heading] }));

it("suggests headings that are questions first, from each document in turn", () => {
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

it("suggests other headings of a document without questions", () => {
  const headings = [
    ...under("Limits", "Rows", "Rows", "x".repeat(81)),
    { title: "Note", heading: [] },
  ];
  expect(exampleQuestions(headings)).toEqual(["Limits: Rows", "Note"]);
});

it("suggests only questions of a document that has some", () => {
  const headings = [
    ...under("FAQ", "How do I begin?", "Further reading"),
    ...under("Limits", "Rows"),
  ];
  expect(exampleQuestions(headings.slice(0, 1))).toEqual(["How do I begin?"]);
  expect(exampleQuestions(headings)).toEqual(["How do I begin?", "Limits: Rows"]);
});

it("suggests nothing without documents", () => {
  expect(exampleQuestions([])).toEqual([]);
});
