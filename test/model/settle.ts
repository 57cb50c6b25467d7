// When a step has settled: nothing moves and all is as expected.
// What never settles is a breach too: a connection without an end,
// a model that goes on unread, a lost answer.

import { Breach } from "./invariants.ts";
import type { Snapshot } from "./journal.ts";
import type { World } from "./world.ts";

/** Looks before a history fails, and how many of them without a pause. */
const LOOKS_MAX = 500;
const LOOKS_AT_ONCE = 12;

/**
 * Looks until nothing moves and nothing differs; returns the last snapshot.
 * Looks twice if the step has shown no effect yet,
 * or if its outcome is unknown: something may be on its way.
 */
export async function settle(
  world: World,
  differenceOf: ((snapshot: Snapshot) => string | undefined) | undefined,
  { faulty }: { readonly faulty: boolean },
): Promise<Snapshot> {
  let effects = world.effects;
  for (let looks = 1; ; looks += 1) {
    const snapshot = await world.look();
    if (faulty) await findOrphans(world, snapshot);
    const [violation] = world.violations;
    if (violation !== undefined) throw new Breach(`Invariant ${violation}`);
    const pending = pendingIn(world, snapshot) ?? differenceOf?.(snapshot);
    const seen = effectsOf(world, snapshot);
    const isEnough =
      looks === 1 ? differenceOf !== undefined && seen !== effects : seen === effects;
    if (pending === undefined && isEnough) {
      world.effects = seen;
      return snapshot;
    }
    effects = seen;
    if (isInGrace(world, snapshot)) await world.passHalfGrace();
    await pauseAfter(looks, () => pending ?? seen);
  }
}

/** Lets the grace pass before each waiting `done`. */
export async function passGrace(world: World): Promise<void> {
  for (let looks = 1; ; looks += 1) {
    const { rows } = await world.look();
    const held = liveRows(world, rows).find(
      ({ id, query }) =>
        world.call(id)?.state === "finished" && world.readers(id, query).length > 0,
    );
    if (held === undefined) return;
    await world.passHalfGrace();
    await pauseAfter(looks, () => `the answer to "${held.query}" is never delivered`);
  }
}

async function pauseAfter(looks: number, told: () => string): Promise<void> {
  if (looks > LOOKS_MAX) throw new Breach(`It does not come to this: ${told()}`);
  if (looks > LOOKS_AT_ONCE) await scheduler.wait(1);
}

/**
 * Reservations without a run after a failed transaction.
 * The object says so and sweeps them later.
 */
export async function findOrphans(world: World, { rows }: Snapshot): Promise<void> {
  const live = await world.liveRuns();
  for (const { id, state } of rows) {
    if (state === "reserved" && !live.has(id)) world.orphans.add(id);
  }
}

/**
 * Whether a connection waits out the grace although no history ends it:
 * without grace in this history, or after another connection
 * got the answer or an operator erased it.
 */
function isInGrace(world: World, { rows }: Snapshot): boolean {
  const reserved = world.settings.manualGrace ? liveRows(world, rows) : [];
  return world.calls.some(
    ({ state, queryId, question }) =>
      state === "finished" &&
      !reserved.some(({ id }) => id === queryId) &&
      world.readers(queryId, question).some(({ isReplay }) => !isReplay),
  );
}

/** What is still to come in any case; undefined if nothing is. */
function pendingIn(world: World, { rows }: Snapshot): string | undefined {
  const reserved = liveRows(world, rows);
  for (const connection of world.connections) {
    if (!connection.isOpen) continue;
    if (connection.streaming && connection.state === "asking") return "an ask has no response";
    if (!reserved.some(({ id, query }) => world.readers(id, query).includes(connection))) {
      return `a connection to "${connection.queryId ?? connection.question}" does not end`;
    }
  }
  for (const { state, queryId, question } of world.calls) {
    if (state === "open" && !reserved.some(({ id }) => id === queryId)) {
      return `the model runs on for "${question}" without a run`;
    }
  }
  for (const { id, query } of reserved) {
    const state = world.call(id)?.state;
    if (state === undefined) return `no model is asked "${query}"`;
    if (state === "aborted") return `"${query}" is still reserved, but its model was stopped`;
    if (state === "failed") return `the failure of "${query}" is not refunded`;
    const isRead = world.readers(id, query).length > 0;
    if (state === "finished" && isRead && !world.settings.manualGrace) {
      return `the answer to "${query}" is not delivered`;
    }
  }
  const isDecided = (queryId: string) => !reserved.some(({ id }) => id === queryId);
  const waits = world.cancels.some(
    ({ answer, queryId }) => answer === undefined && isDecided(queryId),
  );
  return waits ? "a stop has no response" : undefined;
}

/** Reservations that should have a run. */
function liveRows(world: World, rows: Snapshot["rows"]): Snapshot["rows"] {
  return rows.filter(({ id, state }) => state === "reserved" && !world.orphans.has(id));
}

/** The visible effects so far. */
function effectsOf({ connections, calls, cancels }: World, { last }: Snapshot): string {
  return JSON.stringify([
    last,
    connections.map(({ response }) => response !== undefined),
    connections.map(({ state }) => state === "ended" || state === "broken"),
    calls.map(({ state }) => state),
    cancels.filter(({ answer }) => answer === undefined).length,
  ]);
}
