// The client's other calls, its bearer token and its options.

import { afterEach, describe, expect, it, vi } from "vitest";
import { createClient } from "../../src/client/client.ts";
import { bearer, newUser, scripted } from "../harness.ts";
import { clientOf, errorOf } from "./asking.ts";
import { FaultyFetch } from "./faulty-fetch.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("the calls", () => {
  it("return quota and receipts, and send ratings", async () => {
    const user = await newUser({ QUOTA_LIMIT: "5" });
    const { client } = clientOf(user);
    const ids: string[] = [];
    for (const query of ["One?", "Two?", "Three?"]) {
      const { queryId } = await client.ask(query).done;
      await user.resolved(queryId);
      ids.unshift(queryId);
    }
    expect(await client.quota()).toMatchObject({
      limit: 5,
      remaining: 2,
      charged: 3,
      period: "day",
    });

    const page = await client.queries({ limit: 2 });
    expect(page.queries.map(({ queryId }) => queryId)).toEqual(ids.slice(0, 2));
    const rest = await client.queries({ limit: 2, before: page.before ?? "" });
    expect(rest.queries.map(({ queryId }) => queryId)).toEqual(ids.slice(2));
    expect(rest.before).toBeNull();
    expect((await client.queries()).queries).toHaveLength(3);

    const [latest = ""] = ids;
    expect(await client.query(latest)).toMatchObject({ query: "Three?", state: "charged" });
    await client.feedback(latest, "up", "Just right.");
    const feedback = async () => (await client.query(latest)).feedback;
    expect(await feedback()).toEqual({ rating: "up", comment: "Just right." });
    await client.feedback(latest, "down");
    expect(await feedback()).toMatchObject({ rating: "down" });
    await client.feedback(latest, null);
    expect((await feedback())?.rating ?? null).toBeNull();
  });

  it("search for words, and delete what was said", async () => {
    const user = await newUser();
    const { client, net } = clientOf(user);
    const { queryId } = await client.ask("What do 100 % of ships & boats do?").done;
    const { queryId: other } = await client.ask("Two?").done;
    await user.resolved(queryId);
    const found = async (search: string) =>
      (await client.queries({ search })).queries.map((receipt) => receipt.queryId);
    expect(await found("BOATS & 100")).toEqual([queryId]);
    expect(await found("boats trains")).toEqual([]);
    expect(await found("")).toEqual([other, queryId]);
    await expect(client.queries({ search: "x".repeat(201) })).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      status: 400,
    });

    expect(await client.delete(queryId)).toBeUndefined();
    await client.delete(queryId);
    expect(await found("boats")).toEqual([]);
    expect(await client.query(queryId)).toMatchObject({ state: "charged", query: null });
    const controller = new AbortController();
    controller.abort(new Error("Not now."));
    const aborted = client.delete(other, { signal: controller.signal });
    await expect(aborted).rejects.toThrow("Not now.");
    await expect(client.delete("1-x")).rejects.toMatchObject({ code: "NOT_FOUND", status: 404 });
    expect(net.requests.map(({ method }) => method)).toContain("DELETE");
  });

  it("refuse to delete an answer that is being written", async () => {
    const { client } = clientOf(await newUser());
    const answer = client.ask(scripted({ tokens: 1_000, gapMs: 10 }));
    for await (const { type } of answer) {
      if (type !== "token") continue;
      const deleted = client.delete(answer.queryId ?? "");
      await expect(deleted).rejects.toMatchObject({ code: "NOT_FINISHED", status: 409 });
      break;
    }
    await answer.cancel();
    await client.delete(answer.queryId ?? "");
    expect(await client.query(answer.queryId ?? "")).toMatchObject({ query: null });
  });

  it("send an id as one part of the path", async () => {
    const { client, net } = clientOf(await newUser());
    await expect(client.query("../quota?a=b#c")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(client.events("a/b").done).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(net.requests.map(({ path }) => path)).toEqual([
      "/ai/queries/..%2Fquota%3Fa%3Db%23c",
      "/ai/queries/a%2Fb/events?after=0",
    ]);
  });
});

