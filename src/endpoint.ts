// An OpenAI-compatible endpoint: its address, as people write it and as it is asked, and how it is asked.

/** What is often pasted with it. */
const ROUTES = /\/+(?:chat\/completions|embeddings)\/*$/;
/** The last segment of addresses that are known to be something else, or to lack their end. */
const OTHERS =
  /\/(?:api|chat|completions|completion|models|responses|messages|generate|embed|embeddings|index\.html?|docs|health|healthz)$/i;

/**
 * The base of an endpoint, without a route or a slash at its end, its query string kept; undefined if
 * it cannot be one. fetch refuses an address with a user name or a password, and its error shows them.
 */
export function endpointBase(value: string): string | undefined {
  const url = URL.parse(value.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.username !== "" || url.password !== "" || url.hash !== "") return undefined;
  const path = url.pathname.replace(ROUTES, "").replace(/\/+$/, "");
  // A host alone may lack its end, but not with the whole route pasted.
  if ((path === "" && !ROUTES.test(url.pathname)) || OTHERS.test(path)) return undefined;
  return `${url.origin}${path}${url.search}`;
}

/** A route of an endpoint. @param base As `endpointBase` returns it. */
export function endpointUrl(base: string, route: "chat/completions" | "embeddings"): string {
  const query = base.indexOf("?");
  if (query < 0) return `${base}/${route}`;
  return `${base.slice(0, query)}/${route}${base.slice(query)}`;
}

/** How a key is sent. Azure takes its keys in a header of its own. */
export function endpointKey(base: string, apiKey: string | undefined): Record<string, string> {
  if (apiKey === undefined) return {};
  const isAzure = new URL(base).hostname.endsWith(".azure.com");
  return { authorization: `Bearer ${apiKey}`, ...(isAzure && { "api-key": apiKey }) };
}

/**
 * A response; asked for once more where the connection was lost without one: a server closes idle
 * connections when it likes, and one of them may just have been taken. Throws as fetch does.
 */
export async function ask(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch {
    request.signal?.throwIfAborted();
    return fetch(url, request);
  }
}
