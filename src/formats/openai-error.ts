// Errors in the form of OpenAI's API, which its clients understand.

import type { ServiceError } from "../errors.ts";
import { type ErrorBody, type ErrorCode, encodeJson } from "../protocol.ts";
import type { Refusal } from "./format.ts";
import { JSON_BODY } from "./json.ts";

type Type =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "insufficient_quota"
  | "rate_limit_error"
  | "server_error";

const TYPES: Partial<Record<ErrorCode, Type>> = {
  UNAUTHENTICATED: "authentication_error",
  FORBIDDEN: "permission_error",
  BLOCKED: "permission_error",
  QUOTA_EXCEEDED: "insufficient_quota",
  TOO_MANY_STREAMS: "rate_limit_error",
  TOO_MANY_SESSIONS: "rate_limit_error",
  INTERNAL: "server_error",
  GENERATION_FAILED: "server_error",
  RETRIEVAL_FAILED: "server_error",
  UNAVAILABLE: "server_error",
  BUDGET_EXCEEDED: "insufficient_quota",
  GENERATION_TIMEOUT: "server_error",
};

/** The codes that clients look for. */
const CODES: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: "invalid_api_key",
  QUOTA_EXCEEDED: "insufficient_quota",
  BUDGET_EXCEEDED: "insufficient_quota",
  TOO_MANY_STREAMS: "rate_limit_exceeded",
  TOO_MANY_SESSIONS: "rate_limit_exceeded",
};

/** JSON under its status, even if a stream was asked for. */
export const OPENAI_REFUSAL: Refusal = {
  refusalHeaders: JSON_BODY.refusalHeaders,
  refusal: ({ body, details }: ServiceError) => encodeJson(openAiError(body, details.openai)),
};

export function openAiError(
  { type: _, message, code, ...more }: ErrorBody,
  { code: theirs, param = null }: { code?: string; param?: string | null } = {},
) {
  return {
    error: {
      message,
      type: TYPES[code] ?? "invalid_request_error",
      param,
      code: theirs ?? CODES[code] ?? code,
      belay: { code, ...more },
    },
  };
}
