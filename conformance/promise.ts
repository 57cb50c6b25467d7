// Rows about how an ask ends and what it costs.

import type { Receipt, StreamEvent } from "../src/protocol.ts";
import { answerBody, type Caller } from "./caller.ts";
import { CHARGED, movement, NOTHING, REFUNDED } from "./cost.ts";
import type { Deployment, Row } from "./deployment.ts";
import { disconnect, inTheMiddle, refunded, TOO_FAST } from "./disconnect.ts";
import { expect, expectSame, expectShape, Skipped } from "./expectation.ts";
import { Receipt as ReceiptShape } from "./shapes.ts";
import { begun, soFar, toEnd } from "./stream.ts";

/** No document answers it. */
const NONSENSE = "How many zorblaks fit into a quimplestad?";

/** Free replays of an ask that a client repeats by itself. */
const REPLAYS_IN_A_ROW = 3;
const PARALLEL = 12;

export const PROMISE: readonly Row[] = [
  {
    name: "`done` was accepted: charged once",
    async check(deployment) {
      const { told, receipt, before, after } = await deployment.answer();
      const { answer, last } = told;
      expect(last.type === "done", `an answer ends with ${JSON.stringify(last)}`);
      expectSame(movement(before, after), CHARGED, "the movement");
      const start = told.events[0];
      expect(start?.type === "start", "an answer does not begin with start");
      expectSame(start.quotaRemaining, before.remaining - 1, "quotaRemaining of start");
      expectSame(last.quotaRemaining, after.remaining, "quotaRemaining of done");
      const tokens = told.events.filter(({ type }) => type === "token").length;
      expectReceipt(receipt, {
        state: "charged",
        reason: null,
        query: deployment.question,
        answer,
        sources: last.sources,
        finish: last.finish,
        tokens,
        feedback: null,
      });
      return `${tokens} tokens in ${receipt.totalMs} ms`;
    },
  },
  {
    name: "the same as JSON: charged once",
    async check({ user, question }) {
      const before = await user.quota();
      const { queryId, ...body } = answerBody(await user.askForJson(question).reply());
      const receipt = await user.resolved(queryId);
      const after = await user.quota();
      expectSame(movement(before, after), CHARGED, "the movement");
      expectSame(body.quotaRemaining, after.remaining, "quotaRemaining");
      const { answer, sources, finish } = body;
      expectReceipt(receipt, { state: "charged", answer, sources, finish });
      return `${answer.length} characters`;
    },
  },
  {
    name: "a disconnect in the middle is refunded",
    check: ({ user, question }) => left(user, question, inTheMiddle),
  },
  {
    name: "a disconnect at the start is refunded",
    check: ({ user, question }) => left(user, question),
  },
  {
    name: "a stopped answer is refunded, and its readers are told",
    check: stopped,
  },
  {
    name: "a disconnect from a JSON answer is refunded, or the answer can be read",
    async check({ user, question }) {
      const [before, [newest]] = [await user.quota(), await user.receipts(1)];
      const asked = user.askForJson(question);
      const { queryId } = await user.nextAfter(newest);
      asked.disconnect();
      const receipt = await user.resolved(queryId);
      const moved = movement(before, await user.quota());
      if (receipt.state === "charged") {
        expectSame(moved, CHARGED, "the movement");
        return readAgain(user, receipt);
      }
      expectSame([receipt.state, receipt.reason], ["refunded", "disconnected"], "state and reason");
      expectSame(moved, REFUNDED, "the movement");
      return "refunded";
    },
  },
  {
    name: "a disconnect without refund allowance is charged, and the answer can be read",
    async check(deployment) {
      const { user, question } = deployment;
      return deployment.during({ refundLimit: 0 }, async () => {
        expectSame((await user.quota()).refundsLeft, 0, "refundsLeft");
        const { receipt, before, after } = await disconnect(user, () => user.ask(question));
        expectSame(receipt.state, "charged", "the state");
        expectSame(movement(before, after), CHARGED, "the movement");
        return readAgain(user, receipt);
      });
    },
  },
  {
    name: "an answer cut by maxTokens is whole, and charged",
    async check({ user, question }) {
      const before = await user.quota();
      const exchange = user.ask(question, { maxTokens: 1 });
      const queryId = await begun(exchange);
      const { last } = await toEnd(exchange);
      const receipt = await user.resolved(queryId);
      const moved = movement(before, await user.quota());
      if (last.type === "error") {
        // A model may use its one token to think.
        expectSame([receipt.state, receipt.reason], ["refunded", "failed"], "state and reason");
        expectSame(moved, REFUNDED, "the movement");
        return `this model has no answer of one token: ${last.code}, refunded`;
      }
      expectSame([receipt.state, last.finish], ["charged", "length"], "state and finish");
      expectSame(moved, CHARGED, "the movement");
      return "finish: length";
    },
  },
  {
    name: "an answer that says only that nothing was found is not charged",
    async check({ user }) {
      const before = await user.quota();
      const { queryId, ...body } = answerBody(await user.askForJson(NONSENSE).reply());
      if (body.found) throw new Skipped("this deployment found something for a nonsense question");
      const receipt = await user.resolved(queryId);
      const moved = movement(before, await user.quota());
      expectSame(receipt.found, false, "found");
      if (receipt.state === "charged") {
        expectSame(moved, CHARGED, "the movement");
        return "charged: no refund is left, or CHARGE_NOTHING_FOUND is set";
      }
      expectSame(
        [receipt.state, receipt.reason],
        ["refunded", "nothing_found"],
        "state and reason",
      );
      expectSame(moved, REFUNDED, "the movement");
      await readAgain(user, receipt);
      return "refunded, kept, and free to read";
    },
  },
  {
    name: "two asks at once with one Idempotency-Key: charged once in all",
    async check({ user, question }) {
      const key = crypto.randomUUID();
      const before = await user.quota();
      const exchanges = [user.ask(question, {}, key), user.ask(question, {}, key)];
      const ids = await Promise.all(exchanges.map(begun));
      const [first, second] = await Promise.all(exchanges.map(toEnd));
      expectSame(ids[1], ids[0], "the second query id");
      expectSame(second?.answer, first?.answer, "the second answer");
      await user.resolved(ids[0] as string);
      expectSame(movement(before, await user.quota()), CHARGED, "the movement");
      return "the same query";
    },
  },
  {
    name: "an Idempotency-Key again: the stored answer, free",
    async check(deployment) {
      const { user, question } = deployment;
      const { key, told, receipt } = await deployment.answer();
      const before = await user.quota();
      const again = user.ask(question, {}, key);
      expectSame(await begun(again), receipt.queryId, "the query id");
      expectSame(again.headers["idempotency-replayed"], "true", "Idempotency-Replayed");
      expectSame(contentOf(await toEnd(again)), contentOf(told), "the replay");
      const reply = await user.askForJson(question, key).reply();
      const body = answerBody(reply);
      expectSame(reply.headers["idempotency-replayed"], "true", "Idempotency-Replayed");
      expectSame([body.queryId, body.answer], [receipt.queryId, told.answer], "the JSON replay");
      expectSame(body.sources, receipt.sources, "the sources of the JSON replay");
      expectSame(movement(before, await user.quota()), NOTHING, "the movement");
      return "as a stream and as JSON";
    },
  },
  {
    name: "an Idempotency-Key after a refund: a new attempt",
    async check({ user, question }) {
      const key = crypto.randomUUID();
      const ids: string[] = [];
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const exchange = user.ask(question, {}, key);
        ids.push(await begun(exchange));
        exchange.disconnect();
        const { state } = await user.resolved(ids.at(-1) as string);
        if (state === "charged") throw new Skipped(TOO_FAST);
      }
      expect(ids[0] !== ids[1], "the second attempt has the query id of the first");
      return "a new query id";
    },
  },
  {
    name: "an ask that a client repeats by itself is charged once, then told to stop",
    check: repeated,
  },
  {
    name: "a stored answer is read again from any event, free",
    async check(deployment) {
      const { user } = deployment;
      const { told, receipt } = await deployment.answer();
      const before = await user.quota();
      const { length } = told.events;
      const places = [0, 1, 2, 3, Math.floor(length / 2), length - 1, length, length + 10];
      for (const after of new Set(places)) {
        const exchange = resume(user, receipt.queryId, after);
        const again = await toEnd(exchange);
        const missed = told.events.slice(Math.min(after, length - 1));
        expectSame(contentOf(again), contentOf({ events: missed }), `what comes after ${after}`);
        expectSame(exchange.headers["x-query-id"], receipt.queryId, "X-Query-Id");
      }
      expectSame(movement(before, await user.quota()), NOTHING, "the movement");
      return `${length} events, with the same numbers`;
    },
  },
  {
    name: 'onDisconnect "continue": charged when complete, and kept',
    async check({ user, question }) {
      const ask = () => user.ask(question, { onDisconnect: "continue" });
      const { receipt, before, after } = await disconnect(user, ask);
      expectSame([receipt.state, receipt.onDisconnect], ["charged", "continue"], "the receipt");
      expectSame(movement(before, after), CHARGED, "the movement");
      return readAgain(user, receipt);
    },
  },
  {
    name: 'onDisconnect "wait": a reader who comes back misses nothing, charged once',
    async check({ user, question, variables }) {
      if (variables.RESUME_WAIT_SECONDS === "0") throw new Skipped("RESUME_WAIT_SECONDS is 0");
      const before = await user.quota();
      const exchange = user.ask(question, { onDisconnect: "wait" });
      const queryId = await begun(exchange);
      exchange.disconnect();
      // Only `start` counts as read, so that all later events come again.
      const { events, answer } = await toEnd(resume(user, queryId, 1));
      const receipt = await user.resolved(queryId);
      expectReceipt(receipt, { state: "charged", answer, onDisconnect: "wait" });
      expectSame(events[0]?.type, "sources", "the second event");
      expectSame(movement(before, await user.quota()), CHARGED, "the movement");
      return "resumed";
    },
  },
  {
    name: 'onDisconnect "wait": refunded if no reader comes back',
    async check({ user, question, variables }) {
      const waitMs = 1_000 * Number(variables.RESUME_WAIT_SECONDS);
      if (waitMs > 60_000) throw new Skipped("RESUME_WAIT_SECONDS is more than a minute");
      const before = await user.quota();
      const exchange = user.ask(question, { onDisconnect: "wait" });
      const queryId = await begun(exchange);
      exchange.disconnect();
      const disconnectedAt = Date.now();
      const { state, reason } = await user.resolved(queryId, waitMs + 60_000);
      const waitedMs = Date.now() - disconnectedAt;
      if (state === "charged" && waitedMs < 1_000) throw new Skipped(TOO_FAST);
      expectSame([state, reason], ["refunded", "disconnected"], "state and reason");
      expect(waitedMs >= waitMs, `it was given up after ${waitedMs} ms`);
      expectSame(movement(before, await user.quota()), REFUNDED, "the movement");
      return `after ${Math.round(waitedMs / 1_000)} s`;
    },
  },
  {
    name: "parallel asks never exceed the limit",
    check: parallel,
  },
];

