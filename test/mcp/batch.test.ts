// Several messages in one body, as older clients may send them.

import { describe, expect, it } from "vitest";
import { fetchApi, newUser, scripted, type TestUser } from "../harness.ts";

const VERSION = "2025-03-26";

function send(user: TestUser, messages: readonly object[]): Promise<Response> {
  return fetchApi("/mcp", {
    method: "POST",
    headers: {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-protocol-version": VERSION,
      authorization: `Bearer ${user.token}`,
    },
    body: JSON.stringify(messages.map((message) => ({ jsonrpc: "2.0", ...message }))),
  });
}

function call(id: number | string, question: string): object {
  return { id, method: "tools/call", params: { name: "ask", arguments: { question } } };
}

function cancelled(requestId: number | string): object {
  return { method: "notifications/cancelled", params: { requestId } };
}

describe("a body with several messages", () => {
  it("gets the answer of each call, and each is charged", async () => {
    const user = await newUser();
    const response = await send(user, [
      call(1, scripted({ tokens: ["alpha"] }, "One?")),
      call("1", scripted({ tokens: ["beta"] }, "Two?")),
    ]);
    const text = await response.text();
    expect(text).toContain("alpha");
    expect(text).toContain("beta");
    expect(await user.quota()).toMatchObject({ charged: 2, reserved: 0 });
  });

  it.each<[string, object[], string]>([
    ["two calls of one id", [call(1, "One?"), call(1, "Two?")], "an id of its own"],
    ["a call and its own cancel", [call(1, "One?"), cancelled(1)], "cancel a request of its own"],
    [
      "a cancel before its call",
      [cancelled("a"), call("a", "One?")],
      "cancel a request of its own",
    ],
    [
      "more messages than ten",
      Array.from({ length: 11 }, (_, id) => call(id, "One?")),
      "at most 10 messages",
    ],
  ])("is refused whole with %s, and asks nothing", async (_, messages, why) => {
    const user = await newUser();
    const response = await send(user, messages);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.text()).toContain(why);
    expect(await user.quota()).toMatchObject({ charged: 0, reserved: 0, remaining: 20 });
  });
});
