// The variables: their names and their checked values. Each
// value is checked when it is first used. A wrong one refuses
// the request with UNAVAILABLE. The message and the log name
// the variable, never its value: it may be a misplaced secret.
// docs/configuration.md says what each variable means.

import { collectionNames } from "./collections.ts";
import { ServiceError } from "./errors.ts";
import { kept } from "./kept.ts";
import { DEFAULT_COLLECTION, type QuotaPeriod } from "./protocol.ts";

/** Values are strings; wrangler.toml can set numbers and booleans too. */
export type Variables = Readonly<Record<string, unknown>>;

type Value = string | number | boolean | undefined;

export const VARIABLES = [
  "AUTH_SECRET",
  "AUTH_SECRET_PREVIOUS",
  "AUTH_JWKS_URL",
  "AUTH_ALGORITHM",
  "AUTH_ISSUER",
  "AUTH_AUDIENCE",
  "AUTH_OPERATOR_CLAIM",
  "ACCESS_TEAM_URL",
  "ACCESS_AUDIENCE",
  "ALLOWED_HOSTS",
  "TRUSTED_PROXIES",
  "CORS_ORIGINS",
  "EMBED_ORIGINS",
  "PAGE_TITLE",
  "PAGE_ACCENT",
  "PAGE_GREETING",
  "PAGE_SIGN_IN_URL",
  "EXAMPLE_QUESTIONS",
  "QUOTA_LIMIT",
  "ANONYMOUS_LIMIT",
  "SESSION_SECRET",
  "QUOTA_PERIOD",
  "REFUND_LIMIT",
  "FAILURE_LIMIT",
  "CONCURRENCY_LIMIT",
  "REPEAT_WINDOW_SECONDS",
  "RESUME_WAIT_SECONDS",
  "PING_INTERVAL_MS",
  "DELIVERY_HOLD_MS",
  "WRITE_TIMEOUT_MS",
  "BODY_TIMEOUT_MS",
  "FIRST_TOKEN_TIMEOUT_MS",
  "THINKING_TIMEOUT_MS",
  "TOKEN_GAP_TIMEOUT_MS",
  "GENERATION_TIMEOUT_MS",
  "SWEEP_INTERVAL_MS",
  "RETENTION_DAYS",
  "ANSWER_BYTES_MAX",
  "SHARE_QUERIES",
  "CHARGE_NOTHING_FOUND",
  "BUDGET_LIMIT",
  "BUDGET_ANONYMOUS_LIMIT",
  "BUDGET_USD",
  "BUDGET_PERIOD",
  "BUDGET_FALLBACK",
  "PRICE_INPUT_USD",
  "PRICE_OUTPUT_USD",
  "JURISDICTION",
  "GENERATOR",
  "EXTRACTIVE_TOKENS_PER_SECOND",
  "OPENAI_BASE_URL",
  "OPENAI_MODEL",
  "OPENAI_API_KEY",
  "WORKERS_AI_MODEL",
  "REWRITE",
  "COLLECTIONS",
  "CORPUS_COPIES",
  "RETRIEVER",
  "EMBEDDER",
  "EMBEDDING_MODEL",
  "RERANKER",
  "RERANKER_MODEL",
  "RERANKER_BASE_URL",
  "RERANKER_API_KEY",
  "RERANKER_TIMEOUT_MS",
] as const;

export type VariableName = (typeof VARIABLES)[number];

/** They are never in wrangler.toml, and never printed. */
export const SECRETS = [
  "AUTH_SECRET",
  "AUTH_SECRET_PREVIOUS",
  "SESSION_SECRET",
  "OPENAI_API_KEY",
  "RERANKER_API_KEY",
] as const satisfies readonly VariableName[];

export type SecretName = (typeof SECRETS)[number];

/** What each binding is. A binding is an object, so text cannot set it. */
export const BINDINGS = {
  USERS: "the Durable Objects of users",
  CORPUS: "the Durable Object of documents",
  COPIES: "the Durable Objects of copies of the documents",
  DIRECTORY: "the Durable Object that knows all users",
  BUDGET: "the Durable Object that lends what may be spent",
  AI: "Workers AI",
  VECTORIZE: "the index of vectors",
  SESSION_RATE: "the counter of new sessions",
  PAGE: "the files of the page",
  ASSETS: "the files of the page",
} as const;

