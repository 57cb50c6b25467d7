// What the documentation of the "Deploy to Cloudflare" button asks of a
// repository (developers.cloudflare.com/workers/platform/deploy-buttons), read
// from the files as it reads them.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { configuration } from "../../scripts/configuration.ts";
import { planOf } from "../../scripts/deploy/plan.ts";
import { SECRETS } from "../../src/config.ts";
import { PROJECT } from "../support/command.ts";

const read = (name: string) => readFileSync(join(PROJECT, name), "utf8");
const toml = parse(read("wrangler.toml"));
const manifest = JSON.parse(read("package.json"));
const asked = parseEnv(read(".dev.vars.example"));
const described: Record<string, { description: string }> = manifest.cloudflare.bindings;

/** What it provisions or deploys, and what needs no resource. */
const SUPPORTED = new Set([
  ...["ai", "d1_databases", "durable_objects", "hyperdrive", "kv_namespaces", "queues"],
  ...["r2_buckets", "secrets_store_secrets", "vectorize"],
  ...["assets", "build", "migrations", "ratelimits", "vars"],
  ...["name", "main", "compatibility_date", "compatibility_flags", "keep_names"],
]);

test("the repository is one Workers application at its top, with a lock file", () => {
  expect(toml).toMatchObject({ name: expect.any(String), main: expect.any(String) });
  expect(existsSync(join(PROJECT, String(toml.main)))).toBe(true);
  expect(existsSync(join(PROJECT, "package-lock.json"))).toBe(true);
  expect(manifest.workspaces).toBeUndefined();
});

test("wrangler.toml declares only what the button can provide", () => {
  expect(Object.keys(toml).filter((key) => !SUPPORTED.has(key))).toEqual([]);
});

test("every binding has all of its names and ids", () => {
  const blank = JSON.stringify(toml).match(/"[a-z_]+":(?:""|"<[^"]*>"|null)/g);
  expect(blank).toBeNull();
});

test("the top level is the deployment: no environment has to be named", () => {
  expect(toml.env).toBeUndefined();
  expect(toml.vars).toMatchObject({ GENERATOR: "workers-ai" });
  expect(toml.ai).toEqual({ binding: "AI" });
});

test("the script `deploy`, which it runs, exists, and no script `build` runs before it", () => {
  expect(manifest.scripts.deploy).toBe("exec node scripts/deploy.ts");
  expect(manifest.scripts.build).toBeUndefined();
});

test("it asks for the secrets that this deployment requires, and for no other", async () => {
  const { needs } = planOf(await configuration());
  const required = needs.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  expect(Object.keys(asked)).toEqual(required);
});

test("it prefills no secret: what is prefilled would be deployed", () => {
  expect(Object.values(asked).filter((value) => value !== "")).toEqual([]);
});

test(".dev.vars.example names every secret, the others in comments", () => {
  const named = [...read(".dev.vars.example").matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, n]) => n);
  expect(new Set(named)).toEqual(new Set(SECRETS));
});

test("what it asks for has a description, in the Markdown that it shows", async () => {
  const { bindings, variables } = planOf(await configuration());
  const wanted = [...Object.keys(asked), ...Object.keys(variables)];
  expect(wanted.filter((name) => !(name in described))).toEqual([]);
  const known = new Set<string>([...wanted, ...bindings, ...SECRETS]);
  expect(Object.keys(described).filter((name) => !known.has(name))).toEqual([]);
  for (const { description } of Object.values(described)) {
    // Inline code, bold, italics and links, and nothing else.
    const plain = description
      .replace(/`[^`]+`|\*\*[^*]+\*\*|__[^_]+__/g, "")
      .replace(/\[[^\]]+\]\(https:\/\/[^)]+\)/g, "");
    expect(plain).toMatch(/^[^`*_[\]<>#\n]+$/);
  }
});
