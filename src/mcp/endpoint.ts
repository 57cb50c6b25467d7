// The MCP endpoint: streamable HTTP without state, on the official package,
// which negotiates versions and reads and writes messages. One POST is one
// server object. The edge loads this file with the first request to it.

import {
  type CallToolResult,
  createMcpHandler,
  isJSONRPCRequest,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { Passage } from "../answer/retriever.ts";
import { toServiceError } from "../errors.ts";
import { readJson, refuseCompressed } from "../request.ts";
import { snippets } from "../text/snippet.ts";
import { searchArguments } from "./arguments.ts";
import { callAsk } from "./ask-tool.ts";
import { Connection } from "./connection.ts";
import { errorResult, type FoundPassage, searchResult } from "./results.ts";
import { ASK, SEARCH, TOOLS } from "./tools.ts";

/** A body may be this long, in bytes: an ask's, and its envelope. */
const BODY_BYTES_MAX = 68 * 1024;

const INFO = { name: "belay", title: "Belay", version: "0.1.0" };
const INSTRUCTIONS =
  "Belay answers from the documents of this deployment. Use ask for a question that they may " +
  "answer, and cite its sources. Use search_documents, which is free, to find or compare " +
  "passages.";

/** What the edge gives: all of it acts as the caller. */
export interface McpParts {
  readonly bodyTimeoutMs: number;
  /** Sends a body to `POST /ai/ask?stream=true`. */
  ask(body: unknown, signal: AbortSignal): Promise<Response>;
  search(query: string, limit: number, signal: AbortSignal): Promise<readonly Passage[]>;
}

export async function answerMcp(request: Request, parts: McpParts): Promise<Response> {
  refuseCompressed(request);
  const limits = { bytesMax: BODY_BYTES_MAX, timeoutMs: parts.bodyTimeoutMs };
  const parsedBody = await readJson(request, limits);
  const connection = new Connection(request.signal);
  const handler = createMcpHandler(() => server(parts, connection), {
    // A call is answered as a stream, in which heartbeats can be written.
    responseMode: isCall(parsedBody) ? "sse" : "auto",
    // Nothing changes here that a client could wait for.
    maxSubscriptions: 0,
    // The calls write heartbeats of their own.
    keepAliveMs: 0,
  });
  const response = await handler.fetch(request, { parsedBody });
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (response.body === null || !isStream) return response;
  void connection.pass(response.body);
  return new Response(connection.body, response);
}

function isCall(body: unknown): boolean {
  return isJSONRPCRequest(body) && body.method === "tools/call";
}

function server(parts: McpParts, connection: Connection): Server {
  const made = new Server(INFO, { capabilities: { tools: {} }, instructions: INSTRUCTIONS });
  made.setRequestHandler("tools/list", () => ({ tools: TOOLS }));
  made.setRequestHandler("tools/call", async ({ params }, context) => {
    const { name, arguments: args } = params;
    const call = { args, parts, connection, context };
    if (name === ASK.name) return orError(call, ask(call));
    if (name === SEARCH.name) return orError(call, search(call));
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `Unknown tool. The tools are ${TOOLS.map((tool) => tool.name).join(" and ")}.`,
    );
  });
  return made;
}

interface Call {
  readonly args: unknown;
  readonly parts: McpParts;
  readonly connection: Connection;
  readonly context: ServerContext;
}

function ask({ args, parts, connection, context }: Call): Promise<CallToolResult> {
  const { signal, _meta: meta, notify } = context.mcpReq;
  const progressToken = meta?.progressToken;
  return callAsk({
    args,
    connection,
    signal: AbortSignal.any([signal, connection.signal]),
    ask: (body, stop) => parts.ask(body, stop),
    notify:
      progressToken === undefined
        ? undefined
        : (progress, message) =>
            notify({
              method: "notifications/progress",
              params: { progressToken, progress, ...(message !== undefined && { message }) },
            }),
  });
}

async function search({ args, parts, connection, context }: Call): Promise<CallToolResult> {
  const { query, limit } = searchArguments(args);
  const signal = AbortSignal.any([context.mcpReq.signal, connection.signal]);
  const snippet = snippets(query);
  const passages = await parts.search(query, limit, signal);
  return searchResult(
    passages.map(({ id, documentId, title, heading, url, text, score }): FoundPassage => {
      return { id, documentId, title, heading, url, snippet: snippet(text), score };
    }),
  );
}

/** What is refused or fails is told to the model, which may try again. */
async function orError(
  { connection }: Call,
  result: Promise<CallToolResult>,
): Promise<CallToolResult> {
  try {
    return await result;
  } catch (thrown) {
    // The client is gone, and so nothing here is an error.
    if (connection.signal.aborted) return { content: [] };
    return errorResult(toServiceError(thrown).body);
  }
}
