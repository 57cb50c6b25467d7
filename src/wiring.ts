// The wiring: the only file that names adapters and
// objects. It picks adapters by the variables and gives
// them to the objects, which know interfaces only.

import type { Embedder } from "./answer/embedder.ts";
import type { ChatModel, Generator } from "./answer/generator.ts";
import type { Reranker } from "./answer/reranker.ts";
import type { Retriever } from "./answer/retriever.ts";
import type { Rewriter } from "./answer/rewriter.ts";
import type { NearVector } from "./answer/vector-index.ts";
import { BudgetObject as BaseBudgetObject } from "./budget/budget-object.ts";
import { budgetConfig } from "./budget-config.ts";
import { isDefaultAlone } from "./collections.ts";
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
import { DEFAULT_KEY, type NamedKey } from "./corpus/collections.ts";
import { CopiedCorpus, copyOf } from "./corpus/copied-corpus.ts";
import { CopyObject as BaseCopyObject } from "./corpus/copy-object.ts";
import type { Corpus } from "./corpus/corpus.ts";
import { CorpusObject as BaseCorpusObject, type VectorAdapters } from "./corpus/corpus-object.ts";
import { KnownCollections } from "./corpus/known-collections.ts";
import { DirectoryObject as BaseDirectoryObject } from "./directory/directory-object.ts";
import { OpenAiEmbedder } from "./embedders/openai.ts";
import { VectorizeIndex } from "./embedders/vectorize.ts";
import { WorkersAiEmbedder } from "./embedders/workers-ai.ts";
import { endpointBase } from "./endpoint.ts";
import { ExtractiveGenerator } from "./generators/extractive.ts";
import { OpenAiGenerator } from "./generators/openai.ts";
import { ModelRewriter } from "./generators/rewriter.ts";
import { WorkersAiGenerator } from "./generators/workers-ai.ts";
import { DEFAULT_COLLECTION } from "./protocol.ts";
import { OpenAiReranker } from "./rerankers/openai.ts";
import { WorkersAiReranker } from "./rerankers/workers-ai.ts";
import {
  CollectionsFullText,
  CollectionsVectors,
  type SearchedCollection,
} from "./retrievers/collections.ts";
import { FullTextRetriever } from "./retrievers/full-text.ts";
import { HybridRetriever } from "./retrievers/hybrid.ts";
import { NeighboursRetriever, type Places } from "./retrievers/neighbours.ts";
import { RerankingRetriever } from "./retrievers/reranking.ts";
import { VectorRetriever } from "./retrievers/vector.ts";
import { ANONYMOUS } from "./user/settings.ts";
import { UserObject as BaseUserObject } from "./user/user-object.ts";

/** The variables, and the bindings of wrangler.toml. */
export interface Env extends Variables {
  readonly USERS: DurableObjectNamespace<UserObject>;
  readonly CORPUS: DurableObjectNamespace<CorpusObject>;
  /** Where a wrangler.toml of an earlier release is used, there is none. */
  readonly COPIES?: DurableObjectNamespace<CopyObject>;
  /** As COPIES. Without it, operators see one user at a time. */
  readonly DIRECTORY?: DurableObjectNamespace<DirectoryObject>;
  /** As COPIES. Without it, no limit of the budget can be set. */
  readonly BUDGET?: DurableObjectNamespace<BudgetObject>;
  /** Local servers do not have it: it needs an account. */
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
  readonly text?: string;
  /** Instead of the text, of a file that is none. */
  readonly base64?: string;
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
      retriever: (collections) => promptRetriever(env, collections, ctx.id.toString()),
      generator: () => generator(env),
      rewriter: (counted) => rewriter(env, counted),
      fallback: () => new ExtractiveGenerator({ tokensPerSecond: 0 }),
      budget: () => budgetStub(env),
      storageProbe: () => storageProbe(env),
      directory: () => directoryStub(env),
    });
  }
}

export class CorpusObject extends BaseCorpusObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, {
      retriever: (corpus) => reranked(env, search(env, { corpus, id: () => ctx.id.toString() })),
      vectorAdapters: () => vectorAdapters(env)?.(ctx.id.toString()),
      copyCount: () => copyCount(env),
      copy: (original, number) => copyStub(env, copyName(original, number)),
      collection: (key) => corpusStub(env, key),
      reserveCollection: (name) => corpusStub(env).reserveCollection(name),
      openCollection: (key) => corpusStub(env).openCollection(key),
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
      embeddingModel: () => vectorAdapters(env)?.(ctx.id.toString()).embedder.model,
    });
  }
}

