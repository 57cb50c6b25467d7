// What readers find of their earlier questions: by day, by words, by a link; and how
// they delete them.

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { LIMIT } from "../site.ts";
import { askUnseen, expectProblems, newVisit, STORY } from "./visits.ts";

describe("a reader's history", () => {
  it("reads an earlier answer again, free, with its rating", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: STORY });
    const before = await visit.answer();
    await visit.latest.getByRole("button", { name: "Good answer" }).click();
    await expect.poll(async () => (await visit.receipts())[0]?.feedback?.rating).toBe("up");
    await visit.page.reload();
    await visit.page.locator("#history .open").first().click();
    expect(await visit.answer()).toBe(before);
    expect(await visit.latest.locator(".passage").count()).toBeGreaterThan(0);
    const up = visit.latest.getByRole("button", { name: "Good answer" });
    expect(await up.getAttribute("aria-pressed")).toBe("true");
    expect(await visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
  });

  it("sees the rating when the answer is opened again without a reload", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    await visit.latest.getByRole("button", { name: "Good answer" }).click();
    await expect.poll(async () => (await visit.receipts())[0]?.feedback?.rating).toBe("up");
    const up = visit.latest.getByRole("button", { name: "Good answer" });
    const reopened = async () => {
      await visit.page.locator("#history .open").first().click();
      await visit.answer();
      return up.getAttribute("aria-pressed");
    };
    await expect.poll(reopened).toBe("true");
  });

  it("loads the history page by page, each question once, also after a double click", async () => {
    const visit = await newVisit();
    await askUnseen(visit, 32);
    await visit.page.reload();
    const shown = () =>
      visit.page
        .locator("#history .open")
        .evaluateAll((items) => items.map((item) => (item as HTMLElement).dataset.query ?? ""));
    const asked = async () => (await visit.receipts(100)).map(({ queryId }) => queryId);
    const more = visit.page.locator("#history-more");
    await more.waitFor();
    expect(await shown()).toHaveLength(30);
    await more.dblclick();
    await expect.poll(shown).toEqual(await asked());
    expect(await more.isHidden()).toBe(true);

    // The loaded pages stay when the reader comes back to the tab.
    await visit.page.evaluate(() => document.querySelector("#history li")?.setAttribute("old", ""));
    await visit.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await expect.poll(() => visit.page.locator("#history li[old]").count()).toBe(0);
    expect(await shown()).toEqual(await asked());

    // A question during a load leaves no gap in the list.
    await visit.page.reload();
    await more.waitFor();
    await visit.page.route("**/api/v1/ai/queries?*before=*", async (route) => {
      await sleep(1_000);
      await route.continue();
    });
    await more.click();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    await expect.poll(shown, { timeout: 10_000 }).toEqual(await asked());
  });

  it("says when an answer was asked and what it cost", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Yes."] }, "Is it once?");
    await visit.answer();
    await visit.page.locator("#history .open").first().click();
    await visit.answer();
    const account = visit.latest.locator(".account");
    await account.filter({ hasText: "charged as one answer" }).waitFor();
    expect(await account.textContent()).toMatch(
      /^\d{1,2} \w+ \d{4}, \d\d:\d\d · charged as one answer/,
    );
    expect(await visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
    expect(await visit.look("history-answer")).toEqual([]);
  });

  it("is grouped by day", async () => {
    const visit = await newVisit();
    const ago = (days: number) => new Date(Date.now() - days * 86_400_000);
    const receipt = (n: number, askedAt: Date) => ({
      ...{ queryId: `1-${n}`, state: "charged", reason: null, askedAt: askedAt.toISOString() },
      ...{ query: `Question ${n}?`, answer: "Yes.", sources: [], feedback: null },
    });
    const queries = [0, 0, 1, 3, 20, 500].map((days, n) => receipt(n, ago(days)));
    await visit.page.route("**/api/v1/ai/queries?*", (route) =>
      route.fulfill({ json: { queries, before: null } }),
    );
    await visit.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    const days = visit.page.locator("#history h2");
    await expect.poll(() => days.count()).toBe(5);
    const date = (days: number, form: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...form }).format(ago(days));
    expect(await days.allTextContents()).toEqual([
      "Today",
      "Yesterday",
      date(3, { weekday: "long" }),
      date(20, { day: "numeric", month: "long" }),
      date(500, { day: "numeric", month: "long", year: "numeric" }),
    ]);
    expect(await visit.look("history-days")).toEqual([]);
  });

  it("finds questions and answers by their words", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["A capybara ", "swims."] }, "What swims?");
    await visit.answer();
    await visit.ask({ tokens: ["A kestrel flies."] }, "What flies?");
    await visit.answer();
    const shown = visit.page.locator("#history .asked");
    await expect.poll(() => shown.count()).toBe(2);
    await visit.page.fill("#find", "capybara");
    await expect
      .poll(() => shown.allTextContents())
      .toEqual([expect.stringMatching(/^What swims/)]);
    expect(await visit.look("history-search")).toEqual([]);
    await visit.page.fill("#find", "nosuchword");
    await visit.page.locator("#history-empty", { hasText: "No question or answer" }).waitFor();
    expect(await shown.count()).toBe(0);
    await visit.page.fill("#find", "");
    await expect.poll(() => shown.count()).toBe(2);
  });

  it("deletes a question and its answer, after a confirmation", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Keep me."] }, "Which stays?");
    await visit.answer();
    await visit.page.getByRole("button", { name: "New question" }).first().click();
    await visit.ask({ tokens: ["Delete me."] }, "Which goes?");
    await visit.answer();
    const entries = visit.page.locator("#history li");
    await expect.poll(() => entries.count()).toBe(2);
    const bin = visit.page.getByRole("button", { name: "Delete: Which goes?" });
    await bin.click();
    await visit.page.getByRole("button", { name: "Keep", exact: true }).click();
    expect(await entries.count()).toBe(2);
    await bin.click();
    expect(await visit.look("history-delete")).toEqual([]);
    await visit.page.keyboard.press("Escape");
    await bin.click();
    await visit.page.getByRole("button", { name: "Delete", exact: true }).click();
    await expect.poll(() => entries.count()).toBe(1);
    // It was open: the page begins again.
    await visit.page.locator(".welcome").waitFor();
    const texts = (await visit.receipts()).map(({ query }) => query);
    expect(texts.filter((query) => query !== null)).toHaveLength(1);
    expect(await visit.meter()).toBe(`${LIMIT - 2} of ${LIMIT} left`);
    await visit.page.reload();
    await expect.poll(() => entries.count()).toBe(1);
  });

  it("opens an answer by its link, for the reader who asked, and for no other", async () => {
    expectProblems(/status of 404/);
    const visit = await newVisit({ permissions: ["clipboard-read", "clipboard-write"] });
    await visit.ask({ tokens: ["Linked."] }, "Which one?");
    await visit.answer();
    await visit.ask({ tokens: ["Another."] }, "Which other?");
    await visit.answer();
    const first = visit.page.locator(".exchange").first();
    await first.getByRole("button", { name: "Copy a link to this answer" }).click();
    await first.getByText("It opens for you only.").waitFor();
    const link = await visit.page.evaluate(() => navigator.clipboard.readText());
    expect(link).toMatch(/\/#[\w-]+$/);

    const other = await visit.page.context().newPage();
    await other.goto(link);
    await expect.poll(() => other.locator(".answer").allTextContents()).toEqual(["Linked."]);

    const stranger = await newVisit();
    // The page is open, so only its anchor changes. The page takes the anchor away again.
    await stranger.page.goto(link.replace(visit.line.url, stranger.line.url));
    await stranger.page.locator("#banner", { hasText: "not among yours" }).waitFor();
    expect(await stranger.page.locator(".exchange").count()).toBe(0);
    expect(await stranger.look("link-of-another")).toEqual([]);
    await stranger.ask({ tokens: ["Own."] });
    expect(await stranger.answer()).toBe("Own.");
    expect(await stranger.page.locator("#banner").isHidden()).toBe(true);
  });
});
