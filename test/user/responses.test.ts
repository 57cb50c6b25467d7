// OpenAI's Responses in one user's object: whose they are, what is deleted of
// them, and who reads them. The real package asks in test/packages.

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { IDENTITY_HEADER, USER_HEADER } from "../../src/user/user-request.ts";
import {
  adminPath,
  asOperator,
  fetchApi,
  modelRequests,
  newUser,
  scripted,
  type TestUser,
  upstreamEnded,
} from "../harness.ts";

interface Body {
  readonly id: string;
  readonly status: string;
  readonly output: readonly unknown[];
  readonly error: { readonly code: string; readonly param: string | null } | null;
}

function call(
  user: TestUser,
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  return fetchApi(`/v1${path}`, {
    method,
    ...(signal && { signal }),
    headers: { authorization: `Bearer ${user.token}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function create(user: TestUser, input: string, more: object = {}): Promise<Body> {
  return (await call(user, "POST", "/responses", { model: "belay", input, ...more })).json();
}

describe("the responses of a user", () => {
  it("are not read by a HEAD", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const client = new AbortController();
    const body = {
      ...{ model: "belay", stream: true, belay: { onDisconnect: "cancel" } },
      input: scripted({ tokens: 3, fault: "hang", at: 2, tag }),
    };
    const response = await call(user, "POST", "/responses", body, client.signal);
    const id = response.headers.get("x-query-id") ?? "";
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; !text.includes("output_text.delta"); ) {
      text += (await reader?.read())?.value ?? "";
    }
    const head = await call(user, "HEAD", `/responses/${id}?stream=true`);
    expect([head.status, head.headers.get("content-type")]).toEqual([
      200,
      "text/event-stream; charset=utf-8",
    ]);
    const whole = await call(user, "HEAD", `/responses/${id}`);
    expect([whole.status, whole.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect((await call(user, "HEAD", `/responses/${id}?stream=maybe`)).status).toBe(400);
    await reader?.cancel();
    client.abort();
    expect(await user.resolved(id)).toMatchObject({ state: "refunded", reason: "disconnected" });
    await upstreamEnded(tag);
  });

  it("are hidden from other readers of the same object", async () => {
    const user = await newUser();
    const as = async (identity: string, method: string, path: string, body?: unknown) => {
      const response = await user.stub.fetch(`https://object/v1${path}`, {
        method,
        headers: {
          [USER_HEADER]: user.name,
          [IDENTITY_HEADER]: identity,
          "content-type": "application/json",
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json<Body>() };
    };
    const ask = { model: "belay", input: scripted({ tokens: 1 }) };
    const { id } = (await as("ann", "POST", "/responses", ask)).body;
    const follow = { ...ask, previous_response_id: id };
    expect((await as("ann", "GET", `/responses/${id}`)).status).toBe(200);
    expect((await as("bob", "GET", `/responses/${id}`)).status).toBe(404);
    expect((await as("bob", "GET", `/responses/${id}?stream=true`)).status).toBe(404);
    expect((await as("bob", "POST", `/responses/${id}/cancel`)).status).toBe(404);
    expect(await as("bob", "POST", "/responses", follow)).toMatchObject({
      status: 400,
      body: { error: { code: "previous_response_not_found", param: "previous_response_id" } },
    });
    expect((await as("ann", "POST", "/responses", follow)).status).toBe(200);
  });

  it("are 410 once their text is deleted, and end the history of what follows", async () => {
    const user = await newUser();
    const first = await create(user, scripted({ tokens: ["One."] }));
    const second = await create(user, scripted({ tokens: ["Two."] }, "And then?"), {
      previous_response_id: first.id,
    });
    await runInDurableObject(user.stub, (_object, { storage }) => {
      storage.sql.exec(
        "UPDATE queries SET query = NULL, answer = NULL, sources = NULL WHERE number = 1",
      );
    });
    for (const path of [`/responses/${first.id}`, `/responses/${first.id}?stream=true`]) {
      expect((await call(user, "GET", path)).status).toBe(410);
    }
    expect((await call(user, "POST", `/responses/${first.id}/cancel`)).status).toBe(410);
    const tag = crypto.randomUUID();
    const third = await create(user, scripted({ tokens: ["Three."], tag }, "And last?"), {
      previous_response_id: second.id,
    });
    expect(third.status).toBe("completed");
    const [asked] = await modelRequests(tag);
    expect(asked?.roles).toEqual(["system", "user", "assistant", "user"]);
  });

  it("are unknown after the user was erased", async () => {
    const user = await newUser();
    const { id } = await create(user, scripted({ tokens: ["One."] }));
    expect((await asOperator(adminPath(user), { method: "DELETE" })).status).toBe(204);
    expect((await call(user, "GET", `/responses/${id}`)).status).toBe(404);
    const follow = await create(user, "And then?", { previous_response_id: id });
    expect(follow.error).toMatchObject({ code: "previous_response_not_found" });
  });

  it("write no more rows because they follow another", async () => {
    const user = await newUser();
    const { id } = await create(user, scripted({ tokens: ["One."] }));
    await create(user, scripted({ tokens: ["Two."] }, "And then?"), { previous_response_id: id });
    expect(await user.rows("SELECT number, previous FROM queries ORDER BY number")).toEqual([
      { number: 1, previous: null },
      { number: 2, previous: id.replace("resp_", "") },
    ]);
  });

  it("are refused in OpenAI's form where `stream` or `starting_after` is wrong", async () => {
    const user = await newUser();
    const { id } = await create(user, scripted({ tokens: ["One."] }));
    for (const query of ["stream=maybe", "stream=true&starting_after=x"]) {
      const response = await call(user, "GET", `/responses/${id}?${query}`);
      expect(response.status).toBe(400);
      expect((await response.json<Body>()).error).toMatchObject({ code: "INVALID_REQUEST" });
    }
  });
});
