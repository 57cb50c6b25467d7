// A refusal of a request to the MCP endpoint before any tool is called, in the
// form of JSON-RPC.

import { type ErrorCode, encodeJson } from "../protocol.ts";
import type { Refusal } from "./format.ts";
import { JSON_BODY } from "./json.ts";

/** The codes of JSON-RPC. */
const CODES: Partial<Record<ErrorCode, number>> = {
  INVALID_REQUEST: -32_700,
  INTERNAL: -32_603,
};
/** JSON-RPC's code of a server's own errors. */
const OTHER = -32_000;

export const MCP_REFUSAL: Refusal = {
  refusalHeaders: JSON_BODY.refusalHeaders,
  refusal: ({ body }) => {
    const { message, code } = body;
    const error = { code: CODES[code] ?? OTHER, message, data: body };
    return encodeJson({ jsonrpc: "2.0", id: null, error });
  },
};
