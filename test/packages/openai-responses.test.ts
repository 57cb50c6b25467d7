// The package `openai` with the Responses API: its own resume, cancel and
// conversations, with a base URL and a key.

import OpenAI, { APIError } from "openai";
import type { Response, ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, test, vi } from "vitest";
import { release } from "../support/directive.ts";
import { type Asked, type Package, prove, words } from "./proofs.ts";
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
import { DOCUMENTS, LIMIT } from "./site.ts";

function parameters({ messages, model = "belay", unsupported }: Asked) {
  const system = messages.find(({ role }) => role === "system");
  return {
    model,
    ...(system && { instructions: system.content }),
    input: messages.filter((message) => message !== system),
    ...(unsupported && { tool_choice: "required" as const }),
  };
}

const RESPONSES: Package = {
  async ask(customer, asked) {
    const { key, streaming, signal, onText } = asked;
    const { responses } = client(customer, key);
    if (!streaming) return answered(await responses.create(parameters(asked), { signal }));
    const events = await responses.create({ ...parameters(asked), stream: true }, { signal });
    let last: Response | undefined;
    for await (const event of events) {
      if (event.type === "response.output_text.delta") onText?.(event.delta);
      if (event.type === "response.completed") last = event.response;
    }
    return answered(last as Response);
  },
  failure(error) {
    expect(error).toBeInstanceOf(APIError);
    return error as APIError;
  },
  finish: "completed",
  unsupported: "tool_choice",
  shows: { opening: /response\.content_part\.added/, sources: /: ping/ },
  sends: { withoutQuota: 1, failing: 3 },
};

const site = prove("openai, responses", RESPONSES);

