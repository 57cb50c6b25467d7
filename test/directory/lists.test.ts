// The operators' lists over HTTP: filters, orders, pages, and who may read them.

import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { NOTHING_FOUND } from "../../src/answer/nothing-found.ts";
import { handle, routes } from "../../src/edge/edge.ts";
import { signedEmbedToken } from "../../src/edge/embed-token.ts";
import type { ShownQuery, ShownUser } from "../../src/shown.ts";
import type { Env } from "../../src/wiring.ts";
import {
  adminPath,
  asOperator,
  bearer,
  fetchApi,
  newUser,
  scripted,
  TestUser,
} from "../harness.ts";
import { answered, failed, patched, reported, TestDirectory } from "./reporting.ts";

vi.setConfig({ testTimeout: 60_000 });

const PAGE = { origin: "https://belay.test", "sec-fetch-site": "same-origin" };

/** Three users: b has asked most, c has failed most. */
async function threeUsers(directory: TestDirectory) {
  const named = (name: string) =>
    directory.newUser({ FAILURE_LIMIT: "100" }, `${name} ${crypto.randomUUID()}`);
  const [a, b, c] = [await named("Ann"), await named("bob"), await named("Cy %_'\"")];
  await answered(a);
  for (let ask = 0; ask < 3; ask += 1) await answered(b);
  await failed(b);
  for (let ask = 0; ask < 2; ask += 1) await failed(c);
  for (const user of [a, b, c]) await reported(user);
  return { a, b, c };
}

describe("the list of users", () => {
  it("is in the order that is asked for, page by page", async () => {
    const directory = new TestDirectory();
    const { a, b, c } = await threeUsers(directory);
    const order = async (sort: string) => {
      const names: string[] = [];
      let after: string | null = "";
      while (after !== null) {
        const next: string = after === "" ? "" : `&after=${after}`;
        const page: { users: ShownUser[]; after: string | null } = await directory.get(
          `/users?limit=1&sort=${sort}${next}`,
        );
        names.push(...page.users.map(({ user }) => user));
        after = page.after;
      }
      return names;
    };
    expect(await order("asked")).toEqual([b, c, a].map(({ name }) => name));
    expect(await order("failed")).toEqual([c, b, a].map(({ name }) => name));
    expect(await order("charged")).toEqual([b, a, c].map(({ name }) => name));
    expect(await order("refunded")).toEqual([c, b, a].map(({ name }) => name));
    expect(await order("tokens")).toEqual([b, a, c].map(({ name }) => name));
    expect(await order("lastSeen")).toEqual([c, b, a].map(({ name }) => name));
    expect(await order("name")).toEqual([a, c, b].map(({ name }) => name));
  });

  it("is searched by a part of the name, in any case, with no wildcards", async () => {
    const directory = new TestDirectory();
    const { a, b, c } = await threeUsers(directory);
    const found = async (search: string) =>
      (await directory.users(`&sort=name&search=${encodeURIComponent(search)}`)).map(
        ({ user }) => user,
      );
    expect(await found("aNN")).toEqual([a.name]);
    expect(await found("%_'\"")).toEqual([c.name]);
    expect(await found("%")).toEqual([c.name]);
    expect(await found(b.name)).toEqual([b.name]);
    expect(await found("nobody")).toEqual([]);
    expect(await found("")).toHaveLength(3);
  });

  it("counts only what was asked since a day", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2030-05-16T12:00:00Z") });
    await answered(user);
    await answered(user);
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2030-05-18T12:00:00Z") });
    await answered(user);
    await reported(user);
    vi.useRealTimers();
    const since = async (day: string) =>
      (await directory.users(`&sort=asked&since=${day}`)).map(({ asked }) => asked);
    expect(await since("2030-05-16")).toEqual([3]);
    expect(await since("2030-05-17")).toEqual([1]);
    expect(await since("2030-05-19")).toEqual([]);
  });
});

