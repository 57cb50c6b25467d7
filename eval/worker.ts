// The Worker that `npm run eval` asks, never deployed: the real corpus object,
// pipeline and adapters, without users. It counts the rows that a search reads.

import { answer } from "../src/answer/pipeline.ts";
import { API_PREFIX } from "../src/protocol.ts";
import { corpusStub, type Env, generator, retriever } from "../src/wiring.ts";
import { CorpusObject as RealCorpusObject } from "../src/worker.ts";

export { UserObject } from "../src/worker.ts";

export class CorpusObject extends RealCorpusObject {
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

  /** A search, and the number of rows that it read, which Cloudflare bills. */
  measuredSearch(query: string, topK: number) {
    this.#cursors.length = 0;
    const documentIds = this.search(query, topK).map((passage) => passage.documentId);
    const rowsRead = this.#cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0);
    return { documentIds, rowsRead };
  }
}

interface Question {
  readonly query: string;
  readonly topK: number;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    // The binding is to the class above.
    const corpus = corpusStub(env) as unknown as DurableObjectStub<CorpusObject>;
    if (pathname.startsWith(`${API_PREFIX}/admin/documents`)) return corpus.fetch(request);
    const { query, topK } = await request.json<Question>();
    switch (pathname) {
      case "/search":
        return Response.json(await corpus.measuredSearch(query, topK));
      case "/answer":
        return Response.json(await ask({ query, topK }, env));
      default:
        return new Response(null, { status: 404 });
    }
  },
} satisfies ExportedHandler<Env>;

async function ask({ query, topK }: Question, env: Env) {
  const documentIds: string[] = [];
  let text = "";
  const events = answer(
    {
      query,
      topK,
      maxTokens: 1_024,
      temperature: undefined,
      history: [],
      onDisconnect: "cancel",
    },
    retriever(env),
    generator(env),
    new AbortController().signal,
  );
  for await (const event of events) {
    if (event.type === "token") text += event.token;
    else documentIds.push(...event.sources.map((source) => source.documentId));
  }
  return { text, documentIds };
}
