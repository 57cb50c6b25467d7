// What a site can do to the command that reads it: addresses, redirects,
// endless answers, sitemaps and rules of every kind. The sites are on this
// machine, and the command's own classes read them.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { directivesOf } from "../../scripts/ingest/directives.ts";
import {
  Fetcher,
  type FetcherOptions,
  isPrivate,
  Unfetched,
} from "../../scripts/ingest/fetcher.ts";
import { Reading } from "../../scripts/ingest/reading.ts";
import { type Page, Site, type SiteOptions } from "../../scripts/ingest/site.ts";
import { linksOfLlms, placesOf, textOf } from "../../scripts/ingest/sitemap.ts";
import { State } from "../../scripts/ingest/state.ts";
import { cpuMs, timeBelow } from "../support/growth.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
type Look = NonNullable<FetcherOptions["lookup"]>;

let folder: string;
/** Its address counts as public here. */
let site: Server;
/** Another server of this machine, at the same port. */
let inner: Server;
let port: number;
let origin: string;
const pages = new Map<string, string | Answer>();
let asked: { path: string; at: number; headers: IncomingMessage["headers"] }[] = [];
let innerAsked: string[] = [];
const reading = new Reading();
const never = new AbortController().signal;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-bounds-"));
  site = createServer((request, response) => {
    const path = request.url ?? "/";
    asked.push({ path, at: performance.now(), headers: request.headers });
    const page = pages.get(path);
    if (page === undefined) response.writeHead(404).end("none");
    else if (typeof page === "function") page(request, response);
    else response.setHeader("content-type", "text/html; charset=utf-8").end(page);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.2", resolve));
  ({ port } = site.address() as AddressInfo);
  origin = `http://127.0.0.2:${port}`;
  inner = createServer((request, response) => {
    innerAsked.push(request.url ?? "");
    response.end("secret");
  });
  await new Promise<void>((resolve) => inner.listen(port, "127.0.0.1", resolve));
});
afterAll(async () => {
  for (const server of [site, inner]) {
    server.closeAllConnections();
    server.close();
  }
  await reading.end();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  pages.clear();
  asked = [];
  innerAsked = [];
});

describe("private addresses", () => {
  test.each([
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "0",
    "10.0.0.1",
    "169.254.169.254",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "localhost",
    "localhost.",
    "intern.localhost",
  ])("are refused where a redirect leads: %s", async (host) => {
    pages.set("/", (_, response) => {
      response.writeHead(302, { location: `http://${host}:${port}/secret` }).end();
    });
    await expect(fetcher().get(`${origin}/`)).rejects.toThrow(/private address|ENOTFOUND/);
    await expect(fetcher().get(`http://${host}:${port}/`)).rejects.toThrow(
      /private address|ENOTFOUND/,
    );
    expect(innerAsked).toEqual([]);
  });

  test("are refused if one of the addresses of a name is private", async () => {
    const { lookup, looks } = names(["127.0.0.2", "127.0.0.1"]);
    await expect(fetcher({ lookup }).get(`http://site.example:${port}/`)).rejects.toThrow(
      "site.example is a private address: --allow-private allows it.",
    );
    expect(looks()).toBe(1);
    expect([asked, innerAsked]).toEqual([[], []]);
  });

  test("are refused at the second look-up of a name that was public at the first", async () => {
    pages.set("/a", "a");
    const { lookup } = names(["127.0.0.2"], ["127.0.0.1"]);
    const one = fetcher({ lookup });
    expect(text(await one.get(`http://site.example:${port}/a`))).toBe("a");
    await expect(one.get(`http://site.example:${port}/a`)).rejects.toThrow("private address");
    expect(innerAsked).toEqual([]);
  });

  test("cannot slip in between the look-up and the connection, which goes to what was looked at", async () => {
    pages.set("/a", "a");
    // The name leads elsewhere from the second look-up on.
    const { lookup, looks } = names(["127.0.0.2"], ["127.0.0.1"]);
    expect(text(await fetcher({ lookup }).get(`http://site.example:${port}/a`))).toBe("a");
    expect(looks()).toBe(1);
    expect(asked[0]?.headers.host).toBe(`site.example:${port}`);
    expect(innerAsked).toEqual([]);
  });

  test("are refused behind names in a redirect", async () => {
    pages.set("/", (_, response) => {
      response.writeHead(302, { location: `http://evil.example:${port}/secret` }).end();
    });
    const { lookup } = names(["127.0.0.1"]);
    await expect(fetcher({ lookup }).get(`${origin}/`)).rejects.toThrow(
      "evil.example is a private",
    );
    expect(innerAsked).toEqual([]);
  });
});

