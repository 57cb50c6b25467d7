// The commands as they are typed: what they print and refuse, and how they end.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer as createHttpServer, type Server } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type JWTPayload, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { bearerToken } from "../../scripts/bearer-token.ts";
import { USUAL_PORTS } from "../../scripts/local-models.ts";
import { printable } from "../../scripts/printable.ts";
import { makeAuthSecret, variables } from "../../scripts/variables.ts";
import type { StreamEvent } from "../../src/protocol.ts";
import { PROJECT, scriptOf, type Typed, type } from "../support/command.ts";
import { ANSWER } from "../support/directive.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { startServer } from "../support/server.ts";

/** `npm run serve` with the bundle of this run: to make one takes four seconds of CPU. */
const BUNDLED = join(import.meta.dirname, "../support/serve.ts");

let folder: string;
let secret: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-commands-"));
  await makeAuthSecret();
  secret = (await variables()).AUTH_SECRET as string;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("with two npm start and one npm run serve in one checkout,", () => {
  const servers = [
    { name: "npm start", script: "start", limit: 7, signal: "SIGTERM", to: "npm alone" },
    {
      name: "the other npm start",
      script: "start",
      limit: 8,
      signal: "SIGINT",
      to: "the whole terminal",
    },
    { name: "npm run serve", script: "serve", limit: 9, signal: "SIGINT", to: "npm alone" },
  ] as const;
  const running = new Map<string, Typed>();

  beforeAll(async () => {
    for (const { name, script, limit } of servers) {
      const data = join(folder, `${limit}`);
      running.set(
        name,
        npm(script, "--port=0", `--persist-to=${data}`, `--var=QUOTA_LIMIT:${limit}`),
      );
    }
    await Promise.all([...running.values()].map(ready));
  });
  afterAll(async () => {
    for (const { process, exitCode } of running.values()) {
      process.kill("SIGTERM");
      await exitCode;
    }
  });

  function server(name: string): Typed {
    return running.get(name) as Typed;
  }

  test.concurrent.each(servers)(
    "$name prints commands that work when pasted",
    async ({ name, limit }) => {
      const printed = server(name).stdout();
      await forget(printed, "you");
      const ask = row(printed, "HTTP");
      expect(events(await paste(ask)).at(-1)).toMatchObject({
        type: "done",
        quotaRemaining: limit - 1,
      });
      const other = ask.replace("What is Belay?", "When am I charged?");
      const left = events(await pasteUntil(other, '"type":"token"')).map(({ type }) => type);
      expect(left).toContain("token");
      expect(left).not.toContain("done");
      const headers = { authorization: `Bearer ${(await paste(row(printed, "Token"))).trim()}` };
      const quota = async () =>
        (await fetch(`${address(printed)}/api/v1/ai/quota`, { headers })).json();
      await expect.poll(quota).toMatchObject({ limit, charged: 1, refunded: 1, reserved: 0 });
      const [inTerminal] = row(printed, "Terminal").split("\n");
      expect(await paste(inTerminal)).toContain(`Charged. ${limit - 2} of ${limit} answers`);

      const [openai] = row(printed, "OpenAI").split(" ");
      const models = await fetch(`${openai}/models`, { headers });
      expect(await models.json()).toMatchObject({
        data: [{ id: "belay" }, { id: "belay/default" }],
      });
      const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
      const accept = "application/json, text/event-stream";
      const tools = await fetch(row(printed, "MCP"), {
        method: "POST",
        headers: { ...headers, accept, "content-type": "application/json" },
        body: JSON.stringify(list),
      });
      expect(await tools.text()).toContain('"name":"search_documents"');
      expect(await (await fetch(row(printed, "Page"))).text()).toContain("<title>Belay</title>");
    },
  );

  test.each(["start", "serve"])(
    "npm run %s refuses the folder of another server",
    async (script) => {
      const data = join(folder, "7");
      const { code, stderr } = await refused(script, "--port=0", `--persist-to=${data}`);
      expect(code).toBe(1);
      expect(stderr).toContain(`Another server keeps its data in ${data}`);
      expect((await fetch(`${address(server("npm start").stdout())}/healthz`)).status).toBe(200);
    },
  );

  test.each(servers)("$name prints no secret", ({ name }) => {
    const { stdout, stderr } = server(name);
    expect(stdout() + stderr()).not.toContain(secret);
  });

  test.each(servers)("$name ends all its processes when $to gets $signal", async (row) => {
    const { process: npm, exitCode, stdout } = server(row.name);
    const pid = npm.pid as number;
    const tree = await descendants(pid);
    expect(tree.length).toBeGreaterThan(1);
    process.kill(row.to === "npm alone" ? pid : -pid, row.signal);
    expect(await exitCode).toBe(0);
    await expect(fetch(`${address(stdout())}/healthz`)).rejects.toThrow("fetch failed");
    await vi.waitFor(async () => expect(await alive(tree)).toEqual([]), 2_000);
  });
});

const unknown = (name: string, meant: string) =>
  `--var ${name} is not a variable of Belay. Did you mean ${meant}?`;
