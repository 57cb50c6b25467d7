// Untrusted text changes only the text of the page: answers, titles, snippets,
// addresses, questions. The browser reports what its policy refuses.

import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { bearerToken } from "../../scripts/bearer-token.ts";
import { variables } from "../../scripts/variables.ts";
import type { Source } from "../../src/protocol.ts";
import { Site, type Visit } from "./site.ts";

const HTML = [
  "<img src=x onerror=hacked()>",
  "<script>hacked()</script>",
  "<svg/onload=hacked()>",
  "<svg><script href='data:text/javascript,hacked()'/></svg>",
  "<iframe srcdoc='<script>hacked()</script>'></iframe>",
  "<iframe src=javascript:hacked()></iframe>",
  "<math><mi xlink:href=javascript:hacked()>x</mi></math>",
  "<details open ontoggle=hacked()>x</details>",
  "<body onload=hacked()>",
  "<style>@import 'https://evil.test/x.css'; body{display:none}</style>",
  "<link rel=stylesheet href=https://evil.test/x.css>",
  "<meta http-equiv=refresh content='0;url=https://evil.test/'>",
  "<base href=https://evil.test/>",
  "<form action=https://evil.test/><button autofocus onfocus=hacked()>",
  "<object data=https://evil.test/x></object><embed src=https://evil.test/x>",
  "<template><img src=x onerror=hacked()></template>",
  "<noscript><p title='</noscript><img src=x onerror=hacked()>'>",
  "<a href=javascript:hacked() id=question name=fetch>x</a>",
  "</div></article><h1 onclick=hacked()>over</h1>",
  "<!--><img src=x onerror=hacked()>-->",
  "<xmp><img src=x onerror=hacked()></xmp><plaintext>",
];

const MARKDOWN = [
  "[a](javascript:hacked())",
  "[b](JaVaScRiPt:hacked%28%29)",
  "[c](&#106;avascript:hacked())",
  "[d](\tjava\tscript:hacked())",
  "[e](data:text/html,<script>hacked()</script>)",
  "[f](vbscript:hacked)",
  "[g](blob:https://evil.test/x) [h](file:///etc/passwd) [i](filesystem:x)",
  "![j](javascript:hacked())",
  "![k](https://evil.test/pixel.png?q=secret)",
  "![l](data:image/svg+xml,<svg/onload=hacked()>)",
  '[m](https://good.test" onmouseover="hacked())',
  "[n](https://user:password@evil.test/)",
  "[o](//evil.test/x) [p](/healthz) [q](#log) [r](mailto:a@b.test)",
  '<javascript:hacked()> <https://evil.test/"onclick=hacked()>',
  "[1](javascript:hacked()) [999] [1,999] 【1】 【1†<img src=x onerror=hacked()>】",
  "[\u202Egnp.exe](https://good.test/)",
  "```html onload=hacked()\n<script>hacked()</script>\n```",
  "| <img src=x onerror=hacked()> | b |\n| --- | --- |\n| [s](javascript:hacked()) | `<script>` |",
  "# <img src=x onerror=hacked()>\n\n> [t](javascript:hacked())\n\n- [x] <svg/onload=hacked()>",
  "[ref]: javascript:hacked()\n\n[ref] [u][ref]",
  "$$<img src=x onerror=hacked()>$$ \\(\\href{javascript:hacked()}{x}\\)",
  "https://evil.test/<script>hacked()</script> http://[bad javascript://%0ahacked()",
  "\u0000\u0008\u2028\u2029\uFEFF{{constructor.constructor('hacked()')()}} $\u007bhacked()}",
];

/** Elements and attributes of answers; none fetches or runs anything. */
const ELEMENTS =
  /^(a|blockquote|br|button|code|div|em|h[3-6]|hr|li|ol|p|pre|s|span|strong|table|tbody|td|th|thead|tr|ul)$/;
const ATTRIBUTES = /^(aria-label|class|dir|href|rel|start|tabindex|target|type)$/;

let site: Site;
const visits: Visit[] = [];

beforeAll(async () => {
  site = await Site.open();
});
afterAll(() => site?.close());

