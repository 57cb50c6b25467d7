// OpenAI's Responses, held to the types of the `openai` package.

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
  CHOSEN,
  FAILURE,
  HEAD,
  RECEIPT,
  TOKENS,
} from "../formats/openai-responses-answer.ts";

/** `output_text` is added by the package: no server sends it. */
type Sent = Omit<Full, "output_text">;
type SentEvent<Event = ResponseStreamEvent> = Event extends { response: Full }
  ? Omit<Event, "response"> & { response: Sent }
  : Event;

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
});
