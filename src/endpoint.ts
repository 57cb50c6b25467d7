// OpenAI-compatible endpoints: their addresses
// as people write them, and how to call them.

export type Route = "chat/completions" | "embeddings" | "rerank";

/** Routes that are often pasted with the address. */
const ROUTES = /\/+(?:chat\/completions|embeddings|rerank)\/*$/;
/** Last segments of addresses known to be wrong or incomplete. */
const OTHERS =
  /\/(?:api|chat|completions|completion|models|responses|messages|generate|embed|embeddings|index\.html?|docs|health|healthz)$/i;

const LOOPBACK = /^(?:127(?:\.\d+){3}|localhost|\[::1\])$/;

/**
 * The base of an endpoint: without a route or a slash at
 * its end, with its query string. Undefined if the text
 * cannot be one. An address with a password is refused:
 * so does fetch, and its error shows the password.
 */
export function endpointBase(value: string): string | undefined {
  const url = URL.parse(value.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.username !== "" || url.password !== "" || url.hash !== "") return undefined;
  const path = url.pathname.replace(ROUTES, "").replace(/\/+$/, "");
  // Only a pasted route proves that a host alone is complete.
  if ((path === "" && !ROUTES.test(url.pathname)) || OTHERS.test(path)) return undefined;
  return `${url.origin}${path}${url.search}`;
}

/** A route's URL. @param base As `endpointBase` returns it. */
export function endpointUrl(base: string, route: Route): string {
  const query = base.indexOf("?");
  if (query < 0) return `${base}/${route}`;
  return `${base.slice(0, query)}/${route}${base.slice(query)}`;
}

/** The host and port. The rest of an address may hold a key. */
export function endpointHost(base: string): string {
  return new URL(base).host;
}

/** Where an endpoint is, for users: only on the server's own machine. */
export function localPlace(base: string): string {
  const { hostname, host } = new URL(base);
  return LOOPBACK.test(hostname) ? ` at ${host}` : "";
}

/** The headers with the key. Azure has a header of its own. */
export function endpointKey(base: string, apiKey: string | undefined): Record<string, string> {
  if (apiKey === undefined) return {};
  const isAzure = new URL(base).hostname.endsWith(".azure.com");
  return { authorization: `Bearer ${apiKey}`, ...(isAzure && { "api-key": apiKey }) };
}

/**
 * Fetches, and once more if the connection was lost
 * without a response: a server may close an idle
 * connection just as we use it. Throws like fetch.
 */
export async function ask(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch {
    request.signal?.throwIfAborted();
    return fetch(url, request);
  }
}