describe.concurrent("openai's responses", () => {
  test("are numbered from 0 without a gap, end complete, and are read again free of charge", async () => {
    const customer = await site().customer();
    const openai = client(customer);
    const input = customer.question(SHORT);
    const { events, id } = await readUpTo(openai, {
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
    const again = await readAfter(openai, id);
    expect(again.map(shape)).toEqual(events.map(shape));
    await customer.paid({ charged: 1 });
  });

  test("are refunded if the client does not come back, and cannot be resumed then", async () => {
    const customer = await site().customer();
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
    const customer = await site().customer();
    const openai = client(customer);
    const body = { model: "belay", input: customer.question(SHORT) };
    const first = await openai.responses.stream(body).finalResponse();
    expect(first).toMatchObject({ status: "completed", output_text: TEXT });
    expect(answered(first).cited).toEqual([DOCUMENTS.quota.url]);
    const again = openai.responses.stream({ response_id: first.id, starting_after: 5 });
    expect(await again.finalResponse()).toMatchObject({ id: first.id, output_text: TEXT });
    await customer.paid({ charged: 1 });
  });

  test("say nothing but comments in a silence", async () => {
    const customer = await site().customer();
    const input = customer.question({ ...SHORT, firstMs: 500 });
    const { events } = await readUpTo(client(customer), { model: "belay", input });
    expect(textOf(events)).toBe(TEXT);
    const [seen] = customer.seen;
    expect(seen?.received.match(/^: /gm)?.length).toBeGreaterThan(2);
  });

  test("are retrieved while they run, and after", async () => {
    const customer = await site().customer();
    const openai = client(customer);
    const input = customer.question({ ...SHORT, holdAt: SHORT.tokens.length });
    const stream = await openai.responses.create({ model: "belay", input, stream: true });
    let id = "";
    for await (const event of stream) {
      if (event.type === "response.created") id = event.response.id;
      if (event.type !== "response.output_text.delta" || event.sequence_number !== 5) continue;
      expect(await openai.responses.retrieve(id)).toMatchObject({
        ...{ id, object: "response", status: "in_progress", output: [] },
      });
      release(customer.asked, customer.name);
    }
    await customer.paid({ charged: 1 });
    const done = await openai.responses.retrieve(id);
    expect(done).toMatchObject({ id, status: "completed", output_text: TEXT, error: null });
    expect(answered(done)).toMatchObject({
      belay: { found: true, quotaRemaining: LIMIT - 1 },
      cited: [DOCUMENTS.quota.url],
    });
    // The query's own id, as in X-Query-Id.
    expect(await openai.responses.retrieve(id.replace(/^resp_/, ""))).toMatchObject({ id });
  });

  test("are retrieved when a limit cut them", async () => {
    const customer = await site().customer();
    const openai = client(customer);
    const body = { model: "belay", max_output_tokens: 4 };
    const input = () => customer.question({ tokens: 10 });
    const expected = {
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output_text: words(4),
    };
    const created = await openai.responses.create({ ...body, input: input() });
    expect(created).toMatchObject({ ...expected, max_output_tokens: 4 });
    const stream = openai.responses.stream({ ...body, input: input() });
    expect(await stream.finalResponse()).toMatchObject(expected);
    expect(await openai.responses.retrieve(created.id)).toMatchObject(expected);
    await customer.paid({ charged: 2 });
  });

  test("are retrieved when they failed, and when nothing was found", async () => {
    const customer = await site().customer();
    const openai = client(customer);
    const input = customer.question({ tokens: 5, fault: "cut", at: 2 });
    const stream = openai.responses.stream({ model: "belay", input });
    await expect(stream.finalResponse()).rejects.toThrow("not charged");
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
    expect(answered(again).belay).toMatchObject({ found: false, quotaRemaining: LIMIT });
  });

  test("show a failed response before the error that a loop throws", async () => {
    const customer = await site().customer();
    const seen: ResponseStreamEvent[] = [];
    const stream = await client(customer).responses.create({
      ...{ model: "belay", stream: true as const },
      input: customer.question({ tokens: 5, gapMs: 10, fault: "cut", at: 2 }),
    });
    const reading = async () => {
      for await (const event of stream) seen.push(event);
    };
    const error = await reading().catch((thrown: unknown) => thrown);
    expect(RESPONSES.failure(error).code).toBe("GENERATION_FAILED");
    expect(seen.at(-1)).toMatchObject({
      type: "response.failed",
      sequence_number: seen.length - 1,
      response: { status: "failed", output: [], belay: { quotaRemaining: LIMIT } },
    });
  });

  test("are unknown under another user's id, and under no id at all", async () => {
    const [customer, other] = [await site().customer(), await site().customer()];
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
      ).rejects.toMatchObject({
        ...{ status: 400, code: "previous_response_not_found", param: "previous_response_id" },
      });
    }
    await other.paid({});
  });

  test("are refused where starting_after is no number", async () => {
    const customer = await site().customer();
    const { id } = await client(customer).responses.create({
      ...{ model: "belay", input: customer.question({ tokens: 1 }) },
    });
    await expect(readAfter(client(customer), id, -1)).rejects.toMatchObject({ status: 400 });
  });
});

describe.concurrent("a cancel of openai's responses", () => {
  test("stops the model, refunds, and returns the cancelled response", async () => {
    const customer = await site().customer();
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
    const customer = await site().customer();
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
    const customer = await site().customer();
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
    const customer = await site().customer();
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
    const customer = await site().customer();
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
    const customer = await site().customer();
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
    const customer = await site().customer();
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
    const customer = await site().customer();
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
    const customer = await site().customer();
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
    const customer = await site().customer();
    const openai = client(customer);
    const input = customer.question({ tokens: 300, gapMs: 20 });
    const { id } = await openai.responses.create({ model: "belay", background: true, input });
    expect(await openai.responses.cancel(id)).toMatchObject({ status: "cancelled" });
    await customer.paid({ refunded: 1, reason: "cancelled" });
    await customer.modelStopped();
  });

  test("go on without their stream, are charged, and can be resumed", async () => {
    const customer = await site().customer();
    const openai = client(customer);
    const body = { model: "belay", background: true, input: customer.question(SHORT) };
    const { id, events } = await readUpTo(openai, body, 5);
    await customer.paid({ charged: 1 });
    const rest = await readAfter(openai, id, 5);
    expect(textOf([...events, ...rest])).toBe(TEXT);
    await customer.paid({ charged: 1 });
  });

  test("fail without a charge, which can be read", async () => {
    const customer = await site().customer();
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
