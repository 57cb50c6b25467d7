// The routes of operators, with the operator's token.

import { API_PREFIX, type ErrorBody } from "../../protocol.ts";
import { ApiError } from "./api-error.ts";
import type { Session } from "./session.ts";

/** A slower request fails, so that the operator can try again. */
const TIMEOUT_MS = 30_000;

export type Parameters = Readonly<Record<string, string | null | undefined>>;

export class Api {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** @param path Below `/admin`. Empty parameters are left out. */
  get<T>(path: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<T> {
    const sent = Object.entries(parameters).filter((entry): entry is [string, string] =>
      Boolean(entry[1]),
    );
    const search = sent.length === 0 ? "" : `?${new URLSearchParams(sent)}`;
    return this.#request("GET", path + search, undefined, signal);
  }

  /** A file that the operator keeps. */
  async file(path: string): Promise<Blob> {
    return (await this.#response("GET", path)).blob();
  }

  send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
    return this.#request(method, path, body);
  }

  async #request<T>(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    const response = await this.#response(method, path, body, signal);
    if (response.status === 204) return undefined as T;
    try {
      return await response.json();
    } catch (thrown) {
      if (signal?.aborted) throw thrown;
      throw new ApiError("The answer could not be read. Try again.");
    }
  }

  async #response(
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<Response> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const response = await this.#session.fetch(`${API_PREFIX}/admin${path}`, {
      method,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(body !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    });
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

/** The path of one user. */
export function userPath(user: string): string {
  return `/users/${encodeURIComponent(user)}`;
}

export function collectionPath(collection: string): string {
  return `/collections/${encodeURIComponent(collection)}`;
}

/** The path of a collection's documents. */
export function documentsPath(collection: string): string {
  return `${collectionPath(collection)}/documents`;
}

export function documentPath(collection: string, id: string): string {
  return `${documentsPath(collection)}/${encodeURIComponent(id)}`;
}

async function refusal(response: Response): Promise<ApiError> {
  const body: Partial<ErrorBody> | undefined = await response.json().catch(() => undefined);
  const { status } = response;
  // A proxy answers for a server that is down.
  const words = `Belay did not answer, but something before it did, with ${status}. Try again soon.`;
  return new ApiError(body?.message ?? words, status);
}
