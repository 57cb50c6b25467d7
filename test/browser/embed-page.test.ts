// <belay-ask> and the page around it: origins and tokens, attributes, the bubble, the
// page's styles, and what stays when the reader moves on.

import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ANSWER_BYTES_MAX, EMBED_BYTES_MAX, embedFiles, embedParts } from "../../scripts/embed.ts";
import type { Queries } from "../../src/client/client.ts";
import { scripted } from "../support/directive.ts";
import { SECRET, startServer } from "../support/server.ts";
import { bearer } from "../support/socket-client.ts";
import { Embedding, type EmbedVisit, type HostPage } from "./embedding.ts";

type Ask = HTMLElement & {
  token: unknown;
  ask(question: string): Promise<void>;
  open: unknown;
  close(): void;
  clear(): void;
};

const BUBBLE = '<button id="own">Of the page</button><belay-ask mode="bubble"></belay-ask>';
const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

let embedding: Embedding;
const visits: EmbedVisit[] = [];

beforeAll(async () => {
  embedding = await Embedding.open({ AUTH_SECRET: SECRET });
});
afterAll(() => embedding?.close());
afterEach(async () => {
  for (const visit of visits.splice(0)) await visit.close();
});

async function visit(...given: Parameters<Embedding["visit"]>): Promise<EmbedVisit> {
  const visit = await embedding.visit(...given);
  visits.push(visit);
  return visit;
}

/** Runs in the page, with the first element. */
function withElement<T>(page: Page, run: (element: Ask) => T): Promise<T> {
  return page.evaluate(`(${run})(document.querySelector("belay-ask"))`) as Promise<T>;
}

it("its files are small", async () => {
  const { "embed.js": text = "", "embed-answer.js": answer = "", ...words } = await embedFiles();
  const compressed = (text: string) => gzipSync(text, { level: 9 }).length;
  const rows = Object.entries(await embedParts()).map(([part, length]) => `${part} ${length}`);
  console.log(
    `embed.js: ${compressed(text)} bytes compressed; minified, ${rows.join(", ")}. embed-answer.js: ${compressed(answer)} bytes compressed.`,
  );
  expect(compressed(text)).toBeLessThan(EMBED_BYTES_MAX);
  expect(compressed(answer)).toBeLessThan(ANSWER_BYTES_MAX);
  expect(Object.keys(words).sort()).toEqual([
    "words-de.js",
    "words-ja.js",
    "words-zh-hans.js",
    "words-zh-hant.js",
  ]);
});

describe("an origin", () => {
  it("that is not listed gets no session: the reader and the author are told", async () => {
    const reader = await visit({}, {}, embedding.strangerHost);
    const banner = reader.box.locator(".banner");
    await expect.poll(() => banner.textContent()).toBe("Questions cannot be asked on this page.");
    expect(reader.warnings.join()).toContain(
      `does not list ${embedding.strangerHost.origin}. Add it to EMBED_ORIGINS there.`,
    );
    await expect
      .poll(() => reader.heard())
      .toMatchObject([["belay-error", { code: "ORIGIN_NOT_LISTED" }]]);
    expect(reader.requests.filter((request) => request.includes("/ai/"))).toEqual([]);
  });

  it("says so in the colours of a warning, whatever the accent", async () => {
    const background = async (body: string) => {
      const { box } = await visit({ body }, {}, embedding.strangerHost);
      const banner = box.locator(".banner");
      await expect.poll(() => banner.textContent()).toMatch(/cannot be asked/);
      return banner.evaluate((notice) => getComputedStyle(notice).backgroundColor);
    };
    const own = await background("<belay-ask></belay-ask>");
    expect(await background('<belay-ask accent="#0b6e99"></belay-ask>')).toBe(own);
  });

  it("cannot use the token of another one", async () => {
    const reader = await visit();
    await reader.ask({ tokens: ["Mine."] });
    await reader.answer();
    const stolen = await reader.token();
    expect(stolen).not.toBe("");
    // Listed too, and at the same address.
    const thief = await reader.page.context().newPage();
    await thief.goto(embedding.otherHost.add(reader.line.url, { body: "" }));
    const answers = await thief.evaluate(
      async ({ url, stolen }) => {
        const headers = { authorization: `Bearer ${stolen}` };
        const ask = { method: "POST", headers, body: JSON.stringify({ query: "Whose quota?" }) };
        const responses = await Promise.all([
          fetch(`${url}/api/v1/ai/queries`, { headers }),
          fetch(`${url}/api/v1/ai/quota`, { headers }),
          fetch(`${url}/api/v1/ai/ask`, ask),
        ]);
        return responses.map(({ status }) => status);
      },
      { url: reader.line.url, stolen },
    );
    expect(answers).toEqual([401, 401, 401]);
  });
});

