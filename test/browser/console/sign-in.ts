// How operators sign in with a bearer token, and out.

import { describe, expect, it } from "vitest";
import {
  expectProblems,
  goTo,
  KEY,
  operatorAt,
  SOON,
  settled,
  signIn,
  stranger,
  token,
} from "./operators.ts";

describe("the console without an operator", () => {
  it("asks for a token, and says why one is refused", async () => {
    expectProblems(/status of 40[13]/);
    const visit = await stranger();
    const { page } = visit;
    expect(await visit.look("console-sign-in")).toEqual([]);
    const note = page.locator("#token-note");
    await signIn(visit, "not a token!");
    await expect.poll(() => note.textContent(), SOON).toMatch(/not a bearer token/);
    await signIn(visit, "x.y.z");
    await expect.poll(() => note.textContent(), SOON).toMatch(/not valid here/);
    await signIn(visit, await token("alice"));
    await expect.poll(() => note.textContent(), SOON).toMatch(/not an operator’s/);
    expect(await visit.look("console-sign-in-refused")).toEqual([]);
    expect(await page.evaluate((key) => sessionStorage.getItem(key), KEY)).toBeNull();
    // Nothing of any part is loaded or shown.
    expect(await page.locator("nav").isVisible()).toBe(false);
    expect(await page.locator("#view").isVisible()).toBe(false);
  });

  it("keeps a token in the tab alone, until the operator signs out", async () => {
    const visit = await stranger("log");
    const { page } = visit;
    await signIn(visit, await token("olivia", true));
    await page.getByRole("heading", { name: "Log" }).waitFor();
    expect(await page.inputValue("#token")).toBe("");
    expect(await page.locator("#operator").textContent()).toBe("olivia");
    const kept = () =>
      page.evaluate(
        (key) => [sessionStorage.getItem(key) !== null, localStorage.length, document.cookie],
        KEY,
      );
    expect(await kept()).toEqual([true, 0, ""]);
    await page.reload();
    await page.getByRole("heading", { name: "Log" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator("#sign-in").waitFor();
    expect(await kept()).toEqual([false, 0, ""]);
    await page.reload();
    await page.locator("#sign-in").waitFor();
  });

  it("says that a token has ended, shows nothing of what was open, and goes on there", async () => {
    expectProblems(/status of 401/);
    const visit = await operatorAt("documents");
    const { page } = visit;
    // The service refuses the token from now on.
    await page.route("**/api/v1/admin/**", (route) =>
      route.continue({ headers: { ...route.request().headers(), authorization: "Bearer x.y.z" } }),
    );
    await page
      .getByRole("button", { name: /^Delete/ })
      .first()
      .click();
    await page.locator("dialog").getByRole("button", { name: "Delete" }).click();
    await page.locator("#sign-in-why", { hasText: "Sign in again." }).waitFor();
    expect(await page.locator("#view").textContent()).toBe("");
    expect(await page.locator("dialog").count()).toBe(0);
    expect(await page.evaluate((key) => sessionStorage.getItem(key), KEY)).toBeNull();
    expect(await visit.look("console-expired")).toEqual([]);
    await page.unroute("**/api/v1/admin/**");
    await signIn(visit, await token("olivia", true));
    await page.getByRole("heading", { name: "Documents", exact: true }).waitFor();
    await settled(visit);
    expect(await page.locator("tbody tr").count()).toBeGreaterThan(2);
  });

  it("says that an operator is none any more", async () => {
    expectProblems(/status of 403/);
    const visit = await operatorAt("log");
    const users = `Bearer ${await token("alice")}`;
    await visit.page.route("**/api/v1/admin/**", (route) =>
      route.continue({ headers: { ...route.request().headers(), authorization: users } }),
    );
    await goTo(visit, "users");
    await visit.page.locator("#sign-in-why", { hasText: "not an operator’s" }).waitFor();
    expect(await visit.page.locator("#view").textContent()).toBe("");
  });
});
