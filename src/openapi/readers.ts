// Asking, and what a reader sees of their own queries.

import { EVENTS_HAD, RECEIPTS_LISTED, SEARCH_LENGTH_MAX } from "../protocol.ts";
import { AskBody, FeedbackBody } from "../user/ask.ts";
import * as bodies from "./bodies.ts";
import { ANSWER_HEADERS } from "./headers.ts";
import {
  type Operation,
  type Parameter,
  type Part,
  type Reply,
  STRICT,
  shape,
  wholeNumberSchema,
} from "./operation.ts";
import { ASK_ERRORS, codeTable } from "./refusals.ts";

const QUERY_ID = "1-0b8e1f6c2d3a4b5c9d7e8f9012345678";

export const queryId: Parameter = {
  name: "id",
  in: "path",
  about: "The query's id: `X-Query-Id` of its answer.",
  schema: { type: "string" },
  example: QUERY_ID,
};

export const idempotencyKey: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  about: "Sent again with the same body, it is the same ask: you pay at most once within 24 hours.",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
  example: "4f8a1c8e-8e43-4d0a-9d2f-6f5b5a3e9c11",
};

/** The reply of every ask to a client that repeats it by itself. */
export const askedTooOften: Reply = {
  about:
    "The same stored answer was read three times in a row by a client that asks again by itself; this makes it stop.",
  headers: ["X-Query-Id", "RateLimit", "RateLimit-Policy"],
};

const ask: Operation = {
  route: "POST /api/v1/ai/ask",
  id: "ask",
  startsSession: true,
  summary: "Ask a question",
  about:
    "With `stream=true` the answer comes as events, piece by piece; otherwise as one JSON object when it is whole. Only a whole answer is charged: if you disconnect before its end, the model is stopped and you are refunded.",
  callers: "readers",
  parameters: [
    {
      name: "stream",
      in: "query",
      about: "Whether the answer, or the error, comes as an event stream.",
      schema: { type: "boolean", default: false },
      example: true,
    },
    idempotencyKey,
  ],
  body: {
    shape: "AskBody",
    examples: {
      question: { query: "When am I charged?" },
      everything: {
        query: "And if I disconnect?",
        topK: 8,
        maxTokens: 512,
        temperature: 0.2,
        history: [
          { role: "user", content: "When am I charged?" },
          { role: "assistant", content: "Once the answer has arrived whole." },
        ],
        onDisconnect: "wait",
        collections: ["default"],
      },
    },
  },
  replies: {
    200: {
      about: "The answer.",
      headers: [...ANSWER_HEADERS, "Set-Cookie"],
      json: "Answer",
      events: "StreamEvent",
    },
    204: askedTooOften,
  },
  errors: ASK_ERRORS,
};

