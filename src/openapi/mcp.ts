// The MCP endpoint. MCP's own schema describes what is in its messages.

import * as v from "valibot";
import { type Part, shape } from "./operation.ts";

const jsonrpc = v.literal("2.0");
const id = v.union([v.string(), v.number()]);
const members = v.record(v.string(), v.unknown());

const message = v.object({
  jsonrpc,
  id: v.exactOptional(id),
  method: v.string(),
  params: v.exactOptional(members),
});
const sent = v.union([message, v.array(message)]);

const answer = v.object({
  jsonrpc,
  id: v.exactOptional(v.nullable(id)),
  result: v.exactOptional(members),
  error: v.exactOptional(
    v.object({ code: v.number(), message: v.string(), data: v.exactOptional(v.unknown()) }),
  ),
});
const answers = v.union([answer, v.array(answer)]);

const event = v.union([answer, message]);

const refusal = v.object({
  jsonrpc,
  id: v.nullable(id),
  error: v.object({ code: v.number(), message: v.string(), data: v.exactOptional(v.unknown()) }),
});

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "example", version: "1.0.0" },
  },
};

const ask = {
  jsonrpc: "2.0",
  id: 2,
  method: "tools/call",
  params: { name: "ask", arguments: { question: "When am I charged?" } },
};

export function mcp(): Part {
  return {
    tag: "MCP",
    about: "For agents: the tools `ask` and `search_documents`, over streamable HTTP.",
    refusal: "McpRefusal",
    shapes: {
      McpMessage: shape(message, "A request or a notification of JSON-RPC.", {
        jsonrpc: "The version of JSON-RPC.",
        id: "A notification has none.",
        method: "What is asked for, such as `tools/call`.",
        params: "Depends on the method.",
      }),
      McpBody: { schema: sent, about: "A message. Version 2025-03-26 of MCP may send several." },
      McpAnswer: shape(answer, "The answer to a request.", {
        jsonrpc: "The version of JSON-RPC.",
        id: "That of the request.",
        result: "Depends on the method.",
        error: "What went wrong, instead of a result.",
      }),
      McpAnswers: { schema: answers, about: "An answer, or one to each of several requests." },
      McpEvent: {
        schema: event,
        about: "The JSON after `data: ` of one event: progress, or the answer, which is the last.",
      },
      McpRefusal: shape(refusal, "A refusal before any tool is called.", {
        jsonrpc: "The version of JSON-RPC.",
        id: "That of the request, if it was read.",
        error: "`data` is our own form of the error, if it is one of ours.",
      }),
    },
    operations: [
      {
        route: "POST /mcp",
        id: "callMcp",
        summary: "Send a message of the Model Context Protocol",
        about: "An answer of the tool `ask` is charged as any other; stopping it is free.",
        callers: "users",
        body: { shape: "McpBody", examples: { initialize, ask } },
        replies: {
          200: {
            about: "The answer; that of a tool comes as events.",
            headers: ["Mcp-Session-Id"],
            json: "McpAnswers",
            events: "McpEvent",
          },
          202: { about: "A notification was taken." },
          406: { about: "The client must accept JSON and event streams.", json: "McpRefusal" },
        },
      },
    ],
  };
}
