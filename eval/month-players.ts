// The users of the scripted month and an operator, over HTTP.

import { setTimeout as delay } from "node:timers/promises";
import pMap from "p-map";
import type { Belay } from "../bench/belay.ts";
import { Failure } from "../scripts/command.ts";
import { API_PREFIX } from "../src/protocol.ts";
import type { ShownDay, ShownQuery, ShownUser } from "../src/shown.ts";
import type { Step } from "./scripted-month.ts";

/** Users' alarms ring within a minute of their last ask. */
const REPORTED_MS = 600_000;
const LOOK_MS = 5_000;
/** A server that is short of open files, say, is asked again. */
const ATTEMPTS = 20;

export type Outcome = "answered" | "unanswered" | "left" | "failed";

export interface Counted {
  charged: number;
  refunded: number;
}

export class Players {
  readonly #url: string;
  readonly #tokens: readonly string[];
  readonly #operator: string;

  private constructor(url: string, tokens: readonly string[], operator: string) {
    this.#url = url;
    this.#tokens = tokens;
    this.#operator = operator;
  }

  static async of(belay: Belay, users: number): Promise<Players> {
    const names = Array.from({ length: users }, (_, i) => nameOf(i));
    const tokens = await Promise.all(names.map((name) => belay.token(name)));
    return new Players(belay.server.url, tokens, await belay.token("operator", true));
  }

  /** What a client sees of it: the directory is compared with objects only. */
  async take(step: Step): Promise<Outcome> {
    const leaving = new AbortController();
    const body = JSON.stringify({ query: step.query });
    const asked = await this.#call(this.#tokens[step.user] ?? "", "/ai/ask?stream=true", {
      ...{ method: "POST", body, signal: leaving.signal },
    });
    const queryId = asked.headers.get("x-query-id");
    if (step.leaves) {
      leaving.abort();
      return "left";
    }
    const text = await asked.text();
    if (queryId === null || !text.includes('"type":"done"')) return "failed";
    if (step.rating !== undefined) {
      const { rating, comment } = step;
      await this.#done(this.#tokens[step.user] ?? "", "/ai/feedback", {
        method: "POST",
        body: JSON.stringify({ queryId, rating, ...(comment !== undefined && { comment }) }),
      });
    }
    if (step.isRefunded) {
      const path = `/admin/users/${nameOf(step.user)}/queries/${queryId}/refund`;
      await this.#done(this.#operator, path, { method: "POST" });
    }
    return text.includes('"found":false') ? "unanswered" : "answered";
  }

  async erase(user: number): Promise<void> {
    await this.#done(this.#operator, `/admin/users/${nameOf(user)}`, { method: "DELETE" });
  }

  /** The sum of what the objects of users count. Each must agree with its rows. */
  async audited(users: readonly number[], atOnce: number): Promise<Counted> {
    const sum = { charged: 0, refunded: 0 };
    await pMap(
      users,
      async (user) => {
        const { windows, audit } = await this.#settled(user);
        if (!audit.ok) throw new Failure(`${nameOf(user)}: ${audit.differences.join("; ")}`);
        for (const { charged, refunded } of windows) {
          sum.charged += charged;
          sum.refunded += refunded;
        }
      },
      { concurrency: atOnce },
    );
    return sum;
  }

  /** Once nothing is reserved any more. */
  async #settled(user: number): Promise<Inspected> {
    const endsAt = Date.now() + REPORTED_MS;
    for (;;) {
      const seen = await this.get<Inspected>(`/admin/users/${nameOf(user)}`);
      if (seen.windows.every(({ reserved }) => reserved === 0)) return seen;
      if (Date.now() > endsAt) throw new Failure(`${nameOf(user)} has a reservation that stays.`);
      await delay(LOOK_MS);
    }
  }

  /** What the directory counts, once that is right. */
  async countedAs(audited: Counted): Promise<Counted> {
    const endsAt = Date.now() + REPORTED_MS;
    for (;;) {
      const { days } = await this.get<{ days: ShownDay[] }>("/admin/totals");
      const counted = { charged: 0, refunded: 0 };
      for (const { charged, refunded } of days) {
        counted.charged += charged;
        counted.refunded += Object.values(refunded).reduce((sum, count) => sum + count, 0);
      }
      const { charged, refunded } = counted;
      if (charged === audited.charged && refunded === audited.refunded) return counted;
      if (Date.now() > endsAt) {
        const seen = JSON.stringify({ directory: counted, audited });
        throw new Failure(`The directory does not count what the users' objects do: ${seen}`);
      }
      await delay(LOOK_MS);
    }
  }

  async checkErased(user: number): Promise<void> {
    const name = nameOf(user);
    const { users } = await this.get<{ users: ShownUser[] }>(`/admin/users?search=${name}`);
    const { queries } = await this.get<{ queries: ShownQuery[] }>(`/admin/queries?user=${name}`);
    if (users.some((one) => one.user === name) || queries.length > 0) {
      throw new Failure(`The directory still has ${name}, who was erased.`);
    }
  }

  async get<T>(path: string): Promise<T> {
    return (await (await this.#done(this.#operator, path)).json()) as T;
  }

  async #done(token: string, path: string, init: RequestInit = {}): Promise<Response> {
    const response = await this.#call(token, path, init);
    if (response.ok) return response;
    throw new Failure(`${path} is refused: ${response.status} ${await response.text()}`);
  }

  async #call(token: string, path: string, init: RequestInit): Promise<Response> {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(`${this.#url}${API_PREFIX}${path}`, { ...init, headers });
      if (response.status !== 503 || attempt === ATTEMPTS) return response;
      await response.body?.cancel();
      await delay(Number(response.headers.get("retry-after") ?? 1) * 1_000);
    }
  }
}

interface Inspected {
  readonly windows: readonly (Counted & { readonly reserved: number })[];
  readonly audit: { readonly ok: boolean; readonly differences: readonly string[] };
}

export function nameOf(user: number): string {
  return `rider-${user}.`;
}
