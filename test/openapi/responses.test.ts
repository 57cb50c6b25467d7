// Real requests to every route, with the examples of the OpenAPI document.
// Their responses are as it describes them.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { handle, routes } from "../../src/edge/edge.ts";
import type { Env } from "../../src/wiring.ts";
import {
  adminPath,
  asOperator,
  bearer,
  fetchApi,
  newUser,
  scripted,
  type TestUser,
} from "../harness.ts";
import { sendModern } from "../mcp/rpc.ts";
import { budgets } from "../worker.ts";
import { Conforming } from "./conforming.ts";

let conforming: Conforming;

beforeAll(async () => {
  conforming = new Conforming(await (await fetchApi("/api/v1/openapi.json")).json());
});

/** The examples of a route's body. */
function examples(route: string): Record<string, unknown>[] {
  const { content = {} } = conforming.operation(route)?.requestBody ?? {};
  return Object.values(content).flatMap(({ examples: named = {} }) =>
    Object.values(named).map(({ value }) => value as Record<string, unknown>),
  );
}

/** Of a budget with limits, if no binding is given. */
async function budgetResponse(method: string, body?: unknown, bindings = {}): Promise<Response> {
  const name = `budget ${crypto.randomUUID()}`;
  budgets.set(name, { BUDGET_LIMIT: "10" });
  const headers = {
    authorization: `Bearer ${await bearer({ sub: "ops", scope: "operator" })}`,
    "content-type": "application/json",
  };
  const sent = body === undefined ? null : JSON.stringify(body);
  const request = new Request(`${SITE}/api/v1/admin/budget`, { method, headers, body: sent });
  const BUDGET = { getByName: () => env.BUDGET.getByName(name) };
  return handle(request, { ...env, BUDGET, ...bindings } as unknown as Env);
}

/** A query that was charged. */
async function charged(user: TestUser): Promise<string> {
  const stream = await user.ask({ tokens: 3 });
  await stream.all();
  await user.resolved(stream.queryId);
  return stream.queryId;
}

/** A query that was refunded. */
async function refunded(user: TestUser): Promise<string> {
  const stream = await user.ask({ fault: "cut", at: 1 });
  await stream.all();
  return stream.queryId;
}

/** A query that is being written until it is stopped. */
async function written(user: TestUser): Promise<string> {
  const stream = await user.ask({ tokens: 9_000, gapMs: 50 });
  await stream.until("token");
  return stream.queryId;
}

/** A response that has been read to its end. */
async function whole(response: Promise<Response>): Promise<Response> {
  const { status, headers, body } = await response;
  return new Response(body && (await new Response(body).text()), { status, headers });
}

const SITE = "https://belay.test";
const PAGE = { origin: SITE, "sec-fetch-site": "same-origin" };
const EMBEDDING = { origin: "https://docs.example", "sec-fetch-site": "cross-site" };
const DOCUMENT = "/admin/documents/described";
const COLLECTION = "/admin/collections/described";
const IN_COLLECTION = `${COLLECTION}/documents/described`;