export function readers(): Part {
  return {
    tag: "Answers",
    about: `Ask, read again, stop and rate answers, and see what they cost. ${STRICT} With \`stream=true\`, a refusal is the only event of an event stream, under the same status.`,
    shapes: {
      AskBody: shape(AskBody, "A question.", {
        query: "The question.",
        topK: "The most passages to answer from.",
        maxTokens: "The longest answer, including what the model thinks before it, in tokens.",
        temperature: "By default the model's own.",
        history: "Earlier turns. The newest are shown to the model, up to 16,000 characters.",
        onDisconnect:
          "When the last reader disconnects: `cancel` stops and refunds the answer, `wait` does so unless a reader comes back, `continue` finishes, charges and keeps it.",
        collections: "Where to search. By default in all collections that you may read.",
      }),
      FeedbackBody: shape(FeedbackBody, "A rating of an answer.", {
        queryId: "The rated query.",
        rating: "`null` removes the rating and its comment.",
        comment: "Without it, the comment stays; `null` deletes it.",
      }),
      Source: shape(bodies.source, "A passage that was given to the answer.", {
        n: "Its number in this answer. The answer cites it as `[n]`.",
        id: "The document's id, `#`, and the passage's number in it.",
        documentId: "The document that it is from.",
        collection: "That of the document; absent for `default`.",
        title: "The document's title.",
        heading: "The headings above the passage, outermost first.",
        url: "Where to read on.",
        snippet: "Plain text, never HTML.",
        score: "How well the passage covers the query.",
        cited: "Whether the answer cites it; only once the answer is whole.",
      }),
      Answer: shape(bodies.answer, "A whole answer.", {
        queryId: "Names the query on every other route.",
        quotaRemaining: "The number of further answers that your quota allows.",
        answer: "The answer, as Markdown.",
        sources: "The passages that were given to the answer.",
        finish: "`length` if a limit cut the answer.",
        found: "False if the answer says only that nothing was found.",
      }),
      StartEvent: shape(bodies.startEvent, "First, before anything is searched.", {
        type: "Which event it is.",
        queryId: "Names the query on every other route.",
        quotaRemaining: "Your own query is already reserved in it.",
      }),
      SourcesEvent: shape(bodies.sourcesEvent, "Once the passages are found.", {
        type: "Which event it is.",
        sources: "The passages that are given to the answer.",
      }),
      TokenEvent: shape(bodies.tokenEvent, "One piece of the answer.", {
        type: "Which event it is.",
        token: "The answer is all tokens, one after the other.",
      }),
      PingEvent: shape(bodies.pingEvent, "Sent in a silence. Skip it.", {
        type: "Which event it is.",
      }),
      DoneEvent: shape(bodies.doneEvent, "Last: the answer is whole.", {
        type: "Which event it is.",
        queryId: "Names the query on every other route.",
        quotaRemaining: "The number of further answers that your quota allows.",
        sources: "The passages again, each with `cited`.",
        finish: "`length` if a limit cut the answer.",
        found: "False if the answer says only that nothing was found.",
      }),
      ErrorCode: {
        schema: bodies.errorCode,
        about: `What went wrong. Programs should read this only.\n\n${codeTable()}`,
      },
      Error: shape(bodies.error, "A refusal, or the last event of an answer that failed.", {
        type: "Which event it is, in a stream.",
        message: "Says what to do.",
        code: "What went wrong.",
        queryId: "If a query was begun.",
        quotaRemaining: "If a query was begun.",
        resetsAt:
          "With `QUOTA_EXCEEDED` and `BUDGET_EXCEEDED`: when the window or period ends; `null` if it never does.",
      }),
      StreamEvent: {
        schema: bodies.streamEvent,
        about:
          "The JSON after `data: ` of one event. Each event is one such line and an empty line. The order is `start`, `sources`, any number of `token`s, and one `done` or `error`, with `ping`s anywhere between. Skip an event of an unknown type. A stream that ends without `done` or `error` has failed.",
      },
      Feedback: shape(bodies.feedback, "How a reader rated an answer.", {
        rating: "Their latest rating.",
        comment: "Their words.",
      }),
      Rated: shape(bodies.rated, "The rating that is stored now.", {
        queryId: "The rated query.",
        rating: "The rating.",
        comment: "The comment.",
      }),
      Receipt: shape(bodies.receipt, "Everything about one query.", {
        queryId: "The query's id.",
        state: "`reserved` while it runs.",
        reason: "Why it was refunded.",
        window: "The quota window that it counts in.",
        askedAt: "When it was asked.",
        resolvedAt: "When it was charged or refunded.",
        onDisconnect: "As it was asked.",
        collections: "The collections that were searched.",
        query: "The question; `null` once it is no longer kept.",
        answer: "The whole answer; `null` without one, and once it is no longer kept.",
        sources: "The passages that were given to the answer.",
        finish: "`length` if a limit cut the answer.",
        found: "False if the answer says only that nothing was found; `null` without an answer.",
        tokens: "The number of `token` events in the answer.",
        firstTokenMs: "To the first token, in milliseconds.",
        totalMs: "The whole generation, in milliseconds.",
        rewriteMs: "The rewrite of the question for the search, in milliseconds.",
        rewriteTokens: "What that rewrite used, if the model counted it.",
        fallback: "Whether the budget was used up, so that no model answered.",
        feedback: "The reader's rating.",
      }),
      ReceiptPage: shape(bodies.receiptPage, "A page of receipts.", {
        queries: "The newest first.",
        before: "Send it as `before` for the next page; `null` on the last.",
      }),
      Quota: shape(bodies.quota, "What is left of a quota in the current window.", {
        limit: "The answers that a window allows.",
        remaining: "`limit` less `reserved` and `charged`.",
        reserved: "Answers being written now.",
        charged: "Answers that were charged.",
        refunded: "Answers that cost nothing.",
        refundsLeft: "Refunds for disconnecting or stopping that this window still allows.",
        period: "How long a window is.",
        resetsAt: "When the window ends; `null` if it never does.",
      }),
      Examples: shape(bodies.examples, "Questions that readers may ask.", {
        empty: "Whether there is no document yet.",
        questions: "At most six: the operator's own, or four that the documents suggest.",
      }),
      Session: shape(bodies.session, "The session of a page that embeds Belay.", {
        token:
          "Send it as a bearer token. It is of use to this origin and this address only, and not on operators' routes.",
        expiresAt: "When it expires: an hour from now.",
      }),
      PageIdentity: shape(bodies.pageIdentity, "How pages of this deployment show themselves.", {
        title: "The name of the page.",
        accent: "The colour of what can be clicked.",
        greeting: "What a new reader sees first.",
        signInUrl: "Where readers get a bearer token.",
        anonymous: "Whether readers may ask without a bearer token.",
        answers: "Whether passages are quoted, or a model writes the answers.",
      }),
    },
    operations: [
      {
        route: "POST /api/v1/session",
        id: "startSession",
        summary: "Start or renew a session of a page",
        about:
          "Only where the deployment accepts readers without a bearer token. A page of its own origin, by `Sec-Fetch-Site: same-origin` or its `Origin`, gets a cookie. A page of an origin that the deployment lists gets a token; sent with the next request here, that keeps the reader the same.",
        callers: "everybody",
        replies: {
          200: { about: "The token, for a page of a listed origin.", json: "Session" },
          204: { about: "The cookie, for a page of this origin.", headers: ["Set-Cookie"] },
        },
        errors: ["NOT_FOUND", "TOO_MANY_SESSIONS"],
      },
      {
        route: "GET /api/v1/page",
        id: "getPage",
        summary: "How pages of this deployment show themselves",
        callers: "everybody",
        replies: { 200: { about: "The identity.", json: "PageIdentity" } },
      },
      {
        route: "GET /api/v1/ai/examples",
        id: "listExamples",
        summary: "Questions that readers may ask",
        callers: "readers",
        parameters: [
          {
            name: "collections",
            in: "query",
            about: "The collections to take them from, comma-separated.",
            schema: { type: "string" },
            example: "default",
          },
        ],
        replies: { 200: { about: "The questions.", json: "Examples" } },
        errors: ["NOT_FOUND"],
      },
      ask,
      {
        route: "GET /api/v1/ai/quota",
        id: "getQuota",
        summary: "What is left of your quota",
        callers: "readers",
        replies: { 200: { about: "The quota.", json: "Quota" } },
      },
      {
        route: "GET /api/v1/ai/queries",
        id: "listQueries",
        summary: "Your receipts, the newest first",
        about:
          "With `search`, those whose question or answer contains all of the words. A search looks at a limited part of the log, so that a page may be empty and not the last: go on until `before` is `null`.",
        callers: "readers",
        parameters: [
          {
            name: "limit",
            in: "query",
            about: "The number of receipts.",
            schema: wholeNumberSchema(RECEIPTS_LISTED),
          },
          {
            name: "before",
            in: "query",
            about: "`before` of the page before.",
            schema: { type: "string" },
            example: QUERY_ID,
          },
          {
            name: "search",
            in: "query",
            about: "Words, or parts of words. Case and accents do not matter.",
            schema: { type: "string", minLength: 1, maxLength: SEARCH_LENGTH_MAX },
            example: "charged",
          },
        ],
        replies: { 200: { about: "A page of receipts.", json: "ReceiptPage" } },
      },
      {
        route: "GET /api/v1/ai/queries/:id",
        id: "getQuery",
        summary: "The receipt of one query, with its answer",
        callers: "readers",
        parameters: [queryId],
        replies: { 200: { about: "The receipt.", json: "Receipt" } },
        errors: ["NOT_FOUND"],
      },
      {
        route: "DELETE /api/v1/ai/queries/:id",
        id: "deleteQuery",
        summary: "Delete the question and the answer of one query",
        about:
          "The receipt stays, without texts, because the quota counts it. Deleting a query again changes nothing.",
        callers: "readers",
        parameters: [queryId],
        replies: { 204: { about: "The texts are deleted." } },
        errors: ["NOT_FOUND", "NOT_FINISHED"],
      },
      {
        route: "GET /api/v1/ai/queries/:id/events",
        id: "readEvents",
        summary: "Resume a stream, or read its events again",
        about: "From storage if the query was charged, live if it is being written. Free.",
        callers: "readers",
        parameters: [
          queryId,
          {
            name: "after",
            in: "query",
            about:
              "How many events you have: `start` is the first, `sources` the second, each `token` one more. `ping`s do not count.",
            schema: wholeNumberSchema(EVENTS_HAD),
          },
        ],
        replies: {
          200: {
            about: "The events after those.",
            headers: ANSWER_HEADERS,
            events: "StreamEvent",
          },
        },
        errors: ["NOT_FOUND", "NOT_KEPT", "TOO_MANY_STREAMS"],
      },
      {
        route: "POST /api/v1/ai/queries/:id/cancel",
        id: "cancelQuery",
        summary: "Stop an answer that is being written",
        about: "Stopping a query again changes nothing.",
        callers: "readers",
        parameters: [queryId],
        replies: { 200: { about: "The receipt.", json: "Receipt" } },
        errors: ["NOT_FOUND"],
      },
      {
        route: "POST /api/v1/ai/feedback",
        id: "rateAnswer",
        summary: "Rate an answer of yours",
        callers: "readers",
        body: {
          shape: "FeedbackBody",
          examples: {
            good: { queryId: QUERY_ID, rating: "up", comment: "Just what I wanted." },
            removed: { queryId: QUERY_ID, rating: null },
          },
        },
        replies: { 200: { about: "What is stored now.", json: "Rated" } },
        errors: ["NOT_FOUND", "NOT_KEPT"],
      },
    ],
  };
}
