// What readers find who come back: their tab, their history, a link.

import { describe, expect, it } from "vitest";
import { LIMIT } from "../site.ts";
import { expectProblems, newVisit, SLOW, site } from "./visits.ts";

describe("a reader who comes back", () => {
  it("sees the same answers after a reload, free, and can go on", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["One ", "[1]."] }, "First?");
    await visit.answer();
    await visit.ask({ tokens: ["Two."] }, "Second?");
    await visit.answer();
    const asked: string[] = [];
    visit.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await visit.page.reload();
    const answers = visit.page.locator(".answer");
    await expect.poll(() => answers.allTextContents()).toEqual(["One 1.", "Two."]);
    // Nothing was reserved, so one read of the quota is enough.
    expect(asked.filter((path) => path.endsWith("/ai/quota"))).toHaveLength(1);
    expect(await visit.page.title()).toMatch(/^First\?/);
    await visit.ask({ tag: "third", tokens: ["Three."] });
    await visit.answer();
    const third = site().model.requests.find(({ tag }) => tag === "third");
    expect(third?.messageCount).toBeGreaterThan(4);
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 3} of ${LIMIT} left`);

    await visit.page.getByRole("button", { name: "New question" }).first().click();
    await visit.page.reload();
    await visit.page.locator(".welcome").waitFor();
    expect(await answers.count()).toBe(0);
  });

  it("reads on after a reload in the middle of an answer, charged once", async () => {
    const visit = await newVisit();
    await visit.ask({ ...SLOW, tag: "reloaded", gapMs: 500 });
    await visit.reading("upon");
    await visit.page.fill("#question", "What I was typing");
    await visit.page.reload();
    await visit.reading("upon");
    expect(await visit.page.inputValue("#question")).toBe("What I was typing");
    await visit.reading("there");
    await visit.page.reload();
    expect(await visit.answer()).toBe("Once upon a time there was a quota 1.");
    expect(await visit.page.locator(".exchange").count()).toBe(1);
    await expect.poll(() => visit.receipts()).toMatchObject([{ state: "charged" }]);
    expect(await visit.receipts()).toHaveLength(1);
    expect(site().model.requests.filter(({ tag }) => tag === "reloaded")).toHaveLength(1);
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
  });

  it("gets the answer after a reload before the question had an id, charged once", async () => {
    const visit = await newVisit();
    let asks = 0;
    await visit.page.route("**/api/v1/ai/ask*", async (route) => {
      asks += 1;
      // The page hears nothing of the first.
      if (asks === 1) await route.fetch().catch(() => {});
      else await route.continue();
    });
    await visit.ask({ tag: "unheard", tokens: ["Once ", "only."], gapMs: 300 });
    await expect
      .poll(() => site().model.requests.filter(({ tag }) => tag === "unheard").length)
      .toBe(1);
    await visit.page.reload();
    expect(await visit.answer()).toBe("Once only.");
    expect(asks).toBe(2);
    expect(await visit.receipts()).toHaveLength(1);
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
  });

  it("sees the answers after several reloads during an outage", async () => {
    expectProblems(/ERR_(CONNECTION|FAILED)/);
    const visit = await newVisit();
    await visit.ask({ tokens: ["One."] }, "First?");
    await visit.answer();
    await visit.ask({ tokens: ["Two."] }, "Second?");
    await visit.answer();
    await visit.page.route("**/api/**", (route) => route.abort("connectionreset"));
    const away = visit.page.locator("#banner", { hasText: "cannot be reached" });
    await visit.page.reload();
    await away.waitFor();
    await visit.page.reload();
    await away.waitFor();
    await visit.page.unrouteAll();
    // Away again while the receipts are read, then back.
    await visit.page.route(/ai\/queries\/\w/, (route) => route.abort("connectionreset"));
    await visit.page.reload();
    await away.waitFor();
    await visit.page.unrouteAll();
    await visit.page.evaluate(() => dispatchEvent(new Event("online")));
    const answers = visit.page.locator(".answer");
    await expect.poll(() => answers.allTextContents()).toEqual(["One.", "Two."]);
    await away.waitFor({ state: "hidden" });
  });

  it("sees all answers after a reload during the restore", async () => {
    expectProblems(/ERR_(CONNECTION|FAILED|ABORTED)/);
    const visit = await newVisit();
    await visit.ask({ tokens: ["One."] }, "First?");
    await visit.answer();
    await visit.ask({ tokens: ["Two."] }, "Second?");
    await visit.answer();
    let readings = 0;
    await visit.page.route("**/events?*", async (route) => {
      readings += 1;
      // The second never arrives: the reader reloads first.
      if (readings === 1) await route.continue();
    });
    await visit.page.reload();
    await expect.poll(() => readings).toBe(2);
    await visit.page.reload();
    await visit.page.unrouteAll();
    await visit.page.reload();
    const answers = visit.page.locator(".answer");
    await expect.poll(() => answers.allTextContents()).toEqual(["One.", "Two."]);
  });

  it("without a session gets a new one, with the same quota and an empty history", async () => {
    expectProblems(/status of 401/);
    const visit = await newVisit();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    await visit.page.context().clearCookies();
    await visit.ask({ tokens: ["Still."] });
    expect(await visit.answer()).toBe("Still.");
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 2} of ${LIMIT} left`);
    await expect.poll(() => visit.page.locator("#history li").count()).toBe(1);
  });

  it("sees the questions of another tab", async () => {
    const visit = await newVisit();
    const other = await visit.page.context().newPage();
    await other.goto(visit.line.url);
    await other.locator("#quota").waitFor();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    await other.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await other.locator("#quota-words", { hasText: `${LIMIT - 1} of ${LIMIT}` }).waitFor();
    await expect.poll(() => other.locator("#history li").count()).toBe(1);
  });

  it("finds a page that works, whatever is in the tab's storage and in the address", async () => {
    const visit = await newVisit();
    const begun = () => visit.page.locator("#quota").filter({ visible: true }).waitFor();
    const tabs = [
      "{",
      "null",
      "5",
      '"x"',
      '{"queryIds":5,"draft":{},"asking":1}',
      '{"queryIds":["..",null,{},"é"],"asking":{"question":"x","key":"é","turns":[1]}}',
    ];
    for (const tab of tabs) {
      // Written again as the page is left, which keeps its own.
      await visit.page.evaluate((tab) => {
        addEventListener("pagehide", () => {
          sessionStorage.setItem("belay tab", tab);
          sessionStorage.setItem("belay token", "é");
        });
      }, tab);
      await visit.page.reload();
      await begun();
      expect(await visit.page.locator("#banner").isVisible()).toBe(false);
    }
    for (const hash of ["%", "%E0%A4%A", "..", "%2e%2e%2f", "é", "a b", "?"]) {
      await visit.page.goto(`${visit.line.url}/#${hash}`);
      await visit.page.reload();
      await begun();
    }
    await visit.ask({ tokens: ["Whole."] });
    expect(await visit.answer()).toBe("Whole.");
  });

  it("can use the page with a token where the browser blocks storage", async () => {
    const visit = await newVisit();
    await visit.page.addInitScript(() => {
      Object.defineProperty(globalThis, "sessionStorage", {
        get() {
          throw new DOMException("Blocked.", "SecurityError");
        },
      });
    });
    await visit.page.reload();
    await visit.ask({ tokens: ["Whole."] });
    expect(await visit.answer()).toBe("Whole.");
  });

  it("opens the answer that the address names once the service can be reached", async () => {
    expectProblems(/ERR_(CONNECTION|FAILED)/);
    const visit = await newVisit();
    await visit.ask({ tokens: ["Named."] });
    await visit.answer();
    const id = (await visit.receipts())[0]?.queryId ?? "";
    await visit.page.getByRole("button", { name: "New question" }).first().click();
    await visit.page.route("**/api/**", (route) => route.abort("connectionreset"));
    await visit.page.evaluate((id) => {
      location.hash = id;
    }, id);
    const banner = visit.page.locator("#banner", { hasText: "cannot be reached" });
    await banner.waitFor();
    await visit.page.unroute("**/api/**");
    await visit.page.locator("#retry").click();
    expect(await visit.answer()).toBe("Named.");
    expect(await banner.isVisible()).toBe(false);
  });
});
