// The arithmetic of docs/cost.md, by hand; and that the page shows what the
// stored figures give.

import { describe, expect, it } from "vitest";
import { bill, freeLimits, listPrice, vectorDollars } from "../../bench/cost/bill.ts";
import stored from "../../bench/cost/figures.json?raw";
import type { AnswerFigures, Figures } from "../../bench/cost/figures.ts";
import { copiesNeeded, fullest, load } from "../../bench/cost/growth.ts";
import { sections, written } from "../../bench/cost/page.ts";
import { usageOf } from "../../bench/cost/usage.ts";
import page from "../../docs/cost.md?raw";

const answer: AnswerFigures = {
  tokens: 300,
  promptCharacters: 4_000,
  workerRequests: 1,
  userRequests: 1,
  corpusCalls: 2,
  alarmsRung: 1,
  rowsRead: 100,
  rowsWritten: 6,
  alarmsSet: 1,
  seconds: 6.25,
  modelSeconds: 6,
  cpuMs: 10,
  storedBytes: 10_000,
};
const figures: Figures = {
  measuredOn: "2026-11-28T00:00:00.000Z",
  quotes: { ...answer, seconds: 0.25, modelSeconds: 0 },
  model: answer,
  firstRowsWritten: 4,
  edgeCpuMs: 0.5,
  streamMb: 0.5,
  searchCpuMs: { "5000": 1, "50000": 10 },
  passageBytes: 2_000,
};

describe("the bill", () => {
  const usage = usageOf(figures, "model", 30);

  it("counts every request, each alarm as a row, and the wall clock of both objects", () => {
    expect(usage.each).toMatchObject({ workerRequests: 3, objectRequests: 6, rowsWritten: 7 });
    expect(usage.each.gbSeconds).toBeCloseTo((6.25 + 0.001) * 0.128);
    expect(listPrice(usage, "gbSeconds")).toBeCloseTo(6.251 * 0.128 * 12.5);
    expect(listPrice(usage, "rowsWritten")).toBeCloseTo(7);
  });

  it("begins after what the plan includes", () => {
    const { lines, totalDollars, modelDollars } = bill(usage, 10_000_000);
    const dollars = Object.fromEntries(lines.map((line) => [line.item, line.dollars]));
    expect(dollars.workerRequests).toBeCloseTo((30 - 10) * 0.3);
    expect(dollars.objectRequests).toBeCloseTo((60 - 1) * 0.15);
    expect(dollars.rowsWritten).toBeCloseTo(70 - 50);
    expect(dollars.rowsRead).toBe(0);
    expect(dollars.storedGb).toBeCloseTo((100 - 5) * 0.2);
    expect(modelDollars).toBeCloseTo(10 * (1_000 * 0.35 + 300 * 0.75));
    const items = lines.reduce((sum, line) => sum + line.dollars, 0);
    expect(totalDollars).toBeCloseTo(5 + items + modelDollars);
    expect(bill(usage, 0).totalDollars).toBe(5);
  });

  it("says which limit of the free plan binds first", () => {
    const [first] = freeLimits(usage, 30);
    expect(first?.what).toContain("neurons");
    expect(first?.answersADay).toBeCloseTo(10_000 / (31.818 + 20.4546), 0);
    const quotes = freeLimits(usageOf(figures, "quotes", 30), 30);
    expect(quotes[0]?.what).toContain("rows written");
    expect(quotes[0]?.answersADay).toBeCloseTo(100_000 / 7);
    const storage = quotes.find(({ what }) => what.startsWith("stored"));
    expect(storage?.answersADay).toBeCloseTo(5e9 / (30 * 10_000));
  });

  it("has the example that Cloudflare gives for Vectorize", () => {
    // 1,024 dimensions here, 768 there.
    const { questions, stored: passages } = vectorDollars(10_000);
    expect(questions * 0.03 + passages).toBeCloseTo((0.31 * 1_024) / 768, 1);
  });
});

describe("the growth", () => {
  const scale = { users: 10_000, asks: 5, passages: 5_000, streamSeconds: 6 };

  it("fills the corpus object with users, and storage with documents", () => {
    const many = load(figures, { ...scale, users: 10_000_000 });
    expect(many.answersASecond).toBeCloseTo((4 * 5e7) / 86_400);
    expect(many.openStreams).toBeCloseTo(many.answersASecond * 6);
    expect(many.parts["CPU of the corpus object"]).toBeCloseTo(many.answersASecond / 1_000);
    expect(fullest(many).part).toBe("requests of the corpus object");
    const large = load(figures, { ...scale, users: 1, passages: 5_000_000 });
    expect(large.parts["storage of the corpus object"]).toBeCloseTo(1);
    expect(fullest(large).part).toBe("storage of the corpus object");
  });

  it("fills one user's object with this user's asks only", () => {
    const one = load(figures, { ...scale, users: 1, asks: 86_400 });
    expect(one.parts["CPU of one user's object"]).toBeCloseTo(4 * 0.01);
    expect(one.parts["transactions of one user's object"]).toBeCloseTo(8 / 410);
    expect(one.parts["memory of one user's object"]).toBeCloseTo((4 * 6 * 0.5) / 128);
    const { parts } = load(figures, { ...scale, users: 1_000_000 });
    expect(parts["CPU of one user's object"]).toBe(
      load(figures, scale).parts["CPU of one user's object"],
    );
  });

  it("counts the copies that keep each object at most 60 % busy", () => {
    expect([0, 0.6, 0.61, 1.2, 6].map(copiesNeeded)).toEqual([0, 0, 1, 1, 9]);
  });
});

describe("docs/cost.md", () => {
  const measured = JSON.parse(stored) as Figures;

  it.each(Object.entries(sections(measured)))(
    "shows what the stored figures give: %s",
    (name, section) => {
      const [, shown] =
        new RegExp(`<!-- cost: ${name} -->\n(.*?)\n<!-- end -->`, "s").exec(page) ?? [];
      expect(unpadded(shown ?? "")).toBe(unpadded(section));
    },
  );

  it("shows other figures once they are written", () => {
    const changed = { ...measured, edgeCpuMs: 123.456 };
    expect(page).not.toContain("123 ms");
    expect(written(page, changed)).toContain("123 ms");
  });
});

/** The formatter pads the columns of tables: undo that. */
function unpadded(markdown: string): string {
  return markdown.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---").trim();
}