export class DirectoryObject extends BaseDirectoryObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, {
      limitOf: (name) => {
        const { anonymousLimit, quotaLimit } = userConfig(env);
        return name.startsWith(ANONYMOUS) ? anonymousLimit : quotaLimit;
      },
      documents: () => storedDocuments(env),
    });
  }
}

export class BudgetObject extends BaseBudgetObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, {
      debtor: (user) => {
        const users = inJurisdiction(env, env.USERS);
        return users.get(users.idFromString(user));
      },
    });
  }
}

/** One object lends to all users. Undefined where there is no binding. */
export function budgetStub(env: Env): DurableObjectStub<BudgetObject> | undefined {
  return env.BUDGET && inJurisdiction(env, env.BUDGET).getByName("budget");
}

/** Throws UNAVAILABLE if the budget is set wrongly, or cannot be kept. */
export function checkBudget(env: Env): void {
  if (budgetConfig(env) === undefined || env.BUDGET !== undefined) return;
  throw invalid("BUDGET_LIMIT", "needs the binding BUDGET, which wrangler.toml does not declare");
}

/** One object hears of all users. Undefined where there is no binding. */
export function directoryStub(env: Env): DurableObjectStub<DirectoryObject> | undefined {
  return env.DIRECTORY && inJurisdiction(env, env.DIRECTORY).getByName("directory");
}

export function userStub(env: Env, userId: string): DurableObjectStub<UserObject> {
  return inJurisdiction(env, env.USERS).getByName(userId);
}

/** No user can have this name, so a failed write loses nothing. */
export function storageProbe(env: Env): Pick<UserObject, "tryWrite"> {
  return userStub(env, "\u0000storage");
}

/**
 * The object that has the documents of a collection.
 * @param key Of the list of collections.
 */
export function corpusStub(env: Env, key = DEFAULT_KEY): DurableObjectStub<CorpusObject> {
  return inJurisdiction(env, env.CORPUS).getByName(key);
}

/** What a user searches with, without a model that answers. */
export function userRetriever(env: Env, userId: string, collections: readonly string[]): Retriever {
  return readerOf(env, collections, userStub(env, userId).id.toString()).retriever;
}

/** What searches some collections, and what reads their passages. */
interface Reader {
  readonly retriever: Retriever;
  readonly places: Places;
}

function readerOf(env: Env, collections: readonly string[], user: string): Reader {
  // A wrong variable must refuse before the collections are looked up.
  copyCount(env);
  if (isDefaultAlone(collections)) {
    const one = readableCorpus(env, DEFAULT_KEY, user);
    const places: Places = { passagesAt: (ids) => one.corpus.passagesAt(ids) };
    return { retriever: reranked(env, search(env, one)), places };
  }
  let found: Promise<ReadonlyMap<string, ReadableCorpus>> | undefined;
  const find = async () => {
    const keys = await knownCollections(env).keysOf(collections);
    return new Map(Array.from(keys, ([name, key]) => [name, readableCorpus(env, key, user)]));
  };
  const named = async () => {
    found ??= find();
    return Array.from(await found, ([name, one]) => ({
      ...one,
      collection: name === DEFAULT_COLLECTION ? undefined : name,
    }));
  };
  const places: Places = {
    passagesAt: async (ids, collection = DEFAULT_COLLECTION) =>
      (await found)?.get(collection)?.corpus.passagesAt(ids) ?? [],
  };
  return { retriever: reranked(env, searchInSeveral(env, named)), places };
}

/** The ids of all documents, those of a named collection after its name. */
async function* storedDocuments(env: Env): AsyncGenerator<readonly string[]> {
  let name: string | undefined = "";
  while (name !== undefined) {
    const named: readonly NamedKey[] = await corpusStub(env).collectionsAfter(name);
    for (const collection of named) {
      const prefix = collection.name === DEFAULT_COLLECTION ? "" : `${collection.name}/`;
      let id: string | undefined = "";
      while (id !== undefined) {
        const ids: readonly string[] = await corpusStub(env, collection.key).idsAfter(id);
        yield ids.map((one) => prefix + one);
        id = ids.at(-1);
      }
    }
    name = named.at(-1)?.name;
  }
}

/** By namespace. */
const known = new WeakMap<object, KnownCollections>();

export function knownCollections(env: Env): KnownCollections {
  const collections =
    known.get(env.CORPUS) ?? new KnownCollections((names) => corpusStub(env).collectionKeys(names));
  known.set(env.CORPUS, collections);
  return collections;
}

interface ReadableCorpus {
  readonly corpus: Corpus;
  /** Of the object that has its documents. */
  id(): string;
}

