// The tools of the MCP endpoint, against the scripted model.

import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { AnswerBody } from "../../src/protocol.ts";
import {
  adminPath,
  asOperator,
  audit,
  eventually,
  modelRequests,
  newUser,
  scripted,
  type TestUser,
  upstreamEnded,
} from "../harness.ts";
import type { Directive } from "../support/directive.ts";
import {
  call,
  framesIn,
  type Message,
  messagesOf,
  request,
  send,
  sendModern,
  type ToolResult,
} from "./rpc.ts";

interface Listed {
  readonly name: string;
  readonly inputSchema: { readonly properties: object };
  readonly outputSchema: { readonly required: string[] };
}

const DOCUMENT = {
  title: "Charges",
  url: "https://docs.example/charges",
  text: "# When you are charged\n\nYou are charged once, for an answer that arrives whole.\n\n# Refunds\n\nA refund comes when you disconnect before the end.",
};

beforeAll(async () => {
  const body = JSON.stringify(DOCUMENT);
  const response = await asOperator("/admin/documents/charges", { method: "PUT", body });
  expect(response.status).toBeLessThan(300);
});

describe("the list of tools", () => {
  it("has ask and search_documents, with schemas of what they take and return", async () => {
    const user = await newUser();
    const { tools } = await request<{ tools: Listed[] }>(user, "tools/list");
    expect(tools.map(({ name }) => name)).toEqual(["ask", "search_documents"]);
    expect(Object.keys(tools[0]?.inputSchema.properties ?? {})).toEqual([
      ...["question", "topK", "history", "maxTokens", "collections"],
    ]);
    expect(tools[0]?.outputSchema.required).toContain("quotaRemaining");
  });
});

