// Rows about the MCP endpoint: its tools, and what a call of each costs.

import * as v from "valibot";
import type { Caller } from "./caller.ts";
import { CHARGED, movement, NOTHING } from "./cost.ts";
import type { Row } from "./deployment.ts";
import { expect, expectJson, expectSame, expectShape } from "./expectation.ts";
import { AnswerBody } from "./shapes.ts";

const VERSION = "2025-11-25";

const Message = v.looseObject({
  jsonrpc: v.literal("2.0"),
  result: v.optional(v.looseObject({})),
});
const Tools = v.looseObject({ tools: v.array(v.looseObject({ name: v.string() })) });
const Found = v.looseObject({ passages: v.array(v.looseObject({ documentId: v.string() })) });

export const MCP: readonly Row[] = [
  {
    name: "MCP has the tools `ask` and `search_documents`",
    async check({ user }) {
      const { tools } = expectShape(Tools, await call(user, "tools/list"), "the tools");
      const names = tools.map(({ name }) => name);
      expectSame(names, ["ask", "search_documents"], "the tools");
      return names.join(", ");
    },
  },
  {
    name: "the tool `ask` of MCP gives a whole answer, and is charged once",
    async check({ user, question }) {
      const before = await user.quota();
      const told = await use(user, "ask", { question });
      const { queryId, answer } = expectShape(AnswerBody, told, "an answer");
      const receipt = await user.resolved(queryId);
      expectSame([receipt.state, receipt.answer], ["charged", answer], "state and answer");
      expectSame(movement(before, await user.quota()), CHARGED, "the movement");
      return `${answer.length} characters`;
    },
  },
  {
    name: "the tool `search_documents` of MCP is free",
    async check({ user, question, document }) {
      const before = await user.quota();
      const told = await use(user, "search_documents", { query: question });
      const { passages } = expectShape(Found, told, "the passages");
      const own = passages.filter(({ documentId }) => documentId === document.id);
      expect(own.length > 0, "it does not find the document of the check");
      expectSame(movement(before, await user.quota()), NOTHING, "the movement");
      return `${passages.length} passages`;
    },
  },
  {
    name: "MCP without a bearer token is 401, with WWW-Authenticate",
    async check({ anonymous }) {
      const { status, headers } = await send(anonymous, "tools/list").reply();
      expectSame(status, 401, "the status");
      const challenge = String(headers["www-authenticate"]);
      expect(/^Bearer\b/.test(challenge), `WWW-Authenticate is ${challenge}`);
      return challenge;
    },
  },
];

async function use(caller: Caller, name: string, args: object): Promise<unknown> {
  const result = await call(caller, "tools/call", { name, arguments: args });
  expect(!result.isError, `the tool ${name} failed: ${JSON.stringify(result.content)}`);
  return result.structuredContent;
}

/** The result of a request, which may come as JSON or in an event stream. */
async function call(caller: Caller, method: string, params: object = {}) {
  const { status, headers, text } = await send(caller, method, params).reply();
  expect(status === 200, `${method} is answered with ${status} ${text.trim()}`);
  const streams = headers["content-type"]?.startsWith("text/event-stream");
  const [last = ""] = streams ? text.split("\n\n").slice(-2) : [text];
  const json = streams ? (/^data: (.*)$/m.exec(last)?.[1] ?? "") : last;
  const message = expectShape(Message, expectJson(json, method), `the answer to ${method}`);
  expect(message.result !== undefined, `${method} is answered with ${json}`);
  return message.result;
}

function send(caller: Caller, method: string, params: object = {}) {
  return caller.exchange("POST", "/mcp", {
    body: { jsonrpc: "2.0", id: 1, method, params },
    headers: {
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": VERSION,
    },
  });
}
