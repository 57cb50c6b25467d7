// Checks an event stream: bytes, events, order and end. Any form except
// `data: <one-line JSON>\n\n` breaks some widely used client.

import type { DoneEvent, ErrorBody, StreamEvent } from "../src/protocol.ts";
import type { Exchange } from "./exchange.ts";
import { expect, expectJson, expectShape, Mismatch } from "./expectation.ts";
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

/** The id of the query, after checking that an answer begins. */
export async function begun(exchange: Exchange): Promise<string> {
  const status = await exchange.untilStatus();
  if (status !== 200) {
    const { text } = await exchange.reply();
    throw new Mismatch(`an ask is refused: ${status} ${text.trim()}`);
  }
  const first = await exchange.untilEvent(() => true);
  expect(first.type === "start", `the first event of an answer is ${first.type}, expected start`);
  return first.queryId;
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
  const form = `an event is ${JSON.stringify(block.slice(0, 80))}`;
  const [, json] = /^data: (\{[^\r\n]*\})$/.exec(block) ?? [];
  expect(json !== undefined, `${form}, expected one line of data: and JSON`);
  expect(!LINE_BREAKER.test(json), `${form}, with a character that ends lines`);
  return expectShape(Event, expectJson(json, form), "an event") as StreamEvent;
}
