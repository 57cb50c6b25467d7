// The variables: the only reader of them, and the only place where an adapter or an object is named.
// Each is checked at its first use; a bad one refuses the request with UNAVAILABLE, and the message
// and the log name it. Values are never shown: one of them may be a secret in the wrong place.
// What each means is in README.md.

import type { Generator } from "./answer/generator.ts";
import type { Retriever } from "./answer/retriever.ts";
import type { Corpus, CorpusObject } from "./corpus/corpus-object.ts";
import type { Embedder, VectorIndex } from "./corpus/embedder.ts";
import { endpointBase } from "./endpoint.ts";
import { ServiceError } from "./errors.ts";
import { ExtractiveGenerator } from "./generators/extractive.ts";
import { OpenAiGenerator } from "./generators/openai.ts";
import { WorkersAiGenerator } from "./generators/workers-ai.ts";
import { meantOrigin, originOf } from "./origin.ts";
import type { QuotaPeriod } from "./protocol.ts";
import { FullTextRetriever } from "./retrievers/full-text.ts";
import { HybridRetriever } from "./retrievers/hybrid.ts";
import { VectorRetriever } from "./retrievers/vector.ts";
import type { UserObject } from "./user/user-object.ts";
import type { VariableName } from "./variables.ts";
import { OpenAiEmbedder } from "./vectors/openai-embedder.ts";
import { VectorizeIndex } from "./vectors/vectorize.ts";
import { WorkersAiEmbedder } from "./vectors/workers-ai-embedder.ts";

/** Variables arrive as strings, and from `wrangler.toml` as numbers and booleans too. */
type Variable = string | number | boolean | undefined;

export interface Env {
  readonly USERS: DurableObjectNamespace<UserObject>;
  readonly CORPUS: DurableObjectNamespace<CorpusObject>;
  /** Only where wrangler.toml declares it: with it, a local server would need an account. */
  readonly AI?: Ai;
  /** The same; and a deployment whose index does not exist fails. */
  readonly VECTORIZE?: Vectorize;
  /** Counts new sessions; plain workerd has no such thing. */
  readonly SESSION_RATE?: RateLimit;
  /** The files of the page, by path; only where nothing before this Worker serves them. */
  readonly PAGE?: Readonly<Record<string, PageFile>>;
  /** The same files; only where this Worker is asked before they are served. */
  readonly ASSETS?: Fetcher;
  readonly [variable: string]: unknown;
}

export interface PageFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What the user object needs to know. Times are in milliseconds unless their name says otherwise. */
export interface UserConfig {
  readonly quotaLimit: number;
  readonly quotaPeriod: QuotaPeriod;
  readonly refundLimit: number;
  /** The same for the user objects that readers without a bearer token share. */
  readonly anonymousLimit: number;
  readonly anonymousRefundLimit: number;
  readonly failureLimit: number;
  readonly concurrencyLimit: number;
  readonly repeatWindowMs: number;
  readonly resumeWaitMs: number;
  readonly pingIntervalMs: number;
  readonly deliveryHoldMs: number;
  readonly writeTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly firstTokenTimeoutMs: number;
  readonly thinkingTimeoutMs: number;
  readonly tokenGapTimeoutMs: number;
  readonly generationTimeoutMs: number;
  readonly sweepIntervalMs: number;
  readonly retentionMs: number;
  readonly answerBytesMax: number;
  readonly shareQueries: boolean;
}

/** What bearer tokens are verified with: one secret, or the keys that an identity provider publishes. */
export interface AuthenticationConfig {
  readonly key: Uint8Array | URL;
  readonly algorithm: string;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** One more claim that makes an operator. */
  readonly operatorClaim: string | undefined;
}

/** What readers without a bearer token are known by. */
export interface SessionConfig {
  readonly secret: Uint8Array;
  /** Whether one more session may be started from an address. */
  admits(address: string): Promise<boolean>;
}

const DAY_MS = 86_400_000;
/** How long the words wait for the vectors in a hybrid search: many times what those usually take. */
const HYBRID_WAIT_MS = 3_000;
const PUBLIC_KEY_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

