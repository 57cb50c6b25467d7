// What readers see who may not ask.

import { describe, expect, it } from "vitest";
import { LIMIT } from "../site.ts";
import { askUnseen, expectProblems, newVisit, operator, token } from "./visits.ts";

interface Stored {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly url: string | null;
}

describe("a reader who may not ask", () => {
  it("sees that the quota is used up, and when it renews", async () => {
    const visit = await newVisit();
    await askUnseen(visit, LIMIT - 1);
    await visit.ask({ tokens: ["The last."] });
    await visit.answer();
    const note = visit.page.locator("#composer-note");
    await expect.poll(() => note.textContent()).toMatch(/^It renews at 00:00, in /);
    expect(await visit.page.getAttribute("#question", "placeholder")).toBe("Your quota is used up");
    expect(await visit.page.locator("#question").isEditable()).toBe(false);
    expect(await visit.page.locator("#send").isDisabled()).toBe(true);
    expect(await visit.meter()).toBe(`0 of ${LIMIT} left`);
    expect(await visit.page.locator("#quota-reset").textContent()).toBe("renews 00:00");
    expect(await visit.look("spent")).toEqual([]);
  });

  it("is told if another tab used the last answer", async () => {
    expectProblems(/status of 429/);
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
    expect(await visit.notice()).toMatch(
      /used up\. It renews at \d\d:\d\d, in \d+ (?:minutes|hours).*not charged/,
    );
  });

  it("is asked to sign in where the service asks for a token, in a reader's words", async () => {
    expectProblems(/status of 404/);
    const visit = await newVisit();
    const body = '{"type":"error","code":"NOT_FOUND","message":"No."}';
    const answer = { status: 404, contentType: "application/json", body };
    await visit.page.route("**/api/v1/session", (route) => route.fulfill(answer));
    await visit.page.reload();
    await visit.page.getByText("Sign in to ask questions here.").waitFor();
    expect(await visit.page.locator("#composer").isHidden()).toBe(true);
    expect(await visit.page.locator("body").textContent()).not.toMatch(/[A-Z]+_[A-Z]+/);
  });

  it("signs in with a pasted token, which the tab keeps until they sign out", async () => {
    expectProblems(/status of 401/);
    const visit = await newVisit({ identity: { anonymous: false, answers: "quotes" } });
    expect(await visit.look("sign-in")).toEqual([]);
    const field = visit.page.getByLabel("Access token");
    const submit = visit.page.locator("#token-form button");
    const note = visit.page.locator("#token-note");
    for (const wrong of ["no token", "abc.def.ghi"]) {
      await field.fill(wrong);
      await submit.click();
      await expect.poll(() => note.textContent()).toMatch(/^This token is not accepted/);
      await field.fill("");
    }
    expect(await visit.look("sign-in-refused")).toEqual([]);
    const bearer = await token();
    await field.fill(`Bearer ${bearer}`);
    await submit.click();
    await visit.page.locator("#composer").waitFor();
    await visit.ask({ tokens: ["Signed in."] });
    expect(await visit.answer()).toBe("Signed in.");
    expect(await visit.page.context().cookies()).toEqual([]);
    const stored = () =>
      visit.page.evaluate(() => ({
        ...localStorage,
        cookie: document.cookie,
        tab: { ...sessionStorage },
      }));
    expect(await stored()).toEqual({
      cookie: "",
      tab: expect.objectContaining({ "belay token": bearer }),
    });
    await visit.page.reload();
    expect(await visit.answer()).toBe("Signed in.");
    await visit.page.locator("#history li").first().waitFor();
    expect(await visit.look("signed-in")).toEqual([]);
    await visit.page.getByRole("button", { name: "Sign out" }).click();
    await visit.page.getByText("Sign in to ask questions here.").waitFor();
    expect((await stored()).tab).not.toHaveProperty("belay token");
    expect(await visit.page.locator(".exchange, #history li").count()).toBe(0);
  });

  it("signs in at the operator's address, if there is one", async () => {
    const signInUrl = "https://login.example.com/belay";
    const visit = await newVisit({ identity: { anonymous: false, signInUrl } });
    const link = visit.page.getByRole("link", { name: "Sign in" });
    expect(await link.getAttribute("href")).toBe(signInUrl);
    expect(await visit.page.getByLabel("Access token").isVisible()).toBe(false);
    expect(await visit.look("sign-in-link")).toEqual([]);
    await visit.page.getByText("I have an access token").click();
    await visit.page.getByLabel("Access token").waitFor();
  });

  it("is told that the token has expired, and finds the question again after signing in", async () => {
    expectProblems(/status of 401/);
    const visit = await newVisit({ identity: { anonymous: false } });
    const signIn = async () => {
      await visit.page.getByLabel("Access token").fill(await token());
      await visit.page.locator("#token-form button").click();
      await visit.page.locator("#composer").waitFor();
    };
    await signIn();
    // As the service answers once the token has expired.
    const refusal = { type: "error", code: "UNAUTHENTICATED", message: "The token has expired." };
    await visit.page.route("**/api/v1/ai/ask*", (route) =>
      route.fulfill({ status: 401, json: refusal }),
    );
    await visit.ask("What is kept of it?");
    await visit.page.locator("#sign-in-why", { hasText: "Your access has expired." }).waitFor();
    expect(await visit.page.locator("#history").isHidden()).toBe(true);
    expect(await visit.look("expired")).toEqual([]);
    expect(await visit.page.locator(".exchange").count()).toBe(0);
    await visit.page.unroute("**/api/v1/ai/ask*");
    await signIn();
    expect(await visit.page.inputValue("#question")).toBe("What is kept of it?");
    await visit.page.press("#question", "Enter");
    await visit.answer();
    await visit.page.locator("#history li").first().waitFor();
  });

  it("is told that they are blocked, once", async () => {
    expectProblems(/status of 403/);
    const visit = await newVisit();
    await visit.page.route("**/api/v1/ai/ask*", (route) =>
      route.fulfill({ status: 403, json: { type: "error", code: "BLOCKED", message: "Blocked." } }),
    );
    await visit.ask("May I?");
    await visit.latest.locator(".notice:not([hidden])").waitFor();
    expect(await visit.notice()).toMatch(/^You cannot ask here at the moment/);
    await expect.poll(() => visit.page.locator("#question").isEditable()).toBe(false);
    expect(await visit.page.locator("#composer-note").textContent()).toBe("");
    expect(await visit.latest.getByRole("button", { name: "Ask again" }).isHidden()).toBe(true);
    expect(await visit.look("blocked")).toEqual([]);
  });

  it.each([
    ["too many sessions", 429, "TOO_MANY_SESSIONS", /^Many readers have just come/],
    ["a failing service", 500, "INTERNAL", /^The service cannot be reached/],
    ["a proxy's page", 502, undefined, /^The service cannot be reached/],
  ])(
    "is told about %s in a reader's words, and can try again",
    async (name, status, code, words) => {
      expectProblems(/status of (429|50\d)/);
      const visit = await newVisit();
      await visit.page.context().clearCookies();
      await visit.page.route("**/api/v1/session", (route) =>
        route.fulfill(
          code === undefined
            ? { status, contentType: "text/html", body: "<h1>502 Bad Gateway</h1>" }
            : { status, json: { type: "error", code, message: "HTTP 500 of UPSTREAM_URL" } },
        ),
      );
      await visit.page.reload();
      const banner = visit.page.locator("#banner span");
      await expect.poll(() => banner.textContent()).toMatch(words);
      expect(await visit.look(name)).toEqual([]);
      expect(await visit.page.locator("body").textContent()).not.toMatch(
        /HTTP|\b50\d\b|[A-Z]+_[A-Z]+/,
      );
      await visit.page.unrouteAll();
      await visit.page.getByRole("button", { name: "Try again" }).click();
      await visit.page.locator("#banner").waitFor({ state: "hidden" });
    },
  );

  it.each([
    ["GENERATION_FAILED", /^The answer broke off/],
    ["GENERATION_TIMEOUT", /^The answer took too long/],
    ["RETRIEVAL_FAILED", /could not be searched/],
    ["TOO_MANY_STREAMS", /^Other answers are still being written/],
    ["INTERNAL", /^That did not work/],
  ])("is told why an answer failed in a reader's words: %s", async (code, words) => {
    expectProblems(/status of 500/);
    const visit = await newVisit();
    await visit.page.route("**/api/v1/ai/ask*", (route) =>
      route.fulfill({
        status: 500,
        json: { type: "error", code, message: "HTTP 500: OPENAI_API_KEY is not set." },
      }),
    );
    await visit.ask("Why?");
    await visit.answer();
    expect(await visit.notice()).toMatch(words);
    expect(await visit.page.locator("body").textContent()).not.toMatch(/HTTP|OPENAI/);
  });

  it("is told if the browser blocks cookies", async () => {
    expectProblems(/status of 401/);
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
      const note = visit.page.locator("#composer-note", {
        hasText: "when the first ones have been added",
      });
      await note.waitFor();
      expect(await visit.page.getAttribute("#question", "placeholder")).toBe(
        "There are no documents yet",
      );
      expect(await visit.page.locator("#question").isEditable()).toBe(false);
      expect(await visit.page.locator("#examples li").count()).toBe(0);
      expect(await visit.look("empty")).toEqual([]);
    } finally {
      for (const { id, title, text, url } of kept) {
        await operator("PUT", `/${encodeURIComponent(id)}`, { title, text, url });
      }
    }
    await visit.page.reload();
    await visit.page.locator("#examples li").first().waitFor();
    expect(await visit.page.locator("#composer-note").textContent()).toBe("");
  });
});
