// The turns of a conversation in the query log: each query names the one that
// it follows.

import type { Turn } from "../protocol.ts";
import type { Queries, QueryRow } from "./queries.ts";

/** Of all turns together, in UTF-16 units: no body has room for more. */
const LENGTH_MAX = 64 * 1024;

/**
 * The latest turns up to a query, its own and those of the queries before it,
 * oldest first. They end at a query whose texts are deleted. One without an
 * answer has no turns.
 */
export function turnsUpTo(last: QueryRow, queries: Pick<Queries, "get">, turnsMax: number): Turn[] {
  const turns: Turn[] = [];
  let row: QueryRow | undefined = last;
  let length = 0;
  for (let read = 0; row !== undefined && row.query !== null && read < turnsMax; read += 1) {
    const { query, answer, previous }: QueryRow = row;
    if (answer !== null) {
      length += query.length + answer.length;
      if (length > LENGTH_MAX) break;
      turns.unshift({ role: "user", content: query }, { role: "assistant", content: answer });
    }
    row = previous === null ? undefined : queries.get(previous);
  }
  return turns.slice(-turnsMax);
}
