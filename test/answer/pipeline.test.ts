// A follow-up is searched together with the question that it follows.

import { expect, it } from "vitest";
import type { Generation, Generator } from "../../src/answer/generator.ts";
import type { Passage, Retriever } from "../../src/answer/retriever.ts";
import type { Ask } from "../../src/protocol.ts";
import { answer } from "../support/answer.ts";
import { Progress } from "../support/progress.ts";

const PASSAGE: Passage = {
  id: "d#1",
  documentId: "d",
  title: "Licences",
  heading: [],
  url: null,
  text: "A team pays nine euros.",
  score: 0.8,
};

/** Asks, and returns what was searched and what the generator was given. */
async function run(ask: Pick<Ask, "query" | "history">) {
  const searched: string[] = [];
  const generations: Generation[] = [];
  const retriever: Retriever = {
    async retrieve(query) {
      searched.push(query);
      return [PASSAGE];
    },
  };
  const generator: Generator = {
    async generate(generation, onText) {
      generations.push(generation);
      onText("Nine euros. [1]");
      return "stop";
    },
  };
  const whole: Ask = {
    ...{ topK: 5, maxTokens: 100, temperature: undefined, onDisconnect: "cancel" },
    collections: ["default"],
    ...ask,
  };
  const adapters = { retriever, generator, rewriter: undefined };
  await answer(whole, adapters, new Progress(), new AbortController().signal);
  const [generation] = generations;
  if (generation === undefined) throw new Error("The generator was not asked.");
  return { searched, generation };
}

const before = { role: "user", content: "How much does a licence cost?" } as const;

it("searches a follow-up with the question before it, and gives both to the generator", async () => {
  const { searched, generation } = await run({ query: "And for a team?", history: [before] });
  expect(searched).toEqual(["And for a team?\nHow much does a licence cost?"]);
  expect(generation.query).toBe("And for a team?");
  expect(generation.search).toEqual({ text: searched[0], asked: "And for a team?" });
});

it("searches a question that needs no context alone", async () => {
  const query = "How do I delete a document?";
  const { searched, generation } = await run({ query, history: [before] });
  expect(searched).toEqual([query]);
  expect(generation.search).toEqual({ text: query, asked: query });
});
