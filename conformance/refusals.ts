// Rows about refusals: each status and code that can be provoked from outside,
// its form, and that it reserves nothing.

import type { Caller, Sent } from "./caller.ts";
import { free } from "./cost.ts";
import type { Deployment, Row } from "./deployment.ts";
import { TOO_FAST } from "./disconnect.ts";
import type { Reply } from "./exchange.ts";
import { expect, expectJson, expectSame, expectShape, Skipped } from "./expectation.ts";
import { ErrorBody } from "./shapes.ts";
import { begun } from "./stream.ts";

const BODY_BYTES_MAX = 64 * 1024;
const QUERY = "What is refused?";
const turn = { role: "user", content: "Hello" };

/** Each field, and bodies in which it is wrong. */
const BAD_FIELDS: readonly (readonly [field: string, bodies: readonly object[]])[] = [
  ["query", [{}, { query: 1 }, { query: "" }, { query: " \n " }, { query: "x".repeat(4_001) }]],
  ["query", [{ query: "\ud800" }, { query: null }, { query: "\u200b" }]],
  ["topK", [0, 21, 1.5, "5"].map((topK) => ({ query: QUERY, topK }))],
  ["maxTokens", [0, 4_097, 1.5, "5"].map((maxTokens) => ({ query: QUERY, maxTokens }))],
  ["temperature", [-0.1, 2.1, "1"].map((temperature) => ({ query: QUERY, temperature }))],
  ["onDisconnect", ["stop", true].map((onDisconnect) => ({ query: QUERY, onDisconnect }))],
  ["history", ["Hello", Array(21).fill(turn)].map((history) => ({ query: QUERY, history }))],
  ["history.0.role", [{ query: QUERY, history: [{ ...turn, role: "system" }] }]],
  ["history.0.content", [{ query: QUERY, history: [{ ...turn, content: 1 }] }]],
  ["history.0.name", [{ query: QUERY, history: [{ ...turn, name: "x" }] }]],
  ["stream", [{ query: QUERY, stream: true }]],
  ["__proto__", [JSON.parse(`{"query":"${QUERY}","__proto__":{}}`)]],
];

const NO_OBJECTS = ["", "null", "[]", '"text"', "{", '{"query":"a"} {}'];

/** A wrong method, its route, and the methods that it has. */
const WRONG_METHODS = [
  ["GET", "/ai/ask", "POST"],
  ["DELETE", "/ai/quota", "GET, HEAD"],
  ["POST", "/ai/queries", "GET, HEAD"],
  ["PUT", "/ai/queries/1", "GET, HEAD, DELETE"],
  ["GET", "/ai/queries/1/cancel", "POST"],
  ["GET", "/ai/feedback", "POST"],
] as const;

