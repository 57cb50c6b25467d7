// The edge as a caller sees it: who is let in, what is refused and in which form, and which pages may
// read it. Nothing here may be a 500, and nothing that is refused may cost or create anything.

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Env } from "../src/config.ts";
import { handle, routes } from "../src/edge/edge.ts";
import { API_PREFIX, type ErrorBody } from "../src/protocol.ts";
import {
  asOperator,
  bearer,
  fetchApi,
  modelRequests,
  newUser,
  Stream,
  scripted,
} from "./harness.ts";

const ask = (body: BodyInit, headers: Record<string, string> = {}, path = "/ai/ask") => ({
  path,
  init: { method: "POST", body, headers: { "content-type": "application/json", ...headers } },
});

async function refusal(response: Response): Promise<ErrorBody & { status: number }> {
  const body: ErrorBody = await response.json();
  expect(body.type).toBe("error");
  expect(body.message).toMatch(/^[A-Z].*[.]$/s);
  return { status: response.status, ...body };
}

describe("a bearer token", () => {
  const withToken = (authorization: string | undefined) =>
    fetchApi("/api/v1/ai/quota", { headers: authorization === undefined ? {} : { authorization } });

  it("is required", async () => {
    const response = await withToken(undefined);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await refusal(response)).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
  });

  it.each([
    ["of another scheme", async () => "Basic YTpi"],
    ["that is no JWT", async () => "Bearer nonsense"],
    ["sent twice", async () => `Bearer ${await bearer({ sub: "a" })}, Bearer x.y.z`],
    ["that has expired", async () => `Bearer ${await bearer({ sub: "a", exp: "-1h" })}`],
    ["without exp", async () => `Bearer ${await bearer({ sub: "a", exp: null })}`],
    ["without sub", async () => `Bearer ${await bearer({})}`],
    ["with an empty sub", async () => `Bearer ${await bearer({ sub: "" })}`],
    ["with a number for sub", async () => `Bearer ${await bearer({ sub: 5 })}`],
    ["with an object for sub", async () => `Bearer ${await bearer({ sub: {} })}`],
    ["with a sub that no URL can name", async () => `Bearer ${await bearer({ sub: ".." })}`],
    ["with a control character in sub", async () => `Bearer ${await bearer({ sub: "a\u0000b" })}`],
    ["with a lone surrogate in sub", async () => `Bearer ${await bearer({ sub: "a\ud800" })}`],
    ["with 129 characters in sub", async () => `Bearer ${await bearer({ sub: "x".repeat(129) })}`],
    ["that is not valid yet", async () => `Bearer ${await bearer({ sub: "a", nbf: 4e9 })}`],
    [
      "signed with another secret",
      async () => `Bearer ${await bearer({ sub: "a" }, new TextEncoder().encode("x".repeat(40)))}`,
    ],
    [
      "that claims no algorithm",
      async () => {
        const [, claims] = (await bearer({ sub: "a" })).split(".");
        return `Bearer ${btoa('{"alg":"none"}').replaceAll("=", "")}.${claims}.x`;
      },
    ],
  ])("%s is refused", async (_name, authorization) => {
    const response = await withToken(await authorization());
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer error=/);
    expect(await refusal(response)).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
  });

  it.each(["a%2Fb", "a/b", "張", "with space", "...", "x".repeat(128), "😀".repeat(128)])(
    "may name any user: %s",
    async (sub) => {
      const user = await newUser({ QUOTA_LIMIT: "7" }, sub);
      const stream = await user.ask({ tokens: 1 });
      await stream.all();
      expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
      expect(await user.quota()).toMatchObject({ limit: 7, charged: 1 });
    },
  );
});

