// The container image, as far as it can be had without a container engine: its
// own steps on the files that it is built from, without the right to write to
// them, and the program, the health check and the signal that its file names.

import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { finished, PROJECT, type Typed, type } from "../support/command.ts";
import { SECRET } from "../support/server.ts";
import { bearer, request } from "../support/socket-client.ts";

interface Instruction {
  readonly name: string;
  readonly words: string;
}

let folder: string;
let instructions: readonly Instruction[];
const built = () => join(folder, "dist/server");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-image-"));
  const file = await readFile(join(PROJECT, "Dockerfile"), "utf8");
  instructions = file
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll("\\\n", "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, name = "", words = ""] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
      return { name, words };
    });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function all(name: string): string[] {
  return instructions.filter((one) => one.name === name).map(({ words }) => words);
}

/** As a user who may write to nothing that is closed to its owner. */
function unprivileged(words: readonly string[], env: NodeJS.ProcessEnv): Typed {
  const [file = "", ...args] =
    process.getuid?.() === 0
      ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all", ...words]
      : words;
  return type(file, args, env);
}

describe("the Dockerfile", () => {
  test("names one base exactly, with the Node of this project, and no root", async () => {
    const { devDependencies } = JSON.parse(await readFile(join(PROJECT, "package.json"), "utf8"));
    const base = `node:${devDependencies.node}-bookworm-slim`;
    expect(all("FROM")).toEqual([`${base} AS build`, base]);
    const after = instructions.findIndex(({ name }) => name === "USER");
    expect(instructions[after]?.words).toBe("node");
    expect(instructions.slice(after).filter(({ name }) => /^(RUN|COPY|ADD)$/.test(name))).toEqual(
      [],
    );
    expect(all("VOLUME")).toEqual(["/data"]);
    // The form without a shell: the server itself gets the signals.
    expect(JSON.parse(all("ENTRYPOINT").join())).toContain("--persist-to=/data");
  });

  test("takes nothing in but what .dockerignore lists, and no secret", async () => {
    const ignored = await readFile(join(PROJECT, ".dockerignore"), "utf8");
    const [first, ...others] = ignored.split("\n").filter((line) => /^[^#]/.test(line));
    expect(first).toBe("*");
    expect(others.every((line) => /^!\.?[\w-]+(\.\w+)?$/.test(line))).toBe(true);
    expect(others.join("\n")).not.toMatch(/dev\.vars|wrangler$|belay$|git|data/m);
    const text = await readFile(join(PROJECT, "Dockerfile"), "utf8");
    expect(text).not.toMatch(/SECRET|API_KEY|ARG /);
  });
});

test("what the image is built from serves without a package, and writes to its data only", async () => {
  const ignored = await readFile(join(PROJECT, ".dockerignore"), "utf8");
  for (const [, path = ""] of ignored.matchAll(/^!(.+)$/gm)) {
    await cp(join(PROJECT, path), join(folder, path), { recursive: true });
  }
  await symlink(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  const [, , step = ""] = ["", ...all("RUN")];
  expect(step).toBe("node scripts/build-server.ts");
  await promisify(execFile)(process.execPath, step.split(" ").slice(1), { cwd: folder });
  await rm(join(folder, "node_modules"));
  await promisify(execFile)("chmod", ["-R", "a-w", built()]);

  const [, ...words] = JSON.parse(all("ENTRYPOINT").join()) as string[];
  const data = join(folder, "data");
  const args = words.map((word) =>
    word.startsWith("scripts/") ? join(built(), word) : word.replace("=/data", `=${data}`),
  );
  const server = unprivileged([process.execPath, ...args, "--port=0"], {
    AUTH_SECRET: SECRET,
    QUOTA_LIMIT: "3",
    SSL_CERT_FILE: join(built(), "built/authorities.pem"),
  });
  await expect
    .poll(() => server.stdout() + server.stderr(), { timeout: 30_000 })
    .toContain("Page ");
  const [, url = ""] = /ready on (\S+)\n/.exec(server.stdout()) ?? [];

  const [, check = ""] = /CMD (\[.*\])$/.exec(all("HEALTHCHECK").join()) ?? [];
  const healthy = (at: string) => {
    const [, ...rest] = JSON.parse(check.replace("http://127.0.0.1:8787", at)) as string[];
    return finished(type(process.execPath, rest));
  };
  expect(await healthy(url)).toMatchObject({ code: 0 });

  const token = await bearer(SECRET, { user: "someone" });
  const asked = await request(`${url}/api/v1/ai/ask`, {
    method: "POST",
    token,
    body: { query: "What is Belay?" },
  });
  expect(asked.status).toBe(200);
  const quota = await request<{ limit: number }>(`${url}/api/v1/ai/quota`, { token });
  expect(quota.body.limit).toBe(3);
  const made = await finished(
    unprivileged([process.execPath, join(built(), "scripts/token.js"), "--user=other"], {
      AUTH_SECRET: SECRET,
    }),
  );
  const other = await request(`${url}/api/v1/ai/quota`, { token: made.stdout.trim() });
  expect(other.status).toBe(200);

  server.process.kill("SIGTERM");
  expect(await server.exitCode).toBe(0);
  expect(server.stdout() + server.stderr()).not.toMatch(new RegExp(`${SECRET}|eyJ`));
  expect(await healthy(url)).toMatchObject({ code: 1 });
});
