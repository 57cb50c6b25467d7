// /healthz of a deployment whose storage takes writes, and of one whose does not.

import { env, exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import { handle } from "../../src/edge/edge.ts";
import type { Env } from "../../src/wiring.ts";

const ADDRESS = "https://belay.test/healthz";

it("is 200 without a bearer token where storage takes writes, and leaves nothing behind", async () => {
  for (let call = 0; call < 3; call += 1) {
    const response = await exports.default.fetch(new Request(ADDRESS));
    expect([response.status, await response.text()]).toEqual([200, "ok\n"]);
  }
});

it("is 503 where it does not, tries a write once a second at most, and is 200 again soon", async () => {
  let isOut = true;
  let tries = 0;
  const tryWrite = async () => {
    tries += 1;
    if (isOut) throw new Error("database or disk is full");
  };
  const variables = { ...env, USERS: { getByName: () => ({ tryWrite }) } } as unknown as Env;
  const call = () => handle(new Request(ADDRESS), variables);
  for (const response of await Promise.all([await call(), await call(), await call()])) {
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("10");
    const body = await response.json<{ code: string; message: string }>();
    expect(body).toMatchObject({ type: "error", code: "UNAVAILABLE" });
    expect(body.message).not.toContain("full");
  }
  expect(tries).toBe(1);
  isOut = false;
  await scheduler.wait(1_050);
  expect((await call()).status).toBe(200);
});
