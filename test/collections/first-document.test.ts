// The first document of a collection makes it. One that is refused, or lost on
// the way, leaves nothing: no collection, and the samples where they were.

import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CorpusObject } from "../../src/corpus/corpus-object.ts";
import type { AnswerBody } from "../../src/protocol.ts";
import { asOperator } from "../harness.ts";
import { newCollection, newName, newReader, put } from "./collection.ts";

const TEXT = "A ferret may sleep in the hammock for eighteen hours.";
const JSON_TYPE = { "content-type": "application/json" };

/** What is sent instead of a good document. */
interface Sent {
  readonly headers: Record<string, string>;
  readonly body?: BodyInit | null;
}

const DOCUMENT = JSON.stringify({ title: "A page", text: TEXT });

const list = () => env.CORPUS.getByName("corpus");
const named = async () =>
  (
    await (
      await asOperator("/admin/collections?limit=200")
    ).json<{
      collections: { name: string; documents: number }[];
    }>()
  ).collections;
const entryOf = async (name: string) => (await named()).find((entry) => entry.name === name);
const documents = async (name: string) => asOperator(`/admin/collections/${name}/documents`);
const textOf = async (name: string, id = "page") => {
  const response = await asOperator(`/admin/collections/${name}/documents/${id}`);
  return response.ok ? (await response.json<{ text: string }>()).text : response.status;
};
const rows = (query: string) =>
  runInDurableObject(list(), (_, { storage }) => storage.sql.exec(query).toArray());
const keyOf = async (name: string) =>
  (await rows(`SELECT key FROM collections WHERE name = '${name}'`))[0]?.key as string;
const asked = async (name: string) => {
  const response = await (await newReader([name])).askForJson("May a ferret sleep in the hammock?");
  return response.json<AnswerBody>();
};
const isSampleThere = async () => (await asOperator("/admin/documents/sample")).status === 200;
const alarm = () => runInDurableObject(list(), (object) => object.alarm());

/** As if the last request for this name had come an hour ago. */
const age = (name: string) =>
  rows(`UPDATE collections SET created_at = created_at - 3600000 WHERE name = '${name}'`);

beforeEach(async () => {
  // Only samples: the first document of a collection deletes them.
  const { documents } = await (await asOperator("/admin/documents?limit=200")).json<{
    documents: { id: string }[];
  }>();
  for (const { id } of documents) await asOperator(`/admin/documents/${id}`, { method: "DELETE" });
  const sample = { title: "Sample", text: "# What is Belay?\n\nBelay answers.", sample: true };
  await asOperator("/admin/documents/sample", { method: "PUT", body: JSON.stringify(sample) });
});
afterEach(() => vi.restoreAllMocks());

