// CorpusObject: the documents of one collection over HTTP, for
// operators, and their search over RPC, for retrievers. edge/ has
// checked that the caller is an operator, and found the object by the
// name of the collection. The storage is in documents.ts.

import { DurableObject } from "cloudflare:workers";
import { type IRequest, Router } from "itty-router";
import { Alarm } from "../alarm.ts";
import type { Embedder } from "../answer/embedder.ts";
import type { Retriever } from "../answer/retriever.ts";
import type { NearVector, VectorIndex } from "../answer/vector-index.ts";
import { noSuchCollection, tooManyCollections } from "../collections.ts";
import { bodyTimeoutMs, userConfig, type Variables } from "../config.ts";
import { sha256 } from "../digest.ts";
import { ServiceError, toServiceError } from "../errors.ts";
import { refusalForm } from "../formats/choice.ts";
import { errorResponse } from "../formats/format.ts";
import { json } from "../formats/json.ts";
import { API_PREFIX, DOCUMENTS_LISTED, type Examples } from "../protocol.ts";
import { check, decodeParameter, isName, readJson, wholeParameter } from "../request.ts";
import type { ChangePage, Reached } from "./change-log.ts";
import {
  CollectionAdmin,
  type CollectionCounts,
  type ListedCollection,
} from "./collection-admin.ts";
import type { NamedKey, ReservedKey } from "./collections.ts";
import { Copies, type FollowingCopy } from "./copies.ts";
import type { Corpus } from "./corpus.ts";
import { CORPUS_SCHEMA } from "./corpus-schema.ts";
import { DocumentBody, FILES_HINT, MoveBody } from "./document-body.ts";
import { DocumentMoves, type ReceivingCollection } from "./document-moves.ts";
import { type Document, type DocumentEntry, Documents } from "./documents.ts";
import { exampleQuestions } from "./examples.ts";
import type { FoundPassage, PlacedPassage, PromptPassage } from "./passage-index.ts";
import { preview } from "./preview.ts";
import type { QueryTerms } from "./query-terms.ts";
import { storedPassages } from "./stored-passages.ts";
import { VectorSync } from "./vector-sync.ts";
import { nextTurn, WriteQueue } from "./write-queue.ts";

const TEXT_BYTES_MAX = 1024 * 1024; /* 1 MiB */
// JSON may need six bytes for a character.
const BODY_BYTES_MAX = 6 * TEXT_BYTES_MAX + 64 * 1024;

/** Documents on a page of an export, where their texts are short. */
const EXPORTED_AT_ONCE = 100;
/** Ids, or collections, of one call. */
const LISTED_AT_ONCE = 500;

/**
 * Documents plus passages re-indexed per alarm (one document
 * may exceed it), so that searches are not starved.
 */
const INDEXING_BATCH = 200;

/**
 * Wait for more documents, to embed their passages together.
 */
const EMBEDDING_DELAY_MS = 1_000;

/** Those of `default`, and those of the collection that the path names. */
const DOCUMENTS = "/admin/(collections/:collection/)?documents";

/** The wait before the work of an alarm is tried again. */
const RETRY_MS = 30_000;

/** A document as it was sent, with its id. */
export interface ExportedDocument {
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
  readonly sample?: true;
  readonly text: string;
}

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
  /** @param key Of the list of collections. */
  collection(key: string): OtherCollection;
  /** Undefined if there are too many. */
  reserveCollection(name: string): Promise<ReservedKey | undefined>;
  /** False if it is gone. */
  openCollection(key: string): Promise<boolean>;
}

/** The object of a collection, as another one sees it. */
interface OtherCollection extends ListedCollection, ReceivingCollection {
  readonly id: { toString(): string };
}

export class CorpusObject extends DurableObject<Variables> implements Corpus {
  readonly #parts: CorpusParts;
  readonly #documents: Documents;
  readonly #vectorSync: VectorSync | undefined;
  readonly #copies: Copies | undefined;
  readonly #admin: CollectionAdmin;
  readonly #moves: DocumentMoves;
  readonly #alarm: Alarm;
  readonly #writes = new WriteQueue();
  /** Undefined since the last change of a document. */
  #exampleQuestions: readonly string[] | undefined;

