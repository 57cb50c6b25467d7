// With REWRITE=auto a model rewrites a follow-up for the search. Where that
// fails, the rule searches. The scripted model finds the directive for the
// rewrite in the earlier answer, which the rule does not read.

import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Receipt, Turn } from "../src/protocol.ts";
import {
  type AnswerBody,
  asOperator,
  audit,
  eventually,
  fetchApi,
  modelRequests,
  newUser,
  scripted,
  type TestUser,
  upstreamEnded,
} from "./harness.ts";
import type { Directive } from "./support/directive.ts";

const BEFORE = "Which model is used by default?";
const QUESTION = "And how much time may it take?";
const REWRITTEN = "How much time may Llama take?";
const AUTO = { REWRITE: "auto" };
/** A quarter of it is the time of a rewrite. */
const SHORT = { ...AUTO, FIRST_TOKEN_TIMEOUT_MS: "2000" };

const DOCUMENTS = {
  models: "# Models\n\n## How much time it may take\n\nBy default a model may take two minutes.",
  llama: "# Llama\n\n## Limits\n\nLlama may take a minute of your time.",
  quota: "# Quota\n\n## How much a user may ask\n\nA user may ask twenty questions a day.",
};

beforeAll(async () => {
  for (const [id, text] of Object.entries(DOCUMENTS)) {
    const body = JSON.stringify({ title: id, text });
    const { status } = await asOperator(`/admin/documents/${id}`, { method: "PUT", body });
    expect(status).toBe(201);
  }
});

let tag: string;
let log: string[];

beforeEach(() => {
  tag = crypto.randomUUID();
  log = [];
  const spies = (["log", "warn", "error"] as const).map((kind) =>
    vi.spyOn(console, kind).mockImplementation((...words) => {
      log.push(words.join(" "));
    }),
  );
  return () => {
    for (const spy of spies) spy.mockRestore();
  };
});

const historyWith = (directive: Directive): Turn[] => [
  { role: "user", content: BEFORE },
  { role: "assistant", content: scripted({ ...directive, tag }, "It is Llama.") },
];

const saying = (text: string, more: Directive = {}): Directive => ({ tokens: [text], ...more });

async function ask(user: TestUser, directive: Directive, query = QUESTION) {
  const stream = await user.ask(query, { history: historyWith(directive) });
  const done = (await stream.all()).at(-1);
  const receipt = await user.resolved(stream.queryId);
  return { stream, done, receipt, sources: idsOf(receipt) };
}

const idsOf = ({ sources }: Pick<Receipt, "sources">) => (sources ?? []).map(({ id }) => id);

/** What the search for a text finds. */
async function found(query: string, history: Turn[] = []): Promise<string[]> {
  const response = await (await newUser()).askForJson(query, { history });
  return idsOf(await response.json<AnswerBody>());
}

const byRule = () => found(QUESTION, [{ role: "user", content: BEFORE }]);
const fallbacks = () => log.filter((line) => line.startsWith("A question was not rewritten"));

