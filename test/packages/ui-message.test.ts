// The packages `@ai-sdk/react` and `ai`: `useChat` with the default transport,
// of which only `api` is set, and the header with the bearer token.

import { APICallError, DefaultChatTransport } from "ai";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { NOTHING_FOUND } from "../../src/answer/nothing-found.ts";
import { type Directive, scripted } from "../support/directive.ts";
import { MOMENTS } from "../support/moments.ts";
import { startScriptedServer } from "../support/server.ts";
import { ChatPage, type Message, textOf } from "./chat.ts";
import { arrived, words } from "./proofs.ts";
import { type Customer, DOCUMENTS, LIMIT, Site } from "./site.ts";

let site: Site;
beforeAll(async () => {
  // Enough for a page to come back on a busy machine.
  site = await Site.start({ RESUME_WAIT_SECONDS: "5" });
});
afterAll(() => site.stop());

/** What the transport adds to each ask, so that an answer waits for its reader. */
const WAITING = { body: { belay: { onDisconnect: "wait" } } };

describe.concurrent("useChat", () => {
  test("shows the whole answer as it comes, and is charged once", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    await page.send(customer.question({ tokens: 20, gapMs: 100 }));
    expect(page.text).toBe(words(20));
    expect(page.shown.size).toBeGreaterThan(5);
    expect(page.chat.error).toBeUndefined();
    expect(page.chat.messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
    const [receipt] = await customer.user.queries();
    expect(receipt).toMatchObject({ queryId: page.answer?.id, answer: words(20) });
    await customer.paid({ charged: 1 });
    expect(customer.posts.length).toBe(1);
  });

  test("shows the sources as parts, and all about them as metadata", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    await page.send(customer.question({ tokens: ["Twenty [1]."] }, "What is the quota?"));
    const { metadata, parts = [] } = page.answer ?? {};
    expect(metadata).toMatchObject({
      queryId: page.answer?.id,
      quotaRemaining: LIMIT - 1,
      finish: "stop",
      found: true,
    });
    expect(metadata?.sources?.map(({ n, cited }) => [n, cited])).toEqual([
      [1, true],
      [2, false],
    ]);
    const { quota, refunds } = DOCUMENTS;
    expect(parts.filter(({ type }) => type.startsWith("source-"))).toEqual([
      { type: "source-url", sourceId: "1", url: quota.url, title: quota.title },
      {
        type: "source-document",
        sourceId: "2",
        mediaType: "text/markdown",
        title: refunds.title,
      },
    ]);
  });

  test("says that nothing was found, shows no source, and is not charged", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    await page.send(
      customer.question({ tokens: [NOTHING_FOUND, " The documents ", "do not say."] }),
    );
    expect(page.text).toBe("The documents do not say.");
    const { metadata, parts } = page.answer ?? {};
    expect(metadata).toMatchObject({ found: false, quotaRemaining: LIMIT });
    expect(metadata?.sources?.map(({ cited }) => cited)).toEqual([false, false]);
    expect(parts?.map(({ type }) => type)).toEqual(["text"]);
    await customer.paid({ refunded: 1, reason: "nothing_found" });
  });

  test("tolerates the signs of life of a model that thinks", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    await page.send(customer.question({ tokens: 3, firstMs: 500 }));
    expect(customer.seen[0]?.received).toContain("\n\n: keep-alive\n\n");
    expect(page.text).toBe(words(3));
    expect(page.errors).toEqual([]);
    await customer.paid({ charged: 1 });
  });

  test("is cut at the application's bound of tokens", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer, {
      transport: { body: { belay: { maxTokens: 4 } } },
    });
    await page.send(customer.question({ tokens: 10 }));
    expect(page.text).toBe(words(4));
    expect(page.answer?.metadata?.finish).toBe("length");
    await customer.paid({ charged: 1 });
  });
});

