// The last answer of each chat: the AI SDK looks for it by
// the chat's id alone. In memory, as runs are.

import { isReplayable, type QueryRow } from "./queries.ts";
import type { Run } from "./run.ts";
import type { Tables } from "./tables.ts";

/** Of one object: the oldest are forgotten first. */
const CHATS_MAX = 256;

/** What must be known of a user to say which answer is awaited. */
interface Known {
  readonly tables: Tables;
  readonly runs: ReadonlyMap<string, Run>;
  readonly resumeWaitMs: number;
}

export class Chats {
  readonly #queries = new Map<string, string>();

  /** @param identity Another reader's chat is another chat. */
  add(chat: string, identity: string | null, queryId: string): void {
    const key = keyOf(chat, identity);
    this.#queries.delete(key);
    this.#queries.set(key, queryId);
    const [oldest = ""] = this.#queries.keys();
    if (this.#queries.size > CHATS_MAX) this.#queries.delete(oldest);
  }

  /**
   * The answer that is being written. Or one that was to
   * wait for its reader, and became whole just now: where
   * the network broke, its end may not have arrived.
   */
  awaited(
    chat: string,
    identity: string | null,
    { tables, runs, resumeWaitMs }: Known,
  ): QueryRow | undefined {
    const row = tables.query(this.#queries.get(keyOf(chat, identity)) ?? "");
    if (row === undefined || runs.has(row.id)) return row;
    const waited = row.on_disconnect !== "cancel" && isReplayable(row);
    return waited && Date.now() < (row.resolved_at ?? 0) + resumeWaitMs ? row : undefined;
  }

  clear(): void {
    this.#queries.clear();
  }
}

function keyOf(chat: string, identity: string | null): string {
  return JSON.stringify([identity, chat]);
}
