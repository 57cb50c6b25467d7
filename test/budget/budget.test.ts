// The budget over HTTP: users and a budget of their own, the scripted model,
// and the operators' routes.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { ShownBudget } from "../../src/budget/shown.ts";
import { handle } from "../../src/edge/edge.ts";
import type { Env } from "../../src/wiring.ts";
import { adminPath, asOperator, bearer, type ErrorBody, newUser, scripted } from "../harness.ts";
import { asked, idle, refusal, TestBudget, whole } from "./test-budget.ts";

const PRICES = { PRICE_INPUT_USD: "1", PRICE_OUTPUT_USD: "2" };

describe("a budget of generations", () => {
  it("begins as many as its limit, however many users ask at once", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "3" });
    const users = await Promise.all(Array.from({ length: 12 }, () => budget.newUser()));
    const responses = await Promise.all(users.map((user) => asked(user)));
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 200, ...Array(9).fill(503)]);
    expect((await budget.shown()).generations).toMatchObject({ limit: 3 });
    const { spent, lent } = (await budget.shown()).generations;
    expect(spent + lent).toBe(3);
  });

  it("refuses with the end of the period, and costs the user nothing", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "0", BUDGET_PERIOD: "day" });
    const user = await budget.newUser();
    const response = await asked(user);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    const body = await response.json<ErrorBody>();
    expect(body).toMatchObject({ code: "BUDGET_EXCEEDED", resetsAt: expect.any(String) });
    expect(await user.quota()).toMatchObject({ charged: 0, reserved: 0, refunded: 0 });
  });

  it("is a policy of its own in the headers of an answer", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "7", BUDGET_PERIOD: "total" });
    const response = await asked(await budget.newUser());
    expect(response.headers.get("ratelimit-policy")).toContain(', "budget";q=7');
    expect(response.headers.get("ratelimit")).toContain(', "budget";r=7');
  });

  it("that never renews says no time", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "0", BUDGET_PERIOD: "total" });
    const response = await asked(await budget.newUser());
    expect(response.headers.get("retry-after")).toBeNull();
    expect(await response.json()).toMatchObject({ code: "BUDGET_EXCEEDED", resetsAt: null });
  });

  it("counts what readers without a bearer token begin against their own limit too", async () => {
    const limits = { BUDGET_LIMIT: "3", BUDGET_ANONYMOUS_LIMIT: "1", ANONYMOUS_LIMIT: "10" };
    const budget = new TestBudget(limits);
    // No bearer token has such a name, so the object is asked itself.
    const { name, stub } = await budget.newUser({}, `anonymous:${crypto.randomUUID()}`);
    const headers = { "x-belay-user": encodeURIComponent(name) };
    const body = JSON.stringify({ query: scripted({ tokens: 2 }) });
    const read = () =>
      whole(stub.fetch("https://object/api/v1/ai/ask", { method: "POST", headers, body }));
    const user = await budget.newUser();
    expect((await read()).status).toBe(200);
    expect(await refusal(await read())).toEqual([503, "BUDGET_EXCEEDED"]);
    expect((await asked(user)).status).toBe(200);
    const { anonymous } = await budget.shown();
    expect(anonymous.spent + anonymous.lent).toBe(1);
  });

  it("is raised at once by an operator", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "1" });
    const user = await budget.newUser();
    expect((await asked(user)).status).toBe(200);
    expect((await asked(user)).status).toBe(503);
    const changed = await budget.change({ limit: 2 });
    expect(await changed.json()).toMatchObject({ generations: { limit: 2 } });
    expect((await asked(user)).status).toBe(200);
    expect((await asked(user)).status).toBe(503);
    await budget.change({ limit: null });
    expect((await budget.shown()).generations.limit).toBe(1);
  });

  it("takes back what an idle user holds", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "1000" });
    const user = await budget.newUser();
    for (let asks = 0; asks < 3; asks += 1) await asked(user);
    expect((await budget.shown()).generations.lent).toBeGreaterThan(0);
    await idle(user);
    expect((await budget.shown()).generations).toEqual({ limit: 1000, spent: 3, lent: 0 });
  });

  it("asks an idle user for its loan where nothing else is left", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "4" });
    const [idler, user] = [await budget.newUser(), await budget.newUser()];
    await asked(idler);
    await budget.change({ limit: 200 });
    // This borrows for two asks, and uses one.
    await asked(idler);
    const { spent, lent } = (await budget.shown()).generations;
    await budget.change({ limit: spent + lent });
    await scheduler.wait(1_100);
    expect((await asked(user)).status).toBe(200);
  });

  it("counts a refunded answer as begun", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "1" });
    const user = await budget.newUser();
    const response = await asked(user, { fault: "cut", at: 1 });
    expect(response.status).toBe(502);
    expect(await refusal(await asked(user))).toEqual([503, "BUDGET_EXCEEDED"]);
  });

  it("is not asked for an answer that is read again", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "1" });
    const user = await budget.newUser();
    const headers = { "idempotency-key": "one" };
    const first = await asked(user, { tokens: 2 }, {}, { headers });
    const again = await asked(user, { tokens: 2 }, {}, { headers });
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(await again.json()).toEqual(await first.json());
  });

  it("keeps counting for a user who was erased", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "2" });
    const user = await budget.newUser();
    await asked(user);
    await asOperator(adminPath(user), { method: "DELETE" });
    expect((await budget.shown()).generations).toMatchObject({ spent: 1, lent: 0 });
    expect((await asked(user)).status).toBe(200);
    expect((await asked(user)).status).toBe(503);
  });
});

