// The official MCP client, of the older protocol and of the newest.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AnswerBody } from "../../src/protocol.ts";
import { MOMENTS } from "../support/moments.ts";
import { arrived } from "./proofs.ts";
import { type Customer, DOCUMENTS, LIMIT, Site } from "./site.ts";

const ERAS = [
  { era: "the older protocol", mode: "legacy", version: "2025-11-25" },
  { era: "the newest protocol", mode: "auto", version: "2026-07-28" },
] as const;

/** The signs of life of a silence, as the client receives them. */
const SHOWS = { opening: /"progress":1\b/, sources: /"progress":4\b/ };

/** In a silence and between words. The others are in test/servers. */
const LEAVES = MOMENTS.filter(({ has }) => has === "sources" || has === 10);

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

interface Result {
  readonly isError?: boolean;
  readonly content: readonly { readonly text: string }[];
  readonly structuredContent?: AnswerBody;
  readonly _meta?: { readonly belay?: { readonly code: string } };
}

async function connected(
  customer: Customer,
  mode: "legacy" | "auto",
  key = customer.key,
): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL(`${customer.url}/mcp`), {
    requestInit: { headers: { Authorization: `Bearer ${key}` } },
    fetch: customer.fetch as typeof fetch,
  });
  await client.connect(transport);
  return client;
}

describe.concurrent.each(ERAS)("the official client of $era", ({ mode, version }) => {
  async function ask(
    customer: Customer,
    question: string,
    options: Parameters<Client["callTool"]>[1] = {},
  ): Promise<Result> {
    const client = await connected(customer, mode);
    const called = await client.callTool({ name: "ask", arguments: { question } }, options);
    await client.close();
    return called as unknown as Result;
  }

  test("connects, and finds two tools that it accepts", async () => {
    const client = await connected(await site.customer(), mode);
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect(client.getServerVersion()).toMatchObject({ name: "belay" });
    expect(client.getInstructions()).toContain("documents");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["ask", "search_documents"]);
    await client.close();
  });

  test("gets the whole answer with its sources, and is charged once", async () => {
    const customer = await site.customer();
    const pieces: string[] = [];
    const result = await ask(customer, customer.question({ tokens: 20, gapMs: 100 }), {
      onprogress: ({ message }) => pieces.push(message ?? ""),
    });
    const answer = result.structuredContent;
    expect(answer?.answer).toBe(result.content[0]?.text);
    expect(answer?.answer.split(" ")).toHaveLength(21);
    expect(answer).toMatchObject({ found: true, finish: "stop", quotaRemaining: LIMIT - 1 });
    expect(answer?.sources.map(({ title }) => title).sort()).toEqual(["Quota", "Refunds"]);
    expect(pieces.join("")).toBe(answer?.answer);
    expect(pieces.filter((piece) => piece !== "").length).toBeGreaterThan(1);
    await customer.paid({ charged: 1 });
  });

  test("is told that nothing was found, free of charge", async () => {
    const customer = await site.customer();
    const { structuredContent } = await ask(
      customer,
      customer.question({ tokens: ["[0] ", "Nothing here."] }),
    );
    expect(structuredContent).toMatchObject({ found: false, quotaRemaining: LIMIT });
    await customer.paid({ refunded: 1, reason: "nothing_found" });
  });

  test("is told that the quota is used up", async () => {
    const customer = await site.customer(1);
    await ask(customer, customer.question({ tokens: 1 }));
    const second = await ask(customer, customer.question({ tokens: 2 }));
    expect(second).toMatchObject({ isError: true, _meta: { belay: { code: "QUOTA_EXCEEDED" } } });
    expect(customer.asked.length).toBe(1);
    await customer.paid({ charged: 1 });
  });

  test("is told that the model failed, and pays nothing", async () => {
    const customer = await site.customer();
    const result = await ask(customer, customer.question({ tokens: 5, fault: "cut", at: 2 }));
    expect(result.isError).toBe(true);
    expect(result.content[0]?.text).toContain("You were not charged");
    await customer.paid({ refunded: 1, reason: "failed" });
  });

  test("searches free of charge", async () => {
    const customer = await site.customer();
    const client = await connected(customer, mode);
    const search = { name: "search_documents", arguments: { query: "refunded quota", limit: 1 } };
    const { structuredContent } = await client.callTool(search);
    expect(structuredContent).toMatchObject({ passages: [{ title: DOCUMENTS.refunds.title }] });
    await client.close();
    await customer.paid({});
  });

  test("waits longer than its own timeout for an answer that shows signs of life", async () => {
    const customer = await site.customer();
    const result = await ask(customer, customer.question({ tokens: 1, firstMs: 7_000 }), {
      timeout: 5_000,
      resetTimeoutOnProgress: true,
      onprogress: () => {},
    });
    expect(result.structuredContent).toMatchObject({ answer: "w0 " });
    await customer.paid({ charged: 1 });
  });

  test("is refused with a wrong bearer token", async () => {
    const customer = await site.customer();
    await expect(connected(customer, mode, "a.b.c")).rejects.toThrow();
  });

  test.each(LEAVES)("that is closed $when is refunded, and the model stops", async (moment) => {
    const customer = await site.customer();
    const client = await connected(customer, mode);
    const question = customer.question(moment.script);
    const called = client.callTool(
      { name: "ask", arguments: { question } },
      { onprogress: () => {} },
    );
    const failed = expect(called).rejects.toThrow();
    await customer.modelAsked();
    await arrived(customer, moment, SHOWS);
    await client.close();
    await failed;
    await customer.paid({ refunded: 1 });
    await customer.modelStopped();
  });

  test.each(LEAVES)(
    "that cancels its call $when is refunded, and the model stops",
    async (moment) => {
      const customer = await site.customer();
      const client = await connected(customer, mode);
      const question = customer.question(moment.script);
      const controller = new AbortController();
      const called = client.callTool(
        { name: "ask", arguments: { question } },
        { onprogress: () => {}, signal: controller.signal },
      );
      const failed = expect(called).rejects.toThrow();
      await customer.modelAsked();
      await arrived(customer, moment, SHOWS);
      controller.abort("I know it now");
      await failed;
      const reason = mode === "legacy" ? "cancelled" : "disconnected";
      await customer.paid({ refunded: 1, reason });
      await customer.modelStopped();
      // The connection is as good as before.
      const again = await client.callTool({
        name: "ask",
        arguments: { question: customer.question() },
      });
      expect(again.isError).toBeFalsy();
      await client.close();
    },
  );
});
