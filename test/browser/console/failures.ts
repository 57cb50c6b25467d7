// What the console says while Belay does not answer, and how it goes on.

import { expect, it } from "vitest";
import { expectProblems, goTo, operatorAt } from "./operators.ts";

const ADMIN = "**/api/v1/admin/**";

export function failures(): void {
  it("says that it cannot reach Belay, and goes on when it can", async () => {
    expectProblems(/ERR_|Failed to load/);
    const visit = await operatorAt("overview");
    const { page } = visit;
    visit.line.cut();
    await page.getByRole("link", { name: "Users", exact: true }).click();
    await page.getByText("Belay cannot be reached.").waitFor();
    expect(await visit.look("console-unreachable")).toEqual([]);
    visit.line.mend();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("link", { name: "alice" }).waitFor();
  });

  it("keeps what it showed of a user, and says that it is not what is now", async () => {
    expectProblems(/ERR_|Failed to load/);
    const visit = await operatorAt("users/alice");
    const { page } = visit;
    visit.line.cut();
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await page.getByText("Belay cannot be reached.").waitFor();
    expect(await page.locator(".card").count()).toBeGreaterThan(1);
    expect(await visit.look("console-user-stale")).toEqual([]);
    visit.line.mend();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Belay cannot be reached.").waitFor({ state: "detached" });
  });

  it("says what answered instead of Belay", async () => {
    expectProblems(/status of 50[23]/);
    const visit = await operatorAt("log");
    const { page } = visit;
    await page.route(ADMIN, (route) => route.fulfill({ status: 502, body: "<h1>Bad gateway" }));
    await goTo(visit, "users");
    await page.getByText(/did not answer, but something before it did, with 502/).waitFor();
    await page.unroute(ADMIN);
    await page.route(ADMIN, (route) => route.fulfill({ status: 200, body: "<h1>Log in to Wi-Fi" }));
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("The answer could not be read.").waitFor();
    await page.unroute(ADMIN);
    const message = "Storage takes no writes.";
    await page.route(ADMIN, (route) =>
      route.fulfill({ status: 503, json: { code: "UNAVAILABLE", message } }),
    );
    await goTo(visit, "documents");
    await page.getByText(message).first().waitFor();
  });
}
