// The wiring: the only file that names adapters and
// objects. It picks adapters by the variables and gives
// them to the objects, which know interfaces only.

import type { Embedder } from "./answer/embedder.ts";
import type { ChatModel, Generator } from "./answer/generator.ts";
import type { Reranker } from "./answer/reranker.ts";
import type { Retriever } from "./answer/retriever.ts";
import type { Rewriter } from "./answer/rewriter.ts";
import type { NearVector } from "./answer/vector-index.ts";
import {
  corpusCopies,
  type EndpointConfig,
  embedderConfig,
  type GeneratorConfig,
  generatorConfig,
  invalid,
  jurisdiction,
  type RerankerConfig,
  rerankerConfig,
  retrieverKind,
  rewriteMode,
  userConfig,
  type VariableName,
  type Variables,
} from "./config.ts";
import { CopiedCorpus, copyOf } from "./corpus/copied-corpus.ts";
import { CopyObject as BaseCopyObject } from "./corpus/copy-object.ts";
import type { Corpus } from "./corpus/corpus.ts";
import { CorpusObject as BaseCorpusObject, type VectorAdapters } from "./corpus/corpus-object.ts";
import { OpenAiEmbedder } from "./embedders/openai.ts";
import { VectorizeIndex } from "./embedders/vectorize.ts";
import { WorkersAiEmbedder } from "./embedders/workers-ai.ts";
import { endpointBase } from "./endpoint.ts";
import { ExtractiveGenerator } from "./generators/extractive.ts";
import { OpenAiGenerator } from "./generators/openai.ts";
import { ModelRewriter } from "./generators/rewriter.ts";
import { WorkersAiGenerator } from "./generators/workers-ai.ts";
import { OpenAiReranker } from "./rerankers/openai.ts";
import { WorkersAiReranker } from "./rerankers/workers-ai.ts";
import { FullTextRetriever } from "./retrievers/full-text.ts";
import { HybridRetriever } from "./retrievers/hybrid.ts";
import { NeighboursRetriever } from "./retrievers/neighbours.ts";
import { RerankingRetriever } from "./retrievers/reranking.ts";
import { VectorRetriever } from "./retrievers/vector.ts";
import { UserObject as BaseUserObject } from "./user/user-object.ts";

/** The variables, and the bindings of wrangler.toml. */
export interface Env extends Variables {
  readonly USERS: DurableObjectNamespace<UserObject>;
  readonly CORPUS: DurableObjectNamespace<CorpusObject>;
  /** Where a wrangler.toml of an earlier release is used, there is none. */
  readonly COPIES?: DurableObjectNamespace<CopyObject>;
  /** Declared only where it is used: it needs an account. */
  readonly AI?: Ai;
  /** Declared only where it is used: a deploy fails without the index. */
  readonly VECTORIZE?: Vectorize;
  /** Counts new sessions. Plain workerd does not have it. */
  readonly SESSION_RATE?: RateLimit;
  /** The built files by path, if nothing in front of the Worker has them. */
  readonly PAGE?: Readonly<Record<string, PageFile>>;
  /** The same files, where Cloudflare or wrangler serves them. */
  readonly ASSETS?: Fetcher;
}

export interface PageFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Timeout of the vector half of a hybrid search. */
const HYBRID_TIMEOUT_MS = 3_000;
/** Timeout of a rewrite. */
const REWRITE_TIMEOUT_MS = 2_500;
/** The largest part of the time to the first token. */
const REWRITE_PART_MAX = 0.25;

export class UserObject extends BaseUserObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, {
      retriever: () => promptRetriever(env, readableCorpus(env, ctx.id.toString())),
      generator: () => generator(env),
      rewriter: () => rewriter(env),
      storageProbe: () => storageProbe(env),
    });
  }
}

export class CorpusObject extends BaseCorpusObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, {
      retriever: (corpus) => retriever(env, corpus),
      vectorAdapters: () => vectorAdapters(env),
      copyCount: () => copyCount(env),
      copy: (original, number) => copyStub(env, copyName(original, number)),
    });
  }
}

export class CopyObject extends BaseCopyObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, {
      original: (id) => {
        const corpora = inJurisdiction(env, env.CORPUS);
        return corpora.get(corpora.idFromString(id));
      },
      embeddingModel: () => vectorAdapters(env)?.embedder.model,
    });
  }
}

export function userStub(env: Env, userId: string): DurableObjectStub<UserObject> {
  return inJurisdiction(env, env.USERS).getByName(userId);
}

/** No user can have this name, so a failed write loses nothing. */
export function storageProbe(env: Env): Pick<UserObject, "tryWrite"> {
  return userStub(env, "\u0000storage");
}

/** One object has all documents. */
export function corpusStub(env: Env): DurableObjectStub<CorpusObject> {
  return inJurisdiction(env, env.CORPUS).getByName("corpus");
}

/** What a user searches with, without a model that answers. */
export function userRetriever(env: Env, userId: string): Retriever {
  return retriever(env, readableCorpus(env, userStub(env, userId).id.toString()));
}

