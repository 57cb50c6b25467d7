// The package of the client, installed: its size, its types in each runtime, and
// its work in a Node process against the real server. test/client tests drops and
// errors, test/packages its publishing and other runtimes.

import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLIENT_BYTES_MAX } from "../../scripts/build-client.ts";
import { createClient, type Retry } from "../../src/client/client.ts";
import { release, scripted } from "../support/directive.ts";
import { type InstalledClient, installClient } from "../support/installed-client.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { Random } from "../support/random.ts";
import { type RunningServer, SECRET, startScriptedServer, startServer } from "../support/server.ts";
import { bearer } from "../support/socket-client.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** Of the packed client, in bytes. */
const TARBALL_BYTES_MAX = 50_000;

let client: InstalledClient;
let folder: string;

beforeAll(async () => {
  client = await installClient();
  ({ folder } = client);
});
afterAll(() => client?.remove());

describe("the built client", () => {
  test("is less than 5 KiB compressed, including the event-stream parser", () => {
    process.stdout.write(`The client is ${client.codeBytes} bytes, compressed.\n`);
    expect(client.codeBytes).toBeLessThan(CLIENT_BYTES_MAX);
  });

  test("packs only its code, its types and what a package needs, in less than 50 KB", () => {
    const { size, files } = client.packed;
    process.stdout.write(`Its package is ${size} bytes.\n`);
    expect(size).toBeLessThan(TARBALL_BYTES_MAX);
    expect(files.map(({ path }) => path).sort()).toEqual([
      "LICENSE",
      "README.md",
      "client.d.ts",
      "client.js",
      "package.json",
      ...["answer", "client", "connection", "errors"].map((name) => `types/client/${name}.d.ts`),
      "types/protocol.d.ts",
    ]);
  });

  test("has no dependency and no script, and the project's version", async () => {
    const installed = join(folder, "node_modules/belay");
    const code = await readFile(join(installed, "client.js"), "utf8");
    expect(code).not.toMatch(/\bimport\b|\brequire\(/);
    const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
    const { version } = JSON.parse(await readFile(join(PROJECT, "package.json"), "utf8"));
    expect(manifest).toMatchObject({ name: "belay", version, license: "MIT", type: "module" });
    for (const member of ["dependencies", "peerDependencies", "scripts", "private"]) {
      expect(manifest).not.toHaveProperty(member);
    }
  });

  test("can be published under another name, which its README and imports then have", async () => {
    const renamed = await installClient("@acme/answers");
    try {
      const readme = await readFile(
        join(renamed.folder, "node_modules/@acme/answers/README.md"),
        "utf8",
      );
      expect(readme).toContain('import { createClient } from "@acme/answers/client";');
      expect(readme).not.toContain("belay/client");
      const code =
        'import { createClient } from "@acme/answers/client"; createClient({ url: "" });';
      const args = ["--input-type=module", "--eval", code];
      await promisify(execFile)(process.execPath, args, { cwd: renamed.folder });
    } finally {
      await renamed.remove();
    }
  });

  test.each(["Belay", "@acme/Answers", "../client", "@acme", "a b", ""])(
    "is not built under the name %j, which npm would refuse",
    async (name) => {
      const script = join(PROJECT, "scripts/build-client.ts");
      const built = promisify(execFile)(process.execPath, [script, `--name=${name}`]);
      await expect(built).rejects.toMatchObject({
        code: 2,
        stderr: `--name: npm takes no such name: ${name}. --help tells more.\n`,
      });
    },
  );

  const dom = { lib: ["ES2024", "DOM"], types: [] };
  test.each([
    ["a page", dom],
    [
      "a page whose bundler resolves modules",
      { ...dom, module: "ESNext", moduleResolution: "Bundler" },
    ],
    ["a Worker", { lib: ["ES2024"], types: ["@cloudflare/workers-types"] }],
    ["Node", { lib: ["ES2024"], types: ["node"] }],
  ])("has types for %s", async (name, options) => {
    const consumer = join(folder, name.replaceAll(" ", "-"));
    await mkdir(consumer);
    await writeFile(join(consumer, "consumer.ts"), CONSUMER);
    const compilerOptions = {
      target: "ES2024",
      module: "NodeNext",
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      // The project's: the consumer installs belay alone.
      typeRoots: [join(PROJECT, "node_modules"), join(PROJECT, "node_modules/@types")],
      ...options,
    };
    const config = { compilerOptions, include: ["consumer.ts"] };
    await writeFile(join(consumer, "package.json"), '{"type":"module"}');
    await writeFile(join(consumer, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(PROJECT, "node_modules/.bin/tsc");
    const outcome = promisify(execFile)(tsc, ["-p", consumer]);
    expect(
      await outcome.then(
        () => "",
        ({ stdout }) => stdout,
      ),
    ).toBe("");
  });
});

/** Uses everything, and wrong uses that the types must refuse. */
const CONSUMER = `
import {
  type Answer, type AnswerEvent, BelayError, CancelledError, type Client, ConnectionLostError,
  createClient, type Outcome, QuotaExceededError, type Receipt,
} from "belay/client";

export const client: Client = createClient({ url: "", token: async () => "t", fetch });
createClient({ url: "https://example.com", token: "t", fetch: undefined, backoff: (n) => (n > 3 ? undefined : n) });
// @ts-expect-error a url is needed
createClient({ token: "t" });

export async function use(signal: AbortSignal): Promise<Outcome> {
  const answer: Answer = client.ask("What is Belay?", {
    signal, topK: 3, history: [{ role: "user", content: "Hello" }],
    onToken: (token) => token.trim(), onSources: ([source]) => source?.snippet,
    onDone: ({ quotaRemaining }) => quotaRemaining.toFixed(), onError: ({ code }) => code,
  });
  // @ts-expect-error there is no such option
  client.ask("What?", { topP: 1 });
  for await (const event of answer) {
    const every: AnswerEvent = event;
    if (every.type === "token") every.token.trim();
    // @ts-expect-error pings are kept back, and errors are thrown
    if (event.type === "ping" || event.type === "error") return answer.done;
  }
  const receipt: Receipt | undefined = await answer.cancel();
  await client.feedback(receipt?.queryId ?? "", null);
  // @ts-expect-error a rating is up, down or null
  await client.feedback("1", "great");
  const { queries, before } = await client.queries({ limit: 3, before: "9", search: "a", signal });
  await client.delete("1", { signal });
  client.events(queries[0]?.queryId ?? before ?? "").text.trim();
  (await client.quota({ signal })).remaining.toFixed();
  return answer.done.catch((error: unknown) => {
    if (error instanceof QuotaExceededError) error.resetsAt?.trim();
    if (error instanceof CancelledError || error instanceof ConnectionLostError) error.queryId?.trim();
    if (error instanceof BelayError && error.code === "CONNECTION_LOST") error.status?.toFixed();
    // @ts-expect-error there is no such code
    if (error instanceof BelayError && error.code === "NO_SUCH_CODE") throw error;
    throw error;
  });
}
`;

describe("the client in a Node process", () => {
  let server: RunningServer;
  let token: string;

  beforeAll(async () => {
    server = await startServer({
      command: "serve",
      vars: { AUTH_SECRET: SECRET, QUOTA_LIMIT: "1000", EXTRACTIVE_TOKENS_PER_SECOND: "100" },
    });
  });
  afterAll(() => server.stop());

  /** The output of a module, which must end without an uncaught error. */
  async function run(code: string): Promise<string> {
    token = await bearer(SECRET, { user: crypto.randomUUID() });
    const path = join(folder, `${crypto.randomUUID()}.mjs`);
    await writeFile(path, code.replaceAll("http://127.0.0.1:8787", server.url));
    const options = { env: { ...process.env, BELAY_TOKEN: token }, timeout: 20_000 };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [path], options);
    expect(stderr).toBe("");
    return stdout;
  }

  const PRELUDE = `import { createClient } from "belay/client";
const client = createClient({ url: "http://127.0.0.1:8787", token: process.env.BELAY_TOKEN });
`;

  describe("each example of docs/client.md", () => {
    const printed: Readonly<Record<string, RegExp>> = {
      "The client in ten lines": /.{20}\n\d+ sources, 999 answers left\n$/s,
      "How to renew a bearer token": /^1000\n$/,
      "How to ask": /^\[\s+'\[1\] .*characters so far\n.{20}/s,
      "How to stop an answer": /^refunded cancelled\n$/,
      "What happens when the connection drops": /^.{20}/,
      "How to tell errors apart": /^$/,
      "How to read, list, delete and rate answers":
        /^.{20,}\n\[ 'What is Belay\? charged' \]\n999 left\n$/s,
    };

    test("is known here", async () => {
      expect((await examples()).map(({ heading }) => heading)).toEqual(Object.keys(printed));
    });

    test.each(Object.keys(printed))("%s", async (wanted) => {
      const example = (await examples()).find(({ heading }) => heading === wanted);
      const code = example?.code ?? "";
      const prelude = code.includes("createClient }") ? "" : PRELUDE;
      expect(await run(prelude + code)).toMatch(printed[wanted] as RegExp);
    });

    test("that README shows as well", async () => {
      const [example] = await examples("README.md");
      expect(await run(example?.code ?? "")).toMatch(/.{20}/);
    });

    test("and each that the package's own README shows", async () => {
      const [first, stop, errors, ...others] = await examples("src/client/README.md");
      expect(await run(first?.code ?? "")).toMatch(/.{20}\n(\[\d+\] .+\n)+999 answers left\n$/s);
      expect(await run(stop?.code ?? "")).toBe("refunded cancelled\n");
      expect(await run(errors?.code ?? "")).toMatch(/.{20}/);
      expect(others).toEqual([]);
    });
  });

  test.each([
    ["callbacks alone", 'client.ask("", { onToken() {} });'],
    ["done alone", 'await client.ask("").done.catch(({ code }) => console.log(code));'],
    [
      "the iteration alone",
      'try { for await (const _ of client.ask("")); } catch ({ code }) { console.log(code); }',
    ],
    ["nothing", 'client.ask(""); client.ask("What is Belay?").cancel();'],
    [
      "an iteration that is broken off",
      'for await (const _ of client.ask("What is Belay?")) break;',
    ],
  ])("leaves nothing uncaught to who uses %s", async (_, code) => {
    expect(await run(PRELUDE + code)).toMatch(/^(INVALID_REQUEST\n)?$/);
  });

  test("reports what a callback throws as uncaught, and goes on", async () => {
    const code = `
process.on("uncaughtException", ({ message }) => console.log("uncaught:", message));
let tokens = 0;
const answer = client.ask("What is Belay?", {
  onToken() { if (++tokens === 1) throw new Error("mine"); },
  onDone() { throw new Error("mine too"); },
});
const { text } = await answer.done;
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(tokens > 1, text.length > 20);`;
    expect(await run(PRELUDE + code)).toBe("uncaught: mine\nuncaught: mine too\ntrue true\n");
  });
});

describe("the client over real sockets", () => {
  let model: ModelServer;
  let server: RunningServer;
  const start = (port = 0) =>
    startScriptedServer({
      model,
      port,
      persistTo: join(folder, "data"),
      vars: { QUOTA_LIMIT: "1000", CONCURRENCY_LIMIT: "30", PING_INTERVAL_MS: "200" },
    });

  beforeAll(async () => {
    model = await startModelServer();
    server = await start();
  });
  afterAll(async () => {
    await server.stop();
    await model.close();
  });

  /** A patient client of a new user. */
  async function newClient(url = server.url) {
    const token = await bearer(SECRET, { user: crypto.randomUUID() });
    return createClient({ url, token, backoff: (attempt) => (attempt > 300 ? undefined : 100) });
  }

  test("reads each answer whole although connections are cut", async () => {
    const random = new Random(5);
    const proxy = createServer((near) => {
      const far = connect({ port: server.port, host: "127.0.0.1" });
      // An answer has about 2,000 bytes; a connection may carry several.
      let left = random.whole(0, 4_000);
      near.pipe(far);
      far.on("data", (bytes) => {
        near.write(bytes.subarray(0, left));
        left -= bytes.length;
        if (left <= 0) near.resetAndDestroy();
      });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on("error", () => {}).on("close", () => other.destroy());
      }
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => proxy.once("listening", resolve));
    const { port } = proxy.address() as { port: number };

    const direct = await newClient();
    const through = await newClient(`http://127.0.0.1:${port}`);
    const retries: Retry[] = [];
    const query = scripted({ tokens: 30, gapMs: 2 });
    const { text } = await direct.ask(query).done;
    const answers = Array.from({ length: 30 }, async (_, nth) => {
      await new Promise((resolve) => setTimeout(resolve, nth * 60));
      return through.ask(query, { onRetry: (retry) => retries.push(retry) }).done;
    });
    for (const answer of await Promise.all(answers)) expect(answer.text).toBe(text);
    expect(retries.length).toBeGreaterThan(10);
    const quota = () => through.quota().catch(() => undefined);
    await expect.poll(quota).toMatchObject({ charged: 30, refunded: 0, reserved: 0 });
    proxy.close();
  });

  test("asks again if the server is killed before the first token, and fails after it", async () => {
    const client = await newClient();
    const tag = crypto.randomUUID();
    const early = client.ask(scripted({ tokens: 3, holdAt: 0, tag }));
    const late = client.ask(scripted({ tokens: 1_000, gapMs: 20 }));
    await expect.poll(() => late.text.length > 0 && early.queryId).toBeTruthy();
    const lost = late.done.catch((error) => error);
    await server.kill9();
    server = await start(server.port);
    const askedFor = () => model.requests.filter((request) => request.tag === tag).length;
    await expect.poll(askedFor).toBe(2);
    release(model.requests, tag);
    expect((await early.done).text).toBe("w0 w1 w2 ");
    expect(await lost).toMatchObject({ name: "ConnectionLostError", code: "NOT_KEPT" });
    await expect.poll(() => client.quota()).toMatchObject({ charged: 1, refunded: 2, reserved: 0 });
  });
});

/** The JavaScript blocks of a document, each with its heading. */
async function examples(path = "docs/client.md") {
  const text = await readFile(join(PROJECT, path), "utf8");
  return text.split(/^#+ /m).flatMap((section) => {
    const heading = section.slice(0, section.indexOf("\n"));
    return [...section.matchAll(/^```js\n(import .*?belay.*?|const .*?)^```$/gms)].map(
      ([, code = ""]) => ({
        heading,
        code,
      }),
    );
  });
}
