// The Worker that `npm run eval` asks, never deployed: the real
// Worker, and one more route, which searches and counts the
// rows that this reads.

import { handle } from "../src/edge/edge.ts";
import {
  CorpusObject as BaseCorpusObject,
  corpusStub,
  type Env,
  userRetriever,
} from "../src/wiring.ts";

export { BudgetObject, CopyObject, DirectoryObject, UserObject } from "../src/wiring.ts";

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

  /** Rows that the last search read, which Cloudflare bills. */
  rowsRead(): number {
    return this.#cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0);
  }
}

interface Search {
  readonly query: string;
  readonly topK: number;
  readonly collections: readonly string[];
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname !== "/search") return handle(request, env);
    const { query, topK, collections } = await request.json<Search>();
    const retriever = userRetriever(env, "eval", collections);
    const found = await retriever.retrieve(query, topK, request.signal);
    const keys = await corpusStub(env).collectionKeys(collections);
    // The binding is to the class above.
    const rows = keys.map(({ key }) =>
      (corpusStub(env, key) as unknown as DurableObjectStub<CorpusObject>).rowsRead(),
    );
    const rowsRead = (await Promise.all(rows)).reduce((sum, count) => sum + count, 0);
    return Response.json({ documentIds: found.map(({ documentId }) => documentId), rowsRead });
  },
} satisfies ExportedHandler<Env>;
