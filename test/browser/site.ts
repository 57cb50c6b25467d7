// Shared by the browser tests: the real server with the scripted model, a browser,
// and visits, each from its own address. Tests assert; this file arranges.

import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Receipt } from "../../src/protocol.ts";
import { pageFiles } from "../../src/web/reader/html.ts";
import type { Identity } from "../../src/web/reader/identity.ts";
import { type Directive, scripted } from "../support/directive.ts";
import { type Line, startLine } from "../support/line.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { type RunningServer, startServer } from "../support/server.ts";

/** Debian's path; CHROMIUM sets another. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Screenshots; Git ignores the folder. */
export const PICTURES = join(import.meta.dirname, "../../dist/screenshots");

/** Answers per address: enough for a second page of the history. */
export const LIMIT = 35;

/** A page as the server writes it: its language, and what it says about the operator. */
export interface Served {
  readonly lang?: "en" | "de" | "ja" | "zh-Hans" | "zh-Hant";
  readonly identity?: Partial<Identity>;
}

export class Site {
  readonly model: ModelServer;
  readonly server: RunningServer;
  readonly browser: Browser;

  private constructor(model: ModelServer, server: RunningServer, browser: Browser) {
    this.model = model;
    this.server = server;
    this.browser = browser;
  }

  static async open(vars: Readonly<Record<string, string>> = {}): Promise<Site> {
    if (!existsSync(CHROMIUM)) {
      throw new Error(`There is no Chromium at ${CHROMIUM}: apt-get install chromium.`);
    }
    const model = await startModelServer();
    const [server, browser] = await Promise.all([
      startServer({
        command: "serve",
        vars: {
          ...model.vars,
          ANONYMOUS_LIMIT: String(LIMIT),
          ...vars,
        },
      }),
      chromium.launch({ executablePath: CHROMIUM, args: FLAGS }),
      mkdir(PICTURES, { recursive: true }),
    ]);
    return new Site(model, server, browser);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    await this.model.close();
  }

  /** A new reader opens the page. */
  async visit(visited: VisitOptions = {}): Promise<Visit> {
    const { lang, identity, path, ready, session, ...options } = visited;
    const line = await startLine(this.server.url);
    const context = await this.browser.newContext({
      viewport: { width: 1280, height: 820 },
      locale: "en-GB",
      timezoneId: "UTC",
      ...options,
    });
    if (session !== undefined) {
      await context.addInitScript((kept) => {
        for (const [key, value] of Object.entries(kept)) sessionStorage.setItem(key, value);
      }, session);
    }
    const visit = new Visit(line, await context.newPage());
    if (lang !== undefined || identity !== undefined) {
      await visit.serve({ lang: lang ?? "en", identity: identity ?? {} });
    }
    await visit.open(path, ready);
    return visit;
  }
}

/** Where a visit begins. */
interface Beginning {
  readonly path?: string;
  /** What is visible once the page has begun. */
  readonly ready?: string;
  /** What each page of the visit finds in its session storage. */
  readonly session?: Readonly<Record<string, string>>;
}

export type VisitOptions = BrowserContextOptions & Served & Beginning;

export class Visit {
  readonly line: Line;
  readonly page: Page;
  /** Policy violations, script errors and console errors. */
  readonly problems: string[] = [];

  constructor(line: Line, page: Page) {
    this.line = line;
    this.page = page;
    page.on("pageerror", (error) => this.problems.push(`thrown: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.problems.push(`console: ${message.text()}`);
      }
    });
    page.on("dialog", (dialog) => {
      this.problems.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== line.url && protocol !== "data:") {
        this.problems.push(`request: ${request.url()}`);
      }
    });
  }

  /** By default a page that has begun, or asks the reader to sign in. */
  async open(path = "/", ready = "#quota, #sign-in"): Promise<void> {
    await this.page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    await this.page.goto(this.line.url + path);
    await this.page.locator(ready).filter({ visible: true }).waitFor();
  }

  /** The document in another language, or of another operator. */
  async serve({ lang = "en", identity = {} }: Served): Promise<void> {
    const file = lang === "en" ? "index.html" : `index.${lang}.html`;
    const meta = JSON.stringify(identity).replaceAll('"', "&quot;");
    const body = pageFiles()[file]?.replace(
      'name="belay" content=""',
      `name="belay" content="${meta}"`,
    );
    await this.page.route(`${this.line.url}/`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, ...(body !== undefined && { body }) });
    });
  }

  /** Types and sends a question, or a directive for the model. */
  async ask(query: string | Directive, words = "What is the quota?"): Promise<void> {
    await this.page.fill("#question", typeof query === "string" ? query : scripted(query, words));
    await this.page.press("#question", "Enter");
  }

  /** The latest exchange in the log. */
  get latest() {
    return this.page.locator(".exchange").last();
  }

  /** The text of the latest answer, once it has ended. */
  async answer(): Promise<string> {
    await this.latest.locator(".actions:not([hidden])").waitFor();
    return this.#text(".exchange:last-child .answer");
  }

  /** Resolves when the latest answer contains this text. */
  async reading(text: string): Promise<void> {
    await this.latest.locator(".answer", { hasText: text }).waitFor();
  }

  meter(): Promise<string> {
    return this.#text("#quota-words");
  }

  notice(): Promise<string> {
    return this.#text(".exchange:last-child .notice");
  }

  /** The reader's newest receipts. */
  async receipts(limit = 20): Promise<readonly Receipt[]> {
    const { queries } = await this.page.evaluate(async (limit) => {
      const response = await fetch(`/api/v1/ai/queries?limit=${limit}`);
      return response.json() as Promise<{ queries: Receipt[] }>;
    }, limit);
    return queries;
  }

  /** Takes a screenshot; returns serious accessibility faults. */
  async look(name: string): Promise<string[]> {
    await this.picture(name);
    return seriousFaults(this.page);
  }

  async picture(name: string): Promise<void> {
    // Wait for transitions. Endless animations are not waited for.
    await this.page.evaluate(() => {
      const animations = document.getAnimations();
      const ending = animations.filter((animation) => animation instanceof CSSTransition);
      return Promise.allSettled(ending.map(({ finished }) => finished));
    });
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`) });
  }

  async #text(selector: string): Promise<string> {
    return (await this.page.locator(selector).textContent()) ?? "";
  }

  async close(): Promise<void> {
    await this.page.context().close();
    await this.line.close();
  }
}

/** The part of axe-core that is used here. */
interface Axe {
  run(): Promise<{
    readonly violations: readonly {
      readonly id: string;
      readonly impact: string;
      readonly nodes: readonly { readonly html: string }[];
    }[];
  }>;
}

/** Of the page as it is now, with axe-core. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(await axe());
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

let axeText: Promise<string> | undefined;

function axe(): Promise<string> {
  axeText ??= readFile(createRequire(import.meta.url).resolve("axe-core"), "utf8");
  return axeText;
}