/** The responses of each route, those first that are no errors. */
const CALLS: Readonly<Record<string, () => Promise<Response[]>>> = {
  "GET /healthz": async () => [await fetchApi("/healthz")],
  "GET /api/v1/openapi.json": async () => [await fetchApi("/api/v1/openapi.json")],
  "POST /api/v1/session": async () => [
    await fetchApi("/api/v1/session", { method: "POST", headers: PAGE }),
    await handle(new Request(`${SITE}/api/v1/session`, { method: "POST", headers: EMBEDDING }), {
      ...env,
      EMBED_ORIGINS: EMBEDDING.origin,
    } as Env),
    await fetchApi("/api/v1/session", { method: "POST" }),
  ],
  "GET /api/v1/page": async () => [
    await fetchApi("/api/v1/page"),
    await handle(new Request(`${SITE}/api/v1/page`), {
      ...env,
      PAGE_TITLE: "Handbook",
      PAGE_ACCENT: "#b83a0b",
      PAGE_GREETING: "Ask about the handbook.",
      PAGE_SIGN_IN_URL: "https://id.example/",
    } as Env),
    await handle(new Request(`${SITE}/api/v1/page`), { ...env, PAGE_ACCENT: "red" } as Env),
  ],
  "GET /api/v1/ai/examples": async () => [
    await (await newUser()).request("/ai/examples"),
    await (await newUser()).request("/ai/examples?collections=default"),
    await (await newUser()).request("/ai/examples?collections=hidden"),
    await fetchApi("/api/v1/ai/examples"),
  ],
  "POST /api/v1/ai/ask": async () => {
    const user = await newUser();
    const bodies = examples("POST /api/v1/ai/ask");
    const answers = [];
    for (const body of bodies) {
      answers.push(await user.post("/ai/ask", body));
      answers.push(await user.post("/ai/ask?stream=true", body));
    }
    const nothing = { query: "zorblaks of quimplestad" };
    const itself = { headers: { accept: "text/event-stream" } };
    for (let time = 0; time < 5; time += 1) {
      answers.push(await whole(user.post("/ai/ask?stream=true", nothing, itself)));
    }
    answers.push(
      await fetchApi("/api/v1/ai/ask", {
        method: "POST",
        headers: { ...PAGE, "cf-connecting-ip": "203.0.113.250" },
        body: JSON.stringify(bodies[0]),
      }),
    );
    const reader = { ...PAGE, "cf-connecting-ip": "203.0.113.251" };
    const failing = scripted({ fault: "cut", at: 1 });
    return [
      ...answers,
      await fetchApi("/api/v1/ai/ask", { method: "POST", headers: reader, body: "{}" }),
      await user.post("/ai/ask?stream=true", { query: failing }),
      await user.post("/ai/ask", { query: failing, topK: 3 }),
      ...(await refusals()),
    ];
  },
  "GET /api/v1/ai/quota": async () => [await (await newUser()).request("/ai/quota")],
  "GET /api/v1/ai/queries": async () => {
    const user = await newUser();
    const empty = await user.request("/ai/queries");
    await refunded(user);
    const id = await charged(user);
    return [
      empty,
      await user.request("/ai/queries?limit=1"),
      await user.request(`/ai/queries?before=${id}`),
      await user.request("/ai/queries?search=belay"),
      await user.request("/ai/queries?limit=0"),
      await user.request("/ai/queries?search="),
    ];
  },
  "GET /api/v1/ai/queries/:id": async () => {
    const user = await newUser();
    const live = await written(user);
    const all = [live, await charged(user), await refunded(user), "1-nothing"];
    return Promise.all(all.map((id) => user.request(`/ai/queries/${id}`)));
  },
  "DELETE /api/v1/ai/queries/:id": async () => {
    const user = await newUser();
    const live = await written(user);
    const id = await charged(user);
    const all = [id, id, live, "1-nothing"];
    return Promise.all(all.map((id) => user.request(`/ai/queries/${id}`, { method: "DELETE" })));
  },
  "GET /api/v1/ai/queries/:id/events": async () => {
    const user = await newUser();
    const id = await charged(user);
    return [
      await user.request(`/ai/queries/${id}/events`),
      await user.request(`/ai/queries/${id}/events?after=2`),
      await user.request(`/ai/queries/${id}/events?after=x`),
      await user.request(`/ai/queries/${await refunded(user)}/events?stream=true`),
      await user.request("/ai/queries/1-nothing/events"),
    ];
  },
  "POST /api/v1/ai/queries/:id/cancel": async () => {
    const user = await newUser();
    const id = await written(user);
    return [
      await user.post(`/ai/queries/${id}/cancel`),
      await user.post(`/ai/queries/${id}/cancel`),
      await user.post("/ai/queries/1-nothing/cancel"),
      await user.post(`/ai/queries/${id}/cancel`, {}, { headers: { "content-encoding": "gzip" } }),
    ];
  },
  "POST /api/v1/ai/feedback": async () => {
    const user = await newUser();
    const queryId = await charged(user);
    const rated = [];
    for (const example of examples("POST /api/v1/ai/feedback")) {
      rated.push(await user.post("/ai/feedback", { ...example, queryId }));
      rated.push(await user.post("/ai/feedback", example));
    }
    return rated;
  },
  "POST /v1/chat/completions": async () => {
    const route = "POST /v1/chat/completions";
    const user = await newUser();
    const ask = (body: unknown, headers: Record<string, string> = {}) =>
      openAi(user, "/chat/completions", { method: "POST", body: JSON.stringify(body), headers });
    const [body = {}, stream = {}] = examples(route);
    const itself = { accept: "text/event-stream" };
    const replays = [];
    for (let time = 0; time < 5; time += 1) replays.push(await whole(ask(stream, itself)));
    const failing = [{ role: "user", content: scripted({ fault: "cut", at: 1 }) }];
    return [
      await ask(body),
      ...replays,
      await ask({ ...stream, messages: failing }),
      await ask({ ...body, messages: failing }),
      await ask({ ...body, model: "other" }),
      await ask({ ...body, n: 2 }),
      await ask(body, { authorization: "Bearer x" }),
    ];
  },
  "POST /v1/responses": async () => {
    const user = await newUser();
    const ask = (body: unknown, headers: Record<string, string> = {}) =>
      openAi(user, "/responses", { method: "POST", body: JSON.stringify(body), headers });
    const [body = {}, stream = {}, background = {}] = examples("POST /v1/responses");
    const itself = { accept: "text/event-stream" };
    const replays = [];
    for (let time = 0; time < 5; time += 1) replays.push(await whole(ask(stream, itself)));
    const failing = scripted({ fault: "cut", at: 1 });
    return [
      await ask(body),
      await ask(background),
      ...replays,
      await ask({ ...stream, input: failing }),
      await ask({ ...body, input: failing }),
      await ask({ ...body, previous_response_id: "resp_1-nothing" }),
      await ask({ ...body, conversation: "conv_1" }),
      await ask(body, { authorization: "Bearer x" }),
    ];
  },
  "GET /v1/responses/:id": async () => {
    const user = await newUser();
    const get = (path: string) => openAi(user, `/responses/${path}`);
    const id = await charged(user);
    const failed = await refunded(user);
    return [
      await get(id),
      await get(`resp_${id}`),
      await get(await written(user)),
      await get(failed),
      await get(`${id}?stream=true`),
      await get(`${id}?stream=true&starting_after=4`),
      await get(`${id}?stream=true&starting_after=x`),
      await get(`${failed}?stream=true`),
      await get("resp_1-nothing"),
    ];
  },
  "POST /v1/responses/:id/cancel": async () => {
    const user = await newUser();
    const id = await written(user);
    const cancel = (of: string) => openAi(user, `/responses/${of}/cancel`, { method: "POST" });
    return [await cancel(id), await cancel(id), await cancel("resp_1-nothing")];
  },
  "POST /api/v1/ai/chat": async () => {
    const user = await newUser();
    const [body = {}] = examples("POST /api/v1/ai/chat");
    const says = (text: string) => ({
      ...body,
      messages: [{ role: "user", parts: [{ type: "text", text }] }],
    });
    const itself = { headers: { accept: "text/event-stream" } };
    const replays = [];
    for (let time = 0; time < 5; time += 1) {
      replays.push(await whole(user.post("/ai/chat", body, itself)));
    }
    const stopped = user.post("/ai/chat", says(scripted({ tokens: 9_000, gapMs: 50 })));
    await stopNewest(user);
    return [
      ...replays,
      await stopped,
      await user.post("/ai/chat", says(scripted({ fault: "cut", at: 1 }))),
      await user.post("/ai/chat", says("")),
      await fetchApi("/api/v1/ai/chat", { method: "POST", body: "{}" }),
    ];
  },
  "GET /api/v1/ai/chat/:id/stream": async () => {
    const user = await newUser();
    const [body = {}] = examples("POST /api/v1/ai/chat");
    const query = scripted({ tokens: 9_000, gapMs: 50 });
    const messages = [{ role: "user", parts: [{ type: "text", text: query }] }];
    await user.post("/ai/chat", { ...body, messages });
    const resumed = await user.request(`/ai/chat/${body.id}/stream`);
    await stopNewest(user);
    return [
      resumed,
      await user.request("/ai/chat/unknown/stream"),
      await fetchApi("/api/v1/ai/chat/unknown/stream"),
    ];
  },
  "POST /mcp": async () => {
    const user = await newUser();
    const send = (body: unknown, headers: Record<string, string> = {}) =>
      fetchApi("/mcp", {
        method: "POST",
        headers: {
          authorization: `Bearer ${user.token}`,
          accept: "application/json, text/event-stream",
          "content-type": "application/json",
          ...headers,
        },
        body: JSON.stringify(body),
      });
    const results = [];
    for (const example of examples("POST /mcp")) results.push(await send(example));
    return [
      ...results,
      await send({ jsonrpc: "2.0", method: "notifications/initialized" }),
      await sendModern(user, "tools/list"),
      await send({ jsonrpc: "2.0", id: 4, method: "nothing" }),
      await send({}, { accept: "application/json" }),
      await send({}, { "mcp-protocol-version": "1999-01-01" }),
      await send({}, { authorization: "" }),
      await send({}, { "content-type": "text/html" }),
    ];
  },
  "GET /.well-known/oauth-protected-resource": () => metadata(""),
  "GET /.well-known/oauth-protected-resource/mcp": () => metadata("/mcp"),
  "GET /v1/models": async () => [
    await openAi(await newUser(), "/models"),
    await fetchApi("/v1/models"),
  ],
  "GET /v1/models/:id": async () => {
    const user = await newUser();
    return [await openAi(user, "/models/belay%2Fdefault"), await openAi(user, "/models/other")];
  },
  "GET /api/v1/admin/users/:userId": async () => {
    const user = await newUser();
    await charged(user);
    await written(user);
    return [
      await asOperator(adminPath(user)),
      await asOperator("/admin/users/nobody-at-all"),
      await user.request(adminPath(user)),
    ];
  },
  "PATCH /api/v1/admin/users/:userId": async () => {
    const path = adminPath(await newUser());
    const change = (body: unknown) =>
      asOperator(path, { method: "PATCH", body: JSON.stringify(body) });
    const changed = [];
    for (const body of examples("PATCH /api/v1/admin/users/:userId")) {
      changed.push(await change(body));
    }
    return [...changed, await change({ limit: -1 })];
  },
  "DELETE /api/v1/admin/users/:userId": async () => {
    const user = await newUser();
    await charged(user);
    return [
      await asOperator(adminPath(user), { method: "DELETE" }),
      await asOperator(adminPath(user), { method: "DELETE" }),
    ];
  },
  "POST /api/v1/admin/users/:userId/queries/:id/refund": async () => {
    const user = await newUser();
    const path = `${adminPath(user)}/queries/${await charged(user)}/refund`;
    return [
      await asOperator(path, { method: "POST" }),
      await asOperator(`${adminPath(user)}/queries/1-nothing/refund`, { method: "POST" }),
    ];
  },
  "GET /api/v1/admin/users/:userId/export": async () => {
    const user = await newUser();
    await charged(user);
    await refunded(user);
    return [
      await asOperator(`${adminPath(user)}/export`),
      await asOperator("/admin/users/nobody-at-all/export"),
    ];
  },
  "GET /api/v1/admin/users": async () => {
    await reportedUser();
    return [
      await asOperator("/admin/users"),
      await asOperator("/admin/users?sort=asked&search=user&since=2026-11-22&limit=1"),
      await asOperator("/admin/users?sort=size"),
      await asOperator("/admin/users?after=x"),
      await (await newUser()).request("/admin/users"),
    ];
  },
  "POST /api/v1/admin/users/limits": async () => {
    const [file] = examples("POST /api/v1/admin/users/limits") as unknown as string[];
    const send = (body = "", type = "text/csv") => sendFile("/admin/users/limits", body, type);
    return [
      await send(file),
      await send("user,limit\nalice,-1\n"),
      await send("name\nalice\n"),
      await send(file, "application/json"),
    ];
  },
  "GET /api/v1/admin/queries": async () => {
    await reportedUser();
    return [
      await asOperator("/admin/queries"),
      await asOperator("/admin/queries?found=false&collection=default"),
      await asOperator("/admin/queries?reason=unknown"),
      await asOperator("/admin/queries?before=x"),
    ];
  },
  "GET /api/v1/admin/feedback": async () => {
    await reportedUser();
    return [await asOperator("/admin/feedback"), await asOperator("/admin/feedback?since=x")];
  },
  "GET /api/v1/admin/totals": async () => {
    await reportedUser();
    return [
      await asOperator("/admin/totals?since=2026-01-01&until=2126-01-01"),
      await asOperator("/admin/totals?since=yesterday"),
    ];
  },
  "GET /api/v1/admin/report": async () => {
    await reportedUser();
    return [
      await asOperator("/admin/report"),
      await asOperator("/admin/report?since=2026-01-01&until=2126-01-01&limit=1"),
      await asOperator("/admin/report?until=tomorrow"),
      await asOperator("/admin/report?limit=0"),
    ];
  },
  "GET /api/v1/admin/log": async () => {
    const user = await newUser();
    const body = JSON.stringify({ limit: 3 });
    await asOperator(adminPath(user), { method: "PATCH", body });
    await charged(user);
    await asOperator(adminPath(user), { method: "DELETE" });
    await putDocument(DOCUMENT);
    return [
      await asOperator("/admin/log"),
      await asOperator("/admin/log?limit=1"),
      await asOperator("/admin/log?before=x"),
    ];
  },
  "GET /api/v1/admin/budget": async () => [
    await budgetResponse("GET"),
    // No limit is set, or there is no binding.
    await asOperator("/admin/budget"),
    await budgetResponse("GET", undefined, { BUDGET: undefined }),
    await (await newUser()).request("/admin/budget"),
  ],
  "PATCH /api/v1/admin/budget": async () => [
    ...(await Promise.all(
      examples("PATCH /api/v1/admin/budget").map((body) => budgetResponse("PATCH", body)),
    )),
    await budgetResponse("PATCH", { limit: -1 }),
    await asOperator("/admin/budget", { method: "PATCH", body: "{}" }),
  ],
  "GET /api/v1/admin/export": async () => {
    await putDocument(DOCUMENT);
    return [await asOperator("/admin/export"), await (await newUser()).request("/admin/export")];
  },
  "POST /api/v1/admin/import": async () => {
    const [file = ""] = examples("POST /api/v1/admin/import") as unknown as string[];
    const send = (path: string, body: string, type = "application/x-ndjson") =>
      sendFile(`/admin/import${path}`, body, type);
    return [
      await send("", file),
      await send("?from=2", file),
      await send("", "{}\n[]\n"),
      await send("?from=0", file),
      await send("", file, "application/json"),
    ];
  },
  "PUT /api/v1/admin/documents/:id": () => puts(DOCUMENT),
  "GET /api/v1/admin/documents": () => lists(DOCUMENT),
  "GET /api/v1/admin/documents/:id": () => gets(DOCUMENT),
  "DELETE /api/v1/admin/documents/:id": () => deletes(DOCUMENT),
  "POST /api/v1/admin/documents/:id/move": () => moves(DOCUMENT),
  "PUT /api/v1/admin/collections/:collection/documents/:id": () => puts(IN_COLLECTION),
  "GET /api/v1/admin/collections/:collection/documents": () => lists(IN_COLLECTION),
  "GET /api/v1/admin/collections/:collection/documents/:id": () => gets(IN_COLLECTION),
  "DELETE /api/v1/admin/collections/:collection/documents/:id": () => deletes(IN_COLLECTION),
  "POST /api/v1/admin/collections/:collection/documents/:id/move": () => moves(IN_COLLECTION),
  "GET /api/v1/admin/collections": async () => {
    await putDocument(IN_COLLECTION);
    return [
      await asOperator("/admin/collections"),
      await asOperator("/admin/collections?limit=1"),
      await asOperator("/admin/collections?limit=0"),
    ];
  },
  "PATCH /api/v1/admin/collections/:collection": async () => {
    await putDocument(IN_COLLECTION);
    const [body] = examples("PATCH /api/v1/admin/collections/:collection");
    const rename = (sent: unknown) =>
      asOperator(COLLECTION, { method: "PATCH", body: JSON.stringify(sent) });
    return [await rename({ name: "Described" }), await rename(body), await rename(body)];
  },
  "DELETE /api/v1/admin/collections/:collection": async () => {
    await putDocument(IN_COLLECTION);
    return [
      await asOperator(COLLECTION, { method: "DELETE" }),
      await asOperator(COLLECTION, { method: "DELETE" }),
    ];
  },
};

