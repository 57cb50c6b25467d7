// `npm run deploy` with the real wrangler, against Cloudflare's API as
// ../support/cloudflare-api.ts has it, which serves what wrangler uploads.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { originOfTargets } from "../../scripts/deploy/addresses.ts";
import { SECRETS, VARIABLES } from "../../src/config.ts";
import { CloudflareApi, type CloudflareOptions } from "../support/cloudflare-api.ts";
import { finished, PROJECT, scriptOf, type } from "../support/command.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";

/** vitest.config.ts builds it. */
const PAGE = join(PROJECT, "dist/page");
const SECRET = "the secret of a deployment, of 32 bytes";
/** No variable of the person who runs these tests. */
const NOBODY: NodeJS.ProcessEnv = {
  CLOUDFLARE_API_TOKEN: "",
  CLOUDFLARE_ACCOUNT_ID: "",
  CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9",
  WORKERS_CI: "",
  BELAY_TOKEN: "",
  ...Object.fromEntries(SECRETS.map((name) => [name, ""])),
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-deploys-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A clone in which nothing was started yet. */
async function freshClone(change: (toml: string) => string = (toml) => toml): Promise<string> {
  const project = await mkdtemp(join(folder, "clone-"));
  for (const part of ["conformance", "scripts", "src", "package.json"]) {
    await cp(join(PROJECT, part), join(project, part), { recursive: true });
  }
  await symlink(join(PROJECT, "node_modules"), join(project, "node_modules"));
  const toml = await readFile(join(PROJECT, "wrangler.toml"), "utf8");
  await writeFile(join(project, "wrangler.toml"), change(toml));
  return project;
}

/** The same with a page that is built: to build one takes a second of CPU. */
async function clone(change: (toml: string) => string = (toml) => toml): Promise<string> {
  const project = await freshClone((toml) => change(toml.replace(/^\[build\]\ncommand.*$/m, "")));
  await cp(PAGE, join(project, "dist/page"), { recursive: true });
  return project;
}

interface Run {
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs it where all temporary files of it can be seen. */
async function deploy(project: string, { args = [], env = {} }: Run = {}) {
  const temporary = await mkdtemp(join(folder, "tmp-"));
  const command = type(process.execPath, [scriptOf("deploy", project), ...args], {
    ...NOBODY,
    ...homeIn(temporary),
    ...env,
  });
  const { code, stdout, stderr } = await finished(command);
  const left = (await readdir(temporary)).filter((name) => name.startsWith("belay-"));
  expect(left).toEqual([]);
  return { code, stdout, stderr, said: stdout + stderr };
}

/** Without the login of the person who runs these tests, which stays as it is. */
function homeIn(temporary: string): NodeJS.ProcessEnv {
  return {
    HOME: temporary,
    XDG_CONFIG_HOME: join(temporary, "config"),
    WRANGLER_CACHE_DIR: join(temporary, "cache"),
    TMPDIR: temporary,
  };
}

async function withApi<T>(
  options: CloudflareOptions,
  use: (api: CloudflareApi) => Promise<T>,
): Promise<T> {
  const api = await CloudflareApi.start(options);
  try {
    return await use(api);
  } finally {
    await api.stop();
  }
}

describe.concurrent("npm run deploy -- --dry-run in a fresh clone, without an account,", () => {
  test("names every binding, variable and secret, and exits with 3 for a missing one", async () => {
    const project = await freshClone();
    const { code, stdout, stderr } = await deploy(project, { args: ["--dry-run"] });
    const toml = parse(await readFile(join(project, "wrangler.toml"), "utf8"));
    const text = JSON.stringify(toml, (key, value) => (key === "migrations" ? [] : value));
    const declared = [...text.matchAll(/"(?:name|binding)":"([A-Z_]+)"/g)].map(([, name]) => name);
    expect(declared.length).toBeGreaterThan(6);
    for (const name of [...declared, "VECTORIZE", ...VARIABLES, ...SECRETS]) {
      expect(stdout).toMatch(new RegExp(`^ {2}(?:[A-Z_]+ )*${name}\\b`, "m"));
    }
    expect(stdout).toMatch(/^ {2}AUTH_SECRET {2,}missing: signs bearer tokens$/m);
    expect(stdout).toMatch(/^ {2}GENERATOR {2,}set$/m);
    expect(stderr).toMatch(/^Missing: AUTH_SECRET\. .* Nothing was deployed\.\n$/);
    expect(code).toBe(3);
  });

  test("accepts what works on Cloudflare only, and leaves out a key that nothing uses", async () => {
    const project = await clone((toml) =>
      toml
        .replace("[vars]\n", '[vars]\nJURISDICTION = "eu"\nRETRIEVER = "hybrid"\n')
        .replace("[vars]\n", '[vars]\nALLOWED_HOSTS = "belay.example.com"\n')
        .replace(/^# (\[\[vectorize\]\]|binding = "VECTORIZE"|index_name)/gm, "$1"),
    );
    await writeFile(join(project, "ci.vars"), `AUTH_SECRET="${SECRET}"\n`);
    const { code, said } = await deploy(project, {
      args: ["--dry-run", "--secrets-file=ci.vars"],
      env: { OPENAI_API_KEY: "a key of another program" },
    });
    expect(said).toMatch(/^ {2}VECTORIZE {2,}the index of vectors$/m);
    expect(said).toMatch(/^ {2}AUTH_SECRET {2,}given by ci\.vars$/m);
    expect(said).toMatch(/^ {2}OPENAI_API_KEY {2,}not needed$/m);
    expect(said).toMatch(/\nThe Worker accepts this configuration\. Nothing was sent\.\n$/);
    expect(said).not.toContain(SECRET);
    expect(code).toBe(0);
  });

  test.each([
    ["a short secret", "", { AUTH_SECRET: "too short" }, "AUTH_SECRET must be at least 32 bytes"],
    ["a wrong place", 'JURISDICTION = "moon"', {}, "JURISDICTION must be eu or fedramp"],
    ["a secret for all to read", `AUTH_SECRET = "${SECRET}"`, {}, "Remove it from [vars]"],
  ])("refuses %s, with exit code 1", async (_, line, env, message) => {
    const project = await clone((toml) => toml.replace("[vars]\n", `[vars]\n${line}\n`));
    const { code, said, stderr } = await deploy(project, {
      args: ["--dry-run"],
      env: { AUTH_SECRET: SECRET, ...env },
    });
    expect(stderr).toContain(message);
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain("too short");
    expect(code).toBe(1);
  });
});

describe.concurrent("npm run deploy uploads nothing", () => {
  test.each([
    ["without a login", {}, { CLOUDFLARE_API_TOKEN: "" }, "Log in with npx wrangler login", 1],
    ["if Cloudflare refuses the login", { failing: ["GET /", 403] }, {}, "Log in with", 1],
    ["if the login has several accounts", { accounts: ["one", "two"] }, {}, "`two`", 1],
    [
      "without a secret",
      { workers: { belay: [] } },
      { AUTH_SECRET: "" },
      "Missing: AUTH_SECRET.",
      3,
    ],
    [
      "beside a deployment of an earlier release",
      { workers: { "belay-production": [] } },
      {},
      'write name = "belay-production" in wrangler.toml',
      1,
    ],
  ] as [string, CloudflareOptions, NodeJS.ProcessEnv, string, number][])(
    "%s",
    async (_, options, others, message, exit) => {
      await withApi(options, async (api) => {
        const env = { ...api.environment, AUTH_SECRET: SECRET, ...others };
        const { code, said } = await deploy(await clone(), { env });
        expect(said).toContain(message);
        expect(said).not.toContain(SECRET);
        expect([code, api.uploads]).toEqual([exit, []]);
      });
    },
  );

  test("and keeps the old secrets, if the upload fails", async () => {
    const options = {
      workers: { belay: ["AUTH_SECRET"] },
      failing: ["PUT /accounts", 400],
    } as const;
    await withApi(options, async (api) => {
      const env = { ...api.environment, AUTH_SECRET: SECRET };
      const { code, stderr } = await deploy(await clone(), { env });
      expect(stderr).toMatch(
        /either both are in place or neither\. Mend it and run the command again\.\n$/,
      );
      expect(stderr).toContain("This API refuses it.");
      expect(stderr).not.toContain(SECRET);
      expect([code, api.secretsOf("belay")]).toEqual([1, { AUTH_SECRET: "" }]);
    });
  });
});

test("npm run deploy in Workers Builds, as the button runs it, deploys and names what is missing", async () => {
  await withApi({}, async (api) => {
    // Its address is not reached from here.
    const project = await clone();
    const { code, stderr } = await deploy(project, {
      env: { ...api.environment, WORKERS_CI: "1" },
    });
    expect(stderr).toContain("Until it has AUTH_SECRET, the deployment refuses every request.");
    expect(code).toBe(0);
    expect(api.secretsOf("belay")).toEqual({});
    expect(api.uploads[0]?.bindings).toContainEqual({ type: "ai", name: "AI" });
    expect(api.uploads[0]?.bindings).toContainEqual({
      type: "plain_text",
      name: "GENERATOR",
      text: "workers-ai",
    });
  });
});

describe("npm run deploy", () => {
  let model: ModelServer;
  let api: CloudflareApi;
  let project: string;

  beforeAll(async () => {
    model = await startModelServer();
    api = await CloudflareApi.start({ serves: true });
    const lines = Object.entries({ ...model.vars, PING_INTERVAL_MS: "50" });
    const vars = lines.map(([name, value]) => `${name} = "${value}"\n`).join("");
    project = await clone((toml) => toml.replace('GENERATOR = "workers-ai"\n', vars));
  });
  afterAll(async () => {
    await api?.stop();
    await model?.close();
  });

  test("uploads the Worker with its secret, loads documents, runs the canary and prints addresses", async () => {
    const args = [`--url=${api.workerUrl}`, `--ingest=${join(PROJECT, "examples/handbook")}`];
    const env = { ...api.environment, AUTH_SECRET: SECRET };
    const { code, stdout, said } = await deploy(project, { args, env });
    expect(said).not.toContain(SECRET);
    expect(stdout).toContain("5 added");
    expect(stdout).toMatch(/^Disconnected on \w+: refunded within \d+ ms/m);
    expect(stdout).toContain(`Belay is deployed on ${api.workerUrl}\n`);
    for (const path of ["/console", "/embed.js", "/api/v1", "/v1", "/mcp"]) {
      expect(stdout).toContain(`${api.workerUrl}${path}`);
    }
    expect(code).toBe(0);
    expect(api.secretsOf("belay")).toEqual({ AUTH_SECRET: SECRET });
    const declared = api.uploads[0]?.bindings.map(({ name, type: kind }) => `${kind} ${name}`);
    expect(declared).toEqual(
      expect.arrayContaining([
        "ai AI",
        "durable_object_namespace USERS",
        "durable_object_namespace CORPUS",
        "ratelimit SESSION_RATE",
        "assets ASSETS",
        "secret_text AUTH_SECRET",
      ]),
    );
  });

  test("the second time takes the secret of the deployment, and needs none for it", async () => {
    const args = [`--url=${api.workerUrl}`];
    const { code, said } = await deploy(project, { args, env: api.environment });
    expect(said).toContain("The canary was not run. Set AUTH_SECRET");
    expect(code).toBe(0);
    expect(api.secretsOf("belay")).toEqual({ AUTH_SECRET: SECRET });
    expect(api.uploads.length).toBe(2);
  });

  test("replaces the secret: what the previous one signed is accepted", async () => {
    const old = await token(project, { AUTH_SECRET: SECRET });
    const next = "the next secret of a deployment, 32 bytes";
    await writeFile(
      join(project, ".deploy.vars"),
      `AUTH_SECRET="${next}"\nAUTH_SECRET_PREVIOUS="${SECRET}"\n`,
    );
    const args = [`--url=${api.workerUrl}`];
    const { code, said } = await deploy(project, { args, env: api.environment });
    expect(said).toMatch(/^Disconnected on /m);
    expect([code, said.includes(next), said.includes(SECRET)]).toEqual([0, false, false]);
    for (const bearer of [old, await token(project, {})]) {
      const headers = { authorization: `Bearer ${bearer}` };
      expect((await fetch(`${api.workerUrl}/api/v1/ai/quota`, { headers })).status).toBe(200);
    }
  });
});

/** Signs for the deployment of a clone. */
async function token(project: string, env: NodeJS.ProcessEnv): Promise<string> {
  const args = [scriptOf("token", project), "--deployed", "--user=someone"];
  const { code, stdout } = await finished(type(process.execPath, args, { ...NOBODY, ...env }));
  expect(code).toBe(0);
  return stdout.trim();
}

describe.concurrent("npm run deploy in a terminal", () => {
  test("asks again for a short secret, shows nothing that is typed, and makes one on Enter", async () => {
    await withApi({}, async (api) => {
      // So that nothing is asked after the upload.
      const project = await clone((toml) => `workers_dev = false\n${toml}`);
      const { code, said } = await typed(project, api, ["short-one\r", "\r"]);
      expect(said).toContain("AUTH_SECRET must be at least 32 bytes long.");
      expect(said).not.toContain("short-one");
      const file = join(project, ".deploy.vars");
      const [, made] = /^AUTH_SECRET=([\w-]{43})\n$/.exec(await readFile(file, "utf8")) ?? [];
      expect(made).toBeDefined();
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(api.secretsOf("belay")).toEqual({ AUTH_SECRET: made });
      expect(said).toContain("A new AUTH_SECRET is in .deploy.vars, which git ignores.");
      expect(said).not.toContain(made);
      expect(said).toContain(
        "It is deployed, but Cloudflare names no address for it. Give --url URL.",
      );
      expect(code).toBe(1);
    });
  });

  test("uploads nothing when Ctrl-C is pressed", async () => {
    await withApi({}, async (api) => {
      const { code, said } = await typed(await clone(), api, ["\x03"]);
      expect(said).toContain("Stopped. Nothing was deployed.");
      expect([code, api.uploads]).toEqual([1, []]);
    });
  });
});

test.each([
  [["https://belay.someone.workers.dev"], "https://belay.someone.workers.dev"],
  [
    ["https://belay.someone.workers.dev", "ask.example.com (custom domain)"],
    "https://ask.example.com",
  ],
  [["ask.example.com (custom domain - zone name: example.com)"], "https://ask.example.com"],
  [["example.com/ask/* (zone name: example.com)", "schedule: * * * * *"], undefined],
  [[], undefined],
])("of the targets %j that wrangler names, the deployment is reached at %s", (targets, origin) => {
  expect(originOfTargets(targets)).toBe(origin);
});

test("wrangler dev by hand is told that npm start needs no account, and npm start is not", async () => {
  const build = (env: NodeJS.ProcessEnv) =>
    finished(type(process.execPath, [scriptOf("build:page")], { WRANGLER_COMMAND: "dev", ...env }));
  expect((await build({})).stderr).toContain("Without one, use npm start.");
  expect((await build({ BELAY_NPM_START: "true" })).stderr).toBe("");
});

/** In a terminal. Types an answer to each question, and waits for the end. */
async function typed(project: string, api: CloudflareApi, answers: readonly string[]) {
  const temporary = await mkdtemp(join(folder, "tmp-"));
  const command = `exec ${process.execPath} ${scriptOf("deploy", project)}`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...NOBODY, ...homeIn(temporary), ...api.environment },
  });
  let said = "";
  let answered = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    const questions = said.split("AUTH_SECRET signs bearer tokens.").length - 1;
    if (answered < questions) child.stdin.write(answers[answered++] ?? "");
  });
  const [code] = await once(child, "close");
  return { code, said };
}
