// What callers may read: the claim of a bearer token, the variable, and what an
// ask names. On every surface.

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { handle } from "../../src/edge/edge.ts";
import type { AnswerBody, ErrorBody, Examples } from "../../src/protocol.ts";
import type { Env } from "../../src/wiring.ts";
import { rowsOfCopy } from "../corpus/copied.ts";
import {
  asOperator,
  bearer,
  eventually,
  fetchApi,
  modelRequests,
  scripted,
  type TestUser,
} from "../harness.ts";
import { call } from "../mcp/rpc.ts";
import { newCollection, newName, newReader, put } from "./collection.ts";

const QUESTION = "How long may a ferret sleep in the hammock?";
const FERRET = "A ferret may sleep in the hammock for eighteen hours.";
const CABIN = "A ferret may sleep in the hammock of a cabin, for two hours at most.";

async function answerOf(user: TestUser, body: Record<string, unknown> = {}): Promise<AnswerBody> {
  const response = await user.askForJson(QUESTION, body);
  if (response.status !== 200) throw new Error(await response.text());
  return response.json();
}

const whereOf = (answer: AnswerBody) => answer.sources.map(({ collection }) => collection);

async function refusal(response: Response | Promise<Response>): Promise<unknown[]> {
  const { status } = await response;
  const { code, message } = await (await response).json<ErrorBody>();
  return [status, code, message];
}

