// Whether a model writes the answers of a server on this machine, and which
// one could.

import { connect } from "node:net";
import { generatorConfig } from "../src/config.ts";
import { localServers, USUAL_PORTS, type UsualPort } from "./local-models.ts";
import type { Writer } from "./try-it.ts";
import type { Variables } from "./variables.ts";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const CONNECT_TIMEOUT_MS = 300;

/** @param ports Where models are looked for if none is set. */
export async function writerOf(
  all: Variables,
  ownPort: number,
  ports: readonly UsualPort[] = USUAL_PORTS,
): Promise<Writer> {
  const config = generatorConfig(all);
  switch (config.kind) {
    case "extractive": {
      const servers = await localServers(ports, ownPort);
      return { model: undefined, servers, hasKey: Boolean(all.OPENAI_API_KEY) };
    }
    case "openai": {
      const { model, baseUrl } = config.endpoint;
      // Its path and query string may hold a key.
      const url = new URL(baseUrl);
      const silentHost = (await isSilent(url)) ? url.host : undefined;
      return { model, where: `at ${url.host}`, silentHost };
    }
    case "workers-ai":
      return { model: config.model, where: "of Cloudflare Workers AI", silentHost: undefined };
  }
}

/** Whether nothing listens there. Asked of this machine only. */
async function isSilent({ hostname, port, protocol }: URL): Promise<boolean> {
  if (!LOOPBACK.includes(hostname)) return false;
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port) || (protocol === "https:" ? 443 : 80),
    timeout: CONNECT_TIMEOUT_MS,
  });
  return new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(false));
    socket.once("timeout", () => resolve(false));
    socket.once("error", () => resolve(true));
  }).finally(() => socket.destroy());
}