describe("a budget for all time", () => {
  it("counts answers whose rows were deleted, in the next instance too", async () => {
    const variables = { BUDGET_PERIOD: "total", QUOTA_PERIOD: "day", RETENTION_DAYS: "1" };
    const budget = new TestBudget({ BUDGET_LIMIT: "1", ...variables });
    const user = await budget.newUser();
    expect((await asked(user)).status).toBe(200);
    await idle(user);
    vi.setSystemTime(Date.now() + 4 * 86_400_000);
    try {
      await runDurableObjectAlarm(user.stub);
      expect(await user.rows("SELECT 1 FROM queries")).toEqual([]);
      await evictDurableObject(user.stub);
      expect(await refusal(await asked(user))).toEqual([503, "BUDGET_EXCEEDED"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("goes on where an instance left off that was cut off", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "400", BUDGET_PERIOD: "total" });
    const user = await budget.newUser();
    for (let asks = 0; asks < 4; asks += 1) await asked(user);
    const { spent, lent } = (await budget.shown()).generations;
    await budget.change({ limit: spent + lent });
    await evictDurableObject(user.stub);
    const left = spent + lent - 4;
    expect(left).toBeGreaterThan(0);
    const statuses = [];
    for (let asks = 0; asks <= left; asks += 1) statuses.push((await asked(user)).status);
    expect(statuses).toEqual([...Array(left).fill(200), 503]);
  });
});

describe("past the budget, with BUDGET_FALLBACK", () => {
  it("the passages are quoted, and the receipt says so", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "1", BUDGET_FALLBACK: "extractive" });
    const user = await budget.newUser();
    const receipts = [];
    for (let asks = 0; asks < 2; asks += 1) {
      const response = await asked(user);
      expect(response.status).toBe(200);
      receipts.push(await user.resolved(response.headers.get("x-query-id") ?? ""));
    }
    expect(receipts.map(({ fallback }) => fallback)).toEqual([false, true]);
    const { spent, lent } = (await budget.shown()).generations;
    expect(spent + lent).toBe(1);
  });
});

describe("a budget of dollars", () => {
  it("counts the tokens that the model says it used", async () => {
    const budget = new TestBudget({ BUDGET_USD: "10", ...PRICES });
    const user = await budget.newUser();
    const usage = { prompt_tokens: 1_000, completion_tokens: 500, total_tokens: 1_500 };
    const response = await asked(user, { tokens: 2, fault: "json", usage });
    expect(response.status).toBe(200);
    await idle(user);
    expect((await budget.shown()).usd).toEqual({ limit: 10, spent: 0.002, lent: 0 });
  });

  it("counts the most that it may cost where the model says nothing", async () => {
    const budget = new TestBudget({ BUDGET_USD: "10", ...PRICES });
    const user = await budget.newUser();
    await asked(user, { fault: "cut", at: 1 });
    const [row] = await user.rows<{ cost: number }>("SELECT cost FROM queries");
    await idle(user);
    const { spent, lent } = (await budget.shown()).usd;
    expect(lent).toBe(0);
    expect(spent).toBeCloseTo((row?.cost ?? 0) / 1_000_000, 9);
    // 1,024 tokens of an answer, and those of a prompt.
    expect(spent).toBeGreaterThan(0.002);
  });

  it("refuses an ask that may cost more than is left", async () => {
    const budget = new TestBudget({ BUDGET_USD: "0.001", ...PRICES });
    const response = await asked(await budget.newUser());
    expect(await refusal(response)).toEqual([503, "BUDGET_EXCEEDED"]);
  });

  it("needs its prices", async () => {
    const budget = new TestBudget({ BUDGET_USD: "1" });
    const response = await asked(await budget.newUser());
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("PRICE_INPUT_USD"),
    });
  });
});

