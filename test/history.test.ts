// A user's history: finding a query by its words, and deleting what was said in
// it. Its account stays: what it cost, and the audit.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Receipt } from "../src/protocol.ts";
import { IDENTITY_HEADER, USER_HEADER } from "../src/user/user-request.ts";
import {
  adminPath,
  asOperator,
  audit,
  fetchApi,
  modelRequests,
  newUser,
  scripted,
  type TestUser,
} from "./harness.ts";
import type { Directive } from "./support/directive.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

afterEach(() => {
  vi.useRealTimers();
});

interface Page {
  readonly queries: readonly Receipt[];
  readonly before: string | null;
}

/** Asks, and returns the id once the query is charged or refunded. */
async function asked(
  user: TestUser,
  query: string | Directive,
  headers: Record<string, string> = {},
): Promise<string> {
  const stream = await user.ask(query, {}, headers);
  await stream.all();
  await user.resolved(stream.queryId);
  return stream.queryId;
}

function pageOf(user: TestUser, search: string, more = ""): Promise<Page> {
  return user.get(`/ai/queries?search=${encodeURIComponent(search)}${more}`);
}

/** The ids of all pages. */
async function foundBy(user: TestUser, search: string, more = ""): Promise<string[]> {
  const found: string[] = [];
  for (let before: string | null = ""; before !== null; ) {
    const rest: string = before === "" ? more : `${more}&before=${before}`;
    const page = await pageOf(user, search, rest);
    found.push(...page.queries.map(({ queryId }) => queryId));
    before = page.before;
  }
  return found;
}

/** Charged rows of the log, written behind the object's back: asks take long. */
async function write(
  user: TestUser,
  rows: readonly { query: string; answer?: string; identity?: string }[],
): Promise<void> {
  await user.quota();
  await runInDurableObject(user.stub, (_object, { storage }) =>
    storage.transactionSync(() => {
      for (const { query, answer = "Yes.", identity = null } of rows) {
        storage.sql.exec(
          `INSERT INTO queries (number, id, state, window, asked_at, resolved_at, on_disconnect,
             identity, query, answer, sources, token_lengths)
           SELECT n, n || '-x', 'charged', 'total', 0, 0, 'cancel', ?, ?, ?, '[]', '[1]'
           FROM (SELECT coalesce(max(number), 0) + 1 AS n FROM queries)`,
          ...[identity, query, answer],
        );
      }
    }),
  );
}

function remove(user: TestUser, queryId: string): Promise<Response> {
  return user.request(`/ai/queries/${queryId}`, { method: "DELETE" });
}

