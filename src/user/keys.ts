// Which asks are the same: by the client's Idempotency-Key or else by the
// body itself. Only hashes are stored. They are looked up before any limit,
// so that a harmless retry is never refused. What a repeated ask gets is
// decided in asks.ts.

import { isDefaultAlone } from "../collections.ts";
import { sha256 } from "../digest.ts";
import { ServiceError } from "../errors.ts";
import { type Ask, encodeJson } from "../protocol.ts";

/** How long a key is kept after the ask, in milliseconds. */
export const KEY_AGE_MAX_MS = 24 * 60 * 60 * 1000; /* 24 h */

/** Replays in a row before a client that retries by itself is told to stop. */
const REPLAYS_IN_A_ROW_MAX = 3;

export type KeyRow = {
  key: string;
  /** The hash of the checked body. A key with another body is refused. */
  fingerprint: string;
  /** The latest query that was asked under the key. */
  query_id: string;
  /**
   * The last replay, in milliseconds since the epoch, and how many came in a
   * row.
   */
  replayed_at: number | null;
  replays: number;
};

export const KEYS_SCHEMA = `
  CREATE TABLE keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    query_id TEXT NOT NULL,
    replayed_at INTEGER,
    replays INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
`;

/** By what an ask is known. */
export interface AskKey {
  readonly hash: string;
  readonly fingerprint: string;
  /** Whether the client chose it, by sending an Idempotency-Key. */
  readonly chosen: boolean;
}

/**
 * The same key of another identity is another key: readers of one object
 * share no ask. Throws INVALID_IDEMPOTENCY_KEY for a header that is not 1 to
 * 255 visible ASCII characters.
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
  const { instructions, collections } = ask;
  const turns = history.map(({ role, content }) => [role, content]);
  const fields: unknown[] = [query, topK, maxTokens, temperature ?? null, turns, onDisconnect];
  // Without these it is the fingerprint of earlier releases.
  if (instructions !== undefined) fields.push(instructions);
  if (!isDefaultAlone(collections)) fields.push({ collections });
  const fingerprint = await sha256(encodeJson(fields));
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

  /** Throws IDEMPOTENCY_KEY_REUSED if the key belongs to another body. */
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

  /** Makes the key this query's. */
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
   * Counts a repeated ask for a stored answer, and says what it gets. Within
   * the window since it was last served: three replays, then no more, since
   * some clients retry whenever a stream ends. After the window: a replay for
   * a client's key; the body alone is too late.
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

  /** Deletes a key, if it is still this query's. */
  delete(key: string, queryId: string): void {
    this.#sql.exec("DELETE FROM keys WHERE key = ? AND query_id = ?", key, queryId);
  }
}
