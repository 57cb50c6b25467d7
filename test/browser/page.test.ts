// What readers do on the page, in a real browser against the real server, and what they see of it.

import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LIMIT, Site, type Visit } from "./site.ts";

/** Git ignores it. */
const SHOTS = join(import.meta.dirname, "../../dist/screenshots");

let site: Site;
const visits: Visit[] = [];
/** What a test breaks on purpose, and the browser therefore complains of. */
let expected = /^$/;

beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true });
  site = await Site.open();
});
afterAll(() => site?.close());

async function newVisit(options: Parameters<Site["visit"]>[0] = {}): Promise<Visit> {
  const visit = await site.visit(options);
  visits.push(visit);
  return visit;
}

afterEach(async () => {
  const problems = visits.flatMap((visit) => visit.problems).filter((text) => !expected.test(text));
  expected = /^$/;
  await Promise.all(visits.splice(0).map((visit) => visit.close()));
  expect(problems).toEqual([]);
});

const STORY = ["Once ", "upon ", "a ", "time ", "there ", "was ", "a ", "quota ", "[1]."];
const SLOW = { tokens: STORY, gapMs: 250 };

describe("who asks", () => {
  it("reads the answer as it is written, and opens the sources that it cites", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Charged ", "**once** ", "[1]."], gapMs: 400 });
    await visit.reading("Charged");
    expect(await visit.latest.locator(".answer").textContent()).not.toContain("once");
    expect(await visit.latest.locator(".card").count()).toBeGreaterThan(0);
    expect(await visit.answer()).toMatch(/^Charged once/);
    expect(await visit.latest.locator(".answer strong").textContent()).toBe("once");

    await visit.latest.locator(".cite").click();
    const open = visit.latest.locator(".card[open]");
    expect(await open.locator(".number").textContent()).toBe("Source 1");
    expect(await open.locator(".passage").textContent()).not.toBe("");
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
    await expect.poll(() => visit.page.locator("#history li").count()).toBe(1);
  });

  it("may take an example that the documents suggest", async () => {
    const visit = await newVisit();
    const example = visit.page.locator("#examples button").first();
    const question = await example.textContent();
    await example.click();
    await visit.answer();
    expect(await visit.latest.locator(".question").textContent()).toBe(question);
  });

  it("copies the answer as it was written", async () => {
    const visit = await newVisit({ permissions: ["clipboard-read", "clipboard-write"] });
    await visit.ask({ tokens: ["**Once** ", "[1]."] });
    await visit.answer();
    await visit.latest.getByRole("button", { name: "Copy the answer" }).click();
    const copied = () => visit.page.evaluate(() => navigator.clipboard.readText());
    await expect.poll(copied).toBe("**Once** [1].");
  });

  it("follows up, and the model is told what was said before", async () => {
    const visit = await newVisit();
    await visit.ask({ tag: "first", tokens: ["Yes."] });
    await visit.answer();
    await visit.ask({ tag: "second", tokens: ["No."] });
    await visit.answer();
    const messages = (tag: string) =>
      site.model.requests.find((request) => request.tag === tag)?.messageCount ?? 0;
    expect(messages("second")).toBe(messages("first") + 2);
    expect(await visit.page.locator(".exchange").count()).toBe(2);
  });

  it("asks the same again as a new question", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    await visit.latest.getByRole("button", { name: "Ask again" }).click();
    await expect.poll(() => visit.page.locator(".exchange").count()).toBe(2);
    await visit.answer();
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 2} of ${LIMIT} left`);
  });

  it("sees in plain words that the model failed, and was not charged", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: STORY, fault: "cut", at: 2 });
    await visit.answer();
    expect(await visit.notice()).toMatch(/not charged/);
    await expect.poll(() => visit.meter()).toBe(`${LIMIT} of ${LIMIT} left`);
  });

  it("rates an answer, with a comment, and takes it back", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    const feedback = async () => (await visit.receipts())[0]?.feedback;
    const down = visit.latest.getByRole("button", { name: "Bad answer" });
    await down.click();
    await visit.latest.getByLabel("Comment on this answer").fill("Too short.");
    await visit.latest.getByRole("button", { name: "Send" }).click();
    await expect.poll(feedback).toEqual({ rating: "down", comment: "Too short." });
    expect(await down.getAttribute("aria-pressed")).toBe("true");
    await down.click();
    await expect.poll(feedback).toBeNull();
  });

  it("reads a former answer again, free, with its rating", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: STORY });
    const before = await visit.answer();
    await visit.latest.getByRole("button", { name: "Good answer" }).click();
    await expect.poll(async () => (await visit.receipts())[0]?.feedback?.rating).toBe("up");
    await visit.page.reload();
    await visit.page.locator("#history button").first().click();
    expect(await visit.answer()).toBe(before);
    expect(await visit.latest.locator(".card").count()).toBeGreaterThan(0);
    const up = visit.latest.getByRole("button", { name: "Good answer" });
    expect(await up.getAttribute("aria-pressed")).toBe("true");
    expect(await visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
  });
});

describe("who does not wait for the end", () => {
  it("stops, and sees the quota come back", async () => {
    const visit = await newVisit();
    await visit.ask(SLOW);
    await visit.reading("upon");
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
    await visit.page.getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => visit.notice()).toBe("Stopped. You were not charged.");
    await expect.poll(() => visit.meter()).toBe(`${LIMIT} of ${LIMIT} left`);
    expect(await visit.receipts()).toMatchObject([{ state: "refunded", reason: "cancelled" }]);
  });

  it("is told to wait or to stop, where they would read something else meanwhile", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    await visit.page.locator("#history button").first().waitFor();
    await visit.ask(SLOW);
    await visit.reading("upon");
    await visit.page.locator("#history button").first().click();
    const note = visit.page.locator("#composer-note");
    expect(await note.textContent()).toMatch(/^One answer at a time/);
    expect(await visit.answer()).toBe("Once upon a time there was a quota 1.");
    await expect.poll(() => note.textContent()).toBe("");
  });

  it("closes the tab, and finds in the log that nothing was charged", async () => {
    const visit = await newVisit();
    await visit.ask({ ...SLOW, tag: "closed", gapMs: 1_000 });
    await visit.reading("upon");
    const other = await visit.page.context().newPage();
    await visit.page.close({ runBeforeUnload: true });
    await other.goto(visit.line.url);
    await expect
      .poll(async () => {
        await other.reload();
        await other.locator("#history li").first().waitFor();
        return other.locator("#history .when").first().textContent();
      })
      .toMatch(/not charged$/);
    await expect
      .poll(() => other.locator("#quota-words").textContent())
      .toMatch(/^(\d+) of \1 left$/);
    const model = () => site.model.requests.find(({ tag }) => tag === "closed")?.state;
    await expect.poll(model).toBe("aborted");
  });
});

describe("a connection that breaks", () => {
  it("is made again in the middle of an answer, which ends as if nothing had happened", async () => {
    expected = /ERR_(CONNECTION|EMPTY_RESPONSE|SOCKET|INCOMPLETE)/;
    const visit = await newVisit();
    await visit.ask(SLOW);
    await visit.reading("upon");
    visit.line.cut();
    await visit.latest.locator(".state.broken").waitFor();
    visit.line.mend();
    expect(await visit.answer()).toMatch(/^Once upon a time there was a quota/);
    expect((await visit.answer()).match(/Once/g)).toHaveLength(1);
    const receipts = () => visit.receipts();
    await expect.poll(receipts).toMatchObject([{ state: "charged", answer: STORY.join("") }]);
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
  });

  it("is said to be broken while the browser is offline", async () => {
    const visit = await newVisit();
    await visit.page.context().setOffline(true);
    await visit.page.locator("#banner", { hasText: "You are offline." }).waitFor();
    await visit.page.context().setOffline(false);
    await visit.page.locator("#banner").waitFor({ state: "hidden" });
  });
});

describe("who may not ask", () => {
  it("sees that the quota is used up, and when it renews", async () => {
    const visit = await newVisit();
    await visit.page.evaluate(async (count) => {
      for (let n = 0; n < count; n += 1) {
        await fetch("/api/v1/ai/ask", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ query: `Question ${n}?` }),
        });
      }
    }, LIMIT - 1);
    await visit.ask({ tokens: ["The last."] });
    await visit.answer();
    const note = visit.page.locator("#composer-note");
    await expect
      .poll(() => note.textContent())
      .toMatch(/^Your quota is used up\. It renews at 00:00, in /);
    await visit.page.fill("#question", "One more?");
    expect(await visit.page.locator("#send").isDisabled()).toBe(true);
    expect(await visit.meter()).toBe(`0 of ${LIMIT} left`);
    await visit.page.screenshot({ path: join(SHOTS, "spent.png") });
  });

  it("is told so where another tab was faster", async () => {
    expected = /status of 429/;
    const visit = await newVisit();
    await visit.page.route("**/api/v1/ai/ask*", (route) =>
      route.fulfill({
        status: 429,
        contentType: "text/event-stream",
        body: `data: ${JSON.stringify({
          type: "error",
          code: "QUOTA_EXCEEDED",
          message: "Used up.",
          quotaRemaining: 0,
          resetsAt: new Date(Date.now() + 3_600_000).toISOString(),
        })}\n\n`,
      }),
    );
    await visit.ask("One more?");
    await visit.answer();
    expect(await visit.notice()).toMatch(/used up\. It renews at \d\d:\d\d, in 1 h.*not charged/);
  });

  it("is told so where only bearer tokens are taken", async () => {
    expected = /status of 404/;
    const visit = await newVisit();
    const body = '{"type":"error","code":"NOT_FOUND","message":"No."}';
    const answer = { status: 404, contentType: "application/json", body };
    await visit.page.route("**/api/v1/session", (route) => route.fulfill(answer));
    await visit.page.reload();
    await visit.page.locator("#banner", { hasText: "switched off" }).waitFor();
    await visit.page.fill("#question", "May I?");
    expect(await visit.page.locator("#send").isDisabled()).toBe(true);
  });

  it("is told that there is nothing to ask about yet", async () => {
    const visit = await newVisit();
    const body = '{"empty":true,"questions":[]}';
    await visit.page.route("**/api/v1/ai/examples", (route) =>
      route.fulfill({ contentType: "application/json", body }),
    );
    await visit.page.reload();
    await visit.page.locator("#empty-corpus").waitFor();
  });
});

describe("whoever reads", () => {
  it("can do everything with the keyboard", async () => {
    const visit = await newVisit();
    const { keyboard } = visit.page;
    const focus = async (name: string) => {
      for (let n = 0; n < 40; n += 1) {
        const focused = await visit.page.evaluate(() => {
          const { activeElement } = document;
          return activeElement?.getAttribute("aria-label") ?? activeElement?.textContent ?? "";
        });
        if (focused.startsWith(name)) return;
        await keyboard.press("Tab");
      }
      throw new Error(`The keyboard does not reach ${name}.`);
    };
    await expect.poll(() => visit.page.evaluate(() => document.activeElement?.id)).toBe("question");
    await keyboard.type("What is [1]?");
    await keyboard.press("Shift+Enter");
    await keyboard.type('[[model {"tokens":["Once ","[1]."]}]]');
    await keyboard.press("Enter");
    await visit.answer();
    expect(await visit.page.evaluate(() => document.activeElement?.id)).toBe("question");

    await visit.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await focus("Source 1:");
    expect(await visit.page.evaluate(() => document.activeElement?.className)).toBe("cite");
    await keyboard.press("Enter");
    await visit.latest.locator(".card[open]").waitFor();
    expect(await visit.page.evaluate(() => document.activeElement?.localName)).toBe("summary");
    await keyboard.press("Enter");
    expect(await visit.latest.locator(".card[open]").count()).toBe(0);

    await visit.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await focus("Good answer");
    await keyboard.press("Space");
    await expect.poll(async () => (await visit.receipts())[0]?.feedback?.rating).toBe("up");

    await visit.page.focus("#question");
    await keyboard.type('Again? [[model {"tokens":["a ","b ","c ","d "],"gapMs":500}]]');
    await keyboard.press("Enter");
    await visit.reading("a");
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    await expect.poll(() => visit.notice()).toMatch(/^Stopped/);
    expect(await visit.page.evaluate(() => document.activeElement?.id)).toBe("question");
  });

  it("hears what happens and the whole answer once, never its tokens", async () => {
    const visit = await newVisit();
    await visit.page.evaluate(() => {
      const status = document.getElementById("status") as HTMLElement;
      const heard: string[] = [];
      Object.assign(globalThis, { heard });
      new MutationObserver(() => heard.push(status.textContent ?? "")).observe(status, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    await visit.ask(SLOW);
    await visit.reading("upon");
    expect(await visit.latest.getAttribute("aria-busy")).toBe("true");
    await visit.answer();
    expect(await visit.latest.getAttribute("aria-busy")).toBeNull();
    const heard = await visit.page.evaluate(() => (globalThis as { heard?: string[] }).heard);
    expect(heard).toEqual([
      "Searching the documents.",
      "Answering.",
      `The answer: ${STORY.join("")}`,
    ]);
    const live = "[aria-live]:not([aria-live=off]), [role=status], [role=alert]";
    expect(await visit.page.locator(live).count()).toBe(1);
  });

  it("sees nothing move who asked for that", async () => {
    const visit = await newVisit({ reducedMotion: "reduce" });
    await visit.ask(SLOW);
    const moving = () =>
      visit.page.evaluate(
        () => document.getAnimations().filter(({ playState }) => playState === "running").length,
      );
    await visit.latest.locator(".state").waitFor();
    expect(await moving()).toBe(0);
  });

  it("reads from the right what is written from the right, and Chinese without a break in it", async () => {
    const visit = await newVisit({ viewport: { width: 390, height: 800 } });
    const tokens = [
      "يتم الدفع مرة واحدة.\n\n",
      "只有完整到达的回答才计费。".repeat(8),
      "\n\nOnce.",
    ];
    await visit.ask({ tokens }, "متى يتم الدفع؟");
    await visit.answer();
    const edge = (n: number) =>
      visit.latest
        .locator(".answer p")
        .nth(n)
        .evaluate((paragraph) => {
          const range = document.createRange();
          range.selectNodeContents(paragraph);
          const [text] = range.getClientRects();
          const box = paragraph.getBoundingClientRect();
          return Math.round((text?.left ?? 0) - box.left) < 2 ? "left" : "right";
        });
    expect([await edge(0), await edge(2)]).toEqual(["right", "left"]);
    expect(
      await visit.page.evaluate(() => document.documentElement.scrollWidth),
    ).toBeLessThanOrEqual(390);
    await visit.page.screenshot({ path: join(SHOTS, "right-to-left.png") });
  });
});

describe("the page", () => {
  const LOOKS = [
    { name: "desktop", options: {} },
    { name: "desktop-dark", options: { colorScheme: "dark" } },
    { name: "phone", options: { viewport: { width: 390, height: 800 }, hasTouch: true } },
    {
      name: "phone-dark",
      options: { viewport: { width: 390, height: 800 }, hasTouch: true, colorScheme: "dark" },
    },
  ] as const;

  it.each(LOOKS)(
    "has no serious fault for anybody, and a picture to look at: $name",
    async (look) => {
      const visit = await newVisit(look.options);
      const axe = await readFile(createRequire(import.meta.url).resolve("axe-core"), "utf8");
      const faults = async () => {
        await visit.page.evaluate(axe);
        // The transitions of what has just appeared are over.
        await visit.page.evaluate(() =>
          Promise.all(document.getAnimations().map((a) => a.finished)),
        );
        const violations = await visit.page.evaluate(async () => {
          const { axe } = globalThis as unknown as {
            axe: {
              run(): Promise<{
                violations: { id: string; impact: string; nodes: { html: string }[] }[];
              }>;
            };
          };
          return (await axe.run()).violations;
        });
        return violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      };
      await visit.page.locator("#examples li").first().waitFor();
      await visit.page.screenshot({ path: join(SHOTS, `${look.name}-welcome.png`) });
      expect(await faults()).toEqual([]);

      const markdown = [
        "## When\n\nYou are charged **once** [1], for an answer that arrives *whole* [2].\n\n",
        "- A list\n- of `code`\n\n1. One\n2. Two\n\n> A quote.\n\n",
        "| how it ended | charged? |\n| --- | --- |\n| `done` | once |\n| left | no |\n\n",
        "```js\nconst answer = await client.ask(question).done;\n```\n\n- [x] done\n\n[A link](https://example.com/).",
      ];
      await visit.ask({ tokens: markdown }, "When am I charged for an answer?");
      await visit.answer();
      await visit.latest.locator(".cite").first().click();
      await visit.latest.getByRole("button", { name: "Good answer" }).click();
      await visit.page.screenshot({ path: join(SHOTS, `${look.name}-answer.png`) });
      expect(await faults()).toEqual([]);
      if (look.name.startsWith("phone")) {
        await visit.page.getByRole("button", { name: "Your questions" }).click();
        await visit.page.screenshot({ path: join(SHOTS, `${look.name}-history.png`) });
        expect(await faults()).toEqual([]);
      }
    },
  );

  it("shows the first token soon after the model has said it", async () => {
    const visit = await newVisit();
    const delays: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const tag = `first ${n}`;
      const shown = visit.page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            const log = document.getElementById("log") as HTMLElement;
            const seen = log.querySelectorAll(".answer p").length;
            const observer = new MutationObserver(() => {
              if (log.querySelectorAll(".answer p").length === seen) return;
              observer.disconnect();
              // What is drawn in a frame is on the screen after it.
              requestAnimationFrame(() => setTimeout(() => resolve(Date.now())));
            });
            observer.observe(log, { childList: true, subtree: true, characterData: true });
          }),
      );
      await visit.ask({ tag, tokens: ["Yes, ", "it ", "is."], firstMs: 50, gapMs: 20 });
      const sentAt = () => site.model.requests.find((request) => request.tag === tag)?.firstTokenAt;
      const shownAt = await shown;
      delays.push(shownAt - (sentAt() ?? Number.NaN));
      await visit.answer();
    }
    delays.sort((a, b) => a - b);
    const [p50, p95] = [delays[9], delays[18]];
    console.log(`First token on screen: p50 ${p50} ms, p95 ${p95} ms after the model sent it.`);
    // The aim is 100 ms; a machine that does something else meanwhile gets more.
    expect(p95).toBeLessThan(1_000);
  });
});
