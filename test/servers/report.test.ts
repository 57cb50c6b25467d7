// `npm run report` against a real server: what it prints and refuses.

import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { columnsOf } from "../../scripts/ask/lines.ts";
import { reportAsMarkdown, reportAsText } from "../../scripts/report-text.ts";
import { API_PREFIX } from "../../src/protocol.ts";
import type { ShownReport } from "../../src/shown.ts";
import { finished, scriptOf, type } from "../support/command.ts";
import { type RunningServer, SECRET, startServer } from "../support/server.ts";
import { bearer } from "../support/socket-client.ts";

let server: RunningServer;
let operator: string;
let ann: string;
/** What it prints before the first question. */
let empty: Awaited<ReturnType<typeof report>>;

beforeAll(async () => {
  server = await startServer({
    command: "serve",
    inMemory: true,
    vars: {
      ...{ AUTH_SECRET: SECRET, GENERATOR: "extractive", EXTRACTIVE_TOKENS_PER_SECOND: "0" },
      ...{ DELIVERY_HOLD_MS: "20", SWEEP_INTERVAL_MS: "100" },
    },
  });
  operator = await bearer(SECRET, { user: "operator", operator: true });
  ann = await bearer(SECRET, { user: "ann" });
  empty = await report();
  for (const query of ["Do you rent out kayaks?", "A *kayak*\u001b[2J at the weekend?"]) {
    await (await post(ann, "/ai/ask", { query })).text();
  }
  await vi.waitFor(
    async () => expect(JSON.parse((await report("--json")).stdout).totals.asked).toBe(2),
    { timeout: 20_000, interval: 500 },
  );
}, 60_000);
afterAll(() => server.stop());

