// Search by meaning with a real embedding model, through the adapter for
// OpenAI-compatible endpoints. Questions share no word with what answers them.

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { FakeVectorize } from "../embedders/fake-vectorize.ts";
import { type AnswerBody, newUser, type TestUser } from "../harness.ts";
import { corpora } from "../worker.ts";

const DOCUMENTS: Record<string, string> = {
  salaries: "Staff receive their salary on the last Friday of the month.",
  display: "If the screen stays black, hold the power key for ten seconds.",
  puppies: "A puppy must be vaccinated when it is eight weeks old.",
  transfers: "Bank transfers arrive on the next working day.",
  trams: "Trams do not run after midnight.",
  espresso: "Pour the beans into the grinder and choose the finest setting.",
  parcels: "Parcels that were damaged are replaced without charge.",
  leave: "Every worker has thirty days of paid holiday in a year.",
  password: "Choose Forgotten credentials to receive a link by mail.",
  codes: "E4711: the valve is stuck. E4712: the valve is missing.",
};

/** Each question, and the document that answers it in other words. */
const QUESTIONS: readonly [question: string, document: string][] = [
  ["When do employees get paid?", "salaries"],
  ["My monitor will not turn on", "display"],
  ["When does my young dog need its shots?", "puppies"],
  ["How long until money reaches my account?", "transfers"],
  ["Is there late night public transport?", "trams"],
  ["How do I make coffee?", "espresso"],
  ["My package came broken", "parcels"],
  ["How much vacation do employees get?", "leave"],
  ["I cannot log in any more", "password"],
];

const users: Record<string, TestUser> = {};

beforeAll(async () => {
  const name = crypto.randomUUID();
  const endpoint = {
    EMBEDDER: "openai",
    OPENAI_BASE_URL: env.EMBEDDING_URL,
    EMBEDDING_MODEL: "use",
  };
  const adapters = {
    ...endpoint,
    GENERATOR: "extractive",
    VECTORIZE: new FakeVectorize({ dimensions: 512 }),
  };
  corpora.set(name, { ...adapters, RETRIEVER: "hybrid" });
  const corpus = env.CORPUS.getByName(name);
  for (const [id, text] of Object.entries(DOCUMENTS)) {
    await corpus.fetch(`https://belay.test/api/v1/admin/documents/${id}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title: "Handbook", text }),
    });
  }
  for (let i = 0; i < 10 && (await runDurableObjectAlarm(corpus)); i++);
  expect(adapters.VECTORIZE.vectors.size).toBe(Object.keys(DOCUMENTS).length);
  const CORPUS = { getByName: () => env.CORPUS.getByName(name) };
  for (const RETRIEVER of ["full-text", "vector", "hybrid"]) {
    const settings = {
      ...adapters,
      RETRIEVER,
      CORPUS,
      QUOTA_LIMIT: "100",
      EXTRACTIVE_TOKENS_PER_SECOND: "0",
    };
    users[RETRIEVER] = await newUser(settings as unknown as Record<string, string>);
  }
}, 30_000);

async function sourcesOf(retriever: string, query: string): Promise<string[]> {
  const response = await users[retriever]?.askForJson(query, { topK: 3 });
  expect(response?.status).toBe(200);
  return ((await response?.json<AnswerBody>())?.sources ?? []).map(({ documentId }) => documentId);
}

describe("a question that shares no word with its answer", () => {
  it.each(QUESTIONS)("%s is answered by %s, which no word finds", async (question, document) => {
    expect(await sourcesOf("full-text", question)).not.toContain(document);
    expect(await sourcesOf("vector", question)).toContain(document);
    expect(await sourcesOf("hybrid", question)).toContain(document);
  });
});

describe("a question by name", () => {
  it("is answered by a hybrid search as by words", async () => {
    expect((await sourcesOf("full-text", "E4712"))[0]).toBe("codes");
    expect((await sourcesOf("hybrid", "E4712"))[0]).toBe("codes");
  });

  it("and in other words at once has both documents among its sources", async () => {
    const found = await sourcesOf("hybrid", "E4712 on my broken monitor");
    expect(found).toContain("codes");
    expect(found).toContain("display");
  });
});
