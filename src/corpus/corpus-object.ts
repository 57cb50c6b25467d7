// CorpusObject: the documents over HTTP, for operators, and their search over RPC, for a retriever.
// That the caller is an operator was decided in edge/. What is kept, and how, is in documents.ts.

import { DurableObject } from "cloudflare:workers";
import { type IRequest, Router } from "itty-router";
import * as v from "valibot";
import { Alarm } from "../alarm.ts";
import type { Retriever } from "../answer/retriever.ts";
import { bodyTimeoutMs, userConfig, type Variables } from "../config.ts";
import { within } from "../deadline.ts";
import { sha256 } from "../digest.ts";
import { ServiceError, toServiceError } from "../errors.ts";
import { errorFormat } from "../formats/choice.ts";
import { errorResponse } from "../formats/format.ts";
import { json } from "../formats/json.ts";
import { API_PREFIX, type Examples } from "../protocol.ts";
import {
  check,
  decodeParameter,
  isName,
  readJson,
  textOf,
  wholeParameter,
  wrongParameter,
} from "../request.ts";
import { snippet } from "../text/snippet.ts";
import { isVisible } from "../text/visible.ts";
import type { Corpus } from "./corpus.ts";
import { Documents, storedPassages } from "./documents.ts";
import type { Embedder, VectorIndex } from "./embedder.ts";
import { Embedding } from "./embedding.ts";
import { exampleQuestions } from "./examples.ts";
import type { FoundPassage } from "./passage-index.ts";

const TEXT_BYTES_MAX = 1024 * 1024; /* 1 MiB */
// JSON may spend six bytes on a character, and the other fields need some.
const BODY_BYTES_MAX = 6 * TEXT_BYTES_MAX + 64 * 1024;

/** How many documents a page lists. */
const LIST_LIMIT = { byDefault: 50, min: 1, max: 200 };

/** As an ask has them: the most characters of its query, and how many passages it wants. */
const SEARCH_LENGTH_MAX = 4_000;
const SEARCH_LIMIT = { byDefault: 5, min: 1, max: 20 };

/** Of documents that arrive together, so much text is written before searches get their turn. */
const BATCH_LENGTH = 64 * 1024;

/** So many documents and passages are indexed anew, and one document more, before searches get their turn. */
const INDEXING_BATCH = 200;

/** So long after a document came its passages are embedded, with those of others that came by then. */
const EMBEDDING_DELAY_MS = 1_000;

/** When the work of an alarm failed, it is tried again after this time. */
const RETRY_MS = 30_000;

const INPUT = v.strictObject({
  title: v.pipe(textOf(1, 300), v.check(isVisible, "must not be blank")),
  text: v.pipe(
    v.string(),
    v.check((text) => text.isWellFormed(), "must be well-formed Unicode, without lone surrogates"),
  ),
  url: v.optional(
    v.nullable(
      v.pipe(textOf(1, 2_000), v.check(isLink, "must be an http or https URL, or a path from /")),
    ),
    null,
  ),
});

/** A document that waits to be written. */
interface Arrival {
  readonly length: number;
  readonly write: () => void;
}

/** What the object is given: see wiring.ts. Both throw UNAVAILABLE if a variable is wrong. */
export interface CorpusParts {
  retriever(corpus: Corpus): Retriever;
  /** Undefined where the search is full-text alone. */
  vectorAdapters(): { readonly embedder: Embedder; readonly index: VectorIndex } | undefined;
}

export class CorpusObject extends DurableObject<Variables> implements Corpus {
  readonly #parts: CorpusParts;
  readonly #documents: Documents;
  readonly #embedding: Embedding | undefined;
  readonly #alarm: Alarm;
  readonly #arrivals: Arrival[] = [];
  /** What was last made of the documents as they are; undefined once they have changed. */
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
    this.#embedding = this.#newEmbedding();
    if (this.#documents.isOutdated() || this.#embedding?.isDue()) {
      ctx.blockConcurrencyWhile(async () => {
        await this.#alarm.recall();
        // One that is set already waits for its time.
        if (!this.#alarm.isSet) this.#alarm.set(Date.now());
      });
    }
  }

  /** The at most `topK` passages that fit the query best, best first. */
  search(query: string, topK: number): FoundPassage[] {
    return this.#documents.search(query, topK);
  }

  /** The first `topK` passages whose vectors have these ids, in their order, without those that are gone. */
  passagesOf(vectorIds: readonly string[], query: string, topK: number): FoundPassage[] {
    // Of another model, nearness to the query means nothing.
    if (this.#embedding === undefined || this.#embedding.isNew()) return [];
    return this.#documents.passagesOf(vectorIds, query, topK);
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      return await this.#router.fetch(request);
    } catch (thrown) {
      return errorResponse(toServiceError(thrown), errorFormat(new URL(request.url)));
    }
  }

  /**
   * Renews the index after the analyzer has changed, then gives the passages their vectors. It never
   * throws: an alarm that keeps throwing is dropped.
   */
  override async alarm(): Promise<void> {
    this.#alarm.clear();
    try {
      let done = 0;
      while (this.#documents.isOutdated() && done < INDEXING_BATCH) {
        done += 1 + this.#documents.indexNext();
        // Passages are cut anew, and their headings with them.
        this.#exampleQuestions = undefined;
      }
      // A vector made before that would be thrown away with its passage.
      const waitMs = this.#documents.isOutdated() ? 0 : await this.#embedding?.work();
      if (waitMs !== undefined) this.#alarm.set(Date.now() + waitMs);
    } catch (thrown) {
      console.error("The work on the documents failed and is tried again:", thrown);
      this.#alarm.set(Date.now() + RETRY_MS);
    }
  }