const binding = (name: string, what: string) =>
  `--var ${name} is not a variable but a binding: ${what}. wrangler.toml declares it.`;

type WrongFlag = readonly [typed: string | string[], message: string];

const WRONG_FLAGS: readonly WrongFlag[] = [
  ["--prot=1", "Unknown option '--prot'. Did you mean --port?"],
  ["extra", "Unexpected argument: each value needs its flag before it."],
  ["--port=many", "--port must be a whole number from 0 to 65535."],
  ["--port=65536", "--port must be a whole number from 0 to 65535."],
  ["--persist-to=", "--persist-to must not be empty."],
  ["--var=QUOTA_LIMIT", "--var must be NAME:VALUE, such as QUOTA_LIMIT:5."],
  ["--var=QUOTA-LIMIT:5", unknown("QUOTA-LIMIT", "QUOTA_LIMIT")],
  ["--var=quota limit=5", unknown("quota limit", "QUOTA_LIMIT")],
  ["--var=a-secret.of-no-one+/==", "--var must be NAME:VALUE, such as QUOTA_LIMIT:5."],
  [
    "--var=users:x",
    `${unknown("users", "USERS")} That is a binding: the Durable Objects of users. wrangler.toml declares it.`,
  ],
  ["--var=QUOTA_LIMIT=5", "--var must be NAME:VALUE, with a colon: write --var QUOTA_LIMIT:VALUE."],
  ["--var=QUOTA_LIMT:5", unknown("QUOTA_LIMT", "QUOTA_LIMIT")],
  ["--var=QUOTA_LIMT=5", unknown("QUOTA_LIMT", "QUOTA_LIMIT")],
  ["--var=quota_limit:5", unknown("quota_limit", "QUOTA_LIMIT")],
  ["--var=QOUTA_PERIOD:day", unknown("QOUTA_PERIOD", "QUOTA_PERIOD")],
  ["--var=OPENAI_KEY:sk-of-no-one", unknown("OPENAI_KEY", "OPENAI_API_KEY")],
  ["--var=JWKS_URL:https://a.b/c", unknown("JWKS_URL", "AUTH_JWKS_URL")],
  [
    "--var=constructor:1",
    "--var constructor is not a variable of Belay. docs/configuration.md lists them all.",
  ],
  ["--var=USERS:x", binding("USERS", "the Durable Objects of users")],
  ["--var=CORPUS=x", binding("CORPUS", "the Durable Object of documents")],
  ["--var=AI:", binding("AI", "Workers AI")],
  ["--var=VECTORIZE:x", binding("VECTORIZE", "the index of vectors")],
  ["--var=SESSION_RATE:x", binding("SESSION_RATE", "the counter of new sessions")],
  ["--var=PAGE:x", binding("PAGE", "the files of the page")],
  [
    ["--var=QUOTA_LIMIT:5", "--var=QUOTA_LIMIT:5"],
    "--var QUOTA_LIMIT is given twice: leave one of them out.",
  ],
  [
    "--var=ALLOWED_HOSTS:a.b",
    "--var ALLOWED_HOSTS is set by this command itself: use --name NAME.",
  ],
  ...["", "a.b:80", "https://a.b", "a b", "a,b", "*", "[::1", "a@b"].map(
    (host): WrongFlag => [
      `--name=${host}`,
      "--name must be a name without a port, such as docs.example.com.",
    ],
  ),
];

const WRONG_FOLDERS: readonly (readonly [string, () => string | Promise<string>, string])[] = [
  ["a file", () => join(PROJECT, "package.json"), "EEXIST: file already exists"],
  ["a path below a file", () => join(PROJECT, "package.json/x/y"), "ENOTDIR: not a directory"],
  ["a folder of /proc", () => "/proc/x/y", "ENOENT: no such file or directory"],
  ["a name that is too long", () => join(folder, "x".repeat(300)), "ENAMETOOLONG: name too long"],
  ["a folder that it may not write to", () => closed(), "EACCES: permission denied"],
  ["such a folder with an old lock in it", () => closed("{}"), "EACCES: permission denied"],
  ["a folder in one of those", async () => join(await closed(), "x"), "EACCES: permission denied"],
];

/** Of what both commands refuse in one place, all is tested with one of them. */
const FEW = 2;