/** The copy that a user reads, if there are copies. */
function readableCorpus(env: Env, key: string, user: string): ReadableCorpus {
  const stub = corpusStub(env, key);
  const id = () => stub.id.toString();
  const count = copyCount(env);
  if (count === 0) return { corpus: stub, id };
  const original = id();
  const name = copyName(original, copyOf(user, count));
  const copy = copyStub(env, name);
  const reads = {
    search: (query: string, topK: number) => copy.search(original, query, topK),
    searchForPrompt: (query: string, topK: number) => copy.searchForPrompt(original, query, topK),
    passagesOf: (vectors: readonly NearVector[], query: string, topK: number) =>
      copy.passagesOf(original, vectors, query, topK),
    termsOf: (query: string) => copy.termsOf(original, query),
    passagesAt: (ids: readonly string[]) => copy.passagesAt(original, ids),
  };
  return { corpus: new CopiedCorpus(stub, reads, name), id };
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
function promptRetriever(env: Env, collections: readonly string[], user: string): Retriever {
  const isForModel = generatorConfig(env).kind !== "extractive";
  if (isForModel && isDefaultAlone(collections) && isFullTextAlone(env)) {
    return new FullTextRetriever(readableCorpus(env, DEFAULT_KEY, user).corpus, true);
  }
  const { retriever, places } = readerOf(env, collections, user);
  if (!isForModel) return retriever;
  return new NeighboursRetriever(retriever, places);
}

/** Then a search alone reads all that a prompt needs. */
function isFullTextAlone(env: Env): boolean {
  return retrieverKind(env) === "full-text" && rerankerConfig(env) === undefined;
}

/** Throws UNAVAILABLE if a variable of the search is wrong. */
export function checkSearch(env: Env): void {
  readerOf(env, [DEFAULT_COLLECTION], "");
}

function reranked(env: Env, found: Retriever): Retriever {
  const config = rerankerConfig(env);
  if (config === undefined) return found;
  return new RerankingRetriever(found, reranker(env, config), config.timeoutMs);
}

function search(env: Env, { corpus, id }: ReadableCorpus): Retriever {
  const adaptersOf = vectorAdapters(env);
  const fullText = new FullTextRetriever(corpus);
  if (adaptersOf === undefined) return fullText;
  const { embedder, index } = adaptersOf(id());
  return withVectors(env, fullText, new VectorRetriever(corpus, embedder, index));
}

type NamedCorpora = () => Promise<readonly (ReadableCorpus & SearchedCollection)[]>;

function searchInSeveral(env: Env, corpora: NamedCorpora): Retriever {
  const adaptersOf = vectorAdapters(env);
  const fullText = new CollectionsFullText(corpora);
  if (adaptersOf === undefined) return fullText;
  const vectors = async () =>
    (await corpora()).map((one) => ({ ...one, index: adaptersOf(one.id()).index }));
  return withVectors(env, fullText, new CollectionsVectors(vectors, embedder(env)));
}

function withVectors(env: Env, fullText: Retriever, vectors: Retriever): Retriever {
  if (retrieverKind(env) === "vector") return vectors;
  return new HybridRetriever(fullText, vectors, HYBRID_TIMEOUT_MS);
}

/** For a corpus object by its id. Undefined if the search is full-text only. */
function vectorAdapters(env: Env): ((id: string) => VectorAdapters) | undefined {
  const kind = retrieverKind(env);
  if (kind === "full-text") return undefined;
  const { VECTORIZE } = env;
  if (VECTORIZE === undefined) {
    throw invalid(
      "RETRIEVER",
      `is ${kind}, but there is no binding VECTORIZE here: it works only on Cloudflare`,
    );
  }
  const made = embedder(env);
  return (id) => ({ embedder: made, index: new VectorizeIndex(VECTORIZE, id) });
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

/**
 * Undefined if it is off, or without a model.
 * @param counted What its model is asked through.
 */
export function rewriter(
  env: Env,
  counted: (model: ChatModel) => ChatModel = (model) => model,
): Rewriter | undefined {
  const mode = rewriteMode(env);
  const config = generatorConfig(env);
  if (mode === "off" || config.kind === "extractive") return undefined;
  const { firstTokenTimeoutMs } = userConfig(env);
  const waitMs = Math.min(REWRITE_TIMEOUT_MS, REWRITE_PART_MAX * firstTokenTimeoutMs);
  return new ModelRewriter(counted(chatModel(env, config)), waitMs);
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
  throw invalid(
    name,
    "is workers-ai, but there is no binding AI here: it works only on Cloudflare",
  );
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