async function newVisit(): Promise<Visit> {
  const visit = await site.visit();
  visits.push(visit);
  await visit.page.evaluate(() => {
    Object.assign(globalThis, { hacks: 0, hacked: () => Object.assign(globalThis, { hacks: 1 }) });
  });
  return visit;
}

afterEach(async () => {
  const problems = visits.flatMap((visit) => visit.problems);
  const hacks = await Promise.all(
    visits.map(({ page }) => page.evaluate(() => (globalThis as { hacks?: number }).hacks)),
  );
  await Promise.all(visits.splice(0).map((visit) => visit.close()));
  expect(problems).toEqual([]);
  expect(hacks.filter((count) => count !== 0)).toEqual([]);
});

/** Elements and attributes that an answer must not have. */
function strangers(visit: Visit, selector: string): Promise<string[]> {
  return visit.page.evaluate(
    ([selector, elements, attributes]) =>
      // Except the drawing on our button beside a code block.
      [...document.querySelectorAll(`${selector} :not(.code > button *)`)].flatMap((node) => [
        ...(new RegExp(elements).test(node.localName) ? [] : [node.outerHTML]),
        ...[...node.attributes]
          .filter(({ name }) => !new RegExp(attributes).test(name))
          .map(({ name }) => `${name} of ${node.outerHTML}`),
      ]),
    [selector, ELEMENTS.source, ATTRIBUTES.source] as const,
  );
}

function links(visit: Visit, selector: string) {
  return visit.page.evaluate(
    (selector) =>
      [...document.querySelectorAll<HTMLAnchorElement>(`${selector} a`)].map((link) => {
        const { protocol, rel, target } = link;
        return { protocol, rel, target };
      }),
    selector,
  );
}

const SAFE = { rel: "noopener noreferrer nofollow", target: "_blank" };
const OF_THE_WEB = /^(https?|mailto):$/;

/** Splits texts over answers: a directive has at most 4,000 characters. */
const ANSWERS = [HTML, MARKDOWN.slice(0, 12), MARKDOWN.slice(12)];

it.each([
  ["whole", 4_000],
  ["in pieces", 40],
])("a hostile answer %s becomes text and inert elements", async (_how, length) => {
  const visit = await newVisit();
  for (const payloads of ANSWERS) {
    await visit.ask({ tokens: pieces(payloads.join("\n\n"), length), ignoreMaxTokens: true });
    await visit.answer();
    expect(await strangers(visit, ".answer")).toEqual([]);
    for (const link of await links(visit, ".answer")) {
      expect(link).toMatchObject(SAFE);
      expect(link.protocol).toMatch(OF_THE_WEB);
    }
  }
  const shown = await visit.page.locator(".answer").first().textContent();
  expect(shown).toContain("<img src=x onerror=hacked()>");
  expect(shown).toContain("<script>hacked()</script>");
  // There was something to click on.
  for (const cite of await visit.page.locator(".cite").all()) await cite.click();
  await visit.page.mouse.move(400, 300);
});

