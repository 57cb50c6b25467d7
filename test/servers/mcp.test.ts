// Clients of the MCP endpoint over real sockets, on both servers. One that
// disconnects is refunded and its model stops, whether it asked for progress or
// not. One that stays is charged.

import { type ClientRequest, request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ModelRequest, scripted } from "../support/directive.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { MOMENTS, type Moment } from "../support/moments.ts";
import { type RunningServer, SECRET, startScriptedServer } from "../support/server.ts";
import { User } from "../support/user.ts";

const LONG = { tokens: 400, gapMs: 20 };

/** Nothing comes before the first sign of life. */
const LEAVES = MOMENTS.filter(({ has }) => has !== "opening");

/** Signs of life while tokens flow, and in a silence beside one for each. */
const HEARTBEATS = { flowing: 4, silent: 2 };

/** Whether it is time to leave. */
function isThere({ script, has }: Moment, call: Call, model: ModelRequest | undefined): boolean {
  if (model === undefined || has === "nothing") return model !== undefined;
  const tokens = typeof has === "number" ? has : 0;
  const { flowing, silent } = HEARTBEATS;
  const heartbeats = script.gapMs === undefined ? silent + tokens : flowing;
  return model.tokensSent >= tokens && call.heartbeats >= heartbeats;
}

const COMMANDS = ["serve", "start"] as const;

let model: ModelServer;
const servers = new Map<(typeof COMMANDS)[number], RunningServer>();

beforeAll(async () => {
  model = await startModelServer();
  await Promise.all(
    COMMANDS.map(async (command) => {
      const vars = { PING_INTERVAL_MS: "200", DELIVERY_HOLD_MS: "400", SWEEP_INTERVAL_MS: "1000" };
      servers.set(command, await startScriptedServer({ command, model, inMemory: true, vars }));
    }),
  );
});
afterAll(async () => {
  await Promise.all([...servers.values()].map((server) => server.stop()));
  await model.close();
});

function urlOf(command: (typeof COMMANDS)[number]): string {
  return servers.get(command)?.url ?? "";
}

/** A call of a tool on a connection of its own. */
class Call {
  text = "";
  status: number | undefined;
  ended = false;
  readonly #request: ClientRequest;

  constructor(url: string, user: User, params: object, headers: Record<string, string> = {}) {
    this.#request = httpRequest(`${url}/mcp`, {
      method: "POST",
      agent: false,
      headers: {
        authorization: `Bearer ${user.token}`,
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": "2025-11-25",
        ...headers,
      },
    });
    this.#request.on("error", () => {});
    this.#request.on("response", (response) => {
      this.status = response.statusCode;
      response.on("error", () => {});
      response.setEncoding("utf8").on("data", (text: string) => {
        this.text += text;
      });
      response.on("end", () => {
        this.ended = true;
      });
    });
    this.#request.end(JSON.stringify({ jsonrpc: "2.0", ...params }));
  }

  get heartbeats(): number {
    return this.text.split(":\n\n").length - 1;
  }

  leave(by: "close" | "reset"): void {
    if (by === "close") this.#request.destroy();
    else this.#request.socket?.resetAndDestroy();
  }

  async end(): Promise<string> {
    await vi.waitUntil(() => this.ended, { timeout: 20_000 });
    return this.text;
  }
}

function ask(question: string, { progress = false, id = 1 } = {}): object {
  return {
    id,
    method: "tools/call",
    params: {
      name: "ask",
      arguments: { question },
      ...(progress && { _meta: { progressToken: "p" } }),
    },
  };
}

const recordOf = (tag: string) => model.requests.find((request) => request.tag === tag);

describe.concurrent.each(COMMANDS)("on npm run %s", (command) => {
  const disconnects = LEAVES.flatMap((moment) =>
    (["close", "reset"] as const).flatMap((by) =>
      [false, true].map((progress) => ({ ...moment, moment, by, progress })),
    ),
  );
  test.concurrent.each(disconnects)(
    "a client that disconnects $when, by $by, with progress: $progress, is refunded, and the model stops",
    async ({ moment, by, progress }) => {
      const user = await User.on(urlOf(command), SECRET);
      const tag = crypto.randomUUID();
      const question = scripted({ ...moment.script, tag });
      const call = new Call(urlOf(command), user, ask(question, { progress }));
      await vi.waitUntil(() => isThere(moment, call, recordOf(tag)), {
        timeout: 10_000,
        interval: 5,
      });
      call.leave(by);
      expect(await user.resolved()).toMatchObject({ state: "refunded", reason: "disconnected" });
      await vi.waitUntil(() => recordOf(tag)?.state === "aborted", { timeout: 2_000 });
      expect(await user.quota()).toMatchObject({ charged: 0, reserved: 0, refunded: 1 });
    },
  );

  test.concurrent("a client that disconnects while tokens flow stops the model soon", async () => {
    const samples = Array.from({ length: 10 }, async (_, sample) => {
      const user = await User.on(urlOf(command), SECRET);
      const tag = crypto.randomUUID();
      const call = new Call(urlOf(command), user, ask(scripted({ ...LONG, tag })));
      await vi.waitUntil(() => (recordOf(tag)?.tokensSent ?? 0) >= 10, {
        timeout: 10_000,
        interval: 5,
      });
      await sleep(2 * sample);
      const leftAt = Date.now();
      call.leave("close");
      await vi.waitUntil(() => recordOf(tag)?.state === "aborted", { timeout: 5_000, interval: 5 });
      return (recordOf(tag)?.endedAt ?? 0) - leftAt;
    });
    const times = await Promise.all(samples);
    if (process.env.SOCKET_REPEATS)
      process.stdout.write(`${command}: ${times.sort((a, b) => a - b)} ms\n`);
    expect(Math.max(...times)).toBeLessThan(2_000);
  });

  test.concurrent("a client that stays gets the answer after long silence, and is charged", async () => {
    const user = await User.on(urlOf(command), SECRET);
    const question = scripted({ tokens: ["late", " but", " whole"], firstMs: 1_500, gapMs: 500 });
    const text = await new Call(urlOf(command), user, ask(question)).end();
    expect(text).toContain('"answer":"late but whole"');
    expect(await user.resolved()).toMatchObject({ state: "charged" });
    expect(await user.quota()).toMatchObject({ charged: 1, reserved: 0, refunded: 0 });
  });
});
