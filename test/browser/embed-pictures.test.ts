// Pictures of <belay-ask> in its states, in dist/screenshots, and no serious fault of
// accessibility in any of them.

import type { BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Embedding, type EmbedVisit, type HostPage, LIMIT } from "./embedding.ts";

const TEXT = [
  "You are charged for an answer when it has arrived **whole** [1]. An answer that breaks off, or that you stop, costs nothing [2].\n\n",
  "Set the limit with one variable:\n\n```sh\nexport QUOTA_LIMIT=20\nnpm run serve\n```\n\n",
  "| period | resets |\n| --- | --- |\n| `day` | at midnight, UTC |\n| `month` | on the first |\n\n",
  "1. Ask a question.\n2. Check a source [3].\n",
];
const CSS = `body { margin: 0; font: 17px/1.6 Georgia, serif; background: light-dark(#fff, #1b1b1f); color: light-dark(#213547, #dfdfd6) }
  main { max-width: 720px; margin: 32px auto; padding: 0 20px }`;
const DOCS = `<main><h1>Charges</h1><p>What an answer costs, and when it costs nothing.</p>`;
const INLINE = `${DOCS}<belay-ask></belay-ask></main>`;
const BUBBLE = `${DOCS}<p>The documentation goes on here, and the bubble is above it.</p></main><belay-ask mode="bubble"></belay-ask>`;
const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

let embedding: Embedding;
const visits: EmbedVisit[] = [];

beforeAll(async () => {
  embedding = await Embedding.open();
});
afterAll(() => embedding?.close());
afterEach(async () => {
  for (const visit of visits.splice(0)) await visit.close();
});

async function open(
  page: HostPage = {},
  options: BrowserContextOptions = {},
  scheme = "light dark",
): Promise<EmbedVisit> {
  const css = `:root { color-scheme: ${scheme} } ${CSS} ${page.css ?? ""}`;
  const visit = await embedding.visit({ body: INLINE, ...page, css }, options);
  visits.push(visit);
  return visit;
}

async function answered(visit: EmbedVisit, words?: string): Promise<EmbedVisit> {
  if (await visit.box.locator(".launcher").isVisible())
    await visit.box.locator(".launcher").click();
  await visit.ask({ tokens: TEXT }, words);
  await visit.answer();
  await expect.poll(() => visit.note()).not.toBe("");
  await visit.tidy();
  await visit.page.mouse.move(0, 0);
  return visit;
}

describe("inline", () => {
  it("before the first question", async () => {
    const visit = await open();
    await visit.box.locator(".examples button").first().waitFor();
    await expect.poll(() => visit.note()).toMatch(/left$/);
    expect(await visit.look("inline-empty")).toEqual([]);
  });

  it("while an answer is searched and written", async () => {
    const visit = await open();
    await visit.ask({ tokens: 400, gapMs: 20, firstMs: 600 });
    await visit.latest.locator(".state").waitFor();
    expect(await visit.look("inline-searching")).toEqual([]);
    await visit.latest.locator(".answer", { hasText: "w30 " }).waitFor();
    expect(await visit.look("inline-writing")).toEqual([]);
    await visit.box.getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => visit.notice()).toMatch(/not charged/);
    expect(await visit.look("inline-stopped")).toEqual([]);
  });

  it.each([
    ["light", {}, "light dark"],
    ["dark", { colorScheme: "dark" }, "light dark"],
    ["dark-page", {}, "dark"],
    ["forced-colours", { forcedColors: "active" }, "light dark"],
    ["zoom-200", { viewport: { width: 500, height: 400 }, deviceScaleFactor: 2 }, "light dark"],
    ["phone", PHONE, "light dark"],
  ] as const)("an answer, %s", async (name, options, scheme) => {
    const visit = await answered(await open({}, options, scheme));
    expect(await visit.look(`inline-answer-${name}`)).toEqual([]);
  });

  it("a preview of a source, its sources, and a rating", async () => {
    const visit = await answered(await open({}, { viewport: { width: 1000, height: 1300 } }));
    await visit.latest.locator(".cite").first().click();
    await visit.latest.locator(".preview:popover-open").waitFor();
    expect(await visit.look("inline-preview")).toEqual([]);
    await visit.page.keyboard.press("Escape");
    await visit.latest.locator(".passage summary").first().click();
    await visit.box.getByRole("button", { name: "Bad answer" }).click();
    await visit.latest.locator(".comment input").waitFor();
    expect(await visit.look("inline-sources")).toEqual([]);
  });

  it("two questions in a box of a fixed height", async () => {
    const body = `${DOCS}<belay-ask accent="#0b6e99"></belay-ask></main>`;
    const visit = await answered(await open({ body, css: "belay-ask { height: 560px }" }));
    await visit.ask({ tokens: TEXT }, "And how often can I ask?");
    await expect.poll(() => visit.box.locator(".exchange").count()).toBe(2);
    await visit.answer();
    expect(await visit.look("inline-fixed-height")).toEqual([]);
  });

  it.each(["#ffd400", "#111111", "rebeccapurple"])("in the accent colour %s", async (accent) => {
    for (const colorScheme of ["light", "dark"] as const) {
      const body = `${DOCS}<belay-ask accent="${accent}"></belay-ask></main>`;
      const visit = await answered(await open({ body }, { colorScheme }));
      expect(await visit.look(`accent-${accent.replace("#", "")}-${colorScheme}`)).toEqual([]);
    }
  });
});