  /** Undefined where only words are searched, and where a variable is wrong, which asks are told. */
  #newEmbedding(): Embedding | undefined {
    try {
      const adapters = this.#parts.vectorAdapters();
      return adapters && new Embedding(this.#documents, adapters.embedder, adapters.index);
    } catch {
      return undefined;
    }
  }

  /** After documents have changed. While the model or the index fails, their next try is awaited. */
  #wake(): void {
    if (this.#embedding === undefined || this.#alarm.isSet || this.#embedding.isFailing()) return;
    if (this.#embedding.isDue()) this.#alarm.set(Date.now() + EMBEDDING_DELAY_MS);
  }

  #list(parameters: URLSearchParams): Response {
    const limit = wholeParameter(parameters, "limit", LIST_LIMIT);
    // One more than asked for tells whether this is the last page.
    const entries = this.#documents.entriesAfter(parameters.get("after") ?? "", limit + 1);
    const documents = entries.slice(0, limit);
    const after = entries.length > limit ? documents.at(-1)?.id : null;
    // To count what waits for a vector is to read it, so only the first page says how many.
    const vectors = parameters.has("after") ? undefined : this.#embedding?.progress();
    return json({ documents, after, vectors });
  }

  /** What an ask of these words would be given, for an operator who wonders about an answer. */
  async #preview(
    search: string,
    parameters: URLSearchParams,
    signal: AbortSignal,
  ): Promise<Response> {
    const query = search.trim();
    const length = [...query].length;
    if (!isVisible(query) || length > SEARCH_LENGTH_MAX) {
      throw wrongParameter("search", `1 to ${SEARCH_LENGTH_MAX} characters long, and visible`);
    }
    const limit = wholeParameter(parameters, "limit", SEARCH_LIMIT);
    const found = await within(
      userConfig(this.env).firstTokenTimeoutMs,
      "The search",
      (either) => this.#parts.retriever(this).retrieve(query, limit, either),
      signal,
    );
    const passages = found.map(({ text, ...passage }) => ({
      ...passage,
      snippet: snippet(text, query),
    }));
    return json({ passages });
  }

  #get(id: string): Response {
    const entry = this.#documents.entry(id);
    if (entry === undefined) throw notFound();
    return json({ ...entry, text: this.#documents.text(id) });
  }

  /** Every page asks for it when it opens, so it is made once for each change. */
  #examples(): Examples {
    this.#exampleQuestions ??= exampleQuestions(this.#documents.headings());
    return { empty: this.#documents.isEmpty(), questions: this.#exampleQuestions };
  }

  async #put(id: string, request: Request): Promise<Response> {
    const limits = { bytesMax: BODY_BYTES_MAX, timeoutMs: bodyTimeoutMs(this.env) };
    const { title, text, url } = check(INPUT, await readJson(request, limits));
    const bytes = new TextEncoder().encode(text);
    if (bytes.byteLength > TEXT_BYTES_MAX) {
      const message = `The text is ${bytes.byteLength} bytes long, and at most ${TEXT_BYTES_MAX} are taken. Split it into several documents.`;
      throw new ServiceError("PAYLOAD_TOO_LARGE", message);
    }
    const contentHash = await sha256(bytes);
    const document = { id, title: title.trim(), url, text };
    // To cut a long text takes as long as to write it: searches get their turn in between.
    await nextTurn();
    const cut = this.#documents.holds(document, contentHash) ? undefined : storedPassages(document);
    return this.#together(text.length, () => {
      const isNew = this.#documents.entry(id) === undefined;
      this.#exampleQuestions = undefined;
      const now = Date.now();
      const entry = this.#documents.put(document, bytes.byteLength, contentHash, now, cut);
      this.#wake();
      return json(entry, isNew ? 201 : 200);
    });
  }

  /**
   * Writes with whatever else has arrived: what is written without an `await` between is one commit,
   * which costs as much as several small documents.
   */
  #together<T>(length: number, write: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        try {
          resolve(write());
        } catch (error) {
          reject(error);
        }
      };
      this.#arrivals.push({ length, write: settle });
      if (this.#arrivals.length === 1) setTimeout(() => this.#writeArrivals(), 0);
    });
  }

  #writeArrivals(): void {
    let room = BATCH_LENGTH;
    while (room > 0) {
      const [arrival] = this.#arrivals;
      if (arrival === undefined) return;
      arrival.write();
      this.#arrivals.shift();
      room -= arrival.length;
    }
    if (this.#arrivals.length > 0) setTimeout(() => this.#writeArrivals(), 0);
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

/** A link that a page may show: of the web, or from the root of whatever site shows it. */
function isLink(value: string): boolean {
  const here = "https://here.invalid";
  const url = URL.parse(value, here);
  if (url === null || /[\s\p{Cc}]/u.test(value)) return false;
  return value.startsWith("/") ? url.origin === here : /^https?:\/\//i.test(value);
}

function notFound(): ServiceError {
  return new ServiceError("NOT_FOUND", "There is no document with this id.");
}
