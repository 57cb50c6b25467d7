// The packages `ai` and `@ai-sdk/openai-compatible`, with a base URL and a key.

import { createOpenAICompatible, type MetadataExtractor } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, Output, RetryError, streamText } from "ai";
import { describe, expect, test } from "vitest";
import { type Extras, extras } from "./extras.ts";
import { type Asked, CHAT_SHOWS, type Package, prove } from "./proofs.ts";
import type { Customer } from "./site.ts";

/** How the package lets an application read what OpenAI does not send. */
const EXTRACTOR: MetadataExtractor = {
  extractMetadata: async ({ parsedBody }) => ({ extras: extras([parsedBody]) }),
  createStreamExtractor() {
    const chunks: unknown[] = [];
    return {
      processChunk: (chunk) => chunks.push(chunk),
      buildMetadata: () => ({ extras: extras(chunks) }),
    };
  },
};

function request(customer: Customer, asked: Asked) {
  const { model = "belay", key = customer.key, messages, signal, unsupported } = asked;
  const provider = createOpenAICompatible({
    name: "belay",
    baseURL: `${customer.url}/v1`,
    apiKey: key,
    fetch: customer.fetch,
    metadataExtractor: EXTRACTOR,
  });
  return {
    model: provider(model),
    allowSystemInMessages: true,
    messages: [...messages],
    ...(signal && { abortSignal: signal }),
    ...(unsupported && { providerOptions: { belay: { n: 2 } } }),
  };
}

const AI_SDK: Package = {
  async ask(customer, asked) {
    if (!asked.streaming) {
      const { text, finishReason, providerMetadata } = await generateText(request(customer, asked));
      return { text, finish: finishReason, ...extrasIn(providerMetadata) };
    }
    let failure: { error: unknown } | undefined;
    const result = streamText({
      ...request(customer, asked),
      onError: (thrown) => {
        failure = thrown;
      },
    });
    let text = "";
    for await (const piece of result.textStream) {
      text += piece;
      asked.onText?.(piece);
    }
    if (failure) throw failure.error;
    return { text, finish: await result.finishReason, ...extrasIn(await result.providerMetadata) };
  },
  failure(error) {
    const last = RetryError.isInstance(error) ? error.lastError : error;
    if (APICallError.isInstance(last)) {
      const { error } = JSON.parse(last.responseBody ?? "{}");
      return { status: last.statusCode, code: error?.code, message: last.message };
    }
    return { status: undefined, code: undefined, ...(last as { message: string }) };
  },
  finish: "stop",
  unsupported: "n",
  shows: CHAT_SHOWS,
  // It does not know x-should-retry. Each is refused, free of charge.
  sends: { withoutQuota: 3, failing: 3 },
};

function extrasIn(providerMetadata: unknown): Extras {
  return (providerMetadata as { extras: Extras }).extras;
}

const site = prove("@ai-sdk/openai-compatible", AI_SDK);

describe.concurrent("@ai-sdk/openai-compatible", () => {
  test("is told that there are no answers by a schema", async () => {
    const customer = await site().customer();
    const messages = [{ role: "user", content: customer.question() }] as const;
    const asking = generateText({
      ...request(customer, { messages, streaming: false }),
      output: Output.json(),
    });
    await expect(asking).rejects.toMatchObject({ statusCode: 400 });
    await customer.paid({});
  });
});
