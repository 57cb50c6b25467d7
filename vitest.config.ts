// Five suites. `workerd` runs inside the real runtime, with real storage: each file in a new one. `shared` runs
// there too, but in one runtime for many files: starting one and importing the source takes seconds. `servers` runs in
// Node, over real sockets against the real commands, and so does `clients`, with clients that others have made.
// `growth` runs in Node too, since a clock in workerd stands still while code runs: it measures the pure readers.
// All ask the scripted model of test/support.

import { globSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig, type Plugin } from "vitest/config";
import { writeLocalConfiguration } from "./scripts/configuration.ts";
import { LOCAL_VARIABLES } from "./scripts/local-variables.ts";
import { buildPage } from "./scripts/page.ts";
import { withBug } from "./test/model/bugs.ts";
import { startEmbeddingServer } from "./test/support/embedding-server.ts";
import "./test/support/environment.ts";
import { startModelServer } from "./test/support/model-server.ts";
import { LongestFirst } from "./test/support/order.ts";

const model = await startModelServer();
const embedding = await startEmbeddingServer();
// The folder that the Worker's configuration serves it from must be there.
await buildPage();
const CONFIGURATION = join(import.meta.dirname, ".belay/test");
await mkdir(CONFIGURATION, { recursive: true });
const configPath = await writeLocalConfiguration(CONFIGURATION, LOCAL_VARIABLES);

/** Puts a bug of test/model/bugs.ts into the source that is tested. */
function seeded(bug: string): Plugin {
  const folder = `${import.meta.dirname}/src/`;
  return {
    name: "seeded-bug",
    enforce: "pre",
    transform: (code, id) =>
      id.startsWith(folder) && !id.includes("?")
        ? withBug(bug, id.slice(folder.length), code)
        : undefined,
  };
}

const PATIENCE = "./test/support/patience.ts";
/** The same for `expect.poll`, which no setup file can change. */
const EXPECT = { poll: { timeout: 20_000 } };
const OUTSIDE = ["servers", "clients", "packages", "browser", "growth"].map(
  (folder) => `test/${folder}/**`,
);
/** Imports of the runtime, or of the Worker in it. */
const USES = /cloudflare:|\/harness\.ts|\/worker\.ts/;
/** What replaces a part of the Worker, or writes documents. */
const CHANGES = /vi\.(?:mock|spyOn)|"PUT"|\b(?:CORPUS|DIRECTORY|BUDGET|DOCUMENTS?)\b|putDocument/;
/** Folders whose helpers write documents, or into an object that all users share. */
const CHANGING = /^test\/(?:budget|collections|directory|hostile|model|retrievers)\//;

/** Files in the runtime that leave the Worker as it was. Their users are their own. */
const SHARED = globSync("test/**/*.test.ts", { cwd: import.meta.dirname, exclude: OUTSIDE }).filter(
  (file) => {
    const code = readFileSync(join(import.meta.dirname, file), "utf8");
    return !USES.test(code) || !(CHANGING.test(file) || CHANGES.test(code));
  },
);

/** The Worker of test/worker.ts, in the real runtime. */
function runtime(): Plugin[] {
  return [
    ...(process.env.BUG ? [seeded(process.env.BUG)] : []),
    cloudflareTest({
      main: "./test/worker.ts",
      wrangler: { configPath },
      miniflare: {
        bindings: {
          AUTH_SECRET: "a secret that is only for tests, 32 bytes",
          GENERATOR: "openai",
          OPENAI_BASE_URL: model.url,
          OPENAI_MODEL: "scripted",
          EMBEDDING_URL: embedding.url,
          DELIVERY_HOLD_MS: "20",
          PING_INTERVAL_MS: "50",
          // What test/model is told: process.env does not reach the runtime.
          FC_SEED: process.env.FC_SEED ?? "",
          FC_RUNS: process.env.FC_RUNS ?? "",
          FC_PATH: process.env.FC_PATH ?? "",
          FC_REPLAY_PATH: process.env.FC_REPLAY_PATH ?? "",
          BUG: process.env.BUG ?? "",
          CORS_ORIGINS: "https://app.example, https://other.example",
        },
      },
    }),
  ];
}

// A process on a busy machine can be late. The runner names the tests that it ran again: find the cause of each.
// Tests of what Belay promises are run once: test/support/once.ts.
const RETRY = process.env.CI ? 1 : 0;

export default defineConfig({
  test: {
    // A bug that was put in must not be found again in the cache.
    fsModuleCache: !process.env.BUG,
    // What a passing test logged is noise: half of them make something fail on purpose.
    silent: "passed-only",
    // Half of the files mostly wait for a clock or a socket.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: runtime(),
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          exclude: [...OUTSIDE, ...SHARED],
          setupFiles: PATIENCE,
          expect: EXPECT,
          testTimeout: 30_000,
        },
      },
      {
        plugins: runtime(),
        test: {
          name: "shared",
          include: SHARED,
          isolate: false,
          setupFiles: PATIENCE,
          expect: EXPECT,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "growth",
          include: ["test/growth/**/*.test.ts"],
          expect: EXPECT,
          testTimeout: 120_000,
          // A busy machine can spoil a measurement. A slow reader is slow each time.
          retry: 2,
        },
      },
      {
        test: {
          name: "servers",
          include: ["test/servers/**/*.test.ts"],
          setupFiles: PATIENCE,
          globalSetup: "./test/support/bundle.ts",
          expect: EXPECT,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry: RETRY,
          // Who has left waits for a server that waits: that costs little.
          maxConcurrency: 10,
        },
      },
      {
        test: {
          name: "clients",
          include: ["test/clients/**/*.test.ts"],
          setupFiles: PATIENCE,
          globalSetup: "./test/support/bundle.ts",
          expect: EXPECT,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry: RETRY,
          // All clients are left alone for the same few seconds.
          maxConcurrency: 50,
        },
      },
    ],
  },
});
