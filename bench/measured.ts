// Belay with the routes of workers/worker.ts.

import { join } from "node:path";
import { Failure, PROJECT } from "../scripts/command.ts";
import { API_PREFIX, type Quota } from "../src/protocol.ts";
import type { Belay } from "./belay.ts";
import type { Contender } from "./contender.ts";
import { belayContender, type Field } from "./field.ts";
import type { Reports, Written } from "./written.ts";

const ENTRY = join(PROJECT, "bench/workers/worker.ts");

export class Measured {
  readonly belay: Belay;
  readonly contender: Contender;

  private constructor(belay: Belay) {
    this.belay = belay;
    this.contender = belayContender(belay);
  }

  static async start(
    field: Field,
    modelUrl: string,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<Measured> {
    return new Measured(await field.startBelay({ modelUrl, entry: ENTRY, variables }));
  }

  /** Returns how many passages were found in all. */
  searches(queries: readonly string[], topK: number): Promise<number> {
    return this.#call("POST", `/searches?topK=${topK}`, queries);
  }

  written(user: string): Promise<Written> {
    return this.#call("GET", `/written?user=${user}`);
  }

  /** Sends made-up reports, some at once, and resolves when all are applied. */
  report(reports: Reports): Promise<void> {
    return this.#call("POST", "/reports", reports);
  }

  /** What the directory has written, and how large it is. */
  directory(): Promise<Written & { readonly bytes: number }> {
    return this.#call("GET", "/directory");
  }

  seed(user: string, count: number): Promise<void> {
    return this.#call("POST", `/seed?user=${user}&count=${count}`);
  }

  /** How many queries of the user count against the quota. */
  async used(user: string): Promise<number> {
    const headers = { authorization: `Bearer ${await this.belay.token(user)}` };
    const response = await fetch(`${this.belay.server.url}${API_PREFIX}/ai/quota`, { headers });
    const { limit, remaining } = (await response.json()) as Quota;
    return limit - remaining;
  }

  async stop(): Promise<void> {
    await this.belay.stop();
  }

  async #call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const response = await fetch(this.belay.server.url + path, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Failure(`Belay refuses ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Body;
  }
}