describe("an answer", () => {
  test("that drips without end is given up after the time, and is not asked for again", async () => {
    const drip: NodeJS.Timeout[] = [];
    pages.set("/", (_, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      drip.push(setInterval(() => response.write("<p>"), 10));
    });
    await expect(fetcher({ milliseconds: 300 }).get(`${origin}/`)).rejects.toThrow(
      "it takes longer than 0.3 s.",
    );
    for (const one of drip) clearInterval(one);
    expect(asked).toHaveLength(1);
  });

  test("that never begins is given up after the time", async () => {
    pages.set("/", () => {});
    await expect(fetcher({ milliseconds: 300 }).get(`${origin}/`)).rejects.toThrow(
      "it takes longer than 0.3 s.",
    );
  });

  test("of 50 MB whose length is not told is closed at the limit", async () => {
    let sent = 0;
    pages.set("/", async (_, response) => {
      const piece = "x".repeat(64 * 1024);
      while (sent < 50_000_000 && !response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) await writable(response);
      }
    });
    await expect(fetcher({ bytesMax: 1024 * 1024 }).get(`${origin}/`)).rejects.toThrow(
      "it is larger than 1 MiB.",
    );
    expect(sent).toBeLessThan(40_000_000);
  });

  test("counts against the bytes of the run, after which nothing is fetched", async () => {
    pages.set("/", "x".repeat(1_000_000));
    const one = fetcher({ totalBytesMax: 2_500_000 });
    await one.get(`${origin}/`);
    await one.get(`${origin}/`);
    expect(one.exhausted).toBeUndefined();
    await expect(one.get(`${origin}/`)).rejects.toThrow("the limit of 2 MiB is reached.");
    await expect(one.get(`${origin}/`)).rejects.toThrow(Unfetched);
    expect(asked).toHaveLength(3);
  });

  test("comes after another at the rate", async () => {
    pages.set("/", "x");
    const one = fetcher({ rate: 10 });
    const began = performance.now();
    await Promise.all(Array.from({ length: 4 }, () => one.get(`${origin}/`)));
    expect(asked).toHaveLength(4);
    expectApart(100, began);
  });
});