/** A user with queries of each kind, which the directory has heard of. */
async function reportedUser(): Promise<void> {
  const user = await newUser();
  const queryId = await charged(user);
  await refunded(user);
  await (await user.post("/ai/ask", { query: "zorblaks of quimplestad" })).text();
  await user.post("/ai/feedback", { queryId, rating: "down", comment: "Too short." });
  await runInDurableObject(user.stub, (object) => object.alarm());
}

async function sendFile(path: string, body: string, type: string): Promise<Response> {
  const operator = await bearer({ sub: "ops", scope: "operator" });
  const headers = { authorization: `Bearer ${operator}`, "content-type": type };
  return fetchApi(`/api/v1${path}`, { method: "POST", headers, body });
}

async function puts(document: string): Promise<Response[]> {
  const [body] = examples("PUT /api/v1/admin/documents/:id");
  const put = (sent: unknown) =>
    asOperator(document, { method: "PUT", body: JSON.stringify(sent) });
  await asOperator(document, { method: "DELETE" });
  return [
    await put(body),
    await put(body),
    await put({ ...body, url: null }),
    await put({ ...body, text: "x".repeat(1024 * 1024 + 1) }),
    await asOperator(document, { method: "PUT", body: "{}", headers: {} }),
  ];
}

async function lists(document: string): Promise<Response[]> {
  await putDocument(document);
  const path = document.replace(/\/[^/]+$/, "");
  return [
    await asOperator(path),
    await asOperator(`${path}?limit=1`),
    await asOperator(`${path}?search=When are you open?`),
    await asOperator(`${path}?search=`),
  ];
}

