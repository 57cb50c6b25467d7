// The commands of a history: one action, several at once,
// or one while storage fails. After a single action
// everything is compared with the model.
// Otherwise the invariants must hold, and the model adopts the outcome.

import fc from "fast-check";
import {
  type Action,
  alone,
  asks,
  atOnce,
  whileStorageFails,
  whileStorageIsOut,
} from "./actions.ts";
import { ALONE } from "./invariants.ts";
import type { Model, Settings } from "./model.ts";
import { findOrphans, passGrace } from "./settle.ts";
import { endStep, endUncertainStep } from "./steps.ts";
import { LOOK_MS, type World } from "./world.ts";

const COMMANDS_MAX = 20;

export const settings: fc.Arbitrary<Settings> = fc.record({
  limit: fc.constantFrom(4, 6, 2, 1),
  refundLimit: fc.constantFrom(5, 1, 2, 0),
  concurrencyLimit: fc.constantFrom(3, 2, 1),
  failureLimit: fc.constantFrom(3, 2, 1),
  repeatSeconds: fc.constantFrom(10, 0),
  manualGrace: fc.boolean(),
  period: fc.constantFrom("day", "total"),
});

/** @param replayPath As a failed history has printed it, or "". */
export function histories(replayPath: string) {
  const step = alone.map((action) => new Step(action));
  const race = fc
    .array(fc.record({ action: atOnce, lag: fc.nat(3) }), { minLength: 2, maxLength: 5 })
    .map((racers) => new Race(racers, false));
  const crowd = fc.array(asks, { minLength: 2, maxLength: 5 }).map(
    (actions) =>
      new Race(
        actions.map((action) => ({ action, lag: 0 })),
        true,
      ),
  );
  const fault = whileStorageFails.map((action) => new Fault(action));
  const outage = fc
    .record({
      before: fc.array(whileStorageIsOut, { maxLength: 3 }),
      after: fc.array(whileStorageIsOut, { maxLength: 3 }),
    })
    .map(({ before, after }) => new Outage(before, after));
  return fc.commands([step, step, step, step, step, step, race, crowd, fault, outage], {
    maxCommands: COMMANDS_MAX,
    size: "max",
    ...(replayPath !== "" && { replayPath }),
  });
}

/** A single action, whose whole outcome is known. */
class Step implements fc.AsyncCommand<Model, World, true> {
  readonly #action: Action;

  constructor(action: Action) {
    this.#action = action;
  }

  async check(model: Model): Promise<boolean> {
    return this.#action.isPossible(model);
  }

  async run(model: Model, world: World): Promise<void> {
    const plan = this.#action.plan(model, world);
    if (plan === undefined) return;
    const certain = model.isCertain;
    await plan.act();
    plan.predict();
    const { isCrash = false, isErasure = false, isPatch = false } = this.#action;
    const kind = { ...ALONE, crashed: isCrash, erased: isErasure, patched: isPatch };
    if (certain) await endStep(model, world, kind, plan.verify);
    else await endUncertainStep(model, world, kind);
  }

  toString(): string {
    return this.#action.name;
  }
}

interface Racer {
  readonly action: Action;
  /** How many turns later it acts. */
  readonly lag: number;
}

/** Several actions at once; the outcome is seen afterwards. */
class Race implements fc.AsyncCommand<Model, World, true> {
  readonly #racers: readonly Racer[];
  /** Whether all are asks, which are decided in one turn. */
  readonly #gathered: boolean;
  /** The names of those that had something to do. */
  #ran: string[] = [];

  constructor(racers: readonly Racer[], gathered: boolean) {
    this.#racers = racers;
    this.#gathered = gathered;
  }

  async check(model: Model): Promise<boolean> {
    return this.#racers.filter(({ action }) => action.isPossible(model)).length > 1;
  }

  async run(model: Model, world: World): Promise<void> {
    const planned = this.#racers.flatMap(({ action, lag }) => {
      const plan = action.plan(model, world);
      return plan === undefined ? [] : [{ action, lag, plan }];
    });
    this.#ran = planned.map(({ action: { name }, lag }) =>
      lag === 0 ? name : `${name} after ${lag}`,
    );
    if (this.#gathered && planned.length > 0) world.gather(planned.length);
    const racing = planned.map(async ({ lag, plan }) => {
      for (let turn = 0; turn < lag; turn += 1) await world.turn();
      await plan.act();
    });
    const is = (what: "isCrash" | "isPatch") => this.#racers.some(({ action }) => action[what]);
    // A crash may cut actions off; that is not a fault.
    if (is("isCrash")) await Promise.allSettled(racing);
    else await Promise.all(racing);
    await world.gathered();
    const kind = { crashed: is("isCrash"), patched: is("isPatch") };
    await endUncertainStep(model, world, { ...ALONE, ...kind, single: false });
  }

  toString(): string {
    return `${this.#gathered ? "crowd" : "race"}(${this.#ran.join(" | ")})`;
  }
}

/** One action, while storage fails in the middle of a write. */
class Fault implements fc.AsyncCommand<Model, World, true> {
  readonly #action: Action;

  constructor(action: Action) {
    this.#action = action;
  }

  async check(model: Model): Promise<boolean> {
    return this.#action.isPossible(model);
  }

  async run(model: Model, world: World): Promise<void> {
    const plan = this.#action.plan(model, world);
    if (plan === undefined) return;
    await world.breakStorage();
    await plan.act();
    await endUncertainStep(model, world, { ...ALONE, faulty: true, single: false });
    await world.mendStorage();
  }

  toString(): string {
    return `fault(${this.#action.name})`;
  }
}

/** Storage refuses writes for minutes, over an alarm, and then recovers. */
class Outage implements fc.AsyncCommand<Model, World, true> {
  /** Actions before the alarm rings, and while it waits. */
  readonly #before: readonly Action[];
  readonly #after: readonly Action[];

  constructor(before: readonly Action[], after: readonly Action[]) {
    this.#before = before;
    this.#after = after;
  }

  async check(model: Model): Promise<boolean> {
    return model.live.length > 0;
  }

  async run(model: Model, world: World): Promise<void> {
    let crashed = false;
    const act = async (actions: readonly Action[]) => {
      for (const action of actions) {
        if (!action.isPossible(model)) continue;
        const plan = action.plan(model, world);
        await plan?.act().catch(() => {});
        if (await world.applyOutage()) crashed = true;
      }
    };
    await world.beginOutage();
    await act(this.#before);
    await world.ring();
    for (const action of this.#after) {
      await world.pass(LOOK_MS);
      await act([action]);
    }
    if (await world.applyOutage()) crashed = true;
    await findOrphans(world, await world.look());
    await world.endOutage();
    // Part of it has passed with the time.
    await passGrace(world);
    await endUncertainStep(model, world, { ...ALONE, faulty: true, crashed, single: false });
    world.orphans.clear();
  }

  toString(): string {
    const names = (actions: readonly Action[]) => actions.map(({ name }) => name).join(", ");
    return `outage(${names(this.#before)} | alarm | ${names(this.#after)})`;
  }
}