describe("in another language", () => {
  it.each([
    ["de", "Wann werde ich belastet?"],
    ["ja", "いつ課金されますか？"],
    ["zh-Hans", "什么时候扣费？"],
    ["zh-Hant", "什麼時候扣費？"],
  ])("%s", async (lang, question) => {
    const visit = await open({ lang });
    await visit.box.locator(".examples button").first().waitFor();
    expect(await visit.look(`lang-${lang}-empty`)).toEqual([]);
    await answered(visit, question);
    expect(await visit.look(`lang-${lang}-answer`)).toEqual([]);
  });

  it("from right to left", async () => {
    const visit = await open({ dir: "rtl", lang: "ar", body: BUBBLE });
    await visit.box.locator(".launcher").waitFor();
    expect(await visit.look("rtl-launcher")).toEqual([]);
    await visit.box.locator(".launcher").click();
    await visit.ask({ tokens: ["تُحتسب الإجابة ", "عندما تصل **كاملة** [1]."] }, "متى أُحاسَب؟");
    await visit.answer();
    expect(await visit.look("rtl-bubble")).toEqual([]);
  });
});

describe("a bubble", () => {
  it.each([
    ["desktop", {}],
    ["dark", { colorScheme: "dark" }],
    ["phone", PHONE],
    ["forced-colours", { forcedColors: "active" }],
  ] as const)("%s", async (name, options) => {
    const visit = await open({ body: BUBBLE }, options);
    await visit.box.locator(".launcher").waitFor();
    expect(await visit.look(`bubble-${name}-closed`)).toEqual([]);
    await visit.box.locator(".launcher").click();
    await visit.box.locator(".examples button").first().waitFor();
    expect(await visit.look(`bubble-${name}-empty`)).toEqual([]);
    await answered(visit);
    expect(await visit.look(`bubble-${name}-answer`)).toEqual([]);
    await visit.latest.locator(".cite").first().click();
    await visit.latest.locator(".preview:popover-open").waitFor();
    expect(await visit.look(`bubble-${name}-preview`)).toEqual([]);
  });

  it("on a page with styles for everything", async () => {
    const css = "* { all: unset; font-size: 40px; color: red } button { display: none !important }";
    const visit = await open({ body: BUBBLE, css });
    await answered(visit);
    expect(await visit.look("bubble-hostile")).toEqual([]);
  });
});

describe("an answer that cannot be had", () => {
  it("because the model failed", async () => {
    const visit = await open();
    await visit.ask({ tokens: 40, fault: "cut", at: 30 });
    await expect.poll(() => visit.notice()).toMatch(/not charged/);
    expect(await visit.look("state-failed")).toEqual([]);
  });

  it("because nothing was found", async () => {
    const visit = await open();
    await visit.ask({ tokens: ["[0] ", "Nothing ", "was ", "found."] }, "How many zorblaks?");
    await expect.poll(() => visit.notice()).toMatch(/not charged/);
    expect(await visit.look("state-nothing-found")).toEqual([]);
  });

  it("because the quota is used up", async () => {
    const visit = await open();
    for (let n = 0; n < LIMIT; n += 1) {
      await visit.ask({ tokens: [`It is ${n}.`] });
      await expect.poll(() => visit.latest.locator(".answer").textContent()).toBe(`It is ${n}.`);
      await visit.answer();
    }
    await expect.poll(() => visit.box.locator(".banner").textContent()).toMatch(/used up/);
    await visit.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    expect(await visit.look("state-quota")).toEqual([]);
  });

  it("because the reader is offline, and again when they are back", async () => {
    const visit = await answered(await open());
    await visit.page.context().setOffline(true);
    await expect.poll(() => visit.box.locator(".banner").textContent()).toMatch(/offline/);
    await visit.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    expect(await visit.look("state-offline")).toEqual([]);
    await visit.page.context().setOffline(false);
    await expect.poll(() => visit.box.locator(".banner").isVisible()).toBe(false);
  });

  it("because the line is down, until it is mended", async () => {
    const visit = await open();
    await visit.ask({ tokens: 60, gapMs: 30 });
    await visit.latest.locator(".answer", { hasText: "w5 " }).waitFor();
    visit.line.cut();
    await visit.latest.locator(".state.broken").waitFor();
    expect(await visit.look("state-resuming")).toEqual([]);
    visit.line.mend();
    expect(await visit.answer()).toContain("w59");
  });

  it.each([
    ["away", 503, "The service could not be reached. Try again in a moment."],
    ["crowded", 429, "Many readers have just come from your network. Try again in a minute."],
    ["sign-in", 404, "Sign in to ask here."],
  ])("because of the session: %s", async (name, status, words) => {
    const visit = await open({ body: "" });
    await visit.page.route("**/api/v1/session", (route) =>
      route.fulfill({ status, headers: { "access-control-allow-origin": "*" } }),
    );
    await visit.open({ body: INLINE, css: CSS });
    await expect.poll(() => visit.box.locator(".banner").textContent()).toBe(words);
    expect(await visit.look(`state-${name}`)).toEqual([]);
  });

  it("because there are no documents", async () => {
    const visit = await open({ body: "" });
    await visit.page.route("**/ai/examples", (route) =>
      route.fulfill({
        json: { empty: true, questions: [] },
        headers: { "access-control-allow-origin": "*" },
      }),
    );
    await visit.open({ body: INLINE, css: CSS });
    await expect.poll(() => visit.box.locator(".banner").textContent()).toMatch(/no documents/);
    expect(await visit.look("state-no-documents")).toEqual([]);
  });
});
