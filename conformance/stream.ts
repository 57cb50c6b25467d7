// Checks an event stream: bytes, events, order and end. Any form except
// `data: <one-line JSON>\n\n` breaks some widely used client.

import type * as v from "valibot";
import type { DoneEvent, ErrorBody, StreamEvent } from "../src/protocol.ts";
import type { Exchange } from "./exchange.ts";
import { expect, expectJson, expectSame, expectShape, Mismatch } from "./expectation.ts";
import { Event } from "./shapes.ts";

/** The content of a stream, without pings. */
export interface Told {
  readonly events: readonly StreamEvent[];
  readonly answer: string;
  readonly last: DoneEvent | ErrorBody;
}

/** The order of events. Tokens repeat, and a ping may precede any but the first. */
const PLACE = { start: 0, sources: 1, token: 2, done: 3, error: 3 } as const;
/** C1 controls and Unicode separators: each ends a line for some client. */
const LINE_BREAKER = /[\u0080-\u009f\u2028\u2029]/;

/** The id of the query, after checking that a stream begins, of any surface. */
export async function begunStream(exchange: Exchange): Promise<string> {
  const status = await exchange.untilStatus();
  if (status !== 200) {
    const { text } = await exchange.reply();
    throw new Mismatch(`an ask is refused: ${status} ${text.trim()}`);
  }
  await exchange.untilEvent(() => true);
  return String(exchange.headers["x-query-id"]);
}

/** The same for our own events. */
export async function begun(exchange: Exchange): Promise<string> {
  const queryId = await begunStream(exchange);
  const [first] = exchange.events;
  expect(first?.type === "start", `the first event of an answer is ${first?.type}, expected start`);
  expectSame(first.queryId, queryId, "the query id of start");
  return queryId;
}

/** Reads a stream to its end. */
export async function toEnd(exchange: Exchange): Promise<Told> {
  await exchange.untilEnd();
  const events = judge(exchange.body);
  const last = events.at(-1);
  expect(
    last?.type === "done" || last?.type === "error",
    `the last event of a stream is ${last?.type ?? "missing"}, expected done or error`,
  );
  const answer = events.map((event) => (event.type === "token" ? event.token : "")).join("");
  return { events: events.filter(({ type }) => type !== "ping"), answer, last };
}

/** The whole events that have arrived. */
export function soFar(exchange: Exchange): readonly StreamEvent[] {
  const { body } = exchange;
  return judge(body.subarray(0, body.lastIndexOf("\n\n") + 2));
}

/** The events of a stream, which may end between two events only. */
export function judge(body: Uint8Array): StreamEvent[] {
  const blocks = decode(body).split("\n\n");
  const rest = blocks.pop();
  expect(rest === "", `a stream ends in the middle of ${JSON.stringify(rest?.slice(0, 80))}`);
  const events = blocks.map(eventOf);
  let place = -1;
  for (const { type } of events) {
    const next = type === "ping" ? place : PLACE[type];
    const inOrder = type === "ping" || type === "token" ? next >= place : next > place;
    const types = events.map((event) => event.type);
    expect(inOrder && place < PLACE.done, `the events of a stream are ${types.join(", ")}`);
    place = next;
  }
  return events;
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw new Mismatch("a stream is not UTF-8", { cause });
  }
}

function eventOf(block: string): StreamEvent {
  return expectShape(Event, dataOf(block, "an event"), "an event") as StreamEvent;
}

/** The chunks of a whole stream that ends with [DONE]. */
export function chunksOf<const Schema extends v.GenericSchema>(
  schema: Schema,
  body: Uint8Array,
  { comments }: { readonly comments: boolean },
): v.InferOutput<Schema>[] {
  const blocks = decode(body).split("\n\n");
  expectSame(blocks.slice(-2), ["data: [DONE]", ""], "the end of a stream");
  return blocks
    .slice(0, -2)
    .filter((block) => !comments || !block.startsWith(":"))
    .map((block) => expectShape(schema, dataOf(block, "a chunk"), "a chunk"));
}

function dataOf(block: string, what: string): unknown {
  const form = `${what} is ${JSON.stringify(block.slice(0, 80))}`;
  const [, json] = /^data: (\{[^\r\n]*\})$/.exec(block) ?? [];
  expect(json !== undefined, `${form}, expected one line of data: and JSON`);
  expect(!LINE_BREAKER.test(json), `${form}, with a character that ends lines`);
  return expectJson(json, form);
}