/** The copy that a user reads, if there are copies. */
function readableCorpus(env: Env, user: string): Corpus {
  const stub = corpusStub(env);
  const count = copyCount(env);
  if (count === 0) return stub;
  const original = stub.id.toString();
  const name = copyName(original, copyOf(user, count));
  const copy = copyStub(env, name);
  const reads = {
    search: (query: string, topK: number) => copy.search(original, query, topK),
    passagesOf: (vectors: readonly NearVector[], query: string, topK: number) =>
      copy.passagesOf(original, vectors, query, topK),
    passagesAt: (ids: readonly string[]) => copy.passagesAt(original, ids),
  };
  return new CopiedCorpus(stub, reads, name);
}

export function copyCount(env: Env): number {
  const count = corpusCopies(env);
  if (count === 0 || env.COPIES !== undefined) return count;
  throw invalid("CORPUS_COPIES", "is not 0, but wrangler.toml declares no binding COPIES here");
}

/** An id, so that the object of every collection has copies of its own. */
function copyName(original: string, number: number): string {
  return `copy ${number} of ${original}`;
}

function copyStub(env: Env, name: string): DurableObjectStub<CopyObject> {
  if (env.COPIES === undefined) throw new Error("There is no binding COPIES.");
  return inJurisdiction(env, env.COPIES).getByName(name);
}

/** With what a model's prompt may have room for. Quotes need none of it. */
function promptRetriever(env: Env, corpus: Corpus): Retriever {
  const found = retriever(env, corpus);
  if (generatorConfig(env).kind === "extractive") return found;
  return new NeighboursRetriever(found, corpus);
}

export function retriever(env: Env, corpus: Corpus = corpusStub(env)): Retriever {
  const config = rerankerConfig(env);
  const found = search(env, corpus);
  if (config === undefined) return found;
  return new RerankingRetriever(found, reranker(env, config), config.timeoutMs);
}

function search(env: Env, corpus: Corpus): Retriever {
  const fullText = new FullTextRetriever(corpus);
  const adapters = vectorAdapters(env);
  if (adapters === undefined) return fullText;
  const vectors = new VectorRetriever(corpus, adapters.embedder, adapters.index);
  if (retrieverKind(env) === "vector") return vectors;
  return new HybridRetriever(fullText, vectors, HYBRID_TIMEOUT_MS);
}

/** Undefined if the search is full-text only. */
function vectorAdapters(env: Env): VectorAdapters | undefined {
  const kind = retrieverKind(env);
  if (kind === "full-text") return undefined;
  if (env.VECTORIZE === undefined) {
    throw invalid(
      "RETRIEVER",
      `is ${kind}, but wrangler.toml declares no binding VECTORIZE here: it works only on Cloudflare`,
    );
  }
  return { embedder: embedder(env), index: new VectorizeIndex(env.VECTORIZE) };
}

function embedder(env: Env): Embedder {
  const config = embedderConfig(env);
  switch (config.kind) {
    case "workers-ai":
      return new WorkersAiEmbedder({ ai: workersAi(env, "EMBEDDER"), model: config.model });
    case "openai":
      return new OpenAiEmbedder(checked(config.endpoint));
  }
}

function reranker(env: Env, config: RerankerConfig): Reranker {
  switch (config.kind) {
    case "workers-ai":
      return new WorkersAiReranker({ ai: workersAi(env, "RERANKER"), model: config.model });
    case "openai-compatible":
      return new OpenAiReranker(checked(config.endpoint));
  }
}

export function generator(env: Env): Generator {
  const config = generatorConfig(env);
  return config.kind === "extractive" ? new ExtractiveGenerator(config) : chatModel(env, config);
}

/** Undefined if it is off, or without a model. */
export function rewriter(env: Env): Rewriter | undefined {
  const mode = rewriteMode(env);
  const config = generatorConfig(env);
  if (mode === "off" || config.kind === "extractive") return undefined;
  const { firstTokenTimeoutMs } = userConfig(env);
  const waitMs = Math.min(REWRITE_TIMEOUT_MS, REWRITE_PART_MAX * firstTokenTimeoutMs);
  return new ModelRewriter(chatModel(env, config), waitMs);
}

type ModelConfig = Exclude<GeneratorConfig, { kind: "extractive" }>;

function chatModel(env: Env, config: ModelConfig): ChatModel {
  switch (config.kind) {
    case "openai":
      return new OpenAiGenerator(checked(config.endpoint));
    case "workers-ai":
      return new WorkersAiGenerator({ ai: workersAi(env, "GENERATOR"), model: config.model });
  }
}

/** The binding, for a variable that is `workers-ai`. */
function workersAi(env: Env, name: VariableName): Ai {
  if (env.AI !== undefined) return env.AI;
  throw invalid(name, "is workers-ai, but wrangler.toml declares no binding AI here");
}

function checked(endpoint: EndpointConfig): EndpointConfig {
  const baseUrl = endpointBase(endpoint.baseUrl);
  if (baseUrl !== undefined) return { ...endpoint, baseUrl };
  throw invalid(
    endpoint.variable,
    "must be the http or https URL of an OpenAI-compatible endpoint with its path, such as " +
      "https://api.openai.com/v1, without a password in it",
  );
}

function inJurisdiction<T extends Rpc.DurableObjectBranded>(
  env: Env,
  namespace: DurableObjectNamespace<T>,
): DurableObjectNamespace<T> {
  const place = jurisdiction(env);
  if (place === undefined) return namespace;
  try {
    return namespace.jurisdiction(place);
  } catch {
    // Plain workerd throws a bare error: it has one place only.
    throw invalid("JURISDICTION", "works only on Cloudflare: leave it unset here");
  }
}
