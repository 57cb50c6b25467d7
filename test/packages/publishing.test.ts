// The client's package as publishers see it: npm publishes it, and what other
// tools say about it. The project around it cannot be published.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildClient } from "../../scripts/build-client.ts";
import { PROJECT } from "../support/command.ts";
import { type InstalledClient, installClient } from "../support/installed-client.ts";
import { type Registry, startRegistry } from "../support/registry.ts";

const run = promisify(execFile);

describe("npm publish", () => {
  let registry: Registry;
  let folder: string;

  beforeAll(async () => {
    registry = await startRegistry();
    folder = await mkdtemp(join(tmpdir(), "belay-published-"));
  });
  afterAll(async () => {
    registry.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("refuses the project itself", async () => {
    const publishing = run("npm", ["publish", "--ignore-scripts", ...registry.flags], {
      cwd: PROJECT,
    });
    await expect(publishing).rejects.toMatchObject({ stderr: expect.stringContaining("EPRIVATE") });
    expect(registry.published).toEqual([]);
  });

  test("refuses the folder that the client is built from", async () => {
    const publishing = run("npm", ["publish", "./src/client", ...registry.flags], { cwd: PROJECT });
    await expect(publishing).rejects.toMatchObject({
      stderr: expect.stringContaining("EPRIVATE"),
    });
    expect(registry.published).toEqual([]);
  });

  test("takes the built client, which npm install then finds by its name", async () => {
    const built = join(folder, "built");
    await buildClient(built, "@acme/answers");
    await run("npm", ["publish", built, "--access=public", ...registry.flags], { cwd: folder });
    expect(registry.published).toEqual(["@acme/answers"]);
    await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
    const args = ["install", "@acme/answers", "--no-audit", "--no-fund", ...registry.flags];
    await run("npm", args, { cwd: folder });
    const lock = JSON.parse(await readFile(join(folder, "package-lock.json"), "utf8"));
    expect(Object.keys(lock.packages)).toEqual(["", "node_modules/@acme/answers"]);
    const code =
      'import("@acme/answers/client").then((client) => console.log(Object.keys(client)))';
    const { stdout } = await run(process.execPath, ["--eval", code], { cwd: folder });
    expect(stdout).toContain("createClient");
  });
});

describe("a checker of packages", () => {
  let client: InstalledClient;
  beforeAll(async () => {
    client = await installClient();
  });
  afterAll(() => client?.remove());

  test("publint finds nothing to say", async () => {
    const { messages } = await publint({
      pkgDir: join(client.folder, "node_modules/belay"),
      level: "suggestion",
      strict: true,
    });
    expect(messages).toEqual([]);
  });

  test("arethetypeswrong finds nothing wrong with an ES module", async () => {
    const manifest = createRequire(import.meta.url).resolve("@arethetypeswrong/cli/package.json");
    const { bin } = JSON.parse(await readFile(manifest, "utf8"));
    const attw = join(dirname(manifest), bin.attw);
    const args = [attw, client.tarball, "--format=json", "--ignore-rules=cjs-resolves-to-esm"];
    const { stdout } = await run(process.execPath, args).catch((failed) => failed);
    const { analysis } = JSON.parse(stdout);
    expect(analysis.types).toEqual({ kind: "included" });
    expect(Object.keys(analysis.entrypoints)).toEqual(["./client", "./package.json"]);
    // CommonJS gets an ES module, which Node can require.
    const kinds = analysis.problems.map(({ kind }: { kind: string }) => kind);
    expect(kinds.filter((kind: string) => kind !== "CJSResolvesToESM")).toEqual([]);
  });
});
