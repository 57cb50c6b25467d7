// What readers see who ask: answer, citations, sources, buttons.

import { describe, expect, it } from "vitest";
import { NOTHING_FOUND } from "../../../src/answer/nothing-found.ts";
import { LIMIT } from "../site.ts";
import { newVisit, operator, STORY, site } from "./visits.ts";

describe("a reader who asks", () => {
  it("reads the answer as it is written, its sources folded, then grouped by document", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Charged ", "**once** ", "[1]."], gapMs: 1_500 });
    await visit.reading("Charged");
    expect(await visit.latest.locator(".answer").textContent()).not.toContain("once");
    expect(await visit.latest.locator(".rest > summary").textContent()).toMatch(/^\d sources$/);
    expect(await visit.latest.locator(".passage").filter({ visible: true }).count()).toBe(0);
    expect(await visit.answer()).toMatch(/^Charged once/);
    expect(await visit.latest.locator(".answer strong").textContent()).toBe("once");

    const cited = visit.latest.locator(".sources > .documents > li");
    expect(await cited.count()).toBe(1);
    expect(await cited.locator(".title").textContent()).not.toBe("");
    expect(await cited.locator(".passage").count()).toBe(1);
    expect(await cited.locator(".glimpse").isVisible()).toBe(true);
    await cited.locator("summary").click();
    expect(await cited.locator(".glimpse").isVisible()).toBe(false);
    expect(await cited.locator(".quote").isVisible()).toBe(true);

    const rest = visit.latest.locator(".rest");
    const all = (await visit.receipts())[0]?.sources ?? [];
    expect(await rest.locator("> summary").textContent()).toBe(`${all.length - 1} more, not cited`);
    await rest.locator("> summary").click();
    // One group a document, however many of its passages were found.
    const others = new Set(all.slice(1).map(({ documentId }) => documentId));
    expect(await rest.locator(".documents > li").count()).toBe(others.size);
    expect(await rest.locator(".passage").count()).toBe(all.length - 1);
    await expect.poll(() => visit.meter()).toBe(`${LIMIT - 1} of ${LIMIT} left`);
    await expect.poll(() => visit.page.locator("#history li").count()).toBe(1);
  });

  it("sees what a citation quotes, by pointer and by click", async () => {
    const visit = await newVisit();
    await visit.ask("When am I charged for an answer?");
    await visit.answer();
    const snippet = (await visit.receipts())[0]?.sources?.[0]?.snippet ?? "";
    const [sentence = ""] = snippet.match(/^.*?[.!?]/) ?? [];
    await visit.ask(
      { tokens: [`${sentence} [1] Nothing else is known about that.`] },
      "When am I charged for an answer?",
    );
    await visit.answer();
    const cite = visit.latest.locator(".cite");
    const preview = visit.latest.locator(".preview");
    const box = await cite.boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(24);
    await cite.hover();
    await preview.filter({ visible: true }).waitFor();
    expect(await preview.getAttribute("aria-label")).toMatch(/^Source 1: /);
    // The sentence of the answer, and no other.
    expect((await preview.locator("mark").allTextContents()).join("").trim()).toBe(sentence);
    await visit.page.mouse.move(5, 400);
    await preview.waitFor({ state: "hidden" });

    await cite.click();
    await visit.page.mouse.move(5, 400);
    await visit.page.waitForTimeout(400);
    expect(await preview.isVisible()).toBe(true);
    await cite.click();
    await preview.waitFor({ state: "hidden" });
    await cite.click();
    await visit.page.mouse.click(5, 400);
    await preview.waitFor({ state: "hidden" });
    // What is cited is marked in the source too.
    expect(await visit.latest.locator(".documents .glimpse mark").first().textContent()).toContain(
      sentence,
    );
  });

  it("sees no sources where nothing was found, only the closest passages, folded", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: [NOTHING_FOUND, " I found nothing about that."] });
    await visit.answer();
    const found = (await visit.receipts())[0]?.found;
    expect(found).toBe(false);
    expect(await visit.latest.locator(".sources h3").isHidden()).toBe(true);
    expect(await visit.latest.locator(".rest > summary").textContent()).toBe("Closest passages");
    expect(await visit.latest.locator(".passage").filter({ visible: true }).count()).toBe(0);
    expect(await visit.latest.locator(".related").isHidden()).toBe(true);
    await expect.poll(() => visit.notice()).toBe("You were not charged.");
  });

  it("sees code of a source in its own type, with its indentation", async () => {
    const visit = await newVisit();
    const code = "function pay(limit) {\n  if (limit > 0) {\n    charge(limit);\n  }\n}";
    const text = `# Paying\n\n## How do I write a zebrafish payment?\n\nA zebrafish payment is written like this:\n\n\`\`\`js\n${code}\n\`\`\`\n`;
    await operator("PUT", "/zebrafish", { title: "Paying", text, url: null, sample: true });
    try {
      await visit.ask({ tokens: ["Like this [1]."] }, "How do I write a zebrafish payment?");
      await visit.answer();
      await visit.latest.locator(".cite").click();
      const block = visit.latest.locator(".preview pre");
      expect(await block.textContent()).toContain("    charge(limit);");
      const family = await block.evaluate((pre) => getComputedStyle(pre).fontFamily);
      expect(family).toContain("monospace");
      expect(await visit.look("code-source")).toEqual([]);
    } finally {
      await operator("DELETE", "/zebrafish");
    }
  });

  it("can ask what the sources that are not cited answer", async () => {
    const visit = await newVisit();
    await visit.ask({ tokens: ["Once [1]."] }, "When am I charged for an answer?");
    await visit.answer();
    const related = visit.latest.locator(".related button");
    const sources = (await visit.receipts())[0]?.sources ?? [];
    const headings = sources.filter(({ cited }) => !cited).map(({ heading }) => heading.at(-1));
    const questions = await related.allTextContents();
    expect(questions.length).toBeGreaterThan(0);
    expect(questions.length).toBeLessThanOrEqual(3);
    for (const question of questions) {
      expect(headings).toContain(question);
      expect(question).not.toBe("When am I charged for an answer?");
    }
    await related.first().click();
    await visit.answer();
    expect(await visit.latest.locator(".question").textContent()).toBe(questions[0]);
    // The earlier answer suggests nothing any more.
    expect(await visit.page.locator(".related").first().isVisible()).toBe(false);
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
      site().model.requests.find((request) => request.tag === tag)?.messageCount ?? 0;
    expect(messages("second")).toBe(messages("first") + 2);
    expect(await visit.page.locator(".exchange").count()).toBe(2);
    expect(await visit.page.getAttribute("#question", "placeholder")).toBe("Ask a follow-up");
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
    expect(await visit.notice()).toBe("The answer broke off. You were not charged. Ask again.");
    await expect.poll(() => visit.meter()).toBe(`${LIMIT} of ${LIMIT} left`);
    expect(await visit.look("failed")).toEqual([]);
  });

  it("asks again, and the new answer replaces the failed one", async () => {
    const visit = await newVisit();
    await visit.ask({ tag: "again", tokens: STORY, fault: "cut", at: 2 });
    await visit.answer();
    await visit.latest.getByRole("button", { name: "Ask again" }).click();
    const asked = () => site().model.requests.filter(({ tag }) => tag === "again").length;
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
});
