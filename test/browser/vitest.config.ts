// The page in a real browser, against the real server: `npm run test:browser`. Apart from the other
// suites, which need no browser.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "browser",
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Each file starts a server and a browser of its own, and there are few cores.
    fileParallelism: false,
  },
});
