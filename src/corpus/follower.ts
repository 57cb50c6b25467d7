// Keeps a copy up to date with its original. It asks the original for the
// changes after its position, page by page: when the original tells it
// that there are some, and before a search if it has not asked for a
// second. So a copy that is not searched costs nothing.

import type { Alarm } from "../alarm.ts";
import { withTimeout } from "../deadline.ts";
import { reasonOf } from "../errors.ts";
import type { ChangePage, Reached } from "./change-log.ts";
import type { CopiedDocuments } from "./copied-documents.ts";
import { CORPUS_SCHEMA } from "./corpus-schema.ts";

/** The object with the documents, as a copy sees it. */
export interface Original {
  /**
   * Some of the changes that a copy has not seen; undefined if there
   * never was a document. Throws if its schema has another version.
   */
  changesAfter(
    reached: Reached | undefined,
    schemaVersion: number,
  ): Promise<ChangePage | undefined>;
}

/** A copy that is searched asks this often. */
const ASK_AFTER_MS = 1_000;
/** A copy that has not heard from its original for longer does not answer. */
const FRESH_MS = 3_000;
/** How long a search waits for the changes. Most take a few milliseconds. */
const SEARCH_WAIT_MS = 250;
const PAGE_TIMEOUT_MS = 10_000;

/** If the object dies before the last page, an alarm goes on. */
const RESUME_MS = 5_000;
const RETRY_MS = 1_000;
/** Then only a search or a change tries again. */
const RETRIES = 8;

export class Follower {
  readonly #documents: CopiedDocuments;
  readonly #originalOf: (id: string) => Original;
  readonly #alarm: Alarm;
  /** When the original was asked for what the copy has now. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** Whether some pages are still to come. */
  #isBehind = false;
  #following: Promise<void> | undefined;
  /** There were further changes while it followed. */
  #isToldAgain = false;
  #failures = 0;

  constructor(documents: CopiedDocuments, originalOf: (id: string) => Original, alarm: Alarm) {
    this.#documents = documents;
    this.#originalOf = originalOf;
    this.#alarm = alarm;
  }

  /**
   * Whether a search finds now what it found in the original at some
   * time in the last seconds. Waits for news, but not for long.
   */
  async isFresh(original: string): Promise<boolean> {
    if (!isWithin(ASK_AFTER_MS, this.#triedAt)) this.#following ??= this.#follow(original);
    if (this.#hasFresh()) return true;
    // A copy that is far behind takes longer than a search can wait.
    if (this.#isBehind || this.#following === undefined) return false;
    const following = this.#following;
    await withTimeout(
      SEARCH_WAIT_MS,
      () => new Error("late"),
      () => following,
    ).catch(() => {});
    return this.#hasFresh();
  }

  /** Called when there are changes, and by the alarm. Never throws. */
  async follow(original = this.#documents.original): Promise<void> {
    if (original === undefined) return;
    if (this.#following !== undefined) this.#isToldAgain = true;
    this.#following ??= this.#follow(original);
    await this.#following;
  }

  /** Deletes all that was copied. */
  async forget(): Promise<void> {
    await this.#following;
    await this.#clear();
  }

  #hasFresh(): boolean {
    return isWithin(FRESH_MS, this.#askedAt);
  }

  async #follow(original: string): Promise<void> {
    try {
      if (this.#documents.areOfAnotherRelease) await this.#clear();
      do {
        this.#isToldAgain = false;
        while (!(await this.#takePage(original)));
      } while (this.#isToldAgain);
      this.#failures = 0;
    } catch (thrown) {
      console.error("The copy could not follow the documents:", reasonOf(thrown));
      this.#failures += 1;
      const waitMs = RETRY_MS * 2 ** this.#failures;
      if (this.#failures <= RETRIES) this.#alarm.set(Date.now() + waitMs);
    } finally {
      this.#following = undefined;
    }
  }

  /** False if there are more pages. */
  async #takePage(original: string): Promise<boolean> {
    const askedAt = Date.now();
    this.#triedAt = askedAt;
    const page = await this.#pageFrom(original);
    if (page === undefined || page.isRestart) {
      this.#isBehind = page !== undefined;
      await this.#clear();
      if (page === undefined) this.#askedAt = askedAt;
      return page === undefined;
    }
    if (page.isOutdated) {
      // The ranks depend on which analyzer has indexed what, and when.
      this.#fallBehind();
      return true;
    }
    const isLast = page.to === page.head;
    if (!isLast) {
      this.#fallBehind();
      this.#alarm.set(Date.now() + RESUME_MS);
    }
    if (page.to !== page.from) this.#documents.take(page, original);
    if (!isLast) {
      await nextTurn();
      return false;
    }
    await this.#finish(page);
    this.#isBehind = false;
    this.#askedAt = askedAt;
    return true;
  }

  /** What it has is not, or soon will not be, all that the original had. */
  #fallBehind(): void {
    this.#isBehind = true;
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  async #finish(page: ChangePage): Promise<void> {
    try {
      while (!this.#documents.finish(page)) {
        this.#fallBehind();
        await nextTurn();
      }
    } catch (thrown) {
      await this.#clear();
      throw thrown;
    }
  }

  async #clear(): Promise<void> {
    this.#askedAt = Number.NEGATIVE_INFINITY;
    await this.#documents.clear();
    // It was deleted with all storage.
    this.#alarm.clear();
  }

  #pageFrom(original: string): Promise<ChangePage | undefined> {
    const message = `The original gave no answer within ${PAGE_TIMEOUT_MS} ms.`;
    const { reached } = this.#documents;
    return withTimeout(
      PAGE_TIMEOUT_MS,
      () => new Error(message),
      () => this.#originalOf(original).changesAfter(reached, CORPUS_SCHEMA.version),
    );
  }
}

/** Also false for a time to come, if the clock was set back. */
function isWithin(ms: number, time: number): boolean {
  const age = Date.now() - time;
  return age >= 0 && age <= ms;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