describe("a budget that cannot be reached", () => {
  it("lets nothing through, and what is lent goes on", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "1000" });
    const user = await budget.newUser();
    // The fourth borrows for three more.
    for (let asks = 0; asks < 4; asks += 1) await asked(user);
    const lent = (await budget.shown()).generations.lent;
    expect(lent).toBeGreaterThan(0);
    await runInDurableObject(budget.stub, (object) => {
      object.lend = () => Promise.reject(new Error("down"));
    });
    const other = await budget.newUser();
    expect(await refusal(await asked(other))).toEqual([503, "UNAVAILABLE"]);
    expect((await asked(user)).status).toBe(200);
  });

  it("refuses every ask where there is no binding", async () => {
    const user = await newUser({ BUDGET_LIMIT: "5", BUDGET: undefined });
    expect(await refusal(await asked(user))).toEqual([503, "UNAVAILABLE"]);
  });
});

describe("a wrong variable of the budget", () => {
  it.each([
    ["BUDGET_LIMIT", "many"],
    ["BUDGET_LIMIT", "-1"],
    ["BUDGET_LIMIT", "1.5"],
    ["BUDGET_LIMIT", "1e3"],
    ["BUDGET_ANONYMOUS_LIMIT", "none"],
    ["BUDGET_USD", "12,50"],
    ["BUDGET_USD", "Infinity"],
    ["BUDGET_PERIOD", "week"],
    ["BUDGET_FALLBACK", "gpt"],
    ["PRICE_INPUT_USD", "cheap"],
    ["PRICE_OUTPUT_USD", "-2"],
  ])("is named, and nothing is asked or reserved: %s is %s", async (name, value) => {
    const budget = new TestBudget({ BUDGET_LIMIT: "5", ...PRICES, [name]: value });
    const user = await budget.newUser();
    const response = await asked(user);
    expect(response.status).toBe(503);
    const { code, message } = await response.json<ErrorBody>();
    expect(code).toBe("UNAVAILABLE");
    expect(message).toContain(name);
    expect(message).not.toContain(value);
    expect(await user.receipts()).toEqual([]);
  });
});