it("an answer becomes the same elements wherever it is cut", async () => {
  const visit = await newVisit();
  const made: string[] = [];
  const text = [
    ...MARKDOWN.slice(0, 6),
    "REFUND_LIMIT and a__b__c_d are _words_ 【1】。Yes [1, 2]!? `a_b` [x](https://good.test/a_b_c)",
  ].join("\n\n");
  for (const length of [4_000, 17, 5, 1]) {
    await visit.ask({ tokens: pieces(text, length) });
    await visit.answer();
    const html = await visit.latest.locator(".answer").evaluate((answer) => answer.innerHTML);
    // The questions differ, so the sources may too.
    made.push(html.replaceAll(/aria-label="[^"]*"/g, ""));
  }
  expect(made[1]).toBe(made[0]);
  expect(made[2]).toBe(made[0]);
  expect(made[3]).toBe(made[0]);
  const last = visit.latest.locator(".answer p").last();
  expect(await last.textContent()).toBe("REFUND_LIMIT and a__b__c_d are words 1。Yes 12!? a_b x");
  expect(await last.locator("em, strong").allTextContents()).toEqual(["words"]);
  expect(await last.locator("code").textContent()).toBe("a_b");
  expect(await last.locator("a").getAttribute("href")).toBe("https://good.test/a_b_c");
});

const LONG = [
  "> ".repeat(2_000),
  "> \t     ".repeat(2_000),
  "_".repeat(100_000),
  "<".repeat(50_000),
  "$".repeat(60_000),
  "*".repeat(50_000),
  "< ".repeat(20_000),
  "*a _b ".repeat(2_000),
  Array.from({ length: 60 }, (_, level) => `${"  ".repeat(level)}- x\n`).join(""),
];

it.each([
  ["whole", 100_000],
  ["in pieces", 50],
])("endless marks %s neither block the page nor nest without limit", async (_how, length) => {
  const visit = await newVisit();
  for (const marks of LONG) {
    await told(visit, pieces(`${marks} and on.`, length));
    await visit.ask("How long?");
    expect((await visit.answer()).endsWith("and on.")).toBe(true);
    const depth = await visit.latest.locator(".answer").evaluate((answer) => {
      const depthOf = (node: Element | null): number =>
        node === null || node === answer ? 0 : 1 + depthOf(node.parentElement);
      return Math.max(...[...answer.querySelectorAll("*")].map(depthOf));
    });
    // The limit is 20. Tables and code blocks add a few.
    expect(depth).toBeLessThan(30);
  }
});

it("text that only looks like a mark is kept", async () => {
  const visit = await newVisit();
  const texts = [
    "Take the array[0",
    "See [1",
    "Keep **this, ~~that and _those",
    "Not even an ![image",
    "[x](https://good.test/ and on",
    "Sign here: ____________ and date it.",
    "Use *.ts and *.js files",
    "It costs $x",
  ];
  for (const length of [4_000, 1]) {
    for (const text of texts) {
      await told(visit, pieces(text, length));
      await visit.ask("What?");
      expect(await visit.answer()).toBe(text);
      expect(await visit.latest.locator(".answer p *").count()).toBe(0);
    }
  }
  await told(visit, [
    texts.slice(0, 3).join("\n\n"),
    "\n\n*Yes*, **yes**, ***yes*** and ~~no~~ [a]",
  ]);
  await visit.ask("What?");
  await visit.answer();
  const paragraphs = visit.latest.locator(".answer p");
  expect(await paragraphs.allTextContents()).toEqual([
    ...texts.slice(0, 3),
    "Yes, yes, yes and no [a]",
  ]);
  expect(await paragraphs.last().locator("em, strong, s").count()).toBe(5);
});

it.each([
  ["See https://good.test/guide. Then", "https://good.test/guide", "https://good.test/guide"],
  ["见 https://good.test/guide。然后", "https://good.test/guide", "https://good.test/guide"],
  ["(as https://good.test/a_(b))", "https://good.test/a_(b)", "https://good.test/a_(b)"],
  ['The [guide](https://good.test/ "Guide").', "https://good.test/", "guide", "The guide."],
  ["The [x](https://good.test/x_(y)).", "https://good.test/x_(y)", "x", "The x."],
  ["The ([x](https://good.test/x)).", "https://good.test/x", "x", "The (x)."],
])("%s links to the right address", async (text, href, name, shown = text) => {
  const visit = await newVisit();
  for (const length of [4_000, 1]) {
    await told(visit, pieces(text, length));
    await visit.ask("Where?");
    expect(await visit.answer()).toBe(shown);
    const link = visit.latest.locator(".answer a");
    expect(await link.getAttribute("href")).toBe(href);
    expect(await link.textContent()).toBe(name);
  }
});

it("a document's title, headings and text stay text", async () => {
  const token = await bearerToken(await variables(), { user: "ops", operator: true, seconds: 60 });
  const [image = "", script = ""] = HTML;
  const response = await fetch(`${site.server.url}/api/v1/admin/documents/hostile`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({
      title: `Zeppelin ${image}`,
      url: "https://good.test/zeppelin",
      text: `# Zeppelin ${script}?\n\nA zeppelin ${HTML.join(" ")} flies.`,
    }),
  });
  expect(response.status).toBe(201);
  const visit = await newVisit();
  await visit.page.reload();
  await visit.page.locator("#examples", { hasText: "Zeppelin" }).waitFor();
  await visit.page.evaluate(() => Object.assign(globalThis, { hacks: 0 }));
  await visit.ask({ tokens: ["It flies [1]."] }, `What is a zeppelin ${image}?`);
  await visit.answer();
  await visit.latest.locator(".cite").click();
  expect(await visit.latest.locator(".preview").textContent()).toContain(image);
  expect(await visit.latest.locator(".sources").textContent()).toContain(image);
  expect(await visit.page.locator("#history").textContent()).toContain(image);
  expect(await visit.page.locator("img, script:not([src]), iframe, object, embed").count()).toBe(0);
});

