// The database of a corpus, as earlier and later releases have written it.

import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { DocumentEntry } from "../../src/corpus/documents.ts";
import { ANALYZER_VERSION } from "../../src/text/analyzer.ts";
import { newCorpus } from "./new-corpus.ts";

/** Version 1, as both releases before there were versions made it. */
const FIRST = `
  CREATE TABLE corpus (
    one INTEGER PRIMARY KEY CHECK (one = 1), passages INTEGER NOT NULL CHECK (passages >= 0),
    analyzer_version INTEGER NOT NULL, indexed_to TEXT NOT NULL
  ) STRICT;
  CREATE TABLE documents (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, url TEXT,
    passages INTEGER NOT NULL CHECK (passages >= 0), bytes INTEGER NOT NULL,
    content_hash TEXT NOT NULL, updated_at INTEGER NOT NULL, first_passage INTEGER NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE TABLE passages (
    id INTEGER PRIMARY KEY, document_id TEXT NOT NULL,
    place INTEGER NOT NULL CHECK (place >= 1), title TEXT NOT NULL, heading TEXT NOT NULL,
    url TEXT, text TEXT NOT NULL
  ) STRICT;
  CREATE VIRTUAL TABLE passage_terms USING fts5(
    title, text, content='', contentless_delete=1, tokenize='ascii'
  );
  CREATE VIRTUAL TABLE vocabulary USING fts5vocab(passage_terms, row);
  INSERT INTO corpus VALUES (1, 1, ${ANALYZER_VERSION}, '');
  INSERT INTO documents VALUES
    ('pond', 'Pond', 'https://garden.example', 1, 19, 'hash', 1763800000000, 3, 'Clean in October.');
  INSERT INTO passages VALUES
    (3, 'pond', 1, 'Pond', '["Care"]', 'https://garden.example#care', 'Clean in October.');
  INSERT INTO passage_terms (rowid, title, text) VALUES (3, 'pond care', 'clean october');
`;

/** The further tables of a corpus with vectors. */
const FIRST_VECTORS = `
  CREATE TABLE vectors (
    one INTEGER PRIMARY KEY CHECK (one = 1), model TEXT NOT NULL, series TEXT NOT NULL,
    made_to INTEGER NOT NULL, made_at INTEGER NOT NULL, removed_to INTEGER NOT NULL,
    failures INTEGER NOT NULL CHECK (failures >= 0), failure TEXT
  ) STRICT;
  CREATE TABLE stale_vectors (
    number INTEGER PRIMARY KEY, series TEXT NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= first)
  ) STRICT;
  INSERT INTO vectors VALUES (1, 'a model', '0123abcd', 3, 1763800000000, 7, 0, NULL);
  INSERT INTO stale_vectors VALUES (1, '0123abcd', 6, 7);
`;

const ENTRY: DocumentEntry = {
  ...{ id: "pond", title: "Pond", url: "https://garden.example", passages: 1, bytes: 19 },
  ...{ contentHash: "hash", updatedAt: "2025-11-22T08:26:40.000Z" },
};

async function corpusOf(statements: string) {
  const corpus = newCorpus();
  await runInDurableObject(corpus.stub, (_, { storage }) => {
    storage.sql.exec(statements);
  });
  await abortAllDurableObjects();
  const rows = (query: string) =>
    runInDurableObject(corpus.newStub(), (_, { storage }) => storage.sql.exec(query).toArray());
  return { ...corpus, rows };
}

afterEach(() => vi.restoreAllMocks());

describe.each([
  ["without vectors", FIRST],
  ["with vectors", FIRST + FIRST_VECTORS],
])("a database of the first version, %s", (_, statements) => {
  it("keeps its documents, which are no samples, and its index", async () => {
    const { newStub, send, put, list } = await corpusOf(statements);
    expect(await list()).toEqual([ENTRY]);
    expect(await (await send("GET", "/pond")).json()).toEqual({
      ...ENTRY,
      text: "Clean in October.",
    });
    expect((await newStub().search("When to clean the pond?", 5))[0]).toMatchObject({
      ...{ id: "pond#1", heading: ["Care"], url: "https://garden.example#care" },
    });
    const sample = { title: "Sample", text: "Belay", sample: true };
    expect((await put("one", sample)).status).toBe(400);
  });

  it("takes, replaces and deletes documents, also after it has woken twice", async () => {
    const { newStub, send, put, list } = await corpusOf(statements);
    await list();
    await abortAllDurableObjects();
    expect((await put("pond", { title: "Pond", text: "Leave it alone." })).status).toBe(200);
    expect((await put("roses", { title: "Roses", text: "Prune in March." })).status).toBe(201);
    expect(await newStub().search("October", 5)).toEqual([]);
    expect((await send("DELETE", "/pond")).status).toBe(200);
    expect((await list()).map(({ id }) => id)).toEqual(["roses"]);
  });
});

