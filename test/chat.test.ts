// The routes of the AI SDK's chat: asking, and finding the answer that is being
// written. Its own packages use them in test/packages/ui-message.test.ts.

import { describe, expect, it } from "vitest";
import {
  adminPath,
  asOperator,
  eventually,
  fetchApi,
  modelRequests,
  newUser,
  scripted,
  type TestUser,
  upstreamEnded,
} from "./harness.ts";
import type { Directive } from "./support/directive.ts";

const SITE = { origin: "https://belay.test", "sec-fetch-site": "same-origin" };
const SLOW: Directive = { tokens: 100, gapMs: 20 };

let chats = 0;

function newChat(): string {
  chats += 1;
  return `chat ${chats}/?#`;
}

function chatBody(directive: Directive, members: Record<string, unknown> = {}) {
  const parts = [{ type: "text", text: scripted(directive) }];
  return { messages: [{ id: "m", role: "user", parts }], trigger: "submit-message", ...members };
}

const streamPath = (chat: string) => `/ai/chat/${encodeURIComponent(chat)}/stream`;
const WRONG = { authorization: "Bearer wrong" };
const key = (value: string) => ({ headers: { "idempotency-key": value } });

/** A response that is read until a text comes, and then left. */
class Reading {
  readonly response: Response;
  text = "";
  readonly #client: AbortController;
  readonly #reader: ReadableStreamDefaultReader<string> | undefined;

  constructor(response: Response, client: AbortController) {
    this.response = response;
    this.#client = client;
    this.#reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async of(ask: (signal: AbortSignal) => Promise<Response>): Promise<Reading> {
    const client = new AbortController();
    return new Reading(await ask(client.signal), client);
  }

  get queryId(): string {
    return this.response.headers.get("x-query-id") ?? "";
  }

