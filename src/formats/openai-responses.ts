// OpenAI's Responses (docs/surfaces.md). The sequence numbers of its events
// follow from ours: the opening is 0 to 3, our token n is n + 1, and the
// closing goes on from the last token. So they are the same at every replay,
// and a client can resume after any.

import { type ErrorBody, encodeJson, type Receipt } from "../protocol.ts";
import { countTokens } from "../text/token-count.ts";
import { annotationsOf } from "./annotations.ts";
import { EVENTS } from "./events.ts";
import type { AnswerHead, Format, Place, WholeAnswer } from "./format.ts";
import { bodyFormat } from "./json.ts";
import { openAiError } from "./openai-error.ts";

/** What a request chose, as its response repeats it. */
export interface Chosen {
  readonly model: string;
  readonly instructions: string | null;
  readonly maxOutputTokens: number | null;
  readonly temperature: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly previousResponseId: string | null;
  readonly background: boolean;
}

/** For a response that is read again: few choices are stored. */
export const NOTHING_CHOSEN: Chosen = {
  model: "belay",
  instructions: null,
  maxOutputTokens: null,
  temperature: null,
  metadata: {},
  previousResponseId: null,
  background: false,
};

const ID_PREFIX = "resp_";

/** Some clients know a response by this prefix. */
export function responseId(queryId: string): string {
  return `${ID_PREFIX}${queryId}`;
}

/** The query of a response. Its own id, as in X-Query-Id, counts too. */
export function queryIdOf(id: string): string {
  return id.startsWith(ID_PREFIX) ? id.slice(ID_PREFIX.length) : id;
}

/**
 * How many of our events a client has whose last one has this sequence number.
 * The format leaves out what else it has.
 */
export function eventsUpTo(startingAfter: number): number {
  return startingAfter < LAST_OF_OPENING ? 0 : startingAfter - 1;
}

/** The opening's last sequence number. */
const LAST_OF_OPENING = 3;

/**
 * The response as a stream of events.
 * @param startingAfter The sequence number of the last event that the client
 * has; -1 for one that has none.
 */
export function responseEvents(chosen: Chosen, startingAfter = -1): Format {
  const write = (events: readonly ResponseEvent[]) => encode(events, startingAfter);
  return {
    streams: true,
    headers: EVENTS.headers,
    opening: (head, quotaRemaining) => write(openingEvents(head, chosen, quotaRemaining)),
    event: (event, number, { queryId }) =>
      event.type === "token" ? encodeToken(event.token, number, queryId) : "",
    heartbeat: () => COMMENT,
    closing: (answer) => write(closingEvents(answer, chosen)),
    error: (error, place) => write(failureEvents(error, place, chosen)),
  };
}

/** The response in a JSON body. */
export function responseBody(chosen: Chosen): Format {
  return bodyFormat(
    (answer) => encodeJson(wholeResponse(answer, chosen)),
    (error) => encodeJson(openAiError(error)),
  );
}

/** Every reader of event streams skips it. */
const COMMENT = ": ping\n\n";

/** Never empty: only a write shows that a connection is closed. */
function encode(events: readonly ResponseEvent[], startingAfter: number): string {
  const text = events
    .filter((event) => event.sequence_number > startingAfter)
    .map((event) => `event: ${event.type}\ndata: ${encodeJson(event)}\n\n`)
    .join("");
  return text === "" ? COMMENT : text;
}

/** In one piece: an object for each token costs more than its text. */
function encodeToken(token: string, number: number, queryId: string): string {
  return (
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",' +
    `"sequence_number":${number + 1},"item_id":"msg_${queryId}","output_index":0,` +
    `"content_index":0,"delta":${encodeJson(token)},"logprobs":[]}\n\n`
  );
}

// --- Events ---

export type ResponseEvent =
  | ReturnType<typeof openingEvents>[number]
  | ReturnType<typeof closingEvents>[number]
  | ReturnType<typeof failureEvents>[number];

/** The events with the numbers 0 to 3. */
export function openingEvents(head: AnswerHead, chosen: Chosen, quotaRemaining: number) {
  const response = unfinishedResponse(head, chosen, { queryId: head.queryId, quotaRemaining });
  const item = message(head.queryId, "in_progress", []);
  return [
    { type: "response.created" as const, sequence_number: 0, response },
    { type: "response.in_progress" as const, sequence_number: 1, response },
    {
      type: "response.output_item.added" as const,
      sequence_number: 2,
      output_index: 0,
      item,
    },
    {
      type: "response.content_part.added" as const,
      sequence_number: LAST_OF_OPENING,
      ...textPlace(head.queryId),
      part: outputText("", []),
    },
  ];
}

/** Their numbers go on from the last token. */
export function closingEvents(answer: WholeAnswer, chosen: Chosen) {
  const { queryId, tokens } = answer;
  const response = wholeResponse(answer, chosen);
  const [item] = response.output;
  const [part] = item.content;
  const first = LAST_OF_OPENING + 1 + tokens.length;
  const done = first + part.annotations.length;
  return [
    ...part.annotations.map((annotation, index) => ({
      type: "response.output_text.annotation.added" as const,
      sequence_number: first + index,
      ...textPlace(queryId),
      annotation_index: index,
      annotation,
    })),
    {
      type: "response.output_text.done" as const,
      sequence_number: done,
      ...textPlace(queryId),
      text: part.text,
      logprobs: [],
    },
    {
      type: "response.content_part.done" as const,
      sequence_number: done + 1,
      ...textPlace(queryId),
      part,
    },
    {
      type: "response.output_item.done" as const,
      sequence_number: done + 2,
      output_index: 0,
      item,
    },
    {
      type:
        response.status === "incomplete"
          ? ("response.incomplete" as const)
          : ("response.completed" as const),
      sequence_number: done + 3,
      response,
    },
  ];
}

