// Keeping the vector index in step with the passages: in batches, with retries
// after failures, across crashes, and without showing deleted passages.

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CorpusObject } from "../../src/corpus/corpus-object.ts";
import type { ErrorBody } from "../../src/protocol.ts";
import { EmbeddingModel } from "../embedders/embedding-model.ts";
import { FakeVectorize } from "../embedders/fake-vectorize.ts";
import { meaning } from "../support/meaning.ts";
import { corpora } from "../worker.ts";
import { rowsOf } from "./sql-rows.ts";

const ADDRESS = "https://belay.test/api/v1/admin/documents";

interface Progress {
  readonly model: string;
  readonly waiting: number;
  readonly failure: string | null;
}

/** A corpus for one test, with its own model and index. */
class Corpus {
  readonly ai = new EmbeddingModel();
  readonly index: FakeVectorize;
  readonly name = crypto.randomUUID();

  constructor(variables: Record<string, unknown> = {}, index = new FakeVectorize()) {
    this.index = index;
    this.set(variables);
  }

  /** The environment of the next instance of the object. */
  set(variables: Record<string, unknown>): void {
    const { ai, index } = this;
    corpora.set(this.name, { RETRIEVER: "vector", AI: ai, VECTORIZE: index, ...variables });
  }

  /** A stub breaks when its object is aborted. */
  get stub(): DurableObjectStub<CorpusObject> {
    return env.CORPUS.getByName(this.name);
  }

