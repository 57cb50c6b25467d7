// JSON-RPC over HTTP in workerd, as an MCP client of each protocol sends it.

import { fetchApi, type TestUser } from "../harness.ts";

export const LEGACY = "2025-11-25";
export const MODERN = "2026-07-28";

export interface Message {
  readonly jsonrpc: "2.0";
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export interface ToolResult {
  readonly isError?: boolean;
  readonly content: readonly { readonly type: string; readonly text: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly _meta?: { readonly belay?: { readonly code: string; readonly queryId?: string } };
}

let ids = 0;

/** The headers of every message, whatever its protocol. */
function headersOf(user: TestUser | undefined, more: Record<string, string> = {}): Headers {
  return new Headers({
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    ...(user && { authorization: `Bearer ${user.token}` }),
    ...more,
  });
}

/** Sends one message of the older protocol. */
export function send(
  user: TestUser | undefined,
  message: object,
  { headers, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetchApi("/mcp", {
    method: "POST",
    headers: headersOf(user, { "mcp-protocol-version": LEGACY, ...headers }),
    body: JSON.stringify({ jsonrpc: "2.0", ...message }),
    ...(signal && { signal }),
  });
}

/** Sends one request of the newer protocol, which has no handshake. */
export function sendModern(
  user: TestUser,
  method: string,
  params: Record<string, unknown> = {},
): Promise<Response> {
  ids += 1;
  const envelope = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const meta = params._meta as object | undefined;
  return fetchApi("/mcp", {
    method: "POST",
    headers: headersOf(user, {
      "mcp-protocol-version": MODERN,
      "mcp-method": method,
      ...(typeof params.name === "string" && { "mcp-name": params.name }),
    }),
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: ids,
      method,
      params: { ...params, _meta: { ...meta, ...envelope } },
    }),
  });
}

/** All messages of a response, whichever form it has. */
export async function messagesOf(response: Response): Promise<Message[]> {
  const text = await response.text();
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
    return [JSON.parse(text)];
  }
  return framesIn(text);
}

export function framesIn(text: string): Message[] {
  return text
    .split("\n\n")
    .flatMap((frame) => /^data: (.*)$/m.exec(frame)?.[1] ?? [])
    .map((data) => JSON.parse(data));
}

/** A request and its result. Throws on an error of the protocol. */
export async function request<Result = Record<string, unknown>>(
  user: TestUser,
  method: string,
  params: Record<string, unknown> = {},
): Promise<Result> {
  ids += 1;
  const message = (await messagesOf(await send(user, { id: ids, method, params }))).at(-1);
  if (message?.result === undefined) throw new Error(JSON.stringify(message));
  return message.result as Result;
}

export function call(user: TestUser, name: string, args: object = {}): Promise<ToolResult> {
  return request<ToolResult>(user, "tools/call", { name, arguments: args });
}
