// A proxy that lets a test decide when each request goes on, if at all.

import { createServer, type IncomingMessage, request as send } from "node:http";
import { listen } from "./listen.ts";

export interface GatedProxy {
  readonly url: string;
  close(): void;
}

/** @param gate Called with each request, and with what passes it on unchanged. */
export async function startGatedProxy(
  target: string,
  gate: (request: IncomingMessage, pass: () => void) => void,
): Promise<GatedProxy> {
  const { host } = new URL(target);
  const proxy = createServer((near, response) => {
    gate(near, () => {
      const { method, headers } = near;
      const far = send(target + near.url, { method, headers: { ...headers, host } });
      far.on("response", (answer) => {
        response.writeHead(answer.statusCode as number, answer.headers);
        answer.pipe(response);
      });
      far.on("error", () => response.destroy());
      near.pipe(far);
    });
  });
  return {
    url: await listen(proxy),
    close() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
