// <belay-ask> on a page of another origin, in a real browser, against a real server:
// what a reader asks, reads and pays, and what the page around it sees.

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Queries } from "../../src/client/client.ts";
import type { Quota, Receipt } from "../../src/protocol.ts";
import { ANSWER } from "../support/directive.ts";
import { type Fault, type FaultyServer, startFaultyServer } from "../support/faulty-server.ts";
import { Random } from "../support/random.ts";
import { SECRET } from "../support/server.ts";
import { bearer } from "../support/socket-client.ts";
import { Embedding, type EmbedVisit, LIMIT } from "./embedding.ts";

const CUTS = 200;
/** Elements on the page that is cut: a browser opens six connections to a host of two. */
const AT_ONCE = 10;
/** Questions to each of them, and cuts of each answer. */
const ASKS = 9;
const CUTS_EACH = 3;
const WHOLE = ANSWER.join("").replace("[1]", "1");

let embedding: Embedding;
const visits: EmbedVisit[] = [];

beforeAll(async () => {
  embedding = await Embedding.open({
    AUTH_SECRET: SECRET,
    QUOTA_LIMIT: "1000",
    CONCURRENCY_LIMIT: "100",
    DELIVERY_HOLD_MS: "20",
  });
});
afterAll(() => embedding?.close());
afterEach(async () => {
  for (const visit of visits.splice(0)) await visit.close();
});

async function visit(...given: Parameters<Embedding["visit"]>): Promise<EmbedVisit> {
  const visit = await embedding.visit(...given);
  visits.push(visit);
  return visit;
}

async function receipts(reader: EmbedVisit): Promise<readonly Receipt[]> {
  return (await reader.get<Queries>("queries")).queries;
}

describe("a question", () => {
  it("is answered with sources, charged once, and told to the page", async () => {
    const reader = await visit();
    await reader.ask({ tokens: ANSWER, gapMs: 5 });
    expect(await reader.answer()).toBe(WHOLE);
    expect(await reader.latest.locator(".sources .passage").count()).toBeGreaterThan(0);
    await expect.poll(() => reader.note()).toBe(`${LIMIT - 1} of ${LIMIT} answers left`);
    await expect.poll(async () => (await reader.heard()).length).toBe(2);
    const [receipt] = await receipts(reader);
    expect(receipt).toMatchObject({ state: "charged" });
    expect(await reader.heard()).toMatchObject([
      ["belay-ask", { question: receipt?.query }],
      [
        "belay-answer",
        { queryId: receipt?.queryId, finish: "stop", found: true, charged: true, sources: 5 },
      ],
    ]);
    expect(reader.requests).toContain("POST /api/v1/session");
    expect(await reader.page.context().cookies()).toEqual([]);
    expect(reader.problems).toEqual([]);
  });

  it("is followed up with the turns before it", async () => {
    const reader = await visit();
    await reader.ask({ tag: "first", tokens: ["Twenty."] });
    expect(await reader.answer()).toBe("Twenty.");
    await reader.ask({ tag: "second", tokens: ["A day."] }, "And how long?");
    await expect.poll(() => reader.box.locator(".exchange").count()).toBe(2);
    expect(await reader.answer()).toBe("A day.");
    const asked = embedding.site.model.requests.find(({ tag }) => tag === "second");
    expect(asked?.roles.slice(1)).toEqual(["user", "assistant", "user"]);
    expect(reader.problems).toEqual([]);
  });

  it("that is stopped is not charged", async () => {
    const reader = await visit();
    await reader.ask({ tokens: 500, gapMs: 20 });
    await reader.latest.locator(".answer", { hasText: "w5 " }).waitFor();
    await reader.box.getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => reader.notice()).toBe("Stopped. You were not charged.");
    await expect.poll(async () => (await receipts(reader))[0]?.state).toBe("refunded");
    await expect.poll(() => reader.note()).toBe(`${LIMIT} of ${LIMIT} answers left`);
    expect((await reader.heard()).at(-1)).toMatchObject(["belay-error", { code: "CANCELLED" }]);
    // The stop button is gone, so the focus is in the form.
    expect(await reader.box.locator("textarea:focus").count()).toBe(1);
    expect(reader.problems).toEqual([]);
  });

  it("whose model failed can be asked again", async () => {
    const reader = await visit();
    await reader.ask({ tokens: 5, fault: "cut", at: 3 });
    await expect.poll(() => reader.notice()).toMatch(/not charged/);
    await reader.box.getByRole("button", { name: "Ask again" }).click();
    await expect.poll(async () => (await receipts(reader)).length).toBe(2);
    expect(await reader.box.locator(".exchange").count()).toBe(1);
    expect((await receipts(reader)).map(({ reason }) => reason)).toEqual(["failed", "failed"]);
    expect(reader.problems).toEqual([]);
  });

  it("that the documents do not answer is not charged", async () => {
    const reader = await visit();
    await reader.ask({ tokens: ["[0] ", "Nothing ", "was ", "found."] }, "How many zorblaks?");
    expect(await reader.answer()).toBe("Nothing was found.");
    await expect.poll(() => reader.notice()).toBe("You were not charged.");
    await expect.poll(() => reader.heard()).toHaveLength(2);
    expect((await reader.heard())[1]).toMatchObject([
      "belay-answer",
      { found: false, charged: false },
    ]);
    await expect.poll(() => reader.note()).toBe(`${LIMIT} of ${LIMIT} answers left`);
  });

  it("is copied and rated", async () => {
    const reader = await visit();
    await reader.ask({ tokens: ["It ", "holds."] });
    await reader.answer();
    await reader.box.getByRole("button", { name: "Copy the answer" }).click();
    await expect
      .poll(() => reader.page.evaluate(() => navigator.clipboard.readText()))
      .toBe("It holds.");
    await reader.box.getByRole("button", { name: "Good answer" }).click();
    await reader.box.getByLabel("Comment on this answer").fill("Clear.");
    await reader.box.getByRole("button", { name: "Send" }).click();
    await expect
      .poll(async () => (await receipts(reader))[0]?.feedback)
      .toEqual({ rating: "up", comment: "Clear." });
    expect((await reader.heard()).at(-1)).toMatchObject(["belay-feedback", { rating: "up" }]);
    expect(reader.problems).toEqual([]);
  });

  it("without a quota is refused, and says when it renews", async () => {
    const reader = await visit();
    for (let n = 0; n < LIMIT; n += 1) {
      await reader.ask({ tokens: [`It is ${n}.`] });
      await expect.poll(() => reader.latest.locator(".answer").textContent()).toBe(`It is ${n}.`);
      await reader.answer();
    }
    const banner = reader.box.locator(".banner");
    await expect.poll(() => banner.textContent()).toMatch(/^Your quota is used up. It renews at /);
    expect(await reader.box.getByRole("button", { name: "Ask", exact: true }).isDisabled()).toBe(
      true,
    );
    // Another tab does not know yet.
    await reader.page.evaluate(() =>
      document
        .querySelector<HTMLElement & { ask(q: string): Promise<void> }>("belay-ask")
        ?.ask("?"),
    );
    await expect.poll(() => reader.notice()).toMatch(/^Your quota is used up/);
    expect((await reader.heard()).at(-1)).toMatchObject([
      "belay-error",
      { code: "QUOTA_EXCEEDED" },
    ]);
  });
});