describe("a session", () => {
  it("is renewed when the token is refused, and the reader stays the same", async () => {
    const reader = await visit();
    await reader.ask({ tokens: ["First."] });
    await reader.answer();
    await reader.page.evaluate(() => {
      for (const [key, value] of Object.entries(sessionStorage)) {
        sessionStorage.setItem(key, value.replace(/"renewAt":\d+/, '"renewAt":1'));
      }
    });
    await reader.page.reload();
    // Shown again: the new token is of the same reader.
    expect(await reader.answer()).toBe("First.");
    expect(reader.requests.filter((request) => request === "POST /api/v1/session").length).toBe(2);
    expect(reader.problems).toEqual([]);
  });

  it("is started again when its token is no longer good", async () => {
    const reader = await visit({ body: "" });
    await reader.page.evaluate((url) => {
      const kept = { token: "of.another.secret", renewAt: Date.now() + 3_600_000 };
      sessionStorage.setItem(`belay-ask session ${url}`, JSON.stringify(kept));
    }, reader.line.url);
    await reader.open({});
    await reader.ask({ tokens: ["Again."] });
    expect(await reader.answer()).toBe("Again.");
    expect(await reader.token()).not.toBe("of.another.secret");
  });

  it("is not needed by a page whose users are signed in", async () => {
    const reader = await visit({ body: "" });
    const token = await bearer(SECRET, { user: crypto.randomUUID() });
    await reader.open({ body: '<belay-ask mode="bubble"></belay-ask>' });
    await reader.page.evaluate((token) => {
      const element = document.querySelector("belay-ask") as unknown as Ask;
      element.token = () => Promise.resolve(token);
    }, token);
    await withElement(reader.page, (element) => element.ask("What is the quota?"));
    expect(await reader.answer()).toContain("Belay charges");
    expect(reader.requests).not.toContain("POST /api/v1/session");
    expect(reader.problems).toEqual([]);
  });

  it("is a cookie on a page of Belay's own origin", async () => {
    const reader = await visit({ body: "" });
    await reader.page.goto(reader.line.url);
    await reader.page.evaluate(`
      document.body.append(document.createElement("belay-ask"));
      import("/embed.js");
    `);
    // The examples come with the cookie too.
    await reader.box.locator(".examples button").first().waitFor();
    await reader.ask({ tokens: ["Here."] });
    expect(await reader.answer()).toBe("Here.");
    expect(await reader.token()).toBe("");
    expect(await reader.page.context().cookies()).toMatchObject([{ name: "belay" }]);
  });

  it("and a conversation begin whatever is in the tab's storage", async () => {
    const reader = await visit({ body: "" });
    const { url } = reader.line;
    const kept = ["{", "null", "5", '"x"', "[1]"];
    const members = [
      { token: "é", renewAt: 9e15, queryIds: 5 },
      { token: 5, renewAt: "later", queryIds: "abc", open: "no" },
      { queryIds: [null, {}, "..", "é"], token: "a\nb", renewAt: 9e15 },
    ];
    for (const text of [...kept, ...members.map((one) => JSON.stringify(one))]) {
      await reader.page.evaluate(
        ({ text, url }) => {
          sessionStorage.setItem(`belay-ask session ${url}`, text);
          sessionStorage.setItem(`belay-ask ${url} `, text);
        },
        { text, url },
      );
      await reader.open({});
      await reader.box.locator(".examples button").first().waitFor();
      expect(await reader.box.locator(".banner").isVisible()).toBe(false);
    }
    await reader.ask({ tokens: ["Whole."] });
    expect(await reader.answer()).toBe("Whole.");
    expect(reader.problems).toEqual([]);
  });

  it("works without storage", async () => {
    const reader = await visit({ body: "" });
    await reader.page.addInitScript(() => {
      Object.defineProperty(globalThis, "sessionStorage", {
        get() {
          throw new DOMException("Blocked.", "SecurityError");
        },
      });
    });
    await reader.open({});
    await reader.ask({ tokens: ["Whole."] });
    expect(await reader.answer()).toBe("Whole.");
    expect(reader.requests.filter((request) => request === "POST /api/v1/session").length).toBe(1);
    expect(reader.problems).toEqual([]);
  });
});

