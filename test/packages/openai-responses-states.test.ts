// OpenAI's Responses with the package `openai`, in all states. What holds for
// every package is in openai-responses.test.ts.

import { setTimeout as sleep } from "node:timers/promises";
import OpenAI, { APIError } from "openai";
import type {
  Response,
  ResponseCreateParamsStreaming,
  ResponseStreamEvent,
} from "openai/resources/responses/responses";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Belay, Extras } from "./extras.ts";
import { words } from "./proofs.ts";
import { type Customer, LIMIT, Site } from "./site.ts";

function client({ fetch, key, url }: Customer): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: key, fetch });
}

function belayOf(response: Response): Belay & { readonly reason?: string } {
  return (response as Response & { belay: Belay }).belay;
}

function extrasOf(response: Response): Extras {
  const [item] = response.output;
  const [part] = item?.type === "message" ? item.content : [];
  const annotations = part?.type === "output_text" ? part.annotations : [];
  const cited = annotations.flatMap((note) => (note.type === "url_citation" ? note.url : []));
  return { belay: belayOf(response), cited };
}

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

/** An answer of five tokens, with a cited source that has an address. */
const SHORT = { tokens: ["The ", "quota ", "is ", "twenty ", "[1]."], gapMs: 30 };
const TEXT = SHORT.tokens.join("");

interface Cut {
  readonly id: string;
  readonly events: readonly ResponseStreamEvent[];
}

