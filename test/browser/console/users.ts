// Users: who there are, one of them as they are now, and what is changed of them.

import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import {
  ask,
  expectProblems,
  HOSTILE,
  HTML,
  letEnd,
  ODD,
  ODD_SHOWN,
  operatorAt,
  request,
  SOON,
  settled,
} from "./operators.ts";

interface User {
  readonly limit: number;
  readonly blocked: boolean;
  readonly queries: readonly { readonly state: string; readonly reason: string | null }[];
}

/** Each try of a test has a user of its own, of whom nothing is stored yet. */
const newCarol = () => `carol-${crypto.randomUUID().slice(0, 8)}`;
let carol = newCarol();

export function users(): void {
  it("finds and sorts users, and shows a hostile name as it is", async () => {
    const visit = await operatorAt("users");
    const { page } = visit;
    const names = () => page.locator("tbody th a").allTextContents();
    const all = [HOSTILE, ODD_SHOWN, "alice", "bob"];
    expect((await names()).toSorted()).toEqual(all.toSorted());
    await page.getByRole("button", { name: "User" }).click();
    await settled(visit);
    expect(await names()).toEqual(all);
    const search = page.getByLabel("Find a user");
    await search.fill("ali");
    await expect.poll(names, SOON).toEqual(["alice"]);
    // The filters survive a reload.
    await page.reload();
    await expect.poll(names, SOON).toEqual(["alice"]);
    expect(await search.inputValue()).toBe("ali");
    await search.fill("nobody");
    await page.getByText("There is no such user.").waitFor();
    await search.fill("img");
    await page.getByRole("link", { name: HOSTILE }).click();
    await page.getByRole("heading", { name: HOSTILE }).waitFor();
    await page.getByText(HTML).first().waitFor();
  });

  it("opens and changes a user whose name an address would take apart", async () => {
    const visit = await operatorAt("users");
    const { page } = visit;
    await page.getByRole("link", { name: ODD_SHOWN }).click();
    await page.getByRole("heading", { name: ODD_SHOWN }).waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    expect(await page.locator(".asked").first().textContent()).toContain(
      `⟨U+202E⟩${"Long words. ".repeat(300)}`,
    );
    await page.getByRole("button", { name: "Block", exact: true }).click();
    const dialog = page.locator("dialog");
    expect(await dialog.getByRole("heading").textContent()).toBe(`Block ${ODD_SHOWN}?`);
    expect(await visit.look("console-odd-name")).toEqual([]);
    await dialog.getByRole("button", { name: "Block" }).click();
    await page.getByText("blocked", { exact: true }).waitFor();
    const path = `/admin/users/${encodeURIComponent(ODD)}`;
    expect(await request<User>("ops", "GET", path)).toMatchObject({ blocked: true });
    await page.reload();
    await page.getByRole("heading", { name: ODD_SHOWN }).waitFor();
    await page.getByRole("button", { name: "Unblock" }).waitFor();
  });

  it("shows an answer while it is written, and its charge", async () => {
    expectProblems(/status of 404/);
    carol = newCarol();
    const visit = await operatorAt(`users/${carol}`);
    const { page } = visit;
    await page.getByText("Nothing is stored of this user.").waitFor();
    expect(await page.getByRole("button", { name: "Erase…" }).isVisible()).toBe(false);
    const asked = ask(carol, {
      tokens: Array(16).fill("word "),
      gapMs: 50,
      holdAt: 16,
      tag: carol,
    });
    const reserved = () =>
      request<{ reservations: unknown[] }>("ops", "GET", `/admin/users/${carol}`).then(
        ({ reservations }) => reservations.length,
        () => 0,
      );
    await expect.poll(reserved, SOON).toBe(1);
    // It looks rarely for a user who is not there.
    await page.reload();
    await page.getByText(/being written: \d+ tokens? in \d+ s/).waitFor();
    expect(await visit.look("console-user-live")).toEqual([]);
    letEnd(carol);
    const id = await asked;
    await page.getByText("No answer is being written.").waitFor();
    const card = page.locator(".card", { hasText: id });
    await expect.poll(() => card.locator(".chip").textContent(), SOON).toBe("charged");
  });

  it("sets a limit, blocks and refunds, each after a question", async () => {
    const visit = await operatorAt("users/bob");
    const { page } = visit;
    const dialog = page.locator("dialog");
    const bob = () => request<User>("ops", "GET", "/admin/users/bob");

    await page.getByLabel("Limit in each window").fill("7");
    await page.getByRole("button", { name: "Set limit" }).click();
    expect(await dialog.getByRole("heading").textContent()).toBe("Set the limit of bob to 7?");
    expect(await visit.look("console-confirm")).toEqual([]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect((await bob()).limit).toBe(20);
    await page.getByLabel("Limit in each window").press("Enter");
    await dialog.getByRole("button", { name: "Set limit" }).click();
    await page.getByText("of 7 charged").waitFor();
    expect((await bob()).limit).toBe(7);
    await page.getByRole("button", { name: "Remove own limit" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByText("of 20 charged").waitFor();

    await page.getByRole("button", { name: "Block", exact: true }).click();
    await dialog.getByRole("button", { name: "Block", exact: true }).click();
    await page.getByRole("button", { name: "Unblock" }).waitFor();
    expect((await bob()).blocked).toBe(true);
    await page.getByRole("button", { name: "Unblock" }).click();
    await dialog.getByRole("button", { name: "Unblock" }).click();
    await page.getByRole("button", { name: "Block", exact: true }).waitFor();

    const card = page.locator(".card", { hasText: "What is a quota?" });
    await card.getByText("Answer").click();
    await card.locator(".text", { hasText: "It is a quota" }).waitFor();
    await card.getByRole("button", { name: "Refund…" }).click();
    await dialog.getByRole("button", { name: "Refund" }).click();
    const chip = () => card.locator(".chip").first().textContent();
    await expect.poll(chip, SOON).toBe("refunded: by an operator");
    expect((await bob()).queries.map(({ reason }) => reason)).toContain("operator");
    expect(await visit.look("console-user")).toEqual([]);
  });

  it("gives what is stored of a user as a file", async () => {
    const { page } = await operatorAt("users/bob");
    const loading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export" }).click();
    const file = await loading;
    expect(file.suggestedFilename()).toBe("bob.ndjson");
    const lines = (await readFile(await file.path(), "utf8")).trim().split("\n");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ user: "bob" });
    expect(lines).toHaveLength(3);
  });

  it("erases a user only after their name is typed", async () => {
    expectProblems(/status of 404/);
    // The first try may have erased her.
    await ask(carol, { tokens: ["Yes [1]."] }, "Is it open?");
    const { page } = await operatorAt(`users/${carol}`);
    const dialog = page.locator("dialog");
    await page.getByRole("button", { name: "Erase…" }).click();
    const erase = dialog.getByRole("button", { name: "Erase" });
    expect(await erase.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill(carol.slice(0, -1));
    expect(await erase.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill(carol);
    await erase.click();
    await page.getByRole("heading", { name: "Users" }).waitFor();
    await expect(request("ops", "GET", `/admin/users/${carol}`)).rejects.toThrow(/NOT_FOUND/);
  });
}
