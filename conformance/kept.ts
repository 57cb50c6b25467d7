// Rows about receipts, their pages, and feedback.

import type { Receipt } from "../src/protocol.ts";
import type { Caller } from "./caller.ts";
import type { Row } from "./deployment.ts";
import { expect, expectSame, expectShape } from "./expectation.ts";
import { expectRefusal } from "./refusals.ts";
import { ReceiptPage } from "./shapes.ts";
import { begun, toEnd } from "./stream.ts";

const PAGE = 3;
const LIMIT_MAX = 100;

export const KEPT: readonly Row[] = [
  {
    name: "receipts are listed newest first, page by page",
    async check({ user }) {
      const newest = await user.receipts(4 * PAGE);
      const seen: string[] = [];
      for (let before: string | null = ""; before !== null && seen.length < newest.length; ) {
        const rest: string = before === "" ? "" : `&before=${before}`;
        const body = await user.json("GET", `/ai/queries?limit=${PAGE}${rest}`);
        const page = expectShape(ReceiptPage, body, "a page");
        seen.push(...page.queries.map(({ queryId }) => queryId));
        before = page.before;
      }
      const ids = newest.map(({ queryId }) => queryId);
      expectSame(seen, ids, "the pages");
      const times = newest.map(({ askedAt }) => askedAt);
      expectSame(times, times.toSorted().reverse(), "the order");
      const body = await user.json("GET", `/ai/queries?limit=${LIMIT_MAX}`);
      const { queries, before } = expectShape(ReceiptPage, body, "a long page");
      if (queries.length < LIMIT_MAX) expectSame(before, null, "before on the last page");
      for (const limit of ["0", "101", "x"]) {
        const reply = await user.call("GET", `/ai/queries?limit=${limit}`);
        expectRefusal(reply, 400, "INVALID_REQUEST", `limit=${limit}`);
      }
      return `${queries.length} receipts`;
    },
  },
  {
    name: "receipts are found by the words of question and answer",
    async check(deployment) {
      const { user, question } = deployment;
      const { queryId } = (await deployment.answer()).receipt;
      const word = question.match(/quorvex\w+/)?.[0] ?? "";
      for (const search of [word, `fog ${word.toUpperCase()}`, word.slice(1, -1)]) {
        const found = await foundBy(user, search);
        expect(found.includes(queryId), `${search} does not find the answer`);
      }
      for (const search of [`${word} zorblak`, `${word}%`, `${word.slice(0, -1)}_`]) {
        expectSame(await foundBy(user, search), [], `what ${search} finds`);
      }
      for (const search of ["", "%20", "x".repeat(201)]) {
        const reply = await user.call("GET", `/ai/queries?search=${search}`);
        expectRefusal(reply, 400, "INVALID_REQUEST", `search=${search}`);
      }
      return "all words, in any case";
    },
  },
  {
    name: "a deleted query keeps its receipt without texts",
    async check({ user, question }) {
      const key = crypto.randomUUID();
      const exchange = user.ask(`${question} It is deleted.`, {}, key);
      const queryId = await begun(exchange);
      await toEnd(exchange);
      const receipt = await user.resolved(queryId);
      await user.json("POST", "/ai/feedback", { queryId, rating: "up", comment: "Mine." });
      const path = `/ai/queries/${queryId}`;
      for (const time of ["first", "second"]) {
        const { status, text } = await user.call("DELETE", path);
        expectSame([status, text], [204, ""], `the ${time} deletion`);
      }
      const texts = { query: null, answer: null, sources: null, tokens: null };
      const feedback = { rating: "up", comment: null };
      expectSame(await user.receipt(queryId), { ...receipt, ...texts, feedback }, "the receipt");
      const events = await user.call("GET", `${path}/events`);
      expectRefusal(events, 410, "NOT_KEPT", "its events");
      const again = await user.askForJson(`${question} It is deleted.`, key).reply();
      expectRefusal(again, 410, "NOT_KEPT", "the same Idempotency-Key");
      const found = await foundBy(user, "deleted");
      expect(!found.includes(queryId), "a search finds it");
      return "it is charged, and not found";
    },
  },
  {
    name: "`after` must be a number of events",
    async check(deployment) {
      const { queryId } = (await deployment.answer()).receipt;
      for (const after of ["-1", "x", "1.5"]) {
        const path = `/ai/queries/${queryId}/events?after=${after}`;
        expectRefusal(await deployment.user.call("GET", path), 400, "INVALID_REQUEST", path);
      }
      return "0 or more";
    },
  },
  {
    name: "a query is rated up and down, commented, and unrated",
    async check(deployment) {
      const { user } = deployment;
      const { queryId } = (await deployment.answer()).receipt;
      const rate = (body: object) => user.json("POST", "/ai/feedback", { queryId, ...body });
      const rated = async () => (await user.receipt(queryId)).feedback;
      const ratings: readonly [object, Receipt["feedback"]][] = [
        [{ rating: "up" }, { rating: "up", comment: null }],
        [
          { rating: "down", comment: "too \u0085 short" },
          { rating: "down", comment: "too \u0085 short" },
        ],
        [
          { rating: "up", comment: "x".repeat(2_000) },
          { rating: "up", comment: "x".repeat(2_000) },
        ],
        [{ rating: null }, null],
      ];
      for (const [body, feedback] of ratings) {
        await rate(body);
        expectSame(await rated(), feedback, "feedback of the receipt");
      }
      const wrong = [{}, { rating: "good" }, { rating: "up", comment: "x".repeat(2_001) }];
      for (const body of wrong) {
        const reply = await user.call("POST", "/ai/feedback", { body: { queryId, ...body } });
        expectRefusal(reply, 400, "INVALID_REQUEST", JSON.stringify(body));
      }
      expectSame(await rated(), null, "feedback after the refusals");
      return "the latest wins, null removes it";
    },
  },
];

/** The ids of all pages of a search. */
async function foundBy(user: Caller, search: string): Promise<string[]> {
  const ids: string[] = [];
  const path = `/ai/queries?limit=${LIMIT_MAX}&search=${encodeURIComponent(search)}`;
  for (let before: string | null = ""; before !== null; ) {
    const rest: string = before === "" ? "" : `&before=${before}`;
    const page = expectShape(ReceiptPage, await user.json("GET", path + rest), "a page");
    ids.push(...page.queries.map(({ queryId }) => queryId));
    before = page.before;
  }
  return ids;
}