describe("a follow-up that a model rewrites", () => {
  it("is searched by the rewritten text, and stays as it was asked", async () => {
    const sources = await found(REWRITTEN);
    expect(sources[0]).toMatch(/^llama#/);
    expect((await byRule())[0]).toMatch(/^models#/);
    const answered = await ask(await newUser(AUTO), saying(REWRITTEN));
    expect(answered.sources).toEqual(sources);
    expect(answered.done).toMatchObject({ type: "done", finish: "stop" });
    expect(answered.receipt).toMatchObject({ state: "charged", query: QUESTION });
    expect(fallbacks()).toEqual([]);
  });

  it("costs one short call, whose time and tokens are in the receipt and the log", async () => {
    const user = await newUser(AUTO);
    const usage = { prompt_tokens: 120, completion_tokens: 9 };
    const { receipt } = await ask(user, saying(REWRITTEN, { usage, headersMs: 60 }));
    expect(receipt).toMatchObject({ state: "charged", rewriteTokens: 129 });
    expect(receipt.rewriteMs).toBeGreaterThanOrEqual(50);
    expect(receipt.firstTokenMs).toBeGreaterThanOrEqual(receipt.rewriteMs ?? 0);
    const [request, ...others] = await modelRequests(tag);
    expect(others).toEqual([]);
    expect(request).toMatchObject({ roles: ["system", "user"], state: "completed" });
    expect(request?.options).toEqual({ max_tokens: 300, temperature: 0 });
    await eventually(
      async () => log.join("\n"),
      (lines) => lines.includes(`"rewriteMs":${receipt.rewriteMs},"rewriteTokens":129}`),
    );
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it.each([
    ["no whole number", { total_tokens: 1.5 }],
    ["a text", { total_tokens: "many" }],
    ["negative", { total_tokens: -3 }],
    ["beyond any integer", { total_tokens: 1e300 }],
    ["missing", {}],
  ])("is charged though the count of its tokens is %s", async (_, usage) => {
    const { receipt } = await ask(await newUser(AUTO), saying(REWRITTEN, { usage }));
    expect(receipt).toMatchObject({ state: "charged", rewriteTokens: null });
    expect(receipt.rewriteMs).not.toBeNull();
  });

  it("is rewritten once, however often it is repeated or read", async () => {
    const user = await newUser(AUTO);
    const history = historyWith(saying(REWRITTEN, { headersMs: 100 }));
    const first = await user.ask(QUESTION, { history });
    const second = await user.ask(QUESTION, { history });
    await Promise.all([first.all(), second.all()]);
    expect(second.queryId).toBe(first.queryId);
    await user.resolved(first.queryId);
    await (await user.ask(QUESTION, { history })).all();
    await (await user.events(first.queryId)).all();
    expect(await modelRequests(tag)).toHaveLength(1);
    expect(await user.quota()).toMatchObject({ charged: 1 });
  });

  it("is not rewritten without a reservation", async () => {
    const user = await newUser({ ...AUTO, QUOTA_LIMIT: "0" });
    const body = { query: QUESTION, history: historyWith(saying(REWRITTEN)) };
    expect((await user.post("/ai/ask", body)).status).toBe(429);
    expect(await modelRequests(tag)).toEqual([]);
  });
});

describe("no rewrite is made", () => {
  it.each<[string, Record<string, string>, string]>([
    ["by default", {}, QUESTION],
    ["with REWRITE=off", { REWRITE: "off" }, QUESTION],
    ["without a model", { ...AUTO, GENERATOR: "extractive" }, QUESTION],
    ["of small talk", AUTO, "Hello!"],
    ["of a long text", AUTO, `${QUESTION} ${"It waits and waits. ".repeat(25)}`],
  ])("%s", async (_, variables, query) => {
    const { receipt } = await ask(await newUser(variables), saying(REWRITTEN), query);
    expect(receipt).toMatchObject({ rewriteMs: null, rewriteTokens: null });
    expect(await modelRequests(tag)).toEqual([]);
    expect(fallbacks()).toEqual([]);
  });

  it("without a history", async () => {
    const stream = await (await newUser(AUTO)).ask(scripted({ tag, tokens: 1 }));
    await stream.all();
    expect(await modelRequests(tag)).toHaveLength(1);
  });
});

describe("the rule searches if the model", () => {
  it.each<[string, Directive]>([
    ["never responds", { fault: "hang-before-headers" }],
    ["stops in the middle", { fault: "hang" }],
    ["is slow", saying(REWRITTEN, { headersMs: 10_000 })],
    ["fails", { status: 500 }],
    ["is busy", { status: 429 }],
    ["refuses the key", { status: 401 }],
    ["fails without an end", { status: 500, fault: "hang" }],
    ["sends a page", { fault: "html" }],
    ["sends nothing", { fault: "empty" }],
    ["sends half an object", saying(REWRITTEN, { fault: "half-json" })],
    ["closes", { fault: "cut" }],
    ["redirects", { fault: "redirect" }],
    ["reports an error", { fault: "error" }],
    ["sends garbage", { fault: "garbage" }],
    ["never ends", { fault: "endless", ignoreMaxTokens: true }],
    ["reaches the limit", saying(REWRITTEN, { finish: "length" })],
    ["is stopped by a filter", saying(REWRITTEN, { finish: "content_filter" })],
    ["writes nothing", saying("")],
    ["writes blanks", saying(" \n\u200b ")],
    ["writes too much", saying(`${REWRITTEN} `, { tokenLength: 600 })],
    ["writes several lines", saying(`${REWRITTEN}\nIt needs the time of the model.`)],
    ["writes code", saying(`\`\`\`${REWRITTEN}\`\`\``)],
    ["refuses", saying("I'm sorry, but I can't help with that request.")],
  ])("%s", async (_, directive) => {
    const user = await newUser(SHORT);
    const { done, receipt, sources } = await ask(user, directive);
    expect(done).toMatchObject({ type: "done", finish: "stop", found: true });
    expect(sources).toEqual(await byRule());
    expect(receipt.state).toBe("charged");
    expect(receipt.rewriteMs).toBeLessThan(1_500);
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0, reserved: 0 });
    const requests = await eventually(
      () => modelRequests(tag),
      (seen) => seen.every(({ state }) => state !== "streaming"),
    );
    expect(requests).toHaveLength(1);
    expect(fallbacks()).toHaveLength(1);
    // The log has no word of the conversation or of the model.
    expect(fallbacks()[0]).not.toMatch(/canary|default|take|sorry|llama|bearer/i);
  });

  it("fails often, which is no failure of an ask", async () => {
    const user = await newUser({ ...AUTO, FAILURE_LIMIT: "1" });
    for (const query of [QUESTION, "And how much does it cost?", "And where do I set it?"]) {
      const { receipt } = await ask(user, { status: 500 }, query);
      expect(receipt.state).toBe("charged");
    }
  });
});

describe("a reader who leaves during the rewrite", () => {
  const hanging = { fault: "hang-before-headers" } as const;

  it.each(["leaves", "cancels"])("and %s is refunded, and the model stops", async (how) => {
    const user = await newUser(AUTO);
    const later = crypto.randomUUID();
    const query = scripted({ tag: later, tokens: 1 }, QUESTION);
    const stream = await user.ask(query, { history: historyWith(hanging) });
    await stream.until("start");
    await eventually(
      () => modelRequests(tag),
      ({ length }) => length === 1,
    );
    if (how === "leaves") stream.leave();
    else await user.post(`/ai/queries/${stream.queryId}/cancel`);
    const reason = how === "leaves" ? "disconnected" : "cancelled";
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "refunded", reason });
    const [request] = await upstreamEnded(tag);
    // By itself it would end after 2.5 seconds.
    expect((request?.endedAt ?? 0) - (request?.startedAt ?? 0)).toBeLessThan(2_400);
    expect(await user.quota()).toMatchObject({ charged: 0, refunded: 1, reserved: 0 });
    // It does not go on to search and to generate.
    await scheduler.wait(100);
    expect(await modelRequests(later)).toEqual([]);
    expect(fallbacks()).toEqual([]);
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });
});

