// The package `openai` with the Responses API, whose stream is cut anywhere and
// resumed. The server waits longer than a busy machine needs to come back.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  answered,
  client,
  EVENTS_OF_SHORT,
  readAfter,
  readUpTo,
  SHORT,
  shape,
  TEXT,
  textOf,
} from "./responses.ts";
import { DOCUMENTS, Site } from "./site.ts";

let site: Site;
beforeAll(async () => {
  site = await Site.start({ RESUME_WAIT_SECONDS: "10" });
});
afterAll(() => site.stop());

describe.concurrent("openai's responses", () => {
  const cuts = Array.from({ length: EVENTS_OF_SHORT }, (_, n) => n);
  test.each(cuts)("cut after event %i go on with the next, for one charge", async (cut) => {
    const customer = await site.customer();
    const openai = client(customer);
    const body = { model: "belay", input: customer.question({ ...SHORT, gapMs: 60 }) };
    const begun = await readUpTo(openai, body, cut);
    const events = [...begun.events, ...(await readAfter(openai, begun.id, cut))];
    expect(events.map((event) => event.sequence_number)).toEqual(cuts);
    expect(textOf(events)).toBe(TEXT);
    const last = events.at(-1);
    expect(last?.type === "response.completed" && answered(last.response)).toMatchObject({
      ...{ text: TEXT, cited: [DOCUMENTS.quota.url] },
    });
    await customer.paid({ charged: 1 });
    expect(customer.asked.length).toBe(1);

    // What follows the opening is the same to the letter once it is stored.
    const stored = await readAfter(openai, begun.id, cut);
    expect(stored.map(shape)).toEqual(events.slice(cut + 1).map(shape));
    const opening = Math.max(0, 3 - cut);
    expect(stored.slice(opening)).toEqual(events.slice(cut + 1 + opening));
    await customer.paid({ charged: 1 });
  });
});
