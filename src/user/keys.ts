// Which asks are the same ask: idempotency keys, and for who sends none the body itself. Kept as
// hashes, never as they were sent, and looked up before any limit, so that a harmless retry is never
// refused. What an ask that is known already gets is decided in user-object.ts.

import { sha256 } from "../digest.ts";
import { ServiceError } from "../errors.ts";
import { type Ask, encodeJson } from "../protocol.ts";

/** How long a key is kept after the ask, in milliseconds. */
export const KEY_AGE_MAX_MS = 24 * 60 * 60 * 1000; /* 24 h */

/** Replays in a row, before an ask that comes again by itself is told to stop. */
const REPLAYS_IN_A_ROW_MAX = 3;

export type KeyRow = {
  key: string;
  /** The hash of the checked body: the same key with another one is refused. */
  fingerprint: string;
  /** The latest query that was asked under the key. */
  query_id: string;
  /** When the answer was last replayed, in milliseconds since the epoch, and how often in a row. */
  replayed_at: number | null;
  replays: number;
};

export const KEYS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    query_id TEXT NOT NULL,
    replayed_at INTEGER,
    replays INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
`;

/** What an ask is known by. */
export interface AskKey {
  readonly hash: string;
  readonly fingerprint: string;
  /** Whether the client chose it, by sending an Idempotency-Key. */
  readonly chosen: boolean;
}

/**
 * Readers who share a user object share no ask: the same key of another identity is another key.
 * Throws INVALID_IDEMPOTENCY_KEY for a header that is not 1 to 255 visible ASCII characters.
 */
export async function askKey(
  ask: Ask,
  header: string | null,
  identity: string | null,
): Promise<AskKey> {
  if (header !== null && !/^[\x21-\x7e]{1,255}$/.test(header)) {
    throw new ServiceError(
      "INVALID_IDEMPOTENCY_KEY",
      "The Idempotency-Key must be 1 to 255 visible ASCII characters. A UUID is a good one.",
    );
  }
  const own = async (hashed: string) =>
    identity === null ? hashed : sha256(`${identity} ${hashed}`);
  // Field by field: the order is ours, whatever the caller's was.
  const { query, topK, maxTokens, temperature, history, onDisconnect } = ask;
  const turns = history.map(({ role, content }) => [role, content]);
  const fingerprint = await sha256(
    encodeJson([query, topK, maxTokens, temperature ?? null, turns, onDisconnect]),
  );
  return {
    hash:
      header === null ? `body:${await own(fingerprint)}` : `key:${await own(await sha256(header))}`,
    fingerprint,
    chosen: header !== null,
  };
}

export class Keys {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Throws IDEMPOTENCY_KEY_REUSED where the key stands for another body. */
  get({ hash, fingerprint }: AskKey): KeyRow | undefined {
    const [row] = this.#sql.exec<KeyRow>("SELECT * FROM keys WHERE key = ?", hash).toArray();
    if (row !== undefined && row.fingerprint !== fingerprint) {
      throw new ServiceError(
        "IDEMPOTENCY_KEY_REUSED",
        "This Idempotency-Key was sent with another body. Send a new key with a new question.",
      );
    }
    return row;
  }

  /** The key stands for this query from now on. */
  put({ hash, fingerprint }: AskKey, queryId: string): void {
    this.#sql.exec(
      `INSERT INTO keys (key, fingerprint, query_id) VALUES (?1, ?2, ?3)
       ON CONFLICT (key) DO UPDATE
       SET fingerprint = ?2, query_id = ?3, replayed_at = NULL, replays = 0`,
      hash,
      fingerprint,
      queryId,
    );
  }

  /**
   * Counts that an ask came again for its stored answer, and says what it gets. Within the window of
   * the last time it was served: three replays, and then no more, since some clients ask again by
   * themselves whenever a stream ends. Later: a replay for a chosen key, else it is too late for one.
   */
  serve(
    { hash, chosen }: AskKey,
    { replayed_at, replays }: KeyRow,
    resolvedAt: number,
    now: number,
    windowMs: number,
  ): "replay" | "enough" | "late" {
    const soon = now - Math.max(resolvedAt, replayed_at ?? 0) <= windowMs;
    if (!soon && !chosen) return "late";
    const enough = soon && windowMs > 0 && replays >= REPLAYS_IN_A_ROW_MAX;
    const count = soon ? Math.min(replays + 1, REPLAYS_IN_A_ROW_MAX) : 1;
    this.#sql.exec(
      "UPDATE keys SET replayed_at = ?2, replays = ?3 WHERE key = ?1",
      hash,
      now,
      count,
    );
    return enough ? "enough" : "replay";
  }

  /** Forgets a key, if it still stands for this query. */
  forget(key: string, queryId: string): void {
    this.#sql.exec("DELETE FROM keys WHERE key = ? AND query_id = ?", key, queryId);
  }
}
