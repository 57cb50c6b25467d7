// The MCP endpoint: streamable HTTP without state, on the official package,
// which negotiates versions and reads and writes messages. A POST is one server
// object. The edge loads this file with the first request to it.

import {
  type CallToolResult,
  createMcpHandler,
  isInitializeRequest,
  isJSONRPCRequest,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { Passage } from "../answer/retriever.ts";
import { ServiceError, toServiceError } from "../errors.ts";
import { readJson, refuseCompressed } from "../request.ts";
import { snippets } from "../text/snippet.ts";
import { searchArguments } from "./arguments.ts";
import { callAsk } from "./ask-tool.ts";
import { cancelledIn, checkBatch } from "./batch.ts";
import { Connection } from "./connection.ts";
import { errorResult, type FoundPassage, searchResult } from "./results.ts";
import { ASK, SEARCH, TOOLS } from "./tools.ts";

/** The largest body, in bytes: an ask's, and its envelope. */
const BODY_BYTES_MAX = 68 * 1024;

const SESSION_HEADER = "mcp-session-id";
const CALL_LENGTH_MAX = 300;

/** The version is that of package.json: a test compares them. */
const INFO = { name: "belay", title: "Belay", version: "0.1.0" };
const INSTRUCTIONS =
  "Belay answers from the documents of this deployment. Use ask for a question that they may " +
  "answer, and cite its sources. Use search_documents, which is free, to find or compare " +
  "passages.";

/** What the edge gives. All of it acts as the caller. */
export interface McpParts {
  readonly bodyTimeoutMs: number;
  /**
   * Sends a body to `POST /ai/ask?stream=true`.
   * @param call The name by which it can be cancelled.
   */
  ask(body: unknown, call: string | undefined, signal: AbortSignal): Promise<Response>;
  cancel(call: string): Promise<unknown>;
  /** @param collections Those that the client names. */
  search(
    query: string,
    limit: number,
    collections: readonly string[] | null | undefined,
    signal: AbortSignal,
  ): Promise<readonly Passage[]>;
}

export async function answerMcp(request: Request, parts: McpParts): Promise<Response> {
  refuseCompressed(request);
  const limits = { bytesMax: BODY_BYTES_MAX, timeoutMs: parts.bodyTimeoutMs };
  const parsedBody = await readJson(request, limits);
  checkBatch(parsedBody);
  const session = request.headers.get(SESSION_HEADER);
  for (const id of cancelledIn(parsedBody)) {
    const call = callOf(session, id);
    if (call !== undefined) await parts.cancel(call);
  }
  const connection = new Connection(request.signal);
  const handler = createMcpHandler(() => server(parts, connection, session), {
    // A call is answered as a stream, in which heartbeats can be written.
    responseMode: isRequest(parsedBody, "tools/call") ? "sse" : "auto",
    // The calls write heartbeats of their own.
    keepAliveMs: 0,
  });
  const response = await handler.fetch(request, { parsedBody });
  // Nothing changes here, so a subscription ends at once.
  if (isRequest(parsedBody, "subscriptions/listen")) await handler.close();
  // The client sends the name of its session with each later message, so its
  // calls differ from those of the user's other clients. Nothing is kept of it.
  if (isInitializeRequest(parsedBody)) {
    response.headers.set(SESSION_HEADER, crypto.randomUUID());
  }
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (response.body === null || !isStream) return response;
  void connection.pass(response.body);
  return new Response(connection.body, response);
}

function isRequest(body: unknown, method: string): boolean {
  return isJSONRPCRequest(body) && body.method === method;
}

/** Undefined for a client that cannot be told apart. */
function callOf(session: string | null, id: unknown): string | undefined {
  const call = encodeURIComponent(`${session} ${JSON.stringify(id)}`);
  return session !== null && call.length <= CALL_LENGTH_MAX ? call : undefined;
}

function server(parts: McpParts, connection: Connection, session: string | null): Server {
  const made = new Server(INFO, { capabilities: { tools: {} }, instructions: INSTRUCTIONS });
  made.setRequestHandler("tools/list", () => ({ tools: TOOLS }));
  made.setRequestHandler("tools/call", async ({ params }, context) => {
    const { name, arguments: args } = params;
    const call = { args, parts, connection, context, session };
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
  readonly session: string | null;
}

function ask({ args, parts, connection, context, session }: Call): Promise<CallToolResult> {
  const { id, signal, _meta: meta, notify } = context.mcpReq;
  const progressToken = meta?.progressToken;
  return callAsk({
    args,
    connection,
    signal: AbortSignal.any([signal, connection.signal]),
    ask: (body, stop) => parts.ask(body, callOf(session, id), stop),
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
  const { query, limit, collections } = searchArguments(args);
  const signal = AbortSignal.any([context.mcpReq.signal, connection.signal]);
  const snippet = snippets(query);
  const passages = await parts.search(query, limit, collections, signal).catch((cause) => {
    if (cause instanceof ServiceError) throw cause;
    const message = "The documents could not be searched. Search again.";
    throw new ServiceError("RETRIEVAL_FAILED", message, { cause });
  });
  return searchResult(
    passages.map(
      ({ id, documentId, collection, title, heading, url, text, score }): FoundPassage => {
        const where = { id, documentId, ...(collection !== undefined && { collection }) };
        return { ...where, title, heading, url, snippet: snippet(text), score };
      },
    ),
  );
}

/** The model is told what failed, and may try again. */
async function orError(
  { connection, context }: Call,
  result: Promise<CallToolResult>,
): Promise<CallToolResult> {
  try {
    return await result;
  } catch (thrown) {
    // The client is gone or has cancelled, and so nothing here is an error.
    if (connection.signal.aborted || context.mcpReq.signal.aborted) return { content: [] };
    return errorResult(toServiceError(thrown).body);
  }
}
