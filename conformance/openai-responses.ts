// Rows about OpenAI's Responses: the numbers of the events, the resume, the
// conversation and the cancelling.

import * as v from "valibot";
import { type Caller, json } from "./caller.ts";
import { CHARGED, movement, NOTHING, REFUNDED } from "./cost.ts";
import type { Row } from "./deployment.ts";
import { TOO_FAST } from "./disconnect.ts";
import type { Exchange } from "./exchange.ts";
import { expect, expectJson, expectSame, expectShape, Skipped } from "./expectation.ts";
import { begunStream } from "./stream.ts";

const PATH = "/v1/responses";
const ID_PREFIX = "resp_";

const Event = v.looseObject({
  type: v.string(),
  sequence_number: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
type Event = v.InferOutput<typeof Event>;

const Response = v.looseObject({
  id: v.pipe(v.string(), v.startsWith(ID_PREFIX)),
  object: v.literal("response"),
  status: v.picklist(["in_progress", "completed", "incomplete", "cancelled", "failed"]),
  output: v.array(
    v.looseObject({
      type: v.literal("message"),
      content: v.array(v.looseObject({ type: v.literal("output_text"), text: v.string() })),
    }),
  ),
  previous_response_id: v.nullable(v.string()),
});

export const OPENAI_RESPONSES: readonly Row[] = [
  {
    name: "a stream of a response has OpenAI's form, resumes anywhere, and is charged once",
    async check({ user, question }) {
      const before = await user.quota();
      const asked = create(user, { input: question, stream: true });
      const id = await begunResponse(asked);
      await asked.untilEnd();
      const events = eventsOf(asked.body);
      const last = events.at(-1);
      expectSame(last?.type, "response.completed", "the last event");
      const whole = expectShape(Response, last?.response, "the response of the last event");
      const text = deltas(events);
      expectSame(textOf(whole), text, "the text of the whole response");
      const receipt = await user.resolved(queryIdOf(id));
      expectSame([receipt.state, receipt.answer], ["charged", text], "state and answer");
      expectSame(movement(before, await user.quota()), CHARGED, "the movement");
      for (const after of [0, Math.floor(events.length / 2), events.length - 2]) {
        const path = `${PATH}/${id}?stream=true&starting_after=${after}`;
        const rest = user.exchange("GET", path);
        await rest.untilEnd();
        const wanted = events.slice(after + 1).map(({ type }) => type);
        const types = eventsOf(rest.body, after + 1).map(({ type }) => type);
        expectSame(types, wanted, `the events after number ${after}`);
      }
      const now = await retrieve(user, id);
      expectSame([now.status, textOf(now)], ["completed", text], "the response afterwards");
      expectSame(movement(before, await user.quota()), CHARGED, "the movement afterwards");
      return `${events.length} events`;
    },
  },
  {
    name: "a response in one body goes on from any answer, and is charged once",
    async check(deployment) {
      const { user, question } = deployment;
      const previous = responseId((await deployment.answer()).receipt.queryId);
      const before = await user.quota();
      const asked = create(user, { input: question, previous_response_id: previous });
      const { id, status, previous_response_id } = await answered(asked);
      expectSame([status, previous_response_id], ["completed", previous], "status and previous");
      await user.resolved(queryIdOf(id));
      expectSame(movement(before, await user.quota()), CHARGED, "the movement");
      return `after ${previous}`;
    },
  },
  {
    name: "a response that is cancelled is refunded",
    async check({ user, question }) {
      const before = await user.quota();
      const asked = create(user, { input: question, stream: true });
      const id = await begunResponse(asked);
      const path = `${PATH}/${id}/cancel`;
      const reply = await user.exchange("POST", path).reply();
      const { status } = expectShape(Response, json(reply, "cancel"), "a cancelled response");
      if (status === "completed") throw new Skipped(TOO_FAST);
      expectSame(status, "cancelled", "the status");
      const receipt = await user.resolved(queryIdOf(id));
      expectSame([receipt.state, receipt.reason], ["refunded", "cancelled"], "state and reason");
      expectSame(movement(before, await user.quota()), REFUNDED, "the movement");
      return "refunded";
    },
  },
  {
    name: "a response of another user is unknown",
    async check(deployment) {
      const { operator, question } = deployment;
      const id = responseId((await deployment.answer()).receipt.queryId);
      const before = await operator.quota();
      for (const [method, path] of [
        ["GET", `${PATH}/${id}`],
        ["GET", `${PATH}/${id}?stream=true`],
        ["POST", `${PATH}/${id}/cancel`],
      ] as const) {
        const { status } = await operator.exchange(method, path).reply();
        expectSame(status, 404, `the status of ${method} ${path}`);
      }
      const follow = create(operator, { input: question, previous_response_id: id });
      expectSame((await follow.reply()).status, 400, "the status of a follow-up");
      expectSame(movement(before, await operator.quota()), NOTHING, "the movement");
      return "read, resumed, cancelled and followed";
    },
  },
];

/** A new response each time. */
function create(caller: Caller, fields: object): Exchange {
  return caller.exchange("POST", PATH, {
    body: { model: "belay", ...fields },
    headers: { "idempotency-key": crypto.randomUUID() },
  });
}

async function answered(exchange: Exchange) {
  return expectShape(Response, json(await exchange.reply(), "a response"), "a response");
}

async function retrieve(caller: Caller, id: string) {
  const reply = await caller.exchange("GET", `${PATH}/${id}`).reply();
  return expectShape(Response, json(reply, "a response"), "a response");
}

/** The response's id, after checking that it begins. */
async function begunResponse(exchange: Exchange): Promise<string> {
  return responseId(await begunStream(exchange));
}

/** The events of a stream, numbered without a gap. Comments are left out. */
function eventsOf(body: Uint8Array, first = 0): Event[] {
  const frames = new TextDecoder().decode(body).split("\n\n");
  expectSame(frames.pop(), "", "the end of a stream");
  const events = frames.filter((frame) => !frame.startsWith(":")).map(eventOf);
  const numbers = events.map((event) => event.sequence_number);
  expectSame(
    numbers,
    numbers.map((_, index) => first + index),
    "the numbers of a stream",
  );
  return events;
}

function eventOf(frame: string): Event {
  const form = `an event is ${JSON.stringify(frame.slice(0, 80))}`;
  const [, name, data] = /^event: (.*)\ndata: (\{[^\r\n]*\})$/.exec(frame) ?? [];
  expect(data !== undefined, `${form}, expected a line of event: and one of data: and JSON`);
  const event = expectShape(Event, expectJson(data, form), "an event");
  expectSame(name, event.type, "the name of an event");
  return event;
}

function deltas(events: readonly Event[]): string {
  const pieces = events.filter(({ type }) => type === "response.output_text.delta");
  return pieces.map(({ delta }) => String(delta)).join("");
}

function textOf({ output }: v.InferOutput<typeof Response>): string {
  return output.flatMap(({ content }) => content.map(({ text }) => text)).join("");
}

function responseId(queryId: string): string {
  return `${ID_PREFIX}${queryId}`;
}

function queryIdOf(id: string): string {
  return id.slice(ID_PREFIX.length);
}