  send(method: string, path: string, body?: unknown): Promise<Response> {
    return this.stub.fetch(`${ADDRESS}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async put(id: string, text: string, title = "Title"): Promise<void> {
    expect((await this.send("PUT", `/${id}`, { title, text })).status).toBeLessThan(300);
  }

  /** Puts documents of one passage each. */
  async fill(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.put(`d${i}`, `It is about matter${i}.`);
  }

  async delete(id: string): Promise<void> {
    expect((await this.send("DELETE", `/${id}`)).status).toBe(200);
  }

  async progress(): Promise<Progress> {
    return (await (await this.send("GET", "")).json<{ vectors: Progress }>()).vectors;
  }

  /** Runs the alarm now, if one is set. */
  ring(): Promise<boolean> {
    return runDurableObjectAlarm(this.stub);
  }

  /** Runs alarms until none is set. */
  async settle(): Promise<void> {
    while (await this.ring());
    expect(await this.progress()).toMatchObject({ waiting: 0, failure: null });
  }

  async nearest(query: string, limit = 20): Promise<string[]> {
    const path = `?search=${encodeURIComponent(query)}&limit=${limit}`;
    const { passages } = await (await this.send("GET", path)).json<{
      passages: { id: string }[];
    }>();
    return passages.map(({ id }) => id);
  }

  rows<T extends Record<string, SqlStorageValue>>(query: string): Promise<T[]> {
    return runInDurableObject(this.stub, (_, { storage }) => storage.sql.exec<T>(query).toArray());
  }

  alarmAt(): Promise<number | null> {
    return runInDurableObject(this.stub, (_, { storage }) => storage.getAlarm());
  }

  get texts(): readonly string[] {
    return this.ai.calls.flatMap(({ texts }) => texts);
  }
}

function silence() {
  return vi.spyOn(console, "error").mockImplementation(() => {});
}

afterEach(() => vi.restoreAllMocks());

describe("passages", () => {
  it("get their vectors soon after the document arrives, without a request", async () => {
    const corpus = new Corpus();
    await corpus.put("cars", "# Cars\n\nA car has wheels.\n\n# Doctors\n\nA doctor heals.");
    expect(await corpus.progress()).toEqual({
      model: "@cf/baai/bge-m3",
      waiting: 2,
      failure: null,
    });
    await expect.poll(() => corpus.index.vectors.size, { timeout: 5_000 }).toBe(2);
    expect((await corpus.progress()).waiting).toBe(0);
    expect(await corpus.alarmAt()).toBeNull();
  });

  it("are found by meaning, title and headings included", async () => {
    const corpus = new Corpus();
    await corpus.put("cars", "# Price\n\nForty thousand.", "Car");
    await corpus.put("doctors", "# Hours\n\nFrom nine to five.", "Doctor");
    await corpus.settle();
    expect(corpus.texts).toContain("Car\nPrice\nForty thousand.");
    expect(await corpus.nearest("automobile costs")).toEqual(["cars#1", "doctors#1"]);
    expect(await corpus.nearest("physician")).toEqual(["doctors#1", "cars#1"]);
    expect(await corpus.nearest("physician", 1)).toEqual(["doctors#1"]);
  });

  it("are embedded in batches, each text once", async () => {
    const corpus = new Corpus();
    await corpus.fill(100);
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(100);
    expect(corpus.texts).toHaveLength(100);
    expect(corpus.ai.calls.length).toBeLessThan(20);
    expect(Math.max(...corpus.ai.calls.map(({ texts }) => texts.length))).toBeLessThanOrEqual(32);
  });

  it("are embedded by several alarms if one is not enough", async () => {
    const corpus = new Corpus();
    const text = Array.from({ length: 700 }, (_, i) => `# Part ${i}\n\nOf matter${i}.\n`).join(
      "\n",
    );
    await corpus.put("long", text);
    expect(await corpus.ring()).toBe(true);
    const { waiting } = await corpus.progress();
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThan(700);
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(700);
  });

  it("have only short ids and numbers in the index", async () => {
    const corpus = new Corpus();
    await corpus.put("張".repeat(128), "The secret plan.", "Secret");
    await corpus.settle();
    const sent = corpus.index.sent.join();
    expect(sent).not.toMatch(/secret|plan|張/i);
    expect(sent).toContain(`"namespace":"${corpus.stub.id}"`);
    for (const [vector] of JSON.parse(corpus.index.sent[0] ?? "[]").map(Object.keys)) {
      expect(vector).toBe("id");
    }
    expect(Object.keys(JSON.parse(corpus.index.sent[0] ?? "[]")[0])).toEqual([
      ...["id", "namespace", "values"],
    ]);
  });

  it("are not embedded again if they have not changed", async () => {
    const corpus = new Corpus();
    await corpus.put("a", "A car.");
    await corpus.settle();
    await corpus.put("a", "A car.");
    expect(await corpus.alarmAt()).toBeNull();
    expect(corpus.texts).toHaveLength(1);
  });

  it("cost one written row per batch, besides the alarm", async () => {
    const corpus = new Corpus();
    await corpus.fill(32);
    const { written } = await runInDurableObject(corpus.stub, (object, { storage }) =>
      rowsOf(storage.sql, () => object.alarm()),
    );
    expect(corpus.index.vectors.size).toBe(32);
    // Once the tables and their first row; then the series; then the batch.
    expect(written).toBeLessThanOrEqual(8);
  });
});