describe("the bearer token", () => {
  it("of a function is requested before each request", async () => {
    const user = await newUser();
    const token = vi.fn(async () => user.token);
    const { client } = clientOf(user, { token });
    await client.quota();
    await client.ask("One?").done;
    expect(token).toHaveBeenCalledTimes(2);
  });

  it("that has expired is requested again, once", async () => {
    const user = await newUser();
    const old = await bearer({ sub: user.name, exp: "-1h" });
    const tokens = [old, user.token, old, user.token];
    const { client, net } = clientOf(user, { token: () => tokens.shift() ?? "" });
    const { queryId } = await client.ask("One?").done;
    expect(await client.query(queryId)).toMatchObject({ query: "One?" });
    expect(tokens).toEqual([]);
    const keys = net.requests.map(({ headers }) => headers.get("idempotency-key"));
    expect(keys[1]).toBe(keys[0]);
  });

  it("that expires in mid-answer is requested again, and the answer goes on", async () => {
    const user = await newUser();
    const old = await bearer({ sub: user.name, exp: "-1h" });
    const tokens = [user.token, old, user.token];
    const { client, net } = clientOf(user, {
      token: () => tokens.shift() ?? "",
      faults: [{ events: 4, how: "error" }],
    });
    const { text } = await client.ask(scripted({ tokens: ["a", "b", "c"], gapMs: 5 })).done;
    expect(text).toBe("abc");
    expect(net.streams).toHaveLength(3);
  });

  it("that is refused twice ends the ask", async () => {
    const user = await newUser();
    const token = vi.fn(() => "no-token");
    const { client } = clientOf(user, { token });
    const refused = { code: "UNAUTHENTICATED", status: 401 };
    expect(await errorOf(client.ask("One?"))).toMatchObject(refused);
    expect(token).toHaveBeenCalledTimes(2);
    await expect(client.quota()).rejects.toMatchObject(refused);
  });

  it("of a string is not sent again after a refusal", async () => {
    const { client, net } = clientOf(await newUser(), { token: "no-token" });
    expect(await errorOf(client.ask("One?"))).toMatchObject({ code: "UNAUTHENTICATED" });
    expect(net.requests).toHaveLength(1);
  });

  it("whose function fails ends the ask before it is sent", async () => {
    const signedOut = new Error("signed out");
    const { client, net } = clientOf(await newUser(), { token: () => Promise.reject(signedOut) });
    const error = await errorOf(client.ask("One?"));
    expect(error).toMatchObject({ code: "UNAUTHENTICATED", status: undefined, cause: signedOut });
    expect(net.requests).toEqual([]);
    await expect(client.quota()).rejects.toMatchObject({ cause: signedOut });
  });

  it("whose function fails while the connection is away is requested again", async () => {
    const user = await newUser();
    let calls = 0;
    const { client } = clientOf(user, {
      token: () => {
        calls += 1;
        if (calls === 2) throw new TypeError("fetch failed");
        return user.token;
      },
      faults: [{ events: 4, how: "error" }],
    });
    const { text } = await client.ask(scripted({ tokens: ["a", "b", "c"], gapMs: 5 })).done;
    expect(text).toBe("abc");
    expect(calls).toBe(3);
  });

  it("is optional if something else authenticates", async () => {
    const user = await newUser();
    const net = new FaultyFetch();
    const client = createClient({
      url: "https://belay.test",
      fetch: (url, init) => {
        const headers = new Headers(init.headers);
        expect(headers.has("authorization")).toBe(false);
        headers.set("authorization", `Bearer ${user.token}`);
        return net.fetch(url, { ...init, headers });
      },
    });
    expect(await client.quota()).toMatchObject({ charged: 0 });
  });
});

describe("the url", () => {
  it.each([
    ["https://belay.test", "https://belay.test/api/v1/ai/quota"],
    ["https://belay.test/", "https://belay.test/api/v1/ai/quota"],
    ["https://belay.test/api/v1", "https://belay.test/api/v1/ai/quota"],
    ["https://belay.test/api/v1/", "https://belay.test/api/v1/ai/quota"],
    ["https://example.com/belay", "https://example.com/belay/api/v1/ai/quota"],
    ["", "/api/v1/ai/quota"],
    ["/", "/api/v1/ai/quota"],
  ])("%j leads to %s", async (url, asked) => {
    const fetch = vi.fn(async (_: string) => Response.json({}));
    await createClient({ url, token: "t", fetch }).quota();
    expect(fetch.mock.calls[0]?.[0]).toBe(asked);
  });
});

it("calls the present global fetch with the global as `this`", async () => {
  const client = createClient({ url: "https://belay.test", token: "t" });
  const seen = vi.fn();
  vi.stubGlobal("fetch", function (this: unknown, url: string) {
    seen(this, url);
    return Promise.resolve(Response.json({ limit: 1 }));
  });
  expect(await client.quota()).toEqual({ limit: 1 });
  expect(seen).toHaveBeenCalledWith(globalThis, "https://belay.test/api/v1/ai/quota");
});

it("works if `window` has no listeners", async () => {
  vi.stubGlobal("window", globalThis.Object.create(null));
  const { client } = clientOf(await newUser(), { faults: ["unsent"] });
  expect(await client.ask("One?").done).toMatchObject({ finish: "stop" });
});