describe("the tool ask", () => {
  it("returns the answer, its sources and what is left, and charges once", async () => {
    const user = await newUser({ QUOTA_LIMIT: "5" });
    const question = scripted(
      { tokens: ["Belay ", "charges ", "once [1]."] },
      "When am I charged?",
    );
    const result = await call(user, "ask", { question });
    const answer = result.structuredContent as unknown as AnswerBody;
    expect(answer).toMatchObject({
      answer: "Belay charges once [1].",
      finish: "stop",
      found: true,
      quotaRemaining: 4,
    });
    expect(answer.sources[0]).toMatchObject({ n: 1, cited: true, title: "Charges" });
    expect(result.isError).toBeUndefined();
    expect(result.content[0]?.text).toBe("Belay charges once [1].");
    const about = result.content[1]?.text ?? "";
    expect(about).toContain(
      "[1] Charges > When you are charged <https://docs.example/charges#when-you-are-charged>",
    );
    expect(about).toContain(answer.queryId);
    expect(about).toContain("Answers left in the quota: 4.");
    expect(await user.receipt(answer.queryId)).toMatchObject({
      state: "charged",
      answer: "Belay charges once [1].",
    });
    expect(await audit(user)).toMatchObject({ ok: true });
  });

  it("writes a message on one line for every reader of lines", async () => {
    const user = await newUser();
    // Each ends a line for some client.
    const answer = "One\u2028two\u2029three\u0085four.";
    const params = { name: "ask", arguments: { question: scripted({ tokens: [answer] }) } };
    const response = await send(user, { id: 1, method: "tools/call", params });
    const text = await response.text();
    expect(text).not.toMatch(/[\u0080-\u009f\u2028\u2029]/);
    expect(framesIn(text).at(-1)?.result?.structuredContent).toMatchObject({ answer });
  });

  it("returns the same to a client of the newest protocol", async () => {
    const user = await newUser();
    const params = { name: "ask", arguments: { question: scripted({ tokens: ["Yes."] }) } };
    const response = await sendModern(user, "tools/call", params);
    expect(response.status).toBe(200);
    const result = (await messagesOf(response)).at(-1)?.result;
    expect(result?.structuredContent).toMatchObject({ answer: "Yes.", found: true });
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0 });
  });

  it("says that nothing was found, free of charge, with the closest passages", async () => {
    const user = await newUser();
    const question = scripted({ tokens: ["[0] ", "Nothing here."] }, "When are refunds taxed?");
    const result = await call(user, "ask", { question });
    const answer = result.structuredContent as unknown as AnswerBody;
    expect(answer).toMatchObject({ answer: "Nothing here.", found: false, quotaRemaining: 20 });
    expect(answer.sources.length).toBeGreaterThan(0);
    expect(result.content[1]?.text).toMatch(/^Nothing was found. The closest passages:\n\n\[1\] /);
    expect(await user.resolved(answer.queryId)).toMatchObject({
      state: "refunded",
      reason: "nothing_found",
    });
  });

  it("passes topK, history and maxTokens on", async () => {
    const user = await newUser();
    const { structuredContent } = await call(user, "ask", {
      question: scripted({ tokens: 9, ignoreMaxTokens: true }),
      topK: 1,
      maxTokens: 3,
      history: [
        { role: "user", content: "What is a refund?" },
        { role: "assistant", content: "A reservation that was given back." },
      ],
    });
    expect(structuredContent).toMatchObject({ finish: "length" });
    expect((structuredContent as unknown as AnswerBody).sources.length).toBeLessThanOrEqual(1);
  });

  it("sends the text as progress while it is written, if the client asks for it", async () => {
    const user = await newUser();
    const tokens = Array.from({ length: 12 }, (_, index) => `${index} `);
    const params = {
      name: "ask",
      arguments: { question: scripted({ tokens, gapMs: 30 }) },
      _meta: { progressToken: "p1" },
    };
    const messages = await messagesOf(await send(user, { id: 1, method: "tools/call", params }));
    const progress = messages.filter(({ method }) => method === "notifications/progress");
    expect(progress.length).toBeGreaterThan(2);
    expect(progress.every(({ params }) => params?.progressToken === "p1")).toBe(true);
    const numbers = progress.map(({ params }) => params?.progress as number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(progress.map(({ params }) => params?.message ?? "").join("")).toBe(tokens.join(""));
    expect(messages.at(-1)).toMatchObject({ id: 1, result: { content: expect.any(Array) } });
  });

  it("sends no progress that the client did not ask for", async () => {
    const user = await newUser();
    const params = { name: "ask", arguments: { question: scripted({ tokens: 5, gapMs: 30 }) } };
    const messages = await messagesOf(await send(user, { id: 1, method: "tools/call", params }));
    expect(messages).toHaveLength(1);
  });

  it("writes heartbeats while the model is silent", async () => {
    const user = await newUser();
    const params = { name: "ask", arguments: { question: scripted({ tokens: 1, firstMs: 400 }) } };
    const text = await (await send(user, { id: 1, method: "tools/call", params })).text();
    expect(text.split(":\n\n").length).toBeGreaterThan(4);
  });

  it("answers two calls of one batch, each charged once", async () => {
    const user = await newUser();
    const asks = [1, 2].map((id) => ({
      ...{ jsonrpc: "2.0", id, method: "tools/call" },
      params: { name: "ask", arguments: { question: scripted({ tokens: [`answer ${id}`] }) } },
    }));
    const response = await user.request("/../../mcp", {
      method: "POST",
      headers: { accept: "application/json, text/event-stream" },
      body: JSON.stringify(asks),
    });
    const answers = (await messagesOf(response)).map(({ id, result }: Message) => [
      id,
      (result as unknown as ToolResult).structuredContent?.answer,
    ]);
    expect(new Map(answers as [number, string][])).toEqual(
      new Map([
        [1, "answer 1"],
        [2, "answer 2"],
      ]),
    );
    expect(await user.quota()).toMatchObject({ charged: 2 });
  });
});

