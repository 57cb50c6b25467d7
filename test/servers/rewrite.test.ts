// A reader whose connection ends while a model rewrites the question, over
// real sockets on both sides.

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Receipt } from "../../src/protocol.ts";
import { type Directive, scripted } from "../support/directive.ts";
import { type ScriptedServer, SECRET, startScriptedServer } from "../support/server.ts";
import { ask, bearer } from "../support/socket-client.ts";
import { User } from "../support/user.ts";

const QUESTION = "And how much time may it take?";

let server: ScriptedServer;

beforeAll(async () => {
  const vars = { REWRITE: "auto", DELIVERY_HOLD_MS: "20", PING_INTERVAL_MS: "200" };
  server = await startScriptedServer({ inMemory: true, vars });
});
afterAll(() => server.stop());

function historyWith(directive: Directive) {
  return [
    { role: "user", content: "Which model is used by default?" },
    { role: "assistant", content: scripted(directive, "It is Llama.") },
  ];
}

test.each([
  ["close", true],
  ["reset", true],
  ["reset", false],
] as const)(
  "a %s during the rewrite is refunded and stops it (stream: %s)",
  async (by, streaming) => {
    const user = await User.on(server.url, SECRET);
    const tag = crypto.randomUUID();
    const history = historyWith({ tag, fault: "hang-before-headers" });
    const later = crypto.randomUUID();
    const query = scripted({ tag: later, tokens: 1 }, QUESTION);
    const exchange = ask(server.url, { token: user.token, body: { query, history }, streaming });
    const rewrites = () => server.model.requests.filter((request) => request.tag === tag);
    await vi.waitFor(() => expect(rewrites()).toHaveLength(1), { timeout: 5_000 });
    exchange[by]();
    const leftAt = Date.now();
    expect(await user.resolved()).toMatchObject({ state: "refunded", reason: "disconnected" });
    await vi.waitFor(() => expect(rewrites()[0]?.state).toBe("aborted"));
    // Before its own timeout of 2.5 seconds.
    expect((rewrites()[0]?.endedAt ?? 0) - leftAt).toBeLessThan(1_500);
    expect(await user.quota()).toMatchObject({ charged: 0, refunded: 1, reserved: 0 });
    expect(server.model.requests.filter((request) => request.tag === later)).toEqual([]);
  },
);

test("a rewrite and its cost come through the real server", async () => {
  const token = await bearer(SECRET, { user: crypto.randomUUID() });
  const history = historyWith({ tokens: ["How much time may Llama take?"] });
  const exchange = ask(server.url, { token, body: { query: QUESTION, history } });
  await exchange.untilEnd();
  expect(exchange.events.at(-1)?.type).toBe("done");
  const url = `${server.url}/api/v1/ai/queries/${exchange.headers["x-query-id"]}`;
  const receipt = await vi.waitFor(async () => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    const seen = (await response.json()) as Receipt;
    expect(seen.state).toBe("charged");
    return seen;
  });
  expect(receipt).toMatchObject({ query: QUESTION, rewriteTokens: 1 });
});
