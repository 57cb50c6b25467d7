// Bugs that the histories must find, each a few edits of src.
// vitest.config.ts makes them if the variable BUG names one.
// Each is purely a bug: guards that would make up for it are removed too.

import { BUDGET_BUGS } from "../budget/bugs.ts";

/** A text that occurs once in the file, and its replacement. */
export interface Edit {
  /** Below src. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const OBJECT = "user/user-object.ts";
const ASKS = "user/asks.ts";
const RESERVATIONS = "user/reservations.ts";
const LEDGER = "user/ledger.ts";
const QUERIES = "user/queries.ts";

const resolvedTwice: Edit = {
  file: ASKS,
  from: "if (!this.#runs.delete(run.queryId)) return;",
  to: "this.#runs.delete(run.queryId);",
};

/**
 * Follows an await that breaks only a limit:
 * asks that came meanwhile are joined.
 */
const LOOK_AGAIN = `const late = this.#earlier(key, { identity, retriesByItself: true, again: false }); if (late?.type === "live") return late.run;`;

/** Makes `#start` async, so that it can await. */
const startAwaits: readonly Edit[] = [
  {
    file: ASKS,
    from: "this.#join(this.#start(request, key, payment), request)",
    to: "this.#join(await this.#start(request, key, payment), request)",
  },
  {
    file: ASKS,
    from: "#start({ ask, identity, previous, receivedAt }: AskRequest, key: AskKey, payment: Payment): Run {",
    to: "async #start({ ask, identity, previous, receivedAt }: AskRequest, key: AskKey, payment: Payment): Promise<Run> {",
  },
];

/** An await until the next turn of the event loop, or within this one. */
const AWAITS = { "an await": "await scheduler.wait(0);", "a short await": "await null;" };

export const BUGS: Readonly<Record<string, readonly Edit[]>> = {
  ...BUDGET_BUGS,
  "a refund counted twice": [
    resolvedTwice,
    {
      file: QUERIES,
      from: `SET state = 'refunded', resolved_at = ?2, reason = ?3,
         cost = coalesce(?4, cost)
       WHERE number = ?1 AND state = 'reserved'`,
      to: `SET state = 'refunded', resolved_at = ?2, reason = ?3, cost = coalesce(?4, cost)
       WHERE number = ?1`,
    },
    { file: ASKS, from: "if (run.transcript.ending !== undefined) return;", to: "" },
  ],
  "a refund to the present window": [
    {
      file: RESERVATIONS,
      from: "ledger.refund(window, reason)",
      to: `ledger.refund(this.#tables.ledger.currentWindow(Date.now(),
        window.length === 10 ? "day" : window.length === 7 ? "month" : "total"), reason)`,
    },
  ],
  "a charge after the refund": [
    resolvedTwice,
    {
      file: QUERIES,
      from: "SET state = 'charged', resolved_at = ?2,",
      to: "SET state = 'charged', reason = NULL, resolved_at = ?2,",
    },
    {
      file: QUERIES,
      from: `found = ?9,
         rewrite_ms = ?10, rewrite_tokens = ?11, cost = coalesce(?12, cost)
       WHERE number = ?1 AND state = 'reserved'`,
      to: `found = ?9, rewrite_ms = ?10, rewrite_tokens = ?11, cost = coalesce(?12, cost)
       WHERE number = ?1`,
    },
    { file: ASKS, from: "if (accepted && run !== undefined)", to: "if (run !== undefined)" },
  ],
  "a key ignored": [
    {
      file: ASKS,
      from: "isLookedFor ? this.#tables.keys.get(key)",
      to: "isLookedFor && !key.chosen ? this.#tables.keys.get(key)",
    },
  ],
  "a deletion of what is being written": [
    { file: "user/query-log.ts", from: 'if (state === "reserved") throw notFinished();', to: "" },
  ],
  ...Object.fromEntries(
    Object.entries(AWAITS).flatMap(([name, pause]) => [
      [
        `${name} between the key's look-up and the start`,
        [
          {
            file: ASKS,
            from: "const earlier = this.#earlier(key, request);",
            to: `const earlier = this.#earlier(key, request); ${pause}`,
          },
        ],
      ],
      [
        `${name} between the limits and the reservation`,
        [
          ...startAwaits,
          {
            file: ASKS,
            from: "this.#runs.admit(config, identity, now);",
            to: `this.#runs.admit(config, identity, now); ${pause} ${LOOK_AGAIN}`,
          },
        ],
      ],
      [
        `${name} between the quota's check and its write`,
        [
          ...startAwaits,
          {
            file: ASKS,
            from: "if (remaining(limit, counters) === 0) throw this.#quota.exceeded(now);",
            to: `if (remaining(limit, counters) === 0) throw this.#quota.exceeded(now);
              ${pause} ${LOOK_AGAIN} this.#runs.admit(config, identity, now);`,
          },
          { file: LEDGER, from: "SELECT ?1, 1 WHERE ?2 > 0", to: "SELECT ?1, 1 WHERE ?2 = ?2" },
          { file: LEDGER, from: "WHERE reserved + charged < ?2 RETURNING", to: "RETURNING" },
        ],
      ],
    ]),
  ),
  "the sweep of a live run": [{ file: RESERVATIONS, from: "if (isLive(id)) continue;", to: "" }],
  "an operator's refund counted twice": [
    {
      file: QUERIES,
      from: "WHERE number = ?1 AND state = 'charged' RETURNING",
      to: "WHERE number = ?1 RETURNING",
    },
  ],
  // The look before the write and the write itself: either alone keeps to the limit.
  "one ask over the limit": [
    { file: ASKS, from: "remaining(limit, counters) === 0", to: "false" },
    { file: LEDGER, from: "WHERE reserved + charged < ?2", to: "WHERE reserved + charged <= ?2" },
  ],
  "one refund over the allowance": [
    {
      file: "user/quota.ts",
      from: "Math.max(0, refundLimit - all)",
      to: "Math.max(0, refundLimit + 1 - all)",
    },
  ],
  "a free answer over the allowance": [
    { file: ASKS, from: "&& this.#quota.allowsRefund(run) ? 1 : 0", to: "? 1 : 0" },
  ],
  "a charge before the answer was delivered": [
    {
      file: ASKS,
      from: "await listener.probe(",
      to: "this.#settle(run, ending); await listener.probe(",
    },
  ],
  "a model that runs on after the refund": [
    {
      file: ASKS,
      from: 'run.abort();\n    if (reason === "failed"',
      to: 'if (reason === "failed"',
    },
  ],
  "an unknown finish reason counted as stop": [
    { file: "generators/finish-reason.ts", from: '?? "unknown";', to: '?? "stop";' },
  ],
  "a finish reason that ends the reading": [
    {
      file: "generators/completion.ts",
      from: "this.#ending = ending;",
      to: "this.#ending = ending; this.#settle();",
    },
  ],
  "text of an unknown type skipped": [
    {
      file: "generators/chunk.ts",
      from: 'typeof part.text !== "string") return "unreadable";',
      to: 'typeof part.text !== "string") return undefined;',
    },
  ],
  "an alarm that is never set": [
    { file: ASKS, from: "this.#parts.alarm.set(now + config.sweepIntervalMs);", to: "" },
  ],
  "an alarm that writes in an outage": [
    { file: OBJECT, from: "await this.#outage.end(CHECK_AGE_MAX_MS);", to: "" },
  ],
  "an alarm that gives up in an outage": [
    {
      file: OBJECT,
      from: "await this.#outage.end(CHECK_AGE_MAX_MS);",
      to: "if (await this.#outage.check(0)) return;",
    },
  ],
  "a new instance that writes in an outage": [
    {
      file: OBJECT,
      from: "if (await this.#outage.check(0)) return;",
      to: "",
    },
  ],
  "a charge that is written in an outage": [
    { file: ASKS, from: "if (this.#parts.outage.isOn) throw refusals.storageOut();", to: "" },
  ],
};

/**
 * A file of src with a bug seeded.
 * Throws if an edit fits nowhere, or twice.
 */
export function withBug(name: string, file: string, source: string): string {
  const edits = BUGS[name];
  if (edits === undefined) throw new Error(`There is no bug "${name}" in test/model/bugs.ts.`);
  return edits
    .filter((edit) => edit.file === file)
    .reduce((text, { from, to }) => {
      if (text.split(from).length !== 2) throw new Error(`"${from}" is not once in ${file}.`);
      return text.replace(from, () => to);
    }, source);
}
