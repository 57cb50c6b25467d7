// When a step is over: nothing moves any more, and all is as expected. What never comes to rest is a
// breach itself: a connection without an end, a model that goes on for nobody, an answer that is lost.

import { Breach } from "./invariants.ts";
import type { Snapshot } from "./journal.ts";
import type { World } from "./world.ts";

/** How often to look before a history is given up, and how often of these without a pause. */
const LOOKS_MAX = 500;
const LOOKS_AT_ONCE = 12;

/**
 * Looks until nothing moves any more and nothing differs, and returns what it then sees. It looks twice
 * where nothing has come of the step yet, or nobody knows what must: something may be on its way.
 */
export async function rest(
  world: World,
  differenceOf: ((snapshot: Snapshot) => string | undefined) | undefined,
  { faulty }: { readonly faulty: boolean },
): Promise<Snapshot> {
  let sight = world.sight;
  for (let looks = 1; ; looks += 1) {
    const snapshot = await world.look();
    if (faulty) await findOrphans(world, snapshot);
    const [violation] = world.violations;
    if (violation !== undefined) throw new Breach(`Invariant ${violation}`);
    const unrest = unrestIn(world, snapshot) ?? differenceOf?.(snapshot);
    const seen = sightOf(world, snapshot);
    const isEnough = looks === 1 ? differenceOf !== undefined && seen !== sight : seen === sight;
    if (unrest === undefined && isEnough) {
      world.sight = seen;
      return snapshot;
    }
    sight = seen;
    if (isHeld(world, snapshot)) await world.passHalfHold();
    await pauseAfter(looks, () => unrest ?? seen);
  }
}

/** Lets the hold pass before each `done` that waits for it. */
export async function passHold(world: World): Promise<void> {
  for (let looks = 1; ; looks += 1) {
    const { rows } = await world.look();
    const held = liveRows(world, rows).find(
      ({ id, query }) =>
        world.call(id)?.state === "finished" && world.readers(id, query).length > 0,
    );
    if (held === undefined) return;
    await world.passHalfHold();
    await pauseAfter(looks, () => `the answer to "${held.query}" is never delivered`);
  }
}

async function pauseAfter(looks: number, told: () => string): Promise<void> {
  if (looks > LOOKS_MAX) throw new Breach(`It does not come to this: ${told()}`);
  if (looks > LOOKS_AT_ONCE) await scheduler.wait(1);
}

/** What a failed transaction has left reserved without a run: the object says so, and sweeps it later. */
export async function findOrphans(world: World, { rows }: Snapshot): Promise<void> {
  const live = await world.liveRuns();
  for (const { id, state } of rows) {
    if (state === "reserved" && !live.has(id)) world.orphans.add(id);
  }
}

/**
 * Whether somebody waits out the hold before `done`, which is not for the history to end: in histories
 * without holds, and where another reader has had the answer meanwhile, or an operator erased it.
 */
function isHeld(world: World, { rows }: Snapshot): boolean {
  const reserved = world.settings.holds ? liveRows(world, rows) : [];
  return world.calls.some(
    ({ state, queryId, question }) =>
      state === "finished" &&
      !reserved.some(({ id }) => id === queryId) &&
      world.readers(queryId, question).some(({ isReplay }) => !isReplay),
  );
}

/** What is still to come, whatever was done; undefined if nothing is. */
function unrestIn(world: World, { rows }: Snapshot): string | undefined {
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
      return `the model goes on with "${question}", which nobody wants`;
    }
  }
  for (const { id, query } of reserved) {
    const state = world.call(id)?.state;
    if (state === undefined) return `no model is asked "${query}"`;
    if (state === "aborted") return `nobody gives up "${query}", whose model was stopped`;
    if (state === "failed") return `the failure of "${query}" is not refunded`;
    const isRead = world.readers(id, query).length > 0;
    if (state === "finished" && isRead && !world.settings.holds) {
      return `the answer to "${query}" is not delivered`;
    }
  }
  const isDecided = (queryId: string) => !reserved.some(({ id }) => id === queryId);
  const waits = world.cancels.some(
    ({ answer, queryId }) => answer === undefined && isDecided(queryId),
  );
  return waits ? "a stop has no response" : undefined;
}

/** What is reserved, and should have a run behind it. */
function liveRows(world: World, rows: Snapshot["rows"]): Snapshot["rows"] {
  return rows.filter(({ id, state }) => state === "reserved" && !world.orphans.has(id));
}

/** What has come of whatever was done, as far as it can be seen. */
function sightOf({ connections, calls, cancels }: World, { last }: Snapshot): string {
  return JSON.stringify([
    last,
    connections.map(({ response }) => response !== undefined),
    connections.map(({ state }) => state === "ended" || state === "broken"),
    calls.map(({ state }) => state),
    cancels.filter(({ answer }) => answer === undefined).length,
  ]);
}