async function gets(document: string): Promise<Response[]> {
  await putDocument(document);
  return [await asOperator(document), await asOperator(`${document}-not`)];
}

async function deletes(document: string): Promise<Response[]> {
  await putDocument(document);
  return [
    await asOperator(document, { method: "DELETE" }),
    await asOperator(document, { method: "DELETE" }),
  ];
}

async function moves(document: string): Promise<Response[]> {
  await putDocument(document);
  const [body] = examples("POST /api/v1/admin/documents/:id/move");
  const move = (sent: unknown) =>
    asOperator(`${document}/move`, { method: "POST", body: JSON.stringify(sent) });
  return [await move({ to: "No name" }), await move(body), await move(body)];
}

function openAi({ token }: TestUser, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, ...(init.headers as object) };
  return fetchApi(`/v1${path}`, { ...init, headers });
}

/** With an issuer of bearer tokens, and without. */
async function metadata(of: string): Promise<Response[]> {
  const path = `/.well-known/oauth-protected-resource${of}`;
  const withIssuer = { ...env, AUTH_ISSUER: "https://login.example" } as Env;
  const request = new Request(`https://belay.test${path}`);
  return [await handle(request, withIssuer), await fetchApi(path)];
}

async function putDocument(document: string): Promise<void> {
  const [body] = examples("PUT /api/v1/admin/documents/:id");
  await asOperator(document, { method: "PUT", body: JSON.stringify(body) });
}