describe("an error", () => {
  it("is JSON without stream=true, and the only event of a stream with it, under the same status", async () => {
    const user = await newUser();
    const asJson = await user.post("/ai/ask", {});
    expect(asJson.status).toBe(400);
    expect(asJson.headers.get("content-type")).toBe("application/json");
    const asStream = await user.post("/ai/ask?stream=true", {});
    expect(asStream.status).toBe(400);
    expect(asStream.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(await new Stream(asStream).all()).toEqual([await asJson.json()]);
  });

  it("has the same two forms where the edge itself refuses", async () => {
    const asJson = await fetchApi("/api/v1/ai/ask", { method: "POST" });
    const asStream = await fetchApi("/api/v1/ai/ask?stream=true", { method: "POST" });
    expect(asJson.status).toBe(401);
    expect(asStream.status).toBe(401);
    expect(await new Stream(asStream).all()).toEqual([await asJson.json()]);
  });
});

describe("an error of an operator's route", () => {
  it.each<[string, number, string, RequestInit]>([
    ["/admin/documents/a", 400, "INVALID_REQUEST", { method: "PUT", body: "{}" }],
    ["/admin/documents/nobody's", 404, "NOT_FOUND", {}],
    ["/admin/users/nobody", 404, "NOT_FOUND", {}],
    ["/admin/users/%0a", 404, "NOT_FOUND", {}],
    ["/admin/documents", 405, "METHOD_NOT_ALLOWED", { method: "POST" }],
  ])("has both forms as well: %s is %i", async (path, status, code, init) => {
    const asJson = await asOperator(path, init);
    const asStream = await asOperator(`${path}?stream=true`, init);
    expect([asJson.status, asStream.status]).toEqual([status, status]);
    expect(asJson.headers.get("content-type")).toBe("application/json");
    expect(asStream.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const body = await asJson.json<ErrorBody>();
    expect(body).toMatchObject({ type: "error", code });
    expect(await new Stream(asStream).all()).toEqual([body]);
  });
});

describe("a path that is not there", () => {
  it.each(["/page", "/api/v1", "/api/v1/ai", "/api/v2/ai/ask", "/api/v1/ai/queries/a/b/c", "/%"])(
    "is 404: %s",
    async (path) => {
      const user = await newUser();
      const response = await fetchApi(path, {
        headers: { authorization: `Bearer ${user.token}` },
      });
      expect(await refusal(response)).toMatchObject({ status: 404, code: "NOT_FOUND" });
    },
  );

  it("is 404 where it cannot be decoded", async () => {
    const user = await newUser();
    const response = await user.request("/ai/queries/%E0%A4%A");
    expect(await refusal(response)).toMatchObject({ status: 404, code: "NOT_FOUND" });
  });

  it("is 405, with Allow, where only the method is wrong", async () => {
    const user = await newUser();
    const response = await user.request("/ai/ask");
    expect(response.headers.get("allow")).toBe("POST");
    expect(await refusal(response)).toMatchObject({ status: 405, code: "METHOD_NOT_ALLOWED" });
  });
});

describe("the body of an ask", () => {
  const query = "What is Belay?";
  it.each<[string, unknown, string]>([
    ["null", null, "object"],
    ["an array", [], "object"],
    ["a string", "What?", "object"],
    ["no query", {}, '"query"'],
    ["an empty query", { query: "" }, '"query"'],
    ["a query of white space", { query: " \n " }, '"query"'],
    ["a query of 4,001 characters", { query: "x".repeat(4_001) }, '"query"'],
    ["a query that is a number", { query: 5 }, '"query"'],
    ["a query with a lone surrogate", { query: "a\ud800" }, '"query"'],
    ["an unknown field", { query, topk: 3 }, '"topk"'],
    ["topK of 0", { query, topK: 0 }, '"topK"'],
    ["topK of 21", { query, topK: 21 }, '"topK"'],
    ["topK of 1.5", { query, topK: 1.5 }, '"topK"'],
    ["topK as a string", { query, topK: "5" }, '"topK"'],
    ["maxTokens of 0", { query, maxTokens: 0 }, '"maxTokens"'],
    ["maxTokens of 4,097", { query, maxTokens: 4_097 }, '"maxTokens"'],
    ["temperature of 2.1", { query, temperature: 2.1 }, '"temperature"'],
    ["temperature of -1", { query, temperature: -1 }, '"temperature"'],
    ["a history that is no list", { query, history: {} }, '"history"'],
    [
      "a history of 21 turns",
      { query, history: Array(21).fill({ role: "user", content: "x" }) },
      '"history"',
    ],
    ["a turn of the system", { query, history: [{ role: "system", content: "x" }] }, "role"],
    ["an unknown field in a turn", { query, history: [{ role: "user", content: "x", y: 1 }] }, "y"],
    ["an unknown onDisconnect", { query, onDisconnect: "explode" }, '"onDisconnect"'],
  ])("with %s is refused, and the field named", async (_name, body, named) => {
    const user = await newUser();
    const refused = await refusal(await user.post("/ai/ask", body));
    expect(refused).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
    expect(refused.message).toContain(named);
    expect(await user.quota()).toMatchObject({ reserved: 0, charged: 0, refunded: 0 });
    expect(await user.receipts()).toEqual([]);
  });

  it.each<[string, BodyInit]>([
    ["empty", ""],
    ["cut off", '{"query":'],
    ["followed by junk", '{"query":"x"} x'],
    ["not UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["nested 60,000 deep", "[".repeat(60_000)],
  ])("that is %s is refused", async (_name, body) => {
    const user = await newUser();
    const { path, init } = ask(body);
    expect(await refusal(await user.request(path, init))).toMatchObject({
      status: 400,
      code: "INVALID_REQUEST",
    });
  });

  it.each([undefined, "text/plain", "multipart/form-data", "application/jsonp"])(
    "of the media type %s is refused",
    async (type) => {
      const user = await newUser();
      const response = await user.request("/ai/ask", {
        method: "POST",
        body: new TextEncoder().encode('{"query":"x"}'),
        headers: type === undefined ? {} : { "content-type": type },
      });
      expect(await refusal(response)).toMatchObject({
        status: 415,
        code: "UNSUPPORTED_MEDIA_TYPE",
      });
    },
  );

  it("over 64 KiB is refused, with a length or without one", async () => {
    const user = await newUser();
    const long = JSON.stringify({
      query,
      history: [{ role: "user", content: "x".repeat(70_000) }],
    });
    const chunks = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(long));
        controller.close();
      },
    });
    for (const body of [long, chunks]) {
      const { path, init } = ask(body);
      expect(await refusal(await user.request(path, init))).toMatchObject({
        status: 413,
        code: "PAYLOAD_TOO_LARGE",
      });
    }
  });

  it("that does not arrive in time is refused", async () => {
    const user = await newUser({ BODY_TIMEOUT_MS: "50" });
    const stalled = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"query":'));
      },
    });
    const { path, init } = ask(stalled);
    expect(await refusal(await user.request(path, init))).toMatchObject({
      status: 408,
      code: "REQUEST_TIMEOUT",
    });
  });

  it("changes nothing by the keys of prototypes", async () => {
    const user = await newUser();
    for (const key of ["__proto__", "constructor", "prototype"]) {
      const { path, init } = ask(
        `{"query":"x","${key}":{"topK":1,"blocked":true,"scope":"operator"}}`,
      );
      const response = await user.request(path, init);
      expect([200, 400]).toContain(response.status);
      await response.text();
    }
    expect(({} as Record<string, unknown>).blocked).toBeUndefined();
    expect((await user.request("/admin/documents")).status).toBe(403);
  });

  it.each(["yes", "TRUE", "1", ""])(
    "is not answered in a mode that was misspelt: %j",
    async (value) => {
      const user = await newUser();
      const response = await user.post(`/ai/ask?stream=${value}`, { query });
      expect(await refusal(response)).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
    },
  );

  it("may have a query of 4,000 characters, whatever their size", async () => {
    const user = await newUser();
    for (const character of ["x", "張", "😀"]) {
      const response = await user.askForJson(character.repeat(4_000));
      expect(response.status).toBe(200);
      await response.text();
    }
  });
});

