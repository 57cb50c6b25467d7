// OpenAI's Responses, written. test/packages reads them with the package.

import { describe, expect, it } from "vitest";
import {
  closingEvents,
  failureEvents,
  NOTHING_CHOSEN,
  queryIdOf,
  responseBody,
  responseEvents,
  responseId,
  storedResponse,
} from "../../src/formats/openai-responses.ts";
import type { Receipt } from "../../src/protocol.ts";
import {
  ANSWER,
  brokenOff,
  CHOSEN,
  FAILURE,
  HEAD,
  QUERY_ID,
  RECEIPT,
  source,
  TOKENS,
  UNANSWERED,
  written,
} from "./openai-responses-answer.ts";

interface Event {
  readonly type: string;
  readonly sequence_number: number;
}

/** The data of each event, whose name and type must agree. */
function read(text: string): Event[] {
  return text.split("\n\n").flatMap((block) => {
    const [, name, data] = /^event: (\S+)\ndata: (.*)$/.exec(block) ?? [];
    if (name === undefined) return [];
    const event: Event = JSON.parse(data ?? "");
    expect(event.type).toBe(name);
    return [event];
  });
}

describe("the events of OpenAI's Responses", () => {
  it("are numbered without a gap, from 0", () => {
    const events = read(written());
    expect(events.map(({ type }) => type)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.delta",
      "response.output_text.delta",
      "response.output_text.annotation.added",
      "response.output_text.annotation.added",
      "response.output_text.annotation.added",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_event, at) => at));
  });

  it("carry the tokens between the opening and the closing", () => {
    const [, , , , delta] = read(written());
    expect(delta).toEqual({
      type: "response.output_text.delta",
      sequence_number: 4,
      item_id: `msg_${QUERY_ID}`,
      output_index: 0,
      content_index: 0,
      delta: TOKENS[0],
      logprobs: [],
    });
  });

  it("say where the text cites each source", () => {
    const text = TOKENS.join("");
    const marks = closingEvents(ANSWER, CHOSEN).flatMap((event) =>
      event.type === "response.output_text.annotation.added"
        ? [text.slice(event.annotation.start_index, event.annotation.end_index)]
        : [],
    );
    expect(marks).toEqual(["[2]", "[1]", "[2]"]);
  });

  it("leave out sources that have no address or are not cited", () => {
    const sources = [source(1, null, true), source(2, "https://example.com/2", false)];
    const events = closingEvents({ ...ANSWER, sources }, CHOSEN);
    expect(events.map(({ type }) => type)).not.toContain("response.output_text.annotation.added");
    expect(events.at(-1)).toMatchObject({ response: { belay: { sources } } });
  });

  it("give the rest after any number, and write something in any case", () => {
    const all = read(written());
    for (let last = 0; last < all.length; last += 1) {
      const text = written(last);
      expect(read(text), `after ${last}`).toEqual(all.slice(last + 1));
      expect(responseEvents(CHOSEN, last).closing(ANSWER)).not.toBe("");
    }
  });

  it("say that a limit cut the answer", () => {
    const text = written(undefined, { ...ANSWER, finish: "length" });
    const events = read(text);
    expect(events.at(-1)).toMatchObject({
      type: "response.incomplete",
      response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
    });
  });

  it("say that nothing was found", () => {
    const answer = { ...ANSWER, sources: [], found: false };
    const last = read(written(undefined, answer)).at(-1);
    expect(last).toMatchObject({ response: { belay: { found: false, sources: [] } } });
  });
});

describe("an answer that fails while it is written as OpenAI's events", () => {
  it("is a failed response without text, and then an error", () => {
    const [failed, error, ...more] = read(brokenOff()).slice(5);
    expect(failed).toMatchObject({
      type: "response.failed",
      sequence_number: 5,
      response: {
        status: "failed",
        error: { code: "server_error", message: "The model broke off." },
        output: [],
        belay: { queryId: QUERY_ID, code: "GENERATION_FAILED", quotaRemaining: 20 },
      },
    });
    expect(error).toMatchObject({ type: "error", sequence_number: 6, code: "GENERATION_FAILED" });
    expect(more).toEqual([]);
  });

  it("says that it was cancelled", () => {
    const cancelled = { ...FAILURE, code: "CANCELLED" as const };
    const [event] = failureEvents(cancelled, { head: HEAD, number: 4 }, CHOSEN);
    expect(event).toMatchObject({ response: { status: "cancelled" } });
  });
});

describe("a response in one body", () => {
  it("has the text, its annotations and the sources", () => {
    const body = responseBody(CHOSEN).closing(ANSWER);
    expect(JSON.parse(body)).toMatchObject({
      status: "completed",
      error: null,
      incomplete_details: null,
      output: [
        {
          id: `msg_${QUERY_ID}`,
          content: [
            {
              text: TOKENS.join(""),
              annotations: [2, 1, 2].map((n) => ({ url: `https://example.com/${n}` })),
            },
          ],
        },
      ],
      belay: { queryId: QUERY_ID, found: true, sources: ANSWER.sources, quotaRemaining: 19 },
    });
  });
});

describe("a response that is read again", () => {
  it("is complete, with what it follows", () => {
    const before = responseId("0-0123456789abcdef0123456789abcdef");
    expect(
      storedResponse(RECEIPT, TOKENS, { ...NOTHING_CHOSEN, previousResponseId: before }, 19),
    ).toMatchObject({
      id: `resp_${QUERY_ID}`,
      status: "completed",
      previous_response_id: before,
      completed_at: Date.parse("2026-11-28T18:00:09.000Z") / 1000,
      output: [{ id: `msg_${QUERY_ID}`, content: [{ text: TOKENS.join("") }] }],
      belay: { queryId: QUERY_ID, found: true, quotaRemaining: 19 },
    });
  });

  it.each([
    ["in_progress", { ...UNANSWERED, state: "reserved", resolvedAt: null }],
    ["incomplete", { finish: "length" }],
    ["completed", { state: "refunded", reason: "nothing_found", found: false }],
    ["completed", { state: "refunded", reason: "operator" }],
    ["cancelled", { ...UNANSWERED, state: "refunded", reason: "cancelled" }],
    ["cancelled", { ...UNANSWERED, state: "refunded", reason: "disconnected" }],
    ["failed", { ...UNANSWERED, state: "refunded", reason: "failed" }],
    ["failed", { ...UNANSWERED, state: "refunded", reason: "expired" }],
  ] as const)("is %s", (status, change: Partial<Receipt>) => {
    const receipt = { ...RECEIPT, ...change };
    const response = storedResponse(receipt, TOKENS, NOTHING_CHOSEN, 19);
    expect(response.status).toBe(status);
    expect(response.output).toHaveLength(receipt.answer === null ? 0 : 1);
    expect(response.error === null).toBe(status !== "failed");
  });
});

describe("the id of a response", () => {
  it("is found again with and without its prefix", () => {
    expect(queryIdOf(responseId(QUERY_ID))).toBe(QUERY_ID);
    expect(queryIdOf(QUERY_ID)).toBe(QUERY_ID);
  });
});
