// The list of collections and their documents, as operators see and change
// them: made, renamed, deleted, and documents that move between them.

import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { CorpusObject } from "../../src/corpus/corpus-object.ts";
import type { AnswerBody } from "../../src/protocol.ts";
import { newCorpus } from "../corpus/new-corpus.ts";
import { asOperator } from "../harness.ts";
import { newCollection, newName, newReader, put } from "./collection.ts";

const QUESTION = "How long may a ferret sleep in the hammock?";
const FERRET = "A ferret may sleep in the hammock for eighteen hours.";

interface Entry {
  readonly name: string;
  readonly documents: number;
  readonly passages: number;
}

interface Page {
  readonly collections: readonly Entry[];
  readonly after: string | null;
}

async function all(): Promise<readonly Entry[]> {
  return (await (await asOperator("/admin/collections?limit=200")).json<Page>()).collections;
}

const entryOf = async (name: string) => (await all()).find((entry) => entry.name === name);

const send = async (method: string, path: string, body?: unknown) => {
  const response = await asOperator(`/admin/collections/${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json<Record<string, unknown>>() };
};

const documentsOf = async (collection: string) => {
  const { status, body } = await send("GET", `${collection}/documents`);
  return status === 404 ? undefined : (body.documents as { id: string }[]).map(({ id }) => id);
};

/** The key of a collection's object. */
async function keyOf(name: string): Promise<string> {
  const [found] = await env.CORPUS.getByName("corpus").collectionKeys([name]);
  return found?.key ?? "";
}

async function found(collection: string): Promise<boolean> {
  const response = await (await newReader([collection])).askForJson(QUESTION);
  return (await response.json<AnswerBody>()).found;
}

afterEach(() => vi.restoreAllMocks());

/** No isolate knows a name for longer. */
const forgotten = () => scheduler.wait(2_100);

describe("the list", () => {
  it("has each collection with its counts, and default always", async () => {
    const name = await newCollection(`${FERRET}\n\n# Food\n\nMeat.`);
    await put(name, "second", "More.");
    expect(await entryOf(name)).toEqual({ name, documents: 2, passages: 3 });
    expect(await entryOf("default")).toMatchObject({ name: "default" });
  });

  it("is read page by page, in the order of the names", async () => {
    for (let i = 0; i < 3; i += 1) await newCollection(FERRET);
    const names: string[] = [];
    let after: string | null = "";
    while (after !== null) {
      const page: Page = await (
        await asOperator(`/admin/collections?limit=2&after=${after}`)
      ).json<Page>();
      expect(page.collections.length).toBeLessThanOrEqual(2);
      names.push(...page.collections.map(({ name }) => name));
      after = page.after;
    }
    expect(names).toEqual((await all()).map(({ name }) => name));
    expect(names).toEqual([...names].sort());
    expect(names).toContain("default");
  });

  it("is for operators alone", async () => {
    const reader = await newReader();
    expect((await reader.request("/admin/collections")).status).toBe(403);
    expect((await reader.request("/admin/collections/a/documents")).status).toBe(403);
    expect((await reader.request("/admin/collections/a", { method: "DELETE" })).status).toBe(403);
  });

  it("has at most 1,000 collections, those not yet emptied included", async () => {
    const list = newCorpus();
    await list.stub.reserveCollection("first");
    await runInDurableObject(list.stub, (_, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
         INSERT INTO collections (key, name, created_at)
         SELECT 'key ' || i, CASE WHEN i > 1 THEN 'c' || i END, 0 FROM n`,
      );
    });
    // 999, and one that has no document yet.
    const last = await list.stub.reserveCollection("last");
    expect(last).toMatchObject({ isOpen: false });
    const late = await list.stub.reserveCollection("late");
    expect(await list.stub.openCollection(last?.key ?? "")).toBe(true);
    expect(await list.stub.openCollection(late?.key ?? "")).toBe(false);
    expect(await list.stub.reserveCollection("another")).toBeUndefined();
    expect(await list.stub.reserveCollection("c7")).toEqual({ key: "key 7", isOpen: true });
  });

  it("keeps a collection that was emptied, and knows none that never had a document", async () => {
    const name = await newCollection(FERRET);
    expect((await send("DELETE", `${name}/documents/page`)).status).toBe(200);
    expect(await entryOf(name)).toEqual({ name, documents: 0, passages: 0 });
    expect(await documentsOf(newName())).toBeUndefined();
  });
});

describe("a collection", () => {
  it("has the documents of its own", async () => {
    const [one, other] = [await newCollection(FERRET), await newCollection("Other.")];
    expect((await send("GET", `${one}/documents/page`)).body.text).toBe(FERRET);
    expect((await send("GET", `${other}/documents/page`)).body.text).toBe("Other.");
    const { body } = await send("GET", `${one}/documents?search=hammock`);
    expect(body.passages).toHaveLength(1);
    expect((await send("GET", `${other}/documents?search=hammock`)).body.passages).toEqual([]);
    expect((await asOperator("/admin/documents/page")).status).toBe(404);
  });

  it.each(["Home", "a_b", "x".repeat(65), "%C3%A4"])("cannot be named %s", async (name) => {
    expect((await put(name, "page", FERRET)).status).toBe(404);
    expect((await send("GET", `${name}/documents`)).status).toBe(404);
    expect((await send("DELETE", name)).status).toBe(404);
  });

  it("named default is the one of the other routes", async () => {
    const id = newName("page");
    expect((await put("default", id, FERRET)).status).toBe(201);
    expect((await asOperator(`/admin/documents/${id}`)).status).toBe(200);
    await asOperator(`/admin/documents/${id}`, { method: "DELETE" });
  });

  it("takes another name, under which alone it is found", async () => {
    const [name, to] = [await newCollection(FERRET), newName()];
    expect(await found(name)).toBe(true);
    expect(await send("PATCH", name, { name: to })).toEqual({
      ...{ status: 200, body: { name: to, documents: 1, passages: 1 } },
    });
    expect(await documentsOf(name)).toBeUndefined();
    expect(await documentsOf(to)).toEqual(["page"]);
    expect(await found(to)).toBe(true);
    await forgotten();
    expect(await found(name)).toBe(false);
    expect((await send("PATCH", name, { name: newName() })).status).toBe(404);
  });

  it("takes no name that another one has, and keeps its own", async () => {
    const [one, other] = [await newCollection(FERRET), await newCollection("Other.")];
    expect(await send("PATCH", one, { name: other })).toMatchObject({
      status: 400,
      body: { message: `There is a collection "${other}" already. Choose another name.` },
    });
    expect((await send("PATCH", one, { name: "default" })).status).toBe(400);
    expect((await send("PATCH", "default", { name: newName() })).status).toBe(400);
    expect((await send("PATCH", one, { name: "No name" })).status).toBe(400);
    expect((await send("PATCH", one, { name: one })).status).toBe(200);
    expect([await documentsOf(one), await documentsOf(other)]).toEqual([["page"], ["page"]]);
  });

  it("is gone with its documents when it is deleted, also for who knew it", async () => {
    const name = await newCollection(FERRET);
    expect(await found(name)).toBe(true);
    expect(await send("DELETE", name)).toEqual({ status: 200, body: { name, deleted: true } });
    expect(await found(name)).toBe(false);
    expect(await documentsOf(name)).toBeUndefined();
    expect(await entryOf(name)).toBeUndefined();
    expect((await send("DELETE", name)).status).toBe(404);
    expect((await send("DELETE", "default")).status).toBe(400);
  });

  it("begins again with none of the former documents", async () => {
    const name = await newCollection(FERRET);
    const former = await keyOf(name);
    await send("DELETE", name);
    await put(name, "second", "Other.");
    expect(await documentsOf(name)).toEqual(["second"]);
    expect(await keyOf(name)).not.toBe(former);
  });

  it("takes no document that arrives when it is deleted", async () => {
    const name = await newCollection(FERRET);
    const former = env.CORPUS.getByName(await keyOf(name));
    await send("DELETE", name);
    const late = await former.fetch("https://belay.test/api/v1/admin/documents/late", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title: "Late", text: FERRET }),
    });
    expect([late.status, (await late.json<{ message: string }>()).message]).toEqual([
      ...[404, "There is no collection with this name."],
    ]);
    expect(await former.search("hammock", 5)).toEqual([]);
    expect(await former.take({ id: "x", title: "x", url: null, text: "x", sample: false })).toBe(
      false,
    );
    await abortAllDurableObjects();
    const again = env.CORPUS.getByName(former.name ?? "");
    expect(await again.counts()).toMatchObject({ documents: 0, passages: 0 });
  });

  it("is emptied later if its object cannot be reached", async () => {
    const name = await newCollection(FERRET);
    const object = env.CORPUS.getByName(await keyOf(name));
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(CorpusObject.prototype, "close").mockImplementationOnce(() => {
      throw new Error("reset");
    });
    expect((await send("DELETE", name)).status).toBe(200);
    expect(log).toHaveBeenCalledWith(
      ...["A deleted collection was not emptied, and is tried again:", expect.any(String)],
    );
    expect(await object.counts()).toMatchObject({ documents: 1 });
    expect(await documentsOf(name)).toBeUndefined();
    await runInDurableObject(env.CORPUS.getByName("corpus"), (list) => list.alarm());
    expect(await object.counts()).toMatchObject({ documents: 0, passages: 0 });
  });

  it("that is deleted while an ask runs leaves the ask its answer", async () => {
    const name = await newCollection(FERRET);
    const reader = await newReader([name], { EXTRACTIVE_TOKENS_PER_SECOND: "20" });
    const stream = await reader.ask(QUESTION);
    await stream.until("token");
    await send("DELETE", name);
    const events = await stream.all();
    expect(events.at(-1)).toMatchObject({ type: "done", found: true });
    expect(await found(name)).toBe(false);
  });
});

describe("a document", () => {
  const move = (collection: string, id: string, to: unknown) =>
    send("POST", `${collection}/documents/${id}/move`, { to });

  it("moves to another collection, which it makes", async () => {
    const [from, to] = [await newCollection(FERRET), newName()];
    expect(await move(from, "page", to)).toEqual({
      ...{ status: 200, body: { id: "page", collection: to } },
    });
    expect([await documentsOf(from), await documentsOf(to)]).toEqual([[], ["page"]]);
    expect([await found(from), await found(to)]).toEqual([false, true]);
    expect((await move(from, "page", to)).status).toBe(404);
    expect((await move(to, "page", to)).status).toBe(200);
    expect(await documentsOf(to)).toEqual(["page"]);
  });

  it("moves out of default and back", async () => {
    const [id, to] = [newName("page"), newName()];
    await asOperator(`/admin/documents/${id}`, {
      method: "PUT",
      body: JSON.stringify({ title: "A", text: "B", url: "https://a.example/" }),
    });
    const moved = await asOperator(`/admin/documents/${id}/move`, {
      method: "POST",
      body: JSON.stringify({ to }),
    });
    expect(moved.status).toBe(200);
    expect((await asOperator(`/admin/documents/${id}`)).status).toBe(404);
    expect((await send("GET", `${to}/documents/${id}`)).body).toMatchObject({
      ...{ title: "A", text: "B", url: "https://a.example/" },
    });
    expect((await move(to, id, "default")).status).toBe(200);
    expect((await asOperator(`/admin/documents/${id}`)).status).toBe(200);
    await asOperator(`/admin/documents/${id}`, { method: "DELETE" });
  });

  it("replaces the document with its id", async () => {
    const [from, to] = [await newCollection(FERRET), await newCollection("Other.")];
    expect((await move(from, "page", to)).status).toBe(200);
    expect((await send("GET", `${to}/documents/page`)).body.text).toBe(FERRET);
    expect(await entryOf(to)).toMatchObject({ documents: 1, passages: 1 });
  });

  it.each(["No name", "", 7, null])("does not move to %j", async (to) => {
    const from = await newCollection(FERRET);
    expect((await move(from, "page", to)).status).toBe(400);
    expect(await documentsOf(from)).toEqual(["page"]);
  });

  it("stays where it is if the other collection is deleted meanwhile", async () => {
    const [from, to] = [await newCollection(FERRET), await newCollection("Other.")];
    const target = env.CORPUS.getByName(await keyOf(to));
    await target.close();
    expect(await move(from, "page", to)).toMatchObject({
      status: 404,
      body: { message: "There is no collection with this name." },
    });
    expect(await documentsOf(from)).toEqual(["page"]);
  });

  it("is in one collection again after the other's object was lost in between", async () => {
    const [from, to] = [await newCollection(FERRET), await newCollection("Other.")];
    const source = env.CORPUS.getByName(await keyOf(from));
    // It has stored the document, and its answer is lost.
    const { take } = CorpusObject.prototype;
    vi.spyOn(CorpusObject.prototype, "take").mockImplementationOnce(async function (
      this: CorpusObject,
      document,
    ) {
      await take.call(this, document);
      throw new Error("lost");
    });
    expect(await move(from, "page", to)).toMatchObject({
      status: 503,
      body: { code: "UNAVAILABLE" },
    });
    expect([await documentsOf(from), await documentsOf(to)]).toEqual([["page"], ["page"]]);
    expect(await move(from, "page", newName())).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("is being moved to another collection") },
    });
    const name = source.name ?? "";
    await abortAllDurableObjects();
    await runInDurableObject(env.CORPUS.getByName(name), async (object, { storage }) => {
      expect(await storage.getAlarm()).not.toBeNull();
      await object.alarm();
    });
    expect([await documentsOf(from), await documentsOf(to)]).toEqual([[], ["page"]]);
  });

  it("keeps a newer text that arrives while it moves", async () => {
    const [from, to] = [await newCollection(FERRET), await newCollection("Other.")];
    const { take } = CorpusObject.prototype;
    vi.spyOn(CorpusObject.prototype, "take").mockImplementationOnce(async function (
      this: CorpusObject,
      document,
    ) {
      await take.call(this, document);
      await put(from, "page", "Newer.");
      return true;
    });
    expect((await move(from, "page", to)).status).toBe(200);
    expect((await send("GET", `${to}/documents/page`)).body.text).toBe("Newer.");
    expect(await documentsOf(from)).toEqual([]);
  });
});
