// What readers see when the connection breaks.

import { describe, expect, it } from "vitest";
import { LIMIT } from "../site.ts";
import { expectProblems, newVisit, SLOW, STORY } from "./visits.ts";

describe("a connection that breaks", () => {
  it("is made again in mid-answer, and the answer is complete", async () => {
    expectProblems(/ERR_(CONNECTION|EMPTY_RESPONSE|SOCKET|INCOMPLETE)/);
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
    expectProblems(/ERR_INTERNET_DISCONNECTED/);
    const visit = await newVisit();
    await visit.page.context().setOffline(true);
    await visit.ask({ tokens: ["Back."] });
    await visit.latest.locator(".state.broken", { hasText: "You are offline." }).waitFor();
    // Said once.
    expect(await visit.page.locator("#banner").isHidden()).toBe(true);
    expect(await visit.look("asked-offline")).toEqual([]);
    await visit.page.context().setOffline(false);
    expect(await visit.answer()).toBe("Back.");
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
  });

  it("is reported at the start, and tried again when it is back", async () => {
    expectProblems(/ERR_(CONNECTION|EMPTY_RESPONSE|SOCKET)/);
    const visit = await newVisit();
    await visit.page.route("**/api/v1/**", (route) => route.abort("connectionreset"));
    await visit.page.reload();
    await visit.page.locator("#banner", { hasText: "cannot be reached" }).waitFor();
    expect(await visit.look("unreachable")).toEqual([]);
    await visit.page.unrouteAll();
    await visit.page.getByRole("button", { name: "Try again" }).click();
    await visit.page.locator("#examples li").first().waitFor();
    await visit.page.locator("#banner").waitFor({ state: "hidden" });
  });
});