it("a reader who must sign in can ask once the page has their token", async () => {
  const server = await startServer({
    command: "serve",
    vars: {
      AUTH_SECRET: SECRET,
      ANONYMOUS_LIMIT: "0",
      EMBED_ORIGINS: embedding.host.origin,
      GENERATOR: "extractive",
    },
  });
  const body = `<belay-ask url="${server.url}"></belay-ask>`;
  const reader = await visit({ body, connect: server.url });
  const banner = reader.box.locator(".banner");
  await expect.poll(() => banner.textContent()).toBe("Sign in to ask here.");
  expect(reader.warnings.join()).toContain("has no anonymous readers");
  expect(await reader.heard()).toMatchObject([["belay-error", { code: "UNAUTHENTICATED" }]]);
  const token = await bearer(SECRET, { user: crypto.randomUUID() });
  await reader.page.evaluate((token) => {
    const element = document.querySelector("belay-ask") as unknown as Ask;
    element.token = token;
  }, token);
  await expect.poll(() => banner.isVisible()).toBe(false);
  await reader.ask("When am I charged?");
  expect((await reader.answer()).length).toBeGreaterThan(20);
  await server.stop();
});

describe("a conversation", () => {
  it("is there on the next page of the site, and can be forgotten", async () => {
    const reader = await visit();
    await reader.ask({ tokens: ["First."] });
    await reader.answer();
    await reader.open({ body: "<h1>The next page</h1><belay-ask></belay-ask>" });
    expect(await reader.answer()).toBe("First.");
    await reader.ask({ tag: "next page", tokens: ["Second."] });
    await expect.poll(() => reader.box.locator(".exchange").count()).toBe(2);
    await reader.answer();
    const asked = embedding.site.model.requests.find(({ tag }) => tag === "next page");
    expect(asked?.roles.slice(1)).toEqual(["user", "assistant", "user"]);
    await reader.box.getByRole("button", { name: "New conversation" }).click();
    expect(await reader.box.locator(".exchange").count()).toBe(0);
    await reader.open({});
    await reader.box.locator(".examples button").first().waitFor();
    expect(await reader.box.locator(".exchange").count()).toBe(0);
    expect(reader.problems).toEqual([]);
  });

  it("that is forgotten while it is being shown again stays forgotten", async () => {
    const reader = await visit();
    for (const word of ["First.", "Second."]) {
      await reader.ask({ tokens: [word] });
      await expect.poll(() => reader.answer()).toBe(word);
    }
    // The first is slow to come: the reader does not wait for the second.
    await reader.page.route("**/events*", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await route.continue();
    });
    await reader.open({});
    await reader.box.locator(".exchange").first().waitFor();
    await withElement(reader.page, (element) => element.clear());
    await reader.ask({ tokens: ["Third."] });
    await expect.poll(() => reader.answer()).toBe("Third.");
    await reader.page.waitForTimeout(1_500);
    expect(await reader.box.locator(".exchange").count()).toBe(1);
  });

  it("links a document's path at Belay, not at the page around it", async () => {
    const reader = await visit();
    const source = {
      ...{ n: 1, id: "a#0", documentId: "a", title: "Limits", heading: [], score: 1 },
      ...{ url: "/docs/limits#day", snippet: "Twenty answers a day." },
    };
    const events = [
      { type: "start", queryId: "1-0", quotaRemaining: 1 },
      { type: "sources", sources: [source] },
      { type: "token", token: "Twenty [1]." },
      {
        ...{ type: "done", queryId: "1-0", sources: [{ ...source, cited: true }] },
        ...{ finish: "stop", found: true, quotaRemaining: 1 },
      },
    ];
    await reader.page.route("**/ai/ask*", (route) =>
      route.fulfill({
        contentType: "text/event-stream",
        headers: { "access-control-allow-origin": reader.host.origin },
        body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""),
      }),
    );
    await reader.ask("How many?");
    await reader.answer();
    await reader.latest.locator(".cite").click();
    const links = reader.latest.locator(".sources a, .preview a");
    const addresses = await links.evaluateAll((links) =>
      links.map((link) => (link as HTMLAnchorElement).href),
    );
    expect(addresses).toEqual(
      expect.arrayContaining([
        `${reader.line.url}/docs/limits`,
        `${reader.line.url}/docs/limits#day`,
      ]),
    );
    expect(addresses.filter((address) => !address.startsWith(reader.line.url))).toEqual([]);
  });

  it("goes on where the reader left it, in the middle of an answer", async () => {
    const reader = await visit();
    await reader.ask({ tokens: 60, gapMs: 30 });
    await reader.latest.locator(".answer", { hasText: "w9 " }).waitFor();
    await reader.open({ body: "<h1>The next page</h1><belay-ask></belay-ask>" });
    expect(await reader.answer()).toMatch(/^w0 .*w59 ?$/);
    // The charge follows the last byte.
    await expect
      .poll(async () => (await reader.get<Queries>("queries")).queries)
      .toMatchObject([{ state: "charged" }]);
    expect(reader.problems).toEqual([]);
  });

  it("moves with the element, and its answer goes on", async () => {
    const reader = await visit({ body: '<belay-ask></belay-ask><div id="there"></div>' });
    await reader.ask({ tokens: 30, gapMs: 20 });
    await reader.latest.locator(".answer", { hasText: "w3 " }).waitFor();
    await withElement(reader.page, (element) => document.querySelector("#there")?.append(element));
    expect(await reader.answer()).toContain("w29");
    // The charge follows the last byte.
    await expect
      .poll(async () => (await reader.get<Queries>("queries")).queries)
      .toMatchObject([{ state: "charged" }]);
  });

  it("is stopped with the element's removal, which leaves nothing behind", async () => {
    const reader = await visit({ body: '<div id="there"></div>' });
    const before = await reader.page.evaluate(() => document.documentElement.outerHTML);
    await reader.page.evaluate(() => {
      const added: string[] = [];
      Object.assign(globalThis, { added });
      const { addEventListener, removeEventListener } = EventTarget.prototype;
      const drop = (type: string) => {
        if (added.includes(type)) added.splice(added.indexOf(type), 1);
      };
      const add: typeof addEventListener = function (this: EventTarget, type, listener, options) {
        added.push(type);
        Object(options).signal?.addEventListener("abort", () => drop(type));
        addEventListener.call(this, type, listener, options);
      };
      const remove: typeof removeEventListener = function (this: EventTarget, type, ...rest) {
        drop(type);
        removeEventListener.call(this, type, ...rest);
      };
      for (const target of [globalThis, document, document.documentElement, document.body]) {
        Object.assign(target, { addEventListener: add, removeEventListener: remove });
      }
      document.querySelector("#there")?.append(document.createElement("belay-ask"));
    });
    await reader.ask({ tokens: 500, gapMs: 20 });
    await reader.latest.locator(".answer", { hasText: "w3 " }).waitFor();
    const token = await reader.token();
    await reader.page.evaluate(() => {
      const element = document.querySelector("belay-ask");
      element?.remove();
      Object.assign(globalThis, { removed: element });
    });
    expect(await reader.page.evaluate(() => document.documentElement.outerHTML)).toBe(before);
    await expect
      .poll(() => reader.page.evaluate(() => (globalThis as unknown as { added: string[] }).added))
      .toEqual([]);
    expect(token).not.toBe("");
    await expect
      .poll(async () => (await reader.get<Queries>("queries")).queries)
      .toMatchObject([{ state: "refunded" }]);
    // Put back, it has its conversation, and answers.
    await reader.page.evaluate(() => {
      const { removed } = globalThis as unknown as { removed: HTMLElement };
      document.body.append(removed);
    });
    expect(await reader.box.locator(".exchange").count()).toBe(1);
    await reader.ask({ tokens: ["Back."] });
    await expect.poll(() => reader.latest.locator(".answer").textContent()).toBe("Back.");
    expect(reader.problems).toEqual([]);
  });

  it("is each element's own, also if the module is loaded twice", async () => {
    const body = "<belay-ask></belay-ask><belay-ask></belay-ask>";
    const reader = await visit({ body, times: 2 });
    const second = reader.page.locator("belay-ask").nth(1);
    await reader.ask({ tokens: ["One."] });
    await second.locator("textarea").fill(scripted({ tokens: ["Two."] }));
    await second.locator("textarea").press("Enter");
    await expect.poll(() => second.locator(".answer").textContent()).toBe("Two.");
    expect(await reader.answer()).toBe("One.");
    expect(reader.requests.filter((request) => request === "POST /api/v1/session").length).toBe(1);
    await reader.page.reload();
    await expect.poll(() => second.locator(".answer").textContent()).toBe("Two.");
    expect(await reader.answer()).toBe("One.");
    expect(reader.problems).toEqual([]);
  });
});