/** A disconnect from our own events, which are in order until then. */
async function left(
  user: Caller,
  question: string,
  isTime?: (event: StreamEvent) => boolean,
): Promise<string> {
  const { exchange, detail } = await refunded(user, () => user.ask(question), isTime);
  expectSame(soFar(exchange)[0]?.type, "start", "the first event");
  return detail;
}

async function stopped({ user, question }: Deployment): Promise<string> {
  const before = await user.quota();
  const exchange = user.ask(question);
  const queryId = await begun(exchange);
  const path = `/ai/queries/${queryId}/cancel`;
  const receipt = expectReceipt(await user.json("POST", path), {});
  const { last } = await toEnd(exchange);
  if (receipt.state === "charged") {
    expectSame(last.type, "done", "the last event of an answer that could not be stopped");
    throw new Skipped("the answer was complete before it could be stopped");
  }
  expectReceipt(receipt, { state: "refunded", reason: "cancelled", answer: null });
  expect(last.type === "error", `the last event of a stopped answer is ${last.type}`);
  expectSame([last.code, last.queryId], ["CANCELLED", queryId], "code and query id");
  expectSame(await user.json("POST", path), receipt, "the receipt of stopping again");
  const after = await user.quota();
  expectSame(movement(before, after), REFUNDED, "the movement");
  expectSame(last.quotaRemaining, after.remaining, "quotaRemaining of error");
  return "CANCELLED, refunded";
}

