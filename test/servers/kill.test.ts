// The promise through kill -9: workerd is killed at random moments of many
// asks, and restarted on the same storage. No user is charged for an answer
// they did not read to its end, nothing stays reserved,
// and what the server confirmed is kept.
// What a kill gives away is counted.
//
// KILL_CYCLES is the number of kills.
// KILL_SEED repeats the choices, except for the machine's timing.

import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { API_PREFIX, type Receipt } from "../../src/protocol.ts";
import { type Incarnations, incarnations } from "../support/incarnations.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { ONCE } from "../support/once.ts";
import { Random } from "../support/random.ts";
import { SECRET } from "../support/server.ts";
import { bearer, request } from "../support/socket-client.ts";
import { drawPlan, Part, STEPS, type Step } from "../support/workload.ts";

const CYCLES = Number(process.env.KILL_CYCLES ?? 80);
const SEED = Number(process.env.KILL_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Kills between two audits: a reservation may have to survive several. */
const CYCLES_PER_AUDIT = 20;
const USERS = 6;
const ASKS_PER_CYCLE = 8;
const HOLD_MS = 20;
const SWEEP_INTERVAL_MS = 100;
/** How long an alarm may take on a busy machine. Most of the time it takes one interval. */
const PATIENCE_MS = 30_000;
const RESERVED = "SELECT 1 FROM queries WHERE state = 'reserved'";
/** No reservation may get older. */
const RESERVED_MS_MAX = 60_000;

/** Log lines of our own faults. The model's failures are intended. */
const TROUBLE =
  /^Unexpected error|^Uncaught|^The (sweep|alarm|refund allowance) |^Query \S+ was not |^An object could not/;

const OUTCOMES = [
  "charged",
  "overcharged",
  "given away",
  "expired",
  "otherwise refunded",
  "no trace",
] as const;
type Outcome = (typeof OUTCOMES)[number];

/** The part of the operator's view that the audit needs. */
interface UserView {
  readonly windows: readonly Record<"reserved" | "charged" | "refunded", number>[];
  readonly reservations: readonly unknown[];
  readonly audit: { readonly ok: boolean; readonly differences: readonly string[] };
}

/** What one ask was doing when its server was killed. */
interface Kill {
  readonly step: Step;
  readonly at: number;
}

interface User {
  readonly name: string;
  readonly token: string;
}

let model: ModelServer;
let server: Incarnations;
let operatorToken: string;
/** Asks that a kill met at each step, by outcome. */
const met = new Map<`${Step}: ${Outcome}`, number>();
let longestReservedMs = 0;

beforeAll(async () => {
  model = await startModelServer();
  operatorToken = await bearer(SECRET, { user: "operator", operator: true });
  server = await incarnations({
    AUTH_SECRET: SECRET,
    ...model.vars,
    QUOTA_LIMIT: "1000000",
    CONCURRENCY_LIMIT: "1000",
    FAILURE_LIMIT: "1000000",
    REPEAT_WINDOW_SECONDS: "0",
    RESUME_WAIT_SECONDS: "1",
    DELIVERY_HOLD_MS: String(HOLD_MS),
    SWEEP_INTERVAL_MS: String(SWEEP_INTERVAL_MS),
  });
});

afterAll(async () => {
  await server.remove();
  await model.close();
  // A passing run does not show console.log.
  process.stdout.write(report());
});

const rounds = Array.from({ length: Math.ceil(CYCLES / CYCLES_PER_AUDIT) }, (_, index) => ({
  first: index * CYCLES_PER_AUDIT + 1,
  last: Math.min((index + 1) * CYCLES_PER_AUDIT, CYCLES),
}));

test.each(rounds)(
  "kills $first to $last overcharge no user and leave nothing reserved",
  ONCE,
  async ({ first, last }) => {
    const random = new Random(SEED + first);
    const users = await Promise.all(Array.from({ length: USERS }, newUser));
    const others = await databases();
    const kills = new Map<Part, Kill>();
    model.requests.length = 0;
    let again: readonly Part[] = [];
    for (let cycle = first; cycle <= last; cycle += 1) {
      const incarnation = await server.start();
      // Some incarnations do nothing but sweep.
      const asks = random.chance(0.1) ? 0 : ASKS_PER_CYCLE;
      const parts = [
        ...again.map(({ token, plan, tag }) => new Part(incarnation.url, token, plan, tag)),
        ...Array.from({ length: asks }, () => {
          const { token } = random.pick(users);
          return new Part(incarnation.url, token, drawPlan(random));
        }),
      ];
      if (parts.length > 0) await random.pick(parts).moment(random);
      const laterMs = random.pick([0, random.whole(1, 50), random.whole(1, HOLD_MS)]);
      if (laterMs > 0) await sleep(laterMs);

      const dead = incarnation.kill9();
      const at = Date.now();
      for (const part of parts) kills.set(part, { at, step: part.step });
      // Bytes that were sent before the kill still arrive.
      await Promise.all([dead, ...parts.map(({ exchange }) => exchange.untilEnd())]);
      again = parts.slice(again.length).filter(({ plan, delivered }) => plan.key && !delivered);
    }

    const { url, kill9 } = await server.start();
    // Any request would wake a user's object, which sweeps on waking.
    await vi.waitFor(async () => expect(await reserved(others)).toBe(0), {
      timeout: PATIENCE_MS,
      interval: 100,
    });
    const wokenAt = Date.now();
    const found: string[] = [];
    for (const user of users) {
      const parts = [...kills.keys()].filter(({ token }) => token === user.token);
      const receipts = await audit(url, user, wokenAt);
      for (const part of parts) {
        const { step, at } = kills.get(part) as Kill;
        const receipt = receiptOf(part, receipts);
        count(step, outcomeOf(part, receipt));
        found.push(...violations(part, receipt, at));
      }
      found.push(...violationsOfAll(parts, receipts));
    }
    await kill9();
    expect(found.slice(0, 5)).toEqual([]);
    expect(server.log.filter((line) => TROUBLE.test(line)).slice(0, 5)).toEqual([]);
  },
);

async function newUser(): Promise<User> {
  const name = crypto.randomUUID();
  return { name, token: await bearer(SECRET, { user: name }) };
}

const folder = () => join(server.persistTo, "belay-UserObject");

/** The databases of all users that have asked so far. */
async function databases(): Promise<readonly string[]> {
  const names = await readdir(folder()).catch(() => []);
  return names.filter((name) => name.endsWith(".sqlite"));
}

/**
 * How many reservations are stored, without those in the databases of others.
 * It reads copies: a look at the files themselves could lock the server out.
 */
async function reserved(others: readonly string[]): Promise<number> {
  const copies = await mkdtemp(join(tmpdir(), "belay-test-"));
  try {
    let sum = 0;
    for (const name of (await databases()).filter((one) => !others.includes(one))) {
      const copy = join(copies, name);
      await copyFile(join(folder(), name), copy);
      // The log comes second: it still has what has just gone into the database.
      await copyFile(join(folder(), `${name}-wal`), `${copy}-wal`).catch(() => {});
      const database = new DatabaseSync(copy);
      const tables = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'queries'").all();
      const rows = tables.length > 0 ? database.prepare(RESERVED).all() : [];
      sum += rows.length;
      database.close();
    }
    return sum;
  } finally {
    await rm(copies, { recursive: true });
  }
}

/** A user's storage after the sweep. Only the alarm can have started it. */
async function audit(url: string, { name, token }: User, wokenAt: number) {
  const api = `${url}${API_PREFIX}`;
  const view = await request<UserView>(`${api}/admin/users/${name}`, { token: operatorToken });
  expect(view.body.audit).toEqual({ ok: true, differences: [] });
  expect(view.body.reservations).toEqual([]);

  const list = await request<{ queries: Receipt[]; before: string | null }>(
    `${api}/ai/queries?limit=100`,
    { token },
  );
  expect(list.body.before).toBeNull();
  const receipts = list.body.queries;
  for (const state of ["reserved", "charged", "refunded"] as const) {
    const counted = view.body.windows.reduce((sum, window) => sum + window[state], 0);
    expect(receipts.filter((receipt) => receipt.state === state)).toHaveLength(counted);
  }
  for (const { askedAt, resolvedAt } of receipts) {
    const resolved = Date.parse(resolvedAt ?? "");
    expect(resolved).toBeLessThan(wokenAt);
    longestReservedMs = Math.max(longestReservedMs, resolved - Date.parse(askedAt));
  }
  expect(longestReservedMs).toBeLessThan(RESERVED_MS_MAX);
  return receipts;
}

/** Each broken promise in the outcome of an ask, in words. */
function violations(part: Part, receipt: Receipt | undefined, killedAt: number): string[] {
  const found: string[] = [];
  const outcome = outcomeOf(part, receipt);
  if (outcome === "overcharged") found.push("charged, and its end was never read");
  if (part.delivered && outcome !== "charged" && outcome !== "given away") {
    found.push("read to its end, and refunded as if it had not been");
  }
  if (part.exchange.status === 200 && receipt === undefined) found.push("answered, and forgotten");
  if (part.stopped !== undefined && part.stopped.reason !== receipt?.reason) {
    found.push(`confirmed as ${part.stopped.reason}, and changed afterwards`);
  }
  if (receipt?.reason === "expired" && Date.parse(receipt.resolvedAt ?? "") < killedAt) {
    found.push("expired while its run was alive");
  }
  return found.map(
    (what) =>
      `${what}: ${part.plan.kind} ${part.exchange.text.slice(-80)} ${JSON.stringify(receipt)}`,
  );
}

/** The same for all asks of a user together. */
function violationsOfAll(parts: readonly Part[], receipts: readonly Receipt[]): string[] {
  const found: string[] = [];
  const known = new Set(parts.map((part) => receiptOf(part, receipts)));
  for (const receipt of receipts) {
    if (!known.has(receipt)) found.push(`never asked: ${JSON.stringify(receipt)}`);
  }
  for (const tag of new Set(parts.map((part) => part.tag))) {
    const asked = receipts.filter(({ query }) => query?.includes(tag));
    const charges = asked.filter(({ state }) => state === "charged").length;
    if (charges > 1) found.push(`charged ${charges} times under one key: ${tag}`);
    const upstream = model.requests.filter((request) => request.tag === tag).length;
    if (upstream > asked.length) found.push(`the model was asked, and nothing reserved: ${tag}`);
  }
  return found;
}

/**
 * By its id. Without one, by question and time,
 * since the same question may be asked again.
 */
function receiptOf({ queryId, tag, exchange }: Part, receipts: readonly Receipt[]) {
  if (queryId !== undefined) return receipts.find((receipt) => receipt.queryId === queryId);
  return receipts.find(({ query, askedAt }) => {
    const at = Date.parse(askedAt);
    const { startedAt, ending } = exchange;
    return query?.includes(tag) && at >= startedAt && at <= (ending?.at ?? Infinity);
  });
}

function outcomeOf(part: Part, receipt: Receipt | undefined): Outcome {
  if (receipt === undefined) return "no trace";
  if (receipt.state === "charged") {
    const owed = part.delivered || part.replayed || part.plan.onDisconnect === "continue";
    return owed ? "charged" : "overcharged";
  }
  if (receipt.reason !== "expired") return "otherwise refunded";
  return part.delivered ? "given away" : "expired";
}

function count(step: Step, outcome: Outcome): void {
  const key = `${step}: ${outcome}` as const;
  met.set(key, (met.get(key) ?? 0) + 1);
}

function report(): string {
  const numbers = (step: Step) => OUTCOMES.map((outcome) => met.get(`${step}: ${outcome}`) ?? 0);
  const total = (outcome: Outcome) =>
    STEPS.reduce((sum, step) => sum + (met.get(`${step}: ${outcome}`) ?? 0), 0);
  const asks = [...met.values()].reduce((sum, number) => sum + number, 0);
  const rows = [
    ["what its user had seen when the kill came", ...OUTCOMES],
    ["---", ...OUTCOMES.map(() => "--:")],
    ...STEPS.map((step) => [step, ...numbers(step)]),
  ];
  return [
    "",
    `${CYCLES} kills met ${asks} asks: ${total("overcharged")} overcharged, ${total("given away")} given away.`,
    `The longest reservation: ${longestReservedMs} ms. To repeat: KILL_SEED=${SEED} KILL_CYCLES=${CYCLES}`,
    "",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}