describe("an ask that fails", () => {
  it.each([
    ["the model fails", { status: 500 }, "GENERATION_FAILED"],
    ["the model's stream is cut", { tokens: 5, fault: "cut", at: 2 }, "GENERATION_FAILED"],
  ] as const)("is a tool error and free of charge when %s", async (_when, directive, code) => {
    const user = await newUser();
    const result = await call(user, "ask", { question: scripted(directive) });
    expect(result).toMatchObject({ isError: true, _meta: { belay: { code } } });
    expect(result.content[0]?.text).toContain(code);
    expect(result.structuredContent).toBeUndefined();
    const queryId = result._meta?.belay?.queryId ?? "";
    expect(await user.resolved(queryId)).toMatchObject({ state: "refunded", reason: "failed" });
  });

  it("is a tool error and free of charge when the user's object is reset", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const params = {
      name: "ask",
      arguments: { question: scripted({ tokens: 400, gapMs: 20, tag }) },
    };
    const response = await send(user, { id: 1, method: "tools/call", params });
    await eventually(
      () => modelRequests(tag),
      ([request]) => (request?.tokensSent ?? 0) > 3,
    );
    await runInDurableObject(user.stub, (_object, state) => state.abort("reset")).catch(() => {});
    const result = (await messagesOf(response)).at(-1)?.result as unknown as ToolResult;
    expect(result).toMatchObject({ isError: true, _meta: { belay: { code: "UNAVAILABLE" } } });
    expect((await user.receipts())[0]).toMatchObject({ state: "refunded", reason: "expired" });
  });

  it("says when the quota is used up", async () => {
    const user = await newUser({ QUOTA_LIMIT: "1" });
    await call(user, "ask", { question: scripted({ tokens: 1 }) });
    const second = await call(user, "ask", { question: scripted({ tokens: 2 }) });
    expect(second).toMatchObject({
      isError: true,
      _meta: { belay: { code: "QUOTA_EXCEEDED", resetsAt: expect.any(String) } },
    });
    expect(await user.quota()).toMatchObject({ charged: 1 });
  });

  it("says that the user is blocked", async () => {
    const user = await newUser();
    await asOperator(adminPath(user), { method: "PATCH", body: '{"blocked":true}' });
    const result = await call(user, "ask", { question: "What does Belay do?" });
    expect(result).toMatchObject({ isError: true, _meta: { belay: { code: "BLOCKED" } } });
  });

  it.each([
    ["no question", {}, 'The field "question" is missing'],
    ["an empty question", { question: "  " }, '"question"'],
    ["a question that is too long", { question: "x".repeat(4_001) }, '"question"'],
    ["too many passages", { question: "When?", topK: 21 }, '"topK" must be a whole number'],
    [
      "a wrong turn",
      { question: "When?", history: [{ role: "system", content: "x" }] },
      '"history.0.role"',
    ],
    ["an unknown argument", { question: "When?", query: "When?" }, 'Unknown field "query"'],
  ])("names what is wrong with the arguments: %s", async (_what, args, message) => {
    const user = await newUser();
    const result = await call(user, "ask", args);
    expect(result).toMatchObject({ isError: true, _meta: { belay: { code: "INVALID_REQUEST" } } });
    expect(result.content[0]?.text).toContain(message);
    expect(await user.quota()).toMatchObject({ charged: 0, reserved: 0, refunded: 0 });
  });
});

describe("the tool search_documents", () => {
  it("returns the passages that fit best, free of charge", async () => {
    const user = await newUser();
    const query = "When do I get a refund?";
    const result = await call(user, "search_documents", { query, limit: 1 });
    const passages = result.structuredContent?.passages as AnswerBody["sources"];
    expect(passages).toEqual([
      {
        ...{ id: "charges#2", documentId: "charges", title: "Charges", heading: ["Refunds"] },
        ...{ url: `${DOCUMENT.url}#refunds`, snippet: expect.stringContaining("A refund comes") },
        score: expect.any(Number),
      },
    ]);
    expect(result.content[0]?.text).toContain("[1] Charges > Refunds <https://docs");
    expect(await user.quota()).toMatchObject({ charged: 0, reserved: 0, refunded: 0 });
    expect(await user.receipts()).toEqual([]);
  });

  it("gives the passages that an answer to the same question is drawn from", async () => {
    const user = await newUser();
    const query = "When am I charged?";
    const searched = await call(user, "search_documents", { query });
    const answered = await call(user, "ask", { question: query });
    const idsOf = (passages: unknown) => (passages as { id: string }[]).map(({ id }) => id);
    expect(idsOf(searched.structuredContent?.passages)).toEqual(
      idsOf(answered.structuredContent?.sources),
    );
  });

  it("says when no passage fits", async () => {
    const result = await call(await newUser(), "search_documents", { query: "zyzzyva" });
    expect(result.structuredContent).toEqual({ passages: [] });
    expect(result.content[0]?.text).toBe("No passage fits. Use other words.");
  });

  it("refuses a blocked user, and makes nothing of one who has not asked yet", async () => {
    const user = await newUser();
    const search = () => call(user, "search_documents", { query: "refund" });
    expect((await search()).isError).toBeUndefined();
    expect((await asOperator(adminPath(user))).status).toBe(404);
    await asOperator(adminPath(user), { method: "PATCH", body: '{"blocked":true}' });
    const refused = await search();
    expect(refused).toMatchObject({ isError: true, _meta: { belay: { code: "BLOCKED" } } });
    await asOperator(adminPath(user), { method: "PATCH", body: '{"blocked":false}' });
    expect((await search()).isError).toBeUndefined();
  });

  it.each([
    [{}, '"query" is missing'],
    [{ query: "x", limit: 0 }, '"limit"'],
  ])("names what is wrong with the arguments %j", async (args, message) => {
    const result = await call(await newUser(), "search_documents", args);
    expect(result).toMatchObject({ isError: true, _meta: { belay: { code: "INVALID_REQUEST" } } });
    expect(result.content[0]?.text).toContain(message);
  });
});