  readonly #router = Router<IRequest, []>({ base: API_PREFIX })
    .get("/ai/examples", () => json(this.examples()))
    .get("/admin/collections", ({ url }) => this.#admin.list(new URL(url).searchParams))
    .patch("/admin/collections/:collection", async (request) =>
      this.#admin.rename(request.params.collection, await this.#body(request)),
    )
    .delete("/admin/collections/:collection", ({ params }) =>
      this.#deleteCollection(params.collection),
    )
    .get(DOCUMENTS, (request) => {
      const parameters = new URL(request.url).searchParams;
      if (!parameters.has("search")) return this.#list(parameters);
      const { firstTokenTimeoutMs } = userConfig(this.env);
      const retriever = () => this.#parts.retriever(this);
      return preview(parameters, retriever, firstTokenTimeoutMs, request.signal);
    })
    .get(`${DOCUMENTS}/:id`, ({ params }) => this.#get(documentId(params.id)))
    .put(`${DOCUMENTS}/:id`, (request) => this.#put(documentId(request.params.id), request))
    .delete(`${DOCUMENTS}/:id`, ({ params }) => this.#delete(documentId(params.id)))
    .post(`${DOCUMENTS}/:id/move`, (request) => this.#move(documentId(request.params.id), request));

  constructor(ctx: DurableObjectState, env: Variables, parts: CorpusParts) {
    super(ctx, env);
    this.#parts = parts;
    this.#alarm = new Alarm(ctx.storage);
    this.#documents = new Documents(ctx.storage);
    this.#admin = new CollectionAdmin(this.#documents.collections, parts.collection, () => {
      this.#documents.deleteSamples();
      this.#changed();
    });
    this.#moves = new DocumentMoves(ctx.storage, this.#documents, parts);
    this.#vectorSync = this.#newVectorSync();
    this.#copies = this.#documents.isUsable ? this.#newCopies(ctx.id.toString()) : undefined;
    if (this.#documents.isUsable && this.#isWorkDue()) {
      ctx.blockConcurrencyWhile(async () => {
        await this.#alarm.recall();
        // Otherwise an alarm that is set keeps its time.
        if (!this.#alarm.isSet || this.#isAnyLeft()) this.#alarm.set(Date.now());
      });
    }
  }

  search(query: string, topK: number): FoundPassage[] {
    return this.#documents.search(query, topK);
  }

  searchForPrompt(query: string, topK: number): PromptPassage[] {
    return this.#documents.searchForPrompt(query, topK);
  }

  passagesOf(vectors: readonly NearVector[], query: string, topK: number): FoundPassage[] {
    // Vectors of another model cannot be compared with the query's.
    if (this.#vectorSync === undefined || this.#vectorSync.isUnstarted()) return [];
    return this.#documents.passagesOf(vectors, query, topK);
  }

  termsOf(query: string): QueryTerms {
    return this.#documents.termsOf(query);
  }

  passagesAt(ids: readonly string[]): PlacedPassage[] {
    return this.#documents.passagesAt(ids);
  }

  changesAfter(reached: Reached | undefined, schemaVersion: number): ChangePage | undefined {
    if (schemaVersion !== CORPUS_SCHEMA.version) throw new Error("Another release is running.");
    return this.#documents.changesAfter(reached);
  }

  /** Documents with their texts, in the order of their ids, as a page holds. */
  exportAfter(id: string): { documents: ExportedDocument[]; after: string | null } {
    const documents: ExportedDocument[] = [];
    let bytes = 0;
    for (const entry of this.#documents.entriesAfter(id, EXPORTED_AT_ONCE)) {
      bytes += entry.bytes;
      if (documents.length > 0 && bytes > TEXT_BYTES_MAX) break;
      const { id, title, url, sample } = entry;
      const text = this.#documents.text(id);
      documents.push({ id, title, url, ...(sample && { sample }), text });
    }
    return { documents, after: documents.at(-1)?.id ?? null };
  }

  /** The ids of documents, in their order; none after the last. */
  idsAfter(id: string): string[] {
    return this.#documents.entriesAfter(id, LISTED_AT_ONCE).map((entry) => entry.id);
  }

  // --- The list of collections, in the object of `default` ---

  /** By name; none after the last. */
  collectionsAfter(name: string): NamedKey[] {
    return this.#documents.collections.after(name, LISTED_AT_ONCE);
  }

  /** Those of these collections that exist. */
  collectionKeys(names: readonly string[]): NamedKey[] {
    return this.#documents.collections.named(names);
  }

  /** For a document. Undefined if there are too many. */
  reserveCollection(name: string): ReservedKey | undefined {
    const reserved = this.#admin.reserve(name);
    // Opens it after a crash, and forgets it after a refusal.
    if (reserved?.isOpen === false) this.#alarm.set(Date.now() + RETRY_MS);
    return reserved;
  }

  /** Its first document was stored. False if it is gone, with its documents. */
  openCollection(key: string): Promise<boolean> {
    return this.#admin.open(key);
  }

  // --- This collection, for the list and for others ---

  counts(): CollectionCounts {
    return this.#documents.counts();
  }

  close(): void {
    this.#documents.close();
    this.#changed();
  }

  /** A document that is moved here. */
  async take(document: Document): Promise<boolean> {
    if (this.#documents.isClosed) return false;
    await this.#store(document);
    return true;
  }

  /** Cached, since every page load requests it. */
  examples(): Examples {
    this.#exampleQuestions ??= exampleQuestions(this.#documents.headings());
    return { empty: this.#documents.isEmpty(), questions: this.#exampleQuestions };
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
      await this.#moves.finishAll();
      await this.#admin.settle();
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
      if (this.#isAnyLeft()) this.#alarm.set(Date.now() + RETRY_MS);
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
      this.#documents.isOutdated() ||
      this.#vectorSync?.isDue() === true ||
      this.#hasOtherCopies() ||
      this.#isAnyLeft()
    );
  }

  /** Whether a move, or a change of the list of collections, is not finished. */
  #isAnyLeft(): boolean {
    return this.#moves.anyLeft() || this.#admin.isAnyLeft();
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

  #get(id: string): Response {
    const entry = this.#documents.entry(id);
    if (entry === undefined) throw notFound();
    return json({ ...entry, text: this.#documents.text(id) });
  }

  async #put(id: string, request: Request): Promise<Response> {
    const { title, text, url, sample } = check(DocumentBody, await this.#body(request, FILES_HINT));
    const { entry, isNew } = await this.#store({ id, title: title.trim(), url, text, sample });
    return json(entry, isNew ? 201 : 200);
  }

  async #store(document: Document): Promise<{ readonly entry: DocumentEntry; isNew: boolean }> {
    const { id, text } = document;
    const bytes = new TextEncoder().encode(text);
    if (bytes.byteLength > TEXT_BYTES_MAX) {
      const message = `The text is ${bytes.byteLength} bytes long, and at most ${TEXT_BYTES_MAX} are accepted. Split it into several documents.`;
      throw new ServiceError("PAYLOAD_TOO_LARGE", message);
    }
    const contentHash = await sha256(bytes);
    // Cutting takes as long as writing: let searches run in between.
    await nextTurn();
    const cut = this.#documents.holds(document, contentHash) ? undefined : storedPassages(document);
    return this.#writes.add(text.length, () => {
      const isNew = this.#documents.entry(id) === undefined;
      const now = Date.now();
      const entry = this.#documents.put(document, bytes.byteLength, contentHash, now, cut);
      this.#changed();
      return { entry, isNew };
    });
  }

  #delete(id: string): Response {
    if (!this.#documents.delete(id)) throw notFound();
    this.#changed();
    return json({ id, deleted: true });
  }

  async #move(id: string, request: Request): Promise<Response> {
    const { to } = check(MoveBody, await this.#body(request));
    if (this.#documents.entry(id) === undefined) throw notFound();
    const reserved = await this.#parts.reserveCollection(to);
    if (reserved === undefined) throw tooManyCollections();
    const isHere = this.#parts.collection(reserved.key).id.toString() === this.ctx.id.toString();
    // It may have been deleted meanwhile.
    if (this.#documents.entry(id) === undefined) throw notFound();
    if (isHere) return json({ id, collection: to });
    this.#moves.begin(id, reserved.key);
    // Goes on after a crash.
    this.#alarm.set(Date.now() + RETRY_MS);
    const isMoved = await this.#moves.finish(id).catch(movedLater);
    this.#changed();
    if (!isMoved) throw noSuchCollection();
    return json({ id, collection: to });
  }

  #deleteCollection(parameter: string | undefined): Promise<Response> {
    // Goes on after a crash.
    this.#alarm.set(Date.now() + RETRY_MS);
    return this.#admin.delete(parameter);
  }

  #changed(): void {
    this.#exampleQuestions = undefined;
    this.#wake();
  }

  #body(request: Request, hint = ""): Promise<unknown> {
    const timeoutMs = bodyTimeoutMs(this.env);
    return readJson(request, { bytesMax: BODY_BYTES_MAX, timeoutMs, hint });
  }
}

function documentId(parameter = ""): string {
  const id = decodeParameter(parameter);
  if (!isName(id)) {
    const message = "A document's id must be 1 to 128 characters long, without control characters.";
    throw new ServiceError("INVALID_REQUEST", message);
  }
  return id;
}

/** The other object was redeployed, reset or overloaded. */
function movedLater(cause: unknown): never {
  if (cause instanceof ServiceError) throw cause;
  const message = "The document could not be moved just now, and is moved within half a minute.";
  throw new ServiceError("UNAVAILABLE", message, { headers: { "retry-after": "30" }, cause });
}

function notFound(): ServiceError {
  return new ServiceError("NOT_FOUND", "There is no document with this id.");
}
