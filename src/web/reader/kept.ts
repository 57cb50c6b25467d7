// What a tab keeps over a reload: its questions, the one that has no id yet, and what
// is typed.

import type { Turn } from "../../client/client.ts";
import { clearTab, idsIn, isId, membersIn, store, stored } from "../tab.ts";

const KEY = "belay tab";

let isForgotten = false;

/** Asked, and not yet known by an id: asking again with the key goes on with it. */
export interface Asking {
  readonly question: string;
  readonly key: string;
  readonly turns: readonly Turn[];
}

export interface Kept {
  readonly queryIds: readonly string[];
  readonly asking?: Asking | undefined;
  readonly draft: string;
}

export function keep(kept: Kept): void {
  if (!isForgotten) store(KEY, JSON.stringify(kept));
}

export function kept(): Kept {
  const { queryIds, asking, draft } = membersIn(stored(KEY));
  return {
    queryIds: idsIn(queryIds),
    asking: isAsking(asking) ? asking : undefined,
    draft: typeof draft === "string" ? draft : "",
  };
}

/** For good: the page is about to be left. */
export function forget(): void {
  isForgotten = true;
  clearTab();
}

export function newAsking(question: string, turns: Asking["turns"]): Asking {
  // Pages without HTTPS have no randomUUID.
  return { question, key: crypto.getRandomValues(new Uint32Array(4)).join("-"), turns };
}

function isAsking(value: unknown): value is Asking {
  const { question, key, turns } = Object(value);
  if (typeof question !== "string" || question === "" || !isId(key)) return false;
  return Array.isArray(turns) && turns.every(isTurn);
}

function isTurn(value: unknown): value is Turn {
  const { role, content } = Object(value);
  return (role === "user" || role === "assistant") && typeof content === "string";
}
