// What operators see of all users: the lists of the directory.

import * as bodies from "./directory-bodies.ts";
import { type Parameter, type Part, shape, wholeNumberSchema } from "./operation.ts";

/** As src/directory/parameters.ts. */
const LISTED = { byDefault: 50, min: 1, max: 200 };

const limit: Parameter = {
  name: "limit",
  in: "query",
  about: "The number on a page.",
  schema: wholeNumberSchema(LISTED),
  example: 50,
};

const before: Parameter = {
  name: "before",
  in: "query",
  about: "`before` of the page before.",
  schema: { type: "string", pattern: "^\\d{1,16}$" },
};

const TIME = { type: "string" };

const since: Parameter = {
  name: "since",
  in: "query",
  about: "A UTC day, or a time in ISO 8601: from then on.",
  schema: TIME,
  example: "2026-11-22",
};

const until: Parameter = {
  name: "until",
  in: "query",
  about: "A UTC day, or a time in ISO 8601: before it.",
  schema: TIME,
  example: "2126-11-23",
};

const rating: Parameter = {
  name: "rating",
  in: "query",
  about: "Only rated ones.",
  schema: { type: "string", enum: ["up", "down", "any"] },
  example: "down",
};

const filters: readonly Parameter[] = [
  {
    name: "found",
    in: "query",
    about: "`false`: the answer says only that nothing was found.",
    schema: { type: "string", enum: ["true", "false"] },
    example: "false",
  },
  rating,
  {
    name: "reason",
    in: "query",
    about: "Why it was refunded.",
    schema: {
      type: "string",
      enum: ["disconnected", "cancelled", "nothing_found", "failed", "expired", "operator"],
    },
    example: "nothing_found",
  },
  {
    name: "user",
    in: "query",
    about: "The user's whole name.",
    schema: { type: "string" },
    example: "alice",
  },
  {
    name: "collection",
    in: "query",
    about: "One that was searched.",
    schema: { type: "string" },
    example: "default",
  },
  since,
  until,
  limit,
  before,
];

const counts = {
  asked: "Queries of any ending.",
  charged: "Answers that were charged.",
  refunded: "Those that cost nothing, by reason.",
  failed: "Of the refunded, those that the model or this service failed.",
  tokens: "The tokens of the answers that arrived.",
};

