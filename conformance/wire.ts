// Rows about bytes, headers and CORS.

import { answerBody } from "./caller.ts";
import type { Row } from "./deployment.ts";
import type { Exchange } from "./exchange.ts";
import { expect, expectSame, Skipped } from "./expectation.ts";
import { judge } from "./stream.ts";

const PREFLIGHT_HEADERS = "authorization, content-type, idempotency-key, last-event-id";
const PREFLIGHT_METHODS = "get, post, put, patch, delete";
const EXPOSED =
  "x-query-id, ratelimit, ratelimit-policy, retry-after, idempotency-replayed, x-should-retry, server-timing, www-authenticate";

export const WIRE: readonly Row[] = [
  {
    name: "/healthz is 200",
    async check({ anonymous }) {
      const { status } = await anonymous.exchange("GET", "/healthz").reply();
      expectSame(status, 200, "the status");
      return "without a bearer token";
    },
  },
  {
    name: "an event is `data: <one-line JSON>` and a blank line, nothing else",
    async check(deployment) {
      const { exchange, told } = await deployment.answer();
      const { length } = judge(exchange.body);
      const counted = told.events.length;
      return `${exchange.body.length} bytes: ${counted} events and ${length - counted} pings`;
    },
  },
  {
    name: "an answer is start, sources, tokens, done",
    async check(deployment) {
      const { told, receipt } = await deployment.answer();
      const [start, found] = told.events;
      const { last } = told;
      const inOrder = start?.type === "start" && found?.type === "sources" && last.type === "done";
      expect(inOrder, `the events are ${told.events.map(({ type }) => type).join(", ")}`);
      expectSame([start.queryId, last.queryId], [receipt.queryId, receipt.queryId], "the query id");
      const used = last.sources.map(({ cited, ...source }) => source);
      expectSame(used, found.sources, "the sources of done without `cited`");
      const numbers = found.sources.map((_, index) => index + 1);
      expectSame(
        found.sources.map(({ n }) => n),
        numbers,
        "the numbers of the sources",
      );
      for (const { n, cited } of last.sources) {
        // A mark may have several numbers. Code, definitions and images have none.
        const marks = new RegExp(String.raw`[[【][^\]】\n]*(?<!\d)${n}(?!\d)`).test(told.answer);
        expect(marks || !cited, `source ${n} is cited, but no mark names it`);
        const marked = told.answer.includes(`[${n}]`) && !/[`!:~]/.test(told.answer);
        expect(cited || !marked, `source ${n} is not cited, but the answer has [${n}]`);
      }
      return `${found.sources.length} sources`;
    },
  },
  {
    name: "the headers of a stream",
    async check(deployment) {
      const { exchange, told, before } = await deployment.answer();
      expectHeaders(exchange.headers, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        "x-query-id": told.last.queryId,
        "idempotency-replayed": undefined,
        "set-cookie": undefined,
      });
      expectRateLimit(exchange.headers, before.limit, before.remaining - 1, before.period);
      return String(exchange.headers.ratelimit);
    },
  },
  {
    name: "the headers of a JSON answer",
    async check(deployment) {
      const { key } = await deployment.answer();
      const reply = await deployment.user.askForJson(deployment.question, key).reply();
      const { queryId, quotaRemaining } = answerBody(reply);
      const { limit, period } = await deployment.user.quota();
      expectHeaders(reply.headers, {
        "content-type": "application/json",
        "x-query-id": queryId,
        "set-cookie": undefined,
      });
      expect(/\bno-store\b/.test(String(reply.headers["cache-control"])), "it may be cached");
      expectRateLimit(reply.headers, limit, quotaRemaining, period);
      return String(reply.headers["ratelimit-policy"]);
    },
  },
  {
    name: "a preflight request needs no bearer token",
    async check({ anonymous }) {
      const headers = {
        origin: "https://conformance.invalid",
        "access-control-request-method": "POST",
        "access-control-request-headers": PREFLIGHT_HEADERS,
      };
      const reply = await anonymous.call("OPTIONS", "/ai/ask?stream=true", { headers });
      expectSame([reply.status, reply.text], [204, ""], "status and body");
      expectLists(reply.headers["access-control-allow-methods"], PREFLIGHT_METHODS, "methods");
      expectLists(reply.headers["access-control-allow-headers"], PREFLIGHT_HEADERS, "headers");
      expect(
        Number(reply.headers["access-control-max-age"]) > 0,
        "it has no Access-Control-Max-Age",
      );
      return "204";
    },
  },
  {
    name: "a page of an unlisted origin may read nothing",
    async check({ anonymous }) {
      const headers = { origin: "https://conformance.invalid" };
      const reply = await anonymous.call("GET", "/ai/quota", { headers });
      expectHeaders(reply.headers, {
        "access-control-allow-origin": undefined,
        "access-control-allow-credentials": undefined,
      });
      expectLists(reply.headers.vary, "origin", "Vary");
      return "no Access-Control-Allow-Origin";
    },
  },
  {
    name: "a page of a listed origin may read every header",
    async check({ user, anonymous, variables }) {
      const [origin] = variables.CORS_ORIGINS.split(",").map((listed) => listed.trim());
      if (!origin) throw new Skipped("give one with --var CORS_ORIGINS:https://…");
      for (const caller of [user, anonymous]) {
        const { headers } = await caller.call("GET", "/ai/quota", { headers: { origin } });
        expectHeaders(headers, { "access-control-allow-origin": origin });
        expectLists(headers["access-control-expose-headers"], EXPOSED, "exposed headers");
      }
      return origin;
    },
  },
];

type Headers = Exchange["headers"];

function expectHeaders(headers: Headers, wanted: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(wanted)) expectSame(headers[name], value, name);
}

function expectRateLimit(headers: Headers, limit: number, left: number, period: string): void {
  const [window, reset] = period === "total" ? ["", ""] : [";w=\\d+", ";t=\\d+"];
  const policy = new RegExp(`^"quota";q=${limit}${window}$`);
  const rate = new RegExp(`^"quota";r=${left}${reset}$`);
  for (const [name, form] of Object.entries({ "ratelimit-policy": policy, ratelimit: rate })) {
    expect(
      form.test(String(headers[name])),
      `${name} is ${headers[name]}, expected ${form.source}`,
    );
  }
}

/** Each member must be in the list, in any order and case. */
function expectLists(header: string | undefined, wanted: string, what: string): void {
  const listed = (header ?? "").toLowerCase().split(/ *, */);
  const missing = wanted.split(", ").filter((name) => !listed.includes(name));
  expect(missing.length === 0, `${what}: ${missing.join(", ")} missing in ${header}`);
}