describe("a preview of a search", () => {
  it("uses the same search as an ask, with its errors and timeout", async () => {
    const corpus = new Corpus({ FIRST_TOKEN_TIMEOUT_MS: "100" });
    await corpus.put("a", "A car.");
    await corpus.settle();
    const refused = async () => {
      const response = await corpus.send("GET", "?search=automobile");
      return { status: response.status, ...(await response.json<ErrorBody>()) };
    };
    corpus.ai.fault = () => Promise.reject(new Error("3040: automobile"));
    expect(await refused()).toEqual({
      status: 502,
      type: "error",
      code: "RETRIEVAL_FAILED",
      message: "The embedding model failed (Workers AI error 3040).",
    });
    corpus.ai.fault = () => new Promise(() => {});
    expect(await refused()).toMatchObject({
      code: "RETRIEVAL_FAILED",
      message: expect.stringContaining("within 100 ms"),
    });
  });

  it("reads a fixed number of rows, however many passages there are", async () => {
    const corpus = new Corpus();
    const text = Array.from({ length: 300 }, (_, i) => `# Part ${i}\n\nOf matter${i}.\n`).join(
      "\n",
    );
    await corpus.put("long", text);
    await corpus.settle();
    const [own = ""] = corpus.index.vectors.keys();
    const near = Array.from({ length: 50 }, (_, i) => ({
      id: `${own.slice(0, 9)}${i * 5 + 1}`,
      similarity: 1 - i / 100,
    }));
    const words = Array.from({ length: 60 }, (_, i) => `matter${i}`).join(" ");
    const { read } = await runInDurableObject(corpus.stub, (object, { storage }) =>
      rowsOf(storage.sql, () => expect(object.passagesOf(near, words, 20)).toHaveLength(20)),
    );
    expect(read).toBeLessThanOrEqual(75);
  });
});

describe("a document that is replaced or deleted", () => {
  it("is not found any more, and its vectors are removed", async () => {
    const corpus = new Corpus();
    await corpus.put("a", "A car has wheels.");
    await corpus.put("b", "A doctor heals.");
    await corpus.put("c", "A fee is due.");
    await corpus.settle();
    await corpus.put("a", "A boat has sails.");
    await corpus.delete("b");
    // The index still has the old vectors, and not yet the new one.
    expect(corpus.index.vectors.size).toBe(3);
    expect(await corpus.nearest("automobile")).toEqual(["c#1"]);
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(2);
    expect((await corpus.nearest("sails"))[0]).toBe("a#1");
    expect(await corpus.rows("SELECT * FROM stale_vectors")).toEqual([]);
  });

  it("leaves no vector behind if it was a sample that another document replaced", async () => {
    const corpus = new Corpus();
    for (const id of ["one", "two"]) {
      const sample = { title: "Sample", text: `A car has wheels, says ${id}.`, sample: true };
      expect((await corpus.send("PUT", `/${id}`, sample)).status).toBe(201);
    }
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(2);
    await corpus.put("own", "A boat has sails.");
    expect(await corpus.nearest("automobile")).toEqual([]);
    await corpus.settle();
    expect(await corpus.nearest("sails")).toEqual(["own#1"]);
    expect(corpus.index.vectors.size).toBe(1);
    expect(await corpus.rows("SELECT * FROM stale_vectors")).toEqual([]);
  });

  it("never lends its vector to the next document, even as the last one", async () => {
    const corpus = new Corpus();
    silence();
    await corpus.put("a", "A car has wheels.");
    await corpus.settle();
    corpus.index.fault = (call) => {
      if (call === "deleteByIds") throw new Error("VECTOR_DELETE_ERROR (code = 1): down");
    };
    await corpus.delete("a");
    await corpus.put("b", "A doctor heals.");
    await corpus.ring();
    expect(await corpus.nearest("automobile")).toEqual([]);
    corpus.index.fault = undefined;
    await corpus.settle();
    expect(await corpus.nearest("automobile")).toEqual(["b#1"]);
    expect(corpus.index.vectors.size).toBe(1);
  });

  it("leaves no vector behind if that happens while it is embedded", async () => {
    const corpus = new Corpus();
    const gate = Promise.withResolvers<void>();
    corpus.ai.fault = () => gate.promise;
    await corpus.put("a", "A car has wheels.");
    const rung = corpus.ring();
    await expect.poll(() => corpus.ai.calls.length).toBe(1);
    await corpus.put("a", "A boat has sails.");
    corpus.ai.fault = undefined;
    gate.resolve();
    await rung;
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(1);
    expect(await corpus.nearest("sails")).toEqual(["a#1"]);
    const [passage] = await corpus.rows<{ text: string }>("SELECT text FROM passages");
    expect(passage?.text).toBe("A boat has sails.");
  });

  it("is not found by vectors of another deployment in the same index", async () => {
    const corpus = new Corpus();
    await corpus.put("a", "A car has wheels.");
    await corpus.settle();
    const [own] = corpus.index.vectors.keys();
    expect(own).toMatch(/^[0-9a-f]{8}-1$/);
    corpus.index.clear();
    const values = meaning("automobile");
    const namespace = corpus.stub.id.toString();
    for (const id of ["00000000-1", "1", "-1", "nobody's", `${own}0`, `${own}.5`, `x${own}`]) {
      await corpus.index.upsert([{ id, namespace, values }]);
    }
    expect(await corpus.nearest("automobile")).toEqual([]);
    await corpus.index.upsert([{ id: own as string, namespace, values }]);
    expect(await corpus.nearest("automobile")).toEqual(["a#1"]);
  });

  it("is removed whole, even with more passages than one request can remove", async () => {
    const corpus = new Corpus();
    const text = Array.from({ length: 250 }, (_, i) => `# Part ${i}\n\nOf matter${i}.\n`).join(
      "\n",
    );
    await corpus.put("long", text);
    await corpus.put("short", "A car.");
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(251);
    await corpus.delete("long");
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(1);
  });
});