export const REFUSALS: readonly Row[] = [
  {
    name: "400 INVALID_REQUEST names the field",
    check: (deployment) =>
      free(deployment, async () => {
        let count = 0;
        for (const [field, bodies] of BAD_FIELDS) {
          for (const body of bodies) {
            const reply = await deployment.user.call("POST", "/ai/ask", { body });
            const { message } = expectRefusal(reply, 400, "INVALID_REQUEST", JSON.stringify(body));
            const named = message.includes(`"${field}"`);
            expect(
              named,
              `${JSON.stringify(body).slice(0, 80)} is refused without naming ${field}: ${message}`,
            );
            count += 1;
          }
        }
        return `${count} bad bodies`;
      }),
  },
  {
    name: "every field is accepted up to its limit",
    async check({ user, question }) {
      const history = Array(20).fill(turn);
      const body = { query: question.padEnd(4_000, " fog"), history, topK: 20, maxTokens: 4_096 };
      const headers = { "idempotency-key": "!".repeat(219) + crypto.randomUUID() };
      const exchange = user.exchange("POST", "/api/v1/ai/ask?stream=true", { body, headers });
      const queryId = await begun(exchange);
      exchange.disconnect();
      await user.resolved(queryId);
      return "with a key of 255 characters";
    },
  },
  {
    name: "400 INVALID_REQUEST for a body that is not a JSON object in UTF-8",
    check: (deployment) =>
      free(deployment, async () => {
        const noUtf8 = Buffer.from([...Buffer.from('{"query":"'), 0xff, ...Buffer.from('"}')]);
        for (const body of [...NO_OBJECTS, noUtf8]) {
          const reply = await deployment.user.call("POST", "/ai/ask", { body });
          expectRefusal(reply, 400, "INVALID_REQUEST", JSON.stringify(body));
        }
        return `${NO_OBJECTS.length + 1} bad bodies`;
      }),
  },
  {
    name: "400 INVALID_IDEMPOTENCY_KEY",
    check: (deployment) =>
      free(deployment, async () => {
        for (const key of ["a b", "x".repeat(256), "\u00fc"]) {
          const headers = { "idempotency-key": key };
          const sent = { body: { query: QUERY }, headers };
          const reply = await deployment.user.call("POST", "/ai/ask", sent);
          expectRefusal(reply, 400, "INVALID_IDEMPOTENCY_KEY", JSON.stringify(key));
        }
        return "with a space, too long, and not ASCII";
      }),
  },
  {
    name: "401 UNAUTHENTICATED, with WWW-Authenticate",
    async check({ anonymous, user }) {
      const wrong: Record<string, string>[] = [
        {},
        { authorization: "Basic dTpw" },
        { authorization: "Bearer" },
        { authorization: "Bearer a.b.c" },
        { authorization: `Bearer ${forged({ alg: "none" }, user.user)}` },
        { authorization: `Bearer ${forged({ alg: "HS256" }, user.user)}` },
      ];
      for (const headers of wrong) {
        for (const [method, path] of [
          ["GET", "/ai/quota"],
          ["GET", "/admin/users/x"],
        ] as const) {
          const reply = await anonymous.call(method, path, { headers });
          expectRefusal(reply, 401, "UNAUTHENTICATED", headers.authorization ?? "no bearer token");
          const challenge = String(reply.headers["www-authenticate"]);
          expect(/^Bearer\b/.test(challenge), `WWW-Authenticate is ${challenge}`);
        }
      }
      return `${wrong.length} bearer tokens that are not valid`;
    },
  },
  {
    name: "403 FORBIDDEN: operators' routes are for operators",
    async check({ user, userPath }) {
      for (const path of [userPath, "/admin/documents"]) {
        expectRefusal(await user.call("GET", path), 403, "FORBIDDEN", path);
      }
      expectRefusal(await user.call("PATCH", userPath, { body: { limit: 9 } }), 403, "FORBIDDEN");
      return "with a user's bearer token";
    },
  },
  {
    name: "403 BLOCKED: new asks only",
    async check(deployment) {
      const { user, question } = deployment;
      const { receipt } = await deployment.answer();
      return deployment.during({ blocked: true }, () =>
        free(deployment, async () => {
          expectRefusal(await user.askForJson(question).reply(), 403, "BLOCKED");
          expectSame(await user.receipt(receipt.queryId), receipt, "an earlier query");
          return "earlier answers can be read";
        }),
      );
    },
  },
  {
    name: "404 NOT_FOUND for an unknown address or query",
    async check({ user, anonymous }) {
      expectRefusal(await anonymous.call("GET", "/nothing"), 404, "NOT_FOUND");
      const id = `1-${crypto.randomUUID().replaceAll("-", "")}`;
      for (const [method, path] of query(id)) {
        expectRefusal(await user.call(method, path), 404, "NOT_FOUND", `${method} ${path}`);
      }
      const body = { queryId: id, rating: "up" };
      expectRefusal(await user.call("POST", "/ai/feedback", { body }), 404, "NOT_FOUND");
      return "on every route";
    },
  },
  {
    name: "404 NOT_FOUND for another user's query, which stays unchanged",
    async check(deployment) {
      const { operator, user } = deployment;
      const { queryId } = (await deployment.answer()).receipt;
      const before = await user.receipt(queryId);
      for (const [method, path] of query(queryId)) {
        expectRefusal(await operator.call(method, path), 404, "NOT_FOUND", `${method} ${path}`);
      }
      const body = { queryId, rating: "down", comment: "not mine" };
      expectRefusal(await operator.call("POST", "/ai/feedback", { body }), 404, "NOT_FOUND");
      expectSame(await user.receipt(queryId), before, "the receipt afterwards");
      return "read, resumed, stopped, deleted and rated";
    },
  },
  {
    name: "405 METHOD_NOT_ALLOWED, with Allow",
    async check({ user }) {
      for (const [method, path, allowed] of WRONG_METHODS) {
        const reply = await user.call(method, path);
        expectRefusal(reply, 405, "METHOD_NOT_ALLOWED", `${method} ${path}`);
        expectSame(reply.headers.allow, allowed, `Allow of ${path}`);
      }
      return `${WRONG_METHODS.length} routes`;
    },
  },
  {
    name: "409 CANCELLED for a JSON answer that is stopped, with x-should-retry: false",
    async check({ user, question }) {
      const [newest] = await user.receipts(1);
      const asked = user.askForJson(question);
      const { queryId } = await user.nextAfter(newest);
      await user.json("POST", `/ai/queries/${queryId}/cancel`);
      const reply = await asked.reply();
      if (reply.status === 200) throw new Skipped(TOO_FAST);
      const body = expectRefusal(reply, 409, "CANCELLED");
      const ids = [body.queryId, reply.headers["x-query-id"]];
      expectSame(ids, [queryId, queryId], "queryId and X-Query-Id");
      expectSame(reply.headers["x-should-retry"], "false", "x-should-retry");
      return "with the query's id";
    },
  },
  {
    name: "410 NOT_KEPT for the events of a refunded query",
    async check({ user, question }) {
      const exchange = user.ask(question);
      const queryId = await begun(exchange);
      exchange.disconnect();
      const { state } = await user.resolved(queryId);
      if (state === "charged") throw new Skipped(TOO_FAST);
      const path = `/ai/queries/${queryId}/events`;
      expectRefusal(await user.call("GET", path), 410, "NOT_KEPT");
      expectRefusal(await user.call("GET", `${path}?stream=true`), 410, "NOT_KEPT", "", true);
      return "as JSON, and as a stream";
    },
  },
  {
    name: "413 PAYLOAD_TOO_LARGE beyond 64 KiB",
    check: (deployment) =>
      free(deployment, async () => {
        const query = "x".repeat(BODY_BYTES_MAX - '{"query":""}'.length);
        const fits = await deployment.user.call("POST", "/ai/ask", { body: { query } });
        expectRefusal(fits, 400, "INVALID_REQUEST", "64 KiB");
        const body = { query: `${query}x` };
        const reply = await deployment.user.call("POST", "/ai/ask", { body });
        expectRefusal(reply, 413, "PAYLOAD_TOO_LARGE", "64 KiB and a byte");
        return "to the byte";
      }),
  },
  {
    name: "415 UNSUPPORTED_MEDIA_TYPE",
    check: (deployment) =>
      free(deployment, async () => {
        const body = JSON.stringify({ query: QUERY });
        for (const headers of [
          { "content-type": "text/html" },
          { "content-type": "application/x-www-form-urlencoded" },
          { "content-type": "application/json", "content-encoding": "gzip" },
        ]) {
          const reply = await deployment.user.call("POST", "/ai/ask", { body, headers });
          expectRefusal(reply, 415, "UNSUPPORTED_MEDIA_TYPE", JSON.stringify(headers));
        }
        return "HTML, a form, and a compressed body";
      }),
  },
  {
    name: "422 IDEMPOTENCY_KEY_REUSED with another body",
    async check(deployment) {
      const { key } = await deployment.answer();
      return free(deployment, async () => {
        const reply = await deployment.user.askForJson("Something else?", key).reply();
        expectRefusal(reply, 422, "IDEMPOTENCY_KEY_REUSED");
        return "nothing is reserved";
      });
    },
  },
  {
    name: "429 QUOTA_EXCEEDED, with Retry-After and x-should-retry: false",
    async check(deployment) {
      const { user, question } = deployment;
      return deployment.during({ limit: 0 }, () =>
        free(deployment, async () => {
          const { resetsAt } = await user.quota();
          const reply = await user.askForJson(question).reply();
          const body = expectRefusal(reply, 429, "QUOTA_EXCEEDED");
          expectSame([body.quotaRemaining, body.resetsAt], [0, resetsAt], "its members");
          expectSame(reply.headers["x-should-retry"], "false", "x-should-retry");
          const seconds = reply.headers["retry-after"];
          if (resetsAt === null) {
            expectSame(seconds, undefined, "Retry-After");
            return "it never resets";
          }
          const untilReset = (Date.parse(resetsAt) - Date.now()) / 1_000;
          // The clocks may differ by some seconds.
          const right = Math.abs(Number(seconds) - untilReset) < 60;
          expect(right, `Retry-After is ${seconds}, expected ${Math.ceil(untilReset)}`);
          return `Retry-After: ${seconds}`;
        }),
      );
    },
  },
  {
    name: "429 TOO_MANY_STREAMS, with Retry-After: 1",
    check: tooMany,
  },
  {
    name: "with stream=true a refusal is the only event of an event stream",
    async check(deployment) {
      const { user, anonymous, question } = deployment;
      const stream = (caller: Caller, sent: Sent) =>
        caller.call("POST", "/ai/ask?stream=true", sent);
      const body = { query: question };
      const text = { body: "x", headers: { "content-type": "text/html" } };
      return deployment.during({ limit: 0 }, async () => {
        expectRefusal(await stream(user, { body: {} }), 400, "INVALID_REQUEST", "", true);
        expectRefusal(await stream(anonymous, { body }), 401, "UNAUTHENTICATED", "", true);
        expectRefusal(await stream(user, text), 415, "UNSUPPORTED_MEDIA_TYPE", "", true);
        expectRefusal(await stream(user, { body }), 429, "QUOTA_EXCEEDED", "", true);
        const nowhere = await user.call("GET", "/ai/queries/1/events?stream=true");
        expectRefusal(nowhere, 404, "NOT_FOUND", "", true);
        return "under its own status";
      });
    },
  },
];

