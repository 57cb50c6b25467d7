// The client's package in each runtime that it names, against the real server.
// test/browser/package.test.ts does the same in a browser.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { workerdBinary } from "../../scripts/wrangler.ts";
import { type InstalledClient, installClient } from "../support/installed-client.ts";
import { PROOF, prove } from "../support/proof.ts";
import { type ScriptedServer, startScriptedServer } from "../support/server.ts";

let client: InstalledClient;
let server: ScriptedServer;

beforeAll(async () => {
  [client, server] = await Promise.all([installClient(), startScriptedServer()]);
  await cp(PROOF, client.folder, { recursive: true });
});
afterAll(async () => {
  await server?.stop();
  await client?.remove();
});

/** The runtimes come as packages of this suite. */
const { resolve } = createRequire(import.meta.url);
const inPackage = (name: string, file: string) =>
  join(dirname(resolve(`${name}/package.json`)), file);

const RUNTIMES: Readonly<Record<string, readonly [file: string, ...args: string[]]>> = {
  "Node 22": [inPackage("node22", "bin/node")],
  "Node 24": [process.execPath],
  Deno: [inPackage("deno", "bin.cjs"), "run", "--allow-net", "--no-lock"],
  Bun: [inPackage("bun", "bin/bun.exe")],
};

async function runFile(runtime: string, name: string, ...args: string[]): Promise<string> {
  const [file, ...flags] = RUNTIMES[runtime] ?? [];
  const { stdout, stderr } = await promisify(execFile)(
    file as string,
    [...flags, join(client.folder, name), ...args],
    { cwd: client.folder, timeout: 30_000 },
  );
  expect(stderr).toBe("");
  return stdout;
}

describe("the installed client asks, stops with a refund and resumes after cuts", () => {
  test.each(Object.keys(RUNTIMES))("in %s", async (runtime) => {
    const agent = new RegExp(`^${runtime.replace("Node ", "Node.js/")}\\b`);
    await prove(server, agent, async (input) =>
      JSON.parse(await runFile(runtime, "main.mjs", JSON.stringify(input))),
    );
  });

  test("in workerd", async () => {
    await build({
      entryPoints: [join(client.folder, "worker.mjs")],
      outfile: join(client.folder, "bundled.js"),
      bundle: true,
      format: "esm",
    });
    const worker = await startWorkerd(client.folder);
    try {
      await prove(server, /^Cloudflare-Workers$/, async (input) => {
        const response = await fetch(worker.url, { method: "POST", body: JSON.stringify(input) });
        expect(response.status).toBe(200);
        return response.json();
      });
    } finally {
      await worker.stop();
    }
  });
});

test("CommonJS of Node 22 can require the installed client", async () => {
  await writeFile(
    join(client.folder, "required.cjs"),
    'console.log(typeof require("belay/client").createClient);',
  );
  const [node = ""] = RUNTIMES["Node 22"] ?? [];
  const { stdout } = await promisify(execFile)(node, [join(client.folder, "required.cjs")]);
  expect(stdout).toBe("function\n");
});

/** Plain workerd, which serves `bundled.js` of the folder. */
async function startWorkerd(folder: string) {
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "bundled.js", esModule = embed "bundled.js")],
      compatibilityDate = "2026-01-01",
      globalOutbound = "loopback")),
    (name = "loopback", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);`;
  await writeFile(join(folder, "workerd.capnp"), config);
  const args = ["serve", join(folder, "workerd.capnp"), "--control-fd=3"];
  const child = spawn(workerdBinary(), args, { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const [line] = await once(child.stdio[3] as NodeJS.ReadableStream, "data");
  const { port } = JSON.parse(String(line)) as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill();
      await once(child, "exit");
    },
  };
}
