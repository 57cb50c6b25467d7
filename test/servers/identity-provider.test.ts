// The commands with an identity provider: they start without
// a secret, and say why they sign nothing. And the server
// while the provider is slow, broken or down: in plain
// workerd no request may wait in the context of another.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "../support/server.ts";
import { Exchange, request } from "../support/socket-client.ts";

const PROJECT = join(import.meta.dirname, "../..");

const AT_ONCE = 20;

let folder: string;
/** Plain workerd for all tests. It fetches the provider's keys. */
let server: RunningServer;
/** When it had fetched the keys. */
let keysFetchedAt = 0;
let provider: Server;
let keysUrl: string;
let privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];
let fetches = 0;
let works: typeof answer;
/** The provider's response; by default its keys. */
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-provider-"));
  const keys = await generateKeyPair("ES256");
  privateKey = keys.privateKey;
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "1", alg: "ES256" };
  works = (response) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [jwk] }));
  };
  answer = works;
  provider = createServer((_request, response) => {
    fetches += 1;
    answer(response);
  });
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
  keysUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys.json`;
  server = await startServer({
    command: "serve",
    vars: { AUTH_JWKS_URL: keysUrl, AUTH_ALGORITHM: "ES256", AUTH_SECRET: "" },
  });
});
afterAll(async () => {
  await server.stop();
  provider.closeAllConnections();
  provider.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a server whose identity provider", () => {
  test("hangs is asked once for all waiting requests, which get an error", async () => {
    answer = () => {};
    const { statuses, fetched, ms } = await together(await bearer("alice"));
    expect({ statuses, fetched }).toEqual({ statuses: [503], fetched: 1 });
    expect(ms).toBeLessThan(10_000);
  });

  test.each<[string, () => (response: ServerResponse) => void]>([
    ["answers 500", () => (response) => response.writeHead(500).end()],
    ["never ends its answer", () => (response) => void response.write('{"keys":[')],
    ["sends more than a key set can be", () => endless],
  ])("%s is asked once for all waiting requests", async (_how, broken) => {
    await delay(2_000);
    answer = broken();
    const { statuses, fetched } = await together(await bearer("alice"));
    expect({ statuses, fetched }).toEqual({ statuses: [503], fetched: 1 });
  });

  test("is slow is asked once for all, even if the first client disconnects", async () => {
    await delay(4_000);
    answer = (response) => setTimeout(() => works(response), 1_000);
    const before = fetches;
    const headers = await bearer("alice");
    const first = new Exchange(`${server.url}/api/v1/ai/quota`, { headers });
    await expect.poll(() => fetches - before).toBe(1);
    const others = together(headers);
    first.reset();
    expect(await others).toMatchObject({ statuses: [200] });
    keysFetchedAt = performance.now();
    expect(fetches - before).toBe(1);
  });

  test("is down again is not asked for invented key ids", async () => {
    answer = () => {};
    const { statuses, fetched, ms } = await together(await stranger());
    expect({ statuses, fetched }).toEqual({ statuses: [401], fetched: 0 });
    expect(ms).toBeLessThan(2_000);
    answer = works;
  });
});

describe.each(["start", "serve"] as const)("%s with AUTH_JWKS_URL", (script) => {
  test("accepts the provider's tokens, and prints no commands", async () => {
    const server = spawn(process.execPath, [
      join(PROJECT, "scripts", `${script}.ts`),
      "--port=0",
      `--persist-to=${join(folder, script)}`,
      // Overrides the secret that other tests have put into .dev.vars.
      `--var=AUTH_JWKS_URL:${keysUrl}`,
      "--var=AUTH_ALGORITHM:ES256",
    ]);
    const ended = once(server, "close");
    const printed = await readyOutput(server);
    const [, url] = /^Belay is ready on (\S+)$/m.exec(printed) ?? [];
    expect(printed).toContain("only its identity provider can sign bearer tokens");
    expect(printed).not.toContain("curl");

    const before = fetches;
    for (let i = 0; i < 3; i += 1) {
      const quota = await fetch(`${url}/api/v1/ai/quota`, { headers: await bearer("alice") });
      expect(await quota.json()).toMatchObject({ limit: 20, charged: 0 });
    }
    expect(fetches - before).toBe(1);
    const list = await fetch(`${url}/api/v1/admin/documents`, {
      headers: await bearer("olivia", "operator"),
    });
    expect(await list.json()).toEqual({ documents: [], after: null });
    const stranger = await fetch(`${url}/api/v1/ai/quota`, {
      headers: { authorization: "Bearer x.y.z" },
    });
    expect(stranger.status).toBe(401);

    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });

  test("refuses AUTH_SECRET beside it", async () => {
    const project = await freshProject(`AUTH_JWKS_URL=${keysUrl}\nAUTH_SECRET=${"x".repeat(40)}\n`);
    const { code, stderr, stdout } = await typed(project, script, [
      "--port=0",
      `--persist-to=${join(project, "data")}`,
    ]);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^The variable AUTH_JWKS_URL is set beside AUTH_SECRET/m);
    expect(stderr).not.toContain("x".repeat(40));
  });
});

describe("npm run token with AUTH_JWKS_URL in .dev.vars", () => {
  test("signs nothing, makes no secret, and says why", async () => {
    const vars = `AUTH_JWKS_URL=${keysUrl}\n`;
    const project = await freshProject(vars);
    expect(await typed(project, "token", ["--user=alice"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "AUTH_JWKS_URL is set, so only its identity provider can sign bearer tokens.\n",
    });
    expect(await readFile(join(project, ".dev.vars"), "utf8")).toBe(vars);
  });
});

describe("an identity provider that", () => {
  test("hangs for a new key does not delay requests with known keys", async () => {
    // A new key may take this long to be fetched.
    await delay(keysFetchedAt + 31_000 - performance.now());
    answer = () => {};
    const [before, started] = [fetches, performance.now()];
    const strangers = together(await stranger());
    await expect.poll(() => fetches - before).toBe(1);
    expect(await together(await bearer("alice"))).toMatchObject({ statuses: [200] });
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await strangers).toMatchObject({ statuses: [503] });
    expect(fetches - before).toBe(1);
    expect(await together(await bearer("alice"))).toMatchObject({ statuses: [200], fetched: 0 });
  });
});

const quota = (headers: Record<string, string>) =>
  request(`${server.url}/api/v1/ai/quota`, { headers, timeoutMs: 15_000 });

/** Many requests at once: statuses, fetches of the keys, and time in ms. */
async function together(headers: Record<string, string>) {
  const [before, started] = [fetches, performance.now()];
  const replies = await Promise.all(Array.from({ length: AT_ONCE }, () => quota(headers)));
  const statuses = [...new Set(replies.map(({ status }) => status))];
  return { statuses, fetched: fetches - before, ms: performance.now() - started };
}

const stranger = () => bearer("mallory", "", randomUUID());

/** Endless spaces, which JSON allows. */
function endless(response: ServerResponse): void {
  const write = () => {
    while (!response.destroyed && response.write(" ".repeat(64 * 1024)));
    if (!response.destroyed) response.once("drain", write);
  };
  write();
}

/** The output of a server until it is ready. */
async function readyOutput(server: ChildProcess): Promise<string> {
  let stdout = "";
  let stderr = "";
  server.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  server.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  while (!stdout.includes("Belay is ready")) {
    if (server.exitCode !== null) throw new Error(stderr);
    await delay(20);
  }
  return stdout;
}

async function bearer(sub: string, scope = "", kid = "1"): Promise<Record<string, string>> {
  const token = await new SignJWT({ scope })
    .setProtectedHeader({ alg: "ES256", kid })
    .setSubject(sub)
    .setExpirationTime("1h")
    .sign(privateKey);
  return { authorization: `Bearer ${token}` };
}

async function typed(project: string, script: string, args: readonly string[]) {
  const command = [join(project, "scripts", `${script}.ts`), ...args];
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, command)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

/** A fresh checkout with its own variables. */
async function freshProject(vars: string): Promise<string> {
  const project = await mkdtemp(join(folder, "fresh-"));
  for (const part of ["scripts", "src", "package.json", "wrangler.toml"]) {
    await cp(join(PROJECT, part), join(project, part), { recursive: true });
  }
  await symlink(join(PROJECT, "node_modules"), join(project, "node_modules"));
  await writeFile(join(project, ".dev.vars"), vars);
  return project;
}
