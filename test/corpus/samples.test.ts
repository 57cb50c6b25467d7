// Samples: documents that the first other document deletes.

import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { DocumentEntry } from "../../src/corpus/documents.ts";
import type { ErrorBody } from "../../src/protocol.ts";
import { newCorpus } from "./new-corpus.ts";

const sample = { title: "Sample", text: "# What is Belay?\n\nBelay answers.", sample: true };
const own = { title: "Limits", text: "# How long is a row?\n\nTwo megabytes." };

const idsOf = (entries: readonly DocumentEntry[]) => entries.map(({ id }) => id);

describe("a sample", () => {
  it("is listed, read and stored again with its mark", async () => {
    const { send, put, list } = newCorpus();
    const created = await put("one", sample);
    expect(created.status).toBe(201);
    const entry = await created.json<DocumentEntry>();
    expect(entry).toMatchObject({ id: "one", sample: true });
    expect(await list()).toEqual([entry]);
    expect(await (await send("GET", "/one")).json()).toEqual({ ...entry, text: sample.text });
    const again = await put("one", sample);
    expect([again.status, await again.json()]).toEqual([200, entry]);
  });

  it("can be found, and suggests questions", async () => {
    const { stub, put, examples } = newCorpus();
    await put("one", sample);
    expect((await stub.search("Belay", 5)).map(({ id }) => id)).toEqual(["one#1"]);
    expect(await examples()).toEqual({ empty: false, questions: ["What is Belay?"] });
  });

  it("is deleted when another collection begins, and not when one is found again", async () => {
    const { stub, put, list } = newCorpus();
    await put("one", sample);
    const key = (await stub.reserveCollection("team"))?.key ?? "";
    expect(idsOf(await list())).toEqual(["one"]);
    expect(await stub.openCollection(key)).toBe(true);
    expect(await list()).toEqual([]);
    await put("one", sample);
    expect(await stub.reserveCollection("team")).toEqual({ key, isOpen: true });
    expect(await stub.openCollection(key)).toBe(true);
    expect(idsOf(await list())).toEqual(["one"]);
    await put("limits", own);
    await stub.openCollection((await stub.reserveCollection("sales"))?.key ?? "");
    expect(idsOf(await list())).toEqual(["limits"]);
  });

  it("is refused while there are other documents, with the reason", async () => {
    const { put, list } = newCorpus();
    await put("limits", own);
    for (const [id, body] of [
      ["one", sample],
      ["limits", { ...own, sample: true }],
    ] as const) {
      const refused = await put(id, body);
      const { code, message } = await refused.json<ErrorBody>();
      expect([refused.status, code, message]).toEqual([
        400,
        "INVALID_REQUEST",
        expect.stringMatching(/"sample" .* only while all documents are samples/),
      ]);
    }
    expect(await list()).toEqual([expect.not.objectContaining({ sample: true })]);
  });

  it("is accepted again once the other documents are deleted", async () => {
    const { send, put, list } = newCorpus();
    await put("limits", own);
    await send("DELETE", "/limits");
    expect((await put("one", sample)).status).toBe(201);
    expect(idsOf(await list())).toEqual(["one"]);
  });
});

describe("the first document that is no sample", () => {
  it.each([
    ["without the field", own],
    ['with "sample": false', { ...own, sample: false }],
  ])("deletes all samples, %s", async (_, document) => {
    const { stub, put, list, examples } = newCorpus();
    await put("one", sample);
    await put("two", sample);
    const created = await put("limits", document);
    expect(created.status).toBe(201);
    const entry = await created.json<DocumentEntry>();
    expect(entry).not.toHaveProperty("sample");
    expect(await list()).toEqual([entry]);
    expect(await stub.search("Belay", 5)).toEqual([]);
    expect(await examples()).toEqual({ empty: false, questions: ["How long is a row?"] });
  });

  it("may have the id of a sample, and even its text", async () => {
    const { stub, put, list } = newCorpus();
    await put("one", sample);
    await put("two", sample);
    const replaced = await put("one", { ...sample, sample: false });
    expect(replaced.status).toBe(200);
    expect(await replaced.json()).not.toHaveProperty("sample");
    expect(idsOf(await list())).toEqual(["one"]);
    expect((await stub.search("Belay", 5)).map(({ id }) => id)).toEqual(["one#1"]);
  });

  it("wins also if samples arrive together with it", async () => {
    const { stub, put, list } = newCorpus();
    const ids = Array.from({ length: 9 }, (_, i) => `d${i}`);
    const answers = await Promise.all(ids.map((id, i) => put(id, i === 4 ? own : sample)));
    expect(answers.map(({ status }) => status)).toEqual([
      ...[201, 201, 201, 201, 201],
      ...[400, 400, 400, 400],
    ]);
    expect(idsOf(await list())).toEqual(["d4"]);
    expect(await stub.search("Belay", 5)).toEqual([]);
  });

  it("deletes no sample if it cannot be stored", async () => {
    const { stub, newStub, put, list } = newCorpus();
    await put("one", sample);
    await put("two", { ...sample, text: "# Why Belay?\n\nBelay refunds." });
    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec(`CREATE TRIGGER full BEFORE INSERT ON documents
        BEGIN SELECT raise(ABORT, 'database or disk is full'); END`);
    });
    expect((await put("limits", own)).status).toBeGreaterThanOrEqual(500);
    expect(idsOf(await list())).toEqual(["one", "two"]);
    expect(await newStub().search("Belay", 5)).toHaveLength(2);
    await runInDurableObject(newStub(), (_, { storage }) => {
      storage.sql.exec("DROP TRIGGER full");
    });
    expect((await put("limits", own)).status).toBe(201);
    expect(idsOf(await list())).toEqual(["limits"]);
  });

  it("is the first also after the object has woken again", async () => {
    const { put, list } = newCorpus();
    await put("one", sample);
    await abortAllDurableObjects();
    expect(await list()).toMatchObject([{ id: "one", sample: true }]);
    await put("limits", own);
    expect(idsOf(await list())).toEqual(["limits"]);
  });
});
