// What the client must do in every runtime. test/support/proof holds the program
// that each runtime runs; this is its input and what it must see.

import { expect } from "vitest";
import { API_PREFIX, type Quota } from "../../src/protocol.ts";
import { scripted } from "./directive.ts";
import { SECRET } from "./server.ts";
import { bearer, request } from "./socket-client.ts";
import { startTamperingProxy } from "./tampering-proxy.ts";

export const PROOF = new URL("./proof/", import.meta.url).pathname;

/** They must survive a cut anywhere. */
const TOKENS = ["Belay ", "張", "三 ", "\u{1f600} ", "\u2028\u0085", "holds", "\r\n\n", " [1]."];

/**
 * Lets a runtime, known by its user agent, run the program against this server,
 * and checks what it saw.
 */
export async function prove(
  server: { readonly url: string },
  runtime: RegExp,
  run: (input: object) => Promise<unknown>,
): Promise<void> {
  const token = await bearer(SECRET, { user: crypto.randomUUID() });
  const proxy = await startTamperingProxy(server.url, { cutsBehind: '"type":"token"' });
  try {
    const seen = await run({
      url: server.url,
      cutUrl: proxy.url,
      token,
      query: scripted({ tokens: TOKENS, gapMs: 30 }),
      endless: scripted({ tokens: 2_000, gapMs: 30 }),
    });
    const text = TOKENS.join("");
    expect(seen).toEqual({
      runtime: expect.stringMatching(runtime),
      asked: {
        types: ["start", "sources", "token", "done"],
        tokens: TOKENS,
        text,
        sources: expect.any(Number),
        found: true,
      },
      stopped: {
        error: { name: "CancelledError", code: "CANCELLED" },
        state: "refunded",
        reason: "cancelled",
      },
      resumed: { tokens: TOKENS, retries: expect.any(Number), text },
      again: text,
    });
    const { asked, resumed } = seen as { asked: { sources: number }; resumed: { retries: number } };
    expect(asked.sources).toBeGreaterThan(0);
    expect(resumed.retries).toBeGreaterThan(1);
    const quota = async () =>
      (await request<Quota>(`${server.url}${API_PREFIX}/ai/quota`, { token })).body;
    await expect
      .poll(quota, { timeout: 20_000 })
      .toMatchObject({ charged: 2, refunded: 1, reserved: 0 });
  } finally {
    await proxy.close();
  }
}