describe("robots.txt", () => {
  test.each([500, 503, 429])("that answers %i forbids all", async (status) => {
    pages.set("/robots.txt", (_, response) => {
      response.writeHead(status, { "retry-after": "0.001" }).end();
    });
    pages.set("/", "<p>text");
    await expect(run("/")).rejects.toThrow(`${origin}/robots.txt answers ${status}.`);
    expect(asked.map(({ path }) => path)).not.toContain("/");
  });

  test("of 10 MB is read as far as the first half, in time, and no rule of it is cut", async () => {
    const rules = ["User-agent: *", "Disallow: /secret"];
    const filler = `Disallow: /${"z".repeat(50)}\n`.repeat(200_000);
    // The limit is inside the second word of this rule.
    const head = `${rules.join("\n")}\n`;
    const cut = 512 * 1024 - head.length - "Disallow: /pu".length;
    const before = filler.slice(0, cut).replace(/[^\n]*$/, "");
    const pad = `#${"p".repeat(cut - before.length - 2)}\n`;
    pages.set("/robots.txt", `${head}${before}${pad}Disallow: /public/none\n${filler}`);
    pages.set("/", `<a href="/public">a</a><a href="/secret">b</a><p>text`);
    pages.set("/public", "<p>more");
    const { read, named } = await run("/");
    expect(read).toEqual(["/", "/public"]);
    expect(named).toEqual({ "/secret": "robots.txt does not allow it." });
  });

  test("slows the command down, at most to ten seconds", async () => {
    pages.set("/robots.txt", "User-agent: *\nCrawl-delay: 0.25");
    for (const path of ["/", "/a", "/b"])
      pages.set(path, `<a href=/a>a</a><a href=/b>b</a>${path}`);
    const began = performance.now();
    await run("/");
    expect(asked).toHaveLength(5);
    expectApart(250, began);
    const one = fetcher();
    let slowed = 0;
    one.slowTo = (seconds) => {
      slowed = seconds;
    };
    pages.set("/robots.txt", "User-agent: Belay-Ingest\nCrawl-delay: 86400");
    await run("/", { fetcher: one, pagesMax: 1 });
    expect(slowed).toBe(10);
  });

  test("may have rules for this command alone", async () => {
    pages.set(
      "/robots.txt",
      "User-agent: *\nDisallow: /\n\nUser-agent: Belay-Ingest\nDisallow: /a",
    );
    pages.set("/", "<a href=/a>a</a><p>text");
    pages.set("/a", "<p>text");
    expect(await run("/")).toMatchObject({
      read: ["/"],
      named: { "/a": "robots.txt does not allow it." },
    });
  });
});

