// Calls to upstream models and indexes, for retrieval. A call ends
// as soon as the signal aborts. Its errors never quote the
// upstream's: those may repeat the text that was sent.

import { abortable } from "./deadline.ts";
import { ask, endpointHost, endpointKey, endpointUrl, localPlace, type Route } from "./endpoint.ts";
import { ServiceError } from "./errors.ts";

/**
 * Throws RETRIEVAL_FAILED if the request fails. The message
 * names `who` and adds what `reason` says of the error.
 */
export async function call<T>(
  who: string,
  request: () => Promise<T>,
  reason: (thrown: unknown) => string,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  try {
    // Some bindings take no signal.
    return await abortable(request(), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ServiceError) throw error;
    throw failure(`${who} failed${reason(error)}.`, error);
  }
}

/** `what` is a sentence that quotes nothing from upstream. */
export function failure(what: string, cause?: unknown): ServiceError {
  return new ServiceError("RETRIEVAL_FAILED", what, { cause });
}

export interface JsonRequest {
  /** As `endpointBase` returns it. */
  readonly baseUrl: string;
  readonly route: Route;
  readonly apiKey: string | undefined;
  readonly body: unknown;
  /** Of the answer. */
  readonly bytesMax: number;
}

/**
 * The JSON that an OpenAI-compatible endpoint answers, or the
 * status with which it refuses. Throws as `call` does.
 */
export function postJson(
  who: string,
  request: JsonRequest,
  signal: AbortSignal,
): Promise<{ readonly json: unknown } | { readonly refusal: number }> {
  return call(
    who,
    () => post(who, request, signal),
    () => ": no answer",
    signal,
  );
}

export function refused(who: string, status: number): ServiceError {
  return failure(`${who} refused (HTTP ${status}).`);
}

async function post(
  who: string,
  { baseUrl, route, apiKey, body, bytesMax }: JsonRequest,
  signal: AbortSignal,
): Promise<{ readonly json: unknown } | { readonly refusal: number }> {
  const response = await reach(who, baseUrl, endpointUrl(baseUrl, route), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      ...endpointKey(baseUrl, apiKey),
    },
    body: JSON.stringify(body),
    // A redirect could leak the texts and the key.
    redirect: "manual",
    signal,
  });
  if (!response.ok) {
    response.body?.cancel().catch(() => {});
    return { refusal: response.status };
  }
  const text = await bounded(who, response, bytesMax);
  try {
    return { json: JSON.parse(text) };
  } catch {
    // The parser's message would quote the response.
    throw failure(`${who}'s answer cannot be used: it is no JSON.`);
  }
}

/** Throws RETRIEVAL_FAILED, which the log completes with the host. */
async function reach(
  who: string,
  baseUrl: string,
  url: string,
  request: RequestInit & { readonly signal: AbortSignal },
): Promise<Response> {
  try {
    return await ask(url, request);
  } catch (cause) {
    request.signal.throwIfAborted();
    throw new ServiceError("RETRIEVAL_FAILED", `${who} failed: no answer${localPlace(baseUrl)}.`, {
      cause,
      diagnosis: `no response from ${endpointHost(baseUrl)}: check its address, and that a server runs there`,
    });
  }
}

async function bounded(who: string, response: Response, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of (response.body ?? new Blob().stream()) as ReadableStream<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw failure(`${who}'s answer cannot be used: it is too long.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
