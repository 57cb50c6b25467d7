// The package `@langchain/openai`, with a base URL and a key.

import type { AIMessageChunk } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import type { APIError } from "openai";
import { describe, expect, test } from "vitest";
import { extras } from "./extras.ts";
import { type Asked, CHAT_SHOWS, type Package, prove, words } from "./proofs.ts";
import type { Customer } from "./site.ts";

function model(
  customer: Customer,
  { model = "belay", key = customer.key, unsupported }: Partial<Asked> = {},
) {
  return new ChatOpenAI({
    model,
    apiKey: key,
    // By default it tries a failing service for a minute.
    maxRetries: 1,
    ...(unsupported && { n: 2 }),
    // Passes on what OpenAI does not send.
    __includeRawResponse: true,
    configuration: { baseURL: `${customer.url}/v1`, fetch: customer.fetch },
  });
}

const LANGCHAIN: Package = {
  async ask(customer, asked) {
    const { messages, streaming, signal, onText } = asked;
    const chat = model(customer, asked);
    const options = signal ? { signal } : {};
    if (!streaming) {
      const answer = await chat.invoke([...messages], options);
      return { text: answer.text, finish: finishOf(answer), ...extras([rawOf(answer)]) };
    }
    let [text, finish] = ["", ""];
    const parts: unknown[] = [];
    for await (const chunk of await chat.stream([...messages], options)) {
      text += chunk.text;
      onText?.(chunk.text);
      finish = finishOf(chunk) || finish;
      parts.push(rawOf(chunk));
    }
    return { text, finish, ...extras(parts) };
  },
  failure: (error) => error as APIError,
  finish: "stop",
  unsupported: "n",
  shows: CHAT_SHOWS,
  sends: { withoutQuota: 1, failing: 2 },
};

function rawOf({ additional_kwargs }: AIMessageChunk): unknown {
  return additional_kwargs.__raw_response ?? {};
}

function finishOf({ response_metadata }: AIMessageChunk): string {
  return (response_metadata.finish_reason as string | undefined) ?? "";
}

const site = prove("@langchain/openai", LANGCHAIN);

describe.concurrent("@langchain/openai", () => {
  test("may offer tools, and gets an answer without a call", async () => {
    const customer = await site().customer();
    const chat = model(customer).bindTools([
      { type: "function", function: { name: "add", parameters: { type: "object" } } },
    ]);
    const answer = await chat.invoke(customer.question({ tokens: 3 }));
    expect([answer.text, answer.tool_calls]).toEqual([words(3), []]);
    await customer.paid({ charged: 1 });
  });

  test("is refunded if the loop over its stream is left", async () => {
    const customer = await site().customer();
    let text = "";
    const question = customer.question({ tokens: 300, gapMs: 20 });
    for await (const chunk of await model(customer).stream(question)) {
      text += chunk.text;
      if (text.includes("w5 ")) break;
    }
    await customer.paid({ refunded: 1 });
    await customer.modelStopped();
  });
});
