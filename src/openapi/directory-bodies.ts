// The bodies of src/directory as schemas. A test holds them to the types.

import * as v from "valibot";
import { count, quotaWindow, receipt } from "./bodies.ts";

const time = v.pipe(v.string(), v.isoTimestamp());
const day = v.pipe(v.string(), v.isoDate());
const reason = v.picklist([
  ...["disconnected", "cancelled", "nothing_found", "failed", "expired", "operator"],
] as ["disconnected", "cancelled", "nothing_found", "failed", "expired", "operator"]);

const counts = {
  asked: count,
  charged: count,
  refunded: v.object({
    disconnected: count,
    cancelled: count,
    nothing_found: count,
    failed: count,
    expired: count,
    operator: count,
  }),
  failed: count,
  tokens: count,
};

export const listedUser = v.object({
  user: v.string(),
  firstSeen: v.nullable(time),
  lastSeen: v.nullable(time),
  ...counts,
  blocked: v.boolean(),
  limit: count,
});
export const userPage = v.object({ users: v.array(listedUser), after: v.nullable(v.string()) });

export const listedQuery = v.object({
  queryId: v.string(),
  user: v.string(),
  askedAt: time,
  state: v.picklist(["reserved", "charged", "refunded"]),
  reason: v.nullable(reason),
  found: v.nullable(v.boolean()),
  score: v.nullable(v.number()),
  cited: count,
  documents: v.array(v.string()),
  closest: v.array(v.object({ documentId: v.string(), score: v.number() })),
  tokens: v.nullable(count),
  firstTokenMs: v.nullable(count),
  totalMs: v.nullable(count),
  rating: v.nullable(v.picklist(["up", "down"])),
  collections: v.array(v.string()),
  question: v.nullable(v.string()),
  answer: v.nullable(v.string()),
  comment: v.nullable(v.string()),
});
export const queryPage = v.object({
  queries: v.array(listedQuery),
  before: v.nullable(v.string()),
});

const histogram = v.array(count);

export const listedDay = v.object({
  day,
  ...counts,
  firstTokenMs: histogram,
  totalMs: histogram,
});
export const totals = v.object({ days: v.array(listedDay), boundsMs: v.array(count) });

const close = v.object({ documentId: v.string(), score: v.number(), asked: count });
const questions = v.array(v.string());

export const report = v.object({
  since: day,
  until: day,
  words: v.boolean(),
  totals: v.object(counts),
  unanswered: v.object({
    asked: count,
    withoutWords: count,
    more: v.boolean(),
    closest: v.array(close),
    groups: v.array(
      v.object({
        common: v.array(v.string()),
        asked: count,
        users: count,
        lastAskedAt: time,
        questions,
        closest: v.array(close),
      }),
    ),
    ungrouped: v.object({ asked: count, questions }),
  }),
  feedback: v.object({
    up: count,
    down: count,
    more: v.boolean(),
    comments: v.array(
      v.object({
        queryId: v.string(),
        user: v.string(),
        askedAt: time,
        question: v.nullable(v.string()),
        comment: v.string(),
        documents: v.array(v.string()),
      }),
    ),
  }),
  questions: v.object({
    counted: count,
    more: v.boolean(),
    top: v.array(
      v.object({
        question: v.string(),
        asked: count,
        users: count,
        unanswered: count,
        up: count,
        down: count,
      }),
    ),
  }),
  documents: v.object({
    cited: v.array(v.object({ documentId: v.string(), answers: count })),
    neverCited: v.nullable(
      v.object({ count, documentIds: v.array(v.string()), more: v.boolean() }),
    ),
  }),
});

export const entry = v.object({
  at: time,
  operator: v.string(),
  action: v.string(),
  target: v.nullable(v.string()),
  status: count,
  change: v.unknown(),
});
export const entryPage = v.object({ entries: v.array(entry), before: v.nullable(v.string()) });

export const limitsChanged = v.object({
  changed: count,
  refused: v.array(v.object({ line: count, user: v.string(), message: v.string() })),
});

export const exportedUser = v.object({
  user: v.string(),
  limit: count,
  refundLimit: count,
  blocked: v.boolean(),
  windows: v.array(v.omit(quotaWindow, ["remaining"])),
});
export const exportLine = v.union([exportedUser, receipt]);