async function tooMany({ user, question, variables }: Deployment): Promise<string> {
  const limit = Number(variables.CONCURRENCY_LIMIT);
  if (limit > 20) throw new Skipped("CONCURRENCY_LIMIT is more than 20");
  const exchanges = Array.from({ length: limit + 1 }, () => user.ask(question));
  const statuses = await Promise.all(exchanges.map((exchange) => exchange.untilStatus()));
  const admitted = exchanges.filter((_, index) => statuses[index] === 200);
  const [refused] = exchanges.filter((_, index) => statuses[index] !== 200);
  const ids = await Promise.all(admitted.map(begun));
  for (const exchange of admitted) exchange.disconnect();
  for (const id of ids) await user.resolved(id);
  if (refused === undefined) throw new Skipped("the answers ended before there were too many");
  const reply = await refused.reply();
  expectRefusal(reply, 429, "TOO_MANY_STREAMS", "", true);
  expectSame(reply.headers["retry-after"], "1", "Retry-After");
  expectSame(admitted.length, limit, "how many were admitted");
  return `beyond ${limit}`;
}

/** The routes of one query that need no body. */
function query(id: string) {
  return [
    ["GET", `/ai/queries/${id}`],
    ["GET", `/ai/queries/${id}/events`],
    ["POST", `/ai/queries/${id}/cancel`],
    ["DELETE", `/ai/queries/${id}`],
  ] as const;
}

/** A refusal is JSON, or the only event of a stream. */
export function expectRefusal(
  { status, headers, text }: Reply,
  wantedStatus: number,
  code: string,
  what = "",
  streaming = false,
) {
  const about = what === "" ? code : `${code} for ${what.slice(0, 80)}`;
  expectSame(status, wantedStatus, `the status of ${about}`);
  const type = streaming ? "text/event-stream; charset=utf-8" : "application/json";
  expectSame(headers["content-type"], type, `the content type of ${about}`);
  const [, json] = (streaming ? /^data: (.*)\n\n$/ : /^(.*)$/).exec(text) ?? [];
  expect(json !== undefined, `the body of ${about} is ${JSON.stringify(text.slice(0, 80))}`);
  const whole = `the body of ${about}`;
  const body = expectShape(ErrorBody, expectJson(json, whole), whole);
  expectSame(body.code, code, `the code of ${about}`);
  return body;
}

/** A bearer token without a valid signature. */
function forged(header: { readonly alg: string }, user: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { sub: user, exp: 4_000_000_000, scope: "operator" };
  return `${part({ typ: "JWT", ...header })}.${part(claims)}.${Buffer.alloc(32).toString("base64url")}`;
}
