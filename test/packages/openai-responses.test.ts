// The package `openai` with the Responses API: its own resume, cancel and
// conversations, with a base URL and a key.

import OpenAI, { APIError } from "openai";
import type { Response, ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, test } from "vitest";
import type { Belay } from "./extras.ts";
import { type Answered, type Asked, type Package, prove, words } from "./proofs.ts";
import { type Customer, DOCUMENTS } from "./site.ts";

function client(customer: Customer, key = customer.key): OpenAI {
  return new OpenAI({ baseURL: `${customer.url}/v1`, apiKey: key, fetch: customer.fetch });
}

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

function answered(response: Response): Answered {
  const [item] = response.output;
  const [part] = item?.type === "message" ? item.content : [];
  const annotations = part?.type === "output_text" ? part.annotations : [];
  const { belay } = response as unknown as { readonly belay: Belay };
  // Of a stream the package does not set `output_text`.
  const text = part?.type === "output_text" ? part.text : "";
  const cited = annotations.flatMap((one) => (one.type === "url_citation" ? one.url : []));
  return { text, finish: response.status ?? "", belay, cited };
}

const site = prove("openai, responses", RESPONSES);

/** The response's id, and the events up to the first that fits. */
async function eventsUntil(
  stream: AsyncIterable<ResponseStreamEvent>,
  last: (event: ResponseStreamEvent) => boolean,
): Promise<{ id: string; events: ResponseStreamEvent[] }> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    if (last(event)) break;
  }
  const [first] = events;
  if (first?.type !== "response.created") throw new Error(`It began with ${first?.type}.`);
  return { id: first.response.id, events };
}

const textOf = (events: readonly ResponseStreamEvent[]) =>
  events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");
const never = () => false;

describe.concurrent("openai, responses", () => {
  const TOKENS = ["Twenty ", "answers ", "a ", "day ", "[1], ", "and ", "refunds ", "[2]."];
  /** 4 of the opening, the tokens, an annotation, and 4 of the end. */
  const EVENTS = 4 + TOKENS.length + 1 + 4;

  test.each(Array.from({ length: EVENTS }, (_, n) => n))(
    "cut after event %i, and resumed: the same events, one charge",
    async (cut) => {
      const customer = await site().customer();
      const { responses } = client(customer);
      const asked = await responses.create({
        model: "belay",
        input: customer.question({ tokens: TOKENS, gapMs: 60 }),
        stream: true,
      });
      const begun = await eventsUntil(asked, (event) => event.sequence_number === cut);
      const resumed = await responses.retrieve(begun.id, { stream: true, starting_after: cut });
      const rest: ResponseStreamEvent[] = [];
      for await (const event of resumed) rest.push(event);
      const events = [...begun.events, ...rest];
      expect(events.map((event) => event.sequence_number)).toEqual(
        Array.from({ length: EVENTS }, (_, n) => n),
      );
      expect(textOf(events)).toBe(TOKENS.join(""));
      const last = events.at(-1);
      expect(last?.type).toBe("response.completed");
      if (last?.type === "response.completed") {
        expect(answered(last.response)).toMatchObject({
          text: TOKENS.join(""),
          cited: [DOCUMENTS.quota.url],
        });
      }
      await customer.paid({ charged: 1 });
      expect(customer.asked.length).toBe(1);

      const again = await responses.retrieve(begun.id, { stream: true });
      expect((await eventsUntil(again, never)).events.slice(4)).toEqual(events.slice(4));
      await customer.paid({ charged: 1 });
    },
  );

  test("is retrieved while it is written, when it is whole, and after", async () => {
    const customer = await site().customer();
    const { responses } = client(customer);
    const asked = await responses.create({
      model: "belay",
      input: customer.question({ tokens: 10, gapMs: 50 }),
      stream: true,
    });
    let id = "";
    for await (const event of asked) {
      if (event.type === "response.created") {
        id = event.response.id;
        expect(await responses.retrieve(id)).toMatchObject({ id, status: "in_progress" });
      }
    }
    const whole = await responses.retrieve(id);
    expect(whole).toMatchObject({ id, status: "completed", output_text: words(10) });
    await customer.paid({ charged: 1 });
  });

  test("is cancelled: refunded, and the model stopped", async () => {
    const customer = await site().customer();
    const { responses } = client(customer);
    const asked = await responses.create({
      model: "belay",
      input: customer.question({ tokens: 300, gapMs: 20 }),
      stream: true,
    });
    let id = "";
    const reading = (async () => {
      for await (const event of asked) {
        if (event.type === "response.created") id = event.response.id;
        if (event.type === "response.output_text.delta" && event.delta === "w5 ") {
          expect(await responses.cancel(id)).toMatchObject({ id, status: "cancelled" });
        }
      }
    })();
    await expect(reading).rejects.toBeInstanceOf(APIError);
    expect(await responses.retrieve(id)).toMatchObject({ id, status: "cancelled" });
    await customer.paid({ refunded: 1, reason: "cancelled" });
    await customer.modelStopped();
  });

  test("goes on from a previous response", async () => {
    const customer = await site().customer();
    const { responses } = client(customer);
    const question = customer.question({ tokens: 3 }, "What is the quota?");
    const first = await responses.create({ model: "belay", input: question });
    const second = await responses.create({
      model: "belay",
      input: customer.question({ tokens: 4 }, "And what is refunded?"),
      previous_response_id: first.id,
    });
    expect(second).toMatchObject({ previous_response_id: first.id, output_text: words(4) });
    const asked = customer.asked.at(-1);
    expect(asked?.roles.filter((role) => role !== "system")).toEqual(["user", "assistant", "user"]);
    expect(asked?.messages.map(({ content }) => content)).toContain(words(3));
    await customer.paid({ charged: 2 });
  });

  test("knows no response of another user, and none that never was", async () => {
    const [owner, stranger] = [await site().customer(), await site().customer()];
    const { id } = await client(owner).responses.create({
      model: "belay",
      input: owner.question(),
    });
    const { responses } = client(stranger);
    for (const unknown of [id, "resp_0"]) {
      await expect(responses.retrieve(unknown)).rejects.toMatchObject({ status: 404 });
      await expect(responses.cancel(unknown)).rejects.toMatchObject({ status: 404 });
      const followUp = { model: "belay", input: "And?", previous_response_id: unknown };
      await expect(responses.create(followUp)).rejects.toMatchObject({
        ...{ status: 400, code: "previous_response_not_found", param: "previous_response_id" },
      });
    }
    await stranger.paid({});
  });

  test("runs in the background without a reader, and is charged", async () => {
    const customer = await site().customer();
    const { responses } = client(customer);
    const stream = await responses.create({
      model: "belay",
      input: customer.question({ tokens: 10, gapMs: 20 }),
      stream: true,
      background: true,
    });
    const { id } = await eventsUntil(stream, () => true);
    await customer.paid({ charged: 1 });
    expect(await responses.retrieve(id)).toMatchObject({
      status: "completed",
      background: true,
      output_text: words(10),
    });
  });
});
