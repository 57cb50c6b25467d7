// The page at /: asks, shows and keeps in view, and all that its parts do together. What an answer looks
// like is in exchange.ts; how its connection is kept, in client/.

import { BelayError, createClient, type Receipt, type Turn } from "../client/client.ts";
import { API_PREFIX, type Examples } from "../protocol.ts";
import { Composer } from "./composer.ts";
import { button, byId, element, icon } from "./element.ts";
import { Exchange, type Surroundings } from "./exchange.ts";
import { History } from "./history.ts";
import { QuotaMeter, renewal } from "./quota-meter.ts";
import { Session, SessionError } from "./session.ts";
import { View } from "./view.ts";

/** As much of the conversation as is sent along: the wire takes 20 turns, and 64 KiB with the question. */
const TURNS_MAX = 20;
const TURNS_BYTES_MAX = 40_000;
const CLOCK_MS = 30_000;
/** The pauses before the quota is read again while the last answer is not charged yet, in ms. */
const SETTLING_MS = [100, 400, 1_600];
/** Under which name this tab keeps which queries stand in its log, for when it is loaded again. */
const KEPT = "belay log";

const session = new Session();
const client = createClient({ url: "", token: session.token, fetch: session.fetch });

const body = document.body;
const log = byId("log", HTMLElement);
const status = byId("status", HTMLElement);
const banner = byId("banner", HTMLElement);
const examples = byId("examples", HTMLElement);
const sidebar = byId("sidebar", HTMLElement);
const siteTitle = document.title;

const meter = new QuotaMeter();
const composer = new Composer(ask, stop);
const history = new History(client, (receipt) => {
  if (refuseWhileAnswering()) return;
  clear();
  history.opened = receipt.queryId;
  read(receipt);
  view.toStart();
});
const view = new View();

let thread: Exchange[] = [];
let live: Exchange | undefined;
/** Whether `thread` is all that this tab has to keep: what it showed before it was loaded again is in it, or given up. */
let restored = false;
/** How often the quota was asked for. */
let quotaReads = 0;
/** Whether the service has been reached; and whether it lets in nobody like this reader. */
let begun = false;
let closed = false;

const around: Surroundings = {
  announce(text) {
    status.textContent = text;
  },
  again(exchange) {
    if (refuseWhileAnswering()) return;
    if (!exchange.whole) drop(exchange);
    ask(exchange.question);
  },
  held() {
    // The meter is right again when the answer has ended.
    refreshQuota().catch(() => {});
  },
  async rate(queryId, rating, comment) {
    await client.feedback(queryId, rating, comment);
    // Or the answer, opened again, would not show it.
    history.refresh().catch(() => {});
  },
  grown: () => view.grown(),
};

async function ask(question: string): Promise<void> {
  if (refuseWhileAnswering()) return;
  restored = true;
  const turns = conversation();
  const exchange = add(new Exchange(question, around));
  view.toEnd();
  await attend(
    exchange,
    exchange.follow("Searching the documents", (options) =>
      client.ask(question, { ...options, history: turns }),
    ),
  );
  await refresh();
  await settleQuota();
}

/** What was read when the answer ended, before it was known what becomes of it, is read once more. */
async function stop(): Promise<void> {
  await live?.stop();
  await refresh();
}

/** Reads a former answer again, which is free; live, where it is still being written. */
async function read(receipt: Receipt): Promise<void> {
  const { queryId, query, state, answer, feedback } = receipt;
  const exchange = add(new Exchange(query ?? "", around, queryId));
  if (state !== "reserved" && answer === null) {
    exchange.explain("This answer did not arrive whole: it was not kept, and not charged.");
    return;
  }
  await attend(
    exchange,
    exchange.follow("Opening the answer", (options) => client.events(queryId, options), feedback),
  );
  if (state === "reserved") refresh();
}

/** Whether an answer is being written, which the reader is then told: it is let finish, or stopped, before another takes its place. */
function refuseWhileAnswering(): boolean {
  if (live === undefined) return false;
  const words = "One answer at a time: let this one finish, or stop it.";
  composer.remark(words);
  around.announce(words);
  return true;
}

async function attend(exchange: Exchange, ended: Promise<void>): Promise<void> {
  live = exchange;
  composer.answering = true;
  await ended;
  live = undefined;
  composer.answering = false;
  keep();
}

function add(exchange: Exchange): Exchange {
  body.classList.remove("fresh");
  if (sidebar.matches(":popover-open")) sidebar.hidePopover();
  thread.push(exchange);
  log.append(exchange.root);
  document.title = `${thread[0]?.question} · ${siteTitle}`;
  return exchange;
}

function drop(exchange: Exchange): void {
  thread = thread.filter((other) => other !== exchange);
  exchange.root.remove();
}

function clear(): void {
  thread = [];
  restored = true;
  log.replaceChildren();
  history.opened = undefined;
  document.title = siteTitle;
}

