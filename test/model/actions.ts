// What may happen in a history: asks, disconnects and reconnects,
// a model's ends and failures, stops, clocks, crashes, operators.
// Each action picks its object when its turn comes,
// and knows its outcome if nothing else happens.

import fc from "fast-check";
import type { OnDisconnect } from "../../src/protocol.ts";
import { type Connection, LEAVINGS, type Leaving } from "./connection.ts";
import { Breach } from "./invariants.ts";
import type { Admission, AskOptions, Model, Query } from "./model.ts";
import { passGrace } from "./settle.ts";
import { FAILURES, type Failure, FINISHES, type Finishing } from "./upstream.ts";
import type { CancelRequest, World } from "./world.ts";

/** An action whose object is chosen. */
interface Plan {
  /** Acts; the effects may take longer. */
  readonly act: () => Promise<unknown>;
  /** Moves the model to the expected outcome. Called after `act`. */
  readonly predict: () => void;
  /** Checks what was seen once everything has settled. */
  readonly verify?: () => void;
}

export interface Action {
  readonly name: string;
  readonly isPossible: (model: Model) => boolean;
  /** Undefined if its object is gone by then. */
  readonly plan: (model: Model, world: World) => Plan | undefined;
  readonly isCrash?: boolean;
  readonly isErasure?: boolean;
  /** Whether it changes the refund allowance. */
  readonly isPatch?: boolean;
}

const always = () => true;

function pick<T>(choices: readonly T[], number: number): T | undefined {
  return choices[number % choices.length];
}

function expectEqual(seen: unknown, expected: unknown, what: string): void {
  if (seen === expected) return;
  throw new Breach(`${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`);
}

function asking(name: string, options: (world: World) => AskOptions | undefined): Action {
  return {
    name,
    isPossible: always,
    plan(model, world) {
      const chosen = options(world);
      if (chosen === undefined) return undefined;
      return reading(
        model,
        () => world.ask(chosen),
        () => model.ask(chosen, Date.now()),
      );
    },
  };
}

/**
 * What a new connection must get: live events, a stored answer, or a refusal.
 */
function reading(model: Model, open: () => Promise<Connection>, admit: () => Admission): Plan {
  let connection: Connection;
  let admission: Admission;
  let remaining: number;
  return {
    act: async () => {
      connection = await open();
    },
    predict() {
      admission = admit();
      remaining = model.remaining(Date.now());
      if ("query" in admission && !admission.replay) model.joined(admission.query, connection);
    },
    verify() {
      // A JSON ask has no response yet.
      if (connection.state === "asking") return;
      expectEqual(connection.status, admission.status, "status");
      if ("code" in admission) {
        const { last } = connection;
        expectEqual(last?.type === "error" && last.code, admission.code, "code");
      }
      if (!("query" in admission)) return;
      expectEqual(connection.queryId, admission.query.id, "X-Query-Id");
      expectEqual(connection.remaining, remaining, "RateLimit");
      expectEqual(connection.isReplay, admission.replay, "Idempotency-Replayed");
    },
  };
}

/** An action on one of the queries that are right for it. */
function upon(
  name: string,
  right: (model: Model) => readonly Query[],
  number: number,
  plan: (query: Query, model: Model, world: World) => Plan | undefined,
): Action {
  return {
    name: `${name} #${number}`,
    isPossible: (model) => right(model).length > 0,
    plan(model, world) {
      const query = pick(right(model), number);
      return query === undefined ? undefined : plan(query, model, world);
    },
  };
}

const present = (model: Model) => model.queries.filter(({ gone }) => !gone);
const running = (model: Model) => model.running;

/** A client sends the same body with each key, except for a rare mistake. */
const KEYS = [
  { key: undefined, onDisconnect: undefined },
  { key: undefined, onDisconnect: undefined },
  { key: "a", onDisconnect: "cancel" },
  { key: "b", onDisconnect: "wait" },
  { key: "c", onDisconnect: "continue" },
] as const;