describe("a failure to embed", () => {
  it("by the model is retried with growing delays, logged once, and shown to operators", async () => {
    const corpus = new Corpus();
    const log = silence();
    corpus.ai.fault = () => Promise.reject(new Error("3040: the secret plan is too long"));
    await corpus.put("a", "The secret plan.");
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      await corpus.ring();
      waits.push(((await corpus.alarmAt()) ?? 0) - Date.now());
    }
    for (const [i, wait] of waits.entries()) {
      expect(wait).toBeGreaterThan(5_000 * 2 ** i - 2_000);
      expect(wait).toBeLessThanOrEqual(5_000 * 2 ** i);
    }
    const failure = "The embedding model failed (Workers AI error 3040).";
    expect(await corpus.progress()).toMatchObject({ waiting: 1, failure });
    expect(log.mock.calls).toEqual([
      ["The passages could not be embedded, and are tried again:", failure],
    ]);
    // From the third on, each try also sends the probe.
    expect(corpus.ai.calls).toHaveLength(6);
    // Another document causes no early try.
    await corpus.put("b", "A car.");
    expect(((await corpus.alarmAt()) ?? 0) - Date.now()).toBeGreaterThan(30_000);

    corpus.ai.fault = undefined;
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(2);
  });

  it("is retried after at most ten minutes", async () => {
    const corpus = new Corpus();
    silence();
    corpus.ai.fault = () => Promise.reject(new Error("3040: busy"));
    await corpus.put("a", "A car.");
    await corpus.ring();
    await runInDurableObject(corpus.stub, (_, { storage }) => {
      storage.sql.exec("UPDATE vectors SET failures = 5000");
    });
    await corpus.ring();
    const wait = ((await corpus.alarmAt()) ?? 0) - Date.now();
    expect(wait).toBeGreaterThan(590_000);
    expect(wait).toBeLessThanOrEqual(600_000);
  });

  it("by the index is handled in the same way", async () => {
    const corpus = new Corpus();
    const log = silence();
    corpus.index.fault = (call) => {
      if (call === "upsert") throw new Error("VECTOR_UPSERT_ERROR (code = 40012): words");
    };
    await corpus.put("a", "A car.");
    await corpus.ring();
    await corpus.ring();
    expect((await corpus.progress()).failure).toContain("Vectorize error 40012");
    expect(log).toHaveBeenCalledTimes(1);
    corpus.index.fault = undefined;
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(1);
  });

  it("includes an unusable response: nothing is stored, and it is retried", async () => {
    const corpus = new Corpus();
    silence();
    await corpus.put("a", "A car.");
    await corpus.put("b", "A boat.");
    corpus.ai.fault = () => ({ data: [[1]] });
    await corpus.ring();
    expect(corpus.index.vectors.size).toBe(0);
    expect(await corpus.progress()).toMatchObject({ waiting: 2, failure: expect.any(String) });
    corpus.ai.fault = undefined;
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(2);
  });

  it("includes vectors that do not fit the index", async () => {
    const corpus = new Corpus();
    silence();
    await corpus.put("a", "A car.");
    corpus.ai.fault = () => ({ data: [[1, 2]] });
    await corpus.ring();
    expect(corpus.index.vectors.size).toBe(0);
    expect((await corpus.progress()).failure).toContain("Vectorize error 40012");
    corpus.ai.fault = undefined;
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(1);
  });

  it("includes a model that never answers: it times out and is retried", async () => {
    const corpus = new Corpus();
    silence();
    await corpus.put("a", "A car.");
    corpus.ai.fault = () => new Promise(() => {});
    await runInDurableObject(corpus.stub, async (object) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const rung = object.alarm();
      await vi.advanceTimersByTimeAsync(60_000);
      await rung;
      vi.useRealTimers();
    });
    expect((await corpus.progress()).failure).toBe(
      "The embedding model gave no answer within 30000 ms.",
    );
    corpus.ai.fault = undefined;
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(1);
  });

  it("of one passage leaves the others alone; the passage gets a vector of its beginning", async () => {
    const corpus = new Corpus();
    const log = silence();
    corpus.ai.fault = (texts) => {
      if (texts.some((text) => text.includes("unspeakable"))) throw new Error("500: NaN");
    };
    await corpus.fill(20);
    await corpus.put("bad", `A car. ${"It runs on and on. ".repeat(20)} It is unspeakable.`);
    for (let i = 20; i < 40; i++) await corpus.put(`d${i}`, `It is about matter${i}.`);
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(41);
    expect((await corpus.nearest("automobile"))[0]).toBe("bad#1");
    expect(log.mock.calls.map(([, reason]) => reason)).toEqual([
      "The embedding model failed.",
      'The embedding model takes other texts, but not that of the passage "bad#1".',
    ]);
  });

  it("of even the beginning leaves the passage without a vector, and logs which one", async () => {
    const corpus = new Corpus();
    const log = silence();
    corpus.ai.fault = (texts) => {
      if (texts.some((text) => text.includes("unspeakable"))) throw new Error("3006: unspeakable");
    };
    await corpus.put("bad", "It is unspeakable.");
    await corpus.put("good", "A car.");
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(1);
    expect(log.mock.calls.at(-1)).toEqual([
      'The passage "bad#1" could not be embedded:',
      "The embedding model failed (Workers AI error 3006).",
    ]);
  });

  it("that is temporary costs no passage its vector", async () => {
    const corpus = new Corpus();
    silence();
    await corpus.fill(10);
    corpus.ai.fault = () => {
      if (corpus.ai.calls.length % 2 === 1) throw new Error("3040: busy");
    };
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(10);
    for (let i = 0; i < 10; i++) expect(corpus.texts).toContain(`Title\nIt is about matter${i}.`);
  });

  it("of a passage right after a long outage is not blamed on the passage", async () => {
    const corpus = new Corpus();
    const log = silence();
    const text = `A car.${" It runs on and on.".repeat(20)} It ends well.`;
    await corpus.put("a", text);
    corpus.ai.fault = () => Promise.reject(new Error("3040: busy"));
    for (let i = 0; i < 6; i++) await corpus.ring();
    const before = corpus.ai.calls.length;
    corpus.ai.fault = () => {
      if (corpus.ai.calls.length === before + 1) throw new Error("3040: busy");
    };
    await corpus.settle();
    expect(corpus.texts.at(-1)).toBe(`Title\n${text}`);
    expect(log.mock.calls.join()).not.toContain("The passage ");
  });

  it("by the model in the middle of a batch is not blamed on a passage", async () => {
    const corpus = new Corpus();
    const log = silence();
    await corpus.fill(10);
    // The batch fails, the first passages succeed, then everything fails.
    corpus.ai.fault = (texts) => {
      if (texts.length > 1 || corpus.ai.calls.length > 5) throw new Error("3040: busy");
    };
    await corpus.ring();
    const { waiting } = await corpus.progress();
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThan(10);
    expect(log.mock.calls.join()).not.toContain("The passage ");
    corpus.ai.fault = undefined;
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(10);
  });
});