/** As clients do that ask again, without a key, when a stream ends. */
async function repeated({ user, question, variables }: Deployment): Promise<string> {
  const body = { query: `${question} (${crypto.randomUUID()})` };
  // Other clients get an answer each time.
  const headers = { accept: "text/event-stream" };
  const ask = () => user.exchange("POST", "/api/v1/ai/ask?stream=true", { body, headers });
  const before = await user.quota();
  const first = ask();
  const queryId = await begun(first);
  if (variables.REPEAT_WINDOW_SECONDS === "0") {
    await toEnd(first);
    const second = ask();
    const other = await begun(second);
    second.disconnect();
    await user.resolved(other);
    expect(other !== queryId, "REPEAT_WINDOW_SECONDS is 0, and yet it is replayed");
    return "a new ask, as REPEAT_WINDOW_SECONDS is 0";
  }
  const joined = ask();
  expectSame(await begun(joined), queryId, "the query id of the same ask at the same time");
  const [told] = await Promise.all([toEnd(first), toEnd(joined)]);
  await user.resolved(queryId);
  // An ask just after the end is a replay already.
  const replayed = joined.headers["idempotency-replayed"] === "true" ? 1 : 0;
  for (let replay = replayed; replay < REPLAYS_IN_A_ROW; replay += 1) {
    const again = ask();
    expectSame(await begun(again), queryId, `the query id of replay ${replay + 1}`);
    expectSame(contentOf(await toEnd(again)), contentOf(told), `replay ${replay + 1}`);
  }
  const { status, text } = await ask().reply();
  expectSame([status, text], [204, ""], "the next one");
  // With a number that no document has, a deployment may find nothing.
  const isFree = told?.last.type === "done" && !told.last.found;
  const moved = movement(before, await user.quota());
  expectSame(moved, isFree ? REFUNDED : CHARGED, "the movement");
  return `joined, replayed ${REPLAYS_IN_A_ROW} times, then 204`;
}

