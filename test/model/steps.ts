// The end of a step: waits until everything settles, compares with the model
// where the outcome is known, checks the invariants,
// and remembers the result for the next step.

import { ALONE, Breach, checkInvariants, type StepKind } from "./invariants.ts";
import type { Snapshot } from "./journal.ts";
import type { Model } from "./model.ts";
import { passGrace, settle } from "./settle.ts";
import type { World } from "./world.ts";

/** After a step with a known outcome. */
export async function endStep(
  model: Model,
  world: World,
  kind: StepKind,
  verify: (() => void) | undefined,
): Promise<void> {
  const differs = (seen: Snapshot) => {
    model.identify(seen);
    return differenceOf(model, world, seen);
  };
  const snapshot = await settle(world, differs, kind);
  verify?.();
  checkInvariants(world, snapshot, kind, world.takeEnded());
  model.forget(snapshot);
  world.remember(snapshot);
}

/** After a step with several possible outcomes. */
export async function endUncertainStep(model: Model, world: World, kind: StepKind): Promise<void> {
  const snapshot = await settle(world, undefined, kind);
  checkInvariants(world, snapshot, kind, world.takeEnded());
  const reserved = snapshot.rows.filter(({ state }) => state === "reserved");
  model.adopt(snapshot, {
    live: new Set(reserved.map(({ id }) => id).filter((id) => !world.orphans.has(id))),
    isWhole: (id) => world.call(id)?.state === "finished",
    readers: (id, question) => world.readers(id, question),
    nameOf: (question) => /, key (\w)$/.exec(question)?.[1] ?? question,
    crashed: kind.crashed,
    cancelled: world.cancelled,
    failed: kind.faulty && world.hasFailedOrphan,
    steady: !kind.patched && !kind.faulty,
  });
  world.remember(snapshot);
}

/** The end of a history: runs are finished, waits end, nothing may be left. */
export async function endHistory(model: Model, world: World): Promise<void> {
  for (const { id } of model.running) {
    const call = world.call(id);
    if (call !== undefined) await world.drive(call, (it) => it.finish("all"));
  }
  await passGrace(world);
  await world.passWait();
  await world.alarm();
  await endUncertainStep(model, world, { ...ALONE, single: false });
  const left = world.before.rows.filter(({ state }) => state === "reserved");
  if (left.length > 0) throw new Breach(`Reserved for ever: ${JSON.stringify(left)}`);
  await world.inside((storage) => storage.deleteAll());
}

function differenceOf(model: Model, world: World, { rows }: Snapshot): string | undefined {
  for (const row of rows) {
    const query = model.queries.find(({ id }) => id === row.id);
    if (query === undefined) return `"${row.query}" should not be there`;
    const expected = JSON.stringify([query.state, query.reason, query.window]);
    const seen = JSON.stringify([row.state, row.reason, row.window]);
    if (seen !== expected) return `"${query.question}" is ${seen}, not ${expected}`;
  }
  for (const { question, id, live, whole } of model.queries) {
    if (id === "") return `"${question}" should be there`;
    const state = world.call(id)?.state;
    const expected = whole ? "finished" : "open";
    if (live && state !== expected)
      return `the model of "${question}" is ${state}, not ${expected}`;
  }
  const readers = new Set(model.live.flatMap((query) => [...query.readers]));
  const open = world.connections.filter(({ isOpen }) => isOpen);
  if (open.length !== readers.size || open.some((connection) => !readers.has(connection))) {
    return `${open.length} connections are open, not ${readers.size}`;
  }
  return undefined;
}
