// Each program of examples/, as a reader runs it, against a real server.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { PROJECT } from "../support/command.ts";
import { scripted } from "../support/directive.ts";
import { type InstalledClient, installClient } from "../support/installed-client.ts";
import { listen } from "../support/listen.ts";
import { type ScriptedServer, startScriptedServer } from "../support/server.ts";
import { words } from "./proofs.ts";
import { pythonWithPackages } from "./python.ts";
import { type Customer, DOCUMENTS, Site } from "./site.ts";

const LINES_MAX = 60;
const FOLDER = join(PROJECT, "examples");

/** Programs, and what runs them. */
const PROGRAMS = {
  "fetch-node.mjs": "node",
  "client.mjs": "node",
  "ask.py": "python3",
  "openai-chat.mjs": "node",
  "openai-responses.mjs": "node",
  "openai_chat.py": "python3 with packages",
  "openai_responses.py": "python3 with packages",
} as const;
/** What others import, and pages. */
const OTHERS = [
  "README.md",
  "fetch.mjs",
  "fetch.html",
  "use-chat/chat.jsx",
  "use-chat/index.html",
  // embed-examples.test.ts runs these.
  "static-page/index.html",
  "vitepress/.vitepress/config.mjs",
  "vitepress/.vitepress/theme/index.mjs",
  "vitepress/index.md",
  "vitepress/washing.md",
  "docusaurus/src/belay-ask.d.ts",
  "docusaurus/src/theme/Root.jsx",
  "github-actions/ingest.yml",
  // test/servers/caddy.test.ts runs the first of these.
  "caddy/Caddyfile",
  "caddy/compose.yaml",
];
/** Documents to load and ask. */
const HANDBOOK = ["account", "prices", "problems", "returning", "riding"].map(
  (name) => `handbook/${name}.md`,
);
type Program = keyof typeof PROGRAMS;
/** Python's packages come from PyPI. `.ci/run` sets this where it is not reached. */
const RUN = (Object.keys(PROGRAMS) as Program[]).filter(
  (name) => !process.env.WITHOUT_PYPI || PROGRAMS[name] !== "python3 with packages",
);

let client: InstalledClient;
/** The examples, beside the packages that they import. */
let folder: string;

beforeAll(async () => {
  client = await installClient();
  folder = join(client.folder, "examples");
  await cp(FOLDER, folder, { recursive: true });
  await mkdir(join(client.folder, "node_modules/@ai-sdk"));
  for (const name of ["openai", "ai", "@ai-sdk/react", "react", "react-dom"]) {
    const installed = join(import.meta.dirname, "node_modules", name);
    await symlink(installed, join(client.folder, "node_modules", name));
  }
});
afterAll(() => client?.remove());

describe("the folder of the examples", () => {
  test("holds only what is run here, in embed-examples.test.ts and in caddy.test.ts", async () => {
    const entries = await readdir(FOLDER, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(FOLDER.length + 1));
    expect(files.sort()).toEqual([...Object.keys(PROGRAMS), ...OTHERS, ...HANDBOOK].sort());
  });

  test.each([...Object.keys(PROGRAMS), ...OTHERS])(
    "%s is short, and README.md names it",
    async (name) => {
      const text = await readFile(join(FOLDER, name), "utf8");
      expect(text.split("\n").length - 1).toBeLessThanOrEqual(LINES_MAX);
      if (name === "README.md") return;
      const readme = await readFile(join(FOLDER, "README.md"), "utf8");
      expect(readme, name).toContain(`](${name})`);
    },
  );
});

test("the workflow runs commands that the project has", async () => {
  const workflow = await readFile(join(FOLDER, "github-actions/ingest.yml"), "utf8");
  const { scripts } = JSON.parse(await readFile(join(FOLDER, "../package.json"), "utf8"));
  const commands = Array.from(workflow.matchAll(/npm run (\S+)/g), ([, name]) => name);
  expect(commands).toEqual(["ingest"]);
  expect(scripts).toHaveProperty("ingest");
});