function startAnew(): void {
  if (refuseWhileAnswering()) return;
  clear();
  keep();
  body.classList.add("fresh");
  if (sidebar.matches(":popover-open")) sidebar.hidePopover();
  composer.focus();
  // There may be other documents by now.
  showExamples().catch(() => {});
}

/** The last turns, whole, as far as they may be sent. */
function conversation(): readonly Turn[] {
  const kept: Turn[] = [];
  let bytes = 0;
  for (const { turns } of thread.toReversed()) {
    bytes += new TextEncoder().encode(JSON.stringify(turns)).length;
    if (bytes > TURNS_BYTES_MAX || kept.length + turns.length > TURNS_MAX) break;
    kept.unshift(...turns);
  }
  return kept;
}

function keep(): void {
  if (!restored) return;
  const queryIds = thread.map(({ queryId }) => queryId).filter((id) => id !== undefined);
  sessionStorage.setItem(KEPT, JSON.stringify(queryIds));
}

/** What stood here before the page was loaded again. Throws if it cannot be known just now. */
async function kept(): Promise<readonly Receipt[]> {
  const queryIds: string[] = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
  const receipts = await Promise.all(
    queryIds.map((queryId) =>
      client.query(queryId).catch((thrown) => {
        // Asked in a session that is over.
        if (thrown instanceof BelayError && thrown.code === "NOT_FOUND") return undefined;
        throw thrown;
      }),
    ),
  );
  return receipts.filter((receipt) => receipt !== undefined);
}

/** Shows it again; the answer that loading the page broke off too, to be asked again. */
async function restore(receipts: readonly Receipt[]): Promise<void> {
  // Asked anew meanwhile, or being restored already.
  if (restored || thread.length > 0) return;
  for (const receipt of receipts) if (receipt.query !== null) await read(receipt);
  restored = true;
  keep();
}

/** What is shown beside the answers is of no weight: where it fails, it comes again with the next one. */
async function refresh(): Promise<void> {
  await Promise.allSettled([refreshQuota(), history.refresh()]);
}

async function refreshQuota(): Promise<void> {
  quotaReads += 1;
  const reading = quotaReads;
  const quota = await client.quota();
  // A later one knows more.
  if (reading !== quotaReads) return;
  meter.show(quota);
  refuseIfSpent();
}

/** An answer is charged some milliseconds after its end: the quota may have been read in between. */
async function settleQuota(): Promise<void> {
  for (const ms of SETTLING_MS) {
    if (!meter.held || live !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, ms));
    await refreshQuota().catch(() => {});
  }
}

function refuseIfSpent(): void {
  if (closed) return;
  const when = renewal(meter.resetsAt, Date.now());
  refuse(meter.spent ? `Your quota is used up. ${when}` : "");
}

function refuse(reason: string): void {
  composer.refuse(reason);
  examples.hidden = reason !== "";
}

async function showExamples(): Promise<void> {
  await session.token();
  const response = await session.fetch(`${API_PREFIX}/ai/examples`);
  if (!response.ok) return;
  const { empty, questions }: Examples = await response.json();
  byId("empty-corpus", HTMLElement).hidden = !empty;
  examples.replaceChildren(
    ...questions.map((question) => {
      const words = element("span", { dir: "auto" }, question);
      return element(
        "li",
        {},
        button({}, () => take(question), words, icon("arrow")),
      );
    }),
  );
}

function take(example: string): void {
  composer.focus();
  ask(example);
}

async function begin(): Promise<void> {
  let receipts: readonly Receipt[];
  try {
    [receipts] = await Promise.all([kept(), refreshQuota(), history.refresh(), showExamples()]);
    begun = true;
    showConnection();
  } catch (thrown) {
    const cause = thrown instanceof BelayError ? thrown.cause : thrown;
    closed = cause instanceof SessionError && cause.closed;
    const words =
      cause instanceof SessionError
        ? cause.message
        : "The service could not be reached. Try again in a moment.";
    if (closed) refuse(words);
    else warn(words);
    return;
  }
  await restore(receipts);
}

function warn(words: string): void {
  if (banner.textContent !== words) banner.textContent = words;
  banner.hidden = words === "";
  if (words !== "") around.announce(words);
}

function showConnection(): void {
  if (!navigator.onLine) warn("You are offline. What you see stays; new questions have to wait.");
  else if (begun) warn("");
}

/** The reader is back: meanwhile others may have asked, or the service may have come back too. */
function comeBack(): void {
  showConnection();
  if (closed || !navigator.onLine || live !== undefined) return;
  if (begun) refresh();
  else begin();
}

for (const anew of document.querySelectorAll("[data-new]"))
  anew.addEventListener("click", startAnew);
addEventListener("online", comeBack);
addEventListener("offline", showConnection);
addEventListener("pagehide", keep);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") comeBack();
});
// The quota renews while the page lies open.
setInterval(() => {
  if (!meter.spent) return;
  const { resetsAt } = meter;
  if (resetsAt !== null && Date.parse(resetsAt) <= Date.now()) refreshQuota().catch(() => {});
  else refuseIfSpent();
}, CLOCK_MS);
showConnection();
composer.focus();
begin();
