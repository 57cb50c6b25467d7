// What readers do and see on the page: a real browser against the real server.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bearerToken } from "../../scripts/bearer-token.ts";
import { variables } from "../../scripts/variables.ts";
import { scripted } from "../support/directive.ts";
import { LIMIT, Site, type Visit } from "./site.ts";

let site: Site;
const visits: Visit[] = [];
/** Browser errors that a test causes on purpose. */
let expected = /^$/;

beforeAll(async () => {
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

interface Stored {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly url: string | null;
}

/** An operator's request to the documents. */
async function operator<Body>(method: string, path: string, body?: unknown): Promise<Body> {
  const token = await bearerToken(await variables(), { user: "ops", operator: true, seconds: 60 });
  const response = await fetch(`${site.server.url}/api/v1/admin/documents${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json() as Promise<Body>;
}

/** Asks without the page, which shows it after a reload. */
function askUnseen(visit: Visit, count: number): Promise<void> {
  return visit.page.evaluate(async (count) => {
    for (let n = 0; n < count; n += 1) {
      await fetch("/api/v1/ai/ask", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: `Question ${n}?` }),
      });
    }
  }, count);
}

const PHONE = { viewport: { width: 390, height: 800 }, hasTouch: true } as const;
const STORY = ["Once ", "upon ", "a ", "time ", "there ", "was ", "a ", "quota ", "[1]."];
const SLOW = { tokens: STORY, gapMs: 250 };

describe("a reader who asks", () => {
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

  it("can choose an example question", async () => {
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

  it("copies the answer if the page has no clipboard", async () => {
    const visit = await newVisit();
    await visit.page.evaluate(() => {
      Object.defineProperty(navigator, "clipboard", { value: undefined });
      document.addEventListener("copy", () => {
        const field = document.activeElement as HTMLTextAreaElement;
        Object.assign(globalThis, { copied: field.value });
      });
    });
    await visit.ask({ tokens: ["**Once** ", "[1]."] });
    await visit.answer();
    const copy = visit.latest.getByRole("button", { name: "Copy the answer" });
    await copy.click();
    await visit.latest.getByText("Copied.").waitFor();
    const copied = () => visit.page.evaluate(() => (globalThis as { copied?: string }).copied);
    expect(await copied()).toBe("**Once** [1].");
    // The focus has not moved.
    expect(await copy.evaluate((button) => button === document.activeElement)).toBe(true);

    // Neither way works: the reader is told.
    await visit.page.evaluate(() => Object.assign(document, { execCommand: () => false }));
    await copy.click();
    await visit.latest.getByText("refused to copy").waitFor();
  });

  it("asks a follow-up, and the model gets the earlier turns", async () => {
    const visit = await newVisit();
    await visit.ask({ tag: "first", tokens: ["Yes."] });
    await visit.answer();
    await visit.ask({ tag: "second", tokens: ["No."] });
    await visit.answer();
    const messages = (tag: string) =>
      site.model.requests.find((request) => request.tag === tag)?.messageCount ?? 0;
    expect(messages("second")).toBe(messages("first") + 2);
    expect(await visit.page.locator(".exchange").count()).toBe(2);
    expect(await visit.look("follow-up")).toEqual([]);
  });

  it("can ask the same question again", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    await visit.latest.getByRole("button", { name: "Ask again" }).click();
    await expect.poll(() => visit.page.locator(".exchange").count()).toBe(2);
    await visit.answer();
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 2} of ${LIMIT} left`);
  });

  it("sees that the model failed, and that it cost nothing", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: STORY, fault: "cut", at: 2 });
    await visit.answer();
    expect(await visit.notice()).toBe(
      "The model's answer broke off. You were not charged; ask again.",
    );
    await expect.poll(() => visit.meter()).toBe(`${LIMIT} of ${LIMIT} left`);
    expect(await visit.look("failed")).toEqual([]);
  });

  it("asks again, and the new answer replaces the failed one", async () => {
    const visit = await newVisit();
    await visit.ask({ tag: "again", tokens: STORY, fault: "cut", at: 2 });
    await visit.answer();
    await visit.latest.getByRole("button", { name: "Ask again" }).click();
    const asked = () => site.model.requests.filter(({ tag }) => tag === "again").length;
    await expect.poll(asked).toBe(2);
    await visit.answer();
    expect(await visit.page.locator(".exchange").count()).toBe(1);
  });

  it("rates an answer with a comment, and removes the rating", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    const feedback = async () => (await visit.receipts())[0]?.feedback;
    const down = visit.latest.getByRole("button", { name: "Bad answer" });
    await down.click();
    await visit.latest.getByLabel("Comment on this answer").fill("Too short.");
    await visit.latest.getByRole("button", { name: "Send" }).click();
    await visit.latest.getByText("Thank you.").waitFor();
    await expect.poll(feedback).toEqual({ rating: "down", comment: "Too short." });
    expect(await down.getAttribute("aria-pressed")).toBe("true");
    const up = visit.latest.getByRole("button", { name: "Good answer" });
    await up.click();
    await expect.poll(feedback).toEqual({ rating: "up", comment: "Too short." });
    await visit.latest.getByLabel("Comment on this answer").fill(" ");
    await visit.latest.getByRole("button", { name: "Send" }).click();
    await expect.poll(feedback).toEqual({ rating: "up", comment: null });
    await up.click();
    await expect.poll(feedback).toBeNull();
  });

  it("reads an earlier answer again, free, with its rating", async () => {
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

  it("sees the rating when the answer is opened again without a reload", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Yes."] });
    await visit.answer();
    await visit.latest.getByRole("button", { name: "Good answer" }).click();
    await expect.poll(async () => (await visit.receipts())[0]?.feedback?.rating).toBe("up");
    const up = visit.latest.getByRole("button", { name: "Good answer" });
    const reopened = async () => {
      await visit.page.locator("#history button").first().click();
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
        .locator("#history button")
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
});

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
    const third = site.model.requests.find(({ tag }) => tag === "third");
    expect(third?.messageCount).toBeGreaterThan(4);
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 3} of ${LIMIT} left`);

    await visit.page.getByRole("button", { name: "New question" }).first().click();
    await visit.page.reload();
    await visit.page.locator(".welcome").waitFor();
    expect(await answers.count()).toBe(0);
  });

  it("can ask the question again that a reload stopped, not charged", async () => {
    const visit = await newVisit();
    await visit.ask(SLOW);
    await visit.reading("upon");
    await visit.page.reload();
    await visit.latest.locator(".notice:not([hidden])").waitFor();
    expect(await visit.notice()).toMatch(/not charged|^Stopped/);
    await expect.poll(() => visit.receipts()).toMatchObject([{ state: "refunded" }]);
    await visit.latest.getByRole("button", { name: "Ask again" }).click();
    await visit.reading("quota");
    await visit.answer();
    expect(await visit.page.locator(".exchange").count()).toBe(1);
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
  });

  it("sees the answers after several reloads during an outage", async () => {
    expected = /ERR_(CONNECTION|FAILED)/;
    const visit = await newVisit();
    await visit.ask({ tokens: ["One."] }, "First?");
    await visit.answer();
    await visit.ask({ tokens: ["Two."] }, "Second?");
    await visit.answer();
    await visit.page.route("**/api/**", (route) => route.abort("connectionreset"));
    const away = visit.page.locator("#banner", { hasText: "could not be reached" });
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
    expected = /ERR_(CONNECTION|FAILED|ABORTED)/;
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
    expected = /status of 401/;
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
});

describe("a reader who leaves early", () => {
  it("stops, and sees the refund in another tab that reads the same answer", async () => {
    const visit = await newVisit();
    await visit.ask({ ...SLOW, gapMs: 1_000 });
    await visit.reading("upon");
    const other = await visit.page.context().newPage();
    await other.goto(visit.line.url);
    await other.locator("#history button").first().click();
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
    await visit.page.locator("#history button").first().waitFor();
    await visit.ask(SLOW);
    await visit.reading("upon");
    await visit.page.locator("#history button").first().click();
    const note = visit.page.locator("#composer-note");
    expect(await note.textContent()).toMatch(/^One answer at a time/);
    expect(await visit.answer()).toBe("Once upon a time there was a quota 1.");
    await expect.poll(() => note.textContent()).toBe("");
  });

  it("closes the tab, and sees in the history that nothing was charged", async () => {
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
  it("is made again in mid-answer, and the answer is complete", async () => {
    expected = /ERR_(CONNECTION|EMPTY_RESPONSE|SOCKET|INCOMPLETE)/;
    const visit = await newVisit();
    // Slow, so that it is unfinished when the line is mended.
    await visit.ask({ ...SLOW, gapMs: 1_000 });
    await visit.reading("upon");
    visit.line.cut();
    await visit.latest.locator(".state.broken").waitFor();
    expect(await visit.look("dropped")).toEqual([]);
    // The state is below the text, where the reader looks.
    const order = await visit.latest
      .locator(".reply > *")
      .evaluateAll((parts) => parts.map(({ classList }) => classList[0]));
    expect(order.slice(0, 2)).toEqual(["answer", "state"]);
    visit.line.mend();
    await visit.latest.locator(".state.back").waitFor();
    expect(await visit.answer()).toMatch(/^Once upon a time there was a quota/);
    expect((await visit.answer()).match(/Once/g)).toHaveLength(1);
    const receipts = () => visit.receipts();
    await expect.poll(receipts).toMatchObject([{ state: "charged", answer: STORY.join("") }]);
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
  });

  it("is reported while the browser is offline", async () => {
    const visit = await newVisit();
    await visit.page.context().setOffline(true);
    await visit.page.locator("#banner", { hasText: "You are offline." }).waitFor();
    expect(await visit.look("offline")).toEqual([]);
    await visit.page.context().setOffline(false);
    await visit.page.locator("#banner").waitFor({ state: "hidden" });
  });

  it("answers a question asked offline once it is back, charged once", async () => {
    expected = /ERR_INTERNET_DISCONNECTED/;
    const visit = await newVisit();
    await visit.page.context().setOffline(true);
    await visit.ask({ tokens: ["Back."] });
    await visit.latest.locator(".state.broken").waitFor();
    await visit.page.context().setOffline(false);
    expect(await visit.answer()).toBe("Back.");
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
  });

  it("is reported at the start, and tried again when it is back", async () => {
    expected = /ERR_(CONNECTION|EMPTY_RESPONSE|SOCKET)/;
    const visit = await newVisit();
    await visit.page.route("**/api/v1/**", (route) => route.abort("connectionreset"));
    await visit.page.reload();
    await visit.page.locator("#banner", { hasText: "could not be reached" }).waitFor();
    await visit.page.unrouteAll();
    await visit.page.evaluate(() => dispatchEvent(new Event("online")));
    await visit.page.locator("#examples li").first().waitFor();
    await visit.page.locator("#banner").waitFor({ state: "hidden" });
  });
});

describe("a reader who may not ask", () => {
  it("sees that the quota is used up, and when it renews", async () => {
    const visit = await newVisit();
    await askUnseen(visit, LIMIT - 1);
    await visit.ask({ tokens: ["The last."] });
    await visit.answer();
    const note = visit.page.locator("#composer-note");
    await expect
      .poll(() => note.textContent())
      .toMatch(/^Your quota is used up\. It renews at 00:00, in /);
    await visit.page.fill("#question", "One more?");
    expect(await visit.page.locator("#send").isDisabled()).toBe(true);
    expect(await visit.meter()).toBe(`0 of ${LIMIT} left`);
    expect(await visit.page.locator("#quota-reset").textContent()).toBe("renews 00:00");
    expect(await visit.look("spent")).toEqual([]);
  });

  it("is told if another tab used the last answer", async () => {
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

  it("is told if the deployment accepts bearer tokens only", async () => {
    expected = /status of 404/;
    const visit = await newVisit();
    const body = '{"type":"error","code":"NOT_FOUND","message":"No."}';
    const answer = { status: 404, contentType: "application/json", body };
    await visit.page.route("**/api/v1/session", (route) => route.fulfill(answer));
    await visit.page.reload();
    await visit.page.locator("#composer-note", { hasText: "without signing in" }).waitFor();
    await visit.page.fill("#question", "May I?");
    expect(await visit.page.locator("#send").isDisabled()).toBe(true);
  });

  it("is told if the browser blocks cookies", async () => {
    expected = /status of 401/;
    const visit = await newVisit();
    await visit.page.context().clearCookies();
    await visit.page.route("**/api/v1/session", (route) => route.fulfill({ status: 204 }));
    await visit.page.reload();
    await visit.page.locator("#composer-note", { hasText: "blocks cookies" }).waitFor();
  });

  it("is told if there are no documents yet", async () => {
    const visit = await newVisit();
    const { documents } = await operator<{ documents: { id: string }[] }>("GET", "");
    const kept = await Promise.all(
      documents.map(({ id }) => operator<Stored>("GET", `/${encodeURIComponent(id)}`)),
    );
    expect(kept.length).toBeGreaterThan(0);
    for (const { id } of kept) await operator("DELETE", `/${encodeURIComponent(id)}`);
    try {
      await visit.page.reload();
      await visit.page.locator("#empty-corpus").waitFor();
      expect(await visit.page.locator("#examples li").count()).toBe(0);
      expect(await visit.look("empty")).toEqual([]);
    } finally {
      for (const { id, title, text, url } of kept) {
        await operator("PUT", `/${encodeURIComponent(id)}`, { title, text, url });
      }
    }
    await visit.page.reload();
    await visit.page.locator("#examples li").first().waitFor();
    expect(await visit.page.locator("#empty-corpus").isHidden()).toBe(true);
  });
});

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
      "Searching the documents.",
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
    expect(await note.textContent()).toBe("A question can have at most 4000 characters.");
    const quota = visit.page.waitForResponse(/ai\/quota/);
    await visit.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await (await quota).finished();
    await visit.page.waitForTimeout(100);
    expect(await note.textContent()).toBe("A question can have at most 4000 characters.");
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
    // The sources are in one row that does not widen the page.
    const tops = await visit.latest
      .locator(".sources li")
      .evaluateAll((cards) => new Set(cards.map((card) => card.getBoundingClientRect().top)).size);
    expect(tops).toBe(1);
    expect(
      await visit.page.evaluate(() => document.documentElement.scrollWidth),
    ).toBeLessThanOrEqual(PHONE.viewport.width);
  });

  it("keeps their place while the answer grows, and follows it at its end", async () => {
    const visit = await newVisit({ viewport: { width: 900, height: 500 } });
    const lines = Array.from({ length: 150 }, (_, n) => `Line ${n}.\n\n`);
    await visit.ask({ tokens: lines, gapMs: 60 });
    await visit.reading("Line 20.");
    const below = () =>
      visit.page.evaluate(() =>
        Math.round(document.documentElement.scrollHeight - innerHeight - scrollY),
      );
    const toEnd = visit.page.getByRole("button", { name: "To the end" });
    await expect.poll(below).toBeLessThan(5);
    expect(await toEnd.isHidden()).toBe(true);
    await visit.page.mouse.move(450, 250);
    await visit.page.mouse.wheel(0, -20);
    await toEnd.waitFor();
    const at = await visit.page.evaluate(() => scrollY);
    await visit.reading("Line 30.");
    expect(await visit.page.evaluate(() => scrollY)).toBe(at);
    await toEnd.click();
    await visit.reading("Line 40.");
    expect(await below()).toBeLessThan(80);
    await visit.answer();
    await expect.poll(below).toBeLessThan(5);
    expect(await toEnd.isHidden()).toBe(true);
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
    expect(await visit.look("right-to-left")).toEqual([]);
  });
});

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
      const sentAt = () => site.model.requests.find((request) => request.tag === tag)?.firstTokenAt;
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
