// The tables of the directory. A query's key is the time at which it was asked,
// times 1,000, and a number: so the log is in the order of time without an
// index, and a query is found by its time and id. A user's queries are found by
// the days on which they asked: an index would be a row more for each answer.
// So would one of users by id: a user's number is made of the id, and their
// newest day is in their own row.

import type { QueryState, Rating, RefundReason } from "../protocol.ts";
import {
  COUNTER_COLUMNS,
  type Counts,
  TOTALS_COLUMNS,
  TOTALS_NAMES,
  type TotalsRow,
} from "../report.ts";
import { Schema } from "../schema.ts";

export type UserRow = Counts & {
  number: number;
  id: string;
  name: string;
  log: string;
  revision: number;
  last: string | null;
  first_at: number | null;
  last_at: number | null;
  blocked: number;
  quota_limit: number | null;
  claimed_limit: number | null;
  newest_day: string | null;
  /** JSON: `Totals` of that day. */
  newest: string | null;
};

export type QueryRow = {
  key: number;
  user: number;
  id: string;
  state: QueryState;
  reason: RefundReason | null;
  found: number | null;
  score: number | null;
  cited: number;
  tokens: number | null;
  first_token_ms: number | null;
  total_ms: number | null;
  rating: Rating | null;
  collections: string | null;
  /** JSON: the ids of the documents that the answer cites. */
  documents: string;
  /** JSON: pairs of a document's id and a score, where nothing was found. */
  closest: string;
  question: string | null;
  answer: string | null;
  comment: string | null;
};

export type DayRow = TotalsRow & {
  day: string;
  /** 1 if the numbers are those of `every_day` instead. */
  is_open: number;
};

export type EntryRow = {
  number: number;
  at: number;
  operator: string;
  action: string;
  target: string | null;
  /** The id of the user's object, where the target is a user. */
  user: string | null;
  status: number;
  /** JSON: what was changed. */
  change: string | null;
};

/** Queries that may have been asked in the same millisecond. */
export const KEYS_PER_MS = 1_000;

const NAMES = TOTALS_NAMES.join(", ");
const NAMES_IN_JSON = TOTALS_NAMES.map((name) => `newest ->> '${name}'`).join(", ");

export const DIRECTORY_SCHEMA = new Schema(
  `
  CREATE TABLE users (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    log TEXT NOT NULL,
    revision INTEGER NOT NULL,
    last TEXT,
    first_at INTEGER,
    last_at INTEGER,
    blocked INTEGER NOT NULL,
    quota_limit INTEGER,
    claimed_limit INTEGER,
    newest_day TEXT,
    newest TEXT,
    ${COUNTER_COLUMNS}
  ) STRICT;
  CREATE TABLE user_days (
    day TEXT NOT NULL,
    user INTEGER NOT NULL,
    ${TOTALS_COLUMNS},
    PRIMARY KEY (day, user)
  ) STRICT, WITHOUT ROWID;
  CREATE VIEW every_day AS
    SELECT day, user, ${NAMES} FROM user_days
    UNION ALL SELECT newest_day, number, ${NAMES_IN_JSON} FROM users
    WHERE newest_day IS NOT NULL;
  CREATE TABLE days (
    day TEXT PRIMARY KEY,
    is_open INTEGER NOT NULL,
    ${TOTALS_COLUMNS}
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE queries (
    key INTEGER PRIMARY KEY,
    user INTEGER NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    found INTEGER,
    score REAL,
    cited INTEGER NOT NULL,
    tokens INTEGER,
    first_token_ms INTEGER,
    total_ms INTEGER,
    rating TEXT,
    collections TEXT,
    documents TEXT NOT NULL,
    closest TEXT NOT NULL,
    question TEXT,
    answer TEXT,
    comment TEXT
  ) STRICT;
  CREATE INDEX rated_queries ON queries (key) WHERE rating IS NOT NULL;
  CREATE INDEX unanswered_queries ON queries (key) WHERE found = 0;
  CREATE TABLE has_words (
    one INTEGER PRIMARY KEY CHECK (one = 1)
  ) STRICT;
  CREATE TABLE log (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    operator TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT,
    user TEXT,
    status INTEGER NOT NULL,
    change TEXT
  ) STRICT;
  CREATE INDEX log_of_user ON log (user) WHERE user IS NOT NULL;
`,
  "users",
  [],
);