export function userConfig(env: Env): UserConfig {
  const quotaLimit = whole(env, "QUOTA_LIMIT", 20, 0, 1_000_000_000);
  return {
    quotaLimit,
    quotaPeriod: oneOf(env, "QUOTA_PERIOD", ["day", "month", "total"]),
    refundLimit: refundLimit(env, quotaLimit),
    anonymousLimit: anonymousLimit(env),
    anonymousRefundLimit: refundLimit(env, anonymousLimit(env)),
    failureLimit: whole(env, "FAILURE_LIMIT", 5, 1, 1_000_000),
    concurrencyLimit: whole(env, "CONCURRENCY_LIMIT", 3, 1, 1_000),
    repeatWindowMs: 1000 * whole(env, "REPEAT_WINDOW_SECONDS", 10, 0, 86_400),
    resumeWaitMs: 1000 * whole(env, "RESUME_WAIT_SECONDS", 15, 0, 600),
    pingIntervalMs: whole(env, "PING_INTERVAL_MS", 10_000, 10, DAY_MS),
    deliveryHoldMs: whole(env, "DELIVERY_HOLD_MS", 250, 0, 60_000),
    writeTimeoutMs: whole(env, "WRITE_TIMEOUT_MS", 15_000, 10, DAY_MS),
    bodyTimeoutMs: bodyTimeoutMs(env),
    firstTokenTimeoutMs: whole(env, "FIRST_TOKEN_TIMEOUT_MS", 30_000, 10, DAY_MS),
    thinkingTimeoutMs: whole(env, "THINKING_TIMEOUT_MS", 120_000, 10, DAY_MS),
    tokenGapTimeoutMs: whole(env, "TOKEN_GAP_TIMEOUT_MS", 30_000, 10, DAY_MS),
    generationTimeoutMs: whole(env, "GENERATION_TIMEOUT_MS", 120_000, 10, DAY_MS),
    sweepIntervalMs: whole(env, "SWEEP_INTERVAL_MS", 30_000, 10, 50_000),
    retentionMs: DAY_MS * whole(env, "RETENTION_DAYS", 30, 1, 36_500),
    answerBytesMax: whole(env, "ANSWER_BYTES_MAX", 262_144, 1, 1_000_000),
    shareQueries: oneOf(env, "SHARE_QUERIES", ["true", "false"]) === "true",
  };
}

function refundLimit(env: Env, limit: number): number {
  return whole(env, "REFUND_LIMIT", limit, 0, 1_000_000_000);
}

/** 0: whoever has no bearer token is refused. */
function anonymousLimit(env: Env): number {
  return whole(env, "ANONYMOUS_LIMIT", 0, 0, 1_000_000_000);
}

/** How long a request's body may take to arrive, in milliseconds. */
export function bodyTimeoutMs(env: Env): number {
  return whole(env, "BODY_TIMEOUT_MS", 10_000, 10, DAY_MS);
}

export function authenticationConfig(env: Env): AuthenticationConfig {
  const claims = {
    issuer: text(env, "AUTH_ISSUER"),
    audience: text(env, "AUTH_AUDIENCE"),
    operatorClaim: text(env, "AUTH_OPERATOR_CLAIM"),
  };
  const key = secret(env, "AUTH_SECRET");
  const jwksUrl = text(env, "AUTH_JWKS_URL");
  if (key !== undefined && jwksUrl !== undefined) {
    throw invalid("AUTH_JWKS_URL", "is set beside AUTH_SECRET: set exactly one");
  }
  if (key !== undefined) return { key, algorithm: "HS256", ...claims };
  if (jwksUrl === undefined) {
    throw invalid("AUTH_SECRET", "is not set, nor is AUTH_JWKS_URL: set exactly one");
  }
  const url = URL.parse(jwksUrl);
  if (url === null || !isFetchable(url)) {
    throw invalid("AUTH_JWKS_URL", "must be an http or https URL, without a password in it");
  }
  // Only public-key algorithms: with HS256 the published key itself would sign.
  const algorithm = oneOf(env, "AUTH_ALGORITHM", PUBLIC_KEY_ALGORITHMS);
  return { key: url, algorithm, ...claims };
}