describe.each(["start", "serve"] as const)("npm run %s", (script) => {
  const launched = (args: readonly string[]) =>
    type(process.execPath, [script === "serve" ? BUNDLED : scriptOf(script), ...args]);

  test("refuses a port that is taken, and names the command with a free one", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await refused(script, `--port=${port}`, "--var=QUOTA_LIMIT:5");
    expect(code).toBe(1);
    const npm = script === "start" ? "npm start" : "npm run serve";
    const [, free] =
      new RegExp(
        `^Port ${port} is taken. Use another:\n\n${npm} -- --var QUOTA_LIMIT:5 --port (\\d+)\n$`,
      ).exec(stderr) ?? [];
    expect(Number(free)).toBeGreaterThan(port);

    const secretly = await refused(script, `--port=${port}`, `--var=AUTH_SECRET:${secret}`);
    expect(secretly.code).toBe(1);
    expect(secretly.stderr).toMatch(/^Port \d+ is taken\. Add --port \d+ to your command\.\n$/);
    other.close();
  });

  test.each(script === "serve" ? WRONG_FLAGS : WRONG_FLAGS.slice(0, FEW))(
    "refuses %s",
    async (typed, message) => {
      expect(await refused(script, ...[typed].flat())).toEqual({
        code: 2,
        stderr: `${message} --help tells more.\n`,
      });
    },
  );

  // A variable that local servers set, and one of .dev.vars.
  test.each([
    ["GENERATOR", "oracle"],
    ["AUTH_SECRET", "too-short-a-secret"],
  ])("takes %s from --var before all else, and says that it is wrong", async (name, value) => {
    const command = launched([
      "--port=0",
      `--persist-to=${join(folder, `${script}-${name}`)}`,
      `--var=${name}:${value}`,
    ]);
    expect(await command.exitCode).toBe(1);
    const stderr = command.stderr();
    expect(stderr).toMatch(new RegExp(`^The variable ${name} must be `, "m"));
    expect(stderr).not.toContain(value);
  });

  test.each(script === "serve" ? WRONG_FOLDERS : WRONG_FOLDERS.slice(0, FEW))(
    "refuses %s as a folder, in one sentence",
    async (_what, path, reason) => {
      const data = await path();
      const args = [scriptOf(script), "--port=0", `--persist-to=${data}`];
      // Root gives up its rights first.
      const words =
        process.getuid?.() === 0
          ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all", process.execPath, ...args]
          : [process.execPath, ...args];
      const command = type(words[0] as string, words.slice(1));
      expect(await command.exitCode).toBe(1);
      expect(command.stdout() + command.stderr()).toBe(
        `--persist-to ${data} cannot be used as a folder: ${reason}.\n`,
      );
    },
  );

  test("makes files for their owner only", async () => {
    const data = join(folder, `${script}-modes`, "deeper");
    const server = await startServer({ command: script, persistTo: data });
    const answer = await fetch(`${server.url}/api/v1/ai/ask`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${await token(["--user=modest"])}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ query: "When am I charged?" }),
    });
    expect(answer.status).toBe(200);
    await answer.text();
    const modes = await modesUnder(dirname(data));
    await server.stop();
    expect([...modes.keys()].filter((path) => path.endsWith(".sqlite")).length).toBeGreaterThan(2);
    expect([...modes].filter(([, mode]) => mode !== "700 folder" && mode !== "600 file")).toEqual(
      [],
    );
    expect(((await stat(join(PROJECT, ".dev.vars"))).mode & 0o777).toString(8)).toBe("600");
  });

  test("names a folder that is open to others, and leaves it open", async () => {
    const data = await mkdtemp(join(folder, "open-"));
    await chmod(data, 0o755);
    const command = launched(["--port=0", `--persist-to=${data}`]);
    await ready(command);
    command.process.kill("SIGTERM");
    await command.exitCode;
    expect(command.stderr()).toBe(
      `Other users of this machine can look into ${data}: chmod 700 closes it.\n`,
    );
    const modes = await modesUnder(data);
    expect([...modes].filter(([, mode]) => mode !== "700 folder" && mode !== "600 file")).toEqual([
      [data, "755 folder"],
    ]);
  });

  test("keeps charges after kill -9", async () => {
    const options = { command: script, persistTo: join(folder, `${script}-killed`) };
    const headers = { authorization: `Bearer ${await token(["--user=killed"])}` };
    const first = await startServer(options);
    const answer = await fetch(`${first.url}/api/v1/ai/ask`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ query: "When am I charged?" }),
    });
    expect(answer.status).toBe(200);
    await answer.text();
    // The charge follows the last byte.
    await vi.waitFor(async () => {
      const quota = await fetch(`${first.url}/api/v1/ai/quota`, { headers });
      expect(await quota.json()).toMatchObject({ charged: 1, reserved: 0 });
    });
    await first.kill9();
    await expect(fetch(`${first.url}/healthz`)).rejects.toThrow("fetch failed");

    const second = await startServer({ ...options, port: first.port });
    const quota = await fetch(`${second.url}/api/v1/ai/quota`, { headers });
    expect(await quota.json()).toMatchObject({ charged: 1, reserved: 0 });
    await second.stop();
  });

  test("fails when the server process ends by itself", async () => {
    const command = launched(["--port=0", `--persist-to=${join(folder, `${script}-dead`)}`]);
    await ready(command);
    const [leader] = await descendants(command.process.pid as number);
    process.kill(leader as number, "SIGKILL");
    expect(await command.exitCode).toBe(1);
    expect(command.stderr()).toMatch(/^The server has ended by itself: SIGKILL\.$/m);
  });
});

