// A refusal of the request itself, before any tool is called.

import { type ServiceError, toServiceError } from "../errors.ts";

/** JSON-RPC's codes; the last one is for a server's own errors. */
const PARSE_ERROR = -32_700;
const INTERNAL_ERROR = -32_603;
const OTHER_ERROR = -32_000;

/** As JSON-RPC says it, under its own status. */
export function mcpRefusal(thrown: unknown): Response {
  const error = toServiceError(thrown);
  const body = {
    jsonrpc: "2.0",
    id: null,
    error: { code: rpcCode(error), message: error.message, data: error.body },
  };
  return Response.json(body, { status: error.status, headers: { ...error.details.headers } });
}

function rpcCode({ code }: ServiceError): number {
  if (code === "INVALID_REQUEST") return PARSE_ERROR;
  return code === "INTERNAL" ? INTERNAL_ERROR : OTHER_ERROR;
}
