// Shared by the tests of the page: one server and browser, and visits that are closed
// after each test. A visit without a listed problem had none.

import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { bearerToken } from "../../../scripts/bearer-token.ts";
import { variables } from "../../../scripts/variables.ts";
import { Site, type Visit, type VisitOptions } from "../site.ts";

export const PHONE = { viewport: { width: 390, height: 800 }, hasTouch: true } as const;
export const STORY = ["Once ", "upon ", "a ", "time ", "there ", "was ", "a ", "quota ", "[1]."];
export const SLOW = { tokens: STORY, gapMs: 250 };

let opened: Site | undefined;
const visits: Visit[] = [];
/** Browser errors that a test causes on purpose. */
let expected = /^$/;

/** Called once, by the file that runs. */
export function arrange(): void {
  beforeAll(async () => {
    // Short, for the reader who closes the tab.
    opened = await Site.open({ RESUME_WAIT_SECONDS: "6" });
  });
  afterAll(() => opened?.close());
  afterEach(async () => {
    const problems = visits
      .flatMap((visit) => visit.problems)
      .filter((text) => !expected.test(text));
    expected = /^$/;
    await Promise.all(visits.splice(0).map((visit) => visit.close()));
    expect(problems).toEqual([]);
  });
}

export function site(): Site {
  if (opened === undefined) throw new Error("The site opens before the first test.");
  return opened;
}

export function expectProblems(problems: RegExp): void {
  expected = problems;
}

export async function newVisit(options: VisitOptions = {}): Promise<Visit> {
  const visit = await site().visit(options);
  visits.push(visit);
  return visit;
}

/** A reader's bearer token. */
export async function token(seconds = 60, user = "reader"): Promise<string> {
  return bearerToken(await variables(), { user, seconds });
}

/** An operator's request to the documents. */
export async function operator<Body>(method: string, path: string, body?: unknown): Promise<Body> {
  const bearer = await bearerToken(await variables(), { user: "ops", operator: true, seconds: 60 });
  const response = await fetch(`${site().server.url}/api/v1/admin/documents${path}`, {
    method,
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json() as Promise<Body>;
}

/** Asks without the page, which shows it after a reload. */
export function askUnseen(visit: Visit, count: number): Promise<void> {
  return visit.page.evaluate(async (count) => {
    for (let n = 0; n < count; n += 1) {
      await fetch("/api/v1/ai/ask", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: `Question ${n}?` }),
      });
    }
  }, count);
}
