// Shared by the tests of the console: one server and browser, operators at work, and
// what users did before. A visit without a listed problem had none.

import { afterAll, afterEach, beforeAll, expect, vi } from "vitest";
import { bearerToken } from "../../../scripts/bearer-token.ts";
import { variables } from "../../../scripts/variables.ts";
import { NOTHING_FOUND } from "../../../src/answer/nothing-found.ts";
import { API_PREFIX } from "../../../src/protocol.ts";
import { type Directive, release, scripted } from "../../support/directive.ts";
import { Site, type Visit, type VisitOptions } from "../site.ts";

/** What the console keeps the token under, in the tab's own storage. */
export const KEY = "belay operator";
/** A name that would run if it were HTML. */
export const HOSTILE = '"><img src=x onerror=alert(1)>';
export const HTML = "<img src=x onerror=alert(2)>";
/** A name with all that an address treats as its own, and a mark that turns text. */
export const ODD = "a/b c%20d?#\u202eexe";
/** The same as the console writes it. */
export const ODD_SHOWN = "a/b c%20d?#⟨U+202E⟩exe";
export const GAP = "How tall is the tower of Pisa?";
/** How long a test waits for what comes at once, however busy the machine is. */
export const SOON = { timeout: 10_000 } as const;
export const COMMENT = "The second step is missing.";

/** Reports to the directory are made by the alarm: here it rings often. */
const VARIABLES = { SWEEP_INTERVAL_MS: "1000" };

let opened: Site | undefined;
const visits: Visit[] = [];
/** Browser errors that a test causes on purpose. */
let expected = /^$/;

/** Called once, by the file that runs. Each server has its own file. */
export function arrange(variables: () => Readonly<Record<string, string>> = () => ({})): void {
  beforeAll(async () => {
    opened = await Site.open({ ...VARIABLES, ...variables() });
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

export function expectProblems(problems: RegExp): void {
  expected = problems;
}

function site(): Site {
  if (opened === undefined) throw new Error("The site opens before the first test.");
  return opened;
}

/** A bearer token of a user, or of an operator. */
export async function token(user: string, operator = false): Promise<string> {
  return bearerToken(await variables(), { user, operator, seconds: 600 });
}

/** The console without a token. */
export async function stranger(part = "", options: VisitOptions = {}): Promise<Visit> {
  const path = `/console#/${part}`;
  const visit = await site().visit({ path, ready: "#view h1, #sign-in", ...options });
  visits.push(visit);
  return visit;
}

/** The console of an operator who has signed in, and stays so in this visit. */
export async function operatorAt(part: string, options: VisitOptions = {}): Promise<Visit> {
  const session = { [KEY]: await token("olivia", true) };
  const visit = await stranger(part, { session, ...options });
  await settled(visit);
  return visit;
}

export async function signIn({ page }: Visit, pasted: string): Promise<void> {
  await page.fill("#token", pasted);
  await page.press("#token", "Enter");
}

/** Goes where a link in the console would lead. */
export async function goTo(visit: Visit, part: string): Promise<void> {
  await visit.page.evaluate((hash) => {
    if (location.hash === hash) return undefined;
    // The console hears of it first.
    const { promise, resolve } = Promise.withResolvers<void>();
    addEventListener("hashchange", () => resolve(), { once: true });
    location.hash = hash;
    return promise;
  }, `#/${part}`);
  await settled(visit);
}

/** Resolves once nothing is being loaded. */
export async function settled({ page }: Visit): Promise<void> {
  await expect
    .poll(() => page.locator('#view .area[aria-busy="true"], #view .loading').count(), SOON)
    .toBe(0);
}

/** A request without the console. */
export async function request<Body>(
  user: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Body> {
  const authorization = `Bearer ${await token(user, path.startsWith("/admin"))}`;
  const response = await fetch(`${site().server.url}${API_PREFIX}${path}`, {
    method,
    headers: { authorization, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(await response.text());
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as Body;
}

/** Returns the id of the query. */
export async function ask(user: string, directive: Directive, words?: string): Promise<string> {
  const query = scripted(directive, words);
  const { queryId } = await request<{ queryId: string }>(user, "POST", "/ai/ask", { query });
  return queryId;
}

/** Lets the model end the answer that it holds under this tag. */
export function letEnd(tag: string): void {
  release(site().model.requests, tag);
}

/** They and GAP are one group: the scripted model's part of them is alike. */
const BICYCLES = [
  ["alice", "Do you sell bicycles?"],
  ["alice", "Can I buy used bicycles?"],
  [HOSTILE, "Where are bicycles sold?"],
] as const;
/** How many questions users have asked. */
export const ASKED = 9;

/** What users did: answers, questions without one, and a bad rating. */
export async function usersHaveAsked(): Promise<void> {
  const rated = await ask("alice", { tokens: ["Once [1]."] }, "When am I charged?");
  await ask("alice", { tokens: ["By Belay [1]."] }, "Who writes the answers?");
  await ask("bob", { tokens: ["It is a quota [1]."] }, "What is a quota?");
  await ask(HOSTILE, { tokens: ["<b>No</b>"] }, `${HTML} When am I charged?`);
  await ask("bob", { tokens: [NOTHING_FOUND, " I found nothing about that."] }, GAP);
  for (const [user, question] of BICYCLES) await ask(user, { tokens: [NOTHING_FOUND] }, question);
  await ask(ODD, { tokens: ["Yes [1]."] }, `\u202e${"Long words. ".repeat(300)}`);
  const rate = { queryId: rated, rating: "down", comment: COMMENT };
  await request("alice", "POST", "/ai/feedback", rate);
  await reported(ASKED);
}

/** Resolves once the directory knows of this many questions, and of a rating. */
export async function reported(asked: number): Promise<void> {
  const check = async () => {
    const totals = await request<{ days: { asked: number }[] }>("ops", "GET", "/admin/totals");
    const { queries } = await request<{ queries: unknown[] }>("ops", "GET", "/admin/feedback");
    const sum = totals.days.reduce((total, day) => total + day.asked, 0);
    expect([sum, queries.length]).toEqual([asked, 1]);
  };
  await vi.waitFor(check, { timeout: 60_000, interval: 250 });
}
