// The Worker that `npm run eval` asks, never deployed: the real
// Worker, and one more route, which searches and counts the
// rows that this reads.

import { handle } from "../src/edge/edge.ts";
import { CorpusObject as BaseCorpusObject, corpusStub, type Env } from "../src/wiring.ts";

export { CopyObject, UserObject } from "../src/wiring.ts";

export class CorpusObject extends BaseCorpusObject {
  readonly #cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    const exec = sql.exec.bind(sql);
    sql.exec = (query: string, ...bindings: unknown[]) => {
      const cursor = exec<never>(query, ...bindings);
      this.#cursors.push(cursor);
      return cursor;
    };
  }

  /** Empties the list, which would hold the cursors of every ask. */
  override search(...question: Parameters<BaseCorpusObject["search"]>) {
    this.#cursors.length = 0;
    return super.search(...question);
  }

  /** A search, and the number of rows that it read, which Cloudflare bills. */
  measuredSearch(query: string, topK: number) {
    const documentIds = this.search(query, topK).map((passage) => passage.documentId);
    const rowsRead = this.#cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0);
    return { documentIds, rowsRead };
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname !== "/search") return handle(request, env);
    // The binding is to the class above.
    const corpus = corpusStub(env) as unknown as DurableObjectStub<CorpusObject>;
    const { query, topK } = await request.json<{ query: string; topK: number }>();
    return Response.json(await corpus.measuredSearch(query, topK));
  },
} satisfies ExportedHandler<Env>;
