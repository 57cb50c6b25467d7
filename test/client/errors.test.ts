// Each error of the wire, in each form, becomes one typed error.

import { describe, expect, it } from "vitest";
import {
  BelayError,
  CancelledError,
  ConnectionLostError,
  createClient,
  QuotaExceededError,
} from "../../src/client/client.ts";
import { ServiceError } from "../../src/errors.ts";
import { EVENTS } from "../../src/formats/events.ts";
import { errorResponse } from "../../src/formats/format.ts";
import { JSON_BODY } from "../../src/formats/json.ts";
import type { ErrorCode } from "../../src/protocol.ts";
import { adminPath, asOperator, newUser, scripted } from "../harness.ts";
import { clientOf, errorOf, recorder } from "./asking.ts";

/** The compiler checks that it is complete. */
const CLASSES: Record<ErrorCode, typeof BelayError> = {
  INVALID_REQUEST: BelayError,
  INVALID_IDEMPOTENCY_KEY: BelayError,
  UNAUTHENTICATED: BelayError,
  FORBIDDEN: BelayError,
  BLOCKED: BelayError,
  NOT_FOUND: BelayError,
  METHOD_NOT_ALLOWED: BelayError,
  REQUEST_TIMEOUT: BelayError,
  CANCELLED: CancelledError,
  NOT_FINISHED: BelayError,
  NOT_KEPT: BelayError,
  PAYLOAD_TOO_LARGE: BelayError,
  UNSUPPORTED_MEDIA_TYPE: BelayError,
  IDEMPOTENCY_KEY_REUSED: BelayError,
  QUOTA_EXCEEDED: QuotaExceededError as unknown as typeof BelayError,
  TOO_MANY_STREAMS: BelayError,
  TOO_MANY_SESSIONS: BelayError,
  INTERNAL: BelayError,
  GENERATION_FAILED: BelayError,
  RETRIEVAL_FAILED: BelayError,
  UNAVAILABLE: BelayError,
  BUDGET_EXCEEDED: BelayError,
  GENERATION_TIMEOUT: BelayError,
};
const resetsAt = "2026-11-23T00:00:00.000Z";
const body = { queryId: "1-0b", quotaRemaining: 4, resetsAt };

describe.each(Object.keys(CLASSES) as ErrorCode[])("%s", (code) => {
  const thrown = new ServiceError(code, "Do this.", { body });
  const details = { code, message: "Do this.", queryId: "1-0b", quotaRemaining: 4 };

  async function ending(response: Response) {
    const { callbacks, ...seen } = recorder();
    const client = createClient({
      url: "https://belay.test",
      token: "t",
      fetch: async () => response,
      backoff: () => undefined,
    });
    const error = await errorOf(client.ask("One?", callbacks));
    expect(seen).toEqual({ tokens: [], sources: [], outcomes: [], errors: [error] });
    expect(error).toBeInstanceOf(BelayError);
    expect(error.constructor).toBe(CLASSES[code]);
    expect(error.name).toBe(CLASSES[code].name);
    if (error instanceof QuotaExceededError) expect(error.resetsAt).toBe(resetsAt);
    return error;
  }

  it.each([false, true])("is typed as a refusal; streamed: %s", async (streaming) => {
    const error = await ending(errorResponse(thrown, streaming ? EVENTS : JSON_BODY));
    expect(error).toMatchObject({ ...details, status: thrown.status });
  });

  it("is typed as the last event of a stream", async () => {
    const { headers } = EVENTS;
    const place = { head: { queryId: "1-0", askedAt: 0 }, number: 2 };
    const error = await ending(new Response(EVENTS.error(thrown.body, place), { headers }));
    expect(error).toMatchObject({ ...details, status: undefined });
  });

  it("is typed in another call", async () => {
    const client = createClient({
      url: "https://belay.test",
      token: "t",
      fetch: async () => errorResponse(thrown, JSON_BODY),
    });
    const error = await client.quota().catch((caught) => caught);
    expect(error.constructor).toBe(CLASSES[code]);
    expect(error).toMatchObject({ ...details, status: thrown.status });
  });
});

