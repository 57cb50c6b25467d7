// The eight invariants of the promise, checked after every step
// against storage, its journal, and what connections received.
// A breach is thrown with its number.

import type { AnswerBody } from "../../src/protocol.ts";
import type { QueryRow } from "../../src/user/queries.ts";
import type { Connection } from "./connection.ts";
import type { Count, Snapshot, Transition } from "./journal.ts";
import type { World } from "./world.ts";

const DAY_MS = 86_400_000;
const KEY_AGE_MAX_MS = DAY_MS;
/** As set in world.ts. */
const RETENTION_MS = DAY_MS;
/** How long a reservation may exist without a run. */
const RESERVED_MS_MAX = 60_000;

/** What a step was, as far as that excuses a breach. */
export interface StepKind {
  readonly crashed: boolean;
  readonly erased: boolean;
  /** Whether limits were changed. */
  readonly patched: boolean;
  /** Whether storage failed. */
  readonly faulty: boolean;
  /**
   * Whether only one thing happened:
   * then nothing else changed between before and after.
   */
  readonly single: boolean;
}

/** A step that excuses nothing. */
export const ALONE: StepKind = {
  crashed: false,
  erased: false,
  patched: false,
  faulty: false,
  single: true,
};

export class Breach extends Error {}

function hold(right: boolean, invariant: number, what: () => string): asserts right {
  if (!right) throw new Breach(`Invariant ${invariant} is broken: ${what()}`);
}

const text = (value: unknown) => JSON.stringify(value);

export function checkInvariants(
  world: World,
  after: Snapshot,
  step: StepKind,
  ended: readonly Connection[],
): void {
  const { before } = world;
  // Every failed query is logged; no other error may be.
  const complaint = world.complaints.find((words) => !/^Query \S+ failed: /.test(words));
  if (complaint !== undefined && !step.faulty && !step.crashed) throw new Breach(complaint);
  checkCounters(after);
  for (const count of after.counts) checkCount(count);
  for (const transition of after.transitions) checkTransition(transition);
  checkRows(world, before, after);
  checkAlarm(world, after);
  checkRuns(world, after);
  checkKeys(world, before, after);
  for (const connection of world.connections) if (connection.isOpen) checkProgress(connection);
  for (const connection of ended) {
    checkProgress(connection);
    checkEnd(world, connection, after, step);
  }
  checkCancels(world, after, step);
  checkQuota(world, after);
}

/** 1: the counters equal a recount that includes pruned rows. */
function checkCounters({ windows, rows }: Snapshot): void {
  for (const window of windows) {
    const own = rows.filter((row) => row.window === window.window);
    for (const state of ["reserved", "charged", "refunded"] as const) {
      const pruned = state === "reserved" ? 0 : window[`pruned_${state}`];
      const counted = own.filter((row) => row.state === state).length + pruned;
      hold(counted === window[state], 1, () => `${counted} ${state}, but ${text(window)}`);
    }
    const refunds = own.filter(
      ({ reason }) =>
        reason === "disconnected" || reason === "cancelled" || reason === "nothing_found",
    );
    const counted = refunds.length + window.pruned_refunds_counted;
    hold(
      counted === window.refunds_counted,
      1,
      () => `${counted} refunds counted, but ${text(window)}`,
    );
  }
  for (const row of rows) {
    hold(
      windows.some(({ window }) => window === row.window),
      1,
      () => `no window for ${text(row)}`,
    );
  }
}

/** 1 and 2: the allowed changes of a window's counters in one write. */
function checkCount({ window, before, after, limit, refundLimit }: Count): void {
  const change = (name: keyof typeof after) => after[name] - before[name];
  const changes = [
    change("reserved"),
    change("charged"),
    change("refunded"),
    change("refunds_counted"),
  ];
  const told = () =>
    `${window}: ${text(before)} became ${text(after)}, limit ${limit}/${refundLimit}`;
  switch (text(changes)) {
    case "[1,0,0,0]":
      hold(after.reserved + after.charged <= limit, 1, () => `over the limit: ${told()}`);
      break;
    case "[-1,0,1,1]":
      hold(after.refunds_counted <= refundLimit, 1, () => `over the refund allowance: ${told()}`);
      break;
    case "[-1,1,0,0]":
    case "[-1,0,1,0]":
    case "[0,-1,1,0]":
      break;
    case "[0,0,0,0]":
      hold(change("pruned_charged") + change("pruned_refunded") === 1, 2, told);
      break;
    default:
      hold(false, 2, told);
  }
}

/** 2 and 3: the allowed changes of a query in one write. */
function checkTransition({ id, from, to, reason, windows }: Transition): void {
  const told = () => `${id} went from ${from} to ${to} (${reason}), ${windows.join(" to ")}`;
  const [old, now] = windows;
  if (from !== null && to !== null) hold(old === now, 3, told);
  const operator = reason === "operator";
  switch (`${from} ${to}`) {
    case "null reserved":
    case "reserved charged":
      break;
    case "reserved refunded":
      hold(!operator, 2, told);
      break;
    case "charged refunded":
      hold(operator, 2, told);
      break;
    case "charged null":
    case "refunded null":
      break;
    default:
      hold(false, 2, told);
  }
}

