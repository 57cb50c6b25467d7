import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { DocumentEntry } from "../../src/corpus/documents.ts";
import type { ErrorBody, Examples } from "../../src/protocol.ts";
import { ANALYZER_VERSION } from "../../src/text/analyzer.ts";
import { DOCUMENTS, EXAMPLES, newCorpus } from "./new-corpus.ts";
import { rowsOf } from "./sql-rows.ts";

const limits = {
  title: "Limits",
  url: "https://docs.example/limits",
  text: "# Limits\n\n## Row size\n\nA row of a table may hold at most two megabytes.\n\n## Columns\n\nA table has a hundred columns.",
};

describe("a document", () => {
  it("is put, read, listed and deleted", async () => {
    const { send, put } = newCorpus();
    const created = await put("limits", limits);
    expect(created.status).toBe(201);
    const entry = await created.json<DocumentEntry>();
    expect(entry).toEqual({
      id: "limits",
      title: "Limits",
      url: limits.url,
      passages: 2,
      bytes: limits.text.length,
      contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      updatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await (await send("GET", "/limits")).json()).toEqual({ ...entry, text: limits.text });
    expect(await (await send("GET", "")).json()).toEqual({ documents: [entry], after: null });

    const deleted = await send("DELETE", "/limits");
    expect([deleted.status, await deleted.json()]).toEqual([200, { id: "limits", deleted: true }]);
    expect((await send("GET", "/limits")).status).toBe(404);
    expect((await send("DELETE", "/limits")).status).toBe(404);
  });

  it("replaces the one with its id, passages included", async () => {
    const { stub, put } = newCorpus();
    await put("limits", limits);
    const replaced = await put("limits", { title: "Limits", text: "Nothing is said of tables." });
    expect(replaced.status).toBe(200);
    expect(await stub.search("megabytes", 5)).toEqual([]);
    expect((await stub.search("tables", 5)).map((passage) => passage.id)).toEqual(["limits#1"]);
  });

  it("is found without the markup of a site generator, at its explicit ids", async () => {
    const { stub, put } = newCorpus();
    const text =
      '+++\ntitle = "Limits"\ndraft = true\n+++\n\n## Row size {#rows}\n\n{% raw %}\n\n:::tip Mind\nTwo<br>megabytes &amp; more.\n:::';
    await put("limits", { ...limits, text });
    expect(await stub.search("megabytes", 5)).toMatchObject([
      {
        heading: ["Row size"],
        url: "https://docs.example/limits#rows",
        text: "Mind: Two megabytes & more.",
      },
    ]);
  });

  it("is not written again when nothing has changed", async () => {
    const { put } = newCorpus();
    const first = await (await put("limits", limits)).json();
    const second = await put("limits", limits);
    expect([second.status, await second.json()]).toEqual([200, first]);
  });

  it("may have any id of 1 to 128 characters", async () => {
    const { send, put } = newCorpus();
    for (const id of ["a/b", "張 三", "50%", "%2F", "#?&", "😀".repeat(128)]) {
      expect((await put(id, { title: "T", text: "text" })).status).toBe(201);
      const found = await send("GET", `/${encodeURIComponent(id)}`);
      expect((await found.json<DocumentEntry>()).id).toBe(id);
    }
    for (const id of ["a\nb", "\0", "x".repeat(129)]) {
      const refused = await put(id, { title: "T", text: "text" });
      expect([refused.status, await refused.json()]).toMatchObject([
        400,
        { code: "INVALID_REQUEST" },
      ]);
    }
  });

  it("is read as it was sent, whatever characters it has", async () => {
    const { send, put } = newCorpus();
    const text = "\ufeffa\0b\r\nc\u2028d\u{1f600} 'e' \"f\" \t\n\n";
    await put("odd", { title: "  Odd  ", text });
    expect(await (await send("GET", "/odd")).json()).toMatchObject({ title: "Odd", text });
  });

  it("is refused with the name of a wrong field", async () => {
    const { put } = newCorpus();
    const refusals: [unknown, string][] = [
      [{ text: "a" }, "title"],
      [{ title: "", text: "a" }, "title"],
      [{ title: " ", text: "a" }, "title"],
      [{ title: "x".repeat(301), text: "a" }, "title"],
      [{ title: "T" }, "text"],
      [{ title: "T", text: 1 }, "text"],
      [{ title: "T", text: "\ud800" }, "text"],
      [{ title: "T", text: "a", url: "javascript:alert(1)" }, "url"],
      [{ title: "T", text: "a", url: "//elsewhere.example/" }, "url"],
      [{ title: "T", text: "a", url: "/\\elsewhere.example/" }, "url"],
      [{ title: "T", text: "a", url: "docs/a" }, "url"],
      [{ title: "T", text: "a", url: "https:// a" }, "url"],
      [{ title: "T", text: "a", language: "en" }, "language"],
      [{ title: "T", text: "a", sample: "true" }, "sample"],
      [{ title: "T", text: "a", sample: 1 }, "sample"],
    ];
    for (const [body, field] of refusals) {
      const refused = await put("a", body);
      const { code, message } = await refused.json<ErrorBody>();
      expect([refused.status, code, message]).toEqual([
        400,
        "INVALID_REQUEST",
        expect.stringContaining(`"${field}"`),
      ]);
    }
  });

  it("may have 1 MiB of text, however it is escaped, and no byte more", async () => {
    const { put } = newCorpus();
    const text = `${"\u0001".repeat(1024 * 1024 - 4)}text`;
    expect((await put("whole", { title: "T", text })).status).toBe(201);
    const refused = await put("more", { title: "T", text: `${text}.` });
    expect([refused.status, (await refused.json<ErrorBody>()).code]).toEqual([
      413,
      "PAYLOAD_TOO_LARGE",
    ]);
  });
});

describe("a document of 1 MiB", () => {
  const of = (part: string) => part.repeat(Math.floor((1024 * 1024) / part.length));
  const numbered = Array.from({ length: 70_000 }, (_, i) => `# Part ${i}\n`).join("");

  /** In an empty corpus, in milliseconds. */
  async function timeToPut(text: string): Promise<number> {
    const { put } = newCorpus();
    const startedAt = Date.now();
    expect((await put("long", { title: "T", text })).status).toBe(201);
    return Date.now() - startedAt;
  }

  let proseMs: number;
  beforeAll(async () => {
    proseMs = await timeToPut(of("It was the best of times, it was the worst of times.\n\n"));
  }, 60_000);

  // No search is answered while a document is cut and indexed.
  // Without a budget these take 20 times as long as prose.
  it.each([
    ["headings", of("# a\n")],
    ["different headings", numbered],
    ["one-letter paragraphs", of("a\n\n")],
    ["marked paragraphs", of("The *quick* brown [fox](http://a.b/c).\n\n")],
    ["lists in lists", of("- a\n  - b\n    - c\n\n")],
    ["quoted lists", of("> - a\n\n")],
    ["footnotes", of("a[^1]\n\n[^1]: b\n\n")],
    ["tables", of("|a|b|\n|-|-|\n|c|d|\n\n")],
    ["brackets", of("[")],
    ["empty lines", of("\n")],
    ["Chinese", of("今天天气很好，我们去公园。").slice(0, 340_000)],
  ])(
    "that has only %s takes about as long as one of prose",
    { timeout: 60_000 },
    async (_, text) => {
      expect(await timeToPut(text)).toBeLessThan(8 * proseMs);
    },
  );
});

describe("documents that arrive together", () => {
  it("are all stored, in the order of arrival", async () => {
    const { put, send, stub } = newCorpus();
    const ids = Array.from({ length: 40 }, (_, i) => `d${i % 20}`);
    const answers = await Promise.all(
      ids.map((id, i) => put(id, { title: "T", text: `It is number ${i}. `.repeat(300) })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toEqual([...Array(20).fill(201), ...Array(20).fill(200)]);
    const { text } = await (await send("GET", "/d3")).json<{ text: string }>();
    expect(text).toContain("number 23.");
    expect((await stub.search("number 23", 1))[0]?.documentId).toBe("d3");
  });
});

describe("the list of documents", () => {
  it("has pages, and is sorted by id", async () => {
    const { send, put } = newCorpus();
    for (const id of ["c", "a", "b"]) await put(id, { title: id, text: id });
    type Page = { documents: DocumentEntry[]; after: string | null };
    const first = await (await send("GET", "?limit=2")).json<Page>();
    expect([first.documents.map(({ id }) => id), first.after]).toEqual([["a", "b"], "b"]);
    const second = await (await send("GET", "?limit=2&after=b")).json<Page>();
    expect([second.documents.map(({ id }) => id), second.after]).toEqual([["c"], null]);
    expect((await send("GET", "?limit=0")).status).toBe(400);
  });
});

describe("a preview of a search", () => {
  it("shows the passages that an ask would get, each with its score and a snippet", async () => {
    const { send, put, stub } = newCorpus();
    await put("limits", limits);
    const query = "How many megabytes can a row hold?";
    const preview = await send("GET", `?search=${encodeURIComponent(query)}`);
    expect(preview.status).toBe(200);
    const { passages } = await preview.json<{ passages: unknown[] }>();
    const found = await stub.search(query, 5);
    expect(passages).toEqual(
      found.map(({ text, blocks, relevance, ...passage }) => ({
        ...passage,
        snippet: expect.any(String),
      })),
    );
    expect(passages[0]).toMatchObject({
      id: "limits#1",
      score: expect.any(Number),
      snippet: "A row of a table may hold at most two megabytes.",
    });
  });

  it("shows at most the limit, and nothing if nothing is found", async () => {
    const { send, put } = newCorpus();
    await put("limits", limits);
    const passages = async (parameters: string) =>
      (await (await send("GET", parameters)).json<{ passages: unknown[] }>()).passages;
    expect(await passages("?search=table")).toHaveLength(2);
    expect(await passages("?search=table&limit=1")).toHaveLength(1);
    expect(await passages("?search=zebra")).toEqual([]);
  });

  it("refuses queries and limits that no ask may have", async () => {
    const { send } = newCorpus();
    for (const [parameters, name] of [
      ["?search=", "search"],
      ["?search=%20", "search"],
      ["?search=%E2%80%8B%C2%AD", "search"],
      ["?search=%00", "search"],
      [`?search=${"x".repeat(4_001)}`, "search"],
      ["?search=table&limit=21", "limit"],
      ["?search=table&limit=0", "limit"],
      ["?search=table&limit=many", "limit"],
      ["?search=table&limit=1e1", "limit"],
    ] as const) {
      const refused = await send("GET", parameters);
      const { code, message } = await refused.json<ErrorBody>();
      expect([refused.status, code, message]).toEqual([
        400,
        "INVALID_REQUEST",
        expect.stringContaining(`"${name}"`),
      ]);
    }
  });
});

describe("a search", () => {
  it("of an empty corpus finds nothing and makes no tables", async () => {
    const { stub, send } = newCorpus();
    expect(await stub.search("anything", 5)).toEqual([]);
    expect(await (await send("GET", "")).json()).toEqual({ documents: [], after: null });
    expect((await send("GET", "/a")).status).toBe(404);
    expect((await send("DELETE", "/a")).status).toBe(404);
    await runInDurableObject(stub, (_, { storage }) => {
      const tables = storage.sql.exec("SELECT name FROM sqlite_master").toArray();
      expect(tables.filter(({ name }) => !String(name).startsWith("_cf_"))).toEqual([]);
    });
  });

  it("finds passages with their headings and their URL", async () => {
    const { stub, put } = newCorpus();
    await put("limits", limits);
    const [best] = await stub.search("How many megabytes can a row hold?", 5);
    expect(best).toEqual({
      id: "limits#1",
      documentId: "limits",
      title: "Limits",
      heading: ["Row size"],
      url: "https://docs.example/limits#row-size",
      text: "A row of a table may hold at most two megabytes.",
      blocks: [{ kind: "paragraph", start: 0, end: 48 }],
      score: expect.any(Number),
      relevance: expect.any(Number),
    });
    expect(best?.score).toBeGreaterThan(0.5);
    expect(best?.score).toBeLessThanOrEqual(1);
  });

  it("finds words by their stem, by title and heading, without accents, and in Chinese", async () => {
    const { stub, put } = newCorpus();
    await put("limits", limits);
    await put("cafe", { title: "Cafés", text: "Open daily." });
    await put("zh", { title: "配额", text: "每个用户每天可以提问二十次。" });
    const first = async (query: string) => (await stub.search(query, 1))[0]?.id;
    expect(await first("holding")).toBe("limits#1");
    expect(await first("row size")).toBe("limits#1");
    expect(await first("CAFE")).toBe("cafe#1");
    expect(await first("用户可以提问多少次？")).toBe("zh#1");
    expect(await first("配额是多少")).toBe("zh#1");
  });

  it("finds words that are written otherwise", async () => {
    const { stub, put } = newCorpus();
    const texts = {
      office: "There is Wi-Fi in the office.",
      email: "An email costs nothing.",
      code: "Call getUserById before anything else.",
      release: "Since v2.3.1 the cache is off.",
      cpp: "C++ compiles slowly.",
      csharp: "C# has properties.",
      korean: "배송비를 먼저 냅니다.",
      russian: "Население городов растёт.",
      chinese: "圖書館每天開放十二小時。",
      socket: "A websocket stays open.",
    };
    for (const [id, text] of Object.entries(texts)) await put(id, { title: "T", text });
    const first = async (query: string) => (await stub.search(query, 1))[0]?.documentId;
    const asked = {
      wifi: "office",
      "an e-mail": "email",
      "get a user by id": "code",
      "changes in 2.3.1": "release",
      "speed of c++": "cpp",
      "properties of c#": "csharp",
      배송비는: "korean",
      город: "russian",
      图书馆开放多久: "chinese",
      "web socket": "socket",
    };
    const found = await Promise.all(Object.keys(asked).map(first));
    expect(found).toEqual(Object.values(asked));
  });

  it("meets the nearest word for a misspelt one, and scores it as if it were right", async () => {
    const { stub, put } = newCorpus();
    for (const i of [1, 2]) {
      await put(`cookies${i}`, { title: "T", text: `The middleware signs cookie number ${i}.` });
    }
    await put("other", { title: "T", text: "Nothing of the kind." });
    for (const query of ["midleware cookie", "middlewrae cokie", "middleware cookei"]) {
      expect(await stub.search(query, 1)).toMatchObject([{ title: "T", score: 1 }]);
    }
    expect((await stub.search("cookie of Python", 1))[0]?.score).toBeLessThan(0.6);
  });

  it("ignores a greeting that no document says", async () => {
    const { stub, put } = newCorpus();
    await put("a", { title: "T", text: "Kaip ištrinti dokumentą: spauskite mygtuką." });
    const [plain] = await stub.search("Kaip ištrinti dokumentą?", 1);
    const [polite] = await stub.search("Sveiki! Kaip ištrinti dokumentą? Dėkui!", 1);
    expect(polite?.score).toBe(plain?.score);
  });

  it("scores a passage with all terms 1, and weighs rare terms more", async () => {
    const { stub, put } = newCorpus();
    await put("a", { title: "A", text: "the quota of a user" });
    for (let i = 0; i < 5; i++) await put(`b${i}`, { title: "B", text: "a user of the service" });
    const [best] = await stub.search("quota user", 1);
    expect(best).toMatchObject({ documentId: "a", score: 1 });
    const scores = await stub.search("quota user", 6);
    expect(scores[1]?.score).toBeLessThan(0.5);
    const [missing] = await stub.search("quota zebra", 1);
    expect(missing?.score).toBeLessThan(0.6);
  });

  it("reads any text as words, never as syntax", async () => {
    const { stub, put } = newCorpus();
    await put("limits", limits);
    for (const query of [
      ...[
        '"',
        "*",
        "a AND (",
        "title:",
        "NEAR(a b)",
        "-table",
        "^table",
        "table*",
        "' ; drop table passages",
      ],
      ...[
        "\0",
        "table\0",
        "\ud800",
        "table \udc00",
        "\u{1f600}",
        "the of and",
        "",
        " ",
        "()",
        "{a b}: c",
      ],
      ...["table ".repeat(1_000), "表".repeat(4_000), "\u0301", "a".repeat(4_000)],
    ]) {
      const found = await stub.search(query, 5);
      if (query.includes("table")) expect(found).not.toEqual([]);
    }
    expect(await stub.search("\u{1f600}", 5)).toEqual([]);
  });

  it("and a new document read the same few rows however many passages there are", {
    timeout: 60_000,
  }, async () => {
    const { stub } = newCorpus();
    const read = await runInDurableObject(stub, async (corpus, { storage }) => {
      for (let i = 0; i < 300; i++) {
        const body = JSON.stringify({
          title: `Part ${i}`,
          text: `The user asked ${i} questions of the corpus.`,
        });
        await corpus.fetch(
          new Request(`${DOCUMENTS}/${i}`, {
            method: "PUT",
            body,
            headers: { "content-type": "application/json" },
          }),
        );
      }
      const rowsRead = async (query: string, topK: number) =>
        (await rowsOf(storage.sql, () => corpus.search(query, topK))).read;
      const numbers = Array.from({ length: 300 }, (_, i) => i).join(" ");
      const put = async (id: string) => {
        const body = JSON.stringify({ title: "Part", text: "Another question of a user." });
        const headers = { "content-type": "application/json" };
        await corpus.fetch(new Request(`${DOCUMENTS}/${id}`, { method: "PUT", body, headers }));
      };
      const asked = "questions has the user asked of the corpus?";
      // Each search reads further terms, until all are known.
      let first = 0;
      for (let i = 0; i < 6; i++) first += await rowsRead(`How ${"often ".repeat(i)}${asked}`, 5);
      return {
        first,
        usual: await rowsRead(`How many ${asked}`, 5),
        dearest: await rowsRead(numbers, 20),
        added: (await rowsOf(storage.sql, () => put("added"))).read,
        replaced: (await rowsOf(storage.sql, () => put("7"))).read,
      };
    });
    // Any of them may spend what those before it have saved.
    expect(read.first).toBeLessThanOrEqual(6 * (100 + 300));
    expect(read.usual).toBeLessThanOrEqual(20);
    // The searches before it have saved 300 rows each for what goes into memory.
    expect(read.dearest).toBeLessThanOrEqual(100 + 7 * 300);
    expect(read.added).toBeLessThanOrEqual(10);
    expect(read.replaced).toBeLessThanOrEqual(20);
  });
});

describe("copies of a text", () => {
  const text =
    "The warranty covers every lamp for two years from the day of purchase, and all parts.";
  const other = (i: number) => ({
    title: "Part",
    text: `Its warranty is of another kind, ${i}.`,
  });

  it("take one place in a search, and the next passages fill the others", async () => {
    const { stub, put } = newCorpus();
    for (const id of ["e", "d", "c", "b", "a"]) await put(id, { title: "Warranty", text });
    for (let i = 0; i < 6; i++) await put(`other${i}`, other(i));
    const found = await stub.search("warranty of a lamp", 5);
    expect(found.map(({ documentId }) => documentId)).toEqual([
      ...["a", "other0", "other1", "other2", "other3"],
    ]);
  });

  it("are found out though case, spaces, punctuation, title and headings differ", async () => {
    const { stub, put } = newCorpus();
    await put("a", { title: "Warranty", text });
    await put("b", { title: "Terms", text: `# Warranty\n\n${text.replace(",", " -")}` });
    await put("c", { title: "Old terms", text: `## Lamps\n\n${text.toUpperCase()}` });
    await put("d", { title: "More", text: text.replaceAll(" ", "\n") });
    await put("other", other(1));
    const found = await stub.search("warranty of lamps", 5);
    expect(found.map(({ documentId }) => documentId).sort()).toEqual([
      expect.stringMatching(/^[abcd]$/),
      "other",
    ]);
  });

  it("let the best of them stay", async () => {
    const { stub, put } = newCorpus();
    await put("a", { title: "Page 1", text });
    await put("b", { title: "Warranty of lamps", text });
    expect((await stub.search("warranty of lamps", 5)).map(({ id }) => id)).toEqual(["b#1"]);
  });

  it("fill no place however many they are, and cost no more rows than a search may", {
    timeout: 60_000,
  }, async () => {
    const { stub, put } = newCorpus();
    const numbers = Array.from({ length: 60 }, (_, i) => `n${i}`);
    for (let i = 0; i < 60; i++) await put(`copy${i}`, { title: "Warranty", text });
    for (let i = 0; i < 60; i++)
      await put(`second${i}`, { title: "Warranty", text: `${text} Or three.` });
    for (const [i, number] of numbers.entries()) {
      await put(`other${i}`, { title: "Part", text: `A part without warranty, ${number}.` });
    }
    const { found, dearest } = await runInDurableObject(stub, async (corpus, { storage }) => ({
      found: corpus.search("warranty of a lamp", 5).map(({ documentId }) => documentId),
      dearest: (await rowsOf(storage.sql, () => corpus.search(`warranty ${numbers.join(" ")}`, 20)))
        .read,
    }));
    expect(found).toHaveLength(5);
    expect(found.map((id) => id.replace(/\d+$/, "")).sort()).toEqual([
      ...["copy", "other", "other", "other", "second"],
    ]);
    // The search before it has saved 300 rows for what goes into memory.
    expect(dearest).toBeLessThanOrEqual(100 + 300);
  });

  it("are other texts if they are short and under other headings", async () => {
    const { stub, put } = newCorpus();
    await put("a", {
      title: "Options",
      text: "## timeout\n\nDefault: 30 s\n\n## retry\n\nDefault: 30 s",
    });
    expect(await stub.search("default of timeout and retry", 5)).toHaveLength(2);
  });

  it("are found by an index of an earlier release, which does not know them, once", async () => {
    const { stub, put } = newCorpus();
    for (const id of ["a", "b", "c"]) await put(id, { title: "Warranty", text });
    await put("other", other(1));
    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec("DELETE FROM passage_terms");
      storage.sql.exec(
        `INSERT INTO passage_terms (rowid, title, text) SELECT id, lower(title), 'warranti' FROM passages`,
      );
    });
    const found = await stub.search("warranty", 3);
    expect(new Set(found.map(({ text }) => text)).size).toBe(found.length);
  });
});

describe("an index of another version of the analyzer", () => {
  it("is rebuilt when the object next wakes", async () => {
    const { newStub, put } = newCorpus();
    for (const id of ["a", "b", "c"]) await put(id, { title: id, text: `The quota of ${id}.` });
    await runInDurableObject(newStub(), (_, { storage }) => {
      storage.sql.exec("UPDATE corpus SET analyzer_version = 0");
      storage.sql.exec("DELETE FROM passage_terms");
    });
    expect(await newStub().search("quota", 5)).toEqual([]);
    await abortAllDurableObjects();
    await expect.poll(() => newStub().search("quota", 5)).toHaveLength(3);
    const version = () =>
      runInDurableObject(newStub(), (_, { storage }) =>
        storage.sql.exec("SELECT analyzer_version, indexed_to, passages FROM corpus").one(),
      );
    await expect
      .poll(version)
      .toEqual({ analyzer_version: ANALYZER_VERSION, indexed_to: "", passages: 3 });
  });

  it("is rebuilt in steps that long texts with few passages shorten", async () => {
    const { newStub, put } = newCorpus();
    for (const id of ["a", "b", "c", "d"])
      await put(id, { title: id, text: "- \n".repeat(50_000) });
    const reached = await runInDurableObject(newStub(), async (object, { storage }) => {
      storage.sql.exec("UPDATE corpus SET analyzer_version = 0");
      await object.alarm();
      return storage.sql.exec("SELECT indexed_to FROM corpus").one();
    });
    expect(reached).toEqual({ indexed_to: "b" });
  });

  it("no longer suggests its headings as examples once it is rebuilt", async () => {
    const { newStub, put } = newCorpus();
    await put("faq", { title: "FAQ", text: "## How do I begin?\n\nAt the beginning." });
    const asked = await runInDurableObject(newStub(), async (object, { storage }) => {
      const examples = async () => {
        const response = await object.fetch(new Request(EXAMPLES));
        return (await response.json<Examples>()).questions;
      };
      storage.sql.exec(`UPDATE passages SET heading = '["How did one begin?"]'`);
      const before = await examples();
      storage.sql.exec("UPDATE corpus SET analyzer_version = 0");
      await object.alarm();
      return [before, await examples()];
    });
    expect(asked).toEqual([["How did one begin?"], ["How do I begin?"]]);
  });
});