describe("an alarm without work", () => {
  it("sends no request, so that no failure delays later documents", async () => {
    const corpus = new Corpus();
    silence();
    await corpus.fill(3);
    await corpus.settle();
    await corpus.rows("UPDATE vectors SET made_at = made_at - 600001");
    // The running work handles the deletion, which sets an alarm too.
    const gate = Promise.withResolvers<void>();
    let described = 0;
    corpus.index.fault = (call) => {
      return call === "describe" && ++described === 1 ? gate.promise : undefined;
    };
    await corpus.delete("d0");
    const rung = corpus.ring();
    await expect.poll(() => described).toBe(1);
    await corpus.delete("d1");
    gate.resolve();
    await rung;
    expect(await corpus.rows("SELECT * FROM stale_vectors")).toEqual([]);

    corpus.index.fault = (call) => {
      if (call === "describe" && ++described === 2) throw new Error("VECTOR_ERROR (code = 1): no");
    };
    while (await corpus.ring());
    await corpus.put("a", "A car.");
    expect(await corpus.alarmAt()).not.toBeNull();
    while (await corpus.ring());
    expect(await corpus.progress()).toMatchObject({ waiting: 0, failure: null });
  });
});

describe("a crash", () => {
  it("between batches loses nothing: the next instance continues without a request", async () => {
    const corpus = new Corpus();
    const text = Array.from({ length: 120 }, (_, i) => `# Part ${i}\n\nOf matter${i}.\n`).join(
      "\n",
    );
    await corpus.put("long", text);
    const gate = Promise.withResolvers<void>();
    corpus.ai.fault = () => (corpus.ai.calls.length === 3 ? gate.promise : undefined);
    corpus.ring().catch(() => {});
    await expect.poll(() => corpus.ai.calls.length).toBe(3);
    await abortAllDurableObjects();
    corpus.ai.fault = undefined;
    gate.resolve();
    // Reading starts the object. After a kill, its alarm runs without that.
    await expect.poll(async () => (await corpus.progress()).waiting, { timeout: 10_000 }).toBe(0);
    expect(corpus.index.vectors.size).toBe(120);
    // Two batches were stored; the third was lost and made again.
    expect(corpus.texts.length).toBeLessThanOrEqual(120 + 32);
  });

  it("keeps the number of failures and the delay", async () => {
    const corpus = new Corpus();
    const log = silence();
    corpus.ai.fault = () => Promise.reject(new Error("3040: busy"));
    await corpus.put("a", "A car.");
    for (let i = 0; i < 5; i++) await corpus.ring();
    await abortAllDurableObjects();
    const wait = ((await corpus.alarmAt()) ?? 0) - Date.now();
    expect(wait).toBeGreaterThan(30_000);
    await corpus.ring();
    expect(((await corpus.alarmAt()) ?? 0) - Date.now()).toBeGreaterThan(100_000);
    expect(log).toHaveBeenCalledTimes(1);
  });
});

