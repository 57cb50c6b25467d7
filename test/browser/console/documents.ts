// Documents and collections, and the log of what was changed.

import { expect, it } from "vitest";
import { expectProblems, HTML, operatorAt, request, SOON, settled } from "./operators.ts";

const FILES = "Choose files of Markdown or text";
const ODD_ID = "a b/c%20d?#.md";

export function documents(): void {
  it("uploads, finds, opens and deletes documents", async () => {
    const visit = await operatorAt("documents");
    const { page } = visit;
    await page
      .getByLabel(FILES)
      .setInputFiles([
        file("ferry.md", "---\ntitle: The ferry\n---\n\nThe ferry to Lido leaves at noon."),
        file("empty.txt", " "),
      ]);
    await page.getByText("ferry.md: stored, 1 passage.").waitFor();
    await page.getByText("empty.txt: It is empty.").waitFor();
    const entry = page.locator("tbody tr", { hasText: "The ferry" });
    await entry.waitFor();

    const question = page.getByLabel("A question, as a reader asks it");
    await question.fill("zyzzyva");
    await question.press("Enter");
    await page.getByText("No passage is found.").waitFor();
    await question.fill("When does the ferry leave?");
    await question.press("Enter");
    const passage = page.locator(".passages li", { hasText: "leaves at noon" });
    await passage.waitFor();
    expect(await visit.look("console-documents-used")).toEqual([]);
    await passage.getByRole("link", { name: "The ferry" }).click();
    await page.getByRole("heading", { name: "ferry.md" }).waitFor();
    await page.locator(".source", { hasText: "The ferry to Lido leaves at noon." }).waitFor();
    // The search is there again.
    await page.goBack();
    await passage.waitFor();

    await entry.getByRole("button", { name: "Delete The ferry" }).click();
    await page.locator("dialog").getByRole("button", { name: "Delete" }).click();
    await entry.waitFor({ state: "detached" });
  });

  it("begins, fills, renames and deletes a collection", async () => {
    expectProblems(/status of 404/);
    const { page } = await operatorAt("documents");
    const dialog = page.locator("dialog");
    await page.getByRole("button", { name: "New collection…" }).click();
    await dialog.getByLabel("Name").fill("Not a name");
    await dialog.getByRole("button", { name: "Go on" }).click();
    await dialog.getByText(/^A collection has a name of/).waitFor();
    await dialog.getByLabel("Name").fill("harbour");
    await dialog.getByRole("button", { name: "Go on" }).click();
    const hash = () => new URL(page.url()).hash;
    await expect.poll(hash, SOON).toBe("#/documents/harbour");
    await page.getByLabel(FILES).setInputFiles([file("a.md", "Text.")]);
    await page.locator("tbody tr", { hasText: "a.md" }).waitFor();
    await page.getByRole("button", { name: "Rename…" }).click();
    await dialog.getByLabel("New name").fill("port");
    await dialog.getByRole("button", { name: "Rename" }).click();
    await expect.poll(hash, SOON).toBe("#/documents/port");
    await page.locator("tbody tr", { hasText: "a.md" }).waitFor();
    expect(await page.getByLabel("Collection").inputValue()).toBe("port");
    await page.getByRole("button", { name: "Delete…" }).click();
    await dialog.getByRole("textbox").fill("port");
    await dialog.getByRole("button", { name: "Delete" }).click();
    await expect.poll(hash, SOON).toBe("#/documents");
    const { collections } = await request<{ collections: { name: string }[] }>(
      ...(["ops", "GET", "/admin/collections"] as const),
    );
    expect(collections.map(({ name }) => name)).not.toContain("port");
  });

  it("shows a hostile title and id as they are", async () => {
    const title = `\u202e${HTML}`;
    const path = `/admin/documents/${encodeURIComponent(ODD_ID)}`;
    await request("ops", "PUT", path, { title, text: `${HTML} ${"word ".repeat(5_000)}` });
    const visit = await operatorAt("documents");
    const { page } = visit;
    await page.getByRole("link", { name: `⟨U+202E⟩${HTML}` }).click();
    await page.getByRole("heading", { name: ODD_ID }).waitFor();
    expect(await page.locator(".source").textContent()).toContain(HTML);
    await page.getByRole("button", { name: /^Show the other/ }).click();
    expect((await page.locator(".source").textContent())?.length).toBeGreaterThan(25_000);
    await page.getByRole("button", { name: "Delete…" }).click();
    await page.locator("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "default" }).waitFor();
    await settled(visit);
    await expect(request("ops", "GET", path)).rejects.toThrow(/NOT_FOUND/);
  });

  it("shows in the log who changed what", async () => {
    const { page } = await operatorAt("log");
    const texts = (await page.locator("tbody tr").allTextContents()).join("\n");
    for (const words of ["olivia", "Changed a user", "Refunded an answer", "Erased a user"]) {
      expect(texts).toContain(words);
    }
    expect(texts).toContain("limit 7");
    expect(texts).toContain("Renamed a collection");
    expect(texts).not.toContain("carol");
  });
}

function file(name: string, text: string) {
  return { name, mimeType: "text/markdown", buffer: Buffer.from(text) };
}