/** Undefined where readers without a bearer token are not let in, or nothing is there to sign a cookie with. */
export function sessionConfig(env: Env): SessionConfig | undefined {
  if (anonymousLimit(env) === 0) return undefined;
  const key = secret(env, "SESSION_SECRET") ?? secret(env, "AUTH_SECRET");
  if (key === undefined) return undefined;
  return {
    secret: key,
    admits: async (address) =>
      env.SESSION_RATE === undefined || (await env.SESSION_RATE.limit({ key: address })).success,
  };
}

/** The names to which alone this server answers, in lower case; without any, it answers to all. */
export function allowedHosts(env: Env): readonly string[] {
  const hosts = (text(env, "ALLOWED_HOSTS") ?? "").split(",").map((host) => host.trim());
  for (const host of hosts) {
    if (host !== "" && !/^(?:[a-z\d._-]+|\[[\da-f:.]+\])$/i.test(host)) {
      throw invalid(
        "ALLOWED_HOSTS",
        "must be host names such as belay.example.com, without a port, comma-separated",
      );
    }
  }
  return hosts.filter((host) => host !== "").map((host) => host.toLowerCase());
}

/** The origins whose pages may read our responses, in lower case. */
export function corsOrigins(env: Env): readonly string[] {
  const origins = (text(env, "CORS_ORIGINS") ?? "").split(",").map((origin) => origin.trim());
  for (const [index, origin] of origins.entries()) {
    if (origin === "" || originOf(origin) === origin) continue;
    if (origin === "null")
      throw invalid("CORS_ORIGINS", "must not hold null: any page can be null");
    const meant = meantOrigin(origin);
    throw invalid(
      "CORS_ORIGINS",
      `must list exact origins such as https://example.com or tauri://localhost, with commas between, and without paths and wildcards${
        meant === undefined ? "" : `: write ${meant} for number ${index + 1}`
      }`,
    );
  }
  return origins.filter((origin) => origin !== "");
}

/** Every variable at once, for a server that would rather not start than refuse its first ask. */
export function checkConfig(env: Env): void {
  userConfig(env);
  authenticationConfig(env);
  sessionConfig(env);
  corsOrigins(env);
  jurisdiction(env);
  retriever(env);
  generator(env);
}

export function userStub(env: Env, userId: string): DurableObjectStub<UserObject> {
  return placed(env, env.USERS).getByName(userId);
}

/** A user object of a name that no user can have: it has nothing to lose by a write that fails. */
export function storageProbe(env: Env): Pick<UserObject, "tryWrite"> {
  return userStub(env, "\u0000storage");
}

/** One object holds all documents; copies per region for reading would be chosen between here. */
export function corpusStub(env: Env): DurableObjectStub<CorpusObject> {
  return placed(env, env.CORPUS).getByName("corpus");
}

export function retriever(env: Env, corpus: Corpus = corpusStub(env)): Retriever {
  const words = new FullTextRetriever(corpus);
  const adapters = vectorAdapters(env);
  if (adapters === undefined) return words;
  const vectors = new VectorRetriever(corpus, adapters.embedder, adapters.index);
  if (searches(env) === "vector") return vectors;
  return new HybridRetriever(words, vectors, HYBRID_WAIT_MS);
}

/** What makes vectors and what keeps them; undefined where only words are searched. */
export function vectorAdapters(
  env: Env,
): { readonly embedder: Embedder; readonly index: VectorIndex } | undefined {
  const kind = searches(env);
  if (kind === "full-text") return undefined;
  if (env.VECTORIZE === undefined) {
    throw invalid(
      "RETRIEVER",
      `is ${kind}, but wrangler.toml declares no binding VECTORIZE here: it works only on Cloudflare`,
    );
  }
  return { embedder: embedder(env), index: new VectorizeIndex(env.VECTORIZE) };
}

function searches(env: Env): "full-text" | "vector" | "hybrid" {
  return oneOf(env, "RETRIEVER", ["full-text", "vector", "hybrid"]);
}

function embedder(env: Env): Embedder {
  switch (oneOf(env, "EMBEDDER", ["workers-ai", "openai"])) {
    case "workers-ai":
      return new WorkersAiEmbedder({
        ai: workersAi(env, "EMBEDDER"),
        model: workersAiModel(env, "EMBEDDING_MODEL", "@cf/baai/bge-m3"),
      });
    case "openai":
      return new OpenAiEmbedder({
        baseUrl: openAiBaseUrl(env),
        model: required(env, "EMBEDDING_MODEL"),
        apiKey: text(env, "OPENAI_API_KEY"),
      });
  }
}