describe("npm in this checkout", () => {
  async function installed(npmrc: string, engine: string, source = "file:./package") {
    const project = await mkdtemp(join(folder, "npm-"));
    await mkdir(join(project, "package"));
    const manifest = (fields: object) => JSON.stringify({ version: "1.0.0", ...fields });
    const dependencies = { package: source };
    await writeFile(join(project, "package.json"), manifest({ name: "project", dependencies }));
    await writeFile(
      join(project, "package/package.json"),
      manifest({ name: "package", engines: { node: engine } }),
    );
    await writeFile(join(project, ".npmrc"), npmrc);
    const args = ["install", "--offline", "--no-audit", "--no-fund", `--cache=${project}/cache`];
    const options = { cwd: project, env: withoutNpm() };
    return promisify(execFile)("npm", args, options).catch((error) => error);
  }

  test("gives no warning of an old Node, and shows errors", async () => {
    const npmrc = await readFile(join(PROJECT, ".npmrc"), "utf8");
    expect((await installed("", ">=99")).stderr).toContain("npm warn EBADENGINE");
    const quiet = await installed(npmrc, ">=99");
    expect(quiet.stderr).toBe("");
    expect(quiet.stdout).toContain("added 1 package");
    expect((await installed(npmrc, ">=20", "1.0.0")).stderr).toContain("npm error");
  });
});

describe("in a fresh checkout,", () => {
  test.each(["start", "serve"])(
    "npm run %s refuses a binding in .dev.vars, and prints no value",
    async (script) => {
      const project = await freshProject();
      await writeFile(join(project, ".dev.vars"), "USERS=a-value-of-someone\n");
      const command = node(project, script, ["--port=0"]);
      expect(await command.exitCode).toBe(1);
      expect(command.stdout() + command.stderr()).toBe(
        "USERS is not a variable but a binding: the Durable Objects of users. wrangler.toml declares it. Remove it from .dev.vars.\n",
      );
    },
  );

  test("npm start closes its own folder and .dev.vars to other users", async () => {
    const project = await freshProject();
    const state = join(project, ".wrangler/state");
    await mkdir(state, { recursive: true, mode: 0o755 });
    await writeFile(join(project, ".dev.vars"), `AUTH_SECRET=${secret}\n`, { mode: 0o644 });
    const command = node(project, "start", ["--port=0"]);
    await ready(command);
    command.process.kill("SIGTERM");
    await command.exitCode;
    expect(command.stderr()).toBe("");
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    expect((await stat(join(project, ".dev.vars"))).mode & 0o777).toBe(0o600);
  });

  test("npm start names unknown variables, and serves changed source", async () => {
    const project = await freshProject();
    await deployElsewhere(project);
    await writeFile(join(project, ".dev.vars"), "QUOTA_LIMT=5\nOTHER_PROGRAM_KEY=a-secret\n");
    const command = node(project, "start", ["--port=0"]);
    try {
      await ready(command);
      expect(await readdir(join(project, ".wrangler/state/v3/do"))).toContain("belay-UserObject");
      expect(command.stderr()).toBe(
        "Set in .dev.vars: OTHER_PROGRAM_KEY is not a variable of Belay. docs/configuration.md lists them all.\n" +
          "Set in .dev.vars: QUOTA_LIMT is not a variable of Belay. Did you mean QUOTA_LIMIT?\n",
      );
      const get = async (path: string) =>
        (await fetch(`${address(command.stdout())}${path}`)).text();
      const change = async (path: string, from: string, to: string) => {
        const file = join(project, path);
        const source = await readFile(file, "utf8");
        expect(source).toContain(from);
        await writeFile(file, source.replace(from, to));
      };
      const until = (path: string, text: string) =>
        vi.waitFor(async () => expect(await get(path)).toContain(text), {
          timeout: 30_000,
          interval: 100,
        });
      expect(await get("/healthz")).toBe("ok\n");

      // The edge, a layer below it, then the page.
      await change("src/edge/health.ts", '["ok", ', '["changed at the edge", ');
      await until("/healthz", "changed at the edge");
      await change("src/errors.ts", '"Internal error."', '"Internal error, changed."');
      await change("src/request.ts", "There is nothing at this address.", "Changed below.");
      await change("src/edge/edge.ts", "There is nothing at this address.", "Changed again.");
      await until("/api/v1/nowhere", "Changed again.");
      await change("src/web/reader/html.ts", "<title>Belay</title>", "<title>Changed page</title>");
      await until("/", "<title>Changed page</title>");
      await change("src/web/theme.css", ":root", "/*! changed style */\n:root");
      await until("/page.css", "changed style");
      // A source that cannot be built is reported, and the server keeps running.
      await change("src/edge/edge.ts", "const router", "const const router");
      await vi.waitFor(() => expect(command.stderr()).toContain("edge.ts"), 30_000);
      expect(await get("/healthz")).toContain("changed at the edge");
      await change("src/edge/edge.ts", "const const router", "const router");
      await change("src/edge/health.ts", "changed at the edge", "mended");
      await until("/healthz", "mended");
    } finally {
      command.process.kill("SIGTERM");
      expect(await command.exitCode).toBe(0);
    }
  });
});