describe("a call that an older client cancels", () => {
  const cancel = (user: TestUser, requestId: unknown, session: string) =>
    send(
      user,
      { method: "notifications/cancelled", params: { requestId } },
      { headers: { "mcp-session-id": session } },
    );
  const start = (user: TestUser, id: number | string, session: string, directive: Directive) => {
    const params = { name: "ask", arguments: { question: scripted(directive) } };
    return send(
      user,
      { id, method: "tools/call", params },
      { headers: { "mcp-session-id": session } },
    );
  };
  const resultOf = async (response: Response) =>
    (await messagesOf(response)).at(-1)?.result as unknown as ToolResult;

  it("ends with CANCELLED, is refunded, and its model stops", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const response = await start(user, 7, "s1", { tokens: 400, gapMs: 20, tag });
    await eventually(
      () => modelRequests(tag),
      ([request]) => (request?.tokensSent ?? 0) > 3,
    );
    expect((await cancel(user, 7, "s1")).status).toBe(202);
    const result = await resultOf(response);
    expect(result).toMatchObject({ isError: true, _meta: { belay: { code: "CANCELLED" } } });
    await upstreamEnded(tag);
    const queryId = result._meta?.belay?.queryId ?? "";
    expect(await user.resolved(queryId)).toMatchObject({ state: "refunded", reason: "cancelled" });
  });

  it("is not the call of another session, of another id, or of another user", async () => {
    const [user, other] = [await newUser(), await newUser()];
    const response = await start(user, 7, "s1", { tokens: 10, gapMs: 30 });
    await cancel(user, 7, "s2");
    await cancel(user, "7", "s1");
    await cancel(user, 8, "s1");
    await cancel(other, 7, "s1");
    expect(
      await send(user, { method: "notifications/cancelled", params: { requestId: 7 } }),
    ).toMatchObject({ status: 202 });
    expect((await resultOf(response)).isError).toBeUndefined();
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0 });
  });

  it("is refunded too when the cancel overtakes it", async () => {
    const user = await newUser();
    await cancel(user, 7, "s1");
    const result = await resultOf(await start(user, 7, "s1", { tokens: 400, gapMs: 20 }));
    expect(result).toMatchObject({ isError: true, _meta: { belay: { code: "CANCELLED" } } });
    expect(await user.quota()).toMatchObject({ charged: 0, reserved: 0, refunded: 1 });
  });

  it("is answered when the cancel came long before it", async () => {
    const user = await newUser();
    await cancel(user, 7, "s1");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    try {
      const result = await resultOf(await start(user, 7, "s1", { tokens: 2 }));
      expect(result.isError).toBeUndefined();
      expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0 });
    } finally {
      vi.useRealTimers();
    }
  });

  it("is answered when its user was erased after the cancel", async () => {
    const user = await newUser();
    await user.quota();
    await cancel(user, 7, "s1");
    await asOperator(adminPath(user), { method: "DELETE" });
    const result = await resultOf(await start(user, 7, "s1", { tokens: 2 }));
    expect(result.isError).toBeUndefined();
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0 });
  });

  it("makes nothing of a user by its cancel alone", async () => {
    const user = await newUser();
    expect((await cancel(user, 7, "s1")).status).toBe(202);
    expect((await asOperator(adminPath(user))).status).toBe(404);
  });

  it("stays charged when it had ended", async () => {
    const user = await newUser();
    await resultOf(await start(user, 7, "s1", { tokens: 2 }));
    expect((await cancel(user, 7, "s1")).status).toBe(202);
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0 });
  });
});
