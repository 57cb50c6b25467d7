// Rendering time grows only with the length of an answer, and no task of the main
// thread is long. Both are CPU times with style, layout and painting: the machine
// may do other work.

import { afterAll, beforeAll, expect, it } from "vitest";
import { growth, repeated, type Shape } from "../support/growth.ts";
import { ANSWERS } from "../support/hostile-answers.ts";
import { longestTask, Renderer } from "./renderer.ts";
import { Site, type Visit } from "./site.ts";

/** In UTF-16 units. An answer has at most 256 KiB. */
const ANSWER_LENGTH_MAX = 262_144;
/** The time includes style, layout and painting, which grow faster than a reader. */
const BOUNDS = { from: 8_192, to: 32_768, suspectExponent: 1.65 };
const TRIES = 3;
/** The aim is 100 ms. Garbage collection, a cold cache and a slow machine may add to it. */
const TASK_MS_MAX = 250;
/** What `layOut` takes where that is the limit. A slower machine has a longer one. */
const REFERENCE_MS = 50;
const REFERENCE_PARAGRAPHS = 2_000;

/** One of each kind; test/growth has more. */
const SHAPES = [
  ...["one line", "backticks", "hyphens", "emphasis that begins", "tildes", "open brackets"],
  ...["open links", "images that begin", "less-than signs", "citations", "lenticular brackets"],
  ...["ampersands", "backslashes", "bars", "tags", "rows of a table", "quotes within quotes"],
  ...[
    "lists within lists",
    "lists of lists",
    "digits with dots",
    "empty lines",
    "tabs",
    "headings",
  ],
  ...["fences", "carriage returns", "emoji", "combining marks", "text from the right"],
] as const;

let site: Site;
let visit: Visit;
let renderer: Renderer;
const tasks: { readonly name: string; readonly ms: number }[] = [];

beforeAll(async () => {
  site = await Site.open();
  visit = await site.visit();
  renderer = await Renderer.in(visit);
});
afterAll(async () => {
  const worst = tasks.sort((a, b) => b.ms - a.ms).slice(0, 5);
  console.log(`The longest tasks: ${worst.map(({ name, ms }) => `${name} ${ms.toFixed(0)} ms`)}.`);
  await visit?.close();
  await site?.close();
});

it.each(SHAPES)("the cost of %s grows with its length, in short tasks", async (name) => {
  const shape = ANSWERS[name] as (length: number) => string;
  const { exponent } = await growth((length) => renderer.cost(shape(length)), BOUNDS);
  expect(exponent).toBeLessThan(BOUNDS.suspectExponent);
  const ms = await longest(async () => {
    await renderer.clear();
    await renderer.show(shape(BOUNDS.to));
  });
  await renderer.clear();
  tasks.push({ name, ms });
  await expectShort(ms);
});

it.each([
  ["in one token", ANSWERS.prose as Shape, ANSWER_LENGTH_MAX],
  ["in tokens of four characters, all at once", ANSWERS.prose as Shape, 4],
  ["without a letter", repeated("12, 34.\n\n"), ANSWER_LENGTH_MAX],
])("the page reads the longest answer %s", async (_, shape, size) => {
  const answer = `${shape(ANSWER_LENGTH_MAX - 10).slice(0, ANSWER_LENGTH_MAX - 10)}\n\nThe end.`;
  const events = [
    { type: "start", queryId: "1-0", quotaRemaining: 1 },
    { type: "sources", sources: [] },
    ...tokensOf(answer, size).map((token) => ({ type: "token", token })),
    { type: "done", queryId: "1-0", sources: [], finish: "stop", found: true, quotaRemaining: 1 },
  ];
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  await visit.page.route("**/api/v1/ai/ask*", (route) =>
    route.fulfill({ contentType: "text/event-stream", body }),
  );
  const task = await longest(async () => {
    await visit.ask("How long?");
    await visit.latest.locator(".actions:not([hidden])").waitFor();
  });
  console.log(`The longest task of an answer of 256 KiB: ${task.toFixed(0)} ms.`);
  expect(await visit.latest.locator(".answer p").last().textContent()).toBe("The end.");
  await expectShort(task);
  await visit.page.unroute("**/api/v1/ai/ask*");
});

/** The longest task during an action, in ms. Repeats what looks too long. */
async function longest(done: () => Promise<void>): Promise<number> {
  let ms = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES && ms >= TASK_MS_MAX; i += 1) {
    ms = Math.min(ms, await longestTask(visit, done));
  }
  return ms;
}

/** Holds that a task is short, also on a slow machine. */
async function expectShort(ms: number): Promise<void> {
  if (ms < TASK_MS_MAX) return;
  let reference = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES; i += 1) {
    reference = Math.min(reference, await longestTask(visit, layOut));
  }
  expect(ms).toBeLessThan(TASK_MS_MAX * Math.max(1, reference / REFERENCE_MS));
}

/** A task of the same kind of work, with nothing that is tested here. */
async function layOut(): Promise<void> {
  await visit.page.evaluate(async (count) => {
    const root = document.createElement("div");
    for (let i = 0; i < count; i += 1) {
      const paragraph = document.createElement("p");
      paragraph.append(
        `Paragraph ${i} has some `,
        document.createElement("b"),
        "words to lay out.",
      );
      root.append(paragraph);
    }
    document.body.append(root);
    root.getBoundingClientRect();
    root.remove();
    // A task whose end is not seen has no time.
    await new Promise((resolve) => setTimeout(resolve));
  }, REFERENCE_PARAGRAPHS);
}

function tokensOf(text: string, size: number): string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];
}