describe.concurrent("commands without a server and a token", () => {
  test("use the server of their checkout, and sign for it", async () => {
    const project = await freshProject();
    await deployElsewhere(project);
    const serving = node(project, "serve", ["--port=0"]);
    await ready(serving);
    expect(await readdir(join(project, ".belay/serve"))).toContain("belay-UserObject");
    const run = async (script: string, ...args: readonly string[]) => {
      const command = node(project, script, args, { BELAY_TOKEN: "", BELAY_OPERATOR_TOKEN: "" });
      return { code: await command.exitCode, said: command.stdout() + command.stderr() };
    };
    expect(serving.stdout()).toMatch(/^ {2}Terminal {3}npm run -s ask -- 'What is Belay\?'$/m);
    expect(serving.stdout()).toMatch(/^ {13}npm run ingest -- FOLDER$/m);
    const asked = await run("ask", "What is Belay?");
    expect(asked).toMatchObject({ code: 0, said: expect.stringContaining("\nCharged. ") });
    const loaded = await run("ingest", "examples/handbook");
    expect(loaded).toMatchObject({ code: 0, said: expect.stringContaining("5 added") });
    const price = await run("ask", "What does a ride cost?");
    expect(price.said).toMatch(/^A ride costs 1 € to unlock/);
    // A user's token that was set for the other commands.
    const bearer = await token(["--user=someone"], project);
    const mistaken = node(project, "ingest", ["samples"], { BELAY_TOKEN: bearer });
    expect(await mistaken.exitCode).toBe(1);
    expect(mistaken.stderr()).toContain("`unset BELAY_TOKEN`, and the command signs one itself.\n");
    const { port } = new URL(address(serving.stdout()) as string);
    expect(await run("start", `--port=${port}`)).toEqual({
      code: 1,
      said: `Belay is running on http://127.0.0.1:${port} already. To start it again, end that one first: Ctrl-C in its terminal.\n`,
    });
    const canary = await run("canary");
    expect(canary).toMatchObject({ code: 0, said: expect.stringContaining("refunded within") });

    // It leaves its lock, which names a server that has ended.
    serving.process.kill("SIGKILL");
    await serving.exitCode;
    expect(await readFile(join(project, ".belay/serve/server.lock"), "utf8")).toContain("url");
    const after = await run("ask", "What is Belay?");
    expect(after.code).toBe(1);
    expect(after.said).not.toContain(address(serving.stdout()));
  });
});