/** Reads a stream up to an event's number, and disconnects there. */
async function readUpTo(
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

/** The rest of a stream after an event's number. */
async function readAfter(
  openai: OpenAI,
  id: string,
  starting_after: number,
): Promise<ResponseStreamEvent[]> {
  const stream = await openai.responses.retrieve(id, { stream: true, starting_after });
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

const textOf = (events: readonly ResponseStreamEvent[]) =>
  events
    .flatMap((event) => (event.type === "response.output_text.delta" ? event.delta : []))
    .join("");

/** An event without what a later replay says otherwise, such as the quota. */
function shape(event: ResponseStreamEvent): object {
  const { response: _, ...rest } = event as ResponseStreamEvent & { response?: Response };
  return rest;
}

/** What a stream of SHORT has, opening and closing included. */
const EVENTS_OF_SHORT = 4 + SHORT.tokens.length + 5;

describe.concurrent("openai's responses", () => {
  test("are numbered from 0 without a gap, and end complete", async () => {
    const customer = await site.customer();
    const input = customer.question(SHORT);
    const { events, id } = await readUpTo(client(customer), {
      ...{ model: "belay", input, metadata: { ticket: "7" }, instructions: "Be brief." },
    });
    expect(events.map((event) => event.sequence_number)).toEqual(
      Array.from({ length: EVENTS_OF_SHORT }, (_, n) => n),
    );
    expect(textOf(events)).toBe(TEXT);
    const last = events.at(-1);
    expect(last).toMatchObject({
      type: "response.completed",
      response: {
        ...{ id, status: "completed", model: "belay", metadata: { ticket: "7" } },
        ...{ instructions: "Be brief.", usage: { output_tokens: 5 } },
      },
    });
    expect(id).toMatch(/^resp_1-[\da-f]{32}$/);
    await customer.paid({ charged: 1 });
  });

  test("are the same at every replay, after any event, free of charge", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const body = { model: "belay", input: customer.question(SHORT) };
    const { id, events } = await readUpTo(openai, body);
    for (const { sequence_number } of events) {
      const rest = await readAfter(openai, id, sequence_number);
      expect(rest.map(shape)).toEqual(events.slice(sequence_number + 1).map(shape));
    }
    const whole = await openai.responses.retrieve(id, { stream: true });
    const again: ResponseStreamEvent[] = [];
    for await (const event of whole) again.push(event);
    expect(again.map(shape)).toEqual(events.map(shape));
    await customer.paid({ charged: 1 });
  });

  test("are refunded if the client does not come back, and cannot be resumed then", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const body = { model: "belay", input: customer.question({ tokens: 300, gapMs: 20 }) };
    const { id } = await readUpTo(openai, body, 6);
    await customer.paid({ refunded: 1 });
    await customer.modelStopped();
    await expect(readAfter(openai, id, 6)).rejects.toMatchObject({ status: 410 });
    expect(await openai.responses.retrieve(id)).toMatchObject({
      ...{ id, status: "cancelled", output: [], output_text: "" },
    });
  });

  test("are read by the package's own helper, and read again by it", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const body = { model: "belay", input: customer.question(SHORT) };
    const first = await openai.responses.stream(body).finalResponse();
    expect(first).toMatchObject({ status: "completed", output_text: TEXT });
    const again = openai.responses.stream({ response_id: first.id, starting_after: 5 });
    expect(await again.finalResponse()).toMatchObject({ id: first.id, output_text: TEXT });
    await customer.paid({ charged: 1 });
  });

  test("say nothing but comments in a silence", async () => {
    const customer = await site.customer();
    const input = customer.question({ ...SHORT, firstMs: 500 });
    const { events } = await readUpTo(client(customer), { model: "belay", input });
    expect(textOf(events)).toBe(TEXT);
    const [seen] = customer.seen;
    expect(seen?.received.match(/^: /gm)?.length).toBeGreaterThan(2);
  });

  test("are retrieved while they run, and after", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const input = customer.question({ ...SHORT, endMs: 300 });
    const stream = await openai.responses.create({ model: "belay", input, stream: true });
    let id = "";
    for await (const event of stream) {
      if (event.type === "response.created") id = event.response.id;
      if (event.type !== "response.output_text.delta" || event.sequence_number !== 5) continue;
      expect(await openai.responses.retrieve(id)).toMatchObject({
        ...{ id, object: "response", status: "in_progress", output: [] },
      });
    }
    await customer.paid({ charged: 1 });
    const done = await openai.responses.retrieve(id);
    expect(done).toMatchObject({ id, status: "completed", output_text: TEXT, error: null });
    expect(extrasOf(done)).toMatchObject({
      belay: { found: true, quotaRemaining: LIMIT - 1 },
      cited: [expect.stringContaining("https://")],
    });
    // The query's own id, as in X-Query-Id.
    expect(await openai.responses.retrieve(id.replace(/^resp_/, ""))).toMatchObject({ id });
  });

  test("are retrieved when a limit cut them", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const input = customer.question({ tokens: 10 });
    const created = await openai.responses.create({ model: "belay", input, max_output_tokens: 4 });
    const expected = {
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output_text: words(4),
    };
    expect(created).toMatchObject({ ...expected, max_output_tokens: 4 });
    expect(await openai.responses.retrieve(created.id)).toMatchObject(expected);
    await customer.paid({ charged: 1 });
  });

  test("are retrieved when they failed, and when nothing was found", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const input = customer.question({ tokens: 5, fault: "cut", at: 2 });
    await expect(readUpTo(openai, { model: "belay", input })).rejects.toMatchObject({
      code: "GENERATION_FAILED",
    });
    const [receipt] = await customer.user.queries();
    expect(await openai.responses.retrieve(`resp_${receipt?.queryId}`)).toMatchObject({
      status: "failed",
      error: { code: "server_error", message: expect.stringContaining("not charged") },
      output: [],
    });
    const nothing = await openai.responses.create({
      ...{ model: "belay", input: customer.question({ tokens: ["[0] ", "I do not know."] }) },
    });
    const again = await openai.responses.retrieve(nothing.id);
    expect(again).toMatchObject({ status: "completed", output_text: nothing.output_text });
    expect(belayOf(again)).toMatchObject({ found: false, quotaRemaining: LIMIT });
  });

  test("show a failed response before the error that a loop throws", async () => {
    const customer = await site.customer();
    const seen: ResponseStreamEvent[] = [];
    const stream = await client(customer).responses.create({
      ...{ model: "belay", stream: true as const },
      input: customer.question({ tokens: 5, gapMs: 10, fault: "cut", at: 2 }),
    });
    const reading = async () => {
      for await (const event of stream) seen.push(event);
    };
    await expect(reading()).rejects.toBeInstanceOf(APIError);
    expect(seen.at(-1)).toMatchObject({
      type: "response.failed",
      sequence_number: seen.length - 1,
      response: { status: "failed", output: [], belay: { quotaRemaining: LIMIT } },
    });
  });

  test("are unknown under another user's id, and under no id at all", async () => {
    const [customer, other] = [await site.customer(), await site.customer()];
    const { id } = await client(customer).responses.create({
      ...{ model: "belay", input: customer.question({ tokens: 1 }) },
    });
    const openai = client(other);
    for (const unknown of [id, "resp_1-0123456789abcdef0123456789abcdef", "resp_", "x y"]) {
      const error = { status: 404, type: "invalid_request_error" };
      await expect(openai.responses.retrieve(unknown)).rejects.toMatchObject(error);
      await expect(readAfter(openai, unknown, 3)).rejects.toMatchObject(error);
      await expect(openai.responses.cancel(unknown)).rejects.toMatchObject(error);
      await expect(
        openai.responses.create({ model: "belay", input: "Why?", previous_response_id: unknown }),
      ).rejects.toMatchObject({ status: 400, code: "previous_response_not_found" });
    }
    await other.paid({});
  });

  test("are refused where starting_after is no number", async () => {
    const customer = await site.customer();
    const { id } = await client(customer).responses.create({
      ...{ model: "belay", input: customer.question({ tokens: 1 }) },
    });
    await expect(readAfter(client(customer), id, -1)).rejects.toMatchObject({ status: 400 });
  });
});

