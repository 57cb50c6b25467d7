// What the element keeps in this tab. A reader who opens another page of the
// site finds the conversation there.

import { idsIn, membersIn, store, stored } from "../tab.ts";

/** What a token consists of; empty if a cookie holds the session. */
const TOKEN = /^[\w.-]*$/;

export interface Kept {
  readonly token?: string | undefined;
  /** In ms since the epoch. */
  readonly renewAt?: number | undefined;
  /** Of the conversation, oldest first. */
  readonly queryIds?: readonly string[];
  /** Whether the reader has opened the bubble. */
  readonly open?: boolean;
}

export class Store {
  readonly key: string;
  #kept: Kept;

  constructor(key: string) {
    this.key = key;
    const { token, renewAt, queryIds, open } = membersIn(stored(key));
    this.#kept = {
      token: typeof token === "string" && TOKEN.test(token) ? token : undefined,
      renewAt: typeof renewAt === "number" ? renewAt : undefined,
      queryIds: idsIn(queryIds),
      open: open === true,
    };
  }

  get kept(): Kept {
    return this.#kept;
  }

  keep(more: Kept): void {
    this.#kept = { ...this.#kept, ...more };
    store(this.key, JSON.stringify(this.#kept));
  }
}