describe("the list of queries", () => {
  it("is filtered, newest first, and read page by page", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    const other = await directory.newUser();
    const ids: string[] = [];
    for (let ask = 0; ask < 3; ask += 1) ids.push(await answered(user));
    ids.push(await failed(user));
    const nothing = await user.askForJson({ tokens: [NOTHING_FOUND, " Nothing."] });
    ids.push((await nothing.json<{ queryId: string }>()).queryId);
    const [first = "", second = ""] = ids;
    await user.post("/ai/feedback", { queryId: first, rating: "up" });
    await user.post("/ai/feedback", { queryId: second, rating: "down", comment: "No." });
    const theirs = await answered(other);
    await reported(other);
    await reported(user);
    const found = async (parameters: string) =>
      (await directory.queries(parameters)).map(({ queryId }) => queryId);
    expect(await found("")).toEqual([...ids, theirs].toReversed());
    expect(await found("&found=false")).toEqual([ids[4]]);
    expect(await found("&found=true")).toEqual([theirs, ids[2], second, first]);
    expect(await found("&rating=down")).toEqual([second]);
    expect(await found("&rating=any")).toEqual([second, first]);
    expect(await found("&reason=failed")).toEqual([ids[3]]);
    expect(await found("&reason=nothing_found&found=false")).toEqual([ids[4]]);
    expect(await found(`&user=${encodeURIComponent(other.name)}`)).toEqual([theirs]);
    expect(await found("&user=nobody")).toEqual([]);
    expect(await found("&collection=default")).toHaveLength(6);
    expect(await found("&collection=handbook")).toEqual([]);
    expect(await found("&since=2126-01-01")).toEqual([]);
    expect(await found("&until=2026-01-01")).toEqual([]);
    expect(await found("&since=2026-01-01T00:00:00Z&until=2126-01-01")).toHaveLength(6);
    const pages: string[][] = [];
    let before: string | null = "";
    while (before !== null) {
      const next: string = before === "" ? "" : `&before=${before}`;
      const page: { queries: ShownQuery[]; before: string | null } = await directory.get(
        `/queries?limit=4${next}`,
      );
      pages.push(page.queries.map(({ queryId }) => queryId));
      before = page.before;
    }
    expect(pages.map(({ length }) => length)).toEqual([4, 2]);
    expect(pages.flat()).toEqual([...ids, theirs].toReversed());
    const { queries } = await directory.get<{ queries: ShownQuery[] }>("/feedback?rating=down");
    expect(queries).toMatchObject([{ queryId: second, rating: "down", comment: "No." }]);
    expect((await directory.get<{ queries: unknown[] }>("/feedback")).queries).toHaveLength(2);
  });

  it("says which collections were searched, and from which a document is", async () => {
    const put = await asOperator("/admin/collections/handbook/documents/ponds", {
      method: "PUT",
      body: JSON.stringify({ title: "Ponds", text: "The pond of the handbook is deep." }),
    });
    expect(put.status).toBe(201);
    const directory = new TestDirectory();
    const { name } = await directory.newUser({ GENERATOR: "extractive" });
    const collections = ["default", "handbook"];
    const user = new TestUser(name, await bearer({ sub: name, collections }));
    const query = "How deep is the pond of the handbook?";
    await (await user.post("/ai/ask", { query, collections: ["handbook"] })).text();
    await (await user.post("/ai/ask", { query: "Default?" })).text();
    await reported(user);
    const found = async (collection: string) =>
      (await directory.queries(`&collection=${collection}`)).map(({ question }) => question);
    expect(await found("handbook")).toEqual(["Default?", query]);
    expect(await found("default")).toEqual(["Default?"]);
    const shown = await directory.queries();
    expect(shown.at(-1)).toMatchObject({
      collections: ["handbook"],
      documents: ["handbook/ponds"],
    });
  });

  it("has the best passages of a question without an answer, and the documents of others", async () => {
    const put = (id: string, text: string) =>
      asOperator(`/admin/documents/${id}`, {
        method: "PUT",
        body: JSON.stringify({ title: id, text }),
      });
    await put("ponds", "The pond is cleaned in October.");
    const directory = new TestDirectory();
    const user = await directory.newUser({ GENERATOR: "extractive" });
    await (await user.post("/ai/ask", { query: "When is the pond cleaned?" })).text();
    await reported(user);
    expect(await directory.queries()).toMatchObject([
      { found: true, cited: 1, documents: ["ponds"], closest: [], score: expect.any(Number) },
    ]);
    const marked = await directory.newUser();
    const query = scripted({ tokens: [NOTHING_FOUND, " Nothing."] }, "The pond in March?");
    await (await marked.post("/ai/ask", { query })).text();
    await reported(marked);
    const [shown] = await directory.queries(`&user=${encodeURIComponent(marked.name)}`);
    expect(shown).toMatchObject({ found: false, cited: 0, documents: [] });
    expect(shown?.closest[0]).toMatchObject({ documentId: "ponds" });
  });
});

