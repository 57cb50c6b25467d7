// Hostile documents, stored by the real route and asked about.
// Neither they nor a model that repeats them change
// a stream's framing, its sources, or what the server does.

import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { AnswerBody, Source, StreamEvent } from "../../src/protocol.ts";
import { asOperator, newUser, type TestUser } from "../harness.ts";
import { eventsIn } from "../support/event-stream.ts";
import {
  ACTIVE,
  FORGED_CITATIONS,
  FORGED_FRAMES,
  HOSTILE_DOCUMENTS,
  REFUSED_BODIES,
  REFUSED_URLS,
} from "./documents.ts";

const FRAMES = /^(data: \{[^\r\n]*\}\n\n)*$/;
/** What some clients take for a line end, and JSON leaves unescaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const LINE_BREAKERS = /[\u0000-\u0009\u000b-\u001f\u0080-\u009f\u2028\u2029]/;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}|[^\P{Cc}\n\t]/u;
const LINK = /^(https?:\/\/|\/(?![/\\]))/;

const EXTRACTIVE = { GENERATOR: "extractive", EXTRACTIVE_TOKENS_PER_SECOND: "0" };

beforeAll(async () => {
  for (const { id, title, text, url } of HOSTILE_DOCUMENTS) {
    const response = await put(id, JSON.stringify({ title, text, url }));
    expect(response.status, id).toBe(201);
    await response.text();
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the documents route refuses", () => {
  test.each(REFUSED_URLS)("a document with the url %j", async (url) => {
    const response = await put("refused", JSON.stringify({ title: "x", text: "x", url }));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "INVALID_REQUEST" });
  });

  test.each(REFUSED_BODIES)("%s", async (_, body) => {
    const response = await put("refused", body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "INVALID_REQUEST" });
  });
});

describe.each(HOSTILE_DOCUMENTS)("the document $id", ({ id, question }) => {
  test("is quoted and cited in its own place", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    const user = await newUser(EXTRACTIVE);
    const { events, sources } = await askAsStream(user, question);
    expect(sources.map(({ documentId }) => documentId)).toContain(id);

    // It cites what it quotes, at the end
    // of each paragraph, and nothing else.
    const own = [...answerOf(events).matchAll(/\[(\d+)\](?=\n\n|$)/g)].map(([, n]) => Number(n));
    const expected = sources.map(({ n }) => n).filter((n) => own.includes(n));
    expect(expected).not.toEqual([]);
    expect(sources.filter(({ cited }) => cited).map(({ n }) => n)).toEqual(expected);
    expect(fetched).not.toHaveBeenCalled();
    await chargedOnce(user);
  });

  test("is quoted in JSON as in a stream, and charged once", async () => {
    const user = await newUser(EXTRACTIVE);
    const response = await user.askForJson(question, { topK: 20 });
    const body = await response.json<AnswerBody>();
    const stream = await askAsStream(await newUser(EXTRACTIVE), question);
    expect(body.answer).toBe(answerOf(stream.events));
    expect(body.sources).toEqual(stream.sources);
    await chargedOnce(user);
  });

  test("stays in its place in the prompt, even when a model repeats the whole prompt", async () => {
    const parrot = new Parrot();
    const user = await newUser({ GENERATOR: "workers-ai", AI: parrot as never });
    const { events, sources } = await askAsStream(user, question);
    const [rules, ask, ...others] = parrot.messages;
    expect(others).toEqual([]);
    expect(rules?.role).toBe("system");
    expect(rules?.content).not.toContain(question);
    const asked = ask?.content ?? "";
    expect(asked.match(/<\/?passage/gi)).toHaveLength(2 * sources.length);
    expect(asked.endsWith(`</passage-${parrot.nonce}>\n\nQuestion: ${question}`)).toBe(true);
    const passages = asked.slice(0, -question.length);
    expect(passages).not.toMatch(/<[|｜]|\[\/?INST\]|<\/?(?:s|think|(?:start|end)_of_turn)>/);
    expect(passages).not.toMatch(INVISIBLE);
    expect(answerOf(events)).toBe(asked);
    await chargedOnce(user);
  });
});

describe("a model that says hostile things", () => {
  const sayings: [string, string[]][] = [
    ["forged frames, whole", FORGED_FRAMES],
    ["forged frames, character by character", [...FORGED_FRAMES.join("")].slice(0, 400)],
    ["forged citations", [FORGED_CITATIONS, " and `[1]`"]],
    ["what a page must not run", ACTIVE],
    ["half characters", ["a\ud800", "b\udc00", "\udc00\ud800", "c"]],
  ];

  test.each(sayings)("changes only the answer's text with %s", async (_, tokens) => {
    const fetched = vi.spyOn(globalThis, "fetch");
    const user = await newUser();
    const { events, queryId, sources } = await askAsStream(user, saying(tokens));
    expect(answerOf(events)).toBe(tokens.join("").toWellFormed());
    expect(fetched.mock.calls.map(([url]) => url)).toEqual([
      `${env.OPENAI_BASE_URL}/chat/completions`,
    ]);
    await chargedOnce(user);

    const again = await user.request(`/ai/queries/${queryId}/events`);
    const replayed = await framesOf(again);
    expect(replayed.filter(notPing)).toEqual(events.filter(notPing));
    expect((await user.receipt(queryId)).sources).toEqual(sources);
    await chargedOnce(user);
  });

  test("cites only sources that exist", async () => {
    const user = await newUser();
    const { sources } = await askAsStream(user, saying(["In all [99] [0] 【1】 [2, 77]"]));
    expect(sources.length).toBeGreaterThan(2);
    expect(sources.filter(({ cited }) => cited).map(({ n }) => n)).toEqual([1, 2]);
  });
});

test("all of the documents together change nothing", async () => {
  const { documents } = await (await asOperator("/admin/documents?limit=200")).json<{
    documents: { id: string; title: string }[];
  }>();
  const expected = HOSTILE_DOCUMENTS.map(({ id, title }) => ({ id, title: title.trim() }));
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  expect(documents.map(({ id, title }) => ({ id, title })).sort(byId)).toEqual(expected.sort(byId));
  for (const { id, text } of HOSTILE_DOCUMENTS) {
    const stored = await asOperator(`/admin/documents/${encodeURIComponent(id)}`);
    expect((await stored.json<{ text: string }>()).text === text, id).toBe(true);
  }
  expect(({} as Record<string, unknown>).cited).toBeUndefined();

  for (const { id } of HOSTILE_DOCUMENTS) {
    const path = `/admin/documents/${encodeURIComponent(id)}`;
    expect((await asOperator(path, { method: "DELETE" })).status).toBe(200);
    expect((await asOperator(path)).status).toBe(404);
  }
  const user = await newUser(EXTRACTIVE);
  const { sources } = await askAsStream(user, "What does the ordermonger say?");
  expect(sources).toEqual([]);
});

/** Replaces the binding AI: a model that repeats all it was sent. */
class Parrot {
  messages: readonly { role: string; content: string }[] = [];