describe("an attribute", () => {
  it("changes texts, examples, colours and place, also later", async () => {
    const body = `<belay-ask label="Help" placeholder="Say it" greeting="Hello there"
      examples="What is the quota? | Second?" accent="#0b6e99" theme="dark"></belay-ask>`;
    const reader = await visit({ body });
    const { box } = reader;
    expect(await box.locator("header").textContent()).toBe("Help");
    expect(await box.locator(".greeting").textContent()).toBe("Hello there");
    expect(await box.locator("textarea").getAttribute("placeholder")).toBe("Say it");
    expect(await box.locator(".examples li").allTextContents()).toEqual([
      "What is the quota?",
      "Second?",
    ]);
    const paper = () =>
      box.locator(".panel").evaluate((panel) => getComputedStyle(panel).backgroundColor);
    const dark = await paper();
    await withElement(reader.page, (element) => {
      element.setAttribute("theme", "light");
      element.setAttribute("greeting", "Changed");
      element.setAttribute("examples", "Only this?");
    });
    expect(await paper()).not.toBe(dark);
    expect(await box.locator(".greeting").textContent()).toBe("Changed");
    await box.getByRole("button", { name: "Only this?" }).click();
    expect(await reader.answer()).toContain("Belay charges");
    await withElement(reader.page, (element) => element.setAttribute("mode", "bubble"));
    await box.getByRole("button", { name: "Help" }).click();
    expect(await reader.answer()).toContain("Belay charges");
    expect(reader.problems).toEqual([]);
  });

  it("names the collections that are asked", async () => {
    const reader = await visit({ body: '<belay-ask collections="guides, api"></belay-ask>' });
    const collectionsOf = async (words: string) => {
      const asked = reader.page.waitForRequest("**/ai/ask?stream=true");
      await reader.ask(words);
      return (await asked).postDataJSON().collections;
    };
    expect(await collectionsOf("One?")).toEqual(["guides", "api"]);
    await reader.latest.locator(".actions:not([hidden])").waitFor();
    await withElement(reader.page, (element) => element.removeAttribute("collections"));
    expect(await collectionsOf("Two?")).toBeUndefined();
  });

  it("changes the language in the middle of an answer", async () => {
    const reader = await visit();
    await reader.ask({ tokens: 80, gapMs: 30 });
    await reader.latest.locator(".answer", { hasText: "w3 " }).waitFor();
    await withElement(reader.page, (element) => element.setAttribute("lang", "de"));
    await reader.box.getByRole("button", { name: "Neues Gespräch" }).waitFor();
    // It can still be stopped.
    await reader.box.locator(".composer .icon-stop").click();
    await expect
      .poll(async () => (await reader.get<Queries>("queries")).queries)
      .toMatchObject([{ state: "refunded" }]);
    expect(reader.problems).toEqual([]);
  });

  it("that is wrong is ignored, with a warning for the author", async () => {
    const body = `<belay-ask theme="purple" mode="window" accent="12px" url="javascript:1"></belay-ask>`;
    const reader = await visit({ body });
    await reader.ask({ tokens: ["Still."] });
    expect(await reader.answer()).toBe("Still.");
    for (const name of ["theme", "mode", "accent", "url"]) {
      expect(reader.warnings.join("\n")).toContain(`belay-ask: ${name}="`);
    }
    expect(reader.problems).toEqual([]);
  });

  it.each([
    ["de", "Eine Frage stellen"],
    ["zh-TW", "提出問題"],
  ])("lang=%s loads its words alone", async (lang) => {
    const reader = await visit({ lang });
    await reader.box.locator("textarea").waitFor();
    const loaded = reader.requests.filter((request) => request.includes("/words-"));
    expect(loaded).toEqual([`GET /words-${lang === "de" ? "de" : "zh-hant"}.js`]);
    expect(await reader.box.locator("textarea").getAttribute("placeholder")).not.toBe(
      "Ask a question",
    );
    expect(await reader.box.locator(".belay").getAttribute("lang")).toMatch(lang.slice(0, 2));
    expect(reader.problems).toEqual([]);
  });

  it("lang without words is English", async () => {
    const reader = await visit({ body: "" });
    await reader.page.route("**/words-ja.js", (route) => route.abort());
    await reader.open({ lang: "ja" });
    await expect
      .poll(() => reader.box.locator("textarea").getAttribute("placeholder"))
      .toBe("Ask a question");
  });
});

