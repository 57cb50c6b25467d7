// A budget for one test, with users of its own, and what its tests do with them.

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { ShownBudget } from "../../src/budget/shown.ts";
import { type ErrorBody, eventually, newUser, type TestUser } from "../harness.ts";
import type { Directive } from "../support/directive.ts";
import { budgets } from "../worker.ts";

/** A budget for one test, with the users who borrow from it. */
export class TestBudget {
  readonly name = `budget ${crypto.randomUUID()}`;
  readonly #variables: Record<string, unknown>;

  constructor(variables: Record<string, unknown>) {
    this.#variables = variables;
    budgets.set(this.name, variables);
  }

  get stub() {
    return env.BUDGET.getByName(this.name);
  }

  newUser(settings: Record<string, unknown> = {}, name?: string): Promise<TestUser> {
    const { name: own } = this;
    const BUDGET = { getByName: () => env.BUDGET.getByName(own) };
    const usual = { QUOTA_LIMIT: "1000", REPEAT_WINDOW_SECONDS: "0", CONCURRENCY_LIMIT: "100" };
    return newUser({ ...usual, ...this.#variables, ...settings, BUDGET }, name);
  }

  async shown(): Promise<ShownBudget> {
    return (await this.stub.fetch("https://object/api/v1/admin/budget")).json();
  }

  change(body: unknown): Promise<Response> {
    return this.stub.fetch("https://object/api/v1/admin/budget", {
      method: "PATCH",
      body: JSON.stringify(body),
    });
  }
}

/** An ask whose answer is read to its end. */
export function asked(
  user: TestUser,
  directive: Directive = { tokens: 2 },
  body: Record<string, unknown> = {},
  init: RequestInit = {},
): Promise<Response> {
  return whole(user.askForJson(directive, body, init));
}

export async function whole(response: Promise<Response>): Promise<Response> {
  const { status, headers, body } = await response;
  return new Response(await new Response(body).text(), { status, headers });
}

export async function refusal(response: Response): Promise<[number, string]> {
  const { code } = await response.json<ErrorBody>();
  return [response.status, code];
}

/** Rings a user's alarm as if half a minute had passed without an ask. */
export async function idle(user: TestUser): Promise<void> {
  await eventually(
    () => user.quota(),
    ({ reserved }) => reserved === 0,
  );
  const now = Date.now();
  vi.setSystemTime(now + 31_000);
  try {
    await runDurableObjectAlarm(user.stub);
  } finally {
    vi.useRealTimers();
  }
}
