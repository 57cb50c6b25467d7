// All documents as a file, a JSON value on each line: to keep a copy of them,
// or to load them into another deployment.

import { bodyTimeoutMs } from "../config.ts";
import { ServiceError, toServiceError } from "../errors.ts";
import { errorResponse } from "../formats/format.ts";
import { CHANGE_HEADER, JSON_BODY, json } from "../formats/json.ts";
import { API_PREFIX, encodeJson } from "../protocol.ts";
import { isName, mediaType, refuseCompressed, wholeParameter } from "../request.ts";
import { bodyLines } from "./body-lines.ts";
import { headersFor, orUnavailable, send } from "./forward.ts";

const LINES_TYPE = "application/x-ndjson";
/** Each is a request of the Worker's own: Cloudflare allows 1,000. */
const LINES_AT_ONCE = 900;
const FROM = { byDefault: 1, min: 1, max: 999_999_999 };

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
    for await (const line of bodyLines(request, bodyTimeoutMs(env))) {
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