it("an answer is plain text while its renderer cannot be loaded", async () => {
  const reader = await visit({ body: "" });
  await reader.page.route("**/embed-answer.js", (route) => route.abort());
  await reader.open({});
  await reader.ask({ tokens: ["**Bold** ", "[1]."] });
  expect(await reader.answer()).toBe("**Bold** [1].");
  await reader.page.unroute("**/embed-answer.js");
  await reader.box.getByRole("button", { name: "New conversation" }).click();
  await reader.ask({ tokens: ["**Bold** ", "[1]."] });
  await expect.poll(() => reader.box.locator(".answer strong").count()).toBe(1);
});

describe("a bubble", () => {
  it("asks Belay for nothing before it is opened", async () => {
    const reader = await visit({ body: BUBBLE });
    await reader.box.getByRole("button", { name: "Ask the docs" }).waitFor();
    await reader.page.waitForLoadState("networkidle");
    expect(reader.requests).toEqual(["GET /embed.js"]);
  });

  it("opens, asks and closes by keyboard, and gives the focus back", async () => {
    const reader = await visit({ body: BUBBLE });
    const { page, box } = reader;
    const launcher = box.getByRole("button", { name: "Ask the docs" });
    await launcher.waitFor();
    await page.locator("#own").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await box.getByRole("dialog", { name: "Ask the docs" }).waitFor();
    await page.keyboard.type(scripted({ tokens: ["By ", "keys."] }));
    await page.keyboard.press("Enter");
    expect(await reader.answer()).toBe("By keys.");
    await page.keyboard.press("Escape");
    expect(await box.getByRole("dialog").count()).toBe(0);
    expect(await launcher.evaluate((button) => button.matches(":focus"))).toBe(true);
    expect((await reader.heard()).map(([name]) => name)).toEqual([
      "belay-open",
      "belay-ask",
      "belay-answer",
      "belay-close",
    ]);
    // On the next page it is as the reader left it.
    await launcher.click();
    await reader.open({ body: BUBBLE });
    expect(await reader.answer()).toBe("By keys.");
    expect(await page.evaluate(() => document.activeElement)).toBe(
      await page.evaluate(() => document.body),
    );
    expect(reader.problems).toEqual([]);
  });

  it("is opened and closed by the page", async () => {
    const reader = await visit({ body: BUBBLE });
    const dialog = reader.box.getByRole("dialog");
    await reader.box.locator(".launcher").waitFor();
    await withElement(reader.page, (element) => element.setAttribute("open", ""));
    await dialog.waitFor();
    await withElement(reader.page, (element) => element.removeAttribute("open"));
    expect(await dialog.count()).toBe(0);
    await withElement(reader.page, (element) => (element.open as () => void)());
    await dialog.waitFor();
    await withElement(reader.page, (element) => element.close());
    // As React and Vue do.
    await withElement(reader.page, (element) => {
      element.open = true;
    });
    await dialog.waitFor();
    await withElement(reader.page, (element) => {
      element.open = false;
    });
    expect(await dialog.count()).toBe(0);
  });

  it("covers a phone, and keeps the focus inside", async () => {
    const reader = await visit({ body: BUBBLE }, PHONE);
    const { page, box } = reader;
    await box.locator(".launcher").tap();
    const dialog = box.getByRole("dialog");
    await dialog.waitFor();
    const place = { x: 0, y: 0, width: 390, height: 780 };
    await expect.poll(() => dialog.boundingBox()).toEqual(place);
    for (let n = 0; n < 12; n += 1) {
      await page.keyboard.press("Tab");
      expect(await page.evaluate(() => document.activeElement?.id)).not.toBe("own");
    }
    await reader.ask({ tokens: ["On ", "a ", "phone."] });
    expect(await reader.answer()).toBe("On a phone.");
    await box.getByRole("button", { name: "Close" }).tap();
    expect(await dialog.count()).toBe(0);
    // A page does not open it over itself.
    await reader.open({ body: '<belay-ask mode="bubble" open></belay-ask>' });
    await box.locator(".launcher").waitFor();
    expect(await dialog.count()).toBe(0);
    expect(reader.problems).toEqual([]);
  });

  it("keeps typed keys from the shortcuts of the page", async () => {
    const reader = await visit({ body: BUBBLE });
    await reader.page.evaluate(() => {
      const pressed: string[] = [];
      Object.assign(globalThis, { pressed });
      document.addEventListener("keydown", ({ key }) => pressed.push(key));
    });
    await reader.box.locator(".launcher").click();
    await reader.page.keyboard.type("s/?");
    expect(await reader.box.locator("textarea").inputValue()).toBe("s/?");
    expect(
      await reader.page.evaluate(() => (globalThis as unknown as { pressed: string[] }).pressed),
    ).toEqual([]);
  });
});

