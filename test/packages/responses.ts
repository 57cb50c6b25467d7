// Answers of the package `openai` with the Responses API, whole and in events,
// and streams that are cut and resumed.

import OpenAI from "openai";
import type {
  Response,
  ResponseCreateParamsStreaming,
  ResponseStreamEvent,
} from "openai/resources/responses/responses";
import type { Belay } from "./extras.ts";
import type { Answered } from "./proofs.ts";
import type { Customer } from "./site.ts";

export function client(customer: Customer, key = customer.key): OpenAI {
  return new OpenAI({ baseURL: `${customer.url}/v1`, apiKey: key, fetch: customer.fetch });
}

export function answered(response: Response): Answered {
  const [item] = response.output;
  const [part] = item?.type === "message" ? item.content : [];
  const annotations = part?.type === "output_text" ? part.annotations : [];
  const { belay } = response as unknown as { readonly belay: Belay };
  // Of a stream the package does not set `output_text`.
  const text = part?.type === "output_text" ? part.text : "";
  const cited = annotations.flatMap((one) => (one.type === "url_citation" ? one.url : []));
  return { text, finish: response.status ?? "", belay, cited };
}

/** An answer of five tokens, with a cited source that has an address. */
export const SHORT = { tokens: ["The ", "quota ", "is ", "twenty ", "[1]."], gapMs: 30 };
export const TEXT = SHORT.tokens.join("");
/** What a stream of it has, opening and closing included. */
export const EVENTS_OF_SHORT = 4 + SHORT.tokens.length + 5;

interface Cut {
  readonly id: string;
  readonly events: readonly ResponseStreamEvent[];
}

/** Reads a stream up to an event's number, and disconnects there. */
export async function readUpTo(
  openai: OpenAI,
  body: Omit<ResponseCreateParamsStreaming, "stream">,
  last = Number.POSITIVE_INFINITY,
): Promise<Cut> {
  const stream = await openai.responses.create({ ...body, stream: true });
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    if (event.sequence_number >= last) break;
  }
  const [created] = events;
  return { id: created?.type === "response.created" ? created.response.id : "", events };
}

/** The rest of a stream after an event's number; without one, all of it. */
export async function readAfter(
  openai: OpenAI,
  id: string,
  after?: number,
): Promise<ResponseStreamEvent[]> {
  const from = after === undefined ? {} : { starting_after: after };
  const stream = await openai.responses.retrieve(id, { stream: true, ...from });
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

export const textOf = (events: readonly ResponseStreamEvent[]) =>
  events
    .flatMap((event) => (event.type === "response.output_text.delta" ? event.delta : []))
    .join("");

/** An event without what a later replay says otherwise, such as the quota. */
export function shape(event: ResponseStreamEvent): object {
  const { response: _, ...rest } = event as ResponseStreamEvent & { response?: Response };
  return rest;
}
