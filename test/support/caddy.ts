// A real Caddy over TLS, with the configuration of examples/caddy and the
// certificate authority that Caddy makes for tests.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { PROJECT } from "./command.ts";

export interface Caddy {
  readonly url: string;
  /** The certificate that signs the site's. */
  readonly authority: string;
  stop(): Promise<void>;
}

/** @param upstream The address of the server behind it. */
export async function startCaddy(name: string, upstream: string): Promise<Caddy> {
  const folder = await mkdtemp(join(tmpdir(), "belay-caddy-"));
  const url = `https://${name}:${await freePort()}`;
  const config = join(folder, "Caddyfile");
  await writeFile(
    config,
    `{
	admin off
	local_certs
	skip_install_trust
	auto_https disable_redirects
	storage file_system ${join(folder, "storage")}
}
import ${join(PROJECT, "examples/caddy/Caddyfile")}
`,
  );
  const child = spawn("caddy", ["run", "--config", config, "--adapter", "caddyfile"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, HOME: folder, BELAY_SITE: url, BELAY_UPSTREAM: upstream },
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const failed = once(child, "error").then(([error]) => {
    throw new Error(`Caddy cannot be started: apt-get install caddy. ${error}`);
  });
  const ended = once(child, "exit").catch(() => {});
  const root = join(folder, "storage/pki/authorities/local/root.crt");
  const ready = vi.waitFor(
    () => {
      if (!log.includes("serving initial configuration") || !log.includes("certificate obtained")) {
        throw new Error(`Caddy is not ready:\n${log}`);
      }
    },
    { timeout: 20_000, interval: 50 },
  );
  await Promise.race([ready, failed]);
  return {
    url,
    authority: await readFile(root, "utf8"),
    async stop() {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Caddy takes no port 0. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
