// The package `@langchain/openai` with `useResponsesApi`.

import { HumanMessage, SystemMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Customer, DOCUMENTS, Site } from "./site.ts";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

function model(customer: Customer): ChatOpenAI {
  const { fetch, key, url } = customer;
  const configuration = { baseURL: `${url}/v1`, fetch };
  return new ChatOpenAI({ model: "belay", apiKey: key, useResponsesApi: true, configuration });
}

describe.concurrent("@langchain/openai over Responses", () => {
  test("asks, and a follow-up with the answer as its history", async () => {
    const customer = await site.customer();
    const chat = model(customer);
    const question = new HumanMessage(customer.question({ tokens: ["It is ", "twenty [1]."] }));
    const first = await chat.invoke([new SystemMessage("Be brief."), question]);
    expect(first.text).toBe("It is twenty [1].");
    expect(first.content).toMatchObject([{ annotations: [{ url: DOCUMENTS.quota.url }] }]);
    const next = new HumanMessage(customer.question({ tokens: ["Yes."] }, "And for a team?"));
    expect((await chat.invoke([question, first, next])).text).toBe("Yes.");
    expect(customer.asked.at(-1)?.roles).toEqual(["system", "user", "assistant", "user"]);
    await customer.paid({ charged: 2 });
  });

  test("streams", async () => {
    const customer = await site.customer();
    const question = customer.question({ tokens: ["It is ", "twenty [1]."], gapMs: 10 });
    let text = "";
    let belay: unknown;
    for await (const chunk of await model(customer).stream(question)) {
      text += chunk.text;
      belay = chunk.response_metadata.belay ?? belay;
    }
    expect(text).toBe("It is twenty [1].");
    expect(belay).toMatchObject({ found: true, sources: [{ n: 1 }, { n: 2 }] });
    await customer.paid({ charged: 1 });
  });

  test("is told that the model failed in its answer, and pays nothing", async () => {
    const customer = await site.customer();
    const question = customer.question({ tokens: 5, gapMs: 10, fault: "cut", at: 2 });
    const reading = async () => {
      for await (const _ of await model(customer).stream(question));
    };
    await expect(reading()).rejects.toThrow("You were not charged");
    await customer.paid({ refunded: 1, reason: "failed" });
  });
});
