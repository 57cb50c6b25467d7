// Pages of other sites that hold <belay-ask>: on origins of their own, under the
// strictest policy that the element needs. Tests assert; this file arranges.

import { createServer, type Server } from "node:http";
import { join } from "node:path";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { type Directive, scripted } from "../support/directive.ts";
import { type Line, startLine } from "../support/line.ts";
import { listen } from "../support/listen.ts";
import { PICTURES, Site, seriousFaults } from "./site.ts";

/** Answers per address. */
export const LIMIT = 6;

export const EVENTS = [
  "belay-ask",
  "belay-answer",
  "belay-error",
  "belay-feedback",
  "belay-open",
  "belay-close",
] as const;

export interface HostPage {
  /** The body. `BELAY` is the address of this visit's line to Belay. */
  readonly body?: string;
  readonly css?: string;
  readonly lang?: string;
  readonly dir?: string;
  /** Where scripts and requests may go, besides Belay's address. */
  readonly connect?: string;
  /** Loads the module so often. */
  readonly times?: number;
}

/** A web server of somebody else. */
export class Host {
  readonly #server: Server;
  readonly #pages = new Map<string, { readonly belay: string; readonly page: HostPage }>();
  /** Under another name than Belay: another site. */
  origin = "";

  constructor() {
    this.#server = createServer((request, response) => {
      const [, kind = "", id = ""] = /^\/(page|css)\/(\d+)/.exec(request.url ?? "") ?? [];
      const { belay = "", page = {} } = this.#pages.get(id) ?? {};
      if (kind === "css") {
        response.setHeader("content-type", "text/css").end(page.css ?? "");
        return;
      }
      if (kind !== "page") {
        response.writeHead(204).end();
        return;
      }
      const allowed = `${belay} ${page.connect ?? ""}`.trim();
      response.writeHead(200, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": [
          "default-src 'none'",
          "style-src 'self'",
          `script-src ${belay}`,
          `connect-src ${allowed}`,
          "base-uri 'none'",
          "require-trusted-types-for 'script'",
          "trusted-types 'none'",
        ].join("; "),
      });
      const script = `<script type="module" src="${belay}/embed.js"></script>`;
      const again = `<script type="module" src="${belay}/embed.js?again"></script>`;
      response.end(`<!doctype html>
<html lang="${page.lang ?? "en"}" dir="${page.dir ?? "ltr"}">
<head><meta charset="utf-8"><title>A page of docs</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/css/${id}">${script}${page.times === 2 ? again : ""}</head>
<body>${(page.body ?? "<belay-ask></belay-ask>").replaceAll("BELAY", belay)}</body></html>`);
    });
  }

  async start(): Promise<this> {
    this.origin = (await listen(this.#server)).replace("127.0.0.1", "localhost");
    return this;
  }

  /** The address of a new page. */
  add(belay: string, page: HostPage): string {
    const id = String(this.#pages.size);
    this.#pages.set(id, { belay, page });
    return `${this.origin}/page/${id}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Belay, two hosts that it lists, and one that it does not. */
export class Embedding {
  readonly site: Site;
  readonly host: Host;
  readonly otherHost: Host;
  readonly strangerHost: Host;

  private constructor(site: Site, hosts: readonly [Host, Host, Host]) {
    this.site = site;
    [this.host, this.otherHost, this.strangerHost] = hosts;
  }

  static async open(vars: Readonly<Record<string, string>> = {}): Promise<Embedding> {
    const hosts = await Promise.all([
      new Host().start(),
      new Host().start(),
      new Host().start(),
    ] as const);
    const site = await Site.open({
      EMBED_ORIGINS: `${hosts[0].origin}, ${hosts[1].origin}`,
      ANONYMOUS_LIMIT: String(LIMIT),
      ...vars,
    });
    return new Embedding(site, hosts);
  }

  async close(): Promise<void> {
    await this.site?.close();
    for (const host of [this.host, this.otherHost, this.strangerHost]) await host.close();
  }

  /** A new reader, from an address of their own, opens a page of the host. */
  async visit(
    page: HostPage = {},
    options: BrowserContextOptions = {},
    host = this.host,
  ): Promise<EmbedVisit> {
    const line = await startLine(this.site.server.url);
    const context = await this.site.browser.newContext({
      viewport: { width: 1000, height: 800 },
      locale: "en-GB",
      timezoneId: "UTC",
      permissions: ["clipboard-read", "clipboard-write"],
      ...options,
    });
    const visit = new EmbedVisit(line, await context.newPage(), host);
    await visit.arrange();
    await visit.open(page);
    return visit;
  }
}

export class EmbedVisit {
  readonly line: Line;
  readonly page: Page;
  readonly host: Host;
  /** Policy violations, script errors, console errors, and strange requests. */
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  /** Requests to Belay, as method and path. */
  readonly requests: string[] = [];
  readonly box: Locator;

  constructor(line: Line, page: Page, host: Host) {
    this.line = line;
    this.page = page;
    this.host = host;
    this.box = page.locator("belay-ask").first();
  }

  async arrange(): Promise<void> {
    const { page } = this;
    page.on("pageerror", (error) => this.problems.push(`thrown: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") this.problems.push(`console: ${message.text()}`);
      if (message.type() === "warning") this.warnings.push(message.text());
    });
    page.on("request", (request) => {
      const { origin, pathname } = new URL(request.url());
      if (origin === this.line.url) this.requests.push(`${request.method()} ${pathname}`);
      else if (origin !== this.host.origin) this.problems.push(`request: ${request.url()}`);
    });
    await page.addInitScript((names) => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
      const heard: unknown[] = [];
      Object.assign(globalThis, { heard });
      for (const name of names) {
        document.addEventListener(name, (event) => {
          heard.push([name, (event as CustomEvent).detail]);
        });
      }
    }, EVENTS);
  }

  async open(page: HostPage): Promise<void> {
    await this.page.goto(this.host.add(this.line.url, page));
    if (/belay-ask/.test(page.body ?? "<belay-ask>")) {
      await this.page.waitForFunction(() => customElements.get("belay-ask") !== undefined);
    }
  }

  /** Types and sends a question, or a directive for the model. */
  async ask(query: string | Directive, words = "What is the quota?"): Promise<void> {
    const input = this.box.locator(".composer textarea");
    await input.fill(typeof query === "string" ? query : scripted(query, words));
    await input.press("Enter");
  }

  get latest(): Locator {
    return this.box.locator(".exchange").last();
  }

  /** The text of the latest answer, once it has ended. */
  async answer(): Promise<string> {
    await this.latest.locator(".actions:not([hidden])").waitFor();
    return (await this.latest.locator(".answer").textContent()) ?? "";
  }

  async note(): Promise<string> {
    return (await this.box.locator(".note").textContent()) ?? "";
  }

  async notice(): Promise<string> {
    return (await this.latest.locator(".notice").textContent()) ?? "";
  }

  /** What the host page heard, as names and details. */
  heard(): Promise<[string, Record<string, unknown> | null][]> {
    return this.page.evaluate(
      () => (globalThis as unknown as { heard: [string, Record<string, unknown>][] }).heard,
    );
  }

  /** The embed's token that the tab keeps. */
  async token(): Promise<string> {
    const kept = await this.page.evaluate(() => JSON.stringify(sessionStorage));
    return /\\"token\\":\\"([^"\\]+)/.exec(kept)?.[1] ?? "";
  }

  /** Asks Belay from the page, with the element's token. */
  async get<T>(path: string): Promise<T> {
    const url = `${this.line.url}/api/v1/ai/${path}`;
    const headers = { authorization: `Bearer ${await this.token()}` };
    return this.page.evaluate(async ({ url, headers }) => (await fetch(url, { headers })).json(), {
      url,
      headers,
    });
  }

  /** Takes what tells the model its answer out of the questions, for a picture. */
  async tidy(): Promise<void> {
    await this.box.evaluate((box) => {
      for (const question of box.shadowRoot?.querySelectorAll(".question") ?? []) {
        question.textContent = (question.textContent ?? "").replace(/ \[\[.*/s, "");
      }
    });
  }

  /** Takes a picture; returns serious accessibility faults. */
  async look(name: string): Promise<string[]> {
    await this.tidy();
    await this.page.screenshot({
      path: join(PICTURES, `embed-${name}.png`),
      animations: "disabled",
    });
    return seriousFaults(this.page);
  }

  async close(): Promise<void> {
    await this.page.context().close();
    await this.line.close();
  }
}
