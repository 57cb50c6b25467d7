// A limiter as others are: it reads the counter, runs, and counts afterwards.
// For the comparison in docs/testing.md. It stands before a model.

import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { listen } from "./listen.ts";

/** What a read or a write of a store in the same region takes. */
const STORE_MS = 2;

export interface Limiter {
  readonly url: string;
  /** How many calls reached the model. */
  readonly passed: number;
  close(): Promise<void>;
}

export async function startCheckThenRun(limit: number, modelMs: number): Promise<Limiter> {
  let stored = 0;
  let passed = 0;
  const server = createServer(async (_request, response) => {
    await sleep(STORE_MS);
    if (stored >= limit) {
      response.writeHead(429).end();
      return;
    }
    passed += 1;
    await sleep(modelMs);
    await sleep(STORE_MS);
    stored += 1;
    response.end("answered");
  });
  const url = await listen(server);
  return {
    url,
    get passed() {
      return passed;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
