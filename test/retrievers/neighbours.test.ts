// The neighbours of passages, read from a real corpus, and who reads them.

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { prompt } from "../../src/answer/prompt.ts";
import type { Passage } from "../../src/answer/retriever.ts";
import type { Corpus } from "../../src/corpus/corpus.ts";
import { FullTextRetriever } from "../../src/retrievers/full-text.ts";
import { NeighboursRetriever } from "../../src/retrievers/neighbours.ts";
import { newCorpus } from "../corpus/new-corpus.ts";
import { rowsOf } from "../corpus/sql-rows.ts";
import { newUser } from "../harness.ts";

const signal = new AbortController().signal;

/** Fills a passage, so that the next paragraph is another. */
const paragraph = (name: string) =>
  `The ${name} part. ${`It tells of ${name} things. `.repeat(30)}`;

const LONG = `# Guide

${paragraph("first")}

${paragraph("second")}

${paragraph("third")}

## Other

${paragraph("fourth")}`;

/** Who reads the neighbours: the corpus with its search, or another search after its own. */
const READERS = {
  "a full-text search": (corpus: Corpus) => new FullTextRetriever(corpus, true),
  "any other search": (corpus: Corpus) =>
    new NeighboursRetriever(new FullTextRetriever(corpus), corpus),
};

async function newSearch(
  reader: keyof typeof READERS,
  documents: Record<string, string> = { long: LONG },
) {
  const corpus = newCorpus();
  for (const [id, text] of Object.entries(documents)) {
    await corpus.put(id, { title: "Guide", text, url: "https://docs.example/guide" });
  }
  const { stub } = corpus;
  const retriever = READERS[reader](stub);
  return { ...corpus, find: (query: string, topK = 1) => retriever.retrieve(query, topK, signal) };
}

const beside = ({ id, before, after }: Passage) => [
  before?.text.slice(0, 12),
  id,
  after?.text.slice(0, 12),
];

describe.for(Object.keys(READERS) as (keyof typeof READERS)[])(
  "the neighbours of a passage, read by %s,",
  (reader) => {
    it("are the passages before and after it", async () => {
      const { find } = await newSearch(reader);
      expect((await find("second")).map(beside)).toEqual([
        [expect.stringContaining("The first"), "long#2", expect.any(String)],
      ]);
    });

    it("end with the document and with the section", async () => {
      const { find } = await newSearch(reader);
      expect((await find("first")).map(beside)).toEqual([
        [undefined, "long#1", expect.any(String)],
      ]);
      expect((await find("third"))[0]?.after).toBeUndefined();
      expect((await find("fourth")).map(beside)).toEqual([[undefined, "long#4", undefined]]);
    });

    it("are never of another document, whatever its id is", async () => {
      const { find } = await newSearch(reader, {
        "a#1": "One word: zebra.",
        a: "Two words: zebra.",
        "a#2": "x",
      });
      for (const passage of await find("zebra", 5)) {
        expect([passage.before, passage.after]).toEqual([undefined, undefined]);
      }
    });

    it("are not given again if they were found themselves, or are between two found", async () => {
      const { find } = await newSearch(reader);
      const found = await find("first third", 2);
      expect(found.map(({ id }) => id).sort()).toEqual(["long#1", "long#3"]);
      const given = found.flatMap(({ before, after }) => [before, after].filter((one) => one));
      expect(given).toHaveLength(1);
      for (const { before, after } of await find("part", 5)) {
        expect([before, after]).toEqual([undefined, undefined]);
      }
    });

    it("are in the prompt, in which the text goes on as in the document", async () => {
      const { find } = await newSearch(reader);
      const [, question] = prompt("Why?", [], await find("second"), "k7f3");
      const text = question?.content ?? "";
      const places = ["The first", "The second", "The third"].map((name) => text.indexOf(name));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(places).not.toContain(-1);
    });

    it("are texts and their blocks alone", async () => {
      const { find } = await newSearch(reader);
      const [{ before, after } = {}] = await find("second");
      for (const neighbour of [before, after]) {
        expect(Object.keys(neighbour ?? {})).toEqual(["text", "blocks"]);
        expect(neighbour?.blocks).not.toEqual([]);
      }
    });

    it("are read for the best five passages, by one statement of few rows", async () => {
      const parts = Array.from({ length: 12 }, (_, i) => paragraph(`n${i}`)).join("\n\n");
      const documents = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`d${i}`, parts]));
      for (const id of Object.keys(documents))
        documents[id] = parts.replaceAll("things", `${id} things`);
      const { stub } = await newSearch(reader, documents);
      const { read, found } = await runInDurableObject(stub, async (corpus, { storage }) => {
        const retriever = READERS[reader](corpus);
        const search = () => retriever.retrieve("n5", 8, signal);
        const found = await search();
        // The passages that are found are remembered.
        const again = await rowsOf(storage.sql, search);
        const many = Array.from({ length: 50 }, (_, i) => `d${i % 8}#${1 + (i % 12)}`);
        const rows = await rowsOf(storage.sql, () => corpus.passagesAt(many));
        return { read: [again.read, rows.read], found };
      });
      expect(found).toHaveLength(8);
      expect(found.map(({ after }) => after !== undefined)).toEqual([
        ...[true, true, true, true, true, false, false, false],
      ]);
      const [again = 0, many = 0] = read;
      // Three rows for each of ten neighbours, and the number of passages.
      expect(again).toBeLessThanOrEqual(30 + 1);
      expect(many).toBeLessThanOrEqual(30);
    });
  },
);

describe("neighbours", () => {
  const passage = { id: "a#2", documentId: "a", title: "T", heading: [], url: null, text: "lamps" };
  const asked = async (settings: Record<string, string>) => {
    const stub = {
      search: vi.fn(async () => [{ ...passage, score: 1 }]),
      searchForPrompt: vi.fn(async () => [{ ...passage, score: 1 }]),
      passagesAt: vi.fn(async (_: readonly string[]) => []),
    };
    const CORPUS = { getByName: () => stub };
    const user = await newUser({ ...settings, CORPUS } as unknown as Record<string, string>);
    expect((await user.askForJson("lamps")).status).toBe(200);
    const calls = Object.entries(stub).flatMap(([name, { mock }]) =>
      mock.calls.map((parameters) => [name, ...parameters]),
    );
    return calls;
  };

  it("are read with the passages for a model, which has a prompt", async () => {
    expect(await asked({})).toEqual([["searchForPrompt", "lamps", 5]]);
  });

  it("are read after other searches, for the passages that are left", async () => {
    const reranked = await asked({
      RERANKER: "openai-compatible",
      RERANKER_BASE_URL: "http://127.0.0.1:9/v1",
      RERANKER_MODEL: "lab",
    });
    expect(reranked).toEqual([
      ["search", "lamps", expect.any(Number)],
      ["passagesAt", ["a#1", "a#3"]],
    ]);
  });

  it("are not read for quotes, which have none", async () => {
    expect(await asked({ GENERATOR: "extractive" })).toEqual([["search", "lamps", 5]]);
  });
});
