// The headers that responses carry, described once.

import type { ErrorCode } from "../protocol.ts";

const HEADERS = {
  "X-Query-Id": {
    about: "The query's id, by which every other route knows it.",
    example: "1-0b8e1f6c2d3a4b5c9d7e8f9012345678",
  },
  RateLimit: {
    about:
      "What remains of the quota, and the seconds until its window ends (draft-ietf-httpapi-ratelimit-headers).",
    example: '"quota";r=19;t=3600',
  },
  "RateLimit-Policy": {
    about: "The limit, and the window's length in seconds.",
    example: '"quota";q=20;w=86400',
  },
  "Idempotency-Replayed": {
    about: "`true` if a stored answer is read again, which is free.",
    example: "true",
  },
  "Server-Timing": {
    about:
      "The milliseconds that admission took and, with an answer in one body, the first token and the whole generation. A stored answer has none.",
    example: "admit;dur=1",
  },
  "Retry-After": { about: "When to ask again, in seconds.", example: "60" },
  "X-Should-Retry": {
    about: "`false` where asking again by itself would be wrong.",
    example: "false",
  },
  "WWW-Authenticate": {
    about: "What is wrong with the bearer token (RFC 6750).",
    example: 'Bearer error="invalid_token"',
  },
  "Set-Cookie": {
    about: "The session of a page of this origin.",
    example: "__Host-belay=eyJhbGciOiJIUzI1NiJ9…; Path=/; HttpOnly; SameSite=Strict; Secure",
  },
  "X-Vercel-AI-UI-Message-Stream": {
    about: "The version of the AI SDK's stream.",
    example: "v1",
  },
  "Mcp-Session-Id": {
    about: "Of the answer to `initialize`: send it with each later message.",
    example: "4f8a1c8e-8e43-4d0a-9d2f-6f5b5a3e9c11",
  },
  "Accept-Encoding": { about: "How a body may be encoded: not at all.", example: "identity" },
  "Cache-Control": { about: "How long a cache may keep it.", example: "public, max-age=300" },
} as const satisfies Record<string, { readonly about: string; readonly example: string }>;

export type HeaderName = keyof typeof HEADERS;

/** The headers of an answer, and of a refusal after its query was begun. */
export const ANSWER_HEADERS = [
  "X-Query-Id",
  "RateLimit",
  "RateLimit-Policy",
  "Idempotency-Replayed",
  "Server-Timing",
] as const satisfies readonly HeaderName[];

/** The headers that refusals with these codes have besides. */
const ERROR_HEADERS: Readonly<Partial<Record<ErrorCode, readonly HeaderName[]>>> = {
  UNAUTHENTICATED: ["WWW-Authenticate"],
  CANCELLED: ["X-Query-Id", "RateLimit", "RateLimit-Policy", "X-Should-Retry"],
  UNSUPPORTED_MEDIA_TYPE: ["Accept-Encoding"],
  QUOTA_EXCEEDED: ["RateLimit", "RateLimit-Policy", "Retry-After", "X-Should-Retry"],
  TOO_MANY_STREAMS: ["Retry-After"],
  TOO_MANY_SESSIONS: ["Retry-After"],
  GENERATION_FAILED: ["X-Query-Id", "RateLimit", "RateLimit-Policy"],
  RETRIEVAL_FAILED: ["X-Query-Id", "RateLimit", "RateLimit-Policy"],
  GENERATION_TIMEOUT: ["X-Query-Id", "RateLimit", "RateLimit-Policy"],
  BUDGET_EXCEEDED: ["Retry-After", "X-Should-Retry"],
  UNAVAILABLE: ["X-Query-Id", "RateLimit", "RateLimit-Policy", "Retry-After"],
};

export function errorHeaders(codes: readonly ErrorCode[]): readonly HeaderName[] {
  return [...new Set(codes.flatMap((code) => ERROR_HEADERS[code] ?? []))];
}

/** `components.headers`. */
export function headerComponents(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(HEADERS).map(([name, { about, example }]) => [
      name,
      { description: about, schema: { type: "string" }, example },
    ]),
  );
}

export function headerRefs(names: readonly HeaderName[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