describe.concurrent("useChat shows the sentence of an error", () => {
  const refused = (page: ChatPage): APICallError => {
    expect(page.chat.status).toBe("error");
    expect(page.errors).toEqual([page.chat.error]);
    if (!APICallError.isInstance(page.chat.error)) throw new Error("It is another error.");
    return page.chat.error;
  };

  test("the quota is used up", async () => {
    const customer = await site.customer(1);
    const page = await ChatPage.open(customer);
    await page.send(customer.question({ tokens: 2 }));
    await page.send(customer.question({ tokens: 3 }));
    const { statusCode, message } = refused(page);
    expect(statusCode).toBe(429);
    expect(message).toMatch(/^[A-Z][^{}]*quota[^{}]*\.$/);
    expect(customer.asked.length).toBe(1);
    await customer.paid({ charged: 1 });
  });

  test("the bearer token is wrong", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer, {
      transport: { headers: { Authorization: "Bearer wrong" } },
    });
    await page.send(customer.question());
    const { statusCode, message } = refused(page);
    expect(statusCode).toBe(401);
    expect(message).toMatch(/^[A-Z][^{}]*token[^{}]*\.$/);
    await customer.paid({});
  });

  test("the question is too long", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    await page.send("x".repeat(4_001));
    expect(refused(page)).toMatchObject({
      statusCode: 400,
      message: "The last message is longer than 4000 characters. Shorten it.",
    });
    await customer.paid({});
  });

  test("the question has a file", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    const files = [
      { type: "file" as const, mediaType: "image/png", url: "data:image/png;base64," },
    ];
    await page.chat.sendMessage({ text: "What is this?", files });
    await page.settled();
    expect(refused(page)).toMatchObject({
      statusCode: 400,
      message: "Files cannot be read here: the last message has one. Send text only.",
    });
    await customer.paid({});
    // The file stays in the chat, and must not spoil it.
    await page.send(customer.question({ tokens: 3 }));
    expect(page.text).toBe(words(3));
    expect(page.chat.error).toBeUndefined();
    await customer.paid({ charged: 1 });
  });

  test("the model failed before its answer", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    await page.send(customer.question({ status: 400 }));
    expect(page.chat.status).toBe("error");
    expect(page.chat.error?.message).toContain("You were not charged");
    expect(page.answer?.metadata).toMatchObject({
      quotaRemaining: LIMIT,
      error: { code: "GENERATION_FAILED", message: page.chat.error?.message },
    });
    expect(customer.posts.length).toBe(1);
    await customer.paid({ refunded: 1, reason: "failed" });
  });

  test("the model failed in its answer, and asking again is a new attempt", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    await page.send(customer.question({ tokens: 10, gapMs: 10, fault: "cut", at: 5 }));
    expect(page.text).toBe(words(5));
    expect(page.chat.error?.message).toContain("You were not charged");
    await customer.paid({ refunded: 1, reason: "failed" });
    await page.regenerate();
    expect(page.chat.messages.length).toBe(2);
    expect(customer.asked.length).toBe(2);
    await customer.paid({ refunded: 2, reason: "failed" });
  });
});

/** What the page has received when there is an opening, and when sources. */
const SHOWS = { opening: /"start"/, sources: /"text-start"/ };

describe.concurrent("stop() of useChat", () => {
  test.each(MOMENTS)("$when stops the model, and is refunded", async (moment) => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    const due = arrived(customer, moment, SHOWS);
    const asking = page.send(customer.question(moment.script));
    await due;
    await customer.modelAsked();
    await page.chat.stop();
    await asking;
    expect(page.chat.status).toBe("ready");
    expect(page.errors).toEqual([]);
    await customer.paid({ refunded: 1 });
    await customer.modelStopped();
    expect(customer.posts.length).toBe(1);
  });

  test("by closing the page is refunded too", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    page.send(customer.question({ tokens: 300, gapMs: 20 })).catch(() => {});
    await customer.received(/w9 /);
    page.close();
    await customer.paid({ refunded: 1 });
    await customer.modelStopped();
  });

  test("leaves a chat in which the next question is answered", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    const asking = page.send(customer.question({ tokens: 300, gapMs: 20 }));
    await customer.received(/w9 /);
    await page.chat.stop();
    await asking;
    await customer.paid({ refunded: 1 });
    await page.send(customer.question({ tokens: 3 }));
    expect(page.text).toBe(words(3));
    expect(page.chat.messages.length).toBe(4);
    await customer.paid({ charged: 1, refunded: 1 });
  });

  test("through the route for stopping, where the answer would wait for its reader", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer, { transport: WAITING });
    const asking = page.send(customer.question({ tokens: 300, gapMs: 20 }));
    await customer.received(/w9 /);
    const id = page.answer?.id ?? "";
    const headers = { Authorization: `Bearer ${customer.key}` };
    const { status } = await fetch(`${customer.url}/api/v1/ai/queries/${id}/cancel`, {
      method: "POST",
      headers,
    });
    expect(status).toBe(200);
    await asking;
    expect(page.chat.status).toBe("ready");
    expect(page.errors).toEqual([]);
    expect(page.answer?.metadata?.error?.code).toBe("CANCELLED");
    await customer.paid({ refunded: 1, reason: "cancelled" });
    await customer.modelStopped();
  });
});

