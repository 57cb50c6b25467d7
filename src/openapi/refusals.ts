// Every error code: what it means, and the responses that carry it. The status
// of a code is in errors.ts alone.

import { STATUS } from "../errors.ts";
import type { ErrorCode } from "../protocol.ts";
import { errorHeaders, type HeaderName, headerRefs } from "./headers.ts";
import type { JsonSchema, Operation } from "./operation.ts";

const MEANING: Readonly<Record<ErrorCode, string>> = {
  INVALID_REQUEST:
    "The body, a parameter or the `Host` header breaks a rule; the message names it.",
  INVALID_IDEMPOTENCY_KEY: "The `Idempotency-Key` is not 1 to 255 visible ASCII characters.",
  UNAUTHENTICATED: "The bearer token is missing, expired or not valid here.",
  FORBIDDEN:
    "Only operators may do this; or this server does not answer to this host or to pages of this origin.",
  BLOCKED: "An operator has blocked this user; only new asks, and searches over MCP, are refused.",
  NOT_FOUND: "Nothing is at this address, or it is not yours.",
  METHOD_NOT_ALLOWED: "The address takes other methods; `Allow` lists them.",
  REQUEST_TIMEOUT: "The body took too long to arrive.",
  CANCELLED: "The answer was stopped; the message says whether you were charged.",
  NOT_FINISHED: "The answer is still being written.",
  NOT_KEPT: "The answer was refunded or deleted, or is older than answers are kept.",
  PAYLOAD_TOO_LARGE: "The body is too long.",
  UNSUPPORTED_MEDIA_TYPE:
    "The body was not sent as JSON, or as the type that the route takes, or was compressed.",
  IDEMPOTENCY_KEY_REUSED: "This `Idempotency-Key` was sent with another body.",
  QUOTA_EXCEEDED: "The limit of this window is used up.",
  TOO_MANY_STREAMS: "Too many answers are being written or read for you.",
  TOO_MANY_SESSIONS: "Too many sessions were started from your address.",
  INTERNAL: "A fault of ours.",
  GENERATION_FAILED: "The model failed. You were not charged.",
  RETRIEVAL_FAILED: "The documents could not be searched. You were not charged.",
  UNAVAILABLE: "The service is not set up or could not answer now. You were not charged.",
  BUDGET_EXCEEDED: "What all users together may spend is used up. You were not charged.",
  GENERATION_TIMEOUT:
    "The model did not begin, thought for too long, or stalled. You were not charged.",
};

export const ERROR_CODES = Object.keys(STATUS) as ErrorCode[];

/** The codes of an ask's refusals, on every surface. */
export const ASK_ERRORS = [
  "INVALID_IDEMPOTENCY_KEY",
  "BLOCKED",
  "NOT_FOUND",
  "CANCELLED",
  "NOT_KEPT",
  "IDEMPOTENCY_KEY_REUSED",
  "QUOTA_EXCEEDED",
  "TOO_MANY_STREAMS",
  "TOO_MANY_SESSIONS",
  "GENERATION_FAILED",
  "RETRIEVAL_FAILED",
  "BUDGET_EXCEEDED",
  "GENERATION_TIMEOUT",
] as const satisfies readonly ErrorCode[];

const EVERY_ROUTE = ["INVALID_REQUEST", "FORBIDDEN", "INTERNAL", "UNAVAILABLE"] as const;
const WITH_A_BODY = ["REQUEST_TIMEOUT", "PAYLOAD_TOO_LARGE"] as const;

/** The codes of an operation by their status. */
export function codesOf(operation: Operation): Map<number, ErrorCode[]> {
  const { route, callers, body, errors = [] } = operation;
  const codes = new Set<ErrorCode>([...EVERY_ROUTE, ...errors]);
  if (callers !== "everybody") codes.add("UNAUTHENTICATED");
  // A compressed body is refused even where none is read.
  if (!route.startsWith("GET ") && callers !== "everybody") codes.add("UNSUPPORTED_MEDIA_TYPE");
  if (body !== undefined) for (const code of WITH_A_BODY) codes.add(code);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of ERROR_CODES.filter((known) => codes.has(known))) {
    byStatus.set(STATUS[code], [...(byStatus.get(STATUS[code]) ?? []), code]);
  }
  return byStatus;
}

/** A response that carries one of these codes, which share a status. */
export function refusalResponse(
  codes: readonly ErrorCode[],
  content: {
    readonly schema: JsonSchema;
    readonly types: readonly string[];
    readonly headers: readonly HeaderName[];
  },
): JsonSchema {
  const { schema, types } = content;
  const headers = [...errorHeaders(codes), ...content.headers];
  return {
    description: codes.map((code) => `\`${code}\`: ${MEANING[code]}`).join("\n\n"),
    ...(headers.length > 0 && { headers: headerRefs(headers) }),
    content: Object.fromEntries(types.map((type) => [type, { schema }])),
  };
}

/** Every code with its status, as a table in Markdown. */
export function codeTable(): string {
  const rows = ERROR_CODES.map((code) => `| ${STATUS[code]} | \`${code}\` | ${MEANING[code]} |`);
  return ["| status | code | when |", "| --- | --- | --- |", ...rows].join("\n");
}