it("is empty before the first report", async () => {
  const directory = new TestDirectory();
  expect(await directory.get("/users")).toEqual({ users: [], after: null });
  expect(await directory.get("/queries")).toEqual({ queries: [], before: null });
  expect(await directory.get("/feedback")).toEqual({ queries: [], before: null });
  expect(await directory.get("/totals")).toMatchObject({ days: [] });
  expect(await directory.get("/log")).toEqual({ entries: [], before: null });
});

it.each([
  "/users?sort=size",
  "/users?limit=0",
  "/users?after=%00",
  "/users?since=2026-13-45",
  "/queries?found=maybe",
  "/queries?rating=sideways",
  "/queries?reason=why",
  "/queries?since=yesterday",
  "/queries?before=-1",
  "/totals?since=x",
  "/log?before=x",
])("%s is refused with the name of the parameter", async (path) => {
  const response = await new TestDirectory().response(path);
  expect(response.status).toBe(400);
  const { message } = await response.json<{ message: string }>();
  expect(message).toContain(`"${/\?(\w+)=/.exec(path)?.[1]}"`);
});

describe("readers at an address without a bearer token", () => {
  it("are listed under one name, which an operator can look up and block", async () => {
    const headers = { ...PAGE, "cf-connecting-ip": "203.0.113.77" };
    const ask = () =>
      fetchApi("/api/v1/ai/ask", {
        method: "POST",
        headers,
        body: JSON.stringify({ query: `Who am I? ${crypto.randomUUID()}` }),
      });
    const before = await listDurableObjectIds(env.USERS);
    const response = await ask();
    expect(response.status).toBe(200);
    await response.text();
    const known = new Set(before.map(String));
    const ids = (await listDurableObjectIds(env.USERS)).filter((id) => !known.has(String(id)));
    const report = async () => {
      for (const id of ids) {
        await runInDurableObject(env.USERS.get(id), (object) => object.alarm());
      }
    };
    await report();
    const { users } = await list("/admin/users?search=anonymous:");
    expect(users).toMatchObject([{ asked: 1, blocked: false, limit: 20 }]);
    const user = users[0]?.user ?? "";
    const path = `/admin/users/${encodeURIComponent(user)}`;
    const blocking = await asOperator(path, { method: "PATCH", body: '{"blocked":true}' });
    expect(blocking.status).toBe(200);
    expect((await ask()).status).toBe(403);
    await report();
    expect((await list(`/admin/users?search=${encodeURIComponent(user)}`)).users).toMatchObject([
      { user, blocked: true },
    ]);
  });
});

describe("the limit of a bearer token", () => {
  it("holds above QUOTA_LIMIT and below an operator's, and follows the token", async () => {
    const directory = new TestDirectory();
    const base = await directory.newUser({ QUOTA_LIMIT: "5" });
    const withLimit = async (limit: unknown) =>
      new TestUser(base.name, await bearer({ sub: base.name, limit }));
    const two = await withLimit(2);
    expect(await two.quota()).toMatchObject({ limit: 2, remaining: 2 });
    await answered(two);
    await answered(two);
    const refused = await two.post("/ai/ask", { query: "A third?" });
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: "QUOTA_EXCEEDED" });
    // Operators see it, in the object and in the list.
    await reported(base);
    expect(await (await asOperator(adminPath(base))).json()).toMatchObject({ limit: 2 });
    expect(await directory.user(base)).toMatchObject({ limit: 2 });
    // A token without one: QUOTA_LIMIT.
    expect(await base.quota()).toMatchObject({ limit: 5, remaining: 3 });
    await reported(base);
    expect(await directory.user(base)).toMatchObject({ limit: 20 });
    // An operator's own setting holds instead.
    await patched(base, { limit: 3 });
    expect(await (await withLimit(100)).quota()).toMatchObject({ limit: 3, remaining: 1 });
    await patched(base, { limit: null });
    expect(await (await withLimit(100)).quota()).toMatchObject({ limit: 100 });
    expect(await (await withLimit(0)).quota()).toMatchObject({ limit: 0, remaining: 0 });
    expect(await (await withLimit(null)).quota()).toMatchObject({ limit: 5 });
  });

  it.each([-1, 1.5, "100", 1e12, [5], true])("is refused if it is %j", async (limit) => {
    const { name } = await newUser();
    const user = new TestUser(name, await bearer({ sub: name, limit }));
    const response = await user.request("/ai/quota");
    expect(response.status).toBe(401);
    expect((await response.json<{ message: string }>()).message).toContain("limit");
  });
});