function post(token: string, path: string, body: unknown): Promise<Response> {
  return fetch(`${server.url}${API_PREFIX}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

function report(...args: readonly string[]) {
  const typed = [scriptOf("report"), `--server=${server.url}`, ...args];
  return finished(type(process.execPath, typed, { BELAY_TOKEN: operator }));
}

describe("npm run report", () => {
  test("says in two lines that nothing was asked, and how to see other days", () => {
    const { code, stdout, stderr } = empty;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^Belay from .*\n\nQuestions\n {2}No question was asked on these days\. --since and --until choose others\.\n {2}An answer is listed half a minute after its end\.\n$/,
    );
  });

  test("prints what was not answered, without control characters", async () => {
    const { code, stdout, stderr } = await report();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Belay from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d\n/);
    expect(stdout).toContain("2 asked, 0 charged, 2 refunded (100%), because:");
    expect(stdout).toMatch(/ 2 {2}kayaks?.* {2}1 user, last on \d{4}-\d\d-\d\d\n/);
    expect(stdout).toContain("“Do you rent out kayaks?”");
    expect(stdout).not.toContain("\u001b");
  });

  test("prints Markdown that shows words as they are", async () => {
    const { code, stdout } = await report("--markdown");
    expect(code).toBe(0);
    expect(stdout).toContain("## Not answered\n");
    expect(stdout).toContain("A \\*kayak\\*");
    expect(stdout).not.toContain("\u001b");
  });

  test("prints the JSON of the route", async () => {
    const { code, stdout } = await report("--json", "--limit=1", "--since=2026-01-01");
    expect(code).toBe(0);
    const { since, unanswered }: ShownReport = JSON.parse(stdout);
    expect(since).toBe("2026-01-01");
    expect(unanswered).toMatchObject({ asked: 2, groups: [{ asked: 2, users: 1 }] });
  });

  test.each([
    ["--limit=0", "--limit must be a whole number from 1 to 100."],
    ["--since=yesterday", "--since must be a day such as 2026-11-22."],
    ["--since=2026-11-22 --until=2026-11-21", "--since must not be after --until."],
    ["--markdown --json", "--markdown does not go with --json."],
  ])("refuses %s", async (args, message) => {
    const { code, stdout, stderr } = await report(...args.split(" "));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(`${message} --help tells more.\n`);
  });

  test("is refused to a user, and says so in one line", async () => {
    const { code, stderr } = await report(`--token=${ann}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/gives no report \(HTTP 403\)\. Only operators may do this\./);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("is refused with a wrong token, which it does not repeat", async () => {
    const { code, stdout, stderr } = await report("--token=not-a-token");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/gives no report \(HTTP 401\)\. /);
    expect(stderr).not.toContain("not-a-token");
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("says how to start a server where there is none", async () => {
    const { code, stdout, stderr } = await report("--server=http://127.0.0.1:1");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^No server can be reached at http:\/\/127\.0\.0\.1:1: .*npm start/);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

const NUMBERS: ShownReport = {
  ...{ since: "2026-11-01", until: "2026-11-28", words: false },
  totals: {
    ...{ asked: 3, charged: 1, failed: 1, tokens: 9 },
    refunded: {
      ...{ disconnected: 0, cancelled: 0, nothing_found: 1 },
      ...{ failed: 1, expired: 0, operator: 0 },
    },
  },
  unanswered: {
    ...{ asked: 1, withoutWords: 1, more: false, groups: [] },
    closest: [{ documentId: "a_b", score: 0.314, asked: 1 }],
    ungrouped: { asked: 0, questions: [] },
  },
  feedback: { up: 0, down: 2, more: false, comments: [] },
  questions: { counted: 3, more: false, top: [] },
  documents: { cited: [], neverCited: null },
};

const TERMINAL = { columns: 80, isStyled: false };
const LONG = "Können Sie mir sagen, wie lange im Winter geöffnet ist? 可以租皮划艇吗？".repeat(9);

const FULL: ShownReport = {
  ...NUMBERS,
  words: true,
  unanswered: {
    ...{ asked: 12_345, withoutWords: 3, more: true, closest: [] },
    groups: [
      {
        ...{ common: ["winter", "*hours*"], asked: 12_000, users: 900 },
        ...{ lastAskedAt: "2026-11-27T09:12:45.120Z", questions: [LONG, "# Winter?"] },
        closest: [{ documentId: `folder/${"a-long-name/".repeat(9)}b`, score: 0.5, asked: 7 }],
      },
    ],
    ungrouped: { asked: 1, questions: ["- Sauna?"] },
  },
  feedback: {
    ...{ up: 1, down: 2, more: false },
    comments: [
      {
        ...{ queryId: "1-a", user: "ann", askedAt: "2026-11-27T09:12:45.120Z" },
        ...{ question: LONG, comment: LONG, documents: ["hours"] },
      },
    ],
  },
  questions: {
    ...{ counted: 10_000, more: true },
    top: [{ question: LONG, asked: 40, users: 1, unanswered: 1, up: 3, down: 2 }],
  },
  documents: {
    cited: [{ documentId: "hours", answers: 7 }],
    neverCited: { count: 200, documentIds: ["a", "b"], more: true },
  },
};

describe("a report in a terminal", () => {
  test.each([40, 80, 200])("of %s columns breaks lines between words", (columns) => {
    const lines = reportAsText(FULL, { columns, isStyled: false }).split("\n");
    const longest = Math.max(...lines.map(columnsOf));
    expect(longest).toBeLessThanOrEqual(Math.min(columns, 100));
    expect(longest).toBeGreaterThan(Math.min(columns, 100) - 12);
    expect(lines.every((line) => line === line.trimEnd())).toBe(true);
  });

  test("has each part, with how often and how near", () => {
    const text = reportAsText(FULL, { columns: 100, isStyled: false });
    for (const part of [
      "12,345 questions found nothing. Older ones are not in this list.",
      "The words of 3 of them were deleted.",
      "12,000  winter, *hours*  900 users, last on 2026-11-27",
      "     1  in none of these groups",
      "(50% of the words)",
      "1 up, 2 down.",
      "ann, 2026-11-27; the answer cites hours.",
      "Of the newest 10,000 questions.",
      "1 user, not answered once, 3 up, 2 down",
      "200 documents or more. The first 2 are:",
    ]) {
      expect(text).toContain(part);
    }
  });

  test("has styles only where the terminal has", () => {
    expect(reportAsText(FULL, TERMINAL)).not.toContain("\u001b");
    const styled = reportAsText(FULL, { columns: 80, isStyled: true });
    expect(styled).toContain("\u001b[1m");
    expect(stripVTControlCharacters(styled)).toBe(reportAsText(FULL, TERMINAL));
  });

  test("without words says what is missing, and how to turn it on", () => {
    const text = reportAsText(NUMBERS, { columns: 100, isStyled: false });
    expect(text.replaceAll(/\s+/g, " ")).toContain(
      "there are no groups, no top questions and no comments here. Set SHARE_QUERIES to true to have them, of the questions asked from then on.",
    );
    expect(text).toContain("Closest: a_b (31% of the words)");
    expect(text).not.toContain("Asked most");
    expect(text).toContain("The documents could not be read.");
    expect(reportAsMarkdown(NUMBERS)).toContain("Closest: a\\_b (31% of the words)");
    expect(reportAsMarkdown(NUMBERS)).toContain("Set SHARE\\_QUERIES to true");
  });
});

test("Markdown keeps its form, whatever users wrote", () => {
  const markdown = reportAsMarkdown(FULL);
  expect(markdown.split("\n").filter((line) => line.startsWith("#"))).toEqual([
    "# Belay from 2026-11-01 to 2026-11-28",
    ...["## Questions", "## Not answered", "## Rated", "## Asked most"],
    ...["## Cited most", "## Never cited"],
  ]);
  expect(markdown).toContain("- 12,000 × winter, \\*hours\\* (900 users");
  expect(markdown).toContain("  - “\\# Winter?”\n");
});
