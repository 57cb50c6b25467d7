// The query log over HTTP: receipts, searches, feedback and deletions.
// queries.ts says what is stored.

import type { IRequest } from "itty-router";
import { json } from "../formats/json.ts";
import { RECEIPTS_LISTED, SEARCH_LENGTH_MAX } from "../protocol.ts";
import { wholeParameter, wrongParameter } from "../request.ts";
import { containsAll, searchWords } from "../text/containing.ts";
import { parseFeedback } from "./ask.ts";
import type { QueryRow } from "./queries.ts";
import { receipt } from "./receipt.ts";
import { noQuery, notFinished, notKept } from "./refusals.ts";
import type { Tables } from "./tables.ts";
import { identityOf, idOf } from "./user-request.ts";

export class QueryLog {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  list(request: Request): Response {
    const parameters = new URL(request.url).searchParams;
    const limit = wholeParameter(parameters, "limit", RECEIPTS_LISTED);
    const before = parameters.get("before") ?? undefined;
    const words = wordsOf(parameters);
    const range = { limit, before, identity: identityOf(request) };
    const { pages } = this.#tables;
    const page =
      words === undefined
        ? pages.list(range)
        : pages.search((text) => containsAll(text, words), range);
    if (page === undefined) throw wrongParameter("before", "a query id");
    return json({ queries: page.rows.map(receipt), before: page.before });
  }

  /**
   * Deletes the texts of a query. Its row stays: the counters count it. The
   * second time changes nothing.
   */
  delete(request: IRequest): Response {
    const { id, number, state, query } = this.findOwn(request);
    if (state === "reserved") throw notFinished();
    if (query !== null) {
      this.#tables.transaction(() => {
        this.#tables.outbox.store(number);
        this.#tables.queries.pruneContent(number);
        this.#tables.outbox.changed(id);
      });
    }
    return new Response(null, { status: 204 });
  }

  /** @param body Not checked yet. */
  rate(body: unknown, identity: string | null): Response {
    const { queryId, rating, comment } = parseFeedback(body);
    const row = this.find(queryId, identity);
    if (row.query === null) throw notKept();
    // Without a new comment the old one stays; it is deleted with the rating.
    const kept = rating === null ? null : comment === undefined ? row.comment : comment;
    this.#tables.transaction(() => {
      this.#tables.queries.rate(row.id, rating, kept);
      this.#tables.outbox.changed(row.id);
    });
    return json({ queryId, rating, comment: kept });
  }

  /** The query that the path names. */
  findOwn(request: IRequest): QueryRow {
    return this.find(idOf(request.params), identityOf(request));
  }

  /**
   * Throws NOT_FOUND, also for another identity's query. Operators see every
   * query.
   */
  find(id: string, identity?: string | null): QueryRow {
    const row = this.#tables.query(id);
    const hidden = identity !== undefined && row?.identity !== identity;
    if (row === undefined || hidden) throw noQuery();
    return row;
  }
}

/** The words of `search`; undefined without it. */
function wordsOf(parameters: URLSearchParams): string[] | undefined {
  const search = parameters.get("search")?.trim();
  if (search === undefined) return undefined;
  const words = [...search].length > SEARCH_LENGTH_MAX ? [] : searchWords(search);
  if (words.length > 0) return words;
  throw wrongParameter("search", `1 to ${SEARCH_LENGTH_MAX} characters long, and visible`);
}
