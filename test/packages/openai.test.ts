// The package `openai`, with a base URL and a key.

import OpenAI, { APIError } from "openai";
import { describe, expect, test } from "vitest";
import { extras } from "./extras.ts";
import { type Asked, CHAT_SHOWS, type Package, prove, words } from "./proofs.ts";
import { type Customer, DOCUMENTS } from "./site.ts";

function client(customer: Customer, key = customer.key): OpenAI {
  return new OpenAI({ baseURL: `${customer.url}/v1`, apiKey: key, fetch: customer.fetch });
}

function parameters({ messages, model = "belay", unsupported }: Asked) {
  return { model, messages: [...messages], ...(unsupported && { n: 2 }) };
}

const CHAT: Package = {
  async ask(customer, asked) {
    const { key, streaming, signal, onText } = asked;
    const { completions } = client(customer, key).chat;
    if (!streaming) {
      const answer = await completions.create(parameters(asked), { signal });
      const [choice] = answer.choices;
      const text = choice?.message.content ?? "";
      return { text, finish: choice?.finish_reason ?? "", ...extras([answer]) };
    }
    let [text, finish] = ["", ""];
    const chunks: unknown[] = [];
    const stream = await completions.create({ ...parameters(asked), stream: true }, { signal });
    for await (const chunk of stream) {
      const [choice] = chunk.choices;
      text += choice?.delta.content ?? "";
      onText?.(choice?.delta.content ?? "");
      finish = choice?.finish_reason ?? finish;
      chunks.push(chunk);
    }
    return { text, finish, ...extras(chunks) };
  },
  failure(error) {
    expect(error).toBeInstanceOf(APIError);
    return error as APIError;
  },
  finish: "stop",
  unsupported: "n",
  shows: CHAT_SHOWS,
  sends: { withoutQuota: 1, failing: 3 },
};

const site = prove("openai", CHAT);

describe.concurrent("openai", () => {
  test("lists the models", async () => {
    const models = await client(await site().customer()).models.list();
    expect(models.data.map(({ id }) => id)).toContain("belay");
    expect(models.data[0]).toMatchObject({ object: "model", owned_by: expect.any(String) });
  });

  test("tells of one model, and of no other", async () => {
    const { models } = client(await site().customer());
    expect(await models.retrieve("belay/default")).toMatchObject({ id: "belay/default" });
    const unknown = models.retrieve("gpt-unknown");
    await expect(unknown).rejects.toMatchObject({ status: 404, code: "model_not_found" });
    const wrong = client(await site().customer(), "sk-wrong").models.list();
    await expect(wrong).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
  });

  test("asks again when the model has failed, and is charged for the answer alone", async () => {
    const customer = await site().customer();
    const answer = await client(customer).chat.completions.create({
      model: "belay",
      messages: [{ role: "user", content: customer.question({ tokens: 3, resets: 2 }) }],
    });
    expect(answer.choices[0]?.message.content).toBe(words(3));
    expect(customer.posts.map(({ status }) => status)).toEqual([502, 200]);
    await customer.paid({ charged: 1, refunded: 1, reason: "failed" });
  });

  test("is refunded if the loop over its stream is left", async () => {
    const customer = await site().customer();
    const stream = await client(customer).chat.completions.create({
      model: "belay",
      messages: [{ role: "user", content: customer.question({ tokens: 300, gapMs: 20 }) }],
      stream: true,
    });
    let text = "";
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      if (text.includes("w5 ")) break;
    }
    await customer.paid({ refunded: 1 });
    await customer.modelStopped();
  });

  test("accumulates a stream into one completion, with its annotations", async () => {
    const customer = await site().customer();
    const text = customer.question({ tokens: ["Twenty ", "[1]", "[2]."], gapMs: 5 });
    const stream = client(customer).chat.completions.stream({
      model: "belay",
      messages: [{ role: "user", content: [{ type: "text", text }] }],
      stream_options: { include_usage: true },
    });
    const whole = await stream.finalChatCompletion();
    const [choice] = whole.choices;
    expect(choice?.message).toMatchObject({ role: "assistant", content: "Twenty [1][2]." });
    expect(extras([whole]).cited).toEqual([DOCUMENTS.quota.url]);
    expect(whole.usage?.total_tokens).toBeGreaterThan(0);
    await customer.paid({ charged: 1 });
  });

  test("is told that there are no answers by a schema", async () => {
    const customer = await site().customer();
    const parsing = client(customer).chat.completions.parse({
      model: "belay",
      messages: [{ role: "user", content: customer.question() }],
      response_format: {
        type: "json_schema",
        json_schema: { name: "answer", schema: { type: "object" } },
      },
    });
    const error = { status: 400, param: "response_format.type" };
    await expect(parsing).rejects.toMatchObject(error);
    await customer.paid({});
  });

  test("asks again when its patience ends, and is charged once", async () => {
    const customer = await site().customer();
    const answer = await client(customer).chat.completions.create(
      {
        model: "belay",
        messages: [{ role: "user", content: customer.question({ tokens: 3, headersMs: 2_500 }) }],
      },
      { timeout: 2_000 },
    );
    expect(answer.choices[0]?.message.content).toBe(words(3));
    expect(customer.posts.length).toBeGreaterThan(1);
    await customer.paid({ charged: 1 });
  });

  test("sends a developer's message and a bound of tokens", async () => {
    const customer = await site().customer();
    const answer = await client(customer).chat.completions.create({
      model: "belay",
      messages: [
        { role: "developer", content: "Answer in French." },
        { role: "user", content: customer.question({ tokens: 10 }) },
      ],
      max_completion_tokens: 4,
    });
    expect(answer.choices[0]).toMatchObject({
      finish_reason: "length",
      message: { content: words(4) },
    });
    expect(customer.asked[0]?.messages[0]?.content).toContain("Answer in French.");
    await customer.paid({ charged: 1 });
  });
});