  get nonce(): string | undefined {
    return /^<passage-([0-9a-f]{8}) n="1" title="/.exec(this.messages.at(-1)?.content ?? "")?.[1];
  }

  async run(_model: string, inputs: { messages: { role: string; content: string }[] }) {
    this.messages = inputs.messages;
    const text = inputs.messages.at(-1)?.content ?? "";
    const tokens = text.match(/.{1,1000}/gsu) ?? [];
    const events = tokens.map((response) => `data: ${JSON.stringify({ response })}\n\n`);
    return new Blob([...events, "data: [DONE]\n\n"]).stream();
  }
}

/**
 * A question that makes the model say the tokens.
 * A bracket in one would end the directive.
 */
function saying(tokens: readonly string[]): string {
  const strings = tokens.map((token) => JSON.stringify(token).replaceAll("]", "\\u005d"));
  return `What does the ordermonger say? [[model {"tokens":[${strings}]}]]`;
}

function put(id: string, body: string): Promise<Response> {
  return asOperator(`/admin/documents/${encodeURIComponent(id)}`, { method: "PUT", body });
}

/** An ask, and what must hold for every stream. */
async function askAsStream(user: TestUser, query: string) {
  const response = await user.post("/ai/ask?stream=true", { query, topK: 20 });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const queryId = response.headers.get("x-query-id") ?? "";
  const events = await framesOf(response);

  const [start, found] = events;
  const done = events.at(-1);
  expect(start).toEqual({ type: "start", queryId, quotaRemaining: 19 });
  if (found?.type !== "sources" || done?.type !== "done") throw new Error("It did not end well.");
  expect(done).toMatchObject({ queryId, quotaRemaining: done.found ? 19 : 20 });
  expect(done.sources.map(({ cited: _, ...source }) => source)).toEqual(found.sources);
  for (const source of done.sources) checkSource(source);
  return { events, queryId, sources: done.sources };
}

/** The events of a stream, after a check of every byte. */
async function framesOf(response: Response): Promise<StreamEvent[]> {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
    await response.arrayBuffer(),
  );
  expect(text).toMatch(FRAMES);
  expect(text).not.toMatch(LINE_BREAKERS);
  expect(text).not.toContain(env.AUTH_SECRET);
  const events = eventsIn(text);
  const types = events.map(({ type }) => type);
  expect(types.filter((type) => type === "done" || type === "error")).toEqual([types.at(-1)]);
  expect(types.filter((type) => type === "start")).toHaveLength(1);
  expect(types.filter((type) => type === "sources")).toHaveLength(1);
  return events;
}

function checkSource({ id, documentId, url, score, snippet, n, ...rest }: Source): void {
  expect(HOSTILE_DOCUMENTS.map((document) => document.id)).toContain(documentId);
  expect(id).toMatch(/#\d+$/);
  expect(id.startsWith(`${documentId}#`)).toBe(true);
  if (url !== null) expect(url).toMatch(LINK);
  expect(score).toBeGreaterThanOrEqual(0);
  expect(score).toBeLessThanOrEqual(1);
  expect(snippet.length).toBeLessThanOrEqual(400);
  expect(n).toBeGreaterThan(0);
  expect(Object.keys(rest).sort()).toEqual(["cited", "heading", "title"]);
}

async function chargedOnce(user: TestUser): Promise<void> {
  await vi.waitFor(async () => {
    expect(await user.quota()).toMatchObject({ limit: 20, reserved: 0, charged: 1, refunded: 0 });
  });
}

function answerOf(events: readonly StreamEvent[]): string {
  return events.map((event) => (event.type === "token" ? event.token : "")).join("");
}

function notPing({ type }: StreamEvent): boolean {
  return type !== "ping";
}
