// The page's renderer alone, in the real page with its styles and policy. Tests
// render hundreds of answers, or measure one, without the service.

import { join } from "node:path";
import { build } from "esbuild";
import type { CDPSession } from "playwright-core";
import type { Markdown } from "../../src/web/markdown.ts";
import type { Visit } from "./site.ts";

/** The number of sources to cite. */
const SOURCES = 12;

/** What the page has after the setup. */
export interface Page {
  readonly Markdown: typeof Markdown;
}

/** The part of Chromium's trace that is used here; times in µs. */
interface Trace {
  readonly traceEvents: readonly {
    readonly name: string;
    readonly pid: number;
    readonly tid: number;
    readonly tdur?: number;
    readonly args: { readonly name?: string };
  }[];
}

const TASKS = "disabled-by-default-devtools.timeline";

export class Renderer {
  readonly #visit: Visit;
  readonly #devtools: CDPSession;

  private constructor(visit: Visit, devtools: CDPSession) {
    this.#visit = visit;
    this.#devtools = devtools;
  }

  static async in(visit: Visit): Promise<Renderer> {
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, "../../src/web/markdown.ts")],
      write: false,
      bundle: true,
      minify: true,
      format: "iife",
      globalName: "renderer",
      footer: { js: "globalThis.Markdown = renderer.Markdown;" },
    });
    await visit.page.evaluate(`${outputFiles[0]?.text}; undefined`);
    await visit.page.evaluate(() => document.body.classList.remove("fresh"));
    const devtools = await visit.page.context().newCDPSession(visit.page);
    // CPU time of the main thread, not wall-clock time.
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    return new Renderer(visit, devtools);
  }

  /**
   * The HTML of each answer, drawn after each piece. Without attributes; a
   * citation is `{1}`, a code block `<pre>`.
   */
  html(answers: readonly (readonly string[])[]): Promise<string[]> {
    return this.#visit.page.evaluate(
      async ([answers, sources]) => {
        const { Markdown } = globalThis as unknown as Page;
        const text = (words: string) =>
          words.replaceAll("<", "&lt;").replaceAll("\u00A0", "&nbsp;");
        const htmlOf = (node: Node): string => {
          if (!(node instanceof HTMLElement)) return text(node.textContent ?? "");
          const name = node.localName;
          const inside = [...node.childNodes].map(htmlOf).join("");
          if (name === "button") return node.className === "cite" ? `{${inside}}` : "";
          if (node.matches(".cited, .code, .table, .part, pre code, pre span")) return inside;
          const link = node instanceof HTMLAnchorElement ? ` ${node.getAttribute("href")}` : "";
          const start =
            node instanceof HTMLOListElement && node.start !== 1 ? ` ${node.start}` : "";
          const align = /^t[dh]$/.test(name) && node.className !== "" ? ` ${node.className}` : "";
          const open = `<${name}${link}${start}${align}>`;
          return /^[bh]r$/.test(name) ? open : `${open}${inside}</${name}>`;
        };
        const made: string[] = [];
        const frames = requestAnimationFrame;
        // One frame for each piece, without the wait.
        const draw = (callback: () => void) => {
          callback();
          return 0;
        };
        Object.assign(globalThis, { requestAnimationFrame: draw });
        for (const pieces of answers) {
          const root = document.createElement("div");
          root.className = "answer";
          const cite = (n: number) => (n <= sources ? { name: `${n}`, open() {} } : undefined);
          const words = { copyCode: "", copied: "", copyRefused: "" };
          const markdown = new Markdown(root, { cite, words, say() {} });
          for (const piece of pieces) markdown.write(piece);
          await markdown.end();
          made.push([...root.childNodes].map(htmlOf).join(""));
        }
        Object.assign(globalThis, { requestAnimationFrame: frames });
        return made;
      },
      [answers, SOURCES] as const,
    );
  }

  /**
   * CPU time in ms to render an answer that comes at once. No frame seems slow, so
   * that other work on the machine does not add frames.
   */
  async cost(answer: string): Promise<number> {
    const { page } = this.#visit;
    await page.evaluate(() => Object.assign(performance, { now: () => 0 }));
    const before = await this.#cpuMs();
    await this.show(answer);
    const cost = (await this.#cpuMs()) - before;
    await page.evaluate(() => Reflect.deleteProperty(performance, "now"));
    await this.clear();
    return cost;
  }

  async clear(): Promise<void> {
    await this.#visit.page.evaluate(() => document.getElementById("log")?.replaceChildren());
  }

  async show(answer: string): Promise<void> {
    await this.#visit.page.evaluate(
      async ([answer, sources]) => {
        const { Markdown } = globalThis as unknown as Page;
        const log = document.getElementById("log") as HTMLElement;
        const root = document.createElement("div");
        root.className = "answer";
        log.replaceChildren(root);
        const cite = (n: number) => (n <= sources ? { name: `${n}`, open() {} } : undefined);
        const words = { copyCode: "", copied: "", copyRefused: "" };
        const follow = () =>
          requestAnimationFrame(() => scrollTo({ top: document.documentElement.scrollHeight }));
        const markdown = new Markdown(root, { cite, words, say() {}, grown: follow });
        markdown.write(answer);
        await markdown.end();
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      },
      [answer, SOURCES] as const,
    );
  }

  async #cpuMs(): Promise<number> {
    const { metrics } = await this.#devtools.send("Performance.getMetrics");
    return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0) * 1_000;
  }
}

/** The longest main-thread task during the action, in ms of CPU time. */
export async function longestTask(visit: Visit, action: () => Promise<unknown>): Promise<number> {
  const browser = visit.page.context().browser();
  await browser?.startTracing(visit.page, { categories: [TASKS] });
  await action();
  const { traceEvents }: Trace = JSON.parse(String(await browser?.stopTracing()));
  const threads = traceEvents
    .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
    .map(({ pid, tid }) => `${pid} ${tid}`);
  const tasks = traceEvents
    .filter(({ name, pid, tid }) => name === "RunTask" && threads.includes(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => tdur / 1_000);
  return Math.max(0, ...tasks);
}
