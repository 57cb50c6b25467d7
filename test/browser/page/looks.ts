// How the page looks: a picture and an accessibility check of each state.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { accentColours } from "../../../src/accent.ts";
import { NOTHING_FOUND } from "../../../src/answer/nothing-found.ts";
import { newVisit, PHONE, site } from "./visits.ts";

describe("the page", () => {
  const LOOKS = [
    { name: "desktop", options: {} },
    { name: "desktop-dark", options: { colorScheme: "dark" } },
    { name: "phone", options: { ...PHONE, isMobile: true } },
    { name: "phone-dark", options: { ...PHONE, isMobile: true, colorScheme: "dark" } },
  ] as const;

  it.each(LOOKS)("has no serious accessibility fault: $name", async (look) => {
    const visit = await newVisit(look.options);
    await visit.page.locator("#examples li").first().waitFor();
    expect(await visit.look(`${look.name}-welcome`)).toEqual([]);

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
    expect(await visit.look(`${look.name}-answer`)).toEqual([]);
    if (look.name.startsWith("phone")) {
      await visit.page.getByRole("button", { name: "Your questions" }).click();
      expect(await visit.look(`${look.name}-history`)).toEqual([]);
    }
  });

  it.each([
    ["forced colours", { forcedColors: "active" }],
    ["forced colours, dark", { forcedColors: "active", colorScheme: "dark" }],
    ["dark", { colorScheme: "dark" }],
    ["phone", { ...PHONE, isMobile: true }],
    ["200 % zoom", { viewport: { width: 640, height: 410 } }],
  ] as const)("shows sources, previews and what was refused: %s", async (name, options) => {
    const visit = await newVisit(options);
    await visit.ask({ tokens: ["Once [1]."] }, "When am I charged for an answer?");
    await visit.answer();
    await visit.latest.locator(".rest > summary").click();
    await visit.latest.locator(".passage summary").first().click();
    expect(await visit.look(`sources, ${name}`)).toEqual([]);
    await visit.latest.locator(".cite").click();
    await visit.latest.locator(".preview").filter({ visible: true }).waitFor();
    expect(await visit.look(`preview, ${name}`)).toEqual([]);
    await visit.page.keyboard.press("Escape");
    await visit.ask({ tokens: [NOTHING_FOUND, " I found nothing about that."] });
    await visit.answer();
    await visit.latest.locator(".notice:not([hidden])").waitFor();
    expect(await visit.look(`nothing found, ${name}`)).toEqual([]);
  });

  it.each(["#ffe600", "#0a1a7a", "#12b886"])(
    "is readable in an operator's colour: %s",
    async (accent) => {
      const identity = {
        ...{ title: "Kestrel Docs", greeting: "Ask anything about Kestrel", accent },
        answers: "model",
      } as const;
      for (const colorScheme of ["light", "dark"] as const) {
        const visit = await newVisit({ identity, colorScheme });
        await paint(visit.page, accent);
        expect(await visit.page.title()).toBe("Kestrel Docs");
        expect(await visit.page.locator("#greeting").textContent()).toBe(identity.greeting);
        expect(await visit.page.locator("#made-by").textContent()).toMatch(
          /^A language model writes/,
        );
        await visit.page.locator("#examples li").first().waitFor();
        expect(await visit.look(`welcome, ${accent.slice(1)} ${colorScheme}`)).toEqual([]);
        await visit.ask({ tokens: ["Once [1]. [A link](https://example.com/)."] });
        await visit.answer();
        await visit.latest.getByRole("button", { name: "Good answer" }).click();
        expect(await visit.look(`answer, ${accent.slice(1)} ${colorScheme}`)).toEqual([]);
      }
    },
  );

  it("shows topics under their name where no heading is a question", async () => {
    const visit = await newVisit();
    await visit.page.route("**/api/v1/ai/examples", (route) =>
      route.fulfill({
        json: { empty: false, questions: ["Kestrel: Hovering", "Kestrel: Diving"] },
      }),
    );
    await visit.page.reload();
    await visit.page.getByText("Topics in the documents").waitFor();
    expect(await visit.look("topics")).toEqual([]);
  });

  it("shows the first token soon after the model sent it", async () => {
    const delays: number[] = [];
    let visit = await newVisit();
    for (let n = 0; n < 60; n += 1) {
      // One address has no quota for all of them.
      if (n > 0 && n % 20 === 0) visit = await newVisit();
      const tag = `first ${n}`;
      const shown = visit.page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            const log = document.getElementById("log") as HTMLElement;
            const seen = log.querySelectorAll(".answer p").length;
            const observer = new MutationObserver(() => {
              if (log.querySelectorAll(".answer p").length === seen) return;
              observer.disconnect();
              // A frame is on the screen after it was drawn.
              requestAnimationFrame(() => setTimeout(() => resolve(Date.now())));
            });
            observer.observe(log, { childList: true, subtree: true, characterData: true });
          }),
      );
      await visit.ask({ tag, tokens: ["Yes, ", "it ", "is."], firstMs: 50, gapMs: 20 });
      const sentAt = () =>
        site().model.requests.find((request) => request.tag === tag)?.firstTokenAt;
      const shownAt = await shown;
      delays.push(shownAt - (sentAt() ?? Number.NaN));
      await visit.answer();
    }
    delays.sort((a, b) => a - b);
    const [p50, p95] = [delays[29], delays[56]];
    console.log(`First token on screen: p50 ${p50} ms, p95 ${p95} ms after the model sent it.`);
    // The aim is 100 ms. A busy machine gets more.
    expect(p95).toBeLessThan(1_000);
  });
});

/** As the server writes the accent into the page. */
function paint(page: Page, accent: string): Promise<void> {
  return page.evaluate((colours) => {
    const { style } = document.documentElement;
    style.setProperty("--accent", `light-dark(${colours?.light}, ${colours?.dark})`);
    style.setProperty("--accent-ink", `light-dark(${colours?.onLight}, ${colours?.onDark})`);
  }, accentColours(accent));
}