it("a source is linked only if its address is on the web", async () => {
  const visit = await newVisit();
  const addresses = [
    "https://good.test/",
    "/docs/limits",
    "javascript:hacked()",
    " \u0001javascript:hacked()",
    "java\nscript:hacked()",
    "data:text/html,<script>hacked()</script>",
    "vbscript:hacked()",
    "blob:https://evil.test/1",
    "https://good.test@evil.test/",
    "https://[",
  ];
  const sources: Source[] = addresses.map((url, i) => ({
    n: i + 1,
    id: `<b>#${i}`,
    documentId: "<b>",
    title: HTML[i] ?? "",
    heading: [HTML[i + 1] ?? "", "<script>hacked()</script>"],
    url,
    snippet: HTML.join("\n"),
    score: 1,
  }));
  const events = [
    { type: "start", queryId: "1-0", quotaRemaining: 1 },
    { type: "sources", sources },
    { type: "token", token: "See [1][3]." },
    { type: "done", queryId: "1-0", sources, finish: "stop", found: true, quotaRemaining: 1 },
  ];
  await visit.page.route("**/api/v1/ai/ask*", (route) =>
    route.fulfill({
      contentType: "text/event-stream",
      body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""),
    }),
  );
  await visit.ask("Where?");
  await visit.answer();
  for (const summary of await visit.page.locator(".sources summary").all()) await summary.click();
  const found = await links(visit, ".sources");
  // Two passages, and the document that both are in.
  expect(found).toHaveLength(3);
  for (const link of found)
    expect(link).toMatchObject({ ...SAFE, protocol: /^https?:$/.exec(link.protocol)?.[0] });
});

it("the browser reports what its policy refuses", async () => {
  const visit = await newVisit();
  const thrown = await visit.page.evaluate(() => {
    const image = document.createElement("img");
    image.src = "https://evil.test/pixel.png";
    document.body.append(image);
    const frame = document.createElement("iframe");
    frame.src = "https://evil.test/";
    document.body.append(frame);
    try {
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=hacked()>");
      return "nothing";
    } catch (error) {
      return (error as Error).name;
    }
  });
  expect(thrown).toBe("TypeError");
  const told = () => visit.problems.filter((problem) => problem.includes("policy: ")).join("\n");
  await expect.poll(told).toMatch(/img-src https:\/\/evil\.test/);
  await expect.poll(told).toMatch(/frame-src https:\/\/evil\.test/);
  await expect.poll(told).toMatch(/require-trusted-types-for/);
  visit.problems.length = 0;
});

/** Answers every ask with this text, also if a directive could not hold it. */
async function told(visit: Visit, tokens: readonly string[]): Promise<void> {
  const events = [
    { type: "start", queryId: "1-0", quotaRemaining: 1 },
    { type: "sources", sources: [] },
    ...tokens.map((token) => ({ type: "token", token })),
    { type: "done", queryId: "1-0", sources: [], finish: "stop", found: true, quotaRemaining: 1 },
  ];
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  await visit.page.unroute("**/api/v1/ai/ask*");
  await visit.page.route("**/api/v1/ai/ask*", (route) =>
    route.fulfill({ contentType: "text/event-stream", body }),
  );
}

function pieces(text: string, length: number): string[] {
  return text.match(new RegExp(`[^]{1,${length}}`, "g")) ?? [];
}
