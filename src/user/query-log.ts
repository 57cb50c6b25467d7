// The query log over HTTP: receipts and feedback. queries.ts says what is
// stored.

import type { IRequest } from "itty-router";
import { json } from "../formats/json.ts";
import { RECEIPTS_LISTED } from "../protocol.ts";
import { wholeParameter, wrongParameter } from "../request.ts";
import { parseFeedback } from "./ask.ts";
import { type QueryRow, receipt } from "./queries.ts";
import { noQuery, notKept } from "./refusals.ts";
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
    const page = this.#tables.queries.page(limit, before, identityOf(request));
    if (page === undefined) throw wrongParameter("before", "a query id");
    const { rows, more } = page;
    return json({ queries: rows.map(receipt), before: more ? rows.at(-1)?.id : null });
  }

  /** @param body Not checked yet. */
  rate(body: unknown, identity: string | null): Response {
    const { queryId, rating, comment } = parseFeedback(body);
    const row = this.find(queryId, identity);
    if (row.query === null) throw notKept();
    // Without a new comment the old one stays; it is deleted with the rating.
    const kept = rating === null ? null : comment === undefined ? row.comment : comment;
    this.#tables.queries.rate(row.id, rating, kept);
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