describe("another model", () => {
  it("embeds everything again; old vectors are never shown and are removed", async () => {
    const corpus = new Corpus();
    await corpus.fill(40);
    await corpus.put("cars", "A car has wheels.");
    await corpus.settle();
    const before = [...corpus.index.vectors.keys()];
    const gate = Promise.withResolvers<void>();
    corpus.ai.fault = async (texts) => {
      if (texts.length > 1) await gate.promise;
    };
    corpus.set({ EMBEDDING_MODEL: "@cf/qwen/qwen3-embedding-0.6b" });
    await abortAllDurableObjects();
    await expect.poll(async () => (await corpus.progress()).model).toContain("qwen3");
    expect(await corpus.nearest("automobile")).toEqual([]);
    gate.resolve();
    await expect.poll(async () => (await corpus.progress()).waiting, { timeout: 10_000 }).toBe(0);
    await expect.poll(() => corpus.index.vectors.size).toBe(41);
    expect(before.filter((id) => corpus.index.vectors.has(id))).toEqual([]);
    expect((await corpus.nearest("automobile"))[0]).toBe("cars#1");
  });
});

describe("an index that was recreated", () => {
  it("is filled again after the next document, unless it only lags behind", async () => {
    const corpus = new Corpus();
    await corpus.fill(5);
    await corpus.settle();
    corpus.index.clear();
    await corpus.put("a", "A car.");
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(1);

    corpus.index.clear();
    await runInDurableObject(corpus.stub, (_, { storage }) => {
      storage.sql.exec("UPDATE vectors SET made_at = made_at - 600001");
    });
    await corpus.put("b", "A boat.");
    await corpus.settle();
    expect(corpus.index.vectors.size).toBe(7);
  });
});