describe("a file of limits", () => {
  async function send(body: string, type = "text/csv; charset=utf-8") {
    const operator = await bearer({ sub: "ops", scope: "operator" });
    const headers = { authorization: `Bearer ${operator}`, "content-type": type };
    const response = await fetchApi("/api/v1/admin/users/limits", {
      method: "POST",
      headers,
      body,
    });
    return { status: response.status, body: await response.json<Record<string, unknown>>() };
  }

  it("changes each user of its lines, quoted names and empty fields included", async () => {
    const names = [`a,${crypto.randomUUID()}`, `"b" ${crypto.randomUUID()}`, crypto.randomUUID()];
    const users = await Promise.all(names.map((name) => newUser({}, name)));
    const quoted = names.map((name) => `"${name.replaceAll('"', '""')}"`);
    const file = [
      "\ufeffuser,limit,blocked",
      `${quoted[0]},7,`,
      `${quoted[1]},,true`,
      `${quoted[2]}, 9 ,false`,
      "",
    ].join("\r\n");
    expect(await send(file)).toEqual({ status: 200, body: { changed: 3, refused: [] } });
    const shown = await Promise.all(
      users.map(async (user) => (await asOperator(adminPath(user))).json()),
    );
    expect(shown).toMatchObject([
      { user: names[0], limit: 7, blocked: false },
      { user: names[1], limit: 20, blocked: true },
      { user: names[2], limit: 9, blocked: false },
    ]);
    await send(`user,limit\n${quoted[0]},null\n`);
    expect(await (await asOperator(adminPath(users[0] as TestUser))).json()).toMatchObject({
      limit: 20,
    });
    const log = await (await asOperator("/admin/log?limit=1")).json();
    expect(log).toMatchObject({
      entries: [{ action: "POST /admin/users/limits", change: { changed: 1, refused: 0 } }],
    });
  });

  it("is noted in the operators' log if the operator's token expires on the way", async () => {
    const user = await newUser();
    // It is accepted for one to two seconds more.
    const exp = Math.floor(Date.now() / 1000) - 3;
    const sub = `ops ${crypto.randomUUID()}`;
    const operator = await bearer({ sub, scope: "operator", exp });
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(encoder.encode("user,limit\n"));
        await scheduler.wait(2_500);
        controller.enqueue(encoder.encode(`${user.name},5\n`));
        controller.close();
      },
    });
    const headers = { authorization: `Bearer ${operator}`, "content-type": "text/csv" };
    const init = { method: "POST", headers, body };
    const response = await fetchApi("/api/v1/admin/users/limits", init);
    expect([response.status, await response.json()]).toEqual([200, { changed: 1, refused: [] }]);
    expect(await (await asOperator("/admin/log?limit=1")).json()).toMatchObject({
      entries: [{ operator: sub, change: { changed: 1, refused: 0 } }],
    });
  });

  it("counts empty lines and lines inside quotes when it names a line", async () => {
    const user = await newUser();
    const quoted = `"two\nlines ${crypto.randomUUID()}"`;
    const file = `user,limit\r\n\r\n${user.name},4\r\n${quoted},1\n\n.,3\n`;
    expect(await send(file)).toMatchObject({
      body: { refused: [{ line: 4 }, { line: 7, user: "." }] },
    });
    expect(await send(`\n\nuser,limit\n\n${user.name}\n`)).toMatchObject({
      status: 400,
      body: { message: "Line 5 must have 2 fields. Nothing was changed." },
    });
    expect(await send(`user,limit\n\n${user.name},4\n"a"b,1\n`)).toMatchObject({
      status: 400,
      body: { message: "Line 4 has a quote in the wrong place." },
    });
  });

  it("applies several lines of one user in their order", async () => {
    const users = await Promise.all(Array.from({ length: 3 }, () => newUser()));
    const lines = [1, 2, 3, 4].flatMap((limit) => users.map(({ name }) => `${name},${limit}`));
    const { body } = await send(`user,limit\n${lines.join("\n")}`);
    expect(body).toEqual({ changed: 12, refused: [] });
    const shown = users.map(async (user) => (await asOperator(adminPath(user))).json());
    expect(await Promise.all(shown)).toMatchObject(users.map(() => ({ limit: 4 })));
  });

  it("says which lines were refused, and changes the others", async () => {
    const user = await newUser();
    const file = `user,limit\n.,3\n${user.name},4\nsome one,-1\nsome two,x\n`;
    const { status, body } = await send(file);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      changed: 1,
      refused: [{ line: 2, user: "." }, { line: 4, user: "some one" }, { line: 5 }],
    });
    expect(await (await asOperator(adminPath(user))).json()).toMatchObject({ limit: 4 });
    expect((await asOperator("/admin/users/some%20one")).status).toBe(404);
  });

  it.each([
    ["", 400],
    ["user,limit,limit\nalice,3,4\n", 400],
    ["limit\n3\n", 400],
    ["user\nalice\n", 400],
    ["user,limit,size\nalice,3,4\n", 400],
    ["user,limit\nalice\n", 400],
    ['user,limit\n"alice,3\n', 400],
    [`user,limit\n${"alice,3\n".repeat(501)}`, 400],
    [`user,limit\n${"x".repeat(600_000)},3\n`, 413],
  ])("that is wrong is refused with its status: file %#", async (file, status) => {
    expect((await send(file)).status).toBe(status);
  });

  it("is refused as another type", async () => {
    expect((await send("user,limit\nalice,3\n", "application/json")).status).toBe(415);
  });
});

