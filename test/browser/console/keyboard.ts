// The console by the keyboard alone.

import { expect, it } from "vitest";
import { operatorAt, settled } from "./operators.ts";

export function keyboard(): void {
  it("can be used by the keyboard alone", async () => {
    const visit = await operatorAt("users");
    const { page } = visit;
    await page.reload();
    await settled(visit);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("To the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("part");
    expect(new URL(page.url()).hash).toBe("#/users");
    await page.getByRole("radio", { name: "All time" }).focus();
    await page.keyboard.press("ArrowLeft");
    await settled(visit);
    expect(new URL(page.url()).hash).toBe("#/users?sort=lastSeen&days=30");
    await page.getByRole("link", { name: "alice" }).focus();
    await page.keyboard.press("Enter");
    const block = page.getByRole("button", { name: "Block", exact: true });
    await block.focus();
    await page.keyboard.press("Enter");
    await page.locator("dialog").waitFor();
    // The first is the one that changes nothing.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Cancel");
    await page.keyboard.press("Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await block.evaluate((button) => button === document.activeElement)).toBe(true);
  });
}