describe("the time of a rewrite", () => {
  it("has heartbeats", async () => {
    const { stream, done } = await ask(await newUser(AUTO), saying(REWRITTEN, { headersMs: 400 }));
    const begun = stream.events.findIndex(({ type }) => type === "sources");
    const pings = stream.events.slice(0, begun).filter(({ type }) => type === "ping");
    expect(pings.length).toBeGreaterThan(2);
    expect(done?.type).toBe("done");
  });

  it("is a part of the time to the first sign of life, and a quarter of it at most", async () => {
    const user = await newUser({ ...AUTO, FIRST_TOKEN_TIMEOUT_MS: "3000" });
    const hanging = { fault: "hang-before-headers" } as const;
    const query = scripted(hanging, QUESTION);
    const stream = await user.ask(query, { history: historyWith(hanging) });
    const last = (await stream.all()).at(-1);
    expect(last).toMatchObject({ type: "error", code: "GENERATION_TIMEOUT", quotaRemaining: 20 });
    const [request] = await upstreamEnded(tag);
    // Without a part of its own it would end after 2.5 seconds.
    expect((request?.endedAt ?? 0) - (request?.startedAt ?? 0)).toBeLessThan(1_800);
    const line = log.find((words) => words.includes(stream.queryId) && words.startsWith("{"));
    const { totalMs, rewriteMs } = JSON.parse(line ?? "{}");
    expect(rewriteMs).toBeGreaterThanOrEqual(700);
    // The model gets what is left of the 3 seconds, not all of them again.
    expect(totalMs - rewriteMs).toBeLessThan(2_900);
  });

  it("is 2.5 seconds at most", async () => {
    const { receipt, sources } = await ask(await newUser(AUTO), { fault: "hang" });
    expect(receipt.rewriteMs).toBeGreaterThan(2_400);
    // A quarter of the time to the first token would be 7.5 seconds.
    expect(receipt.rewriteMs).toBeLessThan(4_000);
    expect(sources).toEqual(await byRule());
  });
});

describe("REWRITE", () => {
  it.each([{}, { GENERATOR: "extractive" }])(
    "is refused if it is neither off nor auto: %o",
    async (more) => {
      const user = await newUser({ ...more, REWRITE: "on" });
      const response = await user.post("/ai/ask", { query: QUESTION });
      expect(response.status).toBe(503);
      const body = await response.json<{ message: string }>();
      expect(body.message).toContain("The variable REWRITE must be off or auto.");
      expect(await user.quota()).toMatchObject({ reserved: 0, refunded: 0 });
    },
  );

  it("does not make a valid server unhealthy", async () => {
    expect((await fetchApi("/healthz")).status).toBe(200);
  });
});
