// What readers see who stop or leave before an answer ends.

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { scripted } from "../../support/directive.ts";
import { LIMIT } from "../site.ts";
import { newVisit, SLOW, STORY } from "./visits.ts";

describe("a reader who leaves early", () => {
  it("stops, and sees the refund in another tab that reads the same answer", async () => {
    const visit = await newVisit();
    await visit.ask({ ...SLOW, gapMs: 1_000 });
    await visit.reading("upon");
    const other = await visit.page.context().newPage();
    await other.goto(visit.line.url);
    await other.locator("#history .open").first().click();
    await other.locator(".answer", { hasText: "upon" }).waitFor();
    const words = () => other.locator("#quota-words").textContent();
    await expect.poll(words).toBe(`${LIMIT - 1} of ${LIMIT} left`);
    await visit.page.getByRole("button", { name: "Stop" }).click();
    await other.locator(".exchange .actions:not([hidden])").waitFor();
    await expect.poll(words).toBe(`${LIMIT} of ${LIMIT} left`);
    const when = () => other.locator("#history .when").allTextContents();
    await expect.poll(when).toEqual([expect.stringMatching(/stopped, not charged$/)]);
  });

  it("stops, and sees the latest quota, not a late response of before", async () => {
    const visit = await newVisit();
    let first = true;
    await visit.page.route("**/api/v1/ai/quota", async (route) => {
      const waitMs = first ? 2_000 : 0;
      first = false;
      const response = await route.fetch();
      await sleep(waitMs);
      await route.fulfill({ response });
    });
    const quotas: string[] = [];
    visit.page.on("requestfinished", (request) => {
      if (request.url().endsWith("/ai/quota")) quotas.push(request.url());
    });
    await visit.ask({ ...SLOW, firstMs: 500 });
    await visit.reading("upon");
    await visit.page.getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => quotas.length, { timeout: 10_000 }).toBe(3);
    await sleep(100);
    expect(await visit.meter()).toBe(`${LIMIT} of ${LIMIT} left`);
  });

  it("stops, and sees the refund", async () => {
    const visit = await newVisit();
    await visit.ask(SLOW);
    await visit.reading("upon");
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
    await visit.page.getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => visit.notice()).toBe("Stopped. You were not charged.");
    await expect.poll(() => visit.meter()).toBe(`${LIMIT} of ${LIMIT} left`);
    expect(await visit.look("stopped")).toEqual([]);
    expect(await visit.receipts()).toMatchObject([{ state: "refunded", reason: "cancelled" }]);
  });

  it.each([
    ["before the first word", 0],
    ["before the query has an id", 1_500],
  ])("stops %s, and sees it in the quota and the history", async (_when, delayMs) => {
    const visit = await newVisit();
    await visit.page.route("**/api/v1/ai/ask*", async (route) => {
      await sleep(delayMs);
      await route.continue();
    });
    // So that an early read is not right by chance.
    await visit.page.route("**/cancel", async (route) => {
      await sleep(500);
      await route.continue();
    });
    await visit.ask({ tokens: STORY, firstMs: 5_000 });
    await visit.latest.locator(".state", { hasText: delayMs ? "Searching" : "Writing" }).waitFor();
    await visit.page.getByRole("button", { name: "Stop" }).click();
    const notice = () => visit.notice();
    await expect.poll(notice, { timeout: 10_000 }).toBe("Stopped. You were not charged.");
    const when = visit.page.locator("#history .when");
    await expect
      .poll(() => when.allTextContents())
      .toEqual([expect.stringMatching(/stopped, not charged$/)]);
    await expect.poll(() => visit.meter()).toBe(`${LIMIT} of ${LIMIT} left`);
  });

  it("is told if the answer was complete already", async () => {
    const visit = await newVisit();
    const whole = async () => (await visit.receipts())[0]?.state === "charged";
    await visit.page.route("**/cancel", async (route) => {
      await expect.poll(whole, { timeout: 10_000 }).toBe(true);
      await route.continue();
    });
    await visit.ask(SLOW);
    await visit.reading("upon");
    await visit.page.getByRole("button", { name: "Stop" }).click();
    await expect
      .poll(() => visit.notice(), { timeout: 10_000 })
      .toBe("Stopped too late: the answer was complete. It is charged, and kept in your history.");
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
  });

  it("is told if the refunds are used up", async () => {
    const visit = await newVisit();
    await visit.page.evaluate(
      async ({ count, query }) => {
        for (let n = 0; n < count; n += 1) {
          const response = await fetch("/api/v1/ai/ask?stream=true", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ query: `${n} ${query}` }),
          });
          const queryId = response.headers.get("x-query-id");
          await fetch(`/api/v1/ai/queries/${queryId}/cancel`, { method: "POST" });
          await response.body?.cancel();
        }
      },
      // One reader gets half of the address's allowance.
      { count: Math.ceil(LIMIT / 2), query: scripted({ tokens: STORY, gapMs: 500 }, "What?") },
    );
    await visit.ask(SLOW);
    await visit.reading("upon");
    await visit.page.getByRole("button", { name: "Stop" }).click();
    await expect
      .poll(() => visit.notice())
      .toBe(
        "Stopped. Your refunds are used up, so the answer is finished, charged, and kept in your history.",
      );
  });

  it("is told to wait or stop before reading another answer", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    await visit.page.locator("#history .open").first().waitFor();
    await visit.ask(SLOW);
    await visit.reading("upon");
    await visit.page.locator("#history .open").first().click();
    const note = visit.page.locator("#composer-note");
    expect(await note.textContent()).toMatch(/^One answer at a time/);
    expect(await visit.answer()).toBe("Once upon a time there was a quota 1.");
    await expect.poll(() => note.textContent()).toMatch(/^A language model writes/);
  });

  it("closes the tab, and sees in the history that nothing was charged", async () => {
    const visit = await newVisit();
    await visit.ask({ ...SLOW, tag: "closed", gapMs: 1_000 });
    await visit.reading("upon");
    const other = await visit.page.context().newPage();
    await visit.page.close({ runBeforeUnload: true });
    await other.goto(visit.line.url);
    // Belay waits some seconds for the reader to come back.
    await expect
      .poll(
        async () => {
          await other.reload();
          await other.locator("#history li").first().waitFor();
          return other.locator("#history .when").first().textContent();
        },
        { timeout: 30_000, interval: 500 },
      )
      .toMatch(/not charged$/);
    await expect
      .poll(() => other.locator("#quota-words").textContent())
      .toMatch(/^(\d+) of \1 left$/);
  });
});