it("cuts the documents of an earlier release again, with the kinds of their blocks", async () => {
  const { rows } = await corpusOf(FIRST);
  await isCutAgain(rows);
  expect(await rows("SELECT document_id, text, blocks FROM passages")).toEqual([
    { document_id: "pond", text: "Clean in October.", blocks: "p0,17" },
  ]);
});

/** Waits until this release has cut all documents. */
async function isCutAgain(rows: (query: string) => Promise<unknown[]>): Promise<void> {
  await vi.waitFor(async () => {
    expect(await rows("SELECT analyzer_version AS version FROM corpus")).toEqual([
      { version: ANALYZER_VERSION },
    ]);
  });
}

it("keeps which vectors are made and which are stale, and gives no id twice", async () => {
  const { put, rows } = await corpusOf(FIRST + FIRST_VECTORS);
  await isCutAgain(rows);
  await put("roses", { title: "Roses", text: "Prune in March." });
  await put("pond", { title: "Pond", text: "Leave it alone." });
  expect(await rows("SELECT id, document_id FROM passages ORDER BY id")).toEqual([
    { id: 9, document_id: "roses" },
    { id: 10, document_id: "pond" },
  ]);
  expect(await rows("SELECT model, series, made_to, position FROM vectors, corpus")).toEqual([
    // Vectors are made again, in the namespace of the collection.
    { model: "", series: "0123abcd", made_to: 3, position: 10 },
  ]);
  expect(await rows("SELECT series, first, last FROM stale_vectors ORDER BY number")).toEqual([
    { series: "0123abcd", first: 6, last: 7 },
    { series: "0123abcd", first: 3, last: 3 },
    // The pond's passage, after it was cut again.
    { series: "0123abcd", first: 8, last: 8 },
  ]);
});

it("is refused if a later release wrote it, and stays as it is", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const { newStub, send, put, rows } = await corpusOf(`${FIRST}
    CREATE TABLE schema_version (one INTEGER PRIMARY KEY, version INTEGER NOT NULL) STRICT;
    INSERT INTO schema_version VALUES (1, 99);
  `);
  for (const answer of [
    await send("GET", ""),
    await send("GET", "/pond"),
    await send("DELETE", "/pond"),
    await put("roses", { title: "Roses", text: "Prune in March." }),
  ]) {
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "60"]);
    expect(await answer.json()).toMatchObject({ code: "UNAVAILABLE" });
  }
  await runInDurableObject(newStub(), async (object, { storage }) => {
    expect(() => object.search("pond", 5)).toThrow("Another release wrote the documents.");
    await object.alarm();
    expect(await storage.getAlarm()).toBeGreaterThan(Date.now());
    await storage.deleteAlarm();
  });
  expect(await rows("SELECT id, text FROM documents")).toEqual([
    { id: "pond", text: "Clean in October." },
  ]);
  expect(log).toHaveBeenCalledWith("The database could not be opened:", expect.any(Error));
});

it("opens all collections of a list that knew no reserved names", async () => {
  const { newStub, put } = await corpusOf(FIRST);
  await put("roses", { title: "Roses", text: "Prune in March." });
  await runInDurableObject(newStub(), (_, { storage }) => {
    storage.sql.exec(`ALTER TABLE collections DROP COLUMN opened;
      INSERT INTO collections VALUES ('key', 'team', 0);
      UPDATE schema_version SET version = 5;`);
  });
  await abortAllDurableObjects();
  expect(await newStub().collectionKeys(["team"])).toEqual([{ key: "key", name: "team" }]);
});