describe("an ask", () => {
  it("searches the collections of the token's claim, and says which a source is of", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const answer = await answerOf(await newReader([home]));
    expect(answer.answer).toContain("eighteen hours");
    expect(whereOf(answer)).toEqual([home]);
    const both = await answerOf(await newReader([cabin, home]));
    expect(whereOf(both).sort()).toEqual([cabin, home].sort());
  });

  it("searches those that it names", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const reader = await newReader([home, cabin]);
    expect(whereOf(await answerOf(reader, { collections: [cabin] }))).toEqual([cabin]);
    expect(whereOf(await answerOf(reader, { collections: [home, home] }))).toEqual([home]);
    expect(whereOf(await answerOf(reader, { collections: null })).sort()).toEqual(
      [home, cabin].sort(),
    );
  });

  it("searches default without a claim, whose sources say nothing of it", async () => {
    const word = `hammock${newName().replaceAll("-", "")}`;
    await asOperator(`/admin/documents/${word}`, {
      method: "PUT",
      body: JSON.stringify({ title: "Hammocks", text: `The ${word} is kept in the shed.` }),
    });
    const response = await (await newReader()).askForJson(`Where is the ${word} kept?`);
    const { sources } = await response.json<AnswerBody>();
    expect(sources.map(({ documentId }) => documentId)).toEqual([word]);
    expect(sources[0]).not.toHaveProperty("collection");
    const elsewhere = await newReader([await newCollection(FERRET)]);
    const found = await elsewhere.askForJson(`Where is the ${word} kept?`);
    expect(await found.json()).toMatchObject({ found: false, sources: [] });
  });

  it("finds nothing, free, in a collection that does not exist or is empty", async () => {
    const emptied = await newCollection(FERRET);
    await asOperator(`/admin/collections/${emptied}/documents/page`, { method: "DELETE" });
    for (const name of [newName(), emptied]) {
      const reader = await newReader([name]);
      expect(await answerOf(reader)).toMatchObject({ found: false, sources: [] });
      expect(await reader.quota()).toMatchObject({ charged: 0, refunded: 1 });
    }
  });

  it("finds a collection's first document at once", async () => {
    const name = newName();
    const reader = await newReader([name]);
    expect(await answerOf(reader)).toMatchObject({ found: false });
    await put(name, "page", FERRET);
    expect(await answerOf(reader, { topK: 4 })).toMatchObject({ found: true });
  });

  it("is refused for a collection that may not be read, whether it exists or not", async () => {
    const [own, other, none] = [newName(), await newCollection(FERRET), newName()];
    const reader = await newReader([own]);
    for (const name of [other, none]) {
      expect(await refusal(reader.askForJson(QUESTION, { collections: [own, name] }))).toEqual([
        ...[404, "NOT_FOUND", `There is no collection "${name}" that you may read.`],
      ]);
    }
    expect(await reader.quota()).toMatchObject({ charged: 0, refunded: 0 });
    expect(await reader.receipts()).toEqual([]);
  });

  it("is refused for a token that may read nothing, on every surface", async () => {
    const reader = await newReader([]);
    const words = "Your bearer token names no collection that you may read. Get one that does.";
    expect(await refusal(reader.askForJson(QUESTION))).toEqual([403, "FORBIDDEN", words]);
    expect(await refusal(reader.request("/ai/examples"))).toEqual([403, "FORBIDDEN", words]);
    const { token } = reader;
    const chat = await openAi(token, { model: "belay" });
    expect([chat.status, (await chat.json<{ error: object }>()).error]).toMatchObject([
      403,
      { message: words },
    ]);
    for (const tool of ["ask", "search_documents"]) {
      const args = tool === "ask" ? { question: QUESTION } : { query: QUESTION };
      expect(await call(reader, tool, args)).toMatchObject({
        isError: true,
        content: [{ text: `${words} (FORBIDDEN)` }],
      });
    }
  });

  it("searches 16 collections at most", async () => {
    const names = Array.from({ length: 17 }, () => newName());
    names[16] = await newCollection(FERRET);
    const reader = await newReader(names);
    expect(await refusal(reader.askForJson(QUESTION))).toEqual([
      ...[400, "INVALID_REQUEST"],
      'You may read 17 collections, and an ask searches at most 16. Name some in the field "collections".',
    ]);
    expect((await refusal(reader.askForJson(QUESTION, { collections: names })))[2]).toBe(
      'The field "collections" must name at most 16 collections.',
    );
    expect(await answerOf(reader, { collections: names.slice(1) })).toMatchObject({ found: true });
  });

  it.each([
    [[], 'The field "collections" must name at least one collection.'],
    [["Home"], 'The field "collections.0" must be 1 to 64 lower-case letters, digits and hyphens.'],
    [[""], 'The field "collections.0" must be 1 to 64 lower-case letters, digits and hyphens.'],
    [
      ["x".repeat(65)],
      'The field "collections.0" must be 1 to 64 lower-case letters, digits and hyphens.',
    ],
    ["home", 'The field "collections" must be of type Array.'],
  ])("is refused for the names %j", async (collections, message) => {
    const reader = await newReader(["home"]);
    expect(await refusal(reader.askForJson(QUESTION, { collections }))).toEqual([
      ...[400, "INVALID_REQUEST", message],
    ]);
  });

  it("is another ask in another collection", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const reader = await newReader([home, cabin]);
    const first = await answerOf(reader, { collections: [home] });
    const again = await answerOf(reader, { collections: [home] });
    const other = await answerOf(reader, { collections: [cabin] });
    expect(again.queryId).toBe(first.queryId);
    expect(other.queryId).not.toBe(first.queryId);
    const key = { headers: { "idempotency-key": newName() } };
    expect((await reader.askForJson(QUESTION, { collections: [home] }, key)).status).toBe(200);
    expect((await reader.askForJson(QUESTION, { collections: [cabin] }, key)).status).toBe(422);
  });

  it("is another ask once the user may read other collections", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const before = await newReader([home]);
    const after = await newReader([cabin], {}, before.name);
    const first = await answerOf(before);
    const second = await answerOf(after);
    expect(second.queryId).not.toBe(first.queryId);
    expect(whereOf(second)).toEqual([cabin]);
  });

  it("takes a text that two collections have once", async () => {
    const [one, other] = [await newCollection(FERRET), await newCollection(FERRET)];
    const { sources } = await answerOf(await newReader([one, other]));
    expect(sources).toHaveLength(1);
  });

  it("tells documents with the same id apart", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const { sources } = await answerOf(await newReader([home, cabin]));
    expect(sources.map(({ id }) => id)).toEqual(["page#1", "page#1"]);
    expect(new Set(sources.map(({ collection }) => collection)).size).toBe(2);
  });
});

describe("copies of collections", () => {
  it("answer as their originals do, and have nothing of one that is deleted", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const plain = await answerOf(await newReader([home, cabin]));
    const reader = await newReader([home, cabin], {
      ...{ CORPUS_COPIES: "2", REPEAT_WINDOW_SECONDS: "0" },
    });
    await eventually(
      async () => (await answerOf(reader)).sources,
      (sources) => JSON.stringify(sources) === JSON.stringify(plain.sources),
    );
    const [key] = await env.CORPUS.getByName("corpus").collectionKeys([home]);
    const original = env.CORPUS.getByName(key?.key ?? "").id.toString();
    const passages = [1, 2].map((number) =>
      rowsOfCopy(env.COPIES.getByName(`copy ${number} of ${original}`), "SELECT id FROM passages"),
    );
    expect((await Promise.all(passages)).flat()).not.toEqual([]);
    await asOperator(`/admin/collections/${home}`, { method: "DELETE" });
    await eventually(
      async () => whereOf(await answerOf(reader)),
      (where) => !where.includes(home),
    );
    expect(whereOf(await answerOf(reader))).toEqual([cabin]);
  });
});