describe.concurrent("useChat resumes an answer that waits for its reader", () => {
  const SCRIPT: Directive = { tokens: 6, gapMs: 30, endMs: 200 };
  /** Three before the text, one for each token, five at the end. */
  const CHUNKS = 3 + 6 + 5;

  test.each(Array.from({ length: CHUNKS }, (_, chunks) => chunks))(
    "cut after %i chunks: the same text, and one charge",
    async (chunks) => {
      const customer = await site.customer();
      const page = await ChatPage.open(customer, {
        transport: { ...WAITING, fetch: cutOnce(customer, chunks) },
      });
      await page.send(customer.question(SCRIPT));
      expect(page.chat.status).toBe("error");
      await page.resume();
      expect(page.chat.status).toBe("ready");
      expect(page.text).toBe(words(6));
      expect(page.chat.messages.length).toBe(2);
      expect(page.answer?.metadata).toMatchObject({ found: true, finish: "stop" });
      expect(page.answer?.parts.length).toBe(3);
      await customer.paid({ charged: 1 });
      expect(customer.asked.length).toBe(1);
      expect(customer.posts.length).toBe(1);
    },
  );

  test("by itself, when the user comes back to the page", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer, {
      resume: true,
      transport: { ...WAITING, fetch: cutOnce(customer, 6) },
    });
    await page.send(customer.question(SCRIPT));
    expect(page.chat.status).toBe("error");
    ChatPage.becomeVisible();
    await customer.received(/\[DONE\]/);
    await page.settled();
    expect(page.text).toBe(words(6));
    await customer.paid({ charged: 1 });
    page.close();
  });

  test("after the page is loaded again, at every moment of the answer", async () => {
    for (const seen of [/"start"/, /w0 /, /w3 /, /w5 /]) {
      const customer = await site.customer();
      const options = { id: `chat of ${customer.name}/1?`, resume: true, transport: WAITING };
      const first = await ChatPage.open(customer, options);
      first.send(customer.question(SCRIPT)).catch(() => {});
      await customer.received(seen);
      await customer.modelAsked();
      const messages = first.chat.messages.slice(0, 1);
      first.close();
      const second = await ChatPage.open(customer, { ...options, messages });
      await customer.received(/\[DONE\]/);
      await second.settled();
      expect(second.text).toBe(words(6));
      expect(second.chat.messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
      await customer.paid({ charged: 1 });
      expect(customer.asked.length).toBe(1);
      second.close();
    }
  });

  test("not before anything was asked, nor once it is whole, nor of another user", async () => {
    const [customer, stranger] = [await site.customer(), await site.customer()];
    const id = "one chat";
    const page = await ChatPage.open(customer, { id });
    await page.resume();
    const asking = page.send(customer.question({ tokens: 10, gapMs: 30 }));
    await page.shows("w3 ");
    const another = await ChatPage.open(stranger, { id });
    await another.resume();
    await asking;
    await customer.paid({ charged: 1 });
    const later = await ChatPage.open(customer, { id });
    await later.resume();
    for (const { chat } of [another, later]) {
      expect(chat).toMatchObject({ status: "ready", error: undefined, messages: [] });
    }
    const statuses = [...customer.seen, ...stranger.seen].map(({ status }) => status);
    expect(statuses).toEqual([204, 200, 204, 204]);
  });

  test("and is refunded where that comes too late", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer, {
      transport: { ...WAITING, fetch: cutOnce(customer, 6) },
    });
    await page.send(customer.question({ tokens: 300, gapMs: 20 }));
    await customer.paid({ refunded: 1 });
    await customer.modelStopped();
    await page.resume();
    expect(page.chat).toMatchObject({ status: "ready", error: undefined });
    expect(customer.seen.at(-1)?.status).toBe(204);
  });
});

