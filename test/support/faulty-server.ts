// A server between a page and Belay, for the client in a real browser.
// It serves a page that holds the client, and passes the API on.
// Requests for events under `/p/NAME/` fail as the plan of that name says,
// and bodies are split anywhere.

import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type CutPoint, frameLength, hasReached } from "./event-stream.ts";
import { listen } from "./listen.ts";
import { Random } from "./random.ts";

export type Fault =
  /** The request does not reach the server. */
  | { readonly how: "unsent" }
  /** The request reaches the server; its response is lost. */
  | { readonly how: "unanswered" }
  /** Another server answers. */
  | {
      readonly how: "instead";
      readonly status: number;
      readonly type: string;
      readonly body: string;
    }
  | Cut;

/** The body breaks off. */
export interface Cut extends CutPoint {
  /** What the client sees: a reset, a proper end, or silence. */
  readonly how: "reset" | "end" | "silence";
}

export interface FaultyServer {
  readonly url: string;
  /** Bodies cut so far. */
  readonly cuts: number;
  /** Returns the url of a service that follows this plan. */
  plan(faults: readonly Fault[], seed?: number): string;
  close(): Promise<void>;
}

/** Holds only the client, as a global. */
const PAGE = `<!doctype html><html lang="en"><title>The client</title>
<script type="module">import * as belay from "/client.js"; globalThis.belay = belay;</script>`;
const EVENTS = /^\/api\/v1\/ai\/(ask|queries\/[^/]+\/events)\b/;

export async function startFaultyServer(target: string, client: string): Promise<FaultyServer> {
  const plans = new Map<string, { readonly faults: Fault[]; readonly random: Random }>();
  let cuts = 0;

  const server = createServer((near, response) => {
    const [, name, path] = /^\/p\/(\d+)(\/.*)$/.exec(near.url ?? "") ?? [];
    if (near.url === "/") response.setHeader("content-type", "text/html").end(PAGE);
    else if (near.url === "/client.js") {
      response.setHeader("content-type", "text/javascript").end(client);
    } else if (name === undefined || path === undefined) response.writeHead(404).end();
    else pass(near, response, name, path);
  });

  function pass(near: IncomingMessage, response: ServerResponse, name: string, path: string): void {
    const plan = plans.get(name);
    // A preflight is not the request.
    const isPlanned = EVENTS.test(path) && near.method !== "OPTIONS";
    const fault = isPlanned ? plan?.faults.shift() : undefined;
    if (fault?.how === "unsent") {
      near.socket.resetAndDestroy();
      return;
    }
    if (fault?.how === "instead") {
      near.resume();
      response.writeHead(fault.status, { "content-type": fault.type }).end(fault.body);
      return;
    }
    const { method, headers } = near;
    const far = request(target + path, { method, headers, agent: false });
    near.pipe(far);
    far.on("error", () => response.destroy());
    response.on("close", () => far.destroy());
    far.on("response", (answer) => {
      if (fault?.how === "unanswered") {
        near.socket.resetAndDestroy();
        return;
      }
      delete answer.headers["content-length"];
      response.writeHead(answer.statusCode ?? 500, answer.headers).flushHeaders();
      hand(answer, response, plan?.random ?? new Random(1), fault).catch(() => response.destroy());
    });
  }

  /** Passes a body on in pieces of any length, up to the cut. */
  async function hand(
    from: IncomingMessage,
    to: ServerResponse,
    random: Random,
    cut: Cut | undefined,
  ): Promise<void> {
    let passed = Buffer.alloc(0);
    for await (const bytes of from as AsyncIterable<Buffer>) {
      for (let rest = bytes; rest.length > 0; ) {
        if (cut !== undefined && hasReached(cut, passed)) return end(to, cut);
        let length = random.whole(1, Math.min(rest.length, 200));
        if (cut?.bytes !== undefined) length = Math.min(length, cut.bytes - passed.length);
        // Where events are counted, one event at a time.
        if (cut?.events !== undefined) length = frameLength(rest);
        const part = rest.subarray(0, length);
        rest = rest.subarray(length);
        if (cut !== undefined) passed = Buffer.concat([passed, part]);
        to.write(part);
        // Pieces written in one turn may arrive as one.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    if (cut !== undefined && hasReached(cut, passed)) end(to, cut);
    else to.end();
  }

  function end(to: ServerResponse, { how }: Cut): void {
    cuts += 1;
    if (how === "end") to.end();
    // A reset would overtake bytes that are still being sent.
    if (how === "reset") setTimeout(() => to.socket?.resetAndDestroy(), 5);
  }

  const url = await listen(server);
  return {
    url,
    get cuts() {
      return cuts;
    },
    plan(faults, seed = 1) {
      const name = String(plans.size);
      plans.set(name, { faults: [...faults], random: new Random(seed) });
      return `${url}/p/${name}`;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