describe("an index that lags behind", () => {
  it("finds new passages once it has caught up, and never deleted ones", async () => {
    const corpus = new Corpus({}, new FakeVectorize({ lagMs: 400 }));
    await corpus.put("a", "A car has wheels.");
    await corpus.settle();
    expect(await corpus.nearest("automobile")).toEqual([]);
    await expect.poll(() => corpus.nearest("automobile")).toEqual(["a#1"]);
    await corpus.put("a", "A doctor heals.");
    await corpus.settle();
    expect(await corpus.nearest("automobile")).toEqual([]);
    expect(corpus.index.vectors.size).toBe(1);
    await expect.poll(() => corpus.nearest("physician")).toEqual(["a#1"]);
    expect(corpus.index.vectors.size).toBe(1);
  });

  it("leaves the full-text search as it is", async () => {
    const index = new FakeVectorize({ lagMs: 60_000 });
    const corpus = new Corpus({ RETRIEVER: "hybrid" }, index);
    await corpus.put("a", "A car has wheels.");
    expect(await corpus.nearest("wheels")).toEqual(["a#1"]);
    await corpus.settle();
    expect(await corpus.nearest("wheels")).toEqual(["a#1"]);
  });
});

describe("full-text search alone", () => {
  it("writes nothing about vectors, sets no alarm and sends no request", async () => {
    const corpus = new Corpus({ RETRIEVER: "full-text" });
    await corpus.fill(3);
    await corpus.put("d1", "Another text.");
    await corpus.delete("d2");
    expect(await corpus.alarmAt()).toBeNull();
    for (const table of ["vectors", "stale_vectors"]) {
      expect(await corpus.rows(`SELECT * FROM ${table}`)).toEqual([]);
    }
    expect(await (await corpus.send("GET", "")).json()).not.toHaveProperty("vectors");
    expect(corpus.ai.calls).toEqual([]);
  });

  it("can be changed to vectors and back, and nothing stale remains", async () => {
    const corpus = new Corpus({ RETRIEVER: "full-text" });
    await corpus.fill(3);
    corpus.set({});
    await abortAllDurableObjects();
    await expect.poll(async () => (await corpus.progress()).waiting, { timeout: 5_000 }).toBe(0);
    expect(corpus.index.vectors.size).toBe(3);

    corpus.set({ RETRIEVER: "full-text" });
    await abortAllDurableObjects();
    await corpus.delete("d2");
    await corpus.put("d3", "A car.");
    expect(corpus.index.vectors.size).toBe(3);

    corpus.set({});
    await abortAllDurableObjects();
    await expect.poll(async () => (await corpus.progress()).waiting, { timeout: 5_000 }).toBe(0);
    await expect.poll(() => corpus.index.vectors.size).toBe(3);
    expect((await corpus.nearest("automobile"))[0]).toBe("d3#1");
    expect(corpus.texts.filter((text) => text.startsWith("Title"))).toHaveLength(4);
  });
});