/** A request of one of the readers who share an object. */
function as(user: TestUser, identity: string, method: string, path: string, body?: unknown) {
  return user.stub.fetch(`https://object/api/v1${path}`, {
    method,
    headers: {
      [USER_HEADER]: user.name,
      [IDENTITY_HEADER]: identity,
      "content-type": "application/json",
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

describe("a search", () => {
  it("finds a user's own queries by question and answer, newest first", async () => {
    const user = await newUser();
    const first = await asked(user, { tokens: 12 });
    const second = await asked(user, scripted({ tokens: 3 }, "Wann fährt das Schiff?"));
    const third = await asked(user, scripted({ fault: "cut", at: 1 }, "Ship, again?"));
    const other = await newUser();
    await asked(other, scripted({ tokens: 12 }, "Wann fährt das Schiff?"));
    expect(await foundBy(user, "w2")).toEqual([second, first]);
    expect(await foundBy(user, "w11")).toEqual([first]);
    expect(await foundBy(user, "SCHIFF w2 fahrt")).toEqual([second]);
    expect(await foundBy(user, "ship")).toEqual([third]);
    expect(await foundBy(user, "schiff w11")).toEqual([]);
    expect(await foundBy(await newUser(), "schiff")).toEqual([]);
    expect(await pageOf(user, "schiff")).toMatchObject({
      queries: [{ queryId: second, state: "charged", answer: "w0 w1 w2 " }],
      before: null,
    });
  });

  it("takes signs for what they are", async () => {
    const user = await newUser();
    await write(user, [{ query: "100 %" }, { query: "a_b" }, { query: "1000" }, { query: "acb" }]);
    for (const [search, number] of [
      ["100 %", 1],
      ["%", 1],
      ["a_b", 2],
      ["0'0", 0],
    ] as const) {
      expect(await foundBy(user, search)).toEqual(number === 0 ? [] : [`${number}-x`]);
    }
  });

  it("finds a query that is being written, by its question", async () => {
    const user = await newUser();
    const stream = await user.ask(scripted({ tokens: 500, gapMs: 20 }, "Anchors?"));
    await stream.until("token");
    expect(await pageOf(user, "anchors")).toMatchObject({
      queries: [{ queryId: stream.queryId, state: "reserved", answer: null }],
    });
    stream.leave();
  });

  it("goes page by page, with no query twice and none left out", async () => {
    const user = await newUser();
    await write(
      user,
      Array.from({ length: 25 }, (_, index) => ({ query: index % 2 ? "Ship?" : "Boat?" })),
    );
    const all = Array.from({ length: 12 }, (_, index) => `${24 - 2 * index}-x`);
    for (const limit of [1, 5, 12, 100]) {
      expect(await foundBy(user, "ship", `&limit=${limit}`)).toEqual(all);
    }
    const page = await pageOf(user, "ship", "&limit=12");
    expect(page.queries).toHaveLength(12);
  });

  it("looks at a thousand rows at a time, and says where to go on", async () => {
    const user = await newUser();
    await write(user, [
      { query: "Anchor?" },
      ...Array.from({ length: 2_400 }, () => ({ query: "Boat?" })),
      { query: "Anchor again?" },
    ]);
    const first = await pageOf(user, "anchor");
    expect(first.queries.map(({ queryId }) => queryId)).toEqual(["2402-x"]);
    const second = await pageOf(user, "anchor", `&before=${first.before}`);
    expect(second.queries).toEqual([]);
    const third = await pageOf(user, "anchor", `&before=${second.before}`);
    expect(third.queries.map(({ queryId }) => queryId)).toEqual(["1-x"]);
    expect(third.before).toBeNull();
  });

  it("looks at two million characters at a time", async () => {
    const user = await newUser();
    const answer = "word ".repeat(50_000);
    await write(
      user,
      Array.from({ length: 20 }, (_, index) => ({ query: index === 0 ? "Anchor?" : "?", answer })),
    );
    const first = await pageOf(user, "anchor");
    expect(first.queries).toEqual([]);
    expect(first.before).toMatch(/^c-0{32}$/);
    expect(await foundBy(user, "anchor")).toEqual(["1-x"]);
    // A page of answers has a limit too.
    expect((await pageOf(user, "word", "&limit=100")).queries).toHaveLength(4);
    expect(await foundBy(user, "word", "&limit=100")).toHaveLength(20);
  });

  it("ends where retention has deleted the texts", async () => {
    const user = await newUser();
    await write(
      user,
      Array.from({ length: 1_500 }, () => ({ query: "Boat?" })),
    );
    expect((await pageOf(user, "anchor")).before).not.toBeNull();
    await user.rows("UPDATE queries SET query = NULL, answer = NULL WHERE number <= 500");
    await runInDurableObject(user.stub, (_object, { storage }) =>
      storage.sql.exec("UPDATE settings SET content_pruned_to = 500").toArray(),
    );
    expect((await pageOf(user, "anchor")).before).toBeNull();
  });

  it("of a reader who shares the object finds their own, and tells no id of others", async () => {
    const user = await newUser();
    await write(user, [
      { query: "Anchor?", identity: "ann" },
      ...Array.from({ length: 1_100 }, () => ({ query: "Anchor?", identity: "bob" })),
    ]);
    const first = await as(user, "ann", "GET", "/ai/queries?search=anchor");
    const { queries, before } = await first.json<Page>();
    expect(queries).toEqual([]);
    expect(before).toMatch(/^[\da-z]+-0{32}$/);
    const second = await as(user, "ann", "GET", `/ai/queries?search=anchor&before=${before}`);
    expect(await second.json()).toMatchObject({ queries: [{ queryId: "1-x" }], before: null });
    const path = `/ai/queries?search=anchor&before=2-${"0".repeat(32)}`;
    const others = await as(user, "eve", "GET", path);
    expect((await others.json<Page>()).queries).toEqual([]);
  });

  it.each([
    ["without a word", ""],
    ["of blanks", "%20%20"],
    ["of nothing visible", "%E2%80%8B%C2%AD"],
    ["of 201 characters", "x".repeat(201)],
    ["of 201 characters beyond 16 bits", encodeURIComponent("🚢".repeat(201))],
  ])("%s is refused with 400, which says what is right", async (_what, search) => {
    const response = await (await newUser()).request(`/ai/queries?search=${search}`);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      {
        code: "INVALID_REQUEST",
        message: 'The parameter "search" must be 1 to 200 characters long, and visible.',
      },
    ]);
  });

  it("takes 200 characters, whatever their length", async () => {
    const user = await newUser();
    await write(user, [{ query: "🚢".repeat(200) }]);
    expect(await foundBy(user, "🚢".repeat(200))).toEqual(["1-x"]);
  });

  it("is refused with a wrong page, as the list is", async () => {
    const user = await newUser();
    for (const more of ["&limit=0", "&before=x"]) {
      expect((await user.request(`/ai/queries?search=a${more}`)).status).toBe(400);
    }
  });
});

describe("deleting a query", () => {
  it("deletes what was said, and keeps what it cost", async () => {
    const user = await newUser();
    const queryId = await asked(user, scripted({ tokens: ["Periwinkle", " [1]"] }, "Cockle?"));
    const kept = await asked(user, scripted({ tokens: 2 }, "Whelk?"));
    await user.post("/ai/feedback", { queryId, rating: "down", comment: "Limpet." });
    const before = await user.receipt(queryId);
    const quota = await user.quota();

    const response = await remove(user, queryId);
    expect([response.status, await response.text()]).toEqual([204, ""]);
    const texts = { query: null, answer: null, sources: null, tokens: null };
    const after = { ...before, ...texts, feedback: { rating: "down", comment: null } };
    expect(await user.receipt(queryId)).toEqual(after);
    const [newest, oldest] = await user.receipts();
    expect([newest?.queryId, oldest]).toEqual([kept, after]);
    expect(await foundBy(user, "w")).toEqual([kept]);
    expect(await user.quota()).toEqual(quota);
    expect(await audit(user)).toEqual({ ok: true, differences: [] });

    const events = await user.request(`/ai/queries/${queryId}/events`);
    expect([events.status, await events.json()]).toMatchObject([
      410,
      { code: "NOT_KEPT", message: expect.stringContaining("deleted") },
    ]);
    const rated = await user.post("/ai/feedback", { queryId, rating: "up", comment: "Back?" });
    expect(rated.status).toBe(410);
    expect((await user.post(`/ai/queries/${queryId}/cancel`)).status).toBe(200);

    const seen = await (await asOperator(adminPath(user))).text();
    const stored = JSON.stringify(await everything(user));
    for (const text of [seen, stored]) {
      expect(text).toContain("Whelk");
      expect(text).not.toMatch(/Cockle|Periwinkle|Limpet/);
    }
  });

  it("changes nothing the second time, and writes nothing", async () => {
    const user = await newUser();
    const queryId = await asked(user, { tokens: 2 });
    expect((await remove(user, queryId)).status).toBe(204);
    const stored = await everything(user);
    expect((await remove(user, queryId)).status).toBe(204);
    expect(await everything(user)).toEqual(stored);
  });

  it("deletes the question of an answer that was refunded", async () => {
    const user = await newUser();
    const queryId = await asked(user, scripted({ fault: "cut", at: 1 }, "Cockle?"));
    expect((await remove(user, queryId)).status).toBe(204);
    expect(await user.receipt(queryId)).toMatchObject({
      state: "refunded",
      reason: "failed",
      query: null,
    });
    expect(JSON.stringify(await everything(user))).not.toContain("Cockle");
  });

  it("is refused while the answer is written, which goes on and is charged", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 10, gapMs: 20 });
    await stream.until("token");
    const refused = await remove(user, stream.queryId);
    expect([refused.status, await refused.json()]).toMatchObject([
      409,
      { code: "NOT_FINISHED", message: expect.stringContaining("Stop it or let it finish") },
    ]);
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done" });
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
    expect((await remove(user, stream.queryId)).status).toBe(204);
    expect(await user.quota()).toMatchObject({ charged: 1, reserved: 0 });
  });

  it("works once the answer is stopped, which is refunded", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 500, gapMs: 20 });
    await stream.until("token");
    await user.post(`/ai/queries/${stream.queryId}/cancel`);
    expect((await remove(user, stream.queryId)).status).toBe(204);
    await stream.all();
    expect(await user.receipt(stream.queryId)).toMatchObject({ reason: "cancelled", query: null });
    expect(await user.quota()).toMatchObject({ charged: 0, refunded: 1, remaining: 20 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("waits for an answer that is finished without its user past the allowance", async () => {
    const user = await newUser({ REFUND_LIMIT: "0" });
    const stream = await user.ask({ tokens: 20, gapMs: 20 });
    await stream.until("token");
    await user.post(`/ai/queries/${stream.queryId}/cancel`);
    expect((await remove(user, stream.queryId)).status).toBe(409);
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
    expect((await remove(user, stream.queryId)).status).toBe(204);
    expect(await user.receipt(stream.queryId)).toMatchObject({ state: "charged", answer: null });
  });

  it("lets a connection that reads the answer read it to its end", async () => {
    const user = await newUser();
    const query = scripted({ tokens: 100, tokenLength: 2_000, gapMs: 1 });
    const [first, slow] = [await user.ask(query), await user.ask(query)];
    await slow.until("start");
    await first.all();
    await user.resolved(first.queryId);
    expect((await remove(user, first.queryId)).status).toBe(204);
    expect((await slow.all()).at(-1)).toMatchObject({ type: "done" });
    expect(await user.receipt(first.queryId)).toMatchObject({ state: "charged", answer: null });
  });

  it.each(["an unknown id", "no id", "another user's"])("is 404 for %s", async (what) => {
    const owner = await newUser();
    const queryId = await asked(owner, { tokens: 2 });
    const stranger = await newUser();
    const id = { "an unknown id": `1-${"0".repeat(32)}`, "no id": "x" }[what] ?? queryId;
    const response = await remove(stranger, id);
    expect([response.status, await response.json()]).toMatchObject([404, { code: "NOT_FOUND" }]);
    expect((await owner.receipt(queryId)).answer).not.toBeNull();
  });

  it("is for operators too only for their own", async () => {
    const user = await newUser();
    const queryId = await asked(user, { tokens: 2 });
    const response = await asOperator(`/ai/queries/${queryId}`, { method: "DELETE" });
    expect(response.status).toBe(404);
    expect((await user.receipt(queryId)).answer).not.toBeNull();
  });

  it("is for readers who share the object only for their own", async () => {
    const user = await newUser();
    const ask = { query: scripted({ tokens: 2 }, "Cockle?") };
    const { queryId } = await (await as(user, "ann", "POST", "/ai/ask", ask)).json<Receipt>();
    expect((await as(user, "bob", "DELETE", `/ai/queries/${queryId}`)).status).toBe(404);
    const path = `/ai/queries/${queryId}`;
    const own = async () => (await as(user, "ann", "GET", path)).json<Receipt>();
    expect((await own()).query).toContain("Cockle");
    expect((await as(user, "ann", "DELETE", path)).status).toBe(204);
    expect((await own()).query).toBeNull();
  });

  it("leaves retention its work, with an exact audit", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2027-03-10T12:00:00Z") });
    const user = await newUser({ RETENTION_DAYS: "5" });
    const [first = "", second = ""] = [
      await asked(user, { tokens: 2 }),
      await asked(user, { tokens: 3 }),
    ];
    await remove(user, first);
    const ring = async () => {
      for (let time = 0; time < 4; time += 1) await runDurableObjectAlarm(user.stub);
      expect(await audit(user)).toEqual({ ok: true, differences: [] });
    };
    vi.setSystemTime(Date.parse("2027-03-15T12:00:01Z"));
    await ring();
    expect(await user.receipts()).toMatchObject([
      { queryId: second, query: null },
      { queryId: first, query: null },
    ]);
    vi.setSystemTime(Date.parse("2027-03-11T00:00:00Z") + 5 * DAY_MS + 1_000);
    await ring();
    expect(await user.receipts()).toEqual([]);
    expect((await remove(user, first)).status).toBe(404);
  });
});

