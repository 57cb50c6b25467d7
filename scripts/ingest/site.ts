// The pages of a site: those of its sitemap or llms.txt, else those that links
// lead to from the start page and that are below it.

import { createHash } from "node:crypto";
import robotsParser, { type Robot } from "robots-parser";
import { directivesOf } from "./directives.ts";
import { AGENT, type Fetched, type Fetcher, Unfetched } from "./fetcher.ts";
import type { Read } from "./readers/read.ts";
import type { Kind, Reading, ReadOptions } from "./reading.ts";
import { linksOfLlms, type Place, placesOf, textOf } from "./sitemap.ts";
import type { State } from "./state.ts";

export interface SiteOptions {
  readonly prefix: string;
  readonly pagesMax: number;
  /** When to stop, in milliseconds since 1970. */
  readonly until: number;
  readonly selectors: ReadOptions;
  readonly signal: AbortSignal;
  /** Whether the server has this document with this content. */
  readonly holds: (id: string, hash: string | undefined) => boolean;
  /** Tells what is left out before the pages come. */
  readonly leaveOut: (url: string, reason: string) => void;
}

export type Page =
  | {
      readonly kind: "read";
      readonly url: string;
      readonly id: string;
      readonly read: Readable;
      done(hash: string | undefined): Promise<void>;
    }
  | { readonly kind: "unchanged"; readonly url: string; readonly id: string }
  /** It is not there, or asks not to be found. */
  | { readonly kind: "gone"; readonly url: string; readonly reason: string }
  /** It may be there another time: its document stays. */
  | { readonly kind: "skipped"; readonly url: string; readonly reason: string };

type Readable = Extract<Read, { readonly text: string }>;

/** Its types know no default export of a CommonJS module. */
const parseRobots = robotsParser as unknown as (url: string, text: string) => Robot;

const SITEMAPS_MAX = 500;
/** Addresses where a sitemap is looked for that nothing names. */
const GUESSES = 2;
/** Pages that are known, for each that may be read. */
const KNOWN_SHARE_MAX = 20;
const ROBOTS_BYTES_MAX = 512 * 1024;
const DELAY_SECONDS_MAX = 10;
const ID_LENGTH_MAX = 128;
const PICTURES =
  /\.(?:png|jpe?g|gif|webp|avif|svg|ico|css|m?js|json|xml|rss|atom|zip|gz|tgz|tar|7z|rar|exe|dmg|pkg|deb|rpm|mp[34]|webm|mov|avi|wav|ogg|woff2?|ttf|otf|eot|wasm|map|ics|csv|xlsx?|pptx?)$/i;

export class Site {
  readonly #start: URL;
  readonly #fetcher: Fetcher;
  readonly #reading: Reading;
  readonly #state: State;
  readonly #options: SiteOptions;
  #robots: Robot | undefined;
  /** Why not all pages were looked at; nothing is pruned then. */
  incomplete: string | undefined;
  /** Where the list of pages is from. */
  from = "links";
  /** Documents of pages that exist, or may. */
  readonly there = new Set<string>();
  readonly #seen = new Set<string>();
  /** By id. */
  readonly #taken = new Map<string, string>();
  #ahead = 0;
  #done = 0;

  constructor(
    start: string,
    fetcher: Fetcher,
    reading: Reading,
    state: State,
    options: SiteOptions,
  ) {
    this.#start = new URL(start);
    this.#start.hash = "";
    this.#fetcher = fetcher;
    this.#reading = reading;
    this.#state = state;
    this.#options = options;
  }

  get total(): number {
    return this.#done + this.#ahead;
  }

  /** The ids of all pages of the site begin with it. */
  get prefix(): string {
    return `${this.#options.prefix}${this.#start.host}${this.#scope}`;
  }