/**
 * The failed response, and then an error, which the `openai` packages throw:
 * code that reads only the text must not take it for whole.
 */
export function failureEvents(
  { code, message: text, quotaRemaining }: ErrorBody,
  { head, number }: Place,
  chosen: Chosen,
) {
  const error = failure(text);
  const response = {
    ...unfinishedResponse(head, chosen, { queryId: head.queryId, code, quotaRemaining }),
    status: code === "CANCELLED" ? ("cancelled" as const) : ("failed" as const),
    error,
  };
  return [
    { type: "response.failed" as const, sequence_number: number + 1, response },
    {
      type: "error" as const,
      sequence_number: number + 2,
      ...{ code, message: text, param: null },
      // Some clients look for it here.
      error: { type: error.code, code, message: text, param: null },
    },
  ];
}

/** The place of the answer's text in a response. */
function textPlace(queryId: string) {
  return { item_id: itemId(queryId), output_index: 0, content_index: 0 };
}

// --- The response ---

/**
 * A response as it is now, from what is stored of its query.
 * @param tokens Of its answer, if there is one.
 */
export function storedResponse(
  receipt: Receipt,
  tokens: readonly string[],
  chosen: Chosen,
  quotaRemaining: number,
) {
  const { queryId, state, reason, answer, finish } = receipt;
  const askedAt = Date.parse(receipt.askedAt);
  if (answer !== null && finish !== null) {
    const [sources, found] = [receipt.sources ?? [], receipt.found ?? true];
    const whole = { queryId, askedAt, tokens, sources, finish, found, quotaRemaining };
    const completedAt = Date.parse(receipt.resolvedAt ?? receipt.askedAt);
    return { ...wholeResponse(whole, chosen), completed_at: seconds(completedAt) };
  }
  const extra = { queryId, reason, quotaRemaining };
  const response = unfinishedResponse({ queryId, askedAt }, chosen, extra);
  if (state === "reserved") return response;
  if (reason === "disconnected" || reason === "cancelled") {
    return { ...response, status: "cancelled" as const };
  }
  return { ...response, status: "failed" as const, error: failure(FAILED) };
}

const FAILED = "The answer failed. You were not charged; ask again.";

function failure(text: string) {
  return { code: "server_error" as const, message: text };
}

function wholeResponse(answer: WholeAnswer, chosen: Chosen) {
  const { queryId, tokens, sources, finish, found, quotaRemaining } = answer;
  const status = finish === "length" ? ("incomplete" as const) : ("completed" as const);
  const output = [message(queryId, status, [outputText(tokens.join(""), annotationsIn(answer))])];
  return {
    ...common(answer, chosen),
    status,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" as const } : null,
    output: output as [(typeof output)[number]],
    usage: usageOf(tokens),
    belay: { queryId, found, sources, quotaRemaining },
  };
}

function unfinishedResponse<Extra>(head: AnswerHead, chosen: Chosen, belay: Extra) {
  return {
    ...common(head, chosen),
    status: "in_progress" as const,
    incomplete_details: null,
    output: [],
    belay,
  };
}

/** A value that never changes says what Belay does. */
function common({ queryId, askedAt }: AnswerHead, chosen: Chosen) {
  return {
    id: responseId(queryId),
    object: "response" as const,
    created_at: seconds(askedAt),
    error: null,
    background: chosen.background,
    instructions: chosen.instructions,
    max_output_tokens: chosen.maxOutputTokens,
    metadata: chosen.metadata,
    model: chosen.model,
    previous_response_id: chosen.previousResponseId,
    temperature: chosen.temperature,
    access_programs: null,
    parallel_tool_calls: false,
    store: true,
    text: { format: { type: "text" as const } },
    tool_choice: "none" as const,
    tools: [],
    top_p: null,
    truncation: "disabled" as const,
  };
}

function message<Content>(
  queryId: string,
  status: "in_progress" | "completed" | "incomplete",
  content: Content[],
) {
  return {
    type: "message" as const,
    id: itemId(queryId),
    status,
    role: "assistant" as const,
    content: content as [Content],
  };
}

function outputText(text: string, annotations: Annotation[]) {
  return { type: "output_text" as const, text, annotations, logprobs: [] };
}

type Annotation = ReturnType<typeof annotationsIn>[number];

function annotationsIn(answer: Pick<WholeAnswer, "tokens" | "sources">) {
  return annotationsOf(answer).map(({ start, end, title, url }) => ({
    type: "url_citation" as const,
    ...{ start_index: start, end_index: end, title, url },
  }));
}

/** The prompt is Belay's own, and its tokens are not counted. */
function usageOf(tokens: readonly string[]) {
  const count = countTokens(tokens);
  return {
    input_tokens: 0,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: count,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: count,
  };
}

function itemId(queryId: string): string {
  return `msg_${queryId}`;
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
