// The format of an ask of ours, and the form of every refusal. The URL alone
// chooses them: a request may be refused before its body is read.

import { API_PREFIX } from "../protocol.ts";
import { wrongParameter } from "../request.ts";
import { EVENTS } from "./events.ts";
import type { Format, Refusal } from "./format.ts";
import { JSON_BODY } from "./json.ts";
import { MCP_REFUSAL } from "./mcp-refusal.ts";
import { OPENAI_REFUSAL } from "./openai-error.ts";
import { UI_MESSAGE_REFUSAL } from "./ui-message.ts";

const CHAT_PATH = new RegExp(`^${API_PREFIX}/ai/chat(?:/|$)`);

/**
 * The format of an answer. Throws INVALID_REQUEST for a `stream` that is
 * neither true nor false.
 */
export function answerFormat(url: URL): Format {
  const format = chosen(url);
  if (format === undefined) throw wrongParameter("stream", "true or false");
  return format;
}

/**
 * The form of a refusal on this surface. Ours is JSON, or an event where
 * `stream` is true. Never throws.
 */
export function refusalForm(url: URL | null): Refusal {
  if (url?.pathname.startsWith("/v1/")) return OPENAI_REFUSAL;
  if (url?.pathname === "/mcp") return MCP_REFUSAL;
  if (CHAT_PATH.test(url?.pathname ?? "")) return UI_MESSAGE_REFUSAL;
  return (url && chosen(url)) ?? JSON_BODY;
}

function chosen({ searchParams }: URL): (Format & Refusal) | undefined {
  switch (searchParams.get("stream") ?? "false") {
    case "true":
      return EVENTS;
    case "false":
      return JSON_BODY;
    default:
      return undefined;
  }
}
