// Makes a fixture of upgrade.test.ts: the data folder of a released version, with all that
// a user, an operator and a reader can leave in it, and what the API said of it.
//
//   git clone . OLD && git -C OLD checkout 5060ef0 && npm --prefix OLD ci
//   node test/servers/released/write.ts OLD first
//
// It writes NAME.tar.gz and NAME.json beside this file.

import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { type Directive, scripted } from "../../support/directive.ts";
import { SECRET, startScriptedServer } from "../../support/server.ts";
import { ask, bearer, type Exchange, request } from "../../support/socket-client.ts";
import { lookAt, VARS } from "./look.ts";

const [release = "", name = ""] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "belay-released-"));
const persistTo = join(folder, "data");
const server = await startScriptedServer({ release: resolve(release), persistTo, vars: VARS });
const api = `${server.url}/api/v1`;
const operator = await bearer(SECRET, { user: "operator", operator: true });
const alice = await bearer(SECRET, { user: "alice" });

for (const { documentId } of await documents())
  await call("DELETE", `/admin/documents/${encodeURIComponent(documentId)}`);
await put("handbook", "Handbook", "# Holidays\n\nEach employee has thirty days of holiday.");
await put("handbook", "Handbook", "# Holidays\n\nEach employee has thirty-one days of holiday.");
await put(
  "garden",
  "Garden",
  "# Roses\n\nCut roses in spring.\n\n# Tulips\n\nPlant tulips in autumn.",
);
await put("gone", "Gone", "This document is deleted.");
await call("DELETE", "/admin/documents/gone");

const [first = ""] = await whole(asked({ tokens: ["Thirty-one ", "days [1]."] }, "Holidays?"));
await call("POST", "/ai/feedback", { queryId: first, rating: "up", comment: "Thanks." }, alice);
await whole(asked({ tokens: ["kept ", "by ", "key"] }, "By key?", { "idempotency-key": "key-1" }));
const [refunded = ""] = await whole(asked({ tokens: 2 }, "Refunded by the operator?"));
await call("POST", `/admin/users/alice/queries/${refunded}/refund`);
await whole(asked({ tokens: 2, fault: "cut", at: 1 }, "Failed?"));
const left = asked({ tokens: 1_000, gapMs: 20 }, "Disconnected?");
await left.until("token");
left.close();
const stopped = asked({ tokens: 1_000, gapMs: 20 }, "Cancelled?");
const { event } = await stopped.until("start");
await call("POST", `/ai/queries/${event.queryId}/cancel`, undefined, alice);
await stopped.untilEnd();
await call("PATCH", "/admin/users/alice", { limit: 40, refundLimit: 7 });
await call("PATCH", "/admin/users/bob", { blocked: true });
const session = await request(`${api}/session`, {
  method: "POST",
  headers: { origin: server.url, "sec-fetch-site": "same-origin" },
});
const cookie = session.headers["set-cookie"]?.split(";")[0] ?? "";
await whole(
  ask(server.url, {
    body: { query: scripted({ tokens: 1 }, "Anonymous?") },
    headers: { cookie, origin: server.url, "sec-fetch-site": "same-origin" },
  }),
);
// Two hundred ms for what is resolved after its response.
await delay(200);

const seen = await lookAt(server.url);
await server.stop();
// What is free in the files was the documents that a fresh server loads.
for (const file of await readdir(persistTo, { recursive: true })) {
  if (!file.endsWith(".sqlite")) continue;
  const database = new DatabaseSync(join(persistTo, file));
  database.exec("VACUUM");
  database.close();
}
execFileSync("tar", ["-C", folder, "-czf", join(import.meta.dirname, `${name}.tar.gz`), "data"]);
await writeFile(
  join(import.meta.dirname, `${name}.json`),
  `${JSON.stringify({ writtenAt: Date.now(), ...seen }, undefined, 2)}\n`,
);
await rm(folder, { recursive: true });

function asked(directive: Directive, words: string, headers = {}): Exchange {
  return ask(server.url, { token: alice, body: { query: scripted(directive, words) }, headers });
}

async function whole(exchange: Exchange): Promise<[queryId: string]> {
  await exchange.untilEnd();
  return [exchange.headers["x-query-id"] ?? ""];
}

async function call(method: string, path: string, body?: unknown, token = operator) {
  const reply = await request(`${api}${path}`, {
    method,
    token,
    ...(body !== undefined && { body }),
  });
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(reply.body)}`);
}

function put(id: string, title: string, text: string): Promise<void> {
  return call("PUT", `/admin/documents/${id}`, { title, text, url: `/${id}` });
}

async function documents(): Promise<{ documentId: string }[]> {
  const { body } = await request<{ documents: { id: string }[] }>(`${api}/admin/documents`, {
    token: operator,
  });
  return body.documents.map(({ id }) => ({ documentId: id }));
}