describe.concurrent("a local server", () => {
  const question = "When does it open \u202e'early' on Sundays?";

  test("loads the samples, and prints their questions", async () => {
    const data = join(folder, "samples-fresh");
    const { stdout, documents } = await visited(PROJECT, data, async () => {});
    expect(row(stdout, "Documents")).toMatch(/^Samples about Belay\./);
    expect(queries(stdout)).toEqual(["What is Belay?"]);
    expect(documents.every(({ sample }) => sample)).toBe(true);
  });

  test("keeps your documents, and prints their questions", async () => {
    const data = join(folder, "samples-own");
    await visited(PROJECT, data, async (admin) => {
      const text = `# Opening hours\n\n## ${question}\n\nIt opens at 9.`;
      await admin("PUT", "/hours", { title: "Opening hours", text });
    });
    const { stdout, documents } = await visited(PROJECT, data, async () => {});
    expect(documents.map(({ id }) => id)).toEqual(["hours"]);
    expect(row(stdout, "Documents")).toBe("Your own.");
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
    expect(queries(stdout)[0]).toBe(question);
    expect(row(stdout, "HTTP")).not.toMatch(/early'/);
  });

  test("gives the token of a secret that is only its own, once", async () => {
    const secret = "the secret of one server, with 32 bytes";
    const data = join(folder, "own-secret");
    const flags = ["--port=0", `--persist-to=${data}`, `--var=AUTH_SECRET:${secret}`];
    const command = type(process.execPath, [BUNDLED, ...flags]);
    await ready(command);
    const printed = command.stdout();
    expect(printed).not.toContain(secret);
    const [, signing = ""] = row(printed, "Token").split("\n");
    expect(printed.split(signing.slice("export BELAY_TOKEN=".length)).length).toBe(2);
    const [inTerminal] = row(printed, "Terminal").split("\n");
    expect(await paste(`${signing}\n${inTerminal}`)).toContain("Charged. 19 of 20 answers");
    expect(events(await paste(`${signing}\n${row(printed, "HTTP")}`)).at(-1)?.type).toBe("done");
    command.process.kill("SIGTERM");
    await command.exitCode;
  });

  test("finds a model on this machine, and prints the command that uses it", async () => {
    const model = await modelAtUsualPort();
    try {
      const data = join(folder, "found-model");
      const command = type(process.execPath, [BUNDLED, "--port=0", `--persist-to=${data}`]);
      await ready(command);
      const answers = row(command.stdout(), "Answers");
      command.process.kill("SIGTERM");
      await command.exitCode;
      expect(model.requests).toEqual([]);

      const lines = answers.split("\n");
      expect(lines[0]).toBe("Passages are quoted word for word: no model is set.");
      // Other programs of this machine may be offered too.
      const first = lines.findIndex((line) => line.startsWith("npm run serve -- "));
      const last = lines.findIndex((line, i) => i >= first && !line.endsWith(" \\"));
      const { host, port } = new URL(model.url);
      expect(answers).toMatch(new RegExp(`^Port ${port} \\(.+\\) offers scripted\\.`, "m"));
      const line = lines
        .slice(first, last + 1)
        .join("\n")
        .replace(/OPENAI_BASE_URL:\S+/, `OPENAI_BASE_URL:${model.url}`)
        .replace(/OPENAI_MODEL:\S+/, "OPENAI_MODEL:scripted");
      expect(line).toContain(`--persist-to ${data}`);
      const used = type("sh", ["-c", `exec ${line}`]);
      await ready(used);
      expect(row(used.stdout(), "Answers")).toBe(`scripted at ${host} writes them.`);
      const [inTerminal] = row(used.stdout(), "Terminal").split("\n");
      expect(await paste(inTerminal)).toContain(ANSWER.join(""));
      used.process.kill("SIGTERM");
      await used.exitCode;
    } finally {
      await model.close();
    }
  });

  test("says what to do if all documents were deleted", async () => {
    const data = join(folder, "samples-none");
    await visited(PROJECT, data, async (admin) => {
      await admin("PUT", "/a", { title: "A", text: "text" });
      await admin("DELETE", "/a");
    });
    const { stdout, documents } = await visited(PROJECT, data, async () => {});
    expect(documents).toEqual([]);
    expect(row(stdout, "Documents")).toMatch(
      /^None, .*\nnpm run ingest -- FOLDER --server http:\/\/127\.0\.0\.1:/,
    );
    expect(stdout).not.toMatch(/npm run -s ask|curl/);
  });

  test("renews the samples of an older version, and deletes those that are gone", async () => {
    const project = await freshProject();
    const data = join(folder, "samples-upgraded");
    const samples = join(project, "samples");
    await rm(join(samples, "about.md"));
    await writeFile(join(samples, "old.md"), "# Old\n\ntext");
    await writeFile(join(samples, "charges.md"), "# Older\n\ntext");
    const before = await visited(project, data, async () => {});
    const after = await visited(PROJECT, data, async () => {});
    const idsOf = ({ documents }: typeof before) => documents.map(({ id }) => id);
    expect(idsOf(before)).toContain("samples/old.md");
    expect(idsOf(after)).not.toContain("samples/old.md");
    expect(idsOf(after)).toContain("samples/about.md");
    expect(after.documents.find(({ id }) => id === "samples/charges.md")).toMatchObject({
      title: "Charges and refunds",
      sample: true,
    });
  });
});

describe("text from a server or a file is printed safely", () => {
  const hostile = "\x1b]0;owned\x07\x1b[2J\r\n\u009b31m\u202eAll is well.";
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createHttpServer((_request, response) => {
      response.writeHead(418, { "content-type": "application/json" });
      response.end(JSON.stringify({ message: hostile, type: hostile, code: hostile }));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  test.each([
    ["canary", ["--token"]],
    ["conformance", ["--token", "--operator-token"]],
    ["ingest", ["--token"]],
  ])("by npm run %s", async (script, flags) => {
    const tokens = flags.map(async (flag) => `${flag}=${await token([`--user=${flag}`])}`);
    const place = script === "ingest" ? ["docs", `--server=${url}`] : [`--url=${url}`];
    const command = node(PROJECT, script, [...place, ...(await Promise.all(tokens))]);
    expect(await command.exitCode).toBe(1);
    const printed = command.stdout() + command.stderr();
    expect(printed).toContain("All is well.");
    expect(printed).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
    expect(printed).not.toMatch(/^All is well/m);
  });

  test.each([
    ["a\tb\r\nc", "a\\tb\\r\\nc"],
    ["\x00\x7f\x85\x9b", "\\x00\\x7f\\x85\\x9b"],
    ["\u2028\u2029\u2066\u061c", "\\u{2028}\\u{2029}\\u{2066}\\u{61c}"],
    ["\ud800 \u{e0041}", "\\u{d800} \\u{e0041}"],
    ["é 日本 👩‍👩‍👧 क्‍ष \\x1b", "é 日本 👩‍👩‍👧 क्‍ष \\x1b"],
  ])("as %j", (text, line) => {
    expect(printable(text)).toBe(line);
  });
});

describe("npm run token", () => {
  test("prints only a bearer token, for an hour, signed with the secret of .dev.vars", async () => {
    const printed = await promisify(execFile)(
      "npm",
      ["run", "--silent", "token", "--", "--user", "alice"],
      { cwd: PROJECT },
    );
    expect(printed).toEqual({
      stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/),
      stderr: "",
    });
    const { payload, protectedHeader } = await verified(printed.stdout.trim(), secret);
    expect(protectedHeader.alg).toBe("HS256");
    expect(payload).toEqual({ sub: "alice", iat: expect.any(Number), exp: expect.any(Number) });
    expect(lifetime(payload)).toBe(3_600);
  });

  test("gives the scope to an operator, for any user and time", async () => {
    const { payload } = await verified(
      await token(["--user=張 三/é", "--operator", "--ttl=7d"]),
      secret,
    );
    expect(payload).toMatchObject({ sub: "張 三/é", scope: "operator" });
    expect(lifetime(payload)).toBe(604_800);
  });

  test.each([
    ["handbook, sales", ["handbook", "sales"]],
    ["", []],
  ])("lists the collections %j as a claim", async (names, collections) => {
    const { payload } = await verified(
      await token(["--user=alice", `--collections=${names}`]),
      secret,
    );
    expect(payload.collections).toEqual(collections);
  });

  test("signs with AUTH_SECRET of the environment if it is set", async () => {
    const other = "the secret of some other deployment";
    const command = node(PROJECT, "token", ["--user=alice"], { AUTH_SECRET: other });
    expect(await command.exitCode).toBe(0);
    await verified(command.stdout().trim(), other);
  });

  test.each([
    [[], "--user is missing."],
    [["--user="], "--user must be 1 to 128 characters, none of them a control character."],
    [["--user=a\nb"], "--user must be 1 to 128 characters, none of them a control character."],
    [
      [`--user=${"x".repeat(129)}`],
      "--user must be 1 to 128 characters, none of them a control character.",
    ],
    [["--user=a", "--ttl=1w"], "--ttl must be a time such as 30s, 15m, 1h or 7d."],
    [["--user=a", "--ttl=0s"], "--ttl must be a time such as 30s, 15m, 1h or 7d."],
    [
      ["--user=a", "--collections=Sales"],
      "--collections must be names of 1 to 64 lower-case letters, digits and hyphens, comma-separated.",
    ],
    [["--user=a", "--port=1"], "Unknown option '--port'."],
  ])("refuses %j", async (args, message) => {
    expect(await refused("token", ...args)).toEqual({
      code: 2,
      stderr: `${message} --help tells more.\n`,
    });
  });

  test("makes .dev.vars once, and then leaves it as it is", async () => {
    const project = await freshProject();
    const file = join(project, ".dev.vars");
    await token(["--user=alice"], project);
    const made = await readFile(file, "utf8");
    expect(made).toMatch(/^AUTH_SECRET=[\w-]{43}\n$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await token(["--user=alice"], project);
    expect(await readFile(file, "utf8")).toBe(made);
  });

  test("adds the secret to a .dev.vars that lacks it", async () => {
    const project = await freshProject();
    const file = join(project, ".dev.vars");
    await writeFile(file, "OPENAI_API_KEY=kept");
    await token(["--user=alice"], project);
    expect(await readFile(file, "utf8")).toMatch(/^OPENAI_API_KEY=kept\nAUTH_SECRET=[\w-]{43}\n$/);
  });
});

function npm(script: string, ...args: readonly string[]): Typed {
  return type("npm", ["run", "--silent", script, "--", ...args]);
}

function node(project: string, script: string, args: readonly string[], env = {}): Typed {
  return type(process.execPath, [scriptOf(script, project), ...args], env);
}

async function ready({ process, stdout, stderr }: Typed): Promise<void> {
  while (address(stdout()) === undefined) {
    if (process.exitCode !== null) throw new Error(stderr());
    await delay(20);
  }
}

function address(printed: string): string | undefined {
  return /^Belay is ready on (http:\/\/127\.0\.0\.1:\d+)$/m.exec(printed)?.[1];
}

async function refused(script: string, ...args: readonly string[]) {
  const { exitCode, stdout, stderr } = node(PROJECT, script, args);
  const code = await exitCode;
  expect(stdout()).toBe("");
  return { code, stderr: stderr() };
}

async function token(args: readonly string[], project = PROJECT): Promise<string> {
  const { exitCode, stdout, stderr } = node(project, "token", args);
  expect(await exitCode, stderr()).toBe(0);
  return stdout().trim();
}

function verified(bearerToken: string, key: string) {
  return jwtVerify(bearerToken, new TextEncoder().encode(key), { algorithms: ["HS256"] });
}

function lifetime({ exp, iat }: JWTPayload): number {
  return Number(exp) - Number(iat);
}

/** A checkout in which nothing was started yet. */
async function freshProject(): Promise<string> {
  const project = await mkdtemp(join(folder, "fresh-"));
  const parts = ["conformance", "scripts", "src", "samples", "package.json", "wrangler.toml"];
  for (const part of parts) {
    await cp(join(PROJECT, part), join(project, part), { recursive: true });
  }
  await symlink(join(PROJECT, "node_modules"), join(project, "node_modules"));
  return project;
}

/** Gives it a deployment with another name and values of which local servers take none. */
async function deployElsewhere(project: string): Promise<void> {
  const file = join(project, "wrangler.toml");
  const toml = await readFile(file, "utf8");
  const changed = toml
    .replace(
      'name = "belay"',
      'name = "renamed"\nroutes = [{ pattern = "a.example", custom_domain = true }]',
    )
    .replace("[vars]", '[vars]\nQUOTA_LIMIT = "0"\nJURISDICTION = "eu"');
  await writeFile(file, changed);
}

/** The environment without the variables of the npm that runs these tests. */
function withoutNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
}

/** A read-only folder, with or without a lock of this content. */
async function closed(lock?: string): Promise<string> {
  const path = await mkdtemp(join(folder, "closed-"));
  if (lock !== undefined) await writeFile(join(path, "server.lock"), lock);
  await chmod(path, 0o500);
  return path;
}

/** The permissions of a folder and of all in it, by path. */
async function modesUnder(path: string): Promise<Map<string, string>> {
  const found = await stat(path).catch(() => undefined);
  // SQLite has deleted it meanwhile.
  if (found === undefined) return new Map();
  const mode = (found.mode & 0o777).toString(8);
  if (!found.isDirectory()) return new Map([[path, `${mode} file`]]);
  const below = await Promise.all(
    (await readdir(path)).map((name) => modesUnder(join(path, name))),
  );
  return new Map([[path, `${mode} folder`], ...below.flatMap((modes) => [...modes])]);
}

/** Starts a server, does something with its documents, and ends it. */
async function visited(
  project: string,
  data: string,
  work: (admin: (method: string, path: string, body?: object) => Promise<unknown>) => Promise<void>,
) {
  const auth = { AUTH_SECRET: secret };
  const flags = ["--port=0", `--persist-to=${data}`, `--var=AUTH_SECRET:${secret}`];
  const file = project === PROJECT ? BUNDLED : scriptOf("serve", project);
  const command = type(process.execPath, [file, ...flags]);
  await ready(command);
  const bearer = await bearerToken(auth, { user: "me", operator: true, seconds: 600 });
  const admin = async (method: string, path: string, body?: object) => {
    const url = `${address(command.stdout())}/api/v1/admin/documents${path}`;
    const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
    const response = await fetch(url, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
    });
    expect(response.ok).toBe(true);
    return response.json();
  };
  await work(admin);
  const { documents } = (await admin("GET", "?limit=200")) as {
    documents: { id: string; title: string; sample?: true }[];
  };
  command.process.kill("SIGTERM");
  expect(await command.exitCode, command.stderr()).toBe(0);
  return { stdout: command.stdout(), documents };
}

/** The questions in the printed commands. */
function queries(printed: string): string[] {
  return [...printed.matchAll(/ -d '([^']*)'/g)].map(
    ([, body]) => JSON.parse(body as string).query,
  );
}

