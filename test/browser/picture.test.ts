// The picture of the page in README: docs/page.png. UPDATE_DOCS=1 rewrites it.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Site } from "./site.ts";

const PICTURE = join(import.meta.dirname, "../../docs/page.png");
/** In pixels of CSS and of the picture. */
const SIZE = { width: 1100, height: 760 };
const BYTES_MAX = 200_000;
const QUESTIONS = [
  "How do I add my own documents?",
  "Can I use my own model?",
  "When am I charged for an answer?",
];

let site: Site;

beforeAll(async () => {
  // Quotes from the samples, so that the picture shows real answers.
  site = await Site.open({ GENERATOR: "extractive" });
});
afterAll(() => site?.close());

it("docs/page.png is a small picture of the page with a cited answer", async () => {
  const visit = await site.visit({ viewport: SIZE });
  for (const question of QUESTIONS) {
    await visit.page.getByRole("button", { name: "New question" }).first().click();
    await visit.ask(question);
    await visit.answer();
  }
  await visit.latest.locator(".cite").first().click();
  await visit.latest.locator(".preview").filter({ visible: true }).waitFor();
  await expect.poll(() => visit.page.locator("#history li").count()).toBe(QUESTIONS.length);
  await visit.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  expect(await visit.look("readme")).toEqual([]);
  expect(visit.problems).toEqual([]);

  if (process.env.UPDATE_DOCS === "1") await writeFile(PICTURE, await visit.page.screenshot());
  await visit.close();
  const picture = await readFile(PICTURE);
  expect(picture.subarray(1, 4).toString()).toBe("PNG");
  expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([SIZE.width, SIZE.height]);
  expect(picture.length).toBeLessThan(BYTES_MAX);
});
