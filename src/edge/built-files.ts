// The files that `npm run build:page` has made.

import type { Env, PageFile } from "../wiring.ts";

/** A file by its path. Undefined if there is none. */
export async function builtFile(
  path: string,
  request: Request,
  env: Env,
): Promise<Response | undefined> {
  const file = env.PAGE?.[path];
  if (file !== undefined) return new Response(contentOf(file), { headers: file.headers });
  // Read as a URL, a path such as //host would name another host, or none.
  const url = new URL(request.url);
  url.pathname = path;
  const asset = await env.ASSETS?.fetch(new Request(url, request));
  return asset?.status === 404 ? undefined : asset;
}

/** A file whole, also if the request has an older one or asks for its headers. */
export function wholeFile(path: string, request: Request, env: Env): Promise<Response | undefined> {
  return builtFile(path, new Request(request.url), env);
}

function contentOf({ text, base64 = "" }: PageFile): string | Uint8Array {
  return text ?? Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
}
