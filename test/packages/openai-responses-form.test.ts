// OpenAI's Responses as the `openai` package reads them.

import OpenAI from "openai";
import type { Response as Full, ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import {
  closingEvents,
  failureEvents,
  openingEvents,
  storedResponse,
} from "../../src/formats/openai-responses.ts";
import {
  ANSWER,
  brokenOff,
  CHOSEN,
  FAILURE,
  HEAD,
  RECEIPT,
  TOKENS,
  written,
} from "../formats/openai-responses-answer.ts";

/** `output_text` is added by the package: no server sends it. */
type Sent = Omit<Full, "output_text">;
type SentEvent<Event = ResponseStreamEvent> = Event extends { response: Full }
  ? Omit<Event, "response"> & { response: Sent }
  : Event;

/** The client, for which a server answered with this text. */
function clientOf(text: string, type = "text/event-stream; charset=utf-8"): OpenAI {
  return new OpenAI({
    apiKey: "none",
    baseURL: "https://belay.test/v1",
    fetch: async () => new Response(text, { headers: { "content-type": type } }),
  });
}

const QUESTION = { model: "belay", input: "How do refunds work?" };

describe("what Belay writes as OpenAI's Responses", () => {
  it("has the form that the package's types state", () => {
    const events = [
      ...openingEvents(HEAD, CHOSEN, 19),
      ...closingEvents(ANSWER, CHOSEN),
      ...failureEvents(FAILURE, { head: HEAD, number: 5 }, CHOSEN),
    ] satisfies SentEvent[];
    const response = storedResponse(RECEIPT, TOKENS, CHOSEN, 19) satisfies Sent;
    expect([events.length, response.object]).toEqual([13, "response"]);
  });

  it("adds up to the answer in the package's own helper", async () => {
    const stream = clientOf(written()).responses.stream(QUESTION);
    const response = await stream.finalResponse();
    expect(response).toMatchObject({ status: "completed", output_text: TOKENS.join("") });
    const [item] = response.output;
    expect(item?.type === "message" && item.content[0]).toMatchObject({
      text: TOKENS.join(""),
      annotations: [2, 1, 2].map((n) => ({
        ...{ type: "url_citation", url: `https://example.com/${n}`, title: `Document ${n}` },
      })),
    });
  });

  it("is incomplete in the helper if a limit cut it", async () => {
    const text = written(undefined, { ...ANSWER, finish: "length" });
    const response = await clientOf(text).responses.stream(QUESTION).finalResponse();
    expect(response).toMatchObject({ status: "incomplete", output_text: TOKENS.join("") });
  });

  it("shows a failed response to a loop, and then makes it throw", async () => {
    const seen: ResponseStreamEvent[] = [];
    const stream = await clientOf(brokenOff()).responses.create({ ...QUESTION, stream: true });
    const reading = async () => {
      for await (const event of stream) seen.push(event);
    };
    await expect(reading()).rejects.toMatchObject({
      code: "GENERATION_FAILED",
      message: "The model broke off.",
    });
    expect(seen.at(-1)).toMatchObject({
      type: "response.failed",
      response: { status: "failed", output: [] },
    });
  });

  it("makes the helper fail where the answer failed", async () => {
    const stream = clientOf(brokenOff()).responses.stream(QUESTION);
    await expect(stream.finalResponse()).rejects.toThrow("The model broke off.");
  });
});