it(`reads the same text, charged once, over ${CUTS} cuts`, { timeout: 120_000 }, async () => {
  const random = new Random(20_261_128);
  const tokens = ["Belay ", "張", "三 ", "\u{1f600} ", "**holds** ", "\r\n\n", "on [1]."];
  const server: FaultyServer = await startFaultyServer(embedding.site.server.url, "");
  const user = crypto.randomUUID();
  const token = await bearer(SECRET, { user });
  /** The client gives up after ten tries without a token. */
  const faults = (): Fault[] =>
    Array.from({ length: ASKS * (CUTS_EACH + 1) }, (_, n): Fault => {
      if (n % (CUTS_EACH + 1) === CUTS_EACH) return { how: "end", bytes: Infinity };
      if (random.chance(0.1)) return { how: random.pick(["unsent", "unanswered"]) };
      return { how: random.pick(["reset", "end"]), bytes: random.whole(0, 1_200) };
    });
  const names = ["127.0.0.1", "localhost"];
  const urls = Array.from({ length: AT_ONCE }, (_, n) =>
    server.plan(faults(), n).replace("127.0.0.1", names[n % 2] ?? ""),
  );
  const body = urls.map((url) => `<belay-ask url="${url}"></belay-ask>`).join("");
  const reader = await visit({
    body,
    connect: names.map((name) => server.url.replace("127.0.0.1", name)).join(" "),
  });
  const shown: string[] = await reader.page.evaluate(
    async ({ token, question, asks }) => {
      type Ask = HTMLElement & { token: string; ask(question: string): Promise<void> };
      const done = Promise.withResolvers<void>();
      const texts: string[] = [];
      let events = 0;
      document.addEventListener("belay-error", (event) =>
        done.reject(new Error(JSON.stringify((event as CustomEvent).detail))),
      );
      document.addEventListener("belay-answer", () => {
        events += 1;
      });
      const ask = async (element: Ask) => {
        element.token = token;
        for (let n = 0; n < asks; n += 1) {
          await element.ask(question);
          const answers = element.shadowRoot?.querySelectorAll(".answer") ?? [];
          texts.push([...answers].at(-1)?.textContent ?? "");
        }
      };
      const all = [...document.querySelectorAll<Ask>("belay-ask")].map(ask);
      await Promise.race([Promise.all(all), done.promise]);
      while (events < texts.length) await new Promise((resolve) => setTimeout(resolve, 50));
      return texts;
    },
    {
      token,
      question: `What is the quota? [[model ${JSON.stringify({ tokens, gapMs: 1 })}]]`,
      asks: ASKS,
    },
  );
  expect(new Set(shown)).toEqual(new Set(["Belay 張三 \u{1f600} holdson 1."]));
  console.log(`The same text over ${server.cuts} cuts, in ${shown.length} answers.`);
  expect(server.cuts).toBeGreaterThanOrEqual(CUTS);
  const quota = await fetch(`${embedding.site.server.url}/api/v1/ai/quota`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect((await quota.json()) as Quota).toMatchObject({ charged: shown.length, reserved: 0 });
  await server.close();
});