describe("a first document that is refused", () => {
  const big = JSON.stringify({ title: "A page", text: "x".repeat(1024 * 1024 + 1) });
  it.each<[string, number, string, Sent]>([
    ["without a title", 400, "page", { headers: JSON_TYPE, body: '{"text":"a"}' }],
    ["with an unknown field", 400, "page", { headers: JSON_TYPE, body: '{"title":"a","x":1}' }],
    ["that is no JSON", 400, "page", { headers: JSON_TYPE, body: "# Title" }],
    ["that is not UTF-8", 400, "page", { headers: JSON_TYPE, body: new Uint8Array([0xff]) }],
    ["without a body", 400, "page", { headers: JSON_TYPE, body: null }],
    ["with a blank title", 400, "page", { headers: JSON_TYPE, body: '{"title":" ","text":"a"}' }],
    ["that is too large", 413, "page", { headers: JSON_TYPE, body: big }],
    ["of the type Markdown", 415, "page", { headers: { "content-type": "text/markdown" } }],
    ["of the type PDF", 415, "page", { headers: { "content-type": "application/pdf" } }],
    ["that is compressed", 415, "page", { headers: { ...JSON_TYPE, "content-encoding": "gzip" } }],
    ["with too long an id", 400, "x".repeat(129), { headers: JSON_TYPE }],
    ["with a control character in its id", 400, "a%00b", { headers: JSON_TYPE }],
    ["whose id is no text", 404, "%ff", { headers: JSON_TYPE }],
  ])("%s leaves no collection, and the samples", async (_, status, id, init) => {
    const name = newName();
    const response = await asOperator(`/admin/collections/${name}/documents/${id}`, {
      method: "PUT",
      body: DOCUMENT,
      ...init,
    });
    expect([response.status, await response.text()]).toEqual([status, expect.any(String)]);
    expect((await documents(name)).status).toBe(404);
    expect(await entryOf(name)).toBeUndefined();
    expect((await asOperator(`/admin/collections/${name}`, { method: "DELETE" })).status).toBe(404);
    expect(await asked(name)).toMatchObject({ found: false, sources: [] });
    expect(await isSampleThere()).toBe(true);
    // Not later either.
    await age(name);
    await alarm();
    expect(await entryOf(name)).toBeUndefined();
    expect(await rows(`SELECT * FROM collections WHERE name = '${name}'`)).toEqual([]);
    expect(await isSampleThere()).toBe(true);
  });

  it.each(["text/markdown", "text/html", "application/pdf", "application/octet-stream", ""])(
    "because its type is '%s' is told how files are loaded",
    async (type) => {
      const path = `/admin/collections/${newName()}/documents/page`;
      const init = { method: "PUT", body: "# Title", headers: { "content-type": type } };
      const response = await asOperator(path, init);
      expect([response.status, await response.json()]).toMatchObject([
        415,
        { code: "UNSUPPORTED_MEDIA_TYPE", message: expect.stringContaining("npm run ingest") },
      ]);
    },
  );

  it("in a file of documents leaves no collection, and the first good line makes it", async () => {
    const name = newName();
    const load = (...lines: object[]) =>
      asOperator(`/admin/import?collection=${name}`, {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body: lines.map((line) => JSON.stringify(line)).join("\n"),
      });
    expect(await (await load({ id: "a" }, { title: "b" })).json()).toMatchObject({ imported: 0 });
    expect(await entryOf(name)).toBeUndefined();
    expect(await isSampleThere()).toBe(true);
    const body = { title: "A page", text: TEXT };
    expect(await (await load({ id: "a" }, { id: "b", ...body })).json()).toMatchObject({
      imported: 1,
    });
    expect(await entryOf(name)).toMatchObject({ documents: 1 });
    expect(await isSampleThere()).toBe(false);
  });

  it("is not in the way of the name", async () => {
    const [name, other] = [newName(), await newCollection(TEXT)];
    expect((await put(name, "page", "")).status).toBe(201);
    const reserved = newName();
    await asOperator(`/admin/collections/${reserved}/documents/page`, { method: "PUT" });
    const renamed = await asOperator(`/admin/collections/${other}`, {
      method: "PATCH",
      body: JSON.stringify({ name: reserved }),
    });
    expect([renamed.status, await renamed.json()]).toMatchObject([200, { name: reserved }]);
    expect(await textOf(reserved)).toBe(TEXT);
  });
});