describe("what a deleted query leaves behind", () => {
  const key = { "idempotency-key": "k" };

  it.each(["done", "nothing found"])("refuses the same Idempotency-Key: %s", async (how) => {
    const user = await newUser();
    const query = how === "done" ? scripted({ tokens: 2 }) : "zorblaks of quimplestad";
    const queryId = await asked(user, query, key);
    const quota = await user.quota();
    await remove(user, queryId);
    for (const stream of [true, false]) {
      const path = `/ai/ask${stream ? "?stream=true" : ""}`;
      const response = await user.post(path, { query }, { headers: key });
      expect(response.status).toBe(410);
      expect(await response.text()).toMatch(/NOT_KEPT/);
    }
    const other = await user.post("/ai/ask", { query: "Another?" }, { headers: key });
    expect(other.status).toBe(422);
    expect(await user.quota()).toEqual(quota);
  });

  it("is not given to the same ask, which is a new one", async () => {
    const user = await newUser();
    const query = scripted({ tokens: 2 });
    const first = await asked(user, query);
    await remove(user, first);
    const again = await user.ask(query);
    expect(again.response.headers.get("idempotency-replayed")).toBeNull();
    expect((await again.all()).at(-1)).toMatchObject({ type: "done" });
    expect(again.queryId).not.toBe(first);
    await user.resolved(again.queryId);
    expect(await user.quota()).toMatchObject({ charged: 2 });
    expect(await user.receipt(first)).toMatchObject({ query: null });
  });

  it.each(["a failure", "an operator's refund"])("allows the same key after %s", async (how) => {
    const user = await newUser();
    const isFailure = how === "a failure";
    const query = scripted(isFailure ? { fault: "cut", at: 1 } : { tokens: 2 });
    const first = await asked(user, query, key);
    if (!isFailure) {
      await asOperator(`${adminPath(user)}/queries/${first}/refund`, { method: "POST" });
    }
    await remove(user, first);
    const second = await asked(user, query, key);
    expect(second).not.toBe(first);
    expect(await user.quota()).toMatchObject({ charged: isFailure ? 0 : 1, reserved: 0 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("is no response any more, and ends the turns before a follow-up", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const call = (method: string, path: string, body?: unknown) =>
      fetchApi(`/v1/responses${path}`, {
        method,
        headers: { authorization: `Bearer ${user.token}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    const ask = { model: "belay", input: scripted({ tokens: ["Periwinkle."] }, "Cockle?") };
    const { id } = await (await call("POST", "", ask)).json<{ id: string }>();
    const queryId = id.replace("resp_", "");
    await user.resolved(queryId);
    expect((await remove(user, queryId)).status).toBe(204);
    for (const path of [`/${id}`, `/${id}?stream=true`]) {
      expect((await call("GET", path)).status).toBe(410);
    }
    const input = scripted({ tokens: 1, tag });
    const follow = { model: "belay", input, previous_response_id: id };
    expect((await call("POST", "", follow)).status).toBe(200);
    const [request] = await modelRequests(tag);
    expect(request?.roles).toEqual(["system", "user"]);
    expect(JSON.stringify(request?.messages)).not.toMatch(/Cockle|Periwinkle/);
  });

  it("is no answer that a chat resumes", async () => {
    const user = await newUser();
    const parts = [{ type: "text", text: scripted({ tokens: 2 }) }];
    const response = await user.post("/ai/chat", {
      id: "c",
      messages: [{ id: "m", role: "user", parts }],
      trigger: "submit-message",
      belay: { onDisconnect: "wait" },
    });
    expect(response.status).toBe(200);
    await response.text();
    const queryId = response.headers.get("x-query-id") ?? "";
    await user.resolved(queryId);
    expect((await user.request("/ai/chat/c/stream")).status).toBe(200);
    await remove(user, queryId);
    expect((await user.request("/ai/chat/c/stream")).status).toBe(204);
  });
});

/** All rows of all tables. */
async function everything(user: TestUser): Promise<unknown[]> {
  const tables = ["settings", "windows", "queries", "keys"];
  return Promise.all(tables.map((table) => user.rows(`SELECT * FROM ${table}`)));
}
