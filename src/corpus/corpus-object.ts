// CorpusObject: the documents over HTTP, for operators, and
// their search over RPC, for retrievers. edge/ has checked that
// the caller is an operator. The storage is in documents.ts.

import { DurableObject } from "cloudflare:workers";
import { type IRequest, Router } from "itty-router";
import { Alarm } from "../alarm.ts";
import type { Embedder } from "../answer/embedder.ts";
import type { Retriever } from "../answer/retriever.ts";
import type { NearVector, VectorIndex } from "../answer/vector-index.ts";
import { bodyTimeoutMs, userConfig, type Variables } from "../config.ts";
import { withTimeout } from "../deadline.ts";
import { sha256 } from "../digest.ts";
import { ServiceError, toServiceError } from "../errors.ts";
import { refusalForm } from "../formats/choice.ts";
import { errorResponse } from "../formats/format.ts";
import { json } from "../formats/json.ts";
import {
  API_PREFIX,
  DOCUMENTS_LISTED,
  type Examples,
  QUERY_LENGTH_MAX,
  TOP_K,
} from "../protocol.ts";
import {
  check,
  decodeParameter,
  isName,
  readJson,
  wholeParameter,
  wrongParameter,
} from "../request.ts";
import { snippets } from "../text/snippet.ts";
import { isVisible } from "../text/visible.ts";
import type { ChangePage, Reached } from "./change-log.ts";
import { Copies, type FollowingCopy } from "./copies.ts";
import type { Corpus } from "./corpus.ts";
import { CORPUS_SCHEMA } from "./corpus-schema.ts";
import { DocumentBody } from "./document-body.ts";
import { Documents, storedPassages } from "./documents.ts";
import { exampleQuestions } from "./examples.ts";
import type { FoundPassage, PlacedPassage } from "./passage-index.ts";
import { VectorSync } from "./vector-sync.ts";
import { WriteQueue } from "./write-queue.ts";

const TEXT_BYTES_MAX = 1024 * 1024; /* 1 MiB */
// JSON may need six bytes for a character.
const BODY_BYTES_MAX = 6 * TEXT_BYTES_MAX + 64 * 1024;

/**
 * Documents plus passages re-indexed per alarm (one document
 * may exceed it), so that searches are not starved.
 */
const INDEXING_BATCH = 200;

/**
 * Wait for more documents, to embed their passages together.
 */
const EMBEDDING_DELAY_MS = 1_000;

/** The wait before the work of an alarm is tried again. */
const RETRY_MS = 30_000;

/** Makes vectors, and stores them. */
export interface VectorAdapters {
  readonly embedder: Embedder;
  readonly index: VectorIndex;
}

/** Made in wiring.ts. All throw UNAVAILABLE if a variable is wrong. */
export interface CorpusParts {
  retriever(corpus: Corpus): Retriever;
  /** Undefined if the search is full-text only. */
  vectorAdapters(): VectorAdapters | undefined;
  copyCount(): number;
  /** @param original The id of this object. */
  copy(original: string, number: number): FollowingCopy;
}

export class CorpusObject extends DurableObject<Variables> implements Corpus {
  readonly #parts: CorpusParts;
  readonly #documents: Documents;
  readonly #vectorSync: VectorSync | undefined;
  readonly #copies: Copies | undefined;
  readonly #alarm: Alarm;
  readonly #writes = new WriteQueue();
  /** Undefined since the last change of a document. */
  #exampleQuestions: readonly string[] | undefined;

