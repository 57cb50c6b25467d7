// Two operators at once: what one changes, the other sees, and may find done.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { ask, expectProblems, operatorAt, request, SOON } from "./operators.ts";

/** As when the operator comes back to the tab. */
async function lookAgain(page: Page): Promise<void> {
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
}

export function together(): void {
  it("shows to one operator what another changes", async () => {
    expectProblems(/status of 404/);
    await ask("dave", { tokens: ["Yes [1]."] }, "Is it open?");
    const { page } = await operatorAt("users/dave");
    const dialog = page.locator("dialog");
    const path = "/admin/users/dave";
    await request("max", "PATCH", path, { limit: 9 });
    await lookAgain(page);
    await page.getByText("of 9 charged").waitFor();
    // Both refund the same answer.
    await page.getByRole("button", { name: "Refund…" }).click();
    const { queries } = await request<{ queries: { queryId: string }[] }>("max", "GET", path);
    await request("max", "POST", `${path}/queries/${queries[0]?.queryId}/refund`);
    await dialog.getByRole("button", { name: "Refund" }).click();
    await page.getByText("refunded: by an operator").waitFor();
    const { windows } = await request<{ windows: object[] }>("max", "GET", path);
    expect(windows).toMatchObject([{ charged: 0, refunded: 1 }]);
    // Both erase the same user.
    await page.getByRole("button", { name: "Erase…" }).click();
    await dialog.getByRole("textbox").fill("dave");
    await request("max", "DELETE", path);
    await dialog.getByRole("button", { name: "Erase" }).click();
    await expect.poll(() => dialog.locator(".note").textContent(), SOON).not.toBe("");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("Nothing is stored of this user.").waitFor();
    expect(await page.getByRole("button", { name: "Erase…" }).isVisible()).toBe(false);
  });

  it("lists documents again when another operator has deleted one", async () => {
    expectProblems(/status of 404/);
    const path = "/admin/documents/gone.md";
    await request("max", "PUT", path, { title: "Gone", text: "Soon." });
    const { page } = await operatorAt("documents");
    const dialog = page.locator("dialog");
    await page.getByRole("button", { name: "Delete Gone" }).click();
    await request("max", "DELETE", path);
    await dialog.getByRole("button", { name: "Delete" }).click();
    await expect.poll(() => dialog.locator(".note").textContent(), SOON).not.toBe("");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.locator("tbody tr", { hasText: "gone.md" }).waitFor({ state: "detached" });
  });
}