describe("an operator", () => {
  const asking = (budget: TestBudget) => async (method: string, body?: unknown) => {
    const bindings = { ...env, BUDGET_LIMIT: "1", BUDGET: { getByName: () => budget.stub } };
    const authorization = `Bearer ${await bearer({ sub: "ops", scope: "operator" })}`;
    const request = new Request("https://belay.test/api/v1/admin/budget", {
      method,
      headers: { authorization, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return handle(request, bindings as unknown as Env);
  };

  it("raises a limit at once, and is in the operators' log", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "1" });
    const ask = asking(budget);
    const limit = 2_000 + Math.floor(Math.random() * 1_000_000);
    const changed = await ask("PATCH", { limit });
    expect(await changed.json()).toMatchObject({ generations: { limit } });
    expect(changed.headers.get("x-belay-change")).toBeNull();
    expect(await (await ask("GET")).json()).toMatchObject({ generations: { limit } });
    const log = await asOperator("/admin/log?limit=20");
    const { entries } = await log.json<{ entries: { change: unknown }[] }>();
    expect(entries.find(({ change }) => JSON.stringify(change) === `{"limit":${limit}}`)).toEqual(
      expect.objectContaining({ action: "PATCH /admin/budget", operator: "ops", target: null }),
    );
  });

  it("lowers a limit below what is spent: nothing more is lent", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "10" });
    const user = await budget.newUser();
    for (let asks = 0; asks < 3; asks += 1) await asked(user);
    await idle(user);
    await budget.change({ limit: 1 });
    expect(await refusal(await asked(user))).toEqual([503, "BUDGET_EXCEEDED"]);
    expect((await budget.shown()).generations).toEqual({ limit: 1, spent: 3, lent: 0 });
  });

  it("lowers a limit, which holds at once for users with a loan", async () => {
    const budget = new TestBudget({ BUDGET_LIMIT: "1000" });
    const users = await Promise.all(Array.from({ length: 60 }, () => budget.newUser()));
    await Promise.all(
      users.map(async (user) => {
        for (let asks = 0; asks < 2; asks += 1) await asked(user);
      }),
    );
    const before = (await budget.shown()).generations;
    expect(before.lent).toBeGreaterThan(0);
    const changed = await budget.change({ limit: 0 });
    const { generations } = await changed.json<ShownBudget>();
    expect(generations).toEqual({ limit: 0, spent: 120, lent: 0 });
    const refusals = await Promise.all(users.map(async (user) => refusal(await asked(user))));
    expect(new Set(refusals.map(String))).toEqual(new Set(["503,BUDGET_EXCEEDED"]));
  });

  it.each([
    ["a limit below 0", { limit: -1 }],
    ["a part of an answer", { limit: 1.5 }],
    ["words", { limit: "many" }],
    ["too many dollars", { usd: 1e300 }],
    ["an unknown member", { limits: 5 }],
    ["a list", [5]],
  ])("is told what is wrong with %s", async (_what, body) => {
    const budget = new TestBudget({ BUDGET_LIMIT: "1" });
    const response = await asking(budget)("PATCH", body);
    expect(await refusal(response)).toEqual([400, "INVALID_REQUEST"]);
    expect((await budget.shown()).generations.limit).toBe(1);
  });

  it("is told where no budget is set", async () => {
    const response = await asOperator("/admin/budget");
    expect(await refusal(response)).toEqual([404, "NOT_FOUND"]);
  });
});

describe("/healthz", () => {
  const health = (bindings: Record<string, unknown>) =>
    handle(new Request("https://belay.test/healthz"), {
      ...env,
      // Of its own, since results are kept by namespace.
      USERS: { getByName: (name: string) => env.USERS.getByName(name) },
      ...bindings,
    } as unknown as Env);

  it("says in tens of percent how much of the budget is used", async () => {
    const variables = { BUDGET_LIMIT: "4" };
    const budget = new TestBudget(variables);
    await asked(await budget.newUser());
    const BUDGET = { getByName: () => budget.stub };
    const response = await health({ ...variables, BUDGET });
    expect(await response.text()).toBe("ok\nbudget: 20 % or more is used\n");
  });

  it("says so while less than a tenth is used", async () => {
    const variables = { BUDGET_LIMIT: "4" };
    const budget = new TestBudget(variables);
    const BUDGET = { getByName: () => budget.stub };
    const response = await health({ ...variables, BUDGET });
    expect(await response.text()).toBe("ok\nbudget: less than 10 % is used\n");
  });

  it("says when it is used up", async () => {
    const variables = { BUDGET_LIMIT: "0" };
    const budget = new TestBudget(variables);
    const BUDGET = { getByName: () => budget.stub };
    const response = await health({ ...variables, BUDGET });
    expect(await response.text()).toBe("ok\nbudget: used up\n");
  });

  it("is 503 where a limit is set and there is no binding", async () => {
    const response = await health({ BUDGET_LIMIT: "4", BUDGET: undefined });
    expect(await refusal(response)).toEqual([503, "UNAVAILABLE"]);
  });
});

it("the log tells once that 80 % are spent, and once that all is", async () => {
  const lines: string[] = [];
  const warn = vi.spyOn(console, "warn").mockImplementation((line) => void lines.push(`${line}`));
  try {
    const budget = new TestBudget({ BUDGET_LIMIT: "5" });
    const user = await budget.newUser();
    for (let asks = 0; asks < 7; asks += 1) {
      await asked(user);
      await idle(user);
    }
    const percents = lines
      .filter((line) => line.includes('"event":"budget"'))
      .map((line) => JSON.parse(line).percent);
    expect(percents).toEqual([80, 100]);
  } finally {
    warn.mockRestore();
  }
});
