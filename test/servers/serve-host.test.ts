// `npm run serve -- --host`: what it refuses, and what it prints.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ofThisMachine, urlAt } from "../../scripts/machine.ts";
import { finished, PROJECT, type } from "../support/command.ts";
import { SECRET, startServer } from "../support/server.ts";
import { bearer, request } from "../support/socket-client.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-host-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function refused(script: "start" | "serve", args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const file = join(PROJECT, "scripts", `${script}.ts`);
  return finished(type(process.execPath, [file, `--persist-to=${folder}/refused`, ...args], env));
}

const NO_ADDRESS = "--host must be an address of this machine, such as 0.0.0.0";

describe("--host", () => {
  test.concurrent.each([
    [
      "docs.example.com",
      `${NO_ADDRESS}; the name that a proxy passes on is --name docs.example.com.`,
    ],
    ["", `${NO_ADDRESS}.`],
    ["*", `${NO_ADDRESS}.`],
    ["1.2.3", `${NO_ADDRESS}.`],
    ["127.0.0.1:80", `${NO_ADDRESS}.`],
    ["fe80::1%lo", `${NO_ADDRESS}.`],
    ["[::1", `${NO_ADDRESS}.`],
  ])("refuses %j", async (host, message) => {
    expect(await refused("serve", [`--host=${host}`])).toEqual({
      code: 2,
      stdout: "",
      stderr: `${message} --help tells more.\n`,
    });
  });

  test.concurrent("refuses an address that this machine has not, and lists those that it has", async () => {
    const { code, stderr } = await refused("serve", ["--host=192.0.2.250", "--port=0"], {
      AUTH_SECRET: SECRET,
    });
    expect(code).toBe(1);
    const all = ["127.0.0.1", ...ofThisMachine()].join(", ");
    expect(stderr).toBe(
      `192.0.2.250 is not an address of this machine, which has ${all}. 0.0.0.0 listens on all IPv4 addresses.\n`,
    );
  });

  test.concurrent("refuses a port that is taken at this address, and prints the whole command", async () => {
    const other = createServer().listen(0, "127.0.0.7");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await refused("serve", ["--host=127.0.0.7", `--port=${port}`]);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `^Port ${port} is taken\\. Use another:\n\nnpm run serve -- --host 127\\.0\\.0\\.7 `,
      ),
    );
  });

  test.concurrent.each([
    ["is easily guessed", "abababababababababababababababababab"],
    ["is not set", ""],
  ])("refuses to let others in while the secret %s", async (why, secret) => {
    const { code, stderr } = await refused("serve", [
      "--host=0.0.0.0",
      "--port=0",
      `--var=AUTH_SECRET:${secret}`,
    ]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `AUTH_SECRET ${why}, and others can reach this server. Set it in the environment with --env, or in .dev.vars. To make one: openssl rand -base64 32\n`,
    );
  });

  test.concurrent.each(["--host=0.0.0.0", "--env"])("is not for npm start: %s", async (flag) => {
    expect(await refused("start", [flag])).toMatchObject({
      code: 2,
      stderr: `npm start is for this machine only. npm run serve has ${flag.replace(/=.*/, "")}. --help tells more.\n`,
    });
  });
});

test.concurrent("--env takes the variables of the environment, and flags come before them", async () => {
  const script = join(PROJECT, "test/support/serve.ts");
  const command = type(
    process.execPath,
    [
      script,
      "--host=0.0.0.0",
      "--port=0",
      "--env",
      `--persist-to=${folder}/env`,
      "--var=PAGE_TITLE:Flag",
    ],
    {
      AUTH_SECRET: SECRET,
      QUOTA_LIMIT: "7",
      PAGE_TITLE: "Environment",
      PAGE_GREETING: "",
      ALLOWED_HOSTS: "docs.example, other.example",
      TRUSTED_PROXIES: "192.0.2.1",
    },
  );
  const [, url = ""] = await expect
    .poll(() => /^Belay is ready on (\S+)$/m.exec(command.stdout()), { timeout: 30_000 })
    .toBeTruthy()
    .then(() => /^Belay is ready on (\S+)$/m.exec(command.stdout()) ?? []);
  const { port } = new URL(url);
  expect(url).toBe(`http://127.0.0.1:${port}`);
  for (const address of ofThisMachine().filter((one) => !one.includes(":"))) {
    expect(command.stdout()).toContain(`${urlAt(address, Number(port))}\n`);
  }
  expect(command.stdout()).toContain("without TLS: tokens and questions can be read on the way.");
  expect(command.stdout()).toContain("It answers to docs.example, other.example.");
  expect(command.stdout()).toContain("a proxy of TRUSTED_PROXIES tells.");
  expect(command.stdout() + command.stderr()).not.toContain(SECRET);
  const token = await bearer(SECRET, { user: "someone" });
  const quota = await request<{ limit: number }>(`${url}/api/v1/ai/quota`, { token });
  expect(quota.body.limit).toBe(7);
  const page = await request<{ title: string }>(`${url}/api/v1/page`);
  expect(page.body.title).toBe("Flag");
  const named = { headers: { host: "other.example" } };
  expect((await request(`${url}/healthz`, named)).status).toBe(200);
  command.process.kill("SIGTERM");
  expect(await command.exitCode).toBe(0);
});

test.concurrent("a server at one address listens at no other", async () => {
  const server = await startServer({ command: "serve", flags: ["--host=127.0.0.6"] });
  expect(server.url).toBe(`http://127.0.0.6:${server.port}`);
  expect((await request(`${server.url}/healthz`)).status).toBe(200);
  const elsewhere = await request(`http://127.0.0.1:${server.port}/healthz`).catch(() => undefined);
  expect(elsewhere?.status ?? 0).toBe(0);
  await server.stop();
});