describe("the real service", () => {
  it("says with QUOTA_EXCEEDED when the quota renews", async () => {
    const user = await newUser({ QUOTA_LIMIT: "1" });
    const { client } = clientOf(user);
    await client.ask("One?").done;
    const error = await errorOf(client.ask("Two?"));
    expect(error).toBeInstanceOf(QuotaExceededError);
    expect(error).toMatchObject({
      status: 429,
      quotaRemaining: 0,
      resetsAt: (await client.quota()).resetsAt,
      retryAfterMs: expect.any(Number),
    });
  });

  it("says with QUOTA_EXCEEDED that a quota never renews", async () => {
    const { client } = clientOf(await newUser({ QUOTA_LIMIT: "0", QUOTA_PERIOD: "total" }));
    const error = await errorOf(client.ask("One?"));
    expect(error).toMatchObject({
      name: "QuotaExceededError",
      resetsAt: null,
      retryAfterMs: undefined,
    });
  });

  it("names with INVALID_REQUEST what is wrong", async () => {
    const { client } = clientOf(await newUser());
    const error = await errorOf(client.ask("One?", { topK: 99 }));
    expect(error).toMatchObject({ code: "INVALID_REQUEST", status: 400 });
    expect(error.message).toContain("topK");
  });

  it("sends IDEMPOTENCY_KEY_REUSED and INVALID_IDEMPOTENCY_KEY", async () => {
    const { client } = clientOf(await newUser());
    await client.ask("One?", { idempotencyKey: "k" }).done;
    const reused = await errorOf(client.ask("Two?", { idempotencyKey: "k" }));
    expect(reused).toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED", status: 422 });
    const invalid = await errorOf(client.ask("Two?", { idempotencyKey: "a b" }));
    expect(invalid).toMatchObject({ code: "INVALID_IDEMPOTENCY_KEY", status: 400 });
  });

  it("sends BLOCKED to a blocked user", async () => {
    const user = await newUser();
    await asOperator(adminPath(user), { method: "PATCH", body: '{"blocked":true}' });
    const { client } = clientOf(user);
    expect(await errorOf(client.ask("One?"))).toMatchObject({ code: "BLOCKED", status: 403 });
  });

  it("sends TOO_MANY_STREAMS, which is not retried", async () => {
    const { client, net } = clientOf(await newUser({ CONCURRENCY_LIMIT: "1" }));
    const running = client.ask(scripted({ tokens: 1_000, gapMs: 10 }));
    for await (const event of running)
      if (event.type === "token") {
        const error = await errorOf(client.ask("Two?"));
        expect(error).toMatchObject({ code: "TOO_MANY_STREAMS", retryAfterMs: 1_000 });
        expect(net.streams).toHaveLength(2);
        break;
      }
  });

  it("ends an answer with GENERATION_FAILED, free", async () => {
    const { client, net } = clientOf(await newUser());
    const answer = client.ask(scripted({ tokens: 5, fault: "cut", at: 2 }));
    const error = await errorOf(answer);
    expect(error).toMatchObject({ code: "GENERATION_FAILED", quotaRemaining: 20 });
    expect(error.queryId).toBe(answer.queryId);
    expect(answer.text).toBe("w0 w1 ");
    expect(net.streams).toHaveLength(1);
  });

  it("sends NOT_FOUND for another user's query", async () => {
    const [mine, other] = [clientOf(await newUser()).client, clientOf(await newUser()).client];
    const { queryId } = await mine.ask("One?").done;
    const notFound = { code: "NOT_FOUND", status: 404 };
    await expect(other.query(queryId)).rejects.toMatchObject(notFound);
    await expect(other.feedback(queryId, "up")).rejects.toMatchObject(notFound);
    await expect(errorOf(other.events(queryId))).resolves.toMatchObject(notFound);
  });
});

describe("another service", () => {
  const page = "<!doctype html><title>Welcome</title>";
  const json = { "content-type": "application/json" };
  it.each([
    ["a page", () => new Response(page, { headers: { "content-type": "text/html" } })],
    ["a page that is not there", () => new Response(page, { status: 404 })],
    ["another API", () => new Response('{"ok":true}', { headers: json })],
    ["another API's error", () => new Response('{"error":"no"}', { status: 400, headers: json })],
    ["JSON null", () => new Response("null", { status: 400, headers: json })],
  ])("that sends %s is NOT_BELAY, without a retry", async (_, response) => {
    const { client, net } = clientOf(await newUser(), { faults: [response] });
    const error = await errorOf(client.ask("One?"));
    expect(error).toMatchObject({ code: "NOT_BELAY", status: response().status });
    expect(net.requests).toHaveLength(1);
  });

  it("that sends a page for a call is NOT_BELAY", async () => {
    const fetch = async () => new Response(page, { headers: { "content-type": "text/html" } });
    const client = createClient({ url: "https://belay.test", token: "t", fetch });
    await expect(client.quota()).rejects.toMatchObject({ code: "NOT_BELAY", status: 200 });
  });
});

it("a 204 is TOLD_TO_STOP", async () => {
  const { client, net } = clientOf(await newUser(), {
    faults: [() => new Response(null, { status: 204 })],
  });
  const error = await errorOf(client.ask("One?"));
  expect(error).toMatchObject({ code: "TOLD_TO_STOP", status: 204 });
  expect(net.requests).toHaveLength(1);
});

it("the real service sends no 204, also after many asks with one key", async () => {
  const user = await newUser();
  const { client } = clientOf(user);
  const ids = new Set<string>();
  for (let time = 0; time < 6; time += 1) {
    const { queryId } = await client.ask("One?", { idempotencyKey: "k" }).done;
    ids.add((await user.resolved(queryId)).queryId);
  }
  expect(ids.size).toBe(1);
});

it("a failed call is CONNECTION_LOST, an aborted call rejects with the reason", async () => {
  const { client } = clientOf(await newUser(), {
    fetch: async (_, init) => {
      init.signal?.throwIfAborted();
      throw new TypeError("fetch failed");
    },
  });
  const lost = await client.quota().catch((caught) => caught);
  expect(lost).toBeInstanceOf(ConnectionLostError);
  expect(lost.cause).toMatchObject({ message: "fetch failed" });
  await expect(client.quota({ signal: AbortSignal.abort("mine") })).rejects.toBe("mine");
});
