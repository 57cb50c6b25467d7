// All documents as a file, a JSON value on each line: to keep a copy of them,
// or to load them into another deployment.

import { bodyTimeoutMs } from "../config.ts";
import { withTimeout } from "../deadline.ts";
import { ServiceError, toServiceError } from "../errors.ts";
import { errorResponse } from "../formats/format.ts";
import { CHANGE_HEADER, JSON_BODY, json } from "../formats/json.ts";
import { API_PREFIX, encodeJson } from "../protocol.ts";
import { isName, mediaType, refuseCompressed, wholeParameter } from "../request.ts";
import { headersFor, orUnavailable, send } from "./forward.ts";

const LINES_TYPE = "application/x-ndjson";
/** Each is a request of the Worker's own: Cloudflare allows 1,000. */
const LINES_AT_ONCE = 900;
const FROM = { byDefault: 1, min: 1, max: 999_999_999 };
/** A text of 1 MiB may need six bytes for each character in JSON. */
const LINE_LENGTH_MAX = 7 * 1024 * 1024;

/** What an object with documents offers. */
interface Documents {
  fetch(request: Request): Promise<Response>;
  exportAfter(id: string): Promise<{
    readonly documents: readonly unknown[];
    readonly after: string | null;
  }>;
}

interface Imported {
  readonly documents: Documents;
  /** Called once the first document is stored. */
  stored(): Promise<void>;
}

interface Refused {
  readonly line: number;
  readonly id: string | null;
  readonly message: string;
}

export function exportDocuments(documents: Documents): Response {
  const encoder = new TextEncoder();
  let after: string | null = "";
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const page = await orUnavailable(documents.exportAfter(after ?? ""));
      const lines = page.documents.map((document) => `${encodeJson(document)}\n`);
      if (lines.length > 0) controller.enqueue(encoder.encode(lines.join("")));
      ({ after } = page);
      if (after === null) controller.close();
    },
  });
  return new Response(body, {
    headers: { "content-type": LINES_TYPE, "cache-control": "no-store" },
  });
}

/** Adds or replaces the document of each line, from line `from` on. */
export async function importDocuments(
  request: Request,
  { documents, stored }: Imported,
  env: Parameters<typeof bodyTimeoutMs>[0],
): Promise<Response> {
  refuseCompressed(request);
  if (mediaType(request) !== LINES_TYPE) {
    const message = `Send the header Content-Type: ${LINES_TYPE}.`;
    throw new ServiceError("UNSUPPORTED_MEDIA_TYPE", message);
  }
  const { searchParams } = new URL(request.url);
  const from = wholeParameter(searchParams, "from", FROM);
  const refused: Refused[] = [];
  let imported = 0;
  let number = 0;
  let next: number | null = null;
  let failure: ServiceError | undefined;
  try {
    for await (const line of linesOf(request, bodyTimeoutMs(env))) {
      number += 1;
      if (number < from || line.trim() === "") continue;
      if (imported + refused.length === LINES_AT_ONCE) {
        next = number;
        break;
      }
      const { id, message } = await put(line, request, documents);
      if (message === undefined) {
        imported += 1;
        if (imported === 1) await stored();
      } else refused.push({ line: number, id, message });
    }
  } catch (thrown) {
    if (imported === 0) throw thrown;
    // The operators' log needs what is stored by now.
    failure = toServiceError(thrown);
  }
  const response =
    failure === undefined ? json({ imported, refused, next }) : errorResponse(failure, JSON_BODY);
  // Its path does not name the collection.
  const collection = searchParams.get("collection") ?? undefined;
  response.headers.set(
    CHANGE_HEADER,
    encodeJson({ collection, imported, refused: refused.length }),
  );
  return response;
}

async function put(
  line: string,
  request: Request,
  documents: Documents,
): Promise<{ readonly id: string | null; readonly message?: string | undefined }> {
  const parsed = parse(line);
  if (parsed === undefined) return { id: null, message: "The line must be one JSON object." };
  const { id, ...body } = parsed;
  if (!isName(id)) {
    return {
      id: null,
      message: 'The field "id" must be 1 to 128 characters long, without control characters.',
    };
  }
  try {
    const headers = headersFor(request, {});
    headers.set("content-type", "application/json");
    const path = `${API_PREFIX}/admin/documents/${encodeURIComponent(id)}`;
    const init = { method: "PUT", headers, body: JSON.stringify(body) };
    const response = await send(documents, path, init);
    const answer = await response.json<{ message?: string }>();
    return { id, message: response.ok ? undefined : (answer.message ?? "It was refused.") };
  } catch (thrown) {
    if (thrown instanceof ServiceError) return { id, message: thrown.message };
    throw thrown;
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the body line by line: it may be larger than memory. */
async function* linesOf(request: Request, timeoutMs: number): AsyncGenerator<string> {
  const reader = (request.body as ReadableStream<Uint8Array> | null)?.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let rest = "";
  try {
    for (;;) {
      const chunk = await withTimeout(
        timeoutMs,
        () => tooSlow(timeoutMs),
        async () =>
          reader === undefined ? { done: true as const, value: undefined } : reader.read(),
      );
      rest += decode(decoder, chunk.value);
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
      if (rest.length > LINE_LENGTH_MAX) throw tooLong();
      if (chunk.done) break;
    }
    if (rest !== "") yield rest;
  } finally {
    // The rest is not needed, so a failed cancel changes nothing.
    reader?.cancel().catch(() => {});
  }
}

/** @param value Undefined at the end of the body. */
function decode(decoder: TextDecoder, value: Uint8Array | undefined): string {
  try {
    return decoder.decode(value, { stream: value !== undefined });
  } catch (cause) {
    throw new ServiceError("INVALID_REQUEST", "The body must be UTF-8.", { cause });
  }
}

function tooSlow(timeoutMs: number): ServiceError {
  const message = `The body paused for longer than ${timeoutMs} ms. Send it again.`;
  return new ServiceError("REQUEST_TIMEOUT", message);
}

function tooLong(): ServiceError {
  const message = `A line may be at most ${LINE_LENGTH_MAX} characters long.`;
  return new ServiceError("PAYLOAD_TOO_LARGE", message);
}