describe.concurrent("a chat with several messages", () => {
  test("gives the model what was said before", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    await page.send(customer.question({ tokens: ["It is ", "twenty [1]."] }, "What is the quota?"));
    await page.send(customer.question({ tokens: 3 }, "And what is refunded?"));
    expect(page.chat.messages.map(textOf).at(-1)).toBe(words(3));
    expect(page.chat.messages.length).toBe(4);
    const [, asked] = customer.asked;
    expect(asked?.roles).toEqual(["system", "user", "assistant", "user"]);
    expect(asked?.messages[2]?.content).toBe("It is twenty [1].");
    await customer.paid({ charged: 2 });
  });

  test("gives the model its system messages, after ours", async () => {
    const customer = await site.customer();
    const system = { id: "s", role: "system", parts: [{ type: "text", text: "Speak French." }] };
    const page = await ChatPage.open(customer, { messages: [system as Message] });
    await page.send(customer.question({ tokens: 3 }));
    expect(customer.asked[0]?.messages[0]?.content).toMatch(/.{100}[\s\S]*Speak French\.$/);
    await customer.paid({ charged: 1 });
  });

  test("asks again where its user wants another answer, and is charged for both", async () => {
    const customer = await site.customer();
    const page = await ChatPage.open(customer);
    await page.send(customer.question({ tokens: 3 }));
    const first = page.answer?.id;
    await page.regenerate();
    expect(page.text).toBe(words(3));
    expect(page.chat.messages.length).toBe(2);
    expect(page.answer?.id).not.toBe(first);
    expect(customer.asked.length).toBe(2);
    await customer.paid({ charged: 2 });
  });

  test("goes on when it has grown beyond what another ask may be long", async () => {
    const customer = await site.customer();
    const messages = Array.from({ length: 100 }, (_, n) => ({
      id: `${n}`,
      role: n % 2 === 0 ? "user" : "assistant",
      parts: [{ type: "text", text: `${n} `.repeat(500) }],
    }));
    const page = await ChatPage.open(customer, { messages: messages as Message[] });
    await page.send(customer.question({ tokens: 3 }));
    expect(page.text).toBe(words(3));
    await customer.paid({ charged: 1 });
  });
});

describe("on a page of its own origin", () => {
  test("useChat needs only the transport's api, and may resume before the first ask", async () => {
    const server = await startScriptedServer({ vars: { ANONYMOUS_LIMIT: "2" } });
    try {
      const chat = { resume: true, transport: new DefaultChatTransport<Message>({ api: API }) };
      const browser = browserOn(server.url);
      vi.stubGlobal("fetch", browser.fetch);
      const page = await ChatPage.with(chat);
      await vi.waitFor(() => expect(browser.statuses).toEqual([204]));
      for (const tokens of [3, 4]) {
        await page.send(scripted({ tokens }));
        expect(page.text).toBe(words(tokens));
        expect(page.answer?.metadata?.quotaRemaining).toBe(4 - tokens);
      }
      await page.send(scripted({ tokens: 5 }));
      expect(page.chat.error?.message).toContain("quota");
      expect(browser.statuses).toEqual([204, 200, 200, 429]);
      expect(browser.cookies.size).toBe(1);
    } finally {
      vi.unstubAllGlobals();
      await server.stop();
    }
  });
});

const API = "/api/v1/ai/chat";

/** The fetch of a page on this address: it keeps cookies. */
function browserOn(address: string) {
  const send = fetch;
  const cookies = new Set<string>();
  const statuses: number[] = [];
  return {
    cookies,
    statuses,
    fetch: async (path: string, init: RequestInit) => {
      const headers = new Headers(init.headers);
      headers.set("sec-fetch-site", "same-origin");
      headers.set("cookie", [...cookies].join("; "));
      const response = await send(new URL(path, address), { ...init, headers });
      for (const cookie of response.headers.getSetCookie()) {
        cookies.add(cookie.split(";", 1)[0] ?? "");
      }
      statuses.push(response.status);
      return response;
    },
  };
}

/** A fetch whose first stream breaks after some chunks, as browsers show it. */
function cutOnce(customer: Customer, chunks: number): typeof fetch {
  let isCut = false;
  return async (input, init) => {
    const connection = new AbortController();
    const signal = AbortSignal.any([connection.signal, ...(init?.signal ? [init.signal] : [])]);
    const response = await customer.fetch(input, { ...init, signal });
    if (isCut || !response.body || !response.ok || response.status === 204) return response;
    isCut = true;
    return new Response(response.body.pipeThrough(cutAfter(chunks, connection)), response);
  };
}

function cutAfter(chunks: number, connection: AbortController) {
  let passed = "";
  const cut = (controller: TransformStreamDefaultController) => {
    controller.error(new TypeError("network error"));
    connection.abort();
  };
  return new TransformStream<Uint8Array, Uint8Array>({
    start: (controller) => {
      if (chunks === 0) cut(controller);
    },
    transform: (bytes, controller) => {
      passed += new TextDecoder().decode(bytes);
      const frames = passed.split("\n\n").slice(0, -1);
      const at = frames.flatMap((frame, n) => (frame.startsWith("data: ") ? [n] : []))[chunks - 1];
      if (at === undefined) return controller.enqueue(bytes);
      const length = frames.slice(0, at + 1).join("\n\n").length + 2;
      const before = passed.length - new TextDecoder().decode(bytes).length;
      controller.enqueue(new TextEncoder().encode(passed.slice(before, length)));
      return cut(controller);
    },
  });
}
