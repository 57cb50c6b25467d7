// The page in a real browser: `npm run test:browser`. The other suites need none.

import { defineConfig } from "vitest/config";
import "../support/environment.ts";

export default defineConfig({
  test: {
    name: "browser",
    include: ["test/browser/**/*.test.ts"],
    globalSetup: "./test/support/bundle.ts",
    testTimeout: 60_000,
    // A test that passes does not wait any longer.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 120_000,
    // A browser on a busy machine can be late. The runner names the tests that
    // it ran again: find the cause of each.
    retry: process.env.CI ? 1 : 0,
    // Each file starts its own server and browser, and there are few cores.
    fileParallelism: false,
  },
});