const ask = fc
  .record({
    number: fc.constantFrom(0, 0, 0, 1),
    onDisconnect: fc.constantFrom<OnDisconnect[]>("cancel", "cancel", "wait", "continue"),
    key: fc.constantFrom<(typeof KEYS)[number][]>(...KEYS),
    streaming: fc.constantFrom(true, true, false),
  })
  .map(({ number, key: { key, ...fixed }, streaming, ...chosen }) => {
    const onDisconnect = fixed.onDisconnect ?? chosen.onDisconnect;
    const words = `${number}, ${onDisconnect}, ${key ?? "no key"}`;
    return asking(`ask(${words}, ${streaming ? "stream" : "json"})`, (world) => {
      const subject = number === 1 ? " about nothing" : "";
      const question = `Question ${number}${subject}, ${onDisconnect}${key === undefined ? "" : `, key ${key}`}`;
      const options = { question, onDisconnect, key, streaming };
      world.asked.push(options);
      if (key !== undefined || world.settings.repeatSeconds > 0) return options;
      // Without keys each ask has its own body:
      // otherwise two live runs would look the same to us.
      return { ...options, question: `${question}, number ${world.asked.length}` };
    });
  });

const again = fc
  .record({ number: fc.nat(20), streaming: fc.boolean() })
  .map(({ number, streaming }) =>
    asking(`again(#${number}, ${streaming ? "stream" : "json"})`, (world) => {
      const options = pick(world.asked, number);
      if (options?.key === undefined && world.settings.repeatSeconds === 0) return undefined;
      return options && { ...options, streaming };
    }),
  );

const resume = fc.record({ number: fc.nat(20), after: fc.nat(5) }).map(({ number, after }) =>
  upon(`resume(after ${after})`, present, number, (query, model, world) =>
    reading(
      model,
      () => world.resume(query.id, after),
      () => model.join(query),
    ),
  ),
);

const leave = fc.record({ number: fc.nat(20), how: fc.constantFrom<Leaving[]>(...LEAVINGS) }).map(
  ({ number, how }): Action => ({
    name: `leave(${how}) #${number}`,
    isPossible: (model) => model.live.some(({ readers }) => readers.size > 0),
    plan(model) {
      const reader = pick(
        model.live.flatMap(({ readers }) => [...readers]),
        number,
      );
      if (reader === undefined) return undefined;
      return { act: async () => reader.leave(how), predict: () => model.leave(reader) };
    },
  }),
);

const say = fc.nat(20).map((number) =>
  upon("say", running, number, ({ id }, _model, world) => {
    const call = world.call(id);
    return call && { act: () => world.drive(call, (it) => it.say()), predict: () => {} };
  }),
);

const finish = fc
  .record({ number: fc.nat(20), how: fc.constantFrom<Finishing[]>(...FINISHES) })
  .map(({ number, how }) =>
    upon(`finish(${how})`, running, number, (query, model, world) => {
      const call = world.call(query.id);
      if (call === undefined) return undefined;
      const act = () => world.drive(call, (it) => it.finish(how));
      return { act, predict: () => model.finish(query) };
    }),
  );

const fail = fc
  .record({ number: fc.nat(20), how: fc.constantFrom<Failure[]>(...FAILURES) })
  .map(({ number, how }) =>
    upon(`fail(${how})`, running, number, (query, model, world) => {
      const call = world.call(query.id);
      if (call === undefined) return undefined;
      const act = () => world.drive(call, (it) => it.fail(how));
      return { act, predict: () => model.fail(query) };
    }),
  );

const cancel = fc.nat(20).map((number) =>
  upon("cancel", present, number, (query, model, world) => {
    let decided = true;
    let cancelled: CancelRequest;
    return {
      act: async () => {
        cancelled = world.cancel(query.id);
      },
      predict: () => {
        decided = model.cancel(query);
      },
      verify: () => expectEqual(cancelled.answer !== undefined, decided, "whether cancel answered"),
    };
  }),
);

const deleteTexts = fc.nat(20).map((number) =>
  upon("delete", present, number, (query, model, world) => {
    let status: number;
    let expected: number;
    return {
      act: async () => {
        status = await world.deleteTexts(query.id);
      },
      predict: () => {
        expected = model.deleteTexts(query);
      },
      verify: () => expectEqual(status, expected, "status"),
    };
  }),
);

const refundCharge = fc.nat(20).map((number) =>
  upon("operator's refund", present, number, (query, model, world) => ({
    act: () => world.post(`/admin/users/${world.name}/queries/${query.id}/refund`),
    predict: () => model.refundCharge(query),
  })),
);

const trespass = fc.nat(20).map((number) =>
  upon("trespass", present, number, ({ id }, _model, world) => ({
    act: () => world.trespass(id),
    predict: () => {},
  })),
);

