// The overview: what all users asked, in numbers and charts.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { ASKED, operatorAt, request, SOON, settled } from "./operators.ts";

interface Totals {
  readonly days: readonly { readonly charged: number; readonly refunded: object }[];
}

export function numbers(): void {
  it("shows in numbers and in charts what all users asked, in the colours of the scheme", async () => {
    const { page } = await operatorAt("overview");
    const tile = (name: string) =>
      page.locator(".tiles > div", { has: page.getByText(name, { exact: true }) }).locator("dd");
    expect(await tile("Asked").textContent()).toBe(`${ASKED}`);
    const { days } = await request<Totals>("ops", "GET", "/admin/totals");
    const charged = days.reduce((sum, day) => sum + day.charged, 0);
    expect(await tile("Charged").textContent()).toBe(`${charged}`);

    const light = await drawn(page);
    expect(light.pixels).toBeGreaterThan(100);
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(async () => (await drawn(page)).colour, SOON).not.toBe(light.colour);
    await expect.poll(async () => (await drawn(page)).pixels, SOON).toBeGreaterThan(100);

    const chart = page.locator(".chart", { hasText: "Questions" });
    const plot = chart.getByRole("slider", { name: "Questions, by day" });
    await plot.focus();
    await plot.press("End");
    const text = () => plot.getAttribute("aria-valuetext");
    expect(await text()).toMatch(new RegExp(`: charged ${charged}, refunded ${ASKED - charged}$`));
    await plot.press("ArrowLeft");
    expect(await text()).toMatch(/: charged 0, refunded 0$/);
    expect(await plot.getAttribute("aria-valuenow")).toBe("29");
    await chart.getByText("Numbers").click();
    expect(await chart.locator("tbody tr").count()).toBe(30);
    await page.getByRole("radio", { name: "7 days" }).check();
    await expect.poll(() => plot.getAttribute("aria-valuemax"), SOON).toBe("7");
    expect(new URL(page.url()).hash).toBe("#/overview?days=7");
  });

  it("names first what could not be answered, and who asked most", async () => {
    const visit = await operatorAt("overview");
    const { page } = visit;
    const panel = (title: string) => page.locator(".leaders .panel", { hasText: title });
    const first = panel("Could not be answered").locator("li").first();
    expect(await first.textContent()).toMatch(/bicycles.*4$/i);
    await panel("Who asked most").getByRole("link", { name: "alice" }).waitFor();
    await panel("Never cited")
      .getByRole("link", { name: /^samples\// })
      .first()
      .waitFor();
    await panel("Who asked most").getByRole("link", { name: "Who asked most" }).click();
    await page.getByRole("heading", { name: "Users" }).waitFor();
    await settled(visit);
    expect(await page.getByRole("columnheader", { name: "Asked" }).getAttribute("aria-sort")).toBe(
      "descending",
    );
  });

  it("says what refuses every ask", async () => {
    const visit = await operatorAt("log");
    const message = "The variable QUOTA_LIMIT must be a whole number.";
    await visit.page.route("**/healthz", (route) =>
      route.fulfill({ status: 503, json: { code: "UNAVAILABLE", message } }),
    );
    await visit.page.getByRole("link", { name: "Overview" }).click();
    await visit.page.getByText(`Asks are refused. ${message}`).waitFor();
    visit.problems.splice(0);
  });

  it("says that the budget is used up, which no total shows", async () => {
    const visit = await operatorAt("log");
    const { page } = visit;
    await page.route("**/healthz", (route) => route.fulfill({ body: "ok\nbudget: used up\n" }));
    const free = { limit: null, spent: 0, lent: 0 };
    const budget = {
      ...{ period: "total", endsAt: null, anonymous: free, usd: free },
      generations: { limit: 5, spent: 5, lent: 0 },
    };
    await page.route("**/admin/budget", (route) => route.fulfill({ json: budget }));
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByText("The budget of all time is used up: 5 of 5 answers.").waitFor();
  });
}

/** How much of the first chart has the colour of its first series. */
function drawn(page: Page): Promise<{ readonly colour: string; readonly pixels: number }> {
  return page
    .locator(".chart")
    .first()
    .evaluate((chart) => {
      const canvas = chart.querySelector("canvas") as HTMLCanvasElement;
      const swatch = chart.querySelector(".legend i") as HTMLElement;
      const colour = getComputedStyle(swatch).color;
      const [red, green, blue] = colour.match(/\d+/g)?.map(Number) ?? [];
      const copy = new OffscreenCanvas(canvas.width, canvas.height);
      const context = copy.getContext("2d", { willReadFrequently: true });
      context?.drawImage(canvas, 0, 0);
      const data = context?.getImageData(0, 0, copy.width, copy.height).data ?? [];
      let pixels = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) pixels += 1;
      }
      return { colour, pixels };
    });
}