describe("an export of a user", () => {
  it("has the user, the windows and every receipt, a line each", async () => {
    const user = await newUser();
    const ids = [await answered(user), await failed(user)];
    await user.rows(`
      WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 160)
      INSERT INTO queries (number, id, state, window, asked_at, resolved_at, on_disconnect, query)
      SELECT i, i, 'charged', window, asked_at, asked_at, 'cancel', 'Why?' FROM n, queries
      WHERE number = 1`);
    const response = await asOperator(`${adminPath(user)}/export`);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = (await response.text()).trimEnd().split("\n");
    const [first, ...receipts] = lines.map((line) => JSON.parse(line));
    expect(first).toMatchObject({ user: user.name, limit: 20, blocked: false });
    expect(first.windows).toMatchObject([{ charged: 1, refunded: 1 }]);
    expect(receipts).toHaveLength(160);
    expect(receipts.slice(0, 2).map(({ queryId }) => queryId)).toEqual(ids);
    expect(receipts[0]).toEqual(await user.receipt(ids[0] ?? ""));
  });

  it("has no question and no answer with SHARE_QUERIES=false", async () => {
    const user = await newUser({ SHARE_QUERIES: "false" });
    await answered(user, "What is canarybird?");
    const text = await (await asOperator(`${adminPath(user)}/export`)).text();
    expect(text).toContain('"state":"charged"');
    expect(text).not.toContain("canarybird");
  });

  it("of an unknown user is 404, and creates none", async () => {
    const user = await newUser();
    expect((await asOperator(`${adminPath(user)}/export`)).status).toBe(404);
    expect((await asOperator(adminPath(user))).status).toBe(404);
  });
});

describe("every route of operators", () => {
  let cookie = "";
  let page = "";
  beforeAll(async () => {
    const session = await fetchApi("/api/v1/session", { method: "POST", headers: PAGE });
    cookie = session.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(cookie).not.toBe("");
    const embed = { identity: "reader", origin: PAGE.origin, address: "hash" };
    const secret = new TextEncoder().encode(env.AUTH_SECRET);
    page = (await signedEmbedToken(embed, secret)).token;
  });
  const admin = routes.filter(([, path]) => path.startsWith("/api/v1/admin/"));
  it.each(admin.map(([method, path]) => [method, path] as const))(
    "%s %s is 403 for users, and 401 for a cookie, a page's token and no token",
    async (method, path) => {
      const place = path.replaceAll(/:\w+/g, "x");
      const { token } = await newUser();
      const body = method === "GET" ? {} : { body: "{}" };
      const send = (headers: Record<string, string>) =>
        fetchApi(place, {
          method,
          headers: { "content-type": "application/json", ...headers },
          ...body,
        });
      expect((await send({ authorization: `Bearer ${token}` })).status).toBe(403);
      expect((await send({ ...PAGE, cookie })).status).toBe(401);
      expect((await send({ authorization: `Bearer ${page}` })).status).toBe(401);
      expect((await send({})).status).toBe(401);
    },
  );
});

it("is UNAVAILABLE where there is no binding, and says what to declare", async () => {
  const authorization = `Bearer ${await bearer({ sub: "ops", scope: "operator" })}`;
  const request = new Request("https://belay.test/api/v1/admin/users", {
    headers: { authorization },
  });
  const response = await handle(request, { ...env, DIRECTORY: undefined } as unknown as Env);
  expect(response.status).toBe(503);
  expect((await response.json<{ message: string }>()).message).toContain("DIRECTORY");
});

async function list(path: string): Promise<{ users: ShownUser[] }> {
  return (await asOperator(path)).json();
}