describe("a program", () => {
  let site: Site;
  let python: string;
  beforeAll(async () => {
    const packages = process.env.WITHOUT_PYPI ? "" : pythonWithPackages();
    [site, python] = await Promise.all([Site.start(), packages]);
  }, 120_000);
  afterAll(() => site?.stop());

  /** Starts it in the reader's terminal. */
  function start(
    program: Program,
    customer: Pick<Customer, "url" | "key">,
    questions: readonly string[],
  ): Running {
    const runner = PROGRAMS[program];
    const file = runner === "node" ? process.execPath : runner === "python3" ? "python3" : python;
    const environment = { ...process.env, BELAY_URL: customer.url, BELAY_TOKEN: customer.key };
    return new Running(
      spawn(file, [join(folder, program), ...questions], { cwd: folder, env: environment }),
    );
  }

  describe.each(RUN)("%s", (program) => {
    test.concurrent("says what to do without a bearer token", async () => {
      const { url } = await site.customer();
      const running = start(program, { url, key: "" }, []);
      expect(await running.ended).toEqual({
        code: 1,
        stderr: "Set BELAY_TOKEN: export BELAY_TOKEN=$(npm run -s token -- --user me)\n",
      });
      expect(running.stdout).toBe("");
    });

    test.concurrent("says what to do where no server is", async () => {
      const url = "http://127.0.0.1:1";
      const running = start(program, { url, key: "a.b.c" }, []);
      const { code, stderr } = await running.ended;
      expect([code, running.stdout]).toEqual([1, ""]);
      expect(stderr.trim().split("\n").at(-1)).toMatch(/http:\/\/127\.0\.0\.1:1\b.*\?$/);
    });

    test.concurrent("prints the answer with its sources, and is refused without a quota", async () => {
      const customer = await site.customer(1);
      const first = start(program, customer, [customer.question({ tokens: 20, gapMs: 5 })]);
      expect(await first.ended).toEqual({ code: 0, stderr: "" });
      expect(first.stdout.startsWith(`${words(20)}\n\n`)).toBe(true);
      const lines = first.stdout.slice(words(20).length).trim().split("\n");
      const { quota, refunds } = DOCUMENTS;
      expect(lines.map((line) => line.replace(/^\[\d\] | $/g, "")).sort()).toEqual([
        "0 answers left",
        `${quota.title} ${quota.url}`,
        refunds.title,
      ]);
      await customer.paid({ charged: 1 });

      const second = start(program, customer, [customer.question({ tokens: 3 })]);
      const { code, stderr } = await second.ended;
      expect([code, second.stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/quota/i);
      expect(stderr.trim().split("\n").length).toBe(1);
      await customer.paid({ charged: 1 });
    });

    test.concurrent("prints the answer as it comes, and is refunded after Ctrl-C", async () => {
      const customer = await site.customer();
      const running = start(program, customer, [customer.question({ tokens: 1_000, gapMs: 100 })]);
      await vi.waitFor(() => expect(running.stdout).toContain("w5 "));
      running.interrupt();
      await running.ended;
      expect(running.stdout).not.toContain("w900 ");
      const reason = program === "client.mjs" ? "cancelled" : "disconnected";
      await customer.paid({ refunded: 1, reason });
      await customer.modelStopped();
    });

    test.concurrent("says that the model failed in the answer, free of charge", async () => {
      const customer = await site.customer();
      const running = start(program, customer, [
        customer.question({ tokens: 5, fault: "cut", at: 3 }),
      ]);
      const { code, stderr } = await running.ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(/not charged/);
      await customer.paid({ refunded: 1, reason: "failed" });
    });
  });

  describe.concurrent.each(RUN.filter((name) => /^openai.responses/.test(name)))(
    "%s with two questions",
    (program) => {
      test("asks the second as a follow-up", async () => {
        const customer = await site.customer();
        const questions = [customer.question({ tokens: 4 }), customer.question({ tokens: 6 })];
        const running = start(program, customer, questions);
        expect(await running.ended).toEqual({ code: 0, stderr: "" });
        expect(running.stdout).toMatch(new RegExp(`^${words(4)}\n\n.*\n${words(6)}\n\n`, "s"));
        expect(customer.asked.map(({ roles }) => roles.slice(1))).toEqual([
          ["user"],
          ["user", "assistant", "user"],
        ]);
        await customer.paid({ charged: 2 });
      });
    },
  );
});

describe("a page", () => {
  let server: ScriptedServer;
  let browser: Browser;
  let pages: Server;
  let origin: string;

  beforeAll(async () => {
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    [server, browser] = await Promise.all([
      startScriptedServer({ vars: { ANONYMOUS_LIMIT: "5", PING_INTERVAL_MS: "100" } }),
      chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] }),
      bundleChat(),
    ]);
    pages = servePages(server.url);
    origin = await listen(pages);
  });
  afterAll(async () => {
    await browser?.close();
    pages?.close();
    pages?.closeAllConnections();
    await server?.stop();
  });

  /** With the command that README.md shows. */
  async function bundleChat(): Promise<void> {
    const readme = await readFile(join(FOLDER, "README.md"), "utf8");
    const [, args = ""] = /^npx esbuild (.+)$/m.exec(readme) ?? [];
    const esbuild = join(PROJECT, "node_modules/.bin/esbuild");
    await promisify(execFile)(esbuild, args.split(" "), { cwd: join(folder, "use-chat") });
  }

  /** One reverse proxy for pages and API, as docs/protocol.md says. */
  function servePages(target: string): Server {
    return createServer(async (near, response) => {
      const { url = "/", method, headers } = near;
      if (url.startsWith("/api/")) {
        const far = request(target + url, { method, headers, agent: false });
        near.pipe(far);
        far.on("response", (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        });
        far.on("error", () => response.destroy());
        response.on("close", () => far.destroy());
        return;
      }
      const type = url.endsWith(".html") ? "text/html" : "text/javascript";
      const text = await readFile(join(folder, url)).catch(() => undefined);
      response.writeHead(text === undefined ? 404 : 200, { "content-type": type }).end(text);
    });
  }

  interface Shown {
    readonly answer: string;
    readonly sources: string;
    readonly notice: string;
  }

  /** Where each page shows what. */
  const SHOWN: Readonly<Record<string, Shown>> = {
    "fetch.html": { answer: "#answer", sources: "#sources li", notice: "#notice" },
    "use-chat/index.html": {
      answer: "article:last-of-type p",
      sources: "article:last-of-type li",
      notice: "[role=alert]",
    },
  };

  async function open(path: string): Promise<Page> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${origin}/${path}`);
    return page;
  }

  async function ask(page: Page, question: string): Promise<void> {
    await page.fill("input", question);
    await page.click("text=Ask");
  }

  /** Receipts of the page's reader, newest first, as state and reason. */
  async function receipts(page: Page): Promise<readonly string[]> {
    return page.evaluate(async () => {
      const response = await fetch("/api/v1/ai/queries");
      const { queries } = await response.json();
      return queries.map(({ state, reason }: Record<string, string>) => `${state} ${reason}`);
    });
  }

  describe.each(Object.keys(SHOWN))("%s", (path) => {
    const shown = SHOWN[path] as Shown;

    test("shows answer and sources, and asks again on the same page", async () => {
      const page = await open(path);
      for (const tokens of [8, 12]) {
        await ask(page, scripted({ tokens }, "What is the quota?"));
        await expect.poll(() => page.textContent(shown.answer)).toBe(words(tokens));
        await expect.poll(() => page.locator(shown.sources).count()).toBeGreaterThan(0);
        await expect.poll(() => page.locator("text=Ask").isEnabled()).toBe(true);
      }
      await expect.poll(() => receipts(page)).toEqual(["charged null", "charged null"]);
    });

    test("stops the answer, which is refunded", async () => {
      const page = await open(path);
      await ask(page, scripted({ tokens: 2_000, gapMs: 20 }, "What is the quota?"));
      await expect.poll(() => page.textContent(shown.answer)).toContain("w5 ");
      await page.click("text=Stop");
      await expect.poll(() => receipts(page)).toEqual(["refunded disconnected"]);
      expect(await page.textContent(shown.answer)).not.toContain("w900 ");
    });

    test("says that the model failed", async () => {
      const page = await open(path);
      const failing = scripted({ tokens: 5, fault: "cut", at: 3 }, "What is the quota?");
      await ask(page, failing);
      await expect.poll(() => page.textContent(shown.notice)).toMatch(/not charged/);
    });
  });

  test("says that the quota is used up", async () => {
    const page = await open("fetch.html");
    const notice = page.locator("#notice");
    let left: string | null;
    do {
      // The same question again would be free.
      await ask(page, `What is the quota? ${crypto.randomUUID()}`);
      await expect.poll(() => notice.textContent()).not.toBe("");
      left = await notice.textContent();
    } while (left !== "0 answers left");
    for (const [path, { notice }] of Object.entries(SHOWN)) {
      const next = await open(path);
      await ask(next, "What is the quota?");
      await expect.poll(() => next.textContent(notice)).toMatch(/^[A-Z].*quota/i);
    }
  });
});

/** A program in the reader's terminal, and what it has printed so far. */
class Running {
  stdout = "";
  stderr = "";
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
  readonly #process: ChildProcess;

  constructor(process: ChildProcess) {
    this.#process = process;
    for (const output of ["stdout", "stderr"] as const) {
      process[output]?.setEncoding("utf8").on("data", (text: string) => {
        this[output] += text;
      });
    }
    this.ended = once(process, "close").then(([code]) => ({ code, stderr: this.stderr }));
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.#process.kill("SIGINT");
  }
}