async function parallel(deployment: Deployment): Promise<string> {
  const { user, question, variables } = deployment;
  const before = await user.quota();
  const places = Math.min(2, Number(variables.CONCURRENCY_LIMIT));
  const limit = before.charged + before.reserved + places;
  return deployment.during({ limit }, async () => {
    const exchanges = Array.from({ length: PARALLEL }, () => user.ask(question));
    const replies = await Promise.all(exchanges.map((exchange) => exchange.reply()));
    const admitted = replies.filter(({ status }) => status === 200);
    const refused = replies.filter(({ status }) => status === 429);
    expectSame([admitted.length, refused.length], [places, PARALLEL - places], "200s and 429s");
    const ids = admitted.map(({ headers }) => String(headers["x-query-id"]));
    await Promise.all(ids.map((id) => user.resolved(id)));
    const after = await user.quota();
    expectSame(movement(before, after), { ...NOTHING, charged: places }, "the movement");
    expectSame(after.remaining, 0, "remaining");
    return `${places} of ${PARALLEL} were admitted`;
  });
}

async function readAgain(user: Caller, { queryId, answer }: Receipt): Promise<string> {
  const before = await user.quota();
  expect(answer !== null && answer !== "", "the answer is not kept");
  const again = await toEnd(resume(user, queryId, 0));
  expectSame(again.answer, answer, "the answer that is read again");
  expectSame(movement(before, await user.quota()), NOTHING, "the movement");
  return "charged, kept, and free to read";
}

function resume(user: Caller, queryId: string, after: number) {
  return user.exchange("GET", `/api/v1/ai/queries/${queryId}/events?after=${after}`);
}

/** All that a replay repeats: not the quota. */
function contentOf({ events }: { readonly events: readonly object[] }) {
  return events.map((event) => ({ ...event, quotaRemaining: undefined }));
}

/** A receipt with at least these members. */
function expectReceipt(value: unknown, wanted: Partial<Receipt>): Receipt {
  const receipt = expectShape(ReceiptShape, value, "a receipt") as Receipt;
  for (const [name, expected] of Object.entries(wanted)) {
    expectSame(receipt[name as keyof Receipt], expected, `${name} of the receipt`);
  }
  return receipt;
}