/** Asks that are refused, each for another reason. */
async function refusals(): Promise<Response[]> {
  const user = await newUser();
  const query = { query: "What is refused?" };
  const ask = (body: unknown = query, init: RequestInit = {}) =>
    user.post("/ai/ask?stream=true", body, init);
  const blocked = await newUser();
  const blocking = JSON.stringify({ blocked: true, limit: 0 });
  await asOperator(adminPath(blocked), { method: "PATCH", body: blocking });
  const poor = await newUser({ QUOTA_LIMIT: "0" });
  const busy = await newUser({ CONCURRENCY_LIMIT: "1" });
  await written(busy);
  const key = { headers: { "idempotency-key": "the same" } };
  await (await ask(query, key)).text();
  const stopped = user.askForJson({ tokens: 9_000, gapMs: 50 });
  await stopNewest(user);
  return [
    await user.post("/ai/ask", { query: "" }),
    await ask({ query: "x", unknown: 1 }),
    await ask(query, { headers: { "idempotency-key": "" } }),
    await ask({ query: "Another?" }, key),
    await fetchApi("/api/v1/ai/ask", { method: "POST", body: "{}" }),
    await fetchApi("/api/v1/ai/ask?stream=true", { method: "POST", body: "{}" }),
    await blocked.post("/ai/ask", query),
    await poor.post("/ai/ask", query),
    await poor.post("/ai/ask?stream=true", query),
    await busy.post("/ai/ask", query),
    await ask({ query: "x".repeat(70_000) }),
    await ask(query, { headers: { "content-type": "text/html" } }),
    await stopped,
  ];
}

async function stopNewest(user: TestUser): Promise<void> {
  for (;;) {
    const [newest] = await user.receipts();
    if (newest?.state === "reserved") {
      await user.post(`/ai/queries/${newest.queryId}/cancel`);
      return;
    }
    await scheduler.wait(5);
  }
}

describe("the responses of", () => {
  it.each(routes.map(([method, path]) => `${method} ${path}`))(
    "%s are as they are described",
    async (route) => {
      const responses = (await CALLS[route]?.()) ?? [];
      const seen = new Set<string>();
      const faults = [];
      for (const response of responses) {
        const [type = ""] = (response.headers.get("content-type") ?? "").split(";");
        seen.add(`${response.status} ${type}`.trim());
        faults.push(...(await conforming.faultsOf(route, response)));
      }
      expect(faults).toEqual([]);
      // Each described success was among them.
      expect([...seen]).toEqual(expect.arrayContaining(conforming.successesOf(route)));
    },
  );
});