describe("sitemaps", () => {
  const index = (...paths: string[]) =>
    `<sitemapindex>${paths.map((path) => `<sitemap><loc>${origin}${path}</loc></sitemap>`).join("")}</sitemapindex>`;
  const urls = (...paths: string[]) =>
    `<urlset>${paths.map((path) => `<url><loc>${origin}${path}</loc></url>`).join("")}</urlset>`;

  test("that name each other in a circle are read once each", async () => {
    pages.set("/sitemap.xml", index("/sitemap.xml", "/b.xml"));
    pages.set("/b.xml", index("/sitemap.xml", "/b.xml", "/c.xml"));
    pages.set("/c.xml", urls("/p", "/p"));
    pages.set("/p", "<p>text");
    expect(await run("/")).toMatchObject({ read: ["/p"], incomplete: undefined });
    expect(asked.map(({ path }) => path)).toEqual([
      ...["/robots.txt", "/sitemap.xml", "/b.xml", "/c.xml", "/p"],
    ]);
  });

  test("without end stop at 500", async () => {
    let i = 0;
    const answer: Answer = (_, response) => response.end(index(`/s${++i}.xml`, `/s${++i}.xml`));
    pages.set("/sitemap.xml", answer);
    for (let n = 1; n <= 1_200; n += 1) pages.set(`/s${n}.xml`, answer);
    const { incomplete } = await run("/sitemap.xml");
    expect(incomplete).toBe("the site has more than 500 sitemaps");
  });

  test("end with the time of the run", async () => {
    let i = 0;
    const answer: Answer = (_, response) => response.end(index(`/s${++i}.xml`));
    pages.set("/sitemap.xml", answer);
    for (let n = 1; n <= 500; n += 1) pages.set(`/s${n}.xml`, answer);
    const { incomplete } = await run("/sitemap.xml", { milliseconds: 300, rate: 30 });
    expect(incomplete).toBe("the time is over before all sitemaps are read");
  });

  test.each<[string, Answer, RegExp]>([
    ["that is down", (_, response) => response.writeHead(503).end(), /answers 503/],
    [
      "that unpacks without end",
      (_, response) => response.end(gzipSync(Buffer.alloc(60 * 1024 * 1024))),
      /damaged, or too large/,
    ],
    ["that is cut", (_, response) => response.end(gzipSync("x").subarray(0, 12)), /damaged/],
  ])("%s and that robots.txt names makes the list incomplete", async (_, answer, reason) => {
    pages.set("/robots.txt", `Sitemap: ${origin}/one.xml\nSitemap: ${origin}/two.xml.gz`);
    pages.set("/one.xml", urls("/p"));
    pages.set("/two.xml.gz", answer);
    pages.set("/p", "<p>text");
    const { read, incomplete } = await run("/", { tries: 1 });
    expect(read).toEqual(["/p"]);
    expect(incomplete).toMatch(reason);
  });

  test("that are gone, on another site or no sitemaps are named, and the list is whole", async () => {
    pages.set(
      "/robots.txt",
      ["/gone.xml", "/page.xml", "/one.xml"].map((path) => `Sitemap: ${origin}${path}`).join("\n") +
        "\nSitemap: https://elsewhere.example/sitemap.xml",
    );
    pages.set("/page.xml", "<html>");
    pages.set("/one.xml", urls("/docs/p", "/blog/q"));
    pages.set("/docs/p", "<p>text");
    expect(await run("/docs/")).toMatchObject({
      read: ["/docs/p"],
      incomplete: undefined,
      named: {
        "/gone.xml": "the sitemap answers 404.",
        "/page.xml": "it is no sitemap.",
        "/one.xml": `1 of its pages are not below ${origin}/docs/.`,
        "https://elsewhere.example/sitemap.xml": "it is a sitemap on another site.",
      },
    });
  });

  test.each([
    ["entries without an end", `<urlset>${"<url>".repeat(3_000_000)}`],
    ["addresses without an end", `<urlset><url>${"<loc>a".repeat(2_000_000)}</url>`],
    ["one address without an end", `<urlset><url><loc>${"a".repeat(20_000_000)}</url>`],
    ["attributes without an end", `<urlset><url>${"<loc ".repeat(3_000_000)}`],
    [
      "an entity that grows",
      `<!DOCTYPE x [<!ENTITY a "${"b".repeat(5_000)}">]><urlset>${"&a;".repeat(1e6)}`,
    ],
  ])("with %s are read in linear time", async (_, xml) => {
    await expectQuick(10_000, () => expect(placesOf(xml, origin)?.pages).toEqual([]));
  });

  test("have the addresses of pages, not those of their pictures, in CDATA too", () => {
    const xml = `<s:urlset><s:url><image:loc>/i.png</image:loc><s:loc> <![CDATA[/a?b=1&c=2]]> </s:loc>
      <s:lastmod>2026-01-02</s:lastmod></s:url></s:urlset>`;
    expect(placesOf(xml, origin)?.pages).toEqual([
      { url: `${origin}/a?b=1&c=2`, lastModified: "2026-01-02" },
    ]);
  });

  test("are unpacked up to 50 MiB", () => {
    expect(textOf(gzipSync(Buffer.alloc(1_000, "a")))).toHaveLength(1_000);
    expect(() => textOf(gzipSync(Buffer.alloc(60 * 1024 * 1024)))).toThrow();
  });
});

describe("an llms.txt", () => {
  test("names pages by links of every form", () => {
    const text = "[a](b) [c](<d>) [Foo](/w/F_(bar) 'title') [e](mailto:x@y.example) [f](b#part)";
    expect(linksOfLlms(text, `${origin}/`)).toEqual([
      `${origin}/b`,
      `${origin}/d`,
      `${origin}/w/F_(bar)`,
    ]);
  });

  test.each([
    ["](a".repeat(1_000_000)],
    [`](${"(a".repeat(1_000_000)}`],
    [`](${"(a)".repeat(1_000_000)}`],
    [`](a${" ".repeat(3_000_000)}`],
    ["](   ".repeat(600_000)],
  ])("is read in linear time (%#)", async (text) => {
    await expectQuick(5_000, () => linksOfLlms(text, `${origin}/`));
  });
});