describe("a new analyzer", () => {
  it("cuts passages again, and embeds them afterwards", async () => {
    const corpus = new Corpus();
    await corpus.fill(3);
    await corpus.settle();
    const before = [...corpus.index.vectors.keys()];
    await corpus.rows("UPDATE corpus SET analyzer_version = 0");
    await abortAllDurableObjects();
    expect((await corpus.progress()).model).toBe("@cf/baai/bge-m3");
    await expect
      .poll(async () => [...corpus.index.vectors.keys()].filter((id) => before.includes(id)), {
        timeout: 5_000,
      })
      .toEqual([]);
    await expect.poll(() => corpus.index.vectors.size, { timeout: 5_000 }).toBe(3);
    expect((await corpus.nearest("matter1"))[0]).toBe("d1#1");
  });
});

describe("a wrong variable", () => {
  it("does not refuse documents; they are embedded once it is corrected", async () => {
    const corpus = new Corpus({ EMBEDDER: "oracle" });
    silence();
    await corpus.put("a", "A car.");
    expect((await corpus.send("GET", "?search=car")).status).toBe(503);
    corpus.set({});
    await abortAllDurableObjects();
    await expect.poll(async () => (await corpus.progress()).waiting, { timeout: 5_000 }).toBe(0);
    expect(corpus.index.vectors.size).toBe(1);
  });
});

describe("the alarm", () => {
  it("never throws: it logs the error and is set again", async () => {
    const corpus = new Corpus({ RETRIEVER: "full-text" });
    const log = silence();
    await corpus.fill(1);
    await runInDurableObject(corpus.stub, async (object, { storage }) => {
      storage.sql.exec("UPDATE corpus SET analyzer_version = 0");
      storage.sql.exec("ALTER TABLE documents RENAME TO elsewhere");
      await object.alarm();
      const wait = ((await storage.getAlarm()) ?? 0) - Date.now();
      expect(wait).toBeGreaterThan(20_000);
      expect(wait).toBeLessThanOrEqual(30_000);
      storage.sql.exec("ALTER TABLE elsewhere RENAME TO documents");
    });
    expect(log).toHaveBeenCalledWith(
      "The work on the documents failed and is tried again:",
      expect.any(Error),
    );
    expect(await corpus.ring()).toBe(true);
    expect((await corpus.rows("SELECT analyzer_version AS v FROM corpus"))[0]?.v).toBeGreaterThan(
      0,
    );
  });
});

describe("collections that share an index", () => {
  it("see no vector of another, however many are nearer", async () => {
    const index = new FakeVectorize();
    const [many, one] = [new Corpus({}, index), new Corpus({}, index)];
    await many.fill(60);
    await one.put("far", "It is about gardens.");
    await many.settle();
    await one.settle();
    expect(await one.nearest("matter1")).toEqual(["far#1"]);
    expect(await many.nearest("matter1")).not.toContain("far#1");
  });

  it("lose their vectors when they are deleted", async () => {
    const index = new FakeVectorize();
    const [kept, deleted] = [new Corpus({}, index), new Corpus({}, index)];
    await kept.fill(2);
    await deleted.fill(3);
    await kept.settle();
    await deleted.settle();
    expect(index.vectors.size).toBe(5);
    await deleted.stub.close();
    expect(await deleted.nearest("matter1")).toEqual([]);
    await deleted.settle();
    expect(index.vectors.size).toBe(2);
  });
});
