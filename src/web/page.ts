// The page at /: asks, shows and keeps in view, and all that its parts do together. What an answer looks
// like is in exchange.ts; how its connection is kept, in client/.

import { BelayError, createClient, type Receipt, type Turn } from "../client/client.ts";
import { API_PREFIX, type Examples } from "../protocol.ts";
import { Composer } from "./composer.ts";
import { button, byId, element, icon } from "./element.ts";
import { Exchange, type Surroundings } from "./exchange.ts";
import { History } from "./history.ts";
import { QuotaMeter, renewal } from "./quota-meter.ts";
import { ClosedError, Session } from "./session.ts";

/** As much of the conversation as is sent along: the wire takes 20 turns, and 64 KiB with the question. */
const TURNS_MAX = 20;
const TURNS_BYTES_MAX = 40_000;
/** How near to its end the page counts as being read there. */
const NEAR_END_PX = 120;
const CLOCK_MS = 30_000;

const session = new Session();
const client = createClient({ url: "", token: session.token, fetch: session.fetch });

const body = document.body;
const log = byId("log", HTMLElement);
const status = byId("status", HTMLElement);
const banner = byId("banner", HTMLElement);
const examples = byId("examples", HTMLElement);
const sidebar = byId("sidebar", HTMLElement);

const meter = new QuotaMeter();
const composer = new Composer(ask, () => live?.stop());
const history = new History(client, open);

let thread: Exchange[] = [];
let live: Exchange | undefined;
let closed = false;
let atEnd = true;

const around: Surroundings = {
  announce(text) {
    status.textContent = text;
  },
  again: ask,
  held() {
    // The meter is right again when the answer has ended.
    refreshQuota().catch(() => {});
  },
  rate: (queryId, rating, comment) => client.feedback(queryId, rating, comment),
  grown() {
    if (atEnd) scrollTo({ top: document.documentElement.scrollHeight });
  },
};

function ask(question: string): void {
  if (isBusy()) return;
  const exchange = add(new Exchange(question, around));
  const turns = conversation(thread.slice(0, -1));
  const follow = exchange.follow((options) => client.ask(question, { ...options, history: turns }));
  busyWith(exchange, follow);
}

/** Reads a former answer again, which is free. */
function open(receipt: Receipt): void {
  if (isBusy()) return;
  const { queryId, query, state, answer } = receipt;
  clear();
  history.opened = queryId;
  if (sidebar.matches(":popover-open")) sidebar.hidePopover();
  const exchange = add(new Exchange(query ?? "", around));
  if (state !== "reserved" && answer === null) {
    exchange.explain("This answer was not kept, because it did not arrive whole. Ask again.");
    return;
  }
  const follow = exchange.follow((options) => client.events(queryId, options), receipt.feedback);
  busyWith(exchange, follow);
}

/** Whether an answer is being written: it is let finish, or stopped, before another takes its place. */
function isBusy(): boolean {
  if (live === undefined) return false;
  const words = "One answer at a time: let this one finish, or stop it.";
  composer.remark(words);
  around.announce(words);
  return true;
}

function add(exchange: Exchange): Exchange {
  body.classList.remove("fresh");
  thread.push(exchange);
  log.append(exchange.root);
  atEnd = true;
  around.grown();
  return exchange;
}

async function busyWith(exchange: Exchange, ended: Promise<void>): Promise<void> {
  live = exchange;
  composer.answering = true;
  await ended;
  live = undefined;
  composer.answering = false;
  // What is shown beside the answer is of no weight: it comes again with the next one.
  await Promise.allSettled([refreshQuota(), history.refresh()]);
}

async function refreshQuota(): Promise<void> {
  meter.show(await client.quota());
  refuseIfSpent();
}

function refuseIfSpent(): void {
  if (closed) return;
  const when = renewal(meter.resetsAt, Date.now());
  composer.refuse(meter.spent ? `Your quota is used up. ${when}` : "");
}

/** The last turns, whole, as far as they may be sent. */
function conversation(exchanges: readonly Exchange[]): readonly Turn[] {
  const kept: Turn[] = [];
  let bytes = 0;
  for (const { turns } of exchanges.toReversed()) {
    bytes += new TextEncoder().encode(JSON.stringify(turns)).length;
    if (bytes > TURNS_BYTES_MAX || kept.length + turns.length > TURNS_MAX) break;
    kept.unshift(...turns);
  }
  return kept;
}

function clear(): void {
  thread = [];
  log.replaceChildren();
  history.opened = undefined;
}

function startAnew(): void {
  if (isBusy()) return;
  clear();
  body.classList.add("fresh");
  if (sidebar.matches(":popover-open")) sidebar.hidePopover();
  composer.focus();
}

function warn(words: string): void {
  if (banner.textContent !== words) banner.textContent = words;
  banner.hidden = words === "";
  if (words !== "") around.announce(words);
}

function showConnection(): void {
  warn(navigator.onLine ? "" : "You are offline. What you see stays; new questions have to wait.");
}

async function showExamples(): Promise<void> {
  await session.token();
  const response = await session.fetch(`${API_PREFIX}/ai/examples`);
  if (!response.ok) return;
  const { empty, questions }: Examples = await response.json();
  byId("empty-corpus", HTMLElement).hidden = !empty;
  examples.replaceChildren(
    ...questions.map((question) =>
      element(
        "li",
        {},
        button(
          {},
          () => {
            composer.focus();
            ask(question);
          },
          element("span", { dir: "auto" }, question),
          icon("arrow"),
        ),
      ),
    ),
  );
}

async function begin(): Promise<void> {
  try {
    await Promise.all([refreshQuota(), history.refresh(), showExamples()]);
  } catch (thrown) {
    const cause = thrown instanceof BelayError ? thrown.cause : thrown;
    closed = cause instanceof ClosedError;
    const words = closed
      ? "Asking without signing in is switched off here. Its operator can switch it on, with ANONYMOUS_LIMIT."
      : "The service could not be reached. Load the page again in a moment.";
    warn(words);
    if (closed) composer.refuse(words);
  }
}

for (const anew of document.querySelectorAll("[data-new]"))
  anew.addEventListener("click", startAnew);
addEventListener("online", showConnection);
addEventListener("offline", showConnection);
addEventListener(
  "scroll",
  () => {
    const { scrollHeight } = document.documentElement;
    atEnd = scrollY + innerHeight > scrollHeight - NEAR_END_PX;
  },
  { passive: true },
);
// The quota renews while the page lies open.
setInterval(() => {
  if (!meter.spent) return;
  const { resetsAt } = meter;
  if (resetsAt !== null && Date.parse(resetsAt) <= Date.now()) refreshQuota().catch(() => {});
  else refuseIfSpent();
}, CLOCK_MS);
showConnection();
// A keyboard on the glass would cover half of what there is to read.
if (matchMedia("(pointer: fine)").matches) composer.focus();
begin();