  /** The folder of the start page. A list of pages is for the whole site. */
  get #scope(): string {
    const { pathname } = this.#start;
    if (/(?:\/sitemap[^/]*\.xml(?:\.gz)?|\/llms(?:-full)?\.txt|\.xml(?:\.gz)?)$/i.test(pathname)) {
      return pathname.replace(/[^/]*$/, "");
    }
    if (pathname.endsWith("/")) return pathname;
    return /\.\w+$/.test(pathname) ? pathname.replace(/[^/]*$/, "") : `${pathname}/`;
  }

  get #below(): string {
    return this.#start.origin + this.#scope;
  }

  #isInside(address: string): boolean {
    const url = URL.parse(address);
    if (url === null || url.origin !== this.#start.origin) return false;
    return url.pathname.startsWith(this.#scope) || `${url.pathname}/` === this.#scope;
  }

  #isPage(address: string): boolean {
    return this.#isInside(address) && !PICTURES.test(new URL(address).pathname);
  }

  /** Throws Unfetched if the start cannot be had. */
  async *pages(): AsyncGenerator<Page> {
    this.#robots = await this.#readRobots();
    const listed = await this.#listed();
    const queue: Place[] = [];
    const add = (place: Place) => {
      const url = normal(place.url);
      if (this.#seen.has(url)) return;
      this.#seen.add(url);
      queue.push({ ...place, url });
    };
    if (Array.isArray(listed)) for (const place of listed) add(place);
    else if (listed !== undefined) {
      yield listed;
      return;
    } else add({ url: this.#start.href, lastModified: undefined });

    for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
      this.#ahead = queue.length + 1;
      const { pagesMax, until, signal } = this.#options;
      signal.throwIfAborted();
      if (this.#done >= pagesMax) {
        this.incomplete = `the limit of ${pagesMax} pages is reached; ${this.#ahead} more are known`;
        return;
      }
      if (Date.now() > until) {
        this.incomplete = `the time is over; ${this.#ahead} more pages are known`;
        return;
      }
      const { page, links } = await this.#page(place);
      const { exhausted } = this.#fetcher;
      if (exhausted !== undefined) {
        this.incomplete = `${exhausted}; ${this.#ahead} more pages are known`;
        return;
      }
      this.#done += 1;
      this.#ahead = queue.length;
      if (page !== undefined) {
        if ("id" in page) this.there.add(page.id);
        yield page;
      }
      if (listed !== undefined) continue;
      for (const url of links) {
        if (this.#seen.size >= pagesMax * KNOWN_SHARE_MAX) break;
        if (this.#isPage(url)) add({ url, lastModified: undefined });
      }
    }
  }

  async #readRobots(): Promise<Robot | undefined> {
    const url = new URL("/robots.txt", this.#start).href;
    let fetched: Fetched;
    try {
      fetched = await this.#fetcher.get(url);
    } catch (error) {
      if (!(error instanceof Unfetched)) throw error;
      throw new Unfetched(`${url}: ${error.message}`);
    }
    // As RFC 9309 says: unreachable rules forbid all, missing ones nothing.
    if (fetched.status >= 500 || fetched.status === 429) {
      throw new Unfetched(`${url} answers ${fetched.status}.`);
    }
    if (fetched.status !== 200) return undefined;
    let text = new TextDecoder().decode(fetched.bytes.subarray(0, ROBOTS_BYTES_MAX));
    // A rule that is cut would be another rule.
    if (fetched.bytes.length > ROBOTS_BYTES_MAX) text = text.replace(/[^\n]*$/, "");
    const robots = parseRobots(url, text);
    const delay = robots.getCrawlDelay(AGENT);
    if (delay !== undefined) this.#fetcher.slowTo(Math.min(DELAY_SECONDS_MAX, delay));
    return robots;
  }

  #isAllowed(url: string): boolean {
    return this.#robots?.isAllowed(url, AGENT) !== false;
  }

  /** The pages that the site lists; a page if the list is the text itself. */
  async #listed(): Promise<Place[] | Page | undefined> {
    const { pathname, href } = this.#start;
    if (/\/llms-full\.txt$/i.test(pathname)) {
      this.from = "llms-full.txt";
      const { page } = await this.#page({ url: href, lastModified: undefined });
      this.#done += 1;
      if (page !== undefined && "id" in page) this.there.add(page.id);
      return page;
    }
    if (/\/llms\.txt$/i.test(pathname)) {
      this.from = "llms.txt";
      const fetched = await this.#must(href);
      return linksOfLlms(new TextDecoder().decode(fetched.bytes), href)
        .filter((url) => this.#isInside(url))
        .map((url) => ({ url, lastModified: undefined }));
    }
    if (/\.xml(?:\.gz)?$/i.test(pathname)) {
      this.from = "sitemap";
      return await this.#sitemaps([href], true);
    }
    const named = this.#robots?.getSitemaps() ?? [];
    const guesses: readonly [string, string] = [
      new URL("sitemap.xml", new URL(this.#scope, this.#start)).href,
      new URL("/sitemap.xml", this.#start).href,
    ];
    const listed = await this.#sitemaps([...named, ...guesses], false);
    if (listed.length === 0) return undefined;
    this.from = "sitemap";
    return listed;
  }

  async #must(url: string): Promise<Fetched> {
    const fetched = await this.#fetcher.get(url);
    if (fetched.status !== 200) throw answers(url, fetched.status);
    return fetched;
  }

  /**
   * The pages of the sitemaps. One that is gone lists nothing. One that cannot
   * be read may list pages, so that nothing is pruned then.
   * @param isNamed Whether the one start is what was asked for.
   */
  async #sitemaps(starts: readonly string[], isNamed: boolean): Promise<Place[]> {
    const { signal, until, leaveOut } = this.#options;
    const queue = [...starts];
    const guessed = new Set(isNamed ? [] : starts.slice(-GUESSES));
    const seen = new Set<string>();
    const pages: Place[] = [];
    for (let url = queue.shift(); url !== undefined; url = queue.shift()) {
      signal.throwIfAborted();
      if (seen.has(url)) continue;
      seen.add(url);
      if (URL.parse(url)?.origin !== this.#start.origin) {
        leaveOut(url, "it is a sitemap on another site.");
        continue;
      }
      if (seen.size > SITEMAPS_MAX) {
        this.incomplete = `the site has more than ${SITEMAPS_MAX} sitemaps`;
        break;
      }
      if (Date.now() > until) {
        this.incomplete = "the time is over before all sitemaps are read";
        break;
      }
      try {
        const fetched = await this.#fetcher.get(url);
        const { status, bytes } = fetched;
        const isGone = status >= 400 && status < 500 && status !== 429;
        if (status !== 200) {
          if (isNamed && starts.includes(url)) throw answers(url, status);
          if (!isGone) this.incomplete = `the sitemap ${url} answers ${status}`;
          else if (!guessed.has(url)) leaveOut(url, `the sitemap answers ${status}.`);
          continue;
        }
        const found = placesOf(textOf(bytes), url);
        if (found === undefined) {
          if (isNamed && starts.includes(url)) throw new Unfetched(`${url} is no sitemap.`);
          // Many sites answer any address with a page.
          if (!guessed.has(url)) leaveOut(url, "it is no sitemap.");
          continue;
        }
        queue.push(...found.sitemaps);
        const inside = found.pages.filter((page) => this.#isInside(page.url));
        for (const page of inside) pages.push(page);
        const others = found.pages.length - inside.length;
        if (others > 0) leaveOut(url, `${others} of its pages are not below ${this.#below}.`);
      } catch (error) {
        signal.throwIfAborted();
        const reason = error instanceof Unfetched ? error.message : "it is damaged, or too large.";
        if (isNamed && starts.includes(url)) {
          throw error instanceof Unfetched ? error : new Unfetched(`${url}: ${reason}`);
        }
        this.incomplete = `the sitemap ${url} cannot be read: ${reason.replace(/\.$/, "")}`;
      }
    }
    return pages;
  }

  async #page({
    url,
    lastModified,
  }: Place): Promise<{ page: Page | undefined; links: readonly string[] }> {
    const known = this.#state.get(url);
    const skip = (reason: string) => {
      // Its document stays.
      this.there.add(known?.id ?? this.#idOf(url));
      return { page: { kind: "skipped", url, reason } as const, links: known?.links ?? [] };
    };
    const gone = async (reason: string, links: readonly string[] = []) => {
      await this.#state.set(url, undefined);
      return { page: { kind: "gone", url, reason } as const, links };
    };
    if (!this.#isAllowed(url)) return gone("robots.txt does not allow it.");
    const isHeld =
      known?.id !== undefined && known.id !== null && this.#options.holds(known.id, known.hash);
    const { resumedFrom } = this.#state;
    const isListedSame = lastModified !== undefined && known?.listed === lastModified;
    if (
      known?.id != null &&
      isHeld &&
      (isListedSame || (resumedFrom !== undefined && known.at >= resumedFrom))
    ) {
      this.#taken.set(known.id, url);
      return { page: { kind: "unchanged", url, id: known.id }, links: known.links };
    }
    let fetched: Fetched;
    try {
      const validators = isHeld ? { etag: known?.etag, lastModified: known?.lastModified } : {};
      fetched = await this.#fetcher.get(
        url,
        validators,
        (next) => this.#isInside(next) && this.#isAllowed(next),
      );
    } catch (error) {
      if (!(error instanceof Unfetched)) throw error;
      return error.mayReturn ? skip(error.message) : gone(error.message);
    }
    const { status, robots } = fetched;
    if (status === 304 && known?.id != null) {
      await this.#state.set(url, { ...known, listed: lastModified, at: Date.now() });
      this.#taken.set(known.id, url);
      return { page: { kind: "unchanged", url, id: known.id }, links: known.links };
    }
    if (status === 404 || status === 410) return gone(`it answers ${status}.`);
    if (status !== 200) return skip(`it answers ${status}.`);
    const directives = directivesOf(robots, AGENT.toLowerCase());
    if (directives.isHidden) return gone("it asks not to be found (noindex).");
    const kind = kindOf(fetched);
    if (kind === undefined) return gone(`its type ${fetched.type || "(none)"} is not read.`);
    const read = await this.#reading.read(kind, fetched.bytes, {
      ...this.#options.selectors,
      url: fetched.url,
      charset: fetched.charset,
    });
    const links = directives.hidesLinks ? [] : (read.links ?? []);
    if (read.isHidden) return gone("it asks not to be found (noindex).", links);
    if (
      read.refresh !== undefined &&
      normal(read.refresh) !== url &&
      (!("text" in read) || read.text.length < 500)
    ) {
      return gone(`it only leads to ${read.refresh}.`, [...links, read.refresh]);
    }
    // Where a page names another address as its own, that is the page's.
    const named = read.canonical ?? fetched.url;
    const address = normal(this.#isInside(named) ? named : fetched.url);
    const id = this.#idOf(address);
    const before = this.#taken.get(id);
    if (before !== undefined && before !== url) {
      await this.#state.set(url, undefined);
      return { page: { kind: "gone", url, reason: `it is the same page as ${before}.` }, links };
    }
    this.#taken.set(id, url);
    if (!("text" in read)) {
      return { page: skip(read.reason).page, links };
    }
    const done = (hash: string | undefined) =>
      this.#state.set(url, {
        id,
        ...(fetched.etag !== undefined && { etag: fetched.etag }),
        ...(fetched.lastModified !== undefined && { lastModified: fetched.lastModified }),
        ...(lastModified !== undefined && { listed: lastModified }),
        ...(hash !== undefined && { hash }),
        // A site with a list of its pages needs none.
        links: this.from === "links" ? links.filter((link) => this.#isPage(link)) : [],
        at: Date.now(),
      });
    return { page: { kind: "read", url: address, id, read, done }, links };
  }

  #idOf(address: string): string {
    const { host, pathname, search } = new URL(address);
    const id = this.#options.prefix + host + decoded(pathname) + search;
    if ([...id].length <= ID_LENGTH_MAX) return id;
    const hash = createHash("sha256").update(id).digest("hex").slice(0, 16);
    return `${[...id].slice(0, ID_LENGTH_MAX - 17).join("")}~${hash}`;
  }
}