export function generator(env: Env): Generator {
  switch (oneOf(env, "GENERATOR", ["extractive", "openai", "workers-ai"])) {
    case "extractive":
      return new ExtractiveGenerator({
        tokensPerSecond: whole(env, "EXTRACTIVE_TOKENS_PER_SECOND", 0, 0, 100_000),
      });
    case "openai":
      return new OpenAiGenerator({
        baseUrl: openAiBaseUrl(env),
        model: required(env, "OPENAI_MODEL"),
        apiKey: text(env, "OPENAI_API_KEY"),
      });
    case "workers-ai":
      return new WorkersAiGenerator({
        ai: workersAi(env, "GENERATOR"),
        model: workersAiModel(env, "WORKERS_AI_MODEL", "@cf/openai/gpt-oss-120b"),
      });
  }
}

/** The binding, for the variable that is `workers-ai`. */
function workersAi(env: Env, name: VariableName): Ai {
  if (env.AI !== undefined) return env.AI;
  throw invalid(name, "is workers-ai, but wrangler.toml declares no binding AI here");
}

function workersAiModel(env: Env, name: VariableName, byDefault: string): string {
  const value = text(env, name) ?? byDefault;
  if (!/^@\w+(?:\/[\w.-]+){2}$/.test(value)) {
    throw invalid(name, `must be the name of a model such as ${byDefault}`);
  }
  return value;
}

function openAiBaseUrl(env: Env): string {
  const base = endpointBase(required(env, "OPENAI_BASE_URL"));
  if (base !== undefined) return base;
  throw invalid(
    "OPENAI_BASE_URL",
    "must be the http or https URL of an OpenAI-compatible endpoint with its path, such as " +
      "https://api.openai.com/v1, without a password in it",
  );
}

/** fetch refuses an address with a user name or a password in it, and its error would show them. */
function isFetchable({ protocol, username, password }: URL): boolean {
  return /^https?:$/.test(protocol) && username === "" && password === "";
}

function jurisdiction(env: Env): DurableObjectJurisdiction | undefined {
  if (text(env, "JURISDICTION") === undefined) return undefined;
  return oneOf(env, "JURISDICTION", ["eu", "fedramp"]);
}

function placed<T extends Rpc.DurableObjectBranded>(
  env: Env,
  namespace: DurableObjectNamespace<T>,
): DurableObjectNamespace<T> {
  const place = jurisdiction(env);
  if (place === undefined) return namespace;
  try {
    return namespace.jurisdiction(place);
  } catch {
    // workerd on one machine throws a bare error: there is nowhere to place an object.
    throw invalid("JURISDICTION", "works only on Cloudflare: leave it unset here");
  }
}

function text(env: Env, name: VariableName): string | undefined {
  const value = env[name] as Variable;
  return value === undefined || value === "" ? undefined : String(value);
}

/** What something is signed with. */
function secret(env: Env, name: VariableName): Uint8Array | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const bytes = new TextEncoder().encode(value);
  if (bytes.length < 32) throw invalid(name, "must be at least 32 bytes long");
  return bytes;
}

function required(env: Env, name: VariableName): string {
  const value = text(env, name);
  if (value === undefined) throw invalid(name, "is not set");
  return value;
}

function whole(env: Env, name: VariableName, byDefault: number, min: number, max: number): number {
  const value = text(env, name);
  if (value === undefined) return byDefault;
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw invalid(name, `must be a whole number from ${min} to ${max}`);
  }
  return number;
}

/** One of the choices, of which the first is the default. */
function oneOf<const T extends readonly [string, ...string[]]>(
  env: Env,
  name: VariableName,
  choices: T,
): T[number] {
  const value = text(env, name) ?? choices[0];
  if (!choices.includes(value)) throw invalid(name, `must be ${choices.join(" or ")}`);
  return value;
}

function invalid(name: VariableName, rule: string): ServiceError {
  const message = `The variable ${name} ${rule}.`;
  console.error(message);
  return new ServiceError("UNAVAILABLE", `${message} Its operator has to set it.`, {
    headers: { "retry-after": "60" },
  });
}
