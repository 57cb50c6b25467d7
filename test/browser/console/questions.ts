// Questions and feedback of all users.

import { expect, it } from "vitest";
import { COMMENT, GAP, operatorAt, SOON } from "./operators.ts";

export function questions(): void {
  it("shows what could not be answered, what is asked most, and all questions by their ending", async () => {
    const { page } = await operatorAt("questions");
    await page.getByText("4 questions found nothing.").waitFor();
    const gap = page.locator(".gap", { hasText: "bicycles" });
    await gap.getByText("by 3 users").waitFor();
    await gap
      .getByText(/bicycles.*\?/)
      .first()
      .waitFor();
    await page.getByRole("radio", { name: "7 days" }).check();
    await expect.poll(() => new URL(page.url()).hash, SOON).toBe("#/questions?days=7");
    await gap.getByText("by 3 users").waitFor();
    await page.getByRole("link", { name: "Asked most" }).click();
    await page.getByRole("row", { name: /What is a quota\?/ }).waitFor();
    await page.getByRole("link", { name: "All questions" }).click();
    await expect.poll(() => page.locator(".card").count(), SOON).toBeGreaterThan(4);
    const ending = page.getByLabel("Ending");
    await ending.selectOption("gaps");
    const card = page.locator(".card", { hasText: GAP });
    await card.getByText(/^(?:Closest: |No passage was close)/).waitFor();
    await expect.poll(() => page.locator(".card").count(), SOON).toBe(4);
    await ending.selectOption("reason-failed");
    await page.getByText("There is no such question.").waitFor();
    expect(new URL(page.url()).hash).toBe("#/questions/all?kind=reason-failed");
    await page.getByRole("link", { name: "Not answered" }).click();
    await gap.getByRole("link", { name: "Try a search" }).click();
    await page.getByRole("heading", { name: "Try a search" }).waitFor();
    expect(await page.getByLabel("A question, as a reader asks it").inputValue()).toMatch(
      /bicycles/,
    );
  });

  it("shows a comment beside what it is about, and leads to its user", async () => {
    const { page } = await operatorAt("feedback");
    const card = page.locator(".card", { hasText: COMMENT });
    await card.getByText("rated down").waitFor();
    await card.getByText("When am I charged?").waitFor();
    await page.getByRole("radio", { name: "Rated up" }).check();
    await page.getByText("No answer was rated yet.").waitFor();
    await page.getByRole("radio", { name: "Rated down" }).check();
    await card.getByRole("link", { name: "alice" }).click();
    await page.getByRole("heading", { name: "alice" }).waitFor();
  });
}
