// A proxy that tampers as told and counts the client's POSTs.
// Everything else is passed on unchanged, disconnects too.

import { once } from "node:events";
import { createServer, request } from "node:http";
import { listen } from "./listen.ts";

export interface Tampering {
  /** Reads on after a disconnect, so that the server cannot notice. */
  readonly hidesDisconnects?: boolean;
  /** Rewrites each part of a body. The server writes whole events. */
  readonly body?: (part: string, status: number) => string;
  /** Cuts the connection on both sides after a part that contains this. */
  readonly cutsBehind?: string;
}

export interface TamperingProxy {
  readonly url: string;
  readonly posts: number;
  close(): Promise<void>;
}

export async function startTamperingProxy(
  target: string,
  { hidesDisconnects = false, body, cutsBehind }: Tampering,
): Promise<TamperingProxy> {
  let posts = 0;
  const proxy = createServer((near, response) => {
    if (near.method === "POST") posts += 1;
    const { method, headers } = near;
    const far = request(target + near.url, { method, headers, agent: false });
    near.pipe(far);
    far.on("response", (answer) => {
      const status = answer.statusCode as number;
      if (body !== undefined) delete answer.headers["content-length"];
      response.writeHead(status, answer.headers);
      answer.setEncoding("utf8").on("data", (part: string) => {
        response.write(body?.(part, status) ?? part, () => {
          if (cutsBehind !== undefined && part.includes(cutsBehind)) response.destroy();
        });
      });
      answer.on("end", () => response.end());
    });
    far.on("error", () => response.destroy());
    response.on("close", () => hidesDisconnects || far.destroy());
  });
  const url = await listen(proxy);
  return {
    url,
    get posts() {
      return posts;
    },
    async close() {
      const closed = once(proxy, "close");
      proxy.close();
      proxy.closeAllConnections();
      await closed;
    },
  };
}