/** What is printed beside a label. */
function row(printed: string, label: string): string {
  const pattern = new RegExp(`^ {2}${label} +(.*(?:\\n {13}.*)*)$`, "m");
  return (pattern.exec(printed)?.[1] ?? "").replaceAll(/^ {13}/gm, "");
}

/** A scripted model where `npm start` looks for one. */
async function modelAtUsualPort(): Promise<ModelServer> {
  for (const { port } of USUAL_PORTS) {
    const model = await startModelServer({ port }).catch(() => undefined);
    if (model !== undefined) return model;
  }
  throw new Error("All usual ports are taken.");
}

async function paste(command: string | undefined): Promise<string> {
  const shell = spawn("sh", ["-c", command as string], { stdio: ["ignore", "pipe", "ignore"] });
  return text(shell.stdout);
}

/** Disconnects as soon as this is printed, seconds before the answer's end. */
async function pasteUntil(command: string, wanted: string): Promise<string> {
  const curl = spawn("sh", ["-c", `exec ${command}`], { stdio: ["ignore", "pipe", "ignore"] });
  let printed = "";
  for await (const part of curl.stdout.setEncoding("utf8")) {
    printed += part;
    if (printed.includes(wanted)) curl.kill("SIGKILL");
  }
  return printed;
}

/** Erases a user, of whom a first try of the test may have left something. */
async function forget(printed: string, user: string): Promise<void> {
  const operator = { user: "operator", operator: true, seconds: 600 };
  const authorization = `Bearer ${await bearerToken({ AUTH_SECRET: secret }, operator)}`;
  const url = `${address(printed)}/api/v1/admin/users/${user}`;
  const { status } = await fetch(url, { method: "DELETE", headers: { authorization } });
  expect([204, 404]).toContain(status);
}

function events(body: string): StreamEvent[] {
  return [...body.matchAll(/^data: (.*)$/gm)].map(([, event]) => JSON.parse(event as string));
}

/** The children of a process, their children, and so on. */
async function descendants(pid: number): Promise<number[]> {
  const all = await processes();
  const below = (pids: readonly number[]): number[] => {
    const children = all.filter(({ parent }) => pids.includes(parent)).map(({ pid }) => pid);
    return children.length === 0 ? [] : [...children, ...below(children)];
  };
  return below([pid]);
}

async function alive(pids: readonly number[]): Promise<number[]> {
  return (await processes()).map(({ pid }) => pid).filter((pid) => pids.includes(pid));
}

/** All running processes, without zombies. */
async function processes() {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,state="]);
  return stdout
    .split("\n")
    .map((line) => line.trim().split(/ +/))
    .filter(([, , state]) => state !== undefined && state !== "Z")
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}
