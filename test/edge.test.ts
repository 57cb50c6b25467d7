// The edge as a caller sees it: authentication,
// refusals and their forms. Nothing here may be a
// 500. A refused request costs and creates nothing.

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { handle, routes } from "../src/edge/edge.ts";
import { API_PREFIX, type ErrorBody } from "../src/protocol.ts";
import type { Env } from "../src/wiring.ts";
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
  it("is JSON, or with stream=true an event stream of one event, under the same status", async () => {
    const user = await newUser();
    const asJson = await user.post("/ai/ask", {});
    expect(asJson.status).toBe(400);
    expect(asJson.headers.get("content-type")).toBe("application/json");
    const asStream = await user.post("/ai/ask?stream=true", {});
    expect(asStream.status).toBe(400);
    expect(asStream.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(await new Stream(asStream).all()).toEqual([await asJson.json()]);
  });

  it("has the same two forms when the edge refuses", async () => {
    const asJson = await fetchApi("/api/v1/ai/ask", { method: "POST" });
    const asStream = await fetchApi("/api/v1/ai/ask?stream=true", { method: "POST" });
    expect(asJson.status).toBe(401);
    expect(asStream.status).toBe(401);
    expect(await new Stream(asStream).all()).toEqual([await asJson.json()]);
  });
});