const patch = fc
  .oneof(
    fc.record({ limit: fc.constantFrom(null, 5, 2, 0) }),
    fc.record({ refundLimit: fc.constantFrom(null, 5, 1, 0) }),
    fc.record({ blocked: fc.boolean() }),
  )
  .map(
    (change): Action => ({
      name: `patch(${JSON.stringify(change)})`,
      isPossible: always,
      isPatch: true,
      plan: (model, world) => ({
        act: () => world.post(`/admin/users/${world.name}`, change, "PATCH"),
        predict: () => model.patch(change),
      }),
    }),
  );

function simple(
  name: string,
  act: (world: World) => Promise<unknown>,
  predict: (model: Model) => void = () => {},
  isPossible: (model: Model) => boolean = always,
): Action {
  return {
    name,
    isPossible,
    plan: (model, world) => ({ act: () => act(world), predict: () => predict(model) }),
  };
}

const gracePasses = simple(
  "the grace passes",
  (world) => passGrace(world),
  (model) => model.passGrace(),
  ({ live }) => live.some(({ whole, readers }) => whole && readers.size > 0),
);
const waitPasses = simple(
  "the wait passes",
  async (world) => {
    await passGrace(world);
    await world.passWait();
  },
  (model) => model.passWait(),
);
const silencePasses = simple(
  "a silence passes",
  async (world) => {
    await passGrace(world);
    await world.passWait();
    await world.passSilence();
  },
  (model) => model.passSilence(),
);
const nextWindow = simple("the window ends", async (world) => world.jump("next window"));
const clockBack = simple("the clock goes back", async (world) => world.jump("back"));
const alarm = simple(
  "alarm",
  (world) => world.alarm(),
  (model) => model.sweep(),
);
const crash: Action = {
  ...simple(
    "crash",
    (world) => world.crash(),
    (model) => model.crash(),
  ),
  isCrash: true,
};
const evict: Action = simple(
  "evict",
  (world) => world.evict(),
  (model) => model.crash(),
  ({ live }) => live.length === 0,
);

const erase: Action = {
  ...simple(
    "erase",
    (world) => world.erase(),
    (model) => model.erase(),
  ),
  isErasure: true,
};

export const asks = fc.oneof({ weight: 2, arbitrary: ask }, { weight: 1, arbitrary: again });
/** Actions that open a transaction, which may fail. */
const writing = [
  { weight: 8, arbitrary: ask },
  { weight: 5, arbitrary: leave },
  { weight: 5, arbitrary: finish },
  { weight: 2, arbitrary: fail },
  { weight: 3, arbitrary: cancel },
  { weight: 1, arbitrary: refundCharge },
  { weight: 1, arbitrary: fc.constant(waitPasses) },
  { weight: 1, arbitrary: fc.constant(alarm) },
];
const usual = [
  ...writing,
  { weight: 4, arbitrary: again },
  { weight: 3, arbitrary: resume },
  { weight: 2, arbitrary: deleteTexts },
  { weight: 1, arbitrary: say },
  { weight: 1, arbitrary: patch },
  { weight: 1, arbitrary: fc.constant(gracePasses) },
  { weight: 1, arbitrary: fc.constant(nextWindow) },
];
export const whileStorageFails = fc.oneof(...writing);
/**
 * Actions to try in an outage.
 * Before its alarm rings, each may reset the object.
 */
export const whileStorageIsOut = fc.oneof(
  { weight: 6, arbitrary: ask },
  { weight: 5, arbitrary: leave },
  { weight: 5, arbitrary: finish },
  { weight: 2, arbitrary: fail },
  { weight: 2, arbitrary: cancel },
  { weight: 2, arbitrary: again },
  { weight: 1, arbitrary: refundCharge },
  { weight: 1, arbitrary: deleteTexts },
  { weight: 1, arbitrary: patch },
);
export const atOnce = fc.oneof(...usual, { weight: 1, arbitrary: fc.constant(crash) });
export const alone = fc.oneof(
  ...usual,
  { weight: 1, arbitrary: trespass },
  { weight: 1, arbitrary: fc.constant(silencePasses) },
  { weight: 1, arbitrary: fc.constant(clockBack) },
  { weight: 1, arbitrary: fc.constant(crash) },
  { weight: 1, arbitrary: fc.constant(evict) },
  { weight: 1, arbitrary: fc.constant(erase) },
);