export function directory(): Part {
  return {
    tag: "All users",
    about:
      "What operators see of all users. A query is in these lists seconds after it is resolved. With `SHARE_QUERIES=false` no word of a question, an answer or a comment is.",
    shapes: {
      ListedUser: shape(bodies.listedUser, "A user, with the numbers of their queries.", {
        user: "The name. Readers at one address without a bearer token share one.",
        firstSeen: "When they first asked.",
        lastSeen: "When they last asked.",
        ...counts,
        blocked: "Whether new asks are refused.",
        limit: "The limit that holds for them.",
      }),
      UserPage: shape(bodies.userPage, "A page of users.", {
        users: "In the order of `sort`.",
        after: "Send it as `after` for the next page; `null` on the last.",
      }),
      ListedQuery: shape(bodies.listedQuery, "A resolved query.", {
        queryId: "Its id.",
        user: "Who asked.",
        askedAt: "When it was asked.",
        state: "`charged` or `refunded`.",
        reason: "Why it was refunded.",
        found: "False if the answer says only that nothing was found.",
        score: "The best score of its passages.",
        cited: "How many sources the answer cites.",
        documents: "The documents that it cites.",
        closest: "If nothing was found: the documents of the best passages.",
        tokens: "The tokens of the answer.",
        firstTokenMs: "The time to the first token.",
        totalMs: "The time of the whole generation.",
        rating: "The user's rating.",
        collections: "The collections that were searched.",
        question: "`null` if it is not shared, or was deleted.",
        answer: "Its first 1,000 characters.",
        comment: "The user's comment.",
      }),
      QueryPage: shape(bodies.queryPage, "A page of queries.", {
        queries: "The newest first.",
        before: "Send it as `before` for the next page; `null` on the last.",
      }),
      ListedDay: shape(bodies.listedDay, "What all users asked on one UTC day.", {
        day: "The day.",
        ...counts,
        firstTokenMs: "How many times to the first token are at most each bound.",
        totalMs: "How many times of whole generations are at most each bound.",
      }),
      Totals: shape(bodies.totals, "The totals of each day.", {
        days: "The earliest first. Days without queries are left out.",
        boundsMs:
          "The bounds of the histograms. A histogram ends with its last count above 0, and has one more place for longer times.",
      }),
      Report: shape(bodies.report, "What users ask, and what they were not answered.", {
        since: "The first UTC day.",
        until: "The last UTC day.",
        words: "False if questions and comments are not shared: then there are numbers only.",
        totals: "The sum of these days.",
        unanswered:
          "What found nothing, small talk left out: in groups that have words in common, with examples and the documents that came nearest. `more`: older ones were left out.",
        feedback: "How many answers were rated, and the comments on those rated down.",
        questions: "What was asked most, of the newest queries.",
        documents:
          "What the newest answers cite most, and what they never cite; `null` if the documents could not be read.",
      }),
      LogEntry: shape(bodies.entry, "A change that an operator made.", {
        at: "When.",
        operator: "`sub` of the operator's bearer token.",
        action: "The method and the route.",
        target: "The user's name or the document's id. Of an erased user, a hash of the name.",
        status: "The status of the response.",
        change: "What was set.",
      }),
      LogPage: shape(bodies.entryPage, "A page of the operators' log.", {
        entries: "The newest first.",
        before: "Send it as `before` for the next page; `null` on the last.",
      }),
      LimitsChanged: shape(bodies.limitsChanged, "What became of a file of limits.", {
        changed: "The users that were changed.",
        refused: "The lines that were not, with the reason.",
      }),
      ExportedUser: shape(bodies.exportedUser, "The first line of an export.", {
        user: "The user's name.",
        limit: "The limit that holds now.",
        refundLimit: "The refund limit that holds now.",
        blocked: "Whether new asks are refused.",
        windows: "The counters of each window.",
      }),
      ExportLine: {
        schema: bodies.exportLine,
        about: "First the user, then a receipt of each query.",
      },
    },
    operations: [
      {
        route: "GET /api/v1/admin/users",
        id: "listUsers",
        summary: "List users",
        callers: "operators",
        parameters: [
          {
            name: "search",
            in: "query",
            about: "A part of the name.",
            schema: { type: "string" },
            example: "ali",
          },
          {
            name: "sort",
            in: "query",
            about: "The largest first; names in their order.",
            schema: {
              type: "string",
              enum: ["lastSeen", "asked", "charged", "refunded", "failed", "tokens", "name"],
            },
            example: "asked",
          },
          {
            name: "since",
            in: "query",
            about: "A UTC day: only what was asked from then on counts.",
            schema: TIME,
            example: "2026-11-22",
          },
          limit,
          {
            name: "after",
            in: "query",
            about: "`after` of the page before.",
            schema: { type: "string" },
          },
        ],
        replies: { 200: { about: "A page.", json: "UserPage" } },
      },
      {
        route: "GET /api/v1/admin/queries",
        id: "listAllQueries",
        summary: "List queries of all users",
        about: "A page may be empty though there are more.",
        callers: "operators",
        parameters: filters,
        replies: { 200: { about: "A page.", json: "QueryPage" } },
      },
      {
        route: "GET /api/v1/admin/feedback",
        id: "listFeedback",
        summary: "List rated queries",
        callers: "operators",
        parameters: filters,
        replies: { 200: { about: "A page.", json: "QueryPage" } },
      },
      {
        route: "GET /api/v1/admin/totals",
        id: "getTotals",
        summary: "Show the totals of each day",
        callers: "operators",
        parameters: [
          { ...since, about: "The first UTC day; by default 30 days are shown." },
          { ...until, about: "The last UTC day." },
        ],
        replies: { 200: { about: "The days.", json: "Totals" } },
      },
      {
        route: "GET /api/v1/admin/report",
        id: "getReport",
        summary: "Report what users ask, and what they were not answered",
        callers: "operators",
        parameters: [
          { ...since, about: "The first UTC day; by default there are 30." },
          { ...until, about: "The last UTC day; by default today." },
          {
            ...limit,
            about: "The length of each list.",
            schema: wholeNumberSchema({ byDefault: 10, min: 1, max: 100 }),
            example: 10,
          },
        ],
        replies: { 200: { about: "The report.", json: "Report" } },
      },
      {
        route: "GET /api/v1/admin/log",
        id: "listChanges",
        summary: "List what operators changed",
        callers: "operators",
        parameters: [limit, before],
        replies: { 200: { about: "A page.", json: "LogPage" } },
      },
      {
        route: "POST /api/v1/admin/users/limits",
        id: "changeLimits",
        summary: "Change settings of many users",
        about:
          "A CSV file of at most 500 users. The first line names the columns: `user`, and `limit`, `refundLimit` or `blocked`. An empty field changes nothing, and `null` removes an override.",
        callers: "operators",
        body: {
          type: "text/csv",
          examples: { file: "user,limit\nalice,100\nbob,null\n" },
        },
        replies: { 200: { about: "What became of each line.", json: "LimitsChanged" } },
      },
      {
        route: "GET /api/v1/admin/users/:userId/export",
        id: "exportUser",
        summary: "Export all that is stored of one user",
        callers: "operators",
        parameters: [
          {
            name: "userId",
            in: "path",
            about: "`sub` of the user's bearer tokens.",
            schema: { type: "string", minLength: 1, maxLength: 128 },
            example: "alice",
          },
        ],
        replies: { 200: { about: "A JSON value on each line.", lines: "ExportLine" } },
        errors: ["NOT_FOUND"],
      },
    ],
  };
}