describe("a model's prompt", () => {
  it("has the neighbours of a passage from its own collection", async () => {
    const paragraph = (word: string) =>
      `The ${word} part. ${`It tells of ${word} things. `.repeat(30)}`;
    const long = (...parts: string[]) => parts.map(paragraph).join("\n\n");
    const home = await newCollection(long("maple", "walnut", "cherry"));
    const cabin = await newCollection(long("granite", "basalt", "marble"));
    await newCollection(long("amber", "walnut", "topaz"));
    const reader = await newReader([home, cabin], { GENERATOR: "openai" });
    const tag = newName("neighbours");
    const query = scripted({ tag, tokens: 1 }, "What of walnut?");
    expect((await reader.askForJson(query, { topK: 1 })).status).toBe(200);
    const prompt = JSON.stringify((await modelRequests(tag))[0]?.messages);
    for (const word of ["maple", "walnut", "cherry"]) expect(prompt).toContain(`The ${word} part`);
    for (const word of ["granite", "marble", "amber", "topaz"]) expect(prompt).not.toContain(word);
  });
});

describe("the claim collections", () => {
  it.each([
    ...["home", 7, true, null, {}].map((claim) => [claim]),
    ...[[1], ["Home"], ["a b"], [""], Array(201).fill("home")].map((claim) => [claim]),
  ])("is refused if it is %j", async (claim) => {
    const reader = await newReader(claim);
    const response = await reader.request("/ai/quota");
    expect(response.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
    expect(await refusal(response)).toEqual([
      ...[401, "UNAUTHENTICATED"],
      "The bearer token's collections must be a list of at most 200 names, each of 1 to 64 lower-case letters, digits and hyphens.",
    ]);
  });

  it("changes nothing for an operator's routes", async () => {
    const token = await bearer({ sub: "ops", scope: "operator", collections: [] });
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetchApi("/api/v1/admin/collections", { headers })).status).toBe(200);
  });
});

describe("the variable COLLECTIONS", () => {
  const PAGE = { origin: "https://belay.test", "sec-fetch-site": "same-origin" };

  async function ask(COLLECTIONS: string, headers: Record<string, string>): Promise<Response> {
    const request = new Request("https://belay.test/api/v1/ai/ask", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query: QUESTION }),
    });
    return handle(request, { ...env, COLLECTIONS } as unknown as Env);
  }

  it("says what a token without the claim reads, and a reader without a token", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const authorization = `Bearer ${(await newReader()).token}`;
    const claimed = `Bearer ${(await newReader([cabin])).token}`;
    const address = { "cf-connecting-ip": "203.0.113.77" };
    const asked = async (headers: Record<string, string>) =>
      whereOf(await (await ask(` ${home} , ${home}`, headers)).json<AnswerBody>());
    expect(await asked({ authorization })).toEqual([home]);
    expect(await asked({ authorization: claimed })).toEqual([cabin]);
    expect(await asked({ ...PAGE, ...address })).toEqual([home]);
  });

  it("says what a page that embeds Belay reads, and names nothing else", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const origin = "https://docs.example";
    const page = { origin, "cf-connecting-ip": "203.0.113.78", "sec-fetch-site": "cross-site" };
    const send = (path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const init = {
        method: "POST",
        headers: { ...page, ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      };
      const variables = { EMBED_ORIGINS: origin, COLLECTIONS: home };
      const request = new Request(`https://belay.test/api/v1${path}`, init);
      return handle(request, { ...env, ...variables } as unknown as Env);
    };
    const { token } = await (await send("/session")).json<{ token: string }>();
    const asked = (collections?: string[]) =>
      send("/ai/ask", { query: QUESTION, collections }, { authorization: `Bearer ${token}` });
    expect(whereOf(await (await asked()).json<AnswerBody>())).toEqual([home]);
    expect((await asked([home])).status).toBe(200);
    expect((await asked([cabin])).status).toBe(404);
  });

  it.each(["Home", "a,,b", "a b", ","])("is refused as %j", async (value) => {
    const authorization = `Bearer ${(await newReader()).token}`;
    expect((await refusal(ask(value, { authorization })))[2]).toContain("The variable COLLECTIONS");
  });
});

