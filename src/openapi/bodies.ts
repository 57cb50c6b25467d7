// The bodies and events of src/protocol.ts as schemas. They check nothing at
// run time: a test holds them to the types, and real responses to them.

import * as v from "valibot";
import { ERROR_CODES } from "./refusals.ts";

const time = v.pipe(v.string(), v.isoTimestamp());
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const finish = v.picklist(["stop", "length"]);
const onDisconnect = v.picklist(["cancel", "wait", "continue"]);
const rating = v.nullable(v.picklist(["up", "down"]));

const passage = {
  id: v.string(),
  documentId: v.string(),
  collection: v.exactOptional(v.string()),
  title: v.string(),
  heading: v.array(v.string()),
  url: v.nullable(v.string()),
  snippet: v.string(),
  score: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
};

export const source = v.object({
  n: v.pipe(v.number(), v.integer(), v.minValue(1)),
  ...passage,
  cited: v.exactOptional(v.boolean()),
});

export const errorCode = v.picklist(ERROR_CODES);

export const error = v.object({
  type: v.literal("error"),
  message: v.string(),
  code: errorCode,
  queryId: v.exactOptional(v.string()),
  quotaRemaining: v.exactOptional(v.number()),
  resetsAt: v.exactOptional(v.nullable(time)),
});

const head = { queryId: v.string(), quotaRemaining: count };

export const startEvent = v.object({ type: v.literal("start"), ...head });
export const sourcesEvent = v.object({ type: v.literal("sources"), sources: v.array(source) });
export const tokenEvent = v.object({ type: v.literal("token"), token: v.string() });
export const pingEvent = v.object({ type: v.literal("ping") });
export const doneEvent = v.object({
  type: v.literal("done"),
  ...head,
  sources: v.array(source),
  finish,
  found: v.boolean(),
});
export const streamEvent = v.variant("type", [
  startEvent,
  sourcesEvent,
  tokenEvent,
  pingEvent,
  doneEvent,
  error,
]);

export const answer = v.object({
  ...head,
  answer: v.string(),
  sources: v.array(source),
  finish,
  found: v.boolean(),
});

export const feedback = v.object({ rating, comment: v.nullable(v.string()) });

export const rated = v.object({ queryId: v.string(), ...feedback.entries });

const milliseconds = v.nullable(v.pipe(v.number(), v.minValue(0)));

export const receipt = v.object({
  queryId: v.string(),
  state: v.picklist(["reserved", "charged", "refunded"]),
  reason: v.nullable(
    v.picklist(["disconnected", "cancelled", "nothing_found", "failed", "expired", "operator"]),
  ),
  window: v.string(),
  askedAt: time,
  resolvedAt: v.nullable(time),
  onDisconnect,
  collections: v.array(v.string()),
  query: v.nullable(v.string()),
  answer: v.nullable(v.string()),
  sources: v.nullable(v.array(source)),
  finish: v.nullable(finish),
  found: v.nullable(v.boolean()),
  tokens: v.nullable(count),
  firstTokenMs: milliseconds,
  totalMs: milliseconds,
  rewriteMs: milliseconds,
  rewriteTokens: v.nullable(count),
  fallback: v.boolean(),
  feedback: v.nullable(feedback),
});

export const receiptPage = v.object({
  queries: v.array(receipt),
  before: v.nullable(v.string()),
});

export const quota = v.object({
  limit: count,
  remaining: count,
  reserved: count,
  charged: count,
  refunded: count,
  refundsLeft: count,
  period: v.picklist(["day", "month", "total"]),
  resetsAt: v.nullable(time),
});

export const examples = v.object({ empty: v.boolean(), questions: v.array(v.string()) });

/** Of a page that embeds Belay. */
export const session = v.object({ token: v.string(), expiresAt: v.string() });

export const pageIdentity = v.object({
  title: v.nullable(v.string()),
  accent: v.nullable(v.pipe(v.string(), v.regex(/^#[\da-f]{6}$/))),
  greeting: v.nullable(v.string()),
  signInUrl: v.nullable(v.string()),
  anonymous: v.boolean(),
  answers: v.picklist(["quotes", "model"]),
});

// Operators'.

const documentEntry = {
  id: v.string(),
  title: v.string(),
  url: v.nullable(v.string()),
  passages: count,
  bytes: count,
  contentHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  updatedAt: time,
  sample: v.exactOptional(v.literal(true)),
};

export const document = v.object(documentEntry);
export const wholeDocument = v.object({ ...documentEntry, text: v.string() });
export const documentPage = v.object({
  documents: v.array(document),
  after: v.nullable(v.string()),
  vectors: v.exactOptional(
    v.object({ model: v.string(), waiting: count, failure: v.nullable(v.string()) }),
  ),
});
export const foundPassage = v.object(passage);
export const passageList = v.object({ passages: v.array(foundPassage) });
export const documentsOrPassages = v.union([documentPage, passageList]);
export const movedDocument = v.object({ id: v.string(), collection: v.string() });
export const deletedDocument = v.object({ id: v.string(), deleted: v.literal(true) });

export const exportedDocument = v.object({
  id: v.string(),
  title: v.string(),
  url: v.nullable(v.string()),
  sample: v.exactOptional(v.literal(true)),
  text: v.string(),
});
export const imported = v.object({
  imported: count,
  refused: v.array(v.object({ line: count, id: v.nullable(v.string()), message: v.string() })),
  next: v.nullable(count),
});
export const collection = v.object({ name: v.string(), documents: count, passages: count });
export const collectionPage = v.object({
  collections: v.array(collection),
  after: v.nullable(v.string()),
});
export const deletedCollection = v.object({ name: v.string(), deleted: v.literal(true) });

export const quotaWindow = v.object({
  window: v.string(),
  reserved: count,
  charged: count,
  refunded: count,
  left: count,
  pruned_charged: count,
  pruned_refunded: count,
  pruned_left: count,
  remaining: count,
});

export const inspection = v.object({
  user: v.string(),
  limit: count,
  refundLimit: count,
  blocked: v.boolean(),
  windows: v.array(quotaWindow),
  reservations: v.array(
    v.object({ queryId: v.string(), ageMs: v.number(), live: v.boolean(), tokens: count }),
  ),
  queries: v.array(receipt),
  alarmAt: v.nullable(time),
  storageBytes: count,
  audit: v.object({ ok: v.boolean(), differences: v.array(v.string()) }),
});

/** An OpenAPI document, whose schema the OpenAPI Initiative publishes. */
export const description = v.record(v.string(), v.unknown());
