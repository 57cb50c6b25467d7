// The client in a real browser, with a server that drops, splits and refuses. The
// answer is the same and charged once, or ends in one typed error.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildClient } from "../../scripts/build-client.ts";
import type * as belay from "../../src/client/client.ts";
import { ServiceError } from "../../src/errors.ts";
import type { ErrorCode } from "../../src/protocol.ts";
import { scripted } from "../support/directive.ts";
import {
  type Cut,
  type Fault,
  type FaultyServer,
  startFaultyServer,
} from "../support/faulty-server.ts";
import { Random } from "../support/random.ts";
import { bearer } from "../support/socket-client.ts";
import { Site } from "./site.ts";

const SECRET = "a secret that only this suite's servers know";
/** They must survive a cut anywhere. */
const TOKENS = ["Belay ", "張", "三 ", "\u{1f600} ", "\u2028\u0085", "holds", "\r\n\n", " [1]."];
const TEXT = TOKENS.join("");
const TYPES = ["start", "sources", ...TOKENS.map(() => "token"), "done"];
const CUTS = 1_000;
/** A browser opens at most this many connections to a host. */
const AT_ONCE = 6;

let site: Site;
let server: FaultyServer;
let page: Page;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "belay-client-"));
  await buildClient(folder);
  const client = await readFile(join(folder, "client.js"), "utf8");
  await rm(folder, { recursive: true });
  site = await Site.open({
    AUTH_SECRET: SECRET,
    QUOTA_LIMIT: "5000",
    CONCURRENCY_LIMIT: "100",
    DELIVERY_HOLD_MS: "20",
  });
  server = await startFaultyServer(site.server.url, client);
  page = await site.browser.newPage();
  await page.goto(server.url);
});
afterAll(async () => {
  await server?.close();
  await site?.close();
});

interface Asked {
  readonly types: readonly string[];
  readonly tokens: readonly string[];
  readonly outcome?: belay.Outcome;
  readonly error?: { readonly name: string; readonly code: string; readonly message: string };
}

/** Asks in the browser; returns all that the client reported. */
function ask(url: string, token: string, query: string, silenceMs = 30_000): Promise<Asked> {
  return page.evaluate(
    async ({ url, token, query, silenceMs }) => {
      const { createClient } = (globalThis as unknown as { belay: typeof belay }).belay;
      const backoff = (attempt: number) => (attempt > 5 ? undefined : 0);
      const client = createClient({ url, token, backoff, silenceMs });
      const tokens: string[] = [];
      const answer = client.ask(query, { onToken: (token) => void tokens.push(token) });
      const types: string[] = [];
      try {
        for await (const { type } of answer) types.push(type);
        return { types, tokens, outcome: await answer.done };
      } catch (thrown) {
        const { name, code, message } = thrown as belay.BelayError;
        return { types, tokens, error: { name, code, message } };
      }
    },
    { url, token, query, silenceMs },
  );
}

const newUser = () => bearer(SECRET, { user: crypto.randomUUID() });

/** The user's receipts, once nothing is reserved. */
async function quota(token: string): Promise<belay.Quota | undefined> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${site.server.url}/api/v1/ai/quota`, { headers });
  return response.json() as Promise<belay.Quota>;
}

describe.each(["reset", "end", "silence"] as const)("a stream that ends in %s", (how) => {
  it.each(TYPES.map((_, events) => events))("is resumed after %i events", async (events) => {
    const token = await newUser();
    const url = server.plan([{ how, events }]);
    // The silence is shorter than the interval of pings.
    const asked = await ask(url, token, scripted({ tokens: TOKENS, gapMs: 2 }), 800);
    expect(asked).toMatchObject({ types: TYPES, tokens: TOKENS, outcome: { text: TEXT } });
    await expect.poll(() => quota(token)).toMatchObject({ charged: 1, refunded: 0, reserved: 0 });
  });
});

it(`reads the same text, charged once, over ${CUTS} random cuts`, {
  timeout: 300_000,
}, async () => {
  const random = new Random(20_261_122);
  const token = await newUser();
  let asks = 0;
  const askUntilCutEnough = async () => {
    while (server.cuts < CUTS) {
      asks += 1;
      const seed = random.whole(0, 2 ** 32 - 1);
      const faults = Array.from({ length: random.whole(2, 5) }, (_, nth): Fault => {
        if (random.chance(0.1)) return { how: random.pick(["unsent", "unanswered"]) };
        const how = random.pick<Cut["how"]>(["reset", "end"]);
        return { how, bytes: random.whole(0, nth === 0 ? 1_500 : 600) };
      });
      const query = scripted({ tokens: TOKENS, gapMs: random.pick([0, 1]) });
      const asked = await ask(server.plan(faults, seed), token, query);
      const what = `seed ${seed}, faults ${JSON.stringify(faults)}`;
      expect(asked, what).toMatchObject({ types: TYPES, tokens: TOKENS, outcome: { text: TEXT } });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, askUntilCutEnough));
  console.log(`The same text over ${server.cuts} cuts, in ${asks} answers.`);
  await expect.poll(() => quota(token)).toMatchObject({ charged: asks, refunded: 0, reserved: 0 });
});

/** The compiler checks that it is complete. */
const CODES: Record<ErrorCode, true> = {
  INVALID_REQUEST: true,
  INVALID_IDEMPOTENCY_KEY: true,
  UNAUTHENTICATED: true,
  FORBIDDEN: true,
  BLOCKED: true,
  NOT_FOUND: true,
  METHOD_NOT_ALLOWED: true,
  REQUEST_TIMEOUT: true,
  CANCELLED: true,
  NOT_FINISHED: true,
  NOT_KEPT: true,
  PAYLOAD_TOO_LARGE: true,
  UNSUPPORTED_MEDIA_TYPE: true,
  IDEMPOTENCY_KEY_REUSED: true,
  QUOTA_EXCEEDED: true,
  TOO_MANY_STREAMS: true,
  TOO_MANY_SESSIONS: true,
  INTERNAL: true,
  GENERATION_FAILED: true,
  RETRIEVAL_FAILED: true,
  UNAVAILABLE: true,
  BUDGET_EXCEEDED: true,
  GENERATION_TIMEOUT: true,
};

describe.each(Object.keys(CODES) as ErrorCode[])("%s", (code) => {
  const { status, body: error } = new ServiceError(code, "Do this.");
  const frame = `data: ${JSON.stringify(error)}\n\n`;
  it.each([
    ["as a refusal", status, "application/json", JSON.stringify(error)],
    ["as a refused stream", status, "text/event-stream", frame],
    ["as the last event", 200, "text/event-stream", frame],
  ])("is told %s", async (_how, status, type, body) => {
    // The client retries what may pass; a browser also retries a 408.
    const faults = Array<Fault>(20).fill({ how: "instead", status, type, body });
    const asked = await ask(server.plan(faults), await newUser(), "One?");
    expect(asked).toMatchObject({ types: [], tokens: [], error: { code, message: "Do this." } });
  });
});