  readonly #router = Router<IRequest, []>({ base: API_PREFIX })
    .get("/ai/examples", () => json(this.#examples()))
    .get("/admin/documents", (request) => {
      const parameters = new URL(request.url).searchParams;
      const search = parameters.get("search");
      return search === null
        ? this.#list(parameters)
        : this.#preview(search, parameters, request.signal);
    })
    .get("/admin/documents/:id", ({ params }) => this.#get(documentId(params.id)))
    .put("/admin/documents/:id", (request) => this.#put(documentId(request.params.id), request))
    .delete("/admin/documents/:id", ({ params }) => this.#delete(documentId(params.id)));

  constructor(ctx: DurableObjectState, env: Variables, parts: CorpusParts) {
    super(ctx, env);
    this.#parts = parts;
    this.#alarm = new Alarm(ctx.storage);
    this.#documents = new Documents(ctx.storage);
    this.#vectorSync = this.#newVectorSync();
    this.#copies = this.#documents.isUsable ? this.#newCopies(ctx.id.toString()) : undefined;
    if (this.#documents.isUsable && this.#isWorkDue()) {
      ctx.blockConcurrencyWhile(async () => {
        await this.#alarm.recall();
        // An alarm that is set keeps its time.
        if (!this.#alarm.isSet) this.#alarm.set(Date.now());
      });
    }
  }

  search(query: string, topK: number): FoundPassage[] {
    return this.#documents.search(query, topK);
  }

  passagesOf(vectors: readonly NearVector[], query: string, topK: number): FoundPassage[] {
    // Vectors of another model cannot be compared with the query's.
    if (this.#vectorSync === undefined || this.#vectorSync.isUnstarted()) return [];
    return this.#documents.passagesOf(vectors, query, topK);
  }

  passagesAt(ids: readonly string[]): PlacedPassage[] {
    return this.#documents.passagesAt(ids);
  }

  changesAfter(reached: Reached | undefined, schemaVersion: number): ChangePage | undefined {
    if (schemaVersion !== CORPUS_SCHEMA.version) throw new Error("Another release is running.");
    return this.#documents.changesAfter(reached);
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      return await this.#router.fetch(request);
    } catch (thrown) {
      return errorResponse(toServiceError(thrown), refusalForm(new URL(request.url)));
    }
  }

  /**
   * Re-indexes documents if the analyzer has changed, then works on
   * vectors. Never throws: the runtime drops an alarm that keeps throwing.
   */
  override async alarm(): Promise<void> {
    this.#alarm.clear();
    try {
      await this.#settleCopies();
      let done = 0;
      while (this.#documents.isOutdated() && done < INDEXING_BATCH) {
        done += 1 + this.#documents.indexNext();
        // The passages were cut again, and may have other headings.
        this.#exampleQuestions = undefined;
      }
      // Re-indexing replaces the passages, and so discards their vectors.
      const waitMs = this.#documents.isOutdated() ? 0 : await this.#vectorSync?.work();
      if (!this.#documents.isOutdated()) this.#copies?.changed(this.#documents.version);
      if (waitMs !== undefined) this.#alarm.set(Date.now() + waitMs);
    } catch (thrown) {
      console.error("The work on the documents failed and is tried again:", thrown);
      this.#alarm.set(Date.now() + RETRY_MS);
    }
  }

  /** Undefined also if a variable is wrong. Asks report that. */
  #newVectorSync(): VectorSync | undefined {
    try {
      const adapters = this.#parts.vectorAdapters();
      return adapters && new VectorSync(this.#documents, adapters.embedder, adapters.index);
    } catch {
      return undefined;
    }
  }

  /** Undefined also if a variable is wrong. Asks report that. */
  #newCopies(id: string): Copies | undefined {
    try {
      const copy = (number: number) => this.#parts.copy(id, number);
      return new Copies(this.#parts.copyCount(), id, this.#documents.version, copy);
    } catch {
      return undefined;
    }
  }

  #isWorkDue(): boolean {
    return (
      this.#documents.isOutdated() || this.#vectorSync?.isDue() === true || this.#hasOtherCopies()
    );
  }

  /** Whether there are more or fewer copies than before. */
  #hasOtherCopies(): boolean {
    if (this.#copies === undefined || this.#documents.isEmpty()) return false;
    return this.#copies.count !== this.#documents.copies;
  }

  /** Starts new copies, and has former ones forget the documents. */
  async #settleCopies(): Promise<void> {
    if (this.#copies === undefined || !this.#hasOtherCopies()) return;
    // One that is not reached keeps its documents, which no search reads.
    await this.#copies.forget(this.#documents.copies);
    this.#documents.copies = this.#copies.count;
    await this.#copies.tell();
  }

  /**
   * Called after a change of documents. After
   * a failure, the retry is set already.
   */
  #wake(): void {
    this.#copies?.changed(this.#documents.version);
    if (this.#hasOtherCopies()) this.#alarm.set(Date.now());
    if (this.#vectorSync === undefined || this.#alarm.isSet || this.#vectorSync.isFailing()) return;
    if (this.#vectorSync.isDue()) this.#alarm.set(Date.now() + EMBEDDING_DELAY_MS);
  }

  #list(parameters: URLSearchParams): Response {
    const limit = wholeParameter(parameters, "limit", DOCUMENTS_LISTED);
    // One more than requested tells whether this is the last page.
    const entries = this.#documents.entriesAfter(parameters.get("after") ?? "", limit + 1);
    const documents = entries.slice(0, limit);
    const after = entries.length > limit ? documents.at(-1)?.id : null;
    // Counting reads a row for each waiting passage: first page only.
    const vectors = parameters.has("after") ? undefined : this.#vectorSync?.progress();
    return json({ documents, after, vectors });
  }

  /** The passages that an ask with this query would get. */
  async #preview(
    search: string,
    parameters: URLSearchParams,
    signal: AbortSignal,
  ): Promise<Response> {
    const query = search.trim();
    const length = [...query].length;
    if (!isVisible(query) || length > QUERY_LENGTH_MAX) {
      throw wrongParameter("search", `1 to ${QUERY_LENGTH_MAX} characters long, and visible`);
    }
    const limit = wholeParameter(parameters, "limit", TOP_K);
    const timeoutMs = userConfig(this.env).firstTokenTimeoutMs;
    const message = `The search gave no answer within ${timeoutMs} ms.`;
    const found = await withTimeout(
      timeoutMs,
      () => new ServiceError("RETRIEVAL_FAILED", message),
      (either) => this.#parts.retriever(this).retrieve(query, limit, either),
      signal,
    );
    const snippet = snippets(query);
    const passages = found.map(({ id, documentId, title, heading, url, score, text }) => ({
      ...{ id, documentId, title, heading, url, score },
      snippet: snippet(text),
    }));
    return json({ passages });
  }

  #get(id: string): Response {
    const entry = this.#documents.entry(id);
    if (entry === undefined) throw notFound();
    return json({ ...entry, text: this.#documents.text(id) });
  }

  /** Cached, since every page load requests it. */
  #examples(): Examples {
    this.#exampleQuestions ??= exampleQuestions(this.#documents.headings());
    return { empty: this.#documents.isEmpty(), questions: this.#exampleQuestions };
  }

  async #put(id: string, request: Request): Promise<Response> {
    const limits = { bytesMax: BODY_BYTES_MAX, timeoutMs: bodyTimeoutMs(this.env) };
    const { title, text, url, sample } = check(DocumentBody, await readJson(request, limits));
    const bytes = new TextEncoder().encode(text);
    if (bytes.byteLength > TEXT_BYTES_MAX) {
      const message = `The text is ${bytes.byteLength} bytes long, and at most ${TEXT_BYTES_MAX} are accepted. Split it into several documents.`;
      throw new ServiceError("PAYLOAD_TOO_LARGE", message);
    }
    const contentHash = await sha256(bytes);
    const document = { id, title: title.trim(), url, text, sample };
    // Cutting takes as long as writing: let searches run in between.
    await nextTurn();
    const cut = this.#documents.holds(document, contentHash) ? undefined : storedPassages(document);
    return this.#writes.add(text.length, () => {
      const isNew = this.#documents.entry(id) === undefined;
      this.#exampleQuestions = undefined;
      const now = Date.now();
      const entry = this.#documents.put(document, bytes.byteLength, contentHash, now, cut);
      this.#wake();
      return json(entry, isNew ? 201 : 200);
    });
  }

  #delete(id: string): Response {
    if (!this.#documents.delete(id)) throw notFound();
    this.#wake();
    this.#exampleQuestions = undefined;
    return json({ id, deleted: true });
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function documentId(parameter = ""): string {
  const id = decodeParameter(parameter);
  if (!isName(id)) {
    const message = "A document's id must be 1 to 128 characters long, without control characters.";
    throw new ServiceError("INVALID_REQUEST", message);
  }
  return id;
}

function notFound(): ServiceError {
  return new ServiceError("NOT_FOUND", "There is no document with this id.");
}
