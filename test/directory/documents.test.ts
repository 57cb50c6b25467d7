// All documents as a file: what is exported can be imported, and is the same.

import { afterEach, describe, expect, it } from "vitest";
import { asOperator, bearer, fetchApi } from "../harness.ts";

interface Imported {
  readonly imported: number;
  readonly refused: readonly { line: number; id: string | null; message: string }[];
  readonly next: number | null;
}

async function send(body: BodyInit, path = "", type = "application/x-ndjson"): Promise<Response> {
  const operator = await bearer({ sub: "ops", scope: "operator" });
  const headers = { authorization: `Bearer ${operator}`, "content-type": type };
  return fetchApi(`/api/v1/admin/import${path}`, { method: "POST", headers, body });
}

async function exported(): Promise<string> {
  const response = await asOperator("/admin/export");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  return new TextDecoder().decode(await response.arrayBuffer());
}

async function deleteAll(): Promise<void> {
  for (const line of (await exported()).trimEnd().split("\n").filter(Boolean)) {
    const { id } = JSON.parse(line);
    await asOperator(`/admin/documents/${encodeURIComponent(id)}`, { method: "DELETE" });
  }
}

afterEach(deleteAll);

describe("an export", () => {
  it("is empty without documents", async () => {
    expect(await exported()).toBe("");
  });

  it("has every document as it was sent, however many and long, and can be imported", async () => {
    const documents = Array.from({ length: 230 }, (_, i) => ({
      id: `d ${String(i).padStart(3, "0")}/ä`,
      title: `Title ${i}`,
      url: i % 2 === 0 ? `https://example.com/${i}` : null,
      text: i % 50 === 0 ? `Long ${"word ".repeat(80_000)}` : `Text ${i}\u2028\u{1f600}`,
    }));
    const file = documents.map((document) => `${JSON.stringify(document)}\n`).join("");
    expect(await (await send(file)).json()).toEqual({ imported: 230, refused: [], next: null });
    const text = await exported();
    const lines = text.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(documents);
    await deleteAll();
    expect(await (await send(text)).json()).toMatchObject({ imported: 230, refused: [] });
    expect(await exported()).toBe(text);
    // Again: it changes nothing.
    expect(await (await send(text)).json()).toMatchObject({ imported: 230 });
  });
});

describe("an import", () => {
  const line = (id: string) => JSON.stringify({ id, title: id, text: `The ${id}.` });

  it("is in the operators' log with the lines before the one where it ends", async () => {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode(`${line("a")}\nno JSON\n`));
        await scheduler.wait(100);
        controller.enqueue(Uint8Array.of(0xff, 0x0a));
        controller.close();
      },
    });
    const response = await send(body);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { code: "INVALID_REQUEST", message: "The body must be UTF-8." },
    ]);
    expect((await asOperator("/admin/documents/a")).status).toBe(200);
    expect(await (await asOperator("/admin/log?limit=1")).json()).toMatchObject({
      entries: [{ action: "POST /admin/import", status: 400, change: { imported: 1, refused: 1 } }],
    });
  });

  it("says which lines were refused, and takes the others", async () => {
    const file = [
      line("a"),
      "no JSON",
      JSON.stringify({ title: "No id", text: "x" }),
      "",
      JSON.stringify({ id: "b", title: "", text: "x" }),
      JSON.stringify({ id: "c", title: "c", text: "x", unknown: 1 }),
      JSON.stringify({ id: "long", title: "long", text: "x".repeat(1024 * 1024 + 1) }),
      line("d"),
    ].join("\n");
    const { imported, refused, next } = await (await send(file)).json<Imported>();
    expect({ imported, next }).toEqual({ imported: 2, next: null });
    expect(refused.map(({ line, id }) => [line, id])).toEqual([
      [2, null],
      [3, null],
      [5, "b"],
      [6, "c"],
      [7, "long"],
    ]);
    expect(refused[3]?.message).toContain("unknown");
    const log = await (await asOperator("/admin/log?limit=1")).json();
    expect(log).toMatchObject({
      entries: [{ action: "POST /admin/import", change: { imported: 2, refused: 5 } }],
    });
  });

  it("is in the operators' log with its collection", async () => {
    const line = JSON.stringify({ id: "one", title: "One", text: "The first." });
    await send(line, "?collection=imports");
    const log = await (await asOperator("/admin/log?limit=1")).json();
    expect(log).toMatchObject({
      entries: [{ change: { collection: "imports", imported: 1, refused: 0 } }],
    });
  });

  it("of more than 900 documents says from which line to go on", async () => {
    const refusedLines = "{}\n".repeat(901);
    const first = await (await send(`${refusedLines}${line("last")}`)).json<Imported>();
    expect(first).toMatchObject({ imported: 0, next: 901 });
    expect(first.refused).toHaveLength(900);
    const rest = await (await send(`${refusedLines}${line("last")}`, "?from=901")).json();
    expect(rest).toMatchObject({ imported: 1, refused: [{ line: 901 }], next: null });
  });

  it.each([
    ["of another type", "{}", "", "application/json", 415],
    ["with a wrong first line", "{}", "?from=x", undefined, 400],
    ["that is not UTF-8", new Uint8Array([0xff, 0x0a]), "", undefined, 400],
    ["with an endless line", "x".repeat(7 * 1024 * 1024 + 1), "", undefined, 413],
  ] as const)("%s is refused", async (_what, body, path, type, status) => {
    expect((await send(body, path, type)).status).toBe(status);
  });
});