describe.concurrent("a cancel of openai's responses", () => {
  test("stops the model, refunds, and returns the cancelled response", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const input = customer.question({ tokens: 300, gapMs: 20 });
    const stream = await openai.responses.create({ model: "belay", input, stream: true });
    const events: ResponseStreamEvent[] = [];
    let cancelled: Promise<Response> | undefined;
    const reading = async () => {
      for await (const event of stream) {
        events.push(event);
        if (event.sequence_number !== 6) continue;
        const [created] = events;
        const id = created?.type === "response.created" ? created.response.id : "";
        cancelled = openai.responses.cancel(id);
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: "CANCELLED" });
    const response = await cancelled;
    expect(response).toMatchObject({ status: "cancelled", output: [] });
    expect(events.at(-1)).toMatchObject({
      type: "response.failed",
      response: { id: response?.id, status: "cancelled" },
    });
    await customer.paid({ refunded: 1, reason: "cancelled" });
    await customer.modelStopped();
    const again = await openai.responses.cancel(response?.id ?? "");
    expect(again).toMatchObject({ status: "cancelled" });
  });

  test("returns a whole response as it is", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const { id } = await openai.responses.create({
      ...{ model: "belay", input: customer.question(SHORT) },
    });
    // The package adds `output_text` only to what it creates and retrieves.
    expect(await openai.responses.cancel(id)).toMatchObject({
      ...{ id, status: "completed", output: [{ content: [{ text: TEXT }] }] },
    });
    await customer.paid({ charged: 1 });
  });
});

describe.concurrent("previous_response_id", () => {
  test("gives the model the turns before, over three turns", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    let previous_response_id: string | undefined;
    for (const n of [1, 2, 3]) {
      const response = await openai.responses.create({
        model: "belay",
        instructions: `Only for turn ${n}.`,
        input: customer.question({ tokens: [`Answer ${n}.`] }, `What is quota ${n}?`),
        ...(previous_response_id !== undefined && { previous_response_id }),
      });
      expect(response.previous_response_id).toBe(previous_response_id ?? null);
      previous_response_id = response.id;
    }
    const last = customer.asked.at(-1);
    expect(last?.roles).toEqual(["system", "user", "assistant", "user", "assistant", "user"]);
    const contents = last?.messages.map(({ content }) => String(content)) ?? [];
    expect(contents[0]).toContain("Only for turn 3.");
    expect(contents[0]).not.toContain("Only for turn 2.");
    expect(contents[1]).toMatch(/^What is quota 1\?/);
    expect(contents[2]).toBe("Answer 1.");
    expect(contents[3]).toMatch(/^What is quota 2\?/);
    expect(contents[4]).toBe("Answer 2.");
    const retrieved = await openai.responses.retrieve(previous_response_id ?? "");
    expect(retrieved.previous_response_id).toMatch(/^resp_2-/);
    await customer.paid({ charged: 3 });
  });

  test("comes before the turns of the input itself", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const first = await openai.responses.create({
      ...{ model: "belay", input: customer.question({ tokens: ["One."] }, "First?") },
    });
    await openai.responses.create({
      model: "belay",
      previous_response_id: first.id,
      input: [
        { role: "user", content: "Second?" },
        { role: "assistant", content: "Two." },
        { role: "user", content: customer.question({ tokens: ["Three."] }, "Third?") },
      ],
    });
    const contents = customer.asked.at(-1)?.messages.map(({ content }) => String(content)) ?? [];
    expect(contents.slice(2, 5)).toEqual(["One.", "Second?", "Two."]);
  });

  test("is another ask than the same question without it", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const input = customer.question({ tokens: ["Same."] });
    const first = await openai.responses.create({ model: "belay", input });
    const second = await openai.responses.create({
      ...{ model: "belay", input, previous_response_id: first.id },
    });
    expect(second.id).not.toBe(first.id);
    await customer.paid({ charged: 2 });
  });

  test("leaves out a response that was cancelled", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const body = { model: "belay", input: customer.question({ tokens: 300, gapMs: 20 }) };
    const { id } = await readUpTo(openai, body, 5);
    expect(await openai.responses.cancel(id)).toMatchObject({ status: "cancelled" });
    const next = await openai.responses.create({
      ...{ model: "belay", previous_response_id: id, input: customer.question({ tokens: 1 }) },
    });
    expect(next.status).toBe("completed");
    expect(customer.asked.at(-1)?.roles).toEqual(["system", "user"]);
  });

  test("waits for a response that is still written", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const input = customer.question({ tokens: 300, gapMs: 20 });
    const stream = await openai.responses.create({ model: "belay", input, stream: true });
    for await (const event of stream) {
      if (event.type !== "response.created") continue;
      await expect(
        openai.responses.create({
          ...{ model: "belay", input: "And then?", previous_response_id: event.response.id },
        }),
      ).rejects.toMatchObject({ status: 400, param: "previous_response_id" });
      break;
    }
  });
});

