// Requests that only a socket can make: what fetch refuses to send.

import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningServer, startServer } from "../support/server.ts";
import { bearer, request } from "../support/socket-client.ts";

const secret = "a secret that is only for tests, 32 bytes";
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ command: "serve", vars: { AUTH_SECRET: secret } });
});

afterAll(() => server.stop());

it("answers a GET that has a body", async () => {
  const token = await bearer(secret, { user: "alice" });
  const reply = await request(`${server.url}/api/v1/ai/quota`, {
    method: "GET",
    token,
    body: { ignored: true },
  });
  expect(reply.status).toBe(200);
});
