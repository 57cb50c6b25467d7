// Addresses of OpenAI-compatible endpoints as people write them.

import { env } from "cloudflare:workers";
import { describe, expect, it, test } from "vitest";
import { checkConfig } from "../src/edge/health.ts";
import { OpenAiEmbedder } from "../src/embedders/openai.ts";
import { endpointBase, endpointKey, endpointUrl } from "../src/endpoint.ts";
import type { Env } from "../src/wiring.ts";
import { newUser } from "./harness.ts";

const HOST = "https://gateway.example";

describe("an endpoint's address", () => {
  test.each([
    ["/v1", "/v1/chat/completions"],
    ["/v1/", "/v1/chat/completions"],
    ["/v1///", "/v1/chat/completions"],
    ["/v1/chat/completions", "/v1/chat/completions"],
    ["/v1/chat/completions/", "/v1/chat/completions"],
    ["/v1/embeddings", "/v1/chat/completions"],
    ["/v1/rerank", "/v1/chat/completions"],
    ["/rerank", "/chat/completions"],
    ["/chat/completions", "/chat/completions"],
    ["/chat/completions/?a=b", "/chat/completions?a=b"],
    ["/v1/account/gateway/openai", "/v1/account/gateway/openai/chat/completions"],
    ["/v1/account/gateway/compat", "/v1/account/gateway/compat/chat/completions"],
    ["/v1/account/gateway/compat/chat/completions", "/v1/account/gateway/compat/chat/completions"],
    ["/v1beta/openai", "/v1beta/openai/chat/completions"],
    ["/v1beta/openai/", "/v1beta/openai/chat/completions"],
    ["/api/v1", "/api/v1/chat/completions"],
    ["/api/paas/v4", "/api/paas/v4/chat/completions"],
    ["/inference/v1", "/inference/v1/chat/completions"],
    ["/openai/v1/", "/openai/v1/chat/completions"],
    [
      "/openai/deployments/gpt?api-version=2025-01-01",
      "/openai/deployments/gpt/chat/completions?api-version=2025-01-01",
    ],
    [
      "/openai/deployments/gpt/chat/completions?api-version=2025-01-01",
      "/openai/deployments/gpt/chat/completions?api-version=2025-01-01",
    ],
    ["/v1/?tenant=a%2Fb", "/v1/chat/completions?tenant=a%2Fb"],
  ])("%s is accepted, and called at %s", (path, asked) => {
    const base = endpointBase(HOST + path);
    expect(base && endpointUrl(base, "chat/completions")).toBe(HOST + asked);
    const embeddings = asked.replace("chat/completions", "embeddings");
    expect(base && endpointUrl(base, "embeddings")).toBe(HOST + embeddings);
  });

  test.each([
    [""],
    ["gateway.example/v1"],
    ["ftp://gateway.example/v1"],
    [HOST],
    [`${HOST}/`],
    [`${HOST}/?a=b`],
    [`${HOST}/api`],
    [`${HOST}/api/chat`],
    [`${HOST}/api/generate`],
    [`${HOST}/v1/models`],
    [`${HOST}/v1/completions`],
    [`${HOST}/v1/responses`],
    [`${HOST}/v1/messages`],
    [`${HOST}/v1#fragment`],
    ["https://user:password@gateway.example/v1"],
  ])("%j is refused at start with an example, but without the value", (value) => {
    expect(endpointBase(value)).toBeUndefined();
    const check = () => checkConfig({ ...env, OPENAI_BASE_URL: value } as unknown as Env);
    expect(check).toThrow(/OPENAI_BASE_URL/);
    if (value !== "") {
      expect(check).toThrow("https://api.openai.com/v1");
      expect(check).not.toThrow("gateway");
    }
  });
});

it("an endpoint is called with its query string by the generator and the embedder", async () => {
  const base = `${env.OPENAI_BASE_URL}/?api-version=1`;
  const user = await newUser({ OPENAI_BASE_URL: base });
  const stream = await user.ask({ tokens: ["20"] });
  expect((await stream.all()).at(-1)).toMatchObject({ type: "done" });
  const embedder = new OpenAiEmbedder({
    baseUrl: endpointBase(base) ?? "",
    model: "m",
    apiKey: undefined,
  });
  expect(await embedder.embed(["a car"], new AbortController().signal)).toHaveLength(1);
});

it("an Azure endpoint gets the key in the header that Azure reads", () => {
  expect(endpointKey("https://a.openai.azure.com/openai/v1", "k")).toHaveProperty("api-key", "k");
  expect(endpointKey(`${HOST}/v1`, "k")).toEqual({ authorization: "Bearer k" });
  expect(endpointKey(`${HOST}/v1`, undefined)).toEqual({});
});