describe.concurrent("the package's own retries of responses", () => {
  test("get the stored answer, and one charge, if the first was lost on the way", async () => {
    const customer = await site.customer();
    let calls = 0;
    const openai = new OpenAI({
      baseURL: `${customer.url}/v1`,
      apiKey: customer.key,
      fetch: async (input, init) => {
        calls += 1;
        const response = await customer.fetch(input, init);
        if (calls > 1) return response;
        await response.text();
        throw new TypeError("The connection was lost.");
      },
    });
    const response = await openai.responses.create({
      ...{ model: "belay", input: customer.question(SHORT) },
    });
    expect(response).toMatchObject({ status: "completed", output_text: TEXT });
    expect(calls).toBe(2);
    expect(customer.asked.length).toBe(1);
    await customer.paid({ charged: 1 });
  });
});

describe.concurrent("responses in the background", () => {
  test("are returned at once, and charged when they are complete", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const begun = await openai.responses.create({
      ...{ model: "belay", background: true, input: customer.question(SHORT) },
    });
    expect(begun).toMatchObject({ status: "in_progress", background: true, output: [] });
    const done = await vi.waitFor(async () => {
      const response = await openai.responses.retrieve(begun.id);
      expect(response.status).toBe("completed");
      return response;
    });
    expect(done).toMatchObject({ output_text: TEXT, background: true });
    await customer.paid({ charged: 1 });
  });

  test("can be cancelled", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const input = customer.question({ tokens: 300, gapMs: 20 });
    const { id } = await openai.responses.create({ model: "belay", background: true, input });
    expect(await openai.responses.cancel(id)).toMatchObject({ status: "cancelled" });
    await customer.paid({ refunded: 1, reason: "cancelled" });
    await customer.modelStopped();
  });

  test("go on without their stream, and can be resumed", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const body = { model: "belay", background: true, input: customer.question(SHORT) };
    const { id, events } = await readUpTo(openai, body, 5);
    await sleep(1_500); // Longer than a stream's client is waited for.
    const rest = await readAfter(openai, id, 5);
    expect(textOf([...events, ...rest])).toBe(TEXT);
    await customer.paid({ charged: 1 });
  });

  test("fail without a charge, which can be read", async () => {
    const customer = await site.customer();
    const openai = client(customer);
    const { id } = await openai.responses.create({
      ...{ model: "belay", background: true },
      input: customer.question({ tokens: 5, gapMs: 20, fault: "cut", at: 2 }),
    });
    await vi.waitFor(async () => {
      expect(await openai.responses.retrieve(id)).toMatchObject({ status: "failed", output: [] });
    });
    await customer.paid({ refunded: 1, reason: "failed" });
  });
});
