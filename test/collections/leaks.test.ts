// Where a collection could show to a caller who may not read it, apart from
// answers: in refusals and their order of work, in what other collections find,
// in what was answered before, and on routes that name no collection.

import { afterEach, describe, expect, it, vi } from "vitest";
import { CorpusObject } from "../../src/corpus/corpus-object.ts";
import type { AnswerBody } from "../../src/protocol.ts";
import { asOperator, fetchApi, modelRequests, scripted, type TestUser } from "../harness.ts";
import { newCollection, newName, newReader, put } from "./collection.ts";
import { askOn, SEARCHES, SURFACES } from "./surfaces.ts";

const QUESTION = "How long may a ferret sleep in the hammock?";
const FERRET = "A ferret may sleep in the hammock for eighteen hours.";
const CABIN = "A ferret may sleep in the hammock of a cabin, for two hours at most.";

afterEach(() => vi.restoreAllMocks());

const openAi = (user: TestUser, path: string, body?: object) =>
  fetchApi(path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${user.token}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

/** All that a client sees of a response, without the name that it sent. */
async function seen(response: Response, name: string) {
  const text = (await response.text()).replaceAll(name, "NAME");
  return { status: response.status, headers: [...response.headers], text };
}

describe.each(Object.keys({ ...SURFACES, ...SEARCHES }))(
  "a refusal on the surface %s",
  (surface) => {
    it("is the same for a collection that exists and one that does not, before any look-up", async () => {
      const own = await newCollection(FERRET);
      const [hidden, missing] = [await newCollection(FERRET), newName()];
      const user = await newReader([own]);
      await (await askOn(surface, user, QUESTION, [own])).text();
      const asked = await user.receipts();
      const methods = ["search", "termsOf", "passagesOf", "examples", "collectionKeys"] as const;
      const calls = methods.map((method) => vi.spyOn(CorpusObject.prototype, method));
      const refusals = [];
      for (const name of [hidden, missing]) {
        refusals.push(await seen(await askOn(surface, user, QUESTION, [name]), name));
      }
      expect(refusals[0]).toEqual(refusals[1]);
      expect(refusals[0]?.text).toMatch(/may read|no such model/);
      for (const call of calls) expect(call).not.toHaveBeenCalled();
      expect(await user.receipts()).toEqual(asked);
    });
  },
);

describe("a collection that a caller may not read", () => {
  it("changes no passage, rank or score of what the caller finds", async () => {
    const [home, cabin, hidden] = [
      await newCollection(FERRET),
      await newCollection(CABIN),
      newName(),
    ];
    await put(home, "second", "The hammock of the ferret hangs in the pantry.");
    const user = await newReader([home, cabin], { REPEAT_WINDOW_SECONDS: "0" });
    const found = async () => {
      const { answer, sources } = await (await user.askForJson(QUESTION)).json<AnswerBody>();
      return { answer, sources };
    };
    const before = await found();
    expect(before.sources.length).toBeGreaterThan(1);
    for (let i = 0; i < 20; i += 1) await put(hidden, `page-${i}`, `${FERRET} ${i}`);
    expect(await found()).toEqual(before);
  });

  it("changes nothing on routes that name no collection", async () => {
    const user = await newReader([newName()]);
    const texts = async () => {
      const own = ["/ai/quota", "/ai/queries", "/ai/examples", "/page"];
      const open = ["/healthz", "/api/v1/openapi.json", "/.well-known/oauth-protected-resource"];
      return Promise.all([
        ...own.map(async (path) => (await user.request(path)).text()),
        ...open.map(async (path) => (await fetchApi(path)).text()),
        (await openAi(user, "/v1/models")).text(),
      ]);
    };
    const before = await texts();
    const hidden = await newCollection(FERRET);
    expect(await texts()).toEqual(before);
    expect(before.join()).not.toContain(hidden);
  });

  it("is not previewed, exported, listed, renamed or moved from, except by operators", async () => {
    const hidden = await newCollection(FERRET);
    const user = await newReader([hidden]);
    for (const [method, path] of [
      ["GET", `/admin/collections/${hidden}/documents?search=ferret`],
      ["GET", `/admin/collections/${hidden}/documents/page`],
      ["GET", `/admin/export?collection=${hidden}`],
      ["POST", `/admin/import?collection=${hidden}`],
      ["GET", "/admin/collections"],
      ["PATCH", `/admin/collections/${hidden}`],
      ["DELETE", `/admin/collections/${hidden}`],
      ["PUT", `/admin/collections/${hidden}/documents/page`],
      ["DELETE", `/admin/collections/${hidden}/documents/page`],
      ["POST", `/admin/collections/${hidden}/documents/page/move`],
      ["GET", "/admin/queries"],
      ["GET", "/admin/report"],
    ] as const) {
      const response = await user.request(path, { method });
      expect([path, response.status]).toEqual([path, 403]);
      expect(await response.text()).not.toContain("ferret");
    }
    expect((await asOperator(`/admin/collections/${hidden}/documents/page`)).status).toBe(200);
  });
});

describe("a user whose claim has lost a collection", () => {
  it("has follow-ups that search and quote the others alone", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const model = { GENERATOR: "openai" };
    const before = await newReader([home], model);
    const first = await openAi(before, "/v1/responses", {
      ...{ model: "belay", input: scripted({ tag: newName("first"), tokens: 1 }, QUESTION) },
    });
    const { id } = await first.json<{ id: string }>();
    const after = await newReader([cabin], model, before.name);
    const tag = newName("second");
    const second = await openAi(after, "/v1/responses", {
      ...{ model: "belay", previous_response_id: id },
      input: scripted({ tag, tokens: 1 }, "And how long may it sleep in the hammock?"),
    });
    const { belay } = await second.json<{ belay: AnswerBody }>();
    expect(new Set(belay.sources.map(({ collection }) => collection))).toEqual(new Set([cabin]));
    const prompt = JSON.stringify((await modelRequests(tag))[0]?.messages);
    expect(prompt).toContain("two hours");
    expect(prompt).not.toContain("eighteen hours");
  });

  it("keeps their own answers, which other users do not get by any id", async () => {
    const home = await newCollection(FERRET);
    const before = await newReader([home]);
    const { queryId } = await (await before.askForJson(QUESTION)).json<AnswerBody>();
    const after = await newReader([await newCollection("Other.")], {}, before.name);
    expect(await after.receipt(queryId)).toMatchObject({ collections: [home] });
    const { queries } = await after.get<{ queries: object[] }>("/ai/queries?search=eighteen");
    expect(queries).toHaveLength(1);
    const other = await newReader([home]);
    expect((await other.get<{ queries: object[] }>("/ai/queries?search=eighteen")).queries).toEqual(
      [],
    );
    for (const path of [
      ...[`/ai/queries/${queryId}`, `/ai/queries/${queryId}/events`],
      ...[`/ai/queries/${queryId}/cancel`, "/ai/feedback"],
    ]) {
      const isPost = /cancel|feedback/.test(path);
      const body = { queryId, rating: "up" };
      const response = isPost ? await other.post(path, body) : await other.request(path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.text()).not.toContain("eighteen");
    }
    expect((await openAi(after, `/v1/responses/resp_${queryId}`)).status).toBe(200);
    const response = await openAi(other, `/v1/responses/resp_${queryId}`);
    expect([response.status, (await response.text()).includes("eighteen")]).toEqual([404, false]);
    const following = await openAi(other, "/v1/responses", {
      ...{ model: "belay", input: "And?", previous_response_id: `resp_${queryId}` },
    });
    expect([following.status, (await following.text()).includes("eighteen")]).toEqual([400, false]);
  });

  it("does not get an answer of it again under its Idempotency-Key", async () => {
    const [home, cabin] = [await newCollection(FERRET), await newCollection(CABIN)];
    const init = { headers: { "idempotency-key": newName() } };
    const before = await newReader([home, cabin]);
    expect(await (await before.askForJson(QUESTION, {}, init)).text()).toContain("eighteen");
    const after = await newReader([cabin], {}, before.name);
    const again = await after.askForJson(QUESTION, {}, init);
    expect([again.status, (await again.text()).includes("eighteen")]).toEqual([422, false]);
  });
});
