// The names that the Worker reads from its environment: every variable, in README's order, and every binding.
// The commands share this list, to tell a misspelt name. Pure.

export const VARIABLES = [
  "AUTH_SECRET",
  "AUTH_JWKS_URL",
  "AUTH_ALGORITHM",
  "AUTH_ISSUER",
  "AUTH_AUDIENCE",
  "AUTH_OPERATOR_CLAIM",
  "ALLOWED_HOSTS",
  "CORS_ORIGINS",
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
  "JURISDICTION",
  "GENERATOR",
  "EXTRACTIVE_TOKENS_PER_SECOND",
  "OPENAI_BASE_URL",
  "OPENAI_MODEL",
  "OPENAI_API_KEY",
  "WORKERS_AI_MODEL",
  "RETRIEVER",
  "EMBEDDER",
  "EMBEDDING_MODEL",
] as const;

export type VariableName = (typeof VARIABLES)[number];

/** What is no text, and so cannot be set like a variable: what each is. */
export const BINDINGS = {
  USERS: "the Durable Objects of users",
  CORPUS: "the Durable Object of documents",
  AI: "Workers AI",
  VECTORIZE: "the index of vectors",
  SESSION_RATE: "the counter of new sessions",
  PAGE: "the files of the page",
  ASSETS: "the files of the page",
} as const;
