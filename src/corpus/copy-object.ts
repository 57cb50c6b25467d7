// CopyObject: a read-only copy of the documents, for searches. It
// follows one corpus object, whose id comes with each call. It answers
// undefined when it is new or behind: then the original is asked.

import { DurableObject } from "cloudflare:workers";
import { Alarm } from "../alarm.ts";
import type { NearVector } from "../answer/vector-index.ts";
import type { Variables } from "../config.ts";
import { CopiedDocuments } from "./copied-documents.ts";
import { Follower, type Original } from "./follower.ts";
import type { FoundPassage, PlacedPassage, PromptPassage } from "./passage-index.ts";
import type { QueryTerms } from "./query-terms.ts";

/** Made in wiring.ts. */
export interface CopyParts {
  original(id: string): Original;
  /** Undefined if the search is full-text only. May throw UNAVAILABLE. */
  embeddingModel(): string | undefined;
}

export class CopyObject extends DurableObject<Variables> {
  readonly #parts: CopyParts;
  readonly #documents: CopiedDocuments;
  readonly #alarm: Alarm;
  readonly #follower: Follower;

  constructor(ctx: DurableObjectState, env: Variables, parts: CopyParts) {
    super(ctx, env);
    this.#parts = parts;
    this.#alarm = new Alarm(ctx.storage);
    this.#documents = new CopiedDocuments(ctx.storage);
    this.#follower = new Follower(this.#documents, (id) => parts.original(id), this.#alarm);
  }

  async search(original: string, query: string, topK: number): Promise<FoundPassage[] | undefined> {
    if (!(await this.#follower.isFresh(original))) return undefined;
    return this.#documents.search(query, topK);
  }

  async searchForPrompt(
    original: string,
    query: string,
    topK: number,
  ): Promise<PromptPassage[] | undefined> {
    if (!(await this.#follower.isFresh(original))) return undefined;
    return this.#documents.searchForPrompt(query, topK);
  }

  async termsOf(original: string, query: string): Promise<QueryTerms | undefined> {
    if (!(await this.#follower.isFresh(original))) return undefined;
    return this.#documents.termsOf(query);
  }

  async passagesOf(
    original: string,
    vectors: readonly NearVector[],
    query: string,
    topK: number,
  ): Promise<FoundPassage[] | undefined> {
    const model = this.#parts.embeddingModel();
    if (model === undefined || !(await this.#follower.isFresh(original))) return undefined;
    return this.#documents.passagesOf(vectors, query, topK, model);
  }

  async passagesAt(original: string, ids: readonly string[]): Promise<PlacedPassage[] | undefined> {
    if (!(await this.#follower.isFresh(original))) return undefined;
    return this.#documents.passagesAt(ids);
  }

  /** There are changes. Returns before it has them. */
  follow(original: string): void {
    void this.#follower.follow(original);
  }

  forget(): Promise<void> {
    return this.#follower.forget();
  }

  override async alarm(): Promise<void> {
    this.#alarm.clear();
    await this.#follower.follow();
  }
}