  async until(wanted: string): Promise<void> {
    while (!this.text.includes(wanted)) {
      const { done, value } = (await this.#reader?.read()) ?? { done: true };
      if (done) throw new Error(`It ended without ${wanted}: ${this.text}`);
      this.text += value;
    }
  }

  leave(): void {
    this.#reader?.cancel().catch(() => {});
    this.#client.abort();
  }
}

function ask(user: TestUser, directive: Directive, members: Record<string, unknown> = {}) {
  return Reading.of((signal) => user.post("/ai/chat", chatBody(directive, members), { signal }));
}

/** An answer's text, without signs of life. */
async function whole(response: Response): Promise<string> {
  return (await response.text()).replaceAll(": keep-alive\n\n", "");
}

describe("the stream of a chat", () => {
  it("is the answer that is being written, from its beginning", async () => {
    const [user, chat] = [await newUser(), newChat()];
    const first = await ask(user, { tokens: 10, gapMs: 30 }, { id: chat });
    await first.until("w2 ");
    const response = await user.request(streamPath(chat));
    expect(response.status).toBe(200);
    expect(response.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1");
    expect(response.headers.get("x-query-id")).toBe(first.queryId);
    const text = await whole(response);
    expect(text).toMatch(/^data: \{"type":"start"/);
    await first.until("[DONE]");
    expect(text).toBe(first.text.replaceAll(": keep-alive\n\n", ""));
    expect(await user.quota()).toMatchObject({ charged: 1, reserved: 0 });
  });

  it("is that of the newest answer", async () => {
    const [user, chat] = [await newUser(), newChat()];
    const older = await ask(user, SLOW, { id: chat });
    const newer = await ask(user, { ...SLOW, tag: crypto.randomUUID() }, { id: chat });
    const resumed = await Reading.of((signal) => user.request(streamPath(chat), { signal }));
    expect(resumed.queryId).toBe(newer.queryId);
    for (const reading of [older, newer, resumed]) reading.leave();
    await eventually(
      () => user.quota(),
      ({ refunded }) => refunded === 2,
    );
  });

  it("keeps an answer alive after the page that asked has gone", async () => {
    const [user, chat, tag] = [await newUser(), newChat(), crypto.randomUUID()];
    const members = { id: chat, belay: { onDisconnect: "wait" } };
    const first = await ask(user, { ...SLOW, tokens: 20, tag }, members);
    await first.until("w2 ");
    first.leave();
    const text = await whole(await user.request(streamPath(chat)));
    expect(text).toContain('"delta":"w19 "');
    expect(text).toMatch(/\[DONE\]\n\n$/);
    expect(await user.resolved(first.queryId)).toMatchObject({ state: "charged" });
    expect(await modelRequests(tag)).toHaveLength(1);
  });

  it("is empty once the answer was refunded, charged, or for another chat", async () => {
    const [user, chat, tag] = [await newUser(), newChat(), crypto.randomUUID()];
    const stopped = await ask(user, { ...SLOW, tag }, { id: chat });
    await stopped.until("w2 ");
    expect((await user.request(streamPath(newChat()))).status).toBe(204);
    stopped.leave();
    await upstreamEnded(tag);
    await user.resolved(stopped.queryId);
    expect((await user.request(streamPath(chat))).status).toBe(204);
    await whole(await user.post("/ai/chat", chatBody({ tokens: 2 }, { id: chat })));
    const response = await user.request(streamPath(chat));
    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("is never another user's", async () => {
    const [user, stranger, chat] = [await newUser(), await newUser(), newChat()];
    const first = await ask(user, SLOW, { id: chat });
    await first.until("w2 ");
    expect((await stranger.request(streamPath(chat))).status).toBe(204);
    first.leave();
  });

  it("makes nothing of a user who has not asked yet", async () => {
    const user = await newUser();
    expect((await user.request(streamPath(newChat()))).status).toBe(204);
    expect((await asOperator(adminPath(user))).status).toBe(404);
  });

  it("answers HEAD with its headers, and does not count that as a reader", async () => {
    const [user, chat, tag] = [await newUser(), newChat(), crypto.randomUUID()];
    const peek = () => user.request(streamPath(chat), { method: "HEAD" });
    expect((await peek()).status).toBe(204);
    const first = await ask(user, { ...SLOW, tag }, { id: chat });
    await first.until("w2 ");
    const response = await peek();
    expect(response.status).toBe(200);
    expect(response.headers.get("x-query-id")).toBe(first.queryId);
    expect(response.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1");
    first.leave();
    await upstreamEnded(tag);
    expect(await user.resolved(first.queryId)).toMatchObject({ reason: "disconnected" });
  });
});

describe("the end of an answer that may not have arrived", () => {
  it.each(["wait", "continue"])(
    "is sent again, free, where onDisconnect is %s",
    async (onDisconnect) => {
      const [user, chat] = [await newUser(), newChat()];
      const response = await user.post(
        "/ai/chat",
        chatBody({ tokens: 3 }, { id: chat, belay: { onDisconnect } }),
      );
      const text = await whole(response);
      await user.resolved(response.headers.get("x-query-id") ?? "");
      const again = await user.request(streamPath(chat));
      expect(again.headers.get("idempotency-replayed")).toBe("true");
      expect(await whole(again)).toBe(text);
      expect(await user.quota()).toMatchObject({ charged: 1, reserved: 0 });
    },
  );

  it("is not sent again once nobody can be waiting for it any more", async () => {
    const [user, chat] = [await newUser({ RESUME_WAIT_SECONDS: "0" }), newChat()];
    const members = { id: chat, belay: { onDisconnect: "wait" } };
    await whole(await user.post("/ai/chat", chatBody({ tokens: 3 }, members)));
    expect((await user.request(streamPath(chat))).status).toBe(204);
  });

  it("is not sent again after it was refunded, or its user erased", async () => {
    const [user, chat] = [await newUser(), newChat()];
    const members = { id: chat, belay: { onDisconnect: "continue" } };
    const first = await user.post(
      "/ai/chat",
      chatBody({ tokens: 3, fault: "cut", at: 1 }, members),
    );
    await whole(first);
    expect((await user.request(streamPath(chat))).status).toBe(204);
    await whole(await user.post("/ai/chat", chatBody({ tokens: 3 }, members)));
    expect((await user.request(streamPath(chat), { method: "HEAD" })).status).toBe(200);
    await asOperator(adminPath(user), { method: "DELETE" });
    expect((await user.request(streamPath(chat))).status).toBe(204);
  });
});

describe("an ask of a chat", () => {
  it("joins its own answer while that is being written", async () => {
    const [user, chat, tag] = [await newUser(), newChat(), crypto.randomUUID()];
    const first = await ask(user, { tokens: 6, gapMs: 30, tag }, { id: chat });
    await first.until("w2 ");
    const members = { id: chat, trigger: "regenerate-message" };
    const second = await ask(user, { tokens: 6, gapMs: 30, tag }, members);
    expect(second.queryId).toBe(first.queryId);
    await Promise.all([first.until("[DONE]"), second.until("[DONE]")]);
    expect(await modelRequests(tag)).toHaveLength(1);
    expect(await user.resolved(first.queryId)).toMatchObject({ state: "charged" });
  });

  it("that came twice gets the stored answer, but another one where it is wanted", async () => {
    const [user, chat] = [await newUser(), newChat()];
    const post = async (trigger: string, init: RequestInit = {}) => {
      const body = chatBody({ tokens: 2 }, { id: chat, trigger });
      const response = await user.post("/ai/chat", body, init);
      await response.text();
      return response.headers.get("x-query-id");
    };
    const first = await post("submit-message");
    expect(await post("submit-message")).toBe(first);
    const second = await post("regenerate-message");
    expect(second).not.toBe(first);
    expect(await user.quota()).toMatchObject({ charged: 2 });
    // The client's own key says that this is the same attempt.
    const third = await post("regenerate-message", key("k"));
    expect(await post("regenerate-message", key("k"))).toBe(third);
    expect(await user.quota()).toMatchObject({ charged: 3 });
  });

  it("may have a long chat before it, up to 1 MiB", async () => {
    const user = await newUser();
    const earlier = (length: number) => ({
      role: "assistant",
      parts: [{ type: "text", text: "x".repeat(length) }],
    });
    const post = (length: number) => {
      const { messages, ...members } = chatBody({ tokens: 2 });
      return user.post("/ai/chat", { ...members, messages: [earlier(length), ...messages] });
    };
    expect(await whole(await post(1_000_000))).toContain('"delta":"w1 "');
    const refused = await post(1_100_000);
    expect(refused.status).toBe(413);
    expect(await refused.text()).toBe("The body must be at most 1048576 bytes long.");
  });
});

describe("a refusal of a chat's route is a sentence in plain text", () => {
  it.each([
    ["without a bearer token", "POST", "/ai/chat", {}, 401],
    ["for a body that is not JSON", "POST", "/ai/chat", { "content-type": "text/html" }, 415],
    ["for another method", "PUT", "/ai/chat", {}, 405],
    ["of the stream for a wrong bearer token", "GET", "/ai/chat/1/stream", WRONG, 401],
    ["for a path that cannot be decoded", "GET", "/ai/chat/%ff/stream", {}, 404],
  ])("%s", async (_, method, path, headers, status) => {
    const user = await newUser();
    const init = { method, headers };
    const response =
      status === 401 ? await fetchApi(`/api/v1${path}`, init) : await user.request(path, init);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toMatch(/^[A-Z][^{}]*\.$/);
  });
});

describe("a reader without a bearer token", () => {
  let addresses = 0;
  const newAddress = () => {
    addresses += 1;
    return `198.51.100.${addresses}`;
  };

  function page(from: string) {
    let cookie = "";
    return async (path: string, body?: unknown, headers: Record<string, string> = SITE) => {
      const response = await fetchApi(`/api/v1${path}`, {
        headers: {
          "cf-connecting-ip": from,
          "content-type": "application/json",
          cookie,
          ...headers,
        },
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      });
      const set = response.headers.get("set-cookie");
      cookie = set?.split(";", 1)[0] ?? cookie;
      return { response, isNew: set !== null };
    };
  }

  it("may look for an answer before the first ask, which starts the session", async () => {
    const [open, chat] = [page(newAddress()), newChat()];
    const before = await open(streamPath(chat));
    expect(before.response.status).toBe(204);
    expect(before.isNew).toBe(false);
    const asked = await open("/ai/chat", chatBody({ tokens: 30, gapMs: 20 }, { id: chat }));
    expect(asked.isNew).toBe(true);
    const resumed = await open(streamPath(chat));
    const id = asked.response.headers.get("x-query-id");
    expect(resumed.response.headers.get("x-query-id")).toBe(id);
    const texts = await Promise.all([whole(asked.response), whole(resumed.response)]);
    expect(texts[1]).toBe(texts[0]);
  });

  it("does not find the answer of another reader at the same address", async () => {
    const [from, chat] = [newAddress(), newChat()];
    const [own, other] = [page(from), page(from)];
    const asked = await own("/ai/chat", chatBody({ tokens: 30, gapMs: 20 }, { id: chat }));
    const elsewhere = await other("/ai/chat", chatBody({ tokens: 1 }, { id: newChat() }));
    await elsewhere.response.text();
    expect((await other(streamPath(chat))).response.status).toBe(204);
    await asked.response.text();
  });

  it("is refused on a page of another site", async () => {
    const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    const { response } = await page(newAddress())(streamPath(newChat()), undefined, headers);
    expect(response.status).toBe(401);
  });
});
