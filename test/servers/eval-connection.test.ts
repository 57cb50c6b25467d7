// The connection of an evaluation, to servers that close connections.

import { createServer, type RequestListener } from "node:http";
import { afterEach, expect, test } from "vitest";
import { Connection } from "../../eval/connection.ts";
import { listen } from "../support/listen.ts";

const CONCURRENCY = 16;

let close: () => void = () => {};
afterEach(() => close());

test("a request that takes a closed connection is sent again", async () => {
  const asked = new WeakSet();
  const { connection, requests } = await serve((request, response) => {
    // As one that was idle for too long: the client cannot know it yet.
    if (asked.has(request.socket)) request.socket.end();
    else response.end('{"passages":1}');
    asked.add(request.socket);
  });
  const put = () => connection.json("PUT", "/document", { text: "rope" });
  for (let round = 0; round < 3; round += 1) {
    const responses = await Promise.all(Array.from({ length: CONCURRENCY }, put));
    expect(responses).toEqual(Array(CONCURRENCY).fill({ passages: 1 }));
  }
  // Else no connection was used twice, and nothing was tested.
  expect(requests()).toBeGreaterThan(3 * CONCURRENCY);
});

test("a response that breaks off is asked for again", async () => {
  const { connection, requests } = await serve((request, response) => {
    if (requests() > 1) return response.end('{"passages":1}');
    response.writeHead(200, { "content-length": "100" }).write("{");
    return setTimeout(() => request.socket.destroy(), 20);
  });
  expect(await connection.json("PUT", "/document")).toEqual({ passages: 1 });
});

test("a server that never responds is a failure with its reason", async () => {
  const { connection, requests } = await serve((request) => request.socket.destroy());
  await expect(connection.json("GET", "/")).rejects.toThrow(/^The corpus does not respond: .+\.$/);
  expect(requests()).toBe(5);
});

test("a refusal is a failure at once, and a document that was deleted already is none", async () => {
  const { connection, requests } = await serve((_request, response) => {
    response.writeHead(404).end('{"code":"NOT_FOUND"}');
  });
  await expect(connection.json("PUT", "/document")).rejects.toThrow(
    'The corpus refuses PUT /document: 404 {"code":"NOT_FOUND"}',
  );
  expect(requests()).toBe(1);
  await expect(connection.json("DELETE", "/document")).resolves.toBeDefined();
});

async function serve(respond: RequestListener) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    respond(request, response);
  });
  const url = await listen(server);
  close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { connection: new Connection(url, "token"), requests: () => requests };
}
