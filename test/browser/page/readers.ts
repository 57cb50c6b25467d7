// What every reader needs: keyboard, screen reader, scrolling, languages.

import { describe, expect, it } from "vitest";
import { newVisit, PHONE, SLOW, STORY } from "./visits.ts";

describe("every reader", () => {
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
    const preview = visit.latest.locator(".preview");
    await preview.filter({ visible: true }).waitFor();
    const active = () => visit.page.evaluate(() => document.activeElement?.className);
    expect(await active()).toBe("preview");
    await keyboard.press("Escape");
    await preview.waitFor({ state: "hidden" });
    expect(await active()).toBe("cite");

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

  it("hears each state and the whole answer once, never single tokens", async () => {
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
      "Searching the documents…",
      "Answering.",
      "The answer: Once upon a time there was a quota 1.",
    ]);
    const live = "[aria-live]:not([aria-live=off]), [role=status], [role=alert]";
    expect(await visit.page.locator(live).count()).toBe(1);
  });

  it("hears only the length of a long answer", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: Array<string>(300).fill("word ") });
    await visit.answer();
    const status = await visit.page.locator("#status").textContent();
    expect(status).toMatch(/^The answer is complete: about \d+ words\.$/);
  });

  it("can compose characters with Enter and break lines with Shift+Enter", async () => {
    const visit = await newVisit();
    const question = visit.page.locator("#question");
    await question.fill("かな");
    // Browsers report it in two ways.
    const enters = [{ isComposing: true }, { keyCode: 229 }];
    for (const enter of enters) {
      await question.dispatchEvent("keydown", { key: "Enter", bubbles: true, ...enter });
    }
    await question.press("Shift+Enter");
    await question.pressSequentially("x");
    expect(await question.inputValue()).toBe("かな\nx");
    expect(await visit.page.locator(".exchange").count()).toBe(0);
    await question.press("Enter");
    await visit.answer();
  });

  it("is told the maximum length of a question", async () => {
    const visit = await newVisit();
    await visit.page.fill("#question", "x".repeat(3_999));
    await visit.page.press("#question", "End");
    await visit.page.keyboard.insertText("yz");
    const note = visit.page.locator("#composer-note");
    expect(await note.textContent()).toBe("A question can have at most 4,000 characters.");
    const quota = visit.page.waitForResponse(/ai\/quota/);
    await visit.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await (await quota).finished();
    await visit.page.waitForTimeout(100);
    expect(await note.textContent()).toBe("A question can have at most 4,000 characters.");
    await visit.page.press("#question", "Backspace");
    expect(await note.textContent()).toBe("");
  });

  it("sees the answer, not the keyboard, on a touch screen", async () => {
    const visit = await newVisit({ ...PHONE, isMobile: true });
    const focused = () => visit.page.evaluate(() => document.activeElement?.id);
    expect(await focused()).toBe("");
    await visit.page.tap("#question");
    await visit.page.keyboard.type("What is the quota?");
    await visit.page.tap("#send");
    await visit.answer();
    expect(await focused()).not.toBe("question");
    expect(
      await visit.page.evaluate(() => document.documentElement.scrollWidth),
    ).toBeLessThanOrEqual(PHONE.viewport.width);
  });

  it("keeps the question at the top while the answer grows, and follows only on request", async () => {
    const visit = await newVisit({ viewport: { width: 900, height: 900 } });
    await visit.ask({ tokens: Array.from({ length: 25 }, (_, n) => `Row ${n}.\n\n`) });
    await visit.answer();
    // Short tokens: the question holds them too.
    const lines = Array.from({ length: 45 }, (_, n) => `L${n}\n\n`);
    await visit.ask({ tokens: lines, gapMs: 200 });
    const top = () =>
      visit.latest.locator(".question").evaluate((question) => {
        const header = document.querySelector("header") as HTMLElement;
        return Math.round(question.getBoundingClientRect().top - header.offsetHeight);
      });
    await visit.reading("L1");
    expect(await top()).toBeGreaterThanOrEqual(0);
    expect(await top()).toBeLessThan(40);
    const at = await visit.page.evaluate(() => scrollY);
    await visit.reading("L14");
    expect(await visit.page.evaluate(() => scrollY)).toBe(at);

    const below = () =>
      visit.page.evaluate(() => {
        const end = [...document.querySelectorAll(".end")].at(-1) as HTMLElement;
        const dock = document.querySelector(".dock") as HTMLElement;
        return Math.round(end.getBoundingClientRect().bottom - (innerHeight - dock.offsetHeight));
      });
    const toEnd = visit.page.getByRole("button", { name: "To the end" });
    await toEnd.click();
    await visit.reading("L20");
    await expect.poll(below).toBeLessThan(40);
    await expect.poll(() => toEnd.isHidden()).toBe(true);
    await visit.page.mouse.move(450, 250);
    await visit.page.mouse.wheel(0, -120);
    await toEnd.waitFor();
    const kept = await visit.page.evaluate(() => scrollY);
    await visit.reading("L28");
    expect(await visit.page.evaluate(() => scrollY)).toBe(kept);
    // Scrolling to the end follows it again, but not to the sources below it.
    await visit.page.mouse.wheel(0, 20_000);
    await visit.reading("L36");
    await expect.poll(below).toBeLessThan(40);
    await visit.answer();
    await expect.poll(below).toBeGreaterThan(-40);
  });

  it.each([
    ["at 200 % zoom", { viewport: { width: 640, height: 410 } }],
    ["on a phone", { ...PHONE, isMobile: true }],
    [
      "on a phone held sideways",
      { viewport: { width: 800, height: 360 }, isMobile: true, hasTouch: true },
    ],
  ])("sees the first line of the answer while it is written, %s", async (name, options) => {
    const visit = await newVisit(options);
    const inView = () =>
      visit.latest.locator(".answer").evaluate((answer) => {
        const { top } = answer.getBoundingClientRect();
        const dock = document.querySelector(".dock") as HTMLElement;
        return top >= 0 && top + 24 <= innerHeight - dock.offsetHeight;
      });
    for (const words of ["What is the quota?", "Why is it so? ".repeat(60)]) {
      await visit.ask({ tokens: STORY, gapMs: 150 }, words);
      await visit.reading("upon");
      expect(await inView()).toBe(true);
      if (words.length < 50) expect(await visit.look(`writing ${name}`)).toEqual([]);
      await visit.answer();
      expect(await inView()).toBe(true);
    }
  });

  it("can stop an answer with Escape, and prints only the answers", async () => {
    const visit = await newVisit();
    await visit.ask(SLOW);
    await visit.reading("upon");
    await visit.page.press("#question", "Escape");
    await expect.poll(() => visit.notice()).toMatch(/^Stopped/);
    await visit.page.emulateMedia({ media: "print" });
    for (const part of ["#sidebar", "header", ".dock", ".actions"]) {
      expect(await visit.page.locator(part).first().isHidden()).toBe(true);
    }
    expect(await visit.latest.locator(".answer").isVisible()).toBe(true);
  });

  it("sees no motion if they prefer reduced motion", async () => {
    const visit = await newVisit({ reducedMotion: "reduce" });
    await visit.ask({ tokens: STORY, firstMs: 5_000 });
    const moving = () =>
      visit.page.evaluate(
        () => document.getAnimations().filter(({ playState }) => playState === "running").length,
      );
    await visit.latest.locator(".state").waitFor();
    expect(await moving()).toBe(0);
  });

  it("sees right-to-left text from the right, and Chinese without overflow", async () => {
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
    // The whole conversation is mirrored.
    const { left, right } = await visit.latest
      .locator(".question")
      .evaluate((question) => question.getBoundingClientRect().toJSON());
    expect(left).toBeLessThan(390 - right);
    expect(await visit.latest.locator(".question").getAttribute("lang")).toBe("ar");
    expect(await visit.look("right-to-left")).toEqual([]);
  });

  it.each([
    ["de", "de-DE", "Was möchten Sie wissen?", /^noch 35 von 35$/, /^erneuert 00:00$/],
    ["ja", "ja-JP", "何をお調べですか？", /^残り35\/35回$/, /^0?0:00に更新$/],
    ["zh-Hans", "zh-CN", "你想了解什么？", /^剩余 35\/35 次$/, /^00:00 恢复$/],
    ["zh-Hant", "zh-TW", "你想了解什麼？", /^剩餘 35\/35 次$/, /12:00 恢復$/],
    // The reader's region does not change the language of the page.
    ["en", "zh-TW", "What would you like to know?", /^35 of 35 left$/, /^renews 12:00\sAM$/],
  ] as const)(
    "reads every fixed text in one language: %s for a reader of %s",
    async (lang, locale, greeting, left, renews) => {
      const visit = await newVisit({ lang, locale, identity: { answers: "quotes" } });
      expect(await visit.page.getAttribute("html", "lang")).toBe(lang);
      expect(await visit.page.locator("#greeting").textContent()).toBe(greeting);
      expect(await visit.meter()).toMatch(left);
      expect(await visit.page.locator("#quota-reset").textContent()).toMatch(renews);
      await visit.ask({ tokens: ["Once ", "[1]."], gapMs: 300 });
      await visit.reading("Once");
      expect(await visit.latest.locator(".rest > summary").textContent()).not.toBe("");
      await visit.answer();
      const cjk = lang !== "en" && lang !== "de";
      expect(await visit.latest.locator(".answer").getAttribute("lang")).toBe(cjk ? "en" : null);
      await visit.page.locator("#history .open").first().click();
      await visit.latest.locator(".account").waitFor();
      expect(await visit.look(`language ${lang} ${locale}`)).toEqual([]);
      if (lang === "en") return;
      // No English is left but that of the documents and the answer.
      const own = await visit.page.evaluate(() => {
        const texts = [
          ...document.querySelectorAll("button, input, textarea, nav, section, [aria-label]"),
        ];
        const inside = ".answer, .question, .sources, .related, .asked, #examples";
        return texts
          .filter((part) => part.closest(inside) === null)
          .flatMap((part) => [
            part.ariaLabel ?? "",
            part.getAttribute("placeholder") ?? "",
            part.matches("button") ? (part.textContent ?? "") : "",
          ])
          .filter(
            (text) =>
              /\b(the|your|you|not|of|question|answer)\b/i.test(text) &&
              !text.includes("What is the quota"),
          );
      });
      expect(own).toEqual([]);
    },
  );
});
