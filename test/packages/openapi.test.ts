// The OpenAPI document of a real server: what a linter says of it, and whether
// a client that is generated from it compiles and asks.

import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { words } from "./proofs.ts";
import { type Customer, DOCUMENTS, LIMIT, NOTHING_FOUND, Site } from "./site.ts";

const PACKAGES = join(import.meta.dirname, "node_modules");
const PROJECT = join(import.meta.dirname, "../..");
const PROTOCOL = join(PROJECT, "docs/protocol.md");

const COMPILER_OPTIONS = {
  target: "ES2024",
  module: "NodeNext",
  moduleResolution: "NodeNext",
  lib: ["ES2024", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  types: ["node"],
  typeRoots: [join(PROJECT, "node_modules/@types")],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  allowImportingTsExtensions: true,
  noEmit: true,
};

let site: Site;
/** Where the document and the client are. */
let folder: string;

beforeAll(async () => {
  [site, folder] = await Promise.all([Site.start(), mkdtemp(join(tmpdir(), "belay-openapi-"))]);
  const document = await fetch(`${site.url}/api/v1/openapi.json`);
  await Promise.all([
    writeFile(join(folder, "openapi.json"), await document.text()),
    writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" })),
    symlink(PACKAGES, join(folder, "node_modules")),
    copyFile(join(import.meta.dirname, "openapi/client.ts"), join(folder, "client.ts")),
    writeFile(join(folder, "documented.ts"), await documentedClient()),
  ]);
  await tool("openapi-typescript/bin/cli.js", "openapi.json", "--output", "belay.d.ts");
});
afterAll(async () => {
  await site.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The client that docs/protocol.md shows. */
async function documentedClient(): Promise<string> {
  const [, code = ""] = /```ts\n(.*?)```/s.exec(await readFile(PROTOCOL, "utf8")) ?? [];
  expect(code).toContain("openapi-fetch");
  return code;
}

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs a program of Node in the folder. */
async function node(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const options = { cwd: folder, env: { ...process.env, ...env } };
  return promisify(execFile)(process.execPath, args, options).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    ({ code, stdout, stderr }) => ({ code, output: `${stdout}${stderr}` }),
  );
}

function tool(path: string, ...args: readonly string[]): Promise<Ended> {
  return node([join(PACKAGES, path), ...args], {
    REDOCLY_TELEMETRY: "off",
    REDOCLY_SUPPRESS_UPDATE_NOTICE: "true",
  });
}

async function compile(file: string): Promise<Ended> {
  const config = `tsconfig.${file}.json`;
  const content = { compilerOptions: COMPILER_OPTIONS, files: [file] };
  await writeFile(join(folder, config), JSON.stringify(content));
  return tool("typescript/bin/tsc", "--project", config);
}

function runs(file: string, customer: Customer, ...args: readonly string[]): Promise<Ended> {
  const env = { BELAY_URL: customer.url, BELAY_TOKEN: customer.key, NODE_NO_WARNINGS: "1" };
  return node([file, ...args], env);
}

describe.concurrent("the OpenAPI document", () => {
  test("has no fault that Redocly's strictest rules know", async () => {
    const { code, output } = await tool(
      "@redocly/cli/bin/cli.js",
      ...["lint", "openapi.json", "--extends=recommended-strict", "--format=stylish"],
    );
    expect({ code, output }).toMatchObject({ code: 0 });
  });

  test("makes types by which a client compiles, and a misspelt member does not", async () => {
    expect(await compile("client.ts")).toEqual({ code: 0, output: "" });
    const text = await readFile(join(folder, "client.ts"), "utf8");
    await writeFile(
      join(folder, "misspelt.ts"),
      text.replace("body: { query,", "body: { query, tpoK: 3,"),
    );
    const { code, output } = await compile("misspelt.ts");
    expect(code).not.toBe(0);
    expect(output).toContain("tpoK");
  });
});

describe.concurrent.each(["whole", "stream"])("a generated client, asking in mode %s", (mode) => {
  const ask = async (customer: Customer, question: string) => {
    const { code, output } = await runs("client.ts", customer, mode, question);
    expect({ code, output }).toMatchObject({ code: 0 });
    return JSON.parse(output);
  };

  test("gets the whole answer with its sources, and is charged once", async () => {
    const customer = await site.customer();
    const got = await ask(customer, customer.question({ tokens: 12, gapMs: 5 }));
    expect(got).toMatchObject({ text: words(12), found: true, receipt: words(12) });
    expect(got.remaining).toBe(LIMIT - 1);
    const titles = got.sources.map(({ title }: { title: string }) => title).sort();
    expect(titles).toEqual([DOCUMENTS.quota.title, DOCUMENTS.refunds.title]);
    await customer.paid({ charged: 1 });
  });

  test("is told that nothing was found, free of charge", async () => {
    const customer = await site.customer();
    const { question, script, answer } = NOTHING_FOUND;
    const got = await ask(customer, customer.question(script, question));
    expect(got).toMatchObject({ text: answer, found: false, remaining: LIMIT });
    await customer.paid({ refunded: 1, reason: "nothing_found" });
  });

  test("is told that the quota is used up", async () => {
    const customer = await site.customer(0);
    const got = await ask(customer, customer.question());
    expect(got.status).toBe(429);
    if (mode === "whole") expect(got.refusal).toMatchObject({ code: "QUOTA_EXCEEDED" });
    await customer.paid({});
  });

  test("is told that the model failed, and pays nothing", async () => {
    const customer = await site.customer();
    const got = await ask(customer, customer.question({ tokens: 5, fault: "cut", at: 2 }));
    expect(got.refusal).toMatchObject({ type: "error", code: "GENERATION_FAILED" });
    await customer.paid({ refunded: 1, reason: "failed" });
  });
});

test("a generated client that leaves an answer is refunded, and stops the model", async () => {
  const customer = await site.customer();
  const question = customer.question({ tokens: 300, gapMs: 20 });
  const { code, output } = await runs("client.ts", customer, "leave", question);
  expect({ code, output }).toMatchObject({ code: 0 });
  await customer.paid({ refunded: 1 });
  await customer.modelStopped();
});

test("the client of the docs compiles and asks twice", async () => {
  expect(await compile("documented.ts")).toEqual({ code: 0, output: "" });
  const customer = await site.customer();
  const { code, output } = await runs("documented.ts", customer);
  expect({ code, output }).toMatchObject({ code: 0 });
  const answers = (await customer.user.queries()).map(({ answer }) => answer);
  expect(answers.length).toBe(2);
  for (const answer of answers) expect(output).toContain(answer);
  await customer.paid({ charged: 2 });
});