/** Limits and times, for the objects and for /healthz. */
export interface UserConfig {
  readonly quotaLimit: number;
  readonly quotaPeriod: QuotaPeriod;
  readonly refundLimit: number;
  /** For the user objects of readers without a bearer token. */
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
  readonly chargeNothingFound: boolean;
}

const DAY_MS = 86_400_000;
export const userConfig = kept(readUserConfig);

function readUserConfig(env: Variables): UserConfig {
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
    chargeNothingFound: oneOf(env, "CHARGE_NOTHING_FOUND", ["false", "true"]) === "true",
  };
}

function refundLimit(env: Variables, limit: number): number {
  return whole(env, "REFUND_LIMIT", limit, 0, 1_000_000_000);
}

/** 0: readers without a bearer token are refused. */
export function anonymousLimit(env: Variables): number {
  return whole(env, "ANONYMOUS_LIMIT", 0, 0, 1_000_000_000);
}

/** How long a request's body may take to arrive. */
export function bodyTimeoutMs(env: Variables): number {
  return whole(env, "BODY_TIMEOUT_MS", 10_000, 10, DAY_MS);
}

/** The hosts this server answers to, in lower case. Empty: any host. */
export const allowedHosts = kept(readAllowedHosts);

function readAllowedHosts(env: Variables): readonly string[] {
  const hosts = list(env, "ALLOWED_HOSTS", ",");
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

/** The origins whose pages may read responses. edge/cors.ts checks them. */
export function corsOrigins(env: Variables): readonly string[] {
  return list(env, "CORS_ORIGINS", ",");
}

/** The origins whose pages may embed Belay. edge/cors.ts checks them. */
export function embedOrigins(env: Variables): readonly string[] {
  return list(env, "EMBED_ORIGINS", ",");
}

/** The collections that callers read whose bearer token names none. */
export const defaultCollections = kept(readDefaultCollections);

function readDefaultCollections(env: Variables): readonly string[] {
  const list = (text(env, "COLLECTIONS") ?? DEFAULT_COLLECTION).split(",");
  const names = collectionNames(list.map((name) => name.trim()));
  if (names !== undefined) return names;
  throw invalid(
    "COLLECTIONS",
    "must be names of collections, of 1 to 64 lower-case letters, digits and hyphens, comma-separated",
  );
}

/** How many copies of the documents searches are spread over. */
export function corpusCopies(env: Variables): number {
  return whole(env, "CORPUS_COPIES", 0, 0, 64);
}

export function retrieverKind(env: Variables): "full-text" | "vector" | "hybrid" {
  return oneOf(env, "RETRIEVER", ["full-text", "vector", "hybrid"]);
}

export type EmbedderConfig =
  | { readonly kind: "workers-ai"; readonly model: string }
  | { readonly kind: "openai"; readonly endpoint: EndpointConfig };

export function embedderConfig(env: Variables): EmbedderConfig {
  const kind = oneOf(env, "EMBEDDER", ["workers-ai", "openai"]);
  switch (kind) {
    case "workers-ai":
      return { kind, model: workersAiModel(env, "EMBEDDING_MODEL", "@cf/baai/bge-m3") };
    case "openai":
      return { kind, endpoint: endpoint(env, "EMBEDDING_MODEL") };
  }
}

export type RerankerConfig = { readonly timeoutMs: number } & (
  | { readonly kind: "workers-ai"; readonly model: string }
  | { readonly kind: "openai-compatible"; readonly endpoint: EndpointConfig }
);

/** Undefined if there is none. */
export function rerankerConfig(env: Variables): RerankerConfig | undefined {
  if (text(env, "RERANKER") === undefined) return undefined;
  const kind = oneOf(env, "RERANKER", ["workers-ai", "openai-compatible"]);
  const timeoutMs = whole(env, "RERANKER_TIMEOUT_MS", 3_000, 10, 60_000);
  switch (kind) {
    case "workers-ai": {
      const model = workersAiModel(env, "RERANKER_MODEL", "@cf/baai/bge-reranker-base");
      return { kind, model, timeoutMs };
    }
    case "openai-compatible":
      return { kind, endpoint: rerankerEndpoint(env), timeoutMs };
  }
}

export type GeneratorConfig =
  | { readonly kind: "extractive"; readonly tokensPerSecond: number }
  | { readonly kind: "openai"; readonly endpoint: EndpointConfig }
  | { readonly kind: "workers-ai"; readonly model: string };

export function generatorConfig(env: Variables): GeneratorConfig {
  const kind = oneOf(env, "GENERATOR", ["extractive", "openai", "workers-ai"]);
  switch (kind) {
    case "extractive":
      return { kind, tokensPerSecond: whole(env, "EXTRACTIVE_TOKENS_PER_SECOND", 0, 0, 100_000) };
    case "openai":
      return { kind, endpoint: endpoint(env, "OPENAI_MODEL") };
    case "workers-ai":
      return { kind, model: workersAiModel(env, "WORKERS_AI_MODEL", "@cf/openai/gpt-oss-120b") };
  }
}

/** Whether a model writes follow-ups as queries of their own. */
export function rewriteMode(env: Variables): "off" | "auto" {
  return oneOf(env, "REWRITE", ["off", "auto"]);
}

function workersAiModel(env: Variables, name: VariableName, byDefault: string): string {
  const value = text(env, name) ?? byDefault;
  if (!/^@\w+(?:\/[\w.-]+){2}$/.test(value)) {
    throw invalid(name, `must be the name of a model such as ${byDefault}`);
  }
  return value;
}

/** An OpenAI-compatible endpoint. wiring.ts checks the URL. */
export interface EndpointConfig {
  /** The variable that has the address. */
  readonly variable: VariableName;
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: string | undefined;
}

function endpoint(env: Variables, model: VariableName): EndpointConfig {
  return {
    variable: "OPENAI_BASE_URL",
    baseUrl: required(env, "OPENAI_BASE_URL"),
    model: required(env, model),
    apiKey: apiKeyOf(env, "OPENAI_API_KEY"),
  };
}

/** Without an address of its own, the endpoint for answers. */
function rerankerEndpoint(env: Variables): EndpointConfig {
  const baseUrl = text(env, "RERANKER_BASE_URL");
  const apiKey = apiKeyOf(env, "RERANKER_API_KEY");
  if (baseUrl === undefined) {
    const shared = endpoint(env, "RERANKER_MODEL");
    return { ...shared, apiKey: apiKey ?? shared.apiKey };
  }
  // OPENAI_API_KEY is not for another endpoint.
  const model = required(env, "RERANKER_MODEL");
  return { variable: "RERANKER_BASE_URL", baseUrl, model, apiKey };
}

/** A file with a key often ends in a line break, which is none of it. */
function apiKeyOf(env: Variables, name: VariableName): string | undefined {
  const value = text(env, name)?.trim();
  // No header can have another character: each ask would fail.
  if (value === undefined || /^[ -~]*$/.test(value)) return value || undefined;
  throw invalid(name, "must be one line of letters, digits and signs of ASCII");
}

/** fetch refuses a URL with a password, and its error would show it. */
export function isFetchable({ protocol, username, password }: URL): boolean {
  return /^https?:$/.test(protocol) && username === "" && password === "";
}

/** Undefined if Cloudflare chooses. */
export function jurisdiction(env: Variables): "eu" | "fedramp" | undefined {
  if (text(env, "JURISDICTION") === undefined) return undefined;
  return oneOf(env, "JURISDICTION", ["eu", "fedramp"]);
}

export function text(env: Variables, name: VariableName): string | undefined {
  const value = env[name] as Value;
  return value === undefined || value === "" ? undefined : String(value);
}

/** The items between separators, without the white space around them. */
export function list(env: Variables, name: VariableName, separator: string): readonly string[] {
  return (text(env, name) ?? "").split(separator).map((item) => item.trim());
}

function required(env: Variables, name: VariableName): string {
  const value = text(env, name);
  if (value === undefined) throw invalid(name, "is not set");
  return value;
}

function whole(
  env: Variables,
  name: VariableName,
  byDefault: number,
  min: number,
  max: number,
): number {
  const value = text(env, name);
  if (value === undefined) return byDefault;
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw invalid(name, `must be a whole number from ${min} to ${max}`);
  }
  return number;
}

/** One of the choices. The first is the default. */
export function oneOf<const T extends readonly [string, ...string[]]>(
  env: Variables,
  name: VariableName,
  choices: T,
): T[number] {
  const value = text(env, name) ?? choices[0];
  if (!choices.includes(value)) throw invalid(name, `must be ${choices.join(" or ")}`);
  return value;
}

/** The refusal for a wrong variable. The operator's log has it too. */
export function invalid(name: VariableName, rule: string): ServiceError {
  const message = `The variable ${name} ${rule}.`;
  console.error(message);
  return new ServiceError(
    "UNAVAILABLE",
    `${message} The operator of this deployment has to set it.`,
    {
      headers: { "retry-after": "60" },
    },
  );
}
