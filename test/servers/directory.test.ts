// The directory through kill -9: workerd is killed at random moments while
// users ask, rate and are refunded, and restarted on the same storage. No
// report is lost, and none counts twice: what the directory counts is the sum
// of all users' audits.
//
// DIRECTORY_KILLS is the number of kills, DIRECTORY_SEED repeats the choices.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { API_PREFIX } from "../../src/protocol.ts";
import type { ShownDay, ShownQuery, ShownUser } from "../../src/shown.ts";
import { type Incarnation, type Incarnations, incarnations } from "../support/incarnations.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { ONCE } from "../support/once.ts";
import { Random } from "../support/random.ts";
import { SECRET } from "../support/server.ts";
import { bearer } from "../support/socket-client.ts";

const KILLS = Number(process.env.DIRECTORY_KILLS ?? 15);
const SEED = Number(process.env.DIRECTORY_SEED ?? Math.floor(Math.random() * 2 ** 31));
const USERS = ["ann", "bob", "cyd", "dan"];
const ASKS_PER_KILL = 6;
/** After this, everything that was asked is reported. */
const REPORTED_MS = 50_000;

/** The part of an operator's view of one user that is compared. */
interface UserView {
  readonly windows: readonly Record<"reserved" | "charged" | "refunded", number>[];
  readonly audit: { readonly ok: boolean; readonly differences: readonly string[] };
}

let model: ModelServer;
let server: Incarnations;
let operator: string;
const tokens = new Map<string, string>();

beforeAll(async () => {
  model = await startModelServer();
  operator = await bearer(SECRET, { user: "operator", operator: true });
  for (const user of USERS) tokens.set(user, await bearer(SECRET, { user }));
  server = await incarnations({
    AUTH_SECRET: SECRET,
    ...model.vars,
    QUOTA_LIMIT: "1000000",
    CONCURRENCY_LIMIT: "1000",
    FAILURE_LIMIT: "1000000",
    REPEAT_WINDOW_SECONDS: "0",
    DELIVERY_HOLD_MS: "20",
    SWEEP_INTERVAL_MS: "100",
  });
});

afterAll(async () => {
  await server.remove();
  await model.close();
});

test("kills lose no report and count none twice", { ...ONCE, timeout: 240_000 }, async () => {
  const random = new Random(SEED);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const incarnation = await server.start();
    const asks = Array.from({ length: ASKS_PER_KILL }, () => act(incarnation, random));
    await sleep(random.whole(20, 500));
    await incarnation.kill9();
    await Promise.all(asks);
  }
  const last = await server.start();
  try {
    await isExact(last);
    // An erased user is gone, also from what the others add up to.
    await call(last, operator, "/admin/users/ann", { method: "DELETE" });
    const { queries } = await view<{ queries: ShownQuery[] }>(last, "/admin/queries?user=ann");
    expect(queries).toEqual([]);
    await isExact(last);
  } finally {
    await last.kill9();
  }
});

/** One random thing that a user or an operator does. A kill may cut it off. */
async function act(incarnation: Incarnation, random: Random): Promise<void> {
  const user = random.pick(USERS);
  const token = tokens.get(user) ?? "";
  const directive = random.pick([
    { tokens: 3 },
    { tokens: 3, gapMs: 20 },
    { fault: "cut", at: 1 },
    { tokens: 200, gapMs: 20 },
  ]);
  const query = `What? ${random.whole(1, 1_000_000)} [[model ${JSON.stringify(directive)}]]`;
  const next = random.pick(["rate", "refund", "limit", "nothing", "nothing"]);
  try {
    const asked = await call(incarnation, token, "/ai/ask", { method: "POST", body: { query } });
    const queryId = asked.headers.get("x-query-id") ?? "";
    await asked.text();
    const path = `/admin/users/${user}`;
    if (next === "rate") {
      await call(incarnation, token, "/ai/feedback", {
        method: "POST",
        body: { queryId, rating: "up" },
      });
    } else if (next === "refund") {
      await call(incarnation, operator, `${path}/queries/${queryId}/refund`, { method: "POST" });
    } else if (next === "limit") {
      await call(incarnation, operator, path, { method: "PATCH", body: { refundLimit: 9_999 } });
    }
  } catch {
    // The server was killed meanwhile.
  }
}

async function isExact(incarnation: Incarnation): Promise<void> {
  const endsAt = Date.now() + REPORTED_MS;
  for (;;) {
    const { reported, audited } = await compared(incarnation);
    if (JSON.stringify(reported) === JSON.stringify(audited)) break;
    if (Date.now() > endsAt) {
      expect({ seed: SEED, ...reported }).toEqual({ seed: SEED, ...audited });
      break;
    }
    await sleep(250);
  }
}

/** What the directory says, in each of its lists, and what the users' objects say. */
async function compared(incarnation: Incarnation) {
  const shown = { charged: 0, refunded: 0 };
  const audited = { charged: 0, refunded: 0 };
  for (const user of USERS) {
    const response = await call(incarnation, operator, `/admin/users/${user}`);
    if (response.status === 404) continue;
    const { windows, audit } = (await response.json()) as UserView;
    expect(audit).toEqual({ ok: true, differences: [] });
    for (const window of windows) {
      audited.charged += window.charged;
      audited.refunded += window.refunded;
      expect(window.reserved).toBeLessThan(100);
    }
  }
  const { days } = await view<{ days: ShownDay[] }>(incarnation, "/admin/totals");
  const { users } = await view<{ users: ShownUser[] }>(incarnation, "/admin/users");
  const sums = (rows: readonly Pick<ShownDay, "charged" | "refunded">[]) => ({
    charged: rows.reduce((total, { charged }) => total + charged, 0),
    refunded: rows.reduce((total, { refunded }) => total + sum(Object.values(refunded)), 0),
  });
  const queries = await allQueries(incarnation);
  shown.charged = queries.filter(({ state }) => state === "charged").length;
  shown.refunded = queries.filter(({ state }) => state === "refunded").length;
  return {
    reported: { days: sums(days), users: sums(users), queries: shown },
    audited: { days: audited, users: audited, queries: audited },
  };
}

async function allQueries(incarnation: Incarnation): Promise<ShownQuery[]> {
  const all: ShownQuery[] = [];
  let before: string | null = "";
  while (before !== null) {
    const next: string = before === "" ? "" : `&before=${before}`;
    const page: { queries: ShownQuery[]; before: string | null } = await view(
      incarnation,
      `/admin/queries?limit=200${next}`,
    );
    all.push(...page.queries);
    before = page.before;
  }
  return all;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

async function view<T>(incarnation: Incarnation, path: string): Promise<T> {
  return (await call(incarnation, operator, path)).json() as Promise<T>;
}

function call(
  { url }: Incarnation,
  token: string,
  path: string,
  { method = "GET", body }: { method?: string; body?: unknown } = {},
): Promise<Response> {
  return fetch(`${url}${API_PREFIX}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
}
