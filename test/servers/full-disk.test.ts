// A disk that stays full for a while, under plain workerd:
// stored answers can be read, writes are refused,
// and reservations are refunded once there is room, without a request.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Quota, Receipt } from "../../src/protocol.ts";
import { release } from "../support/directive.ts";
import { type Incarnation, type Incarnations, incarnations } from "../support/incarnations.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { SECRET } from "../support/server.ts";
import { request } from "../support/socket-client.ts";
import { User } from "../support/user.ts";

const SWEEP_INTERVAL_MS = 1_000;
/** Several alarms long. */
const OUTAGE_MS = 15_000;
/** How soon all reservations are refunded once there is room. */
const BOUND_MS = 15_000;

let model: ModelServer;
let servers: Incarnations;
let server: Incarnation;

beforeAll(async () => {
  model = await startModelServer();
  servers = await incarnations(
    {
      AUTH_SECRET: SECRET,
      ...model.vars,
      DELIVERY_HOLD_MS: "200",
      SWEEP_INTERVAL_MS: String(SWEEP_INTERVAL_MS),
    },
    { ownDisk: true },
  );
  server = await servers.start();
});

afterAll(async () => {
  await server.kill9();
  await servers.remove();
  await model.close();
});

const newUser = () => User.on(server.url, SECRET);
const ask = (user: User, words: string, { streaming = true, held = "" } = {}) =>
  held === ""
    ? user.ask({ tokens: 3, gapMs: 50 }, { words, streaming })
    : user.ask({ tokens: 3, holdAt: 3 }, { words, streaming, tag: held });

const requestsOf = (held: string) => model.requests.filter(({ tag }) => tag === held);

/** Every log line that says how this query ended. */
function ends(queryId: string): string[] {
  return servers.log
    .filter((line) => line.startsWith("{") && line.includes(queryId))
    .map((line) => JSON.parse(line).reason ?? JSON.parse(line).state);
}

/** How many queries a sweep has refunded, by the log. */
function swept(): number {
  return servers.log.filter((line) => line.startsWith("{") && line.includes('"expired"')).length;
}

const health = async () => (await request(`${server.url}/healthz`)).status;

test("a full disk blocks no reads, and reservations are refunded without a request once there is room", async () => {
  const [reader, gone, idle] = [await newUser(), await newUser(), await newUser()];
  const stored = ask(reader, "Stored?");
  await stored.untilEnd();
  await ask(idle, "Stored too?").untilEnd();
  const held = crypto.randomUUID();
  const cut = ask(reader, "In the middle when the disk is full?", { held });
  const left = ask(gone, "Left when the disk is full?", { streaming: false, held });
  await cut.until("token");
  // The model is asked once the reservation is stored.
  await vi.waitFor(() => expect(requestsOf(held)).toHaveLength(2));
  await server.fillDisk(true);
  const end = Date.now() + OUTAGE_MS;
  left.close();
  release(model.requests, held);
  await cut.untilEnd();
  const [storedId, cutId] = [stored, cut].map(({ headers }) => headers["x-query-id"] as string);

  while (Date.now() < end) {
    expect((await reader.get<Quota>("/ai/quota")).body).toMatchObject({ charged: 1, reserved: 1 });
    expect((await reader.get<Receipt>(`/ai/queries/${cutId}`)).body).toMatchObject({
      state: "reserved",
    });
    const again = await reader.get(`/ai/queries/${storedId}/events`);
    expect(String(again.body)).toMatch(/"type":"token".*"type":"done"/s);
    expect((await idle.get<Quota>("/ai/quota")).body).toMatchObject({ charged: 1 });
    const refused = ask(reader, `New at ${Date.now()}?`, { streaming: false });
    await refused.untilEnd();
    expect([refused.status, JSON.parse(refused.text).code]).toEqual([503, "UNAVAILABLE"]);
    expect((await reader.post("/ai/feedback", { queryId: storedId, rating: "up" })).status).toBe(
      503,
    );
    await sleep(1_500);
  }
  expect(await health()).toBe(503);
  const before = swept();
  expect(ends(cutId as string)).toEqual([]);

  await server.fillDisk(false);
  await expect.poll(swept, { timeout: BOUND_MS, interval: 100 }).toBe(before + 2);
  expect(ends(cutId as string)).toEqual(["expired"]);
  const woken = Date.now();
  const receipt = (await reader.get<Receipt>(`/ai/queries/${cutId}`)).body;
  expect(receipt).toMatchObject({ state: "refunded", reason: "expired" });
  expect(Date.parse(receipt.resolvedAt as string)).toBeLessThan(woken);
  expect((await gone.get<Quota>("/ai/quota")).body).toMatchObject({ refunded: 1, reserved: 0 });
  expect(await health()).toBe(200);
  const after = ask(reader, "And now?");
  await after.untilEnd();
  const afterEnds = () => ends(after.headers["x-query-id"] as string);
  // Its line may be read after its last byte.
  await expect.poll(afterEnds).toEqual(["charged"]);
  expect(ends(storedId as string)).toEqual(["charged"]);
});
