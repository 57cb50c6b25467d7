// The exact shapes of all bodies and events, written from docs/protocol.md rather
// than from the source. Operators' bodies may have more members.

import * as v from "valibot";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.string(), v.isoTimestamp());
const finish = v.picklist(["stop", "length"]);
const queryId = v.pipe(v.string(), v.nonEmpty());
const text = v.pipe(v.string(), v.nonEmpty());

const FoundSource = v.strictObject({
  n: v.pipe(count, v.minValue(1)),
  id: text,
  documentId: text,
  title: v.string(),
  heading: v.array(v.string()),
  url: v.nullable(v.string()),
  snippet: v.string(),
  score: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
});
/** A source of a whole answer. */
const UsedSource = v.strictObject({ ...FoundSource.entries, cited: v.boolean() });

/** Some refusals have more members. */
export const ErrorBody = v.looseObject({
  type: v.literal("error"),
  message: text,
  code: v.pipe(v.string(), v.regex(/^[A-Z_]+$/)),
  queryId: v.optional(queryId),
  quotaRemaining: v.optional(count),
});

export const Event = v.variant("type", [
  v.strictObject({ type: v.literal("start"), queryId, quotaRemaining: count }),
  v.strictObject({ type: v.literal("sources"), sources: v.array(FoundSource) }),
  v.strictObject({ type: v.literal("token"), token: text }),
  v.strictObject({ type: v.literal("ping") }),
  v.strictObject({
    type: v.literal("done"),
    queryId,
    sources: v.array(UsedSource),
    finish,
    found: v.boolean(),
    quotaRemaining: count,
  }),
  ErrorBody,
]);

export const AnswerBody = v.strictObject({
  queryId,
  answer: text,
  sources: v.array(UsedSource),
  finish,
  found: v.boolean(),
  quotaRemaining: count,
});

export const Receipt = v.strictObject({
  queryId,
  state: v.picklist(["reserved", "charged", "refunded"]),
  reason: v.nullable(
    v.picklist(["disconnected", "cancelled", "nothing_found", "failed", "expired", "operator"]),
  ),
  window: text,
  askedAt: time,
  resolvedAt: v.nullable(time),
  onDisconnect: v.picklist(["cancel", "wait", "continue"]),
  collections: v.array(v.string()),
  query: v.nullable(v.string()),
  answer: v.nullable(v.string()),
  sources: v.nullable(v.array(UsedSource)),
  finish: v.nullable(finish),
  found: v.nullable(v.boolean()),
  tokens: v.nullable(count),
  firstTokenMs: v.nullable(v.number()),
  totalMs: v.nullable(v.number()),
  rewriteMs: v.nullable(count),
  rewriteTokens: v.nullable(count),
  fallback: v.boolean(),
  feedback: v.nullable(
    v.strictObject({
      rating: v.nullable(v.picklist(["up", "down"])),
      comment: v.nullable(v.string()),
    }),
  ),
});

export const ReceiptPage = v.strictObject({
  queries: v.array(Receipt),
  before: v.nullable(v.string()),
});

export const Quota = v.strictObject({
  limit: count,
  remaining: count,
  reserved: count,
  charged: count,
  refunded: count,
  refundsLeft: count,
  period: v.picklist(["day", "month", "total"]),
  resetsAt: v.nullable(time),
});

export const Inspection = v.looseObject({
  user: text,
  limit: count,
  refundLimit: count,
  blocked: v.boolean(),
  windows: v.array(
    v.looseObject({ window: text, reserved: count, charged: count, refunded: count }),
  ),
  reservations: v.array(
    v.looseObject({ queryId, ageMs: v.number(), live: v.boolean(), tokens: count }),
  ),
  queries: v.array(v.looseObject({ queryId })),
  alarmAt: v.nullable(time),
  storageBytes: count,
  audit: v.looseObject({ ok: v.boolean(), differences: v.array(v.string()) }),
});