function answers(url: string, status: number): Unfetched {
  return new Unfetched(`${url} answers ${status}.`);
}

function decoded(path: string): string {
  try {
    const text = decodeURIComponent(path);
    return /\p{Cc}/u.test(text) ? path : text.normalize("NFC");
  } catch {
    // It is no percent-encoding of UTF-8.
    return path;
  }
}

/** Without fragment and what only counts visitors. */
function normal(address: string): string {
  const url = new URL(address);
  url.hash = "";
  for (const name of [...url.searchParams.keys()]) {
    if (/^(?:utm_\w+|fbclid|gclid|ref)$/i.test(name)) url.searchParams.delete(name);
  }
  return url.href;
}

function kindOf({ type, url }: Fetched): Kind | undefined {
  const path = new URL(url).pathname.toLowerCase();
  if (type === "application/pdf") return "pdf";
  if (type.endsWith("wordprocessingml.document")) return "docx";
  if (type === "text/html" || type === "application/xhtml+xml") return "html";
  if (type === "text/markdown" || type === "text/x-markdown" || type === "text/plain") {
    return path.endsWith(".mdx") ? "mdx" : "text";
  }
  if (type !== "" && type !== "application/octet-stream") return undefined;
  if (path.endsWith(".pdf")) return "pdf";
  if (path.endsWith(".docx")) return "docx";
  return /\.(?:md|markdown|txt)$/.test(path) ? "text" : type === "" ? "html" : undefined;
}