describe("a page", () => {
  test.each([
    [["noindex"], true],
    [["NOINDEX, nofollow"], true],
    [["none"], true],
    [["belay-ingest: noindex"], true],
    [["*: noindex"], true],
    [["googlebot: noindex"], false],
    [["googlebot: noindex, nofollow"], false],
    [["googlebot: noindex", "noindex"], true],
    [["max-image-preview:none"], false],
    [["unavailable_after: 25 Jun 2030 15:00:00 PST, noarchive"], false],
    [["index, follow"], false],
    [[], false],
  ])("with the header %j is hidden: %s", async (values, isHidden) => {
    expect(directivesOf(values, "belay-ingest").isHidden).toBe(isHidden);
    pages.set("/", (_, response) => {
      response
        .setHeader("x-robots-tag", values)
        .setHeader("content-type", "text/html")
        .end("<p>text");
    });
    const { read, named } = await run("/");
    expect({ read, named }).toEqual(
      isHidden
        ? { read: [], named: { "/": "it asks not to be found (noindex)." } }
        : { read: ["/"], named: {} },
    );
  });

  test.each([
    ["robots", "noindex", true],
    ["ROBOTS", "None", true],
    ["belay", "noindex", true],
    ["googlebot", "noindex", false],
    ["robots", "max-image-preview:none, max-snippet:-1", false],
  ])("with the element %s=%j is hidden: %s", async (name, content, isHidden) => {
    pages.set("/", `<head><meta name="${name}" content="${content}"></head><p>text`);
    const { read } = await run("/");
    expect(read).toEqual(isHidden ? [] : ["/"]);
  });

  test("that hides its links is read, and its links are not followed", async () => {
    pages.set("/", `<meta name=robots content=nofollow><a href=/a>a</a><p>text`);
    pages.set("/a", "<p>text");
    expect((await run("/")).read).toEqual(["/"]);
  });

  test("that names another address as its own is a document of that one, unless it is on another site", async () => {
    const canonical = (href: string) => `<head><link rel="canonical" href="${href}"></head><p>text`;
    pages.set("/", `<a href=/a?print=1>a</a><a href=/b>b</a><p>text`);
    pages.set("/a?print=1", canonical("/a"));
    pages.set("/b", canonical("https://elsewhere.example/b"));
    const { ids } = await run("/");
    const host = new URL(origin).host;
    expect(ids).toEqual([`${host}/`, `${host}/a`, `${host}/b`]);
  });

  test("is asked for by its Last-Modified date in the second run", async () => {
    const date = "Wed, 21 Oct 2026 07:28:00 GMT";
    pages.set("/", (request, response) => {
      const isSame = request.headers["if-modified-since"] === date;
      response.writeHead(isSame ? 304 : 200, {
        "last-modified": date,
        "content-type": "text/html",
      });
      response.end(isSame ? undefined : "<p>text");
    });
    const name = "last-modified";
    expect((await run("/", { name })).read).toEqual(["/"]);
    expect((await run("/", { name })).unchanged).toEqual(["/"]);
    expect(asked.at(-1)?.headers["if-modified-since"]).toBe(date);
    // What the server no longer holds is fetched whole.
    expect((await run("/", { name, holds: () => false })).read).toEqual(["/"]);
  });
});

describe("a run", () => {
  test("ends when its time is over, and says how many pages are known", async () => {
    pages.set("/", Array.from({ length: 50 }, (_, i) => `<a href=/${i}>${i}</a>`).join(""));
    for (let i = 0; i < 50; i += 1) pages.set(`/${i}`, `<p>text ${i}`);
    // Its time is over at the sixth page, however fast the machine is.
    const { now } = Date;
    pages.set("/5", (_, response) => {
      vi.spyOn(Date, "now").mockImplementation(() => now() + 61_000);
      response.setHeader("content-type", "text/html").end("<p>text 5");
    });
    const { read, incomplete } = await run("/", { milliseconds: 60_000 }).finally(() =>
      vi.restoreAllMocks(),
    );
    expect(read.length).toBeGreaterThan(1);
    expect(read.length).toBeLessThan(40);
    expect(incomplete).toMatch(/^the time is over; \d+ more pages are known$/);
  });

  test("ends when its bytes are used up", async () => {
    pages.set("/", `<a href=/a>a</a><a href=/b>b</a><p>${"x".repeat(600_000)}`);
    for (const path of ["/a", "/b"]) pages.set(path, `<p>${"y".repeat(600_000)}`);
    const one = fetcher({ totalBytesMax: 1024 * 1024 });
    const { read, incomplete } = await run("/", { fetcher: one });
    expect(read).toEqual(["/"]);
    expect(incomplete).toBe("the limit of 1 MiB is reached; 2 more pages are known");
  });

  test("remembers no more addresses than it may use", async () => {
    const links = Array.from({ length: 500 }, (_, i) => `<a href=/${i}>${i}</a>`).join("");
    pages.set("/", links);
    const { known } = await run("/", { pagesMax: 2 });
    expect(known).toBeLessThanOrEqual(40);
  });
});

