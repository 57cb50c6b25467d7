// An answer, and how it is written as OpenAI's Responses.

import type { WholeAnswer } from "../../src/formats/format.ts";
import {
  type Chosen,
  eventsUpTo,
  NOTHING_CHOSEN,
  responseEvents,
} from "../../src/formats/openai-responses.ts";
import type { ErrorBody, Receipt, Source } from "../../src/protocol.ts";

export const QUERY_ID = "1-0123456789abcdef0123456789abcdef";
export const HEAD = { queryId: QUERY_ID, askedAt: 1_764_000_000_500 };
export const CHOSEN: Chosen = {
  ...NOTHING_CHOSEN,
  metadata: { ticket: "7" },
  instructions: "Be brief.",
};
export const TOKENS = ["Refunds take ", '"two" days\u2028[2]. ', "Ask again [1][2]."];

export function source(n: number, url: string | null, cited: boolean): Source {
  const id = `doc-${n}`;
  return {
    ...{ n, id: `${id}#0`, documentId: id, title: `Document ${n}`, heading: [], url },
    ...{ snippet: "A passage.", score: 0.5, cited },
  };
}

export const ANSWER: WholeAnswer = {
  ...HEAD,
  tokens: TOKENS,
  sources: [
    source(1, "https://example.com/1", true),
    source(2, "https://example.com/2", true),
    source(3, "https://example.com/3", false),
  ],
  finish: "stop",
  found: true,
  quotaRemaining: 19,
};

export const FAILURE: ErrorBody = {
  ...{ type: "error", code: "GENERATION_FAILED", message: "The model broke off." },
  ...{ queryId: QUERY_ID, quotaRemaining: 20 },
};

/** The whole stream as a server writes it. */
export function written(startingAfter?: number, answer: WholeAnswer = ANSWER): string {
  const format = responseEvents(CHOSEN, startingAfter);
  const after = startingAfter === undefined ? 0 : eventsUpTo(startingAfter);
  const events = [
    { type: "sources" as const, sources: answer.sources },
    ...answer.tokens.map((token) => ({ type: "token" as const, token })),
  ];
  return [
    after === 0 ? format.opening(HEAD, 19) : "",
    format.heartbeat(HEAD),
    ...events.map((event, at) => (at + 2 > after ? format.event(event, at + 2, HEAD) : "")),
    format.heartbeat(HEAD),
    format.closing(answer),
  ].join("");
}

export const RECEIPT: Receipt = {
  ...{ queryId: QUERY_ID, state: "charged", reason: null, window: "2026-11" },
  ...{ askedAt: "2026-11-28T18:00:00.000Z", resolvedAt: "2026-11-28T18:00:09.000Z" },
  ...{
    onDisconnect: "wait",
    collections: ["default"],
    query: "How?",
    answer: TOKENS.join(""),
    sources: ANSWER.sources,
  },
  ...{ finish: "stop", found: true, tokens: 3, firstTokenMs: 1, totalMs: 2 },
  ...{ rewriteMs: null, rewriteTokens: null, fallback: false, feedback: null },
};
/** What a receipt lacks without an answer. */
export const UNANSWERED = {
  ...{ answer: null, sources: null, finish: null, found: null, tokens: null },
};

/** A stream that breaks off after one token. */
export function brokenOff(): string {
  const format = responseEvents(CHOSEN);
  return [
    format.opening(HEAD, 19),
    format.event({ type: "sources", sources: [] }, 2, HEAD),
    format.event({ type: "token", token: "Half of" }, 3, HEAD),
    format.error(FAILURE, { head: HEAD, number: 4 }),
  ].join("");
}