/**
 * 2: a resolved row changes only by an operator's refund, by age, or where its
 * user deletes the texts.
 */
function checkRows(world: World, before: Snapshot, after: Snapshot): void {
  const present = new Map(after.rows.map((row) => [row.id, row]));
  for (const old of before.rows) {
    const row = present.get(old.id);
    const told = () => `${text(old)} became ${text(row)}`;
    if (row === undefined) {
      const end = old.window === "total" ? old.asked_at : Date.parse(old.window) + DAY_MS;
      const due = Math.max(end, old.asked_at) + RETENTION_MS;
      // The journal shows that it was resolved first.
      hold(due <= after.now, 2, told);
      continue;
    }
    hold(row.window === old.window, 3, told);
    hold(row.key === old.key && row.asked_at === old.asked_at, 2, told);
    hold(row.rating === null, 8, told);
    if (old.state === "reserved") continue;
    const isDue = old.asked_at + RETENTION_MS <= after.now || world.deleted.has(row.id);
    const emptied = row.query === null && row.answer === null && row.sources === null;
    hold((emptied && isDue) || (row.answer === old.answer && row.query === old.query), 2, told);
    hold(row.finish === old.finish, 2, told);
    const refundedLater = old.state === "charged" && row.reason === "operator";
    hold(
      refundedLater || (row.state === old.state && row.resolved_at === old.resolved_at),
      2,
      told,
    );
  }
}

/** 4: every reservation has a run or an alarm. */
function checkAlarm(world: World, after: Snapshot): void {
  const reserved = after.rows.filter(({ state }) => state === "reserved");
  if (reserved.length === 0) return;
  hold(after.alarmAt !== null, 4, () => "something is reserved, and no alarm is set");
  hold(
    // No alarm follows a clock that goes backwards.
    after.alarmAt <= Math.max(after.now, world.latest) + RESERVED_MS_MAX,
    4,
    () => `the alarm is ${(after.alarmAt as number) - after.now} ms away`,
  );
  for (const { id, query } of reserved) {
    const known = world.orphans.has(id) || world.call(id) !== undefined;
    hold(known, 4, () => `"${query}" is reserved without a run`);
  }
}

/** 5 and 7: models at work are limited, and each key has one run at most. */
function checkRuns(world: World, { rows }: Snapshot): void {
  const { concurrencyLimit, repeatSeconds } = world.settings;
  const live = rows.filter(({ id, state }) => state === "reserved" && !world.orphans.has(id));
  const { length } = live.filter(({ id }) => world.call(id)?.state === "open");
  hold(length <= concurrencyLimit, 7, () => `${length} models at once, of ${concurrencyLimit}`);
  const keys = live.flatMap(({ key }) =>
    key?.startsWith("key:") || repeatSeconds > 0 ? [key] : [],
  );
  hold(new Set(keys).size === keys.length, 5, () => `two runs for one key: ${text(live)}`);
}

/** 5: at most one charge for each client's key while the key is known. */
function checkKeys(world: World, before: Snapshot, after: Snapshot): void {
  for (const { key, query_id } of before.keys) {
    if (after.keys.some((known) => known.key === key)) continue;
    const row = before.rows.find(({ id }) => id === query_id);
    const due = row === undefined || row.asked_at + KEY_AGE_MAX_MS <= after.now;
    hold(due, 5, () => `the key of "${row?.query}" is forgotten too soon`);
    world.forgottenKeys.set(key, row?.number ?? 0);
  }
  const charged = new Map<string, QueryRow>();
  for (const row of after.rows) {
    if (!row.key?.startsWith("key:") || row.state !== "charged") continue;
    if (row.number <= (world.forgottenKeys.get(row.key) ?? 0)) continue;
    const other = charged.get(row.key);
    hold(other === undefined, 5, () => `charged twice: ${text(other)} and ${text(row)}`);
    charged.set(row.key, row);
  }
}

/**
 * 6, while it goes on: only events in their one form,
 * and nothing after the last.
 */
function checkProgress(connection: Connection): void {
  if (!connection.isEventStream) return;
  const whole = connection.text.endsWith("\n\n") || connection.text === "";
  const right = /^(data: \{[^\r\n\u0080-\u009f\u2028\u2029]*\}\n\n)*$/.test(connection.text);
  hold(right && whole, 6, () => `not in the one form: ${text(connection.text)}`);
  const { events } = connection;
  const terminal = events.findIndex(({ type }) => type === "done" || type === "error");
  hold(
    terminal === -1 || terminal === events.length - 1,
    6,
    () => `something follows the end: ${connection.text}`,
  );
}