describe("a refusal", () => {
  it("never calls the model, and reserves nothing", async () => {
    const tag = crypto.randomUUID();
    const query = scripted({ tag, tokens: 1 });
    const user = await newUser({ QUOTA_LIMIT: "0" });
    const refused = [
      await fetchApi("/api/v1/ai/ask", { method: "POST", body: JSON.stringify({ query }) }),
      await user.post("/ai/ask", { query }),
      await user.post("/ai/ask?stream=true", { query }),
      await user.post("/ai/ask", { query, unknown: 1 }),
      await user.post("/ai/ask", { query }, { headers: { "content-type": "text/plain" } }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([401, 429, 429, 400, 415]);
    expect(await modelRequests(tag)).toEqual([]);
    expect(await user.receipts()).toEqual([]);
  });
});

describe("a route of operators", () => {
  // From the router itself, so that a new route cannot be forgotten.
  const admin = routes
    .filter(([, path]) => path.startsWith(`${API_PREFIX}/admin/`))
    .map(([method, path]) => [method, path.replaceAll(/:\w+/g, "alice")] as const);

  it("is everything that is neither a user's own nor for everybody", () => {
    const others = routes.filter(([, path]) => !path.startsWith(`${API_PREFIX}/admin/`));
    expect(others.map((route) => route.join(" ")).toSorted()).toEqual([
      "GET /api/v1/ai/examples",
      "GET /api/v1/ai/queries",
      "GET /api/v1/ai/queries/:id",
      "GET /api/v1/ai/queries/:id/events",
      "GET /api/v1/ai/quota",
      "GET /healthz",
      "POST /api/v1/ai/ask",
      "POST /api/v1/ai/feedback",
      "POST /api/v1/ai/queries/:id/cancel",
      "POST /api/v1/session",
    ]);
    expect(admin.length).toBeGreaterThanOrEqual(8);
  });

  it.each(admin)("is 403 for a user: %s %s", async (method, path) => {
    const user = await newUser();
    const response = await user.request(path.slice(API_PREFIX.length), { method });
    expect(await refusal(response)).toMatchObject({ status: 403, code: "FORBIDDEN" });
  });

  it.each(admin)("is 401 without a bearer token: %s %s", async (method, path) => {
    const response = await fetchApi(path, { method });
    expect(await refusal(response)).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
  });

  it("takes operator for a whole word of the scope", async () => {
    for (const [scope, status] of [
      ["operator", 200],
      ["read operator", 200],
      ["operators", 403],
      [["operator"], 403],
      ["", 403],
    ] as const) {
      const authorization = `Bearer ${await bearer({ sub: "ops", scope })}`;
      const response = await fetchApi("/api/v1/admin/documents", { headers: { authorization } });
      await response.text();
      expect(response.status).toBe(status);
    }
  });
});

describe("a page of another origin", () => {
  it("is answered a preflight without a bearer token", async () => {
    const response = await fetchApi("/api/v1/ai/ask", {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-method": "POST" },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-headers")).toContain("Authorization");
  });

  it("keeps the status of an error", async () => {
    const response = await fetchApi("/nowhere", { headers: { origin: "https://app.example" } });
    expect(response.status).toBe(404);
    expect(response.headers.get("vary")).toContain("Origin");
  });

  it("may read only if CORS_ORIGINS names it", async () => {
    for (const [origin, allowed] of [
      ["https://app.example", "https://app.example"],
      ["https://app.example.evil", null],
      ["null", null],
    ] as const) {
      const response = await fetchApi("/healthz", { headers: { origin } });
      expect(response.headers.get("access-control-allow-origin")).toBe(allowed);
    }
    const response = await fetchApi("/healthz", { headers: { origin: "https://app.example" } });
    expect(response.headers.get("access-control-expose-headers")).toContain("X-Query-Id");
  });

  it("is refused before anything is reserved where CORS_ORIGINS is wrong", async () => {
    const user = await newUser();
    const request = new Request("https://belay.test/api/v1/ai/ask?stream=true", {
      method: "POST",
      headers: { authorization: `Bearer ${user.token}`, "content-type": "application/json" },
      body: JSON.stringify({ query: scripted({ tokens: 3 }), onDisconnect: "continue" }),
    });
    const response = await handle(request, { ...env, CORS_ORIGINS: "nowhere" } as Env);
    expect(response.status).toBe(503);
    await response.body?.cancel();
    expect(await user.receipts()).toEqual([]);
  });
});

describe("the health check", () => {
  it("is 200 without a bearer token", async () => {
    expect((await fetchApi("/healthz")).status).toBe(200);
  });
});