describe("a first document", () => {
  it("makes the collection and deletes the samples", async () => {
    const name = newName();
    expect((await put(name, "page", TEXT)).status).toBe(201);
    expect(await entryOf(name)).toMatchObject({ documents: 1 });
    expect(await isSampleThere()).toBe(false);
    expect((await put(name, "page", TEXT)).status).toBe(200);
  });

  it("is stored with others that arrive at once, good and refused", async () => {
    const name = newName();
    const sent = await Promise.all([
      ...Array.from({ length: 6 }, (_, i) => put(name, `page-${i}`, TEXT)),
      ...Array.from({ length: 3 }, (_, i) => put(name, `bad-${i}`, TEXT, " ")),
    ]);
    expect(sent.map(({ status }) => status)).toEqual([
      ...Array(6).fill(201),
      ...Array(3).fill(400),
    ]);
    expect(await entryOf(name)).toMatchObject({ documents: 6 });
    expect(await rows(`SELECT key FROM collections WHERE name = '${name}'`)).toHaveLength(1);
  });

  it("that is stored before a crash makes the collection afterwards, by itself", async () => {
    const name = newName();
    vi.spyOn(CorpusObject.prototype, "openCollection").mockRejectedValueOnce(new Error("lost"));
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect((await put(name, "page", TEXT)).status).toBe(503);
    // Nothing finds it yet.
    expect((await documents(name)).status).toBe(404);
    expect(await asked(name)).toMatchObject({ found: false });
    expect(await isSampleThere()).toBe(true);
    await abortAllDurableObjects();
    await runInDurableObject(list(), async (object, { storage }) => {
      expect(await storage.getAlarm()).not.toBeNull();
      await object.alarm();
    });
    expect(await textOf(name)).toBe(TEXT);
    expect(await isSampleThere()).toBe(false);
    expect((await asked(name)).found).toBe(true);
  });

  it("that is sent again after a crash makes the collection", async () => {
    const name = newName();
    vi.spyOn(CorpusObject.prototype, "openCollection").mockRejectedValueOnce(new Error("lost"));
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect((await put(name, "page", TEXT)).status).toBe(503);
    expect((await put(name, "page", TEXT)).status).toBe(200);
    expect(await entryOf(name)).toMatchObject({ documents: 1 });
  });

  it("is not forgotten if its object cannot be asked", async () => {
    const name = newName();
    await asOperator(`/admin/collections/${name}/documents/page`, { method: "PUT" });
    await age(name);
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(CorpusObject.prototype, "counts").mockImplementation(() => {
      throw new Error("reset");
    });
    await alarm();
    expect(log).toHaveBeenCalledWith(
      ...["A new collection was not opened, and is tried again:", expect.any(String)],
    );
    vi.restoreAllMocks();
    expect(await rows(`SELECT key FROM collections WHERE name = '${name}'`)).toHaveLength(1);
    await alarm();
    expect(await rows(`SELECT key FROM collections WHERE name = '${name}'`)).toEqual([]);
  });

  /** Runs while the first document of a collection is stored, and before it is opened. */
  function between(step: () => Promise<unknown>): void {
    const { openCollection } = CorpusObject.prototype;
    vi.spyOn(CorpusObject.prototype, "openCollection").mockImplementationOnce(async function (
      this: CorpusObject,
      key,
    ) {
      await step();
      return openCollection.call(this, key);
    });
  }

  it("is gone if its name was given to another collection meanwhile", async () => {
    const [name, other] = [newName(), await newCollection("Other.")];
    let key = "";
    between(async () => {
      key = await keyOf(name);
      const renamed = await asOperator(`/admin/collections/${other}`, {
        method: "PATCH",
        body: JSON.stringify({ name }),
      });
      expect(renamed.status).toBe(200);
    });
    const response = await put(name, "page", TEXT);
    expect([response.status, await response.json()]).toMatchObject([
      503,
      {
        message:
          "The collections changed while the document was stored, and it is gone. Send it again.",
      },
    ]);
    expect(await textOf(name)).toBe("Other.");
    expect(await env.CORPUS.getByName(key).counts()).toEqual({ documents: 0, passages: 0 });
    expect(await rows("SELECT key FROM collections WHERE name IS NULL")).toEqual([]);
    expect((await put(name, "page", TEXT)).status).toBe(200);
    expect(await textOf(name)).toBe(TEXT);
  });

  it("is no collection yet for a DELETE or a PATCH that arrive meanwhile", async () => {
    const name = newName();
    const statuses: number[] = [];
    between(async () => {
      const path = `/admin/collections/${name}`;
      const body = JSON.stringify({ name: newName() });
      for (const init of [{ method: "DELETE" }, { method: "PATCH", body }]) {
        statuses.push((await asOperator(path, init)).status);
      }
      statuses.push((await asOperator(`${path}/documents/page`)).status);
    });
    expect((await put(name, "page", TEXT)).status).toBe(201);
    expect(statuses).toEqual([404, 404, 404]);
    expect(await textOf(name)).toBe(TEXT);
  });

  it("is refused if the collection that another one made was deleted meanwhile", async () => {
    const name = newName();
    between(async () => {
      expect((await put(name, "other", TEXT)).status).toBe(201);
      expect((await asOperator(`/admin/collections/${name}`, { method: "DELETE" })).status).toBe(
        200,
      );
    });
    expect((await put(name, "page", TEXT)).status).toBe(503);
    expect((await documents(name)).status).toBe(404);
    expect(await rows("SELECT key FROM collections WHERE name IS NULL")).toEqual([]);
    expect((await put(name, "page", TEXT)).status).toBe(201);
  });

  /** Sends a document in two parts, with something done in between. */
  async function inTwoParts(name: string, step: () => Promise<unknown>): Promise<Response> {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const bytes = new TextEncoder().encode(DOCUMENT);
    const found = vi.spyOn(CorpusObject.prototype, "reserveCollection");
    const sent = asOperator(`/admin/collections/${name}/documents/page`, {
      method: "PUT",
      body: readable,
    });
    await writer.write(bytes.slice(0, 10));
    await vi.waitFor(() => expect(found).toHaveBeenCalled());
    await step();
    await writer.write(bytes.slice(10));
    await writer.close();
    return sent;
  }

  it("is in the renamed collection if that was renamed while it arrived", async () => {
    const [name, to] = [await newCollection("Other."), newName()];
    const body = JSON.stringify({ name: to });
    const stored = await inTwoParts(name, () =>
      asOperator(`/admin/collections/${name}`, { method: "PATCH", body }),
    );
    expect(stored.status).toBe(200);
    expect(await textOf(to)).toBe(TEXT);
    expect((await documents(name)).status).toBe(404);
  });

  it("is refused if the collection was deleted while it arrived", async () => {
    const name = await newCollection("Other.");
    const stored = await inTwoParts(name, () =>
      asOperator(`/admin/collections/${name}`, { method: "DELETE" }),
    );
    expect([stored.status, await stored.json()]).toMatchObject([404, { code: "NOT_FOUND" }]);
    expect((await documents(name)).status).toBe(404);
  });

  it("that moves into a collection makes it last, and stays if it cannot", async () => {
    const [from, to] = [await newCollection(TEXT), newName()];
    const move = () =>
      asOperator(`/admin/collections/${from}/documents/page/move`, {
        method: "POST",
        body: JSON.stringify({ to }),
      });
    vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(CorpusObject.prototype, "take").mockRejectedValueOnce(new Error("reset"));
    expect((await move()).status).toBe(503);
    expect(await entryOf(to)).toBeUndefined();
    expect(await textOf(from)).toBe(TEXT);
    const other = await newCollection("Other.");
    between(() =>
      asOperator(`/admin/collections/${other}`, {
        method: "PATCH",
        body: JSON.stringify({ name: to }),
      }),
    );
    expect((await move()).status).toBe(404);
    expect([await textOf(from), await textOf(to)]).toEqual([TEXT, "Other."]);
    expect((await move()).status).toBe(200);
    expect([await textOf(from), await textOf(to)]).toEqual([404, TEXT]);
  });

  it("does not move into a new collection when there are as many as there can be", async () => {
    const from = await newCollection(TEXT);
    vi.spyOn(CorpusObject.prototype, "reserveCollection").mockReturnValueOnce(undefined);
    const moved = await asOperator(`/admin/collections/${from}/documents/page/move`, {
      method: "POST",
      body: JSON.stringify({ to: newName() }),
    });
    expect([moved.status, await moved.json()]).toMatchObject([
      400,
      { message: "There are as many collections as there can be. Delete one first." },
    ]);
    expect(await textOf(from)).toBe(TEXT);
  });
});