/** 6: how a connection ended; must fit storage and the model's stream. */
function checkEnd(world: World, connection: Connection, after: Snapshot, step: StepKind): void {
  const { status, state, last } = connection;
  if (state === "left") return;
  if (state === "broken") {
    const survived = world.connections.indexOf(connection) >= world.survivors;
    hold(!survived || step.crashed, 6, () => `a connection broke: ${text(connection.text)}`);
    return;
  }
  if (status === 204) {
    hold(connection.text === "", 6, () => connection.text);
    return;
  }
  if (status !== 200) {
    hold(status !== 500 || step.faulty || step.crashed, 6, () => connection.text);
    hold(last?.type === "error", 6, () => `${status} with ${connection.text}`);
    hold(connection.events.length <= 1, 6, () => connection.text);
    if (last.queryId === undefined) return;
  }
  hold(last?.type === "done" || last?.type === "error", 6, () => `no end: ${connection.text}`);
  // An erased user has no quota.
  if (step.erased) return;
  checkRemaining(world, last.quotaRemaining, after, step);
  const queryId = last.queryId as string;
  const row = after.rows.find(({ id }) => id === queryId);
  const told = () => `${connection.text} for ${text(row)}`;
  if (last.type === "error") {
    // An old row may be gone: then the journal has its last state.
    const gone = after.transitions.find(({ id, to }) => id === queryId && to === null);
    const isRefunded = (row?.state ?? gone?.from) === "refunded";
    hold(isRefunded || last.code === "CANCELLED" || world.orphans.has(queryId), 6, told);
    return;
  }

  const lost = step.crashed || step.faulty || world.orphans.has(queryId);
  const paid = row?.state === "charged" || row?.reason === "operator" || row === undefined;
  const free = row?.reason === "nothing_found";
  hold(paid || free || lost, 6, told);
  const call = world.call(queryId);
  hold(call?.state === "finished", 6, () => `the model did not finish, but: ${told()}`);
  if (row !== undefined && row.answer !== null) hold(row.answer === call.text, 6, told);
  if (!connection.isEventStream) {
    hold((last as unknown as AnswerBody).answer === call.text, 6, told);
    return;
  }
  // `start` is event 1, `sources` 2, the first token 3.
  const expected = [
    ...["start", "sources"].map((type) => ({ type })),
    ...call.tokens.map((token) => ({ type: "token", token })),
  ].slice(connection.after);
  const seen = connection.events.filter(({ type }) => type !== "ping").slice(0, -1);
  const shown = seen.map((event) =>
    event.type === "token" ? { type: "token", token: event.token } : { type: event.type },
  );
  hold(text(shown) === text(expected), 6, told);
  const [start] = seen;
  if (start?.type === "start") hold(start.quotaRemaining === connection.remaining, 1, told);
}

/**
 * 1, in events: the quota lies between its values before and after the step.
 */
function checkRemaining(
  world: World,
  remaining: number | undefined,
  after: Snapshot,
  step: StepKind,
): void {
  const told = () => `quotaRemaining is ${remaining}`;
  hold(remaining !== undefined && remaining >= 0, 1, told);
  if (!step.single) return;
  const possible = [world.before, after].map((snapshot) => remainingIn(world, snapshot));
  const [least, most] = [Math.min(...possible), Math.max(...possible)];
  hold(remaining >= least && remaining <= most, 1, () => `${told()}, not from ${least} to ${most}`);
}

/** A stop's response tells the outcome. */
function checkCancels(world: World, after: Snapshot, step: StepKind): void {
  for (const { queryId, answer } of world.cancels) {
    if (answer === undefined) continue;
    const row = after.rows.find(({ id }) => id === queryId);
    if (step.erased) continue;
    const told = () => `a cancel was answered ${text(answer)} for ${text(row)}`;
    if (answer === "lost") hold(step.crashed, 6, told);
    else if (step.single) hold(answer.status === 200 && answer.state === row?.state, 6, told);
    else hold(answer.status === 200 || row === undefined || step.faulty, 6, told);
  }
}

function checkQuota(world: World, after: Snapshot): void {
  const expected = remainingIn(world, after);
  hold(after.quota.remaining === expected, 1, () => `${expected} remain, but ${text(after.quota)}`);
}

/** The quota left in the current window, recounted from the rows. */
function remainingIn(world: World, { rows, windows, now, limit }: Snapshot): number {
  const { period } = world.settings;
  const today = period === "total" ? "total" : new Date(now).toISOString().slice(0, 10);
  // The clock may have gone backwards.
  const window = [today, ...windows.map((row) => row.window)].sort().at(-1);
  const pruned = windows.find((row) => row.window === window)?.pruned_charged ?? 0;
  const used = rows.filter((row) => row.window === window && row.state !== "refunded").length;
  return Math.max(0, limit - used - pruned);
}
