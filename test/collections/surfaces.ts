// An ask of some collections on each surface.

import { fetchApi, type TestUser } from "../harness.ts";
import { send } from "../mcp/rpc.ts";

/** @param named Undefined: all that the user may read. */
type Surface = (
  user: TestUser,
  query: string,
  named: readonly string[] | undefined,
) => Promise<Response>;

const json = (user: TestUser, path: string, body: unknown) =>
  fetchApi(path, {
    method: "POST",
    headers: { authorization: `Bearer ${user.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const rpc = (user: TestUser, name: string, args: object) =>
  send(user, { id: 1, method: "tools/call", params: { name, arguments: args } });
const messages = (content: string) => [{ role: "user", content }];
const model = (named: readonly string[] | undefined) =>
  named?.length === 1
    ? { model: `belay/${named[0]}` }
    : { model: "belay", belay: { collections: named } };

/** Those that make an answer, and so a query in the log. */
export const SURFACES: Readonly<Record<string, Surface>> = {
  json: (user, query, collections) => user.post("/ai/ask", { query, collections }),
  events: (user, query, collections) => user.post("/ai/ask?stream=true", { query, collections }),
  completion: (user, query, named) =>
    json(user, "/v1/chat/completions", { ...model(named), messages: messages(query) }),
  chunks: (user, query, named) =>
    json(user, "/v1/chat/completions", {
      ...{ ...model(named), messages: messages(query), stream: true },
    }),
  response: (user, query, named) => json(user, "/v1/responses", { ...model(named), input: query }),
  responseEvents: (user, query, named) =>
    json(user, "/v1/responses", { ...model(named), input: query, stream: true }),
  uiMessages: (user, query, collections) =>
    user.post("/ai/chat", {
      messages: [{ role: "user", parts: [{ type: "text", text: query }] }],
      belay: { collections },
    }),
  mcp: (user, query, collections) => rpc(user, "ask", { question: query, collections }),
};

/** Those that only search. */
export const SEARCHES: Readonly<Record<string, Surface>> = {
  search: (user, query, collections) => rpc(user, "search_documents", { query, collections }),
  examples: (user, _, named) =>
    user.request(`/ai/examples${named === undefined ? "" : `?collections=${named}`}`),
};

export function askOn(
  surface: string,
  user: TestUser,
  query: string,
  named: readonly string[] | undefined,
): Promise<Response> {
  const ask = SURFACES[surface] ?? SEARCHES[surface];
  if (ask === undefined) throw new Error(`There is no surface ${surface}.`);
  return ask(user, query, named);
}