describe("example questions", () => {
  it("are those of the collections that the caller may read", async () => {
    const one = await newCollection("# How long do ferrets sleep?\n\nLong.", "One");
    const other = await newCollection("# What do ferrets eat?\n\nMeat.", "Other");
    const examples = (user: TestUser, path = "") => user.get<Examples>(`/ai/examples${path}`);
    const both = await newReader([one, other]);
    expect(await examples(await newReader([one]))).toEqual({
      ...{ empty: false, questions: ["How long do ferrets sleep?"] },
    });
    expect([...(await examples(both)).questions].sort()).toEqual([
      ...["How long do ferrets sleep?", "What do ferrets eat?"],
    ]);
    expect((await examples(both, `?collections=${other}`)).questions).toEqual([
      "What do ferrets eat?",
    ]);
    expect(await examples(await newReader([newName()]))).toEqual({ empty: true, questions: [] });
    expect((await both.request("/ai/examples?collections=hidden")).status).toBe(404);
    expect((await both.request("/ai/examples?collections=No name")).status).toBe(400);
  });
});

describe("the models", () => {
  it("are those of the collections that the caller may read", async () => {
    const [home, other] = [newName(), await newCollection(FERRET)];
    const { token } = await newReader([home]);
    const get = (path: string) =>
      fetchApi(`/v1/models${path}`, { headers: { authorization: `Bearer ${token}` } });
    const { data } = await (await get("")).json<{ data: { id: string }[] }>();
    expect(data.map(({ id }) => id)).toEqual(["belay", `belay/${home}`]);
    expect((await get(`/belay%2F${home}`)).status).toBe(200);
    const errors = [];
    for (const name of [other, newName()]) {
      const response = await get(`/belay%2F${name}`);
      errors.push([response.status, (await response.json<{ error: object }>()).error]);
    }
    expect(errors[0]).toEqual(errors[1]);
    expect(errors[0]).toMatchObject([404, { code: "model_not_found" }]);
  });

  it("name the collection of an ask", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const { token } = await newReader([home, cabin]);
    const searched = async (body: object, path?: string) => {
      const { belay } = await (await openAi(token, body, path)).json<{ belay: AnswerBody }>();
      return whereOf(belay).sort();
    };
    expect(await searched({ model: `belay/${cabin}` })).toEqual([cabin]);
    expect(await searched({ model: "belay" })).toEqual([home, cabin].sort());
    expect(await searched({ model: "belay", belay: { collections: [home] } })).toEqual([home]);
    const twice = { model: `belay/${cabin}`, belay: { collections: [home] } };
    expect((await openAi(token, twice)).status).toBe(400);
    for (const model of [`belay/${await newCollection(FERRET)}`, `belay/${newName()}`, "belay/"]) {
      expect((await openAi(token, { model })).status).toBe(404);
    }
  });
});

describe("the tools of MCP", () => {
  it("search the collections that they are told, of those that may be read", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const reader = await newReader([home, cabin]);
    const found = async (args: object) => {
      const { structuredContent } = await call(reader, "search_documents", {
        query: QUESTION,
        ...args,
      });
      const { passages } = structuredContent as { passages: { collection: string }[] };
      return passages.map(({ collection }) => collection);
    };
    expect((await found({})).sort()).toEqual([home, cabin].sort());
    expect(await found({ collections: [cabin] })).toEqual([cabin]);
    const asked = await call(reader, "ask", { question: QUESTION, collections: [home] });
    expect(whereOf(asked.structuredContent as unknown as AnswerBody)).toEqual([home]);
    const hidden = await newCollection(FERRET);
    for (const name of [hidden, newName()]) {
      for (const tool of ["ask", "search_documents"]) {
        const args = tool === "ask" ? { question: QUESTION } : { query: QUESTION };
        expect(await call(reader, tool, { ...args, collections: [name] })).toMatchObject({
          isError: true,
          content: [{ text: `There is no collection "${name}" that you may read. (NOT_FOUND)` }],
        });
      }
    }
  });
});

function openAi(token: string, body: object, path = "/v1/chat/completions"): Promise<Response> {
  return fetchApi(path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: QUESTION }], ...body }),
  });
}