describe("an error of an operators' route", () => {
  it.each<[string, number, string, RequestInit]>([
    ["/admin/documents/a", 400, "INVALID_REQUEST", { method: "PUT", body: "{}" }],
    ["/admin/documents/nobody's", 404, "NOT_FOUND", {}],
    ["/admin/users/nobody", 404, "NOT_FOUND", {}],
    ["/admin/users/%0a", 404, "NOT_FOUND", {}],
    ["/admin/documents", 405, "METHOD_NOT_ALLOWED", { method: "POST" }],
  ])("has both forms too: %s is %i", async (path, status, code, init) => {
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

describe("an unknown path", () => {
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

  it("is 404 if it cannot be decoded", async () => {
    const user = await newUser();
    const response = await user.request("/ai/queries/%E0%A4%A");
    expect(await refusal(response)).toMatchObject({ status: 404, code: "NOT_FOUND" });
  });

  it("is 405 with Allow if only the method is wrong", async () => {
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
    ["a query of null", { query: null }, '"query"'],
    ["a query of zero-width spaces", { query: "\u200b\u200b" }, '"query"'],
    ["a query of a joiner and a byte order mark", { query: "\u200d \ufeff" }, '"query"'],
    ["a query of control characters", { query: "\u0000\u0001\u007f\u0085" }, '"query"'],
    ["a query of directions", { query: "\u202e\u2066\u2069\u061c" }, '"query"'],
    ["a query of a soft hyphen", { query: "\u00ad" }, '"query"'],
    ["a query of Hangul fillers", { query: "\u3164\u115f\u1160\uffa0" }, '"query"'],
    ["a query of variation selectors", { query: "\ufe0f\u{e0100}\u180b" }, '"query"'],
    ["a query of tags", { query: "\u{e0041}\u{e007f}" }, '"query"'],
    ["a query of blank Braille", { query: "\u2800" }, '"query"'],
    ["a query of noncharacters", { query: "\ufdd0\uffff" }, '"query"'],
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
  ])("with %s is refused, and the message names the field", async (_name, body, named) => {
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

  it.each([
    undefined,
    "text/plain;charset=UTF-8",
    "Text/Plain",
    "application/json; charset=utf-8",
    "application/problem+json",
  ])("with the media type %s is read as JSON", async (type) => {
    const user = await newUser();
    const response = await user.request("/ai/ask", {
      method: "POST",
      body: new TextEncoder().encode(JSON.stringify({ query: scripted({ tokens: 1 }) })),
      headers: type === undefined ? {} : { "content-type": type },
    });
    expect(response.status).toBe(200);
    await response.text();
  });

  it("of a document needs a type, because text may be the document itself", async () => {
    const authorization = `Bearer ${await bearer({ sub: "ops", scope: "operator" })}`;
    for (const type of ["text/plain", "text/markdown", ""]) {
      const response = await fetchApi("/api/v1/admin/documents/a", {
        method: "PUT",
        body: new TextEncoder().encode('{"title":"A","text":"Text."}'),
        headers: { authorization, ...(type !== "" && { "content-type": type }) },
      });
      expect(await refusal(response)).toMatchObject({ status: 415 });
    }
  });

  it.each([
    "text/html",
    "text/json",
    "text/plain2",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/jsonp",
    "application/json+xml",
  ])("with the media type %s is refused", async (type) => {
    const user = await newUser();
    const response = await user.request("/ai/ask", {
      method: "POST",
      body: new TextEncoder().encode('{"query":"x"}'),
      headers: { "content-type": type },
    });
    expect(await refusal(response)).toMatchObject({
      status: 415,
      code: "UNSUPPORTED_MEDIA_TYPE",
    });
  });

  it.each([
    "gzip",
    "GZIP",
    "br",
    "deflate",
    "zstd",
    "x-gzip",
    "compress",
    "gzip, identity",
    "identity,br",
  ])("with Content-Encoding %s is refused before it is read", async (coding) => {
    const user = await newUser();
    // It never ends: reading it would time out.
    const endless = () =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"query":'));
        },
      });
    for (const path of ["/ai/ask", "/ai/feedback", "/ai/queries/1/cancel"]) {
      const { init } = ask(endless(), { "content-encoding": coding });
      const response = await user.request(path, init);
      expect(response.headers.get("accept-encoding")).toBe("identity");
      const refused = await refusal(response);
      expect(refused).toMatchObject({ status: 415, code: "UNSUPPORTED_MEDIA_TYPE" });
      expect(refused.message).toContain("Content-Encoding");
    }
    const document = { method: "PUT", body: "{}", headers: { "content-encoding": coding } };
    const authorization = `Bearer ${await bearer({ sub: "ops", scope: "operator" })}`;
    const put = await fetchApi("/api/v1/admin/documents/a", {
      ...document,
      headers: { ...document.headers, authorization },
    });
    expect(await refusal(put)).toMatchObject({ status: 415 });
  });

  it.each(["identity", "Identity", "", "identity, identity"])(
    "with Content-Encoding %j is read unchanged",
    async (coding) => {
      const user = await newUser();
      const { path, init } = ask("{}", { "content-encoding": coding });
      expect(await refusal(await user.request(path, init))).toMatchObject({ status: 400 });
    },
  );

  it("that is compressed without saying so is refused as not UTF-8", async () => {
    const user = await newUser();
    const text = new Blob([JSON.stringify({ query })]).stream();
    const gzip = await new Response(text.pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
    const { path, init } = ask(gzip);
    expect(await refusal(await user.request(path, init))).toMatchObject({ status: 400 });
  });

  it("over 64 KiB is refused, with or without Content-Length", async () => {
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

  it("cannot change prototypes by its keys", async () => {
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

  it.each(["yes", "TRUE", "1", ""])("is refused with a misspelt mode: %j", async (value) => {
    const user = await newUser();
    const response = await user.post(`/ai/ask?stream=${value}`, { query });
    expect(await refusal(response)).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
  });

  it("may have null for each optional field that is left out", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const asked = scripted({ tag, tokens: 1 });
    const left = ["topK", "maxTokens", "temperature", "history", "onDisconnect"];
    const nulls = Object.fromEntries(left.map((name) => [name, null]));
    const response = await user.post("/ai/ask", { query: asked, ...nulls });
    expect(response.status).toBe(200);
    const { queryId } = await response.json<{ queryId: string }>();
    // The same ask joins the same answer.
    const again = await user.post("/ai/ask", { query: asked });
    expect(await again.json()).toMatchObject({ queryId });
    expect((await user.receipt(queryId)).onDisconnect).toBe("cancel");
    expect(await modelRequests(tag)).toHaveLength(1);
  });

  it.each(["a\u200b", "\u202bשלום", "👩\u200d🚀", "\u0301e", "?", "張\ufe00"])(
    "may have invisible characters beside visible ones: %j",
    async (visible) => {
      const user = await newUser();
      const response = await user.post("/ai/ask", { query: visible });
      expect(response.status).toBe(200);
      await response.text();
    },
  );

  it("may have a query of 4,000 characters of any size", async () => {
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
      await user.post("/ai/ask", { query }, { headers: { "content-type": "text/html" } }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([401, 429, 429, 400, 415]);
    expect(await modelRequests(tag)).toEqual([]);
    expect(await user.receipts()).toEqual([]);
  });
});

describe("an operators' route", () => {
  // Taken from the router, so that no new route is forgotten.
  const admin = routes
    .filter(([, path]) => path.startsWith(`${API_PREFIX}/admin/`))
    .map(([method, path]) => [method, path.replaceAll(/:\w+/g, "alice")] as const);

  it("is every route except a user's own and the public ones", () => {
    const others = routes.filter(([, path]) => !path.startsWith(`${API_PREFIX}/admin/`));
    expect(others.map((route) => route.join(" ")).toSorted()).toEqual([
      "DELETE /api/v1/ai/queries/:id",
      "GET /.well-known/oauth-protected-resource",
      "GET /.well-known/oauth-protected-resource/mcp",
      "GET /api/v1/ai/chat/:id/stream",
      "GET /api/v1/ai/examples",
      "GET /api/v1/ai/queries",
      "GET /api/v1/ai/queries/:id",
      "GET /api/v1/ai/queries/:id/events",
      "GET /api/v1/ai/quota",
      "GET /api/v1/openapi.json",
      "GET /api/v1/page",
      "GET /healthz",
      "GET /v1/models",
      "GET /v1/models/:id",
      "GET /v1/responses/:id",
      "POST /api/v1/ai/ask",
      "POST /api/v1/ai/chat",
      "POST /api/v1/ai/feedback",
      "POST /api/v1/ai/queries/:id/cancel",
      "POST /api/v1/session",
      "POST /mcp",
      "POST /v1/chat/completions",
      "POST /v1/responses",
      "POST /v1/responses/:id/cancel",
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

  const named = (claim: string) => ({ AUTH_OPERATOR_CLAIM: claim });
  const claim = "https://example.com/roles";
  it.each<[Record<string, unknown>, number, Record<string, string>?]>([
    [{ scope: "operator" }, 200],
    [{ scope: "read operator" }, 200],
    [{ scope: ["operator"] }, 200],
    [{ scope: ["read", "operator"] }, 200],
    [{ scp: "read operator" }, 200],
    [{ scp: ["read", "operator"] }, 200],
    [{ roles: ["reader", "operator"] }, 200],
    [{ roles: "operator" }, 200],
    [{ scope: "", scp: null, roles: ["operator"] }, 200],
    [{ [claim]: ["operator"] }, 200, named(claim)],
    [{ [claim]: "operator" }, 200, named(claim)],
    [{ "https://example.com/operator": true }, 200, named("https://example.com/operator")],
    [{ realm_access: { roles: ["operator"] } }, 200, named("realm_access.roles")],
    [
      { resource_access: { belay: { roles: ["a", "operator"] } } },
      200,
      named("resource_access.belay.roles"),
    ],
    [{ scope: "operator" }, 200, named(claim)],

    [{}, 403],
    [{ scope: "operators" }, 403],
    [{ scope: "Operator" }, 403],
    [{ scope: "" }, 403],
    [{ scope: true }, 403],
    [{ scope: { operator: true } }, 403],
    [{ scope: [["operator"]] }, 403],
    [{ scope: ["machine operator"] }, 403],
    [{ scp: "operators" }, 403],
    [{ roles: "machine operator" }, 403],
    [{ roles: ["machine operator"] }, 403],
    [{ roles: { operator: true } }, 403],
    [{ roles: true }, 403],
    [{ role: "operator", groups: ["operator"] }, 403],
    [{ [claim]: ["operator"] }, 403],
    [{ [claim]: ["operators"] }, 403, named(claim)],
    [{ [claim]: "true" }, 403, named(claim)],
    [{ [claim]: 1 }, 403, named(claim)],
    [{ [claim]: false }, 403, named(claim)],
    [{ realm_access: ["operator"] }, 403, named("realm_access.0")],
    [{ realm_access: "operator" }, 403, named("realm_access.length")],
    [{ realm_access: null }, 403, named("realm_access.roles")],
    [{}, 403, named("constructor")],
    [{}, 403, named("constructor.name")],
    [{}, 403, named("__proto__")],
    [{}, 403, named("toString")],
  ])("answers by the claims of the bearer token: %j gets %i", async (claims, status, variables) => {
    const authorization = `Bearer ${await bearer({ sub: "ops", ...claims })}`;
    const request = new Request("https://belay.test/api/v1/admin/documents", {
      headers: { authorization },
    });
    const response = await handle(request, { ...env, ...variables } as Env);
    await response.text();
    expect(response.status).toBe(status);
  });
});

describe("HEAD", () => {
  // All GET routes, taken from the router.
  const readable = routes
    .filter(([method]) => method === "GET")
    .map(([, path]) => path.replace(":userId", "alice").replace(":id", "nowhere"));

  it.each(readable)("is answered like GET: %s", async (path) => {
    const authorization = `Bearer ${await bearer({ sub: "alice", scope: "operator" })}`;
    for (const headers of [{ authorization }, {}, { authorization: "Bearer x.y.z" }]) {
      const [got, headed] = [
        await fetchApi(path, { headers }),
        await fetchApi(path, { method: "HEAD", headers }),
      ];
      expect([headed.status, steady(headed)]).toEqual([got.status, steady(got)]);
      await got.body?.cancel();
    }
  });

  it("is answered like GET for a query, but joins no answer", async () => {
    const user = await newUser({ RESUME_WAIT_SECONDS: "600" });
    const tag = crypto.randomUUID();
    const stream = await user.ask({ tag, tokens: 2, gapMs: 300 }, { onDisconnect: "wait" });
    await stream.until("token");
    const path = `/ai/queries/${stream.queryId}/events`;
    const head = () => user.request(path, { method: "HEAD" });
    // Far more than the limit of listeners.
    const live = await Promise.all(Array.from({ length: 12 }, head));
    expect(live.map(({ status }) => status)).toEqual(Array(12).fill(200));
    expect(live[0]?.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    await stream.all();
    await user.resolved(stream.queryId);
    for (const each of [path, `/ai/queries/${stream.queryId}`]) {
      const got = await user.request(each);
      const headed = await user.request(each, { method: "HEAD" });
      expect([headed.status, steady(headed)]).toEqual([got.status, steady(got)]);
      await got.text();
    }
    const wrong = await user.request(`${path}?after=x`, { method: "HEAD" });
    expect(wrong.status).toBe(400);
  });

  it("does not prolong an answer that waits for its listener", async () => {
    const user = await newUser({ RESUME_WAIT_SECONDS: "1" });
    const stream = await user.ask({ tokens: 3, gapMs: 60_000 }, { onDisconnect: "wait" });
    await stream.until("token");
    stream.leave();
    const asked = Date.now();
    const path = `/ai/queries/${stream.queryId}/events`;
    for (;;) {
      const { status } = await user.request(path, { method: "HEAD" });
      if (status === 410) break;
      expect(status).toBe(200);
      expect(Date.now() - asked).toBeLessThan(15_000);
      await scheduler.wait(100);
    }
    expect(await user.receipt(stream.queryId)).toMatchObject({ reason: "disconnected" });
  });

  it("is 405 for a route without GET", async () => {
    const user = await newUser();
    for (const path of ["/ai/ask", "/ai/feedback", "/ai/queries/1/cancel", "/session"]) {
      const response = await user.request(path, { method: "HEAD" });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    }
    const deleted = await user.request("/ai/quota", { method: "DELETE" });
    expect(deleted.headers.get("allow")).toBe("GET, HEAD");
    const posted = await asOperator("/admin/documents/a", { method: "POST" });
    expect(posted.headers.get("allow")).toBe("GET, HEAD, PUT, DELETE");
  });

  /** Headers that do not depend on the time. */
  function steady({ headers }: Response): [string, string][] {
    return [...headers].filter(([name]) => !/^(ratelimit|content-length)$/.test(name));
  }
});

describe("the health check", () => {
  it("is 200 without a bearer token", async () => {
    expect((await fetchApi("/healthz")).status).toBe(200);
  });
});
