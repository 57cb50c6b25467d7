// The turns that a follow-up sends along.

import type { Turn } from "../client/client.ts";
import type { Exchange } from "./exchange.ts";

/** The wire takes 20 turns and 64 KiB. */
const TURNS_MAX = 20;
const BYTES_MAX = 40_000;

/** The last turns, whole, as many as may be sent. */
export function conversationOf(thread: readonly Exchange[]): readonly Turn[] {
  const some: Turn[] = [];
  let bytes = 0;
  for (const { turns } of thread.toReversed()) {
    bytes += new TextEncoder().encode(JSON.stringify(turns)).length;
    if (bytes > BYTES_MAX || some.length + turns.length > TURNS_MAX) break;
    some.unshift(...turns);
  }
  return some;
}