describe("styles", () => {
  /** At the same place, whatever is around it. */
  const PLACED = "belay-ask { display: block; position: absolute; top: 0; left: 0; width: 700px }";
  const HOSTILE = `html { font-size: 8px; letter-spacing: 9px; word-spacing: 9px; visibility: hidden }
    * { all: unset; color: red; text-transform: uppercase; line-height: 4; text-align: right }
    button, svg { display: none !important }
    p, div { font-size: 50px !important; margin: 40px !important }
    textarea { background: lime !important } :root { --ink: lime; --paper: lime; --accent: lime }
    belay-ask { font: 60px serif; color: lime; cursor: wait } ${PLACED}`;
  const BODY = '<p>A text.</p><button id="own">Own</button><belay-ask></belay-ask>';

  /** The computed styles of all elements inside, or of the page's own. */
  function looks(page: Page, inside: boolean): Promise<string[]> {
    return page.evaluate((inside) => {
      const root = document.querySelector("belay-ask")?.shadowRoot;
      const all = inside
        ? root?.querySelectorAll("*")
        : document.querySelectorAll("html, body, #own, body > p");
      return [...(all ?? [])].map((one) => {
        const style = getComputedStyle(one);
        const names = [...style].filter((name) => !name.startsWith("--"));
        const kind = `${one.localName}.${one.getAttribute("class")}`;
        return [kind, ...names.map((name) => `${name}: ${style.getPropertyValue(name)}`)].join(
          "\n",
        );
      });
    }, inside);
  }

  function different(wanted: readonly string[], got: readonly string[]): string[] {
    expect(got.length).toBe(wanted.length);
    return wanted.flatMap((style, n) => {
      const [kind, ...lines] = style.split("\n");
      const other = got[n]?.split("\n") ?? [];
      return lines.filter((line) => !other.includes(line)).map((line) => `${kind} ${line}`);
    });
  }

  async function shown(page: HostPage): Promise<EmbedVisit> {
    const reader = await visit(page);
    const text =
      "# One\n\nTwo **three** `four` [1].\n\n- five\n\n```\nsix\n```\n\n| a | b |\n|--|--|\n| 1 | 2 |";
    await reader.ask({ tokens: [text] });
    await reader.answer();
    await expect.poll(() => reader.note()).toMatch(/left$/);
    await reader.page.mouse.move(999, 799);
    return reader;
  }

  it("of the page do not come in", async () => {
    const calm = await shown({ body: BODY, css: PLACED });
    const hostile = await shown({ body: BODY, css: HOSTILE });
    expect(different(await looks(calm.page, true), await looks(hostile.page, true))).toEqual([]);
  });

  it("of the element do not go out", async () => {
    const css = `body { margin: 20px } p { color: navy } ${PLACED}`;
    const without = await visit({ body: BODY.replace(/<belay-ask.*/, ""), css });
    const reader = await shown({ body: BODY, css });
    expect(different(await looks(without.page, false), await looks(reader.page, false))).toEqual(
      [],
    );
    expect(await reader.page.evaluate(() => document.styleSheets.length)).toBe(1);
    expect(await reader.page.evaluate(() => document.adoptedStyleSheets.length)).toBe(0);
  });
});
