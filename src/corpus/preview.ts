// The preview of a search: what an ask with this query would get.

import type { Retriever } from "../answer/retriever.ts";
import { withTimeout } from "../deadline.ts";
import { ServiceError } from "../errors.ts";
import { json } from "../formats/json.ts";
import { QUERY_LENGTH_MAX, TOP_K } from "../protocol.ts";
import { wholeParameter, wrongParameter } from "../request.ts";
import { snippets } from "../text/snippet.ts";
import { isVisible } from "../text/visible.ts";

/** @param retriever Throws UNAVAILABLE if a variable is wrong. */
export async function preview(
  parameters: URLSearchParams,
  retriever: () => Retriever,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Response> {
  const query = parameters.get("search")?.trim() ?? "";
  const length = [...query].length;
  if (!isVisible(query) || length > QUERY_LENGTH_MAX) {
    throw wrongParameter("search", `1 to ${QUERY_LENGTH_MAX} characters long, and visible`);
  }
  const limit = wholeParameter(parameters, "limit", TOP_K);
  const message = `The search gave no answer within ${timeoutMs} ms.`;
  const found = await withTimeout(
    timeoutMs,
    () => new ServiceError("RETRIEVAL_FAILED", message),
    (either) => retriever().retrieve(query, limit, either),
    signal,
  );
  const snippet = snippets(query);
  const passages = found.map(({ id, documentId, title, heading, url, score, text }) => ({
    ...{ id, documentId, title, heading, url, score },
    snippet: snippet(text),
  }));
  return json({ passages });
}