function fetcher(options: Partial<FetcherOptions> = {}): Fetcher {
  const refuses = (address: string) => address !== "127.0.0.2" && isPrivate(address);
  return new Fetcher({ refuses, rate: 1_000, signal: never, tries: 1, ...options });
}

/** Look-ups that answer these one after the other, the last ones from then on. */
function names(...answers: string[][]): { lookup: Look; looks: () => number } {
  let count = 0;
  const lookup = ((_: string, __: unknown, callback: (...found: unknown[]) => void) => {
    const addresses = answers[Math.min(count, answers.length - 1)] ?? [];
    count += 1;
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  }) as unknown as Look;
  return { lookup, looks: () => count };
}

interface Run {
  readonly fetcher?: Fetcher;
  readonly tries?: number;
  readonly rate?: number;
  readonly pagesMax?: number;
  readonly milliseconds?: number;
  readonly name?: string;
  readonly holds?: SiteOptions["holds"];
}

let runs = 0;

/** Reads the site from a path on. */
async function run(path: string, options: Run = {}) {
  const { pagesMax = 100, milliseconds = 60_000, name = `run ${++runs}`, tries = 1 } = options;
  const state = await State.open([name], folder);
  const by = options.fetcher ?? fetcher({ rate: options.rate ?? 1_000, tries });
  const named: Record<string, string> = {};
  const shown = (url: string) => (url.startsWith(origin) ? url.slice(origin.length) : url);
  const leaveOut = (url: string, reason: string) => {
    named[shown(url)] = reason;
  };
  const one = new Site(`${origin}${path}`, by, reading, state, {
    ...{ prefix: "", pagesMax, until: Date.now() + milliseconds, selectors: {}, signal: never },
    ...{ holds: options.holds ?? (() => true), leaveOut },
  });
  const found: Page[] = [];
  let known = 0;
  for await (const page of one.pages()) {
    found.push(page);
    known = Math.max(known, one.total);
    if (page.kind === "read") await page.done("hash");
    if (page.kind === "gone" || page.kind === "skipped") leaveOut(page.url, page.reason);
  }
  await state.save(true);
  const of = (kind: Page["kind"]) =>
    found.flatMap((page) => (page.kind === kind ? [shown(page.url)] : []));
  const ids = found.flatMap((page) => (page.kind === "read" ? [page.id] : []));
  return {
    ...{ read: of("read"), unchanged: of("unchanged"), ids, named, known },
    incomplete: one.incomplete,
  };
}

/**
 * Compares each arrival with the start, not with the arrival before it: on a busy machine a request can
 * arrive late, and the next one on time.
 */
function expectApart(ms: number, began: number): void {
  // A timer may end up to a millisecond early, and the two clocks are rounded.
  const early = asked.filter(({ at }, i) => at - began < i * ms - 2);
  expect(early).toEqual([]);
}

/** A quadratic reader takes minutes for as much. */
async function expectQuick(most: number, read: () => unknown): Promise<void> {
  const { ms, msMax } = await timeBelow(most, cpuMs(read), () => cpuMs(read));
  expect(ms).toBeLessThan(msMax);
}

function text({ bytes }: { readonly bytes: Uint8Array }): string {
  return new TextDecoder().decode(bytes);
}

function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}
