// The page at `/`, in the reader's language, and the console: files with the
// identity of the deployment written into them.

import { accentColours } from "../accent.ts";
import { userConfig } from "../config.ts";
import { sha256 } from "../digest.ts";
import type { Env } from "../wiring.ts";
import { accessConfig } from "./access.ts";
import { wholeFile } from "./built-files.ts";
import { type Language, preferredLanguage } from "./language.ts";
import { pageIdentity } from "./page-identity.ts";

/** Undefined if the page was not built. */
export async function page(request: Request, env: Env): Promise<Response | undefined> {
  const language = preferredLanguage(request);
  const translated = await wholeFile(pathOf(language), request, env);
  const file = translated ?? (await wholeFile(pathOf("en"), request, env));
  if (file === undefined) return undefined;
  const identity = pageIdentity(env);
  const shown = { about: identity, title: identity.title, accent: identity.accent };
  const headers = new Headers(file.headers);
  headers.set("content-language", translated === undefined ? "en" : language);
  headers.append("vary", "Accept-Language");
  return served(request, new Response(file.body, { headers }), shown);
}

/** The operators' console at `/console`. Undefined if it was not built. */
export async function consolePage(request: Request, env: Env): Promise<Response | undefined> {
  const file = await wholeFile("/console.html", request, env);
  if (file === undefined) return undefined;
  const { title, accent } = pageIdentity(env);
  const { shareQueries } = userConfig(env);
  const about = { title, access: accessConfig(env) !== undefined, shareQueries };
  const named = title === null ? null : `Console · ${title}`;
  return served(request, file, { about, title: named, accent });
}

/** What the Worker writes into a page. */
interface Shown {
  /** The content of its meta element `belay`, as JSON. */
  readonly about: object;
  /** Null: as in the file. */
  readonly title: string | null;
  readonly accent: string | null;
}

/** The page, or 304 if the browser has it. */
async function served(request: Request, file: Response, shown: Shown): Promise<Response> {
  const style = styleOf(shown);
  const html = await written(file, shown, style).text();
  const etag = `"${(await sha256(html)).slice(0, 32)}"`;
  const headers = new Headers(file.headers);
  headers.delete("content-length");
  headers.set("etag", etag);
  headers.set("cache-control", "public, max-age=0, must-revalidate");
  if (style !== "") await allowStyle(headers, style);
  return isKnown(request, etag)
    ? new Response(null, { status: 304, headers })
    : new Response(html, { headers });
}

/** As scripts/page.ts names them. */
function pathOf(language: Language): string {
  return language === "en" ? "/index.html" : `/index.${language}.html`;
}

/** The file with the title, the content of the meta element, and the accent. */
function written(file: Response, { about, title }: Shown, style: string): Response {
  const remove = { element: (element: Element) => void element.remove() };
  const rewriter = new HTMLRewriter().on('meta[name="belay"]', remove).on("head", {
    element: (head) => {
      const content = attribute(JSON.stringify(about));
      head.append(`<meta name="belay" content="${content}">`, { html: true });
      if (style !== "") head.append(`<style>${style}</style>`, { html: true });
    },
  });
  if (title !== null) {
    rewriter.on("title", { element: (element) => void element.setInnerContent(title) });
  }
  return rewriter.transform(file);
}

function attribute(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** The accent instead of the one in theme.css. Empty if the operator sets none. */
function styleOf({ accent }: Shown): string {
  const colours = accent === null ? undefined : accentColours(accent);
  if (colours === undefined) return "";
  const { light, dark, onLight, onDark } = colours;
  return `:root{--accent:light-dark(${light},${dark});--accent-ink:light-dark(${onLight},${onDark})}`;
}

/** By its hash: the policy allows no other style inside the page. */
async function allowStyle(headers: Headers, style: string): Promise<void> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
  const hash = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  const policy = headers.get("content-security-policy") ?? "";
  headers.set(
    "content-security-policy",
    policy.replace("style-src 'self'", `style-src 'self' 'sha256-${hash}'`),
  );
}

/** Whether the browser has this page. A proxy may have made its tag weak. */
function isKnown(request: Request, etag: string): boolean {
  const known = (request.headers.get("if-none-match") ?? "").split(",");
  return known.some((one) => one.trim().replace(/^W\//, "") === etag);
}
