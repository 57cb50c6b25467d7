// Packages that others have made, each against a real server: `npm run
// test:packages` installs them and runs this suite.

import { defineConfig } from "vitest/config";
import "../support/environment.ts";

export default defineConfig({
  test: {
    name: "packages",
    include: ["test/packages/**/*.test.ts"],
    setupFiles: "./test/support/patience.ts",
    globalSetup: "./test/support/bundle.ts",
    testTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
    // A disconnected client waits for a server that waits: that costs little.
    maxConcurrency: 20,
    maxWorkers: 2,
  },
});
