// A budget that is used up, in the form of each API.

import { describe, expect, it } from "vitest";
import { fetchApi, type TestUser } from "../harness.ts";
import { call } from "../mcp/rpc.ts";
import { TestBudget } from "./test-budget.ts";

const QUESTION = "What does Belay do?";
const MESSAGES = [{ role: "user", content: QUESTION }];
const CHAT = {
  messages: [{ id: "m", role: "user", parts: [{ type: "text", text: QUESTION }] }],
  trigger: "submit-message",
};
const OURS = { type: "error", code: "BUDGET_EXCEEDED", resetsAt: expect.any(String) };
const OPENAI = {
  error: {
    type: "insufficient_quota",
    code: "insufficient_quota",
    belay: { code: "BUDGET_EXCEEDED", resetsAt: expect.any(String) },
  },
};

const post = ({ token }: TestUser, path: string, body: unknown) =>
  fetchApi(path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const usedUp = () => new TestBudget({ BUDGET_LIMIT: "0", BUDGET_PERIOD: "day" });

describe("a budget that is used up is said", () => {
  it.each<[string, string, object, object | string]>([
    ["as JSON", "/api/v1/ai/ask", { query: QUESTION }, OURS],
    ["in place of events", "/api/v1/ai/ask?stream=true", { query: QUESTION }, OURS],
    ["to OpenAI's chat", "/v1/chat/completions", { model: "belay", messages: MESSAGES }, OPENAI],
    [
      "to OpenAI's chat that streams",
      "/v1/chat/completions",
      { model: "belay", messages: MESSAGES, stream: true },
      OPENAI,
    ],
    ["to OpenAI's Responses", "/v1/responses", { model: "belay", input: QUESTION }, OPENAI],
    [
      "to OpenAI's Responses that stream",
      "/v1/responses",
      { model: "belay", input: QUESTION, stream: true },
      OPENAI,
    ],
    ["to the AI SDK's chat", "/api/v1/ai/chat", CHAT, "The budget of this service is used up."],
  ])("%s, and when to come again", async (_form, path, body, expected) => {
    const user = await usedUp().newUser();
    const response = await post(user, path, body);
    expect(response.status).toBe(503);
    expect(response.headers.get("x-should-retry")).toBe("false");
    const seconds = Number(response.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(86_400);
    const text = await response.text();
    if (typeof expected === "string") expect(text).toContain(expected);
    else expect(JSON.parse(text.replace(/^data: /, ""))).toMatchObject(expected);
    expect(await user.quota()).toMatchObject({ charged: 0, reserved: 0, refunded: 0 });
  });

  it("to MCP clients", async () => {
    const user = await usedUp().newUser();
    expect(await call(user, "ask", { question: QUESTION })).toMatchObject({
      isError: true,
      _meta: { belay: { code: "BUDGET_EXCEEDED", resetsAt: expect.any(String) } },
    });
  });
});
