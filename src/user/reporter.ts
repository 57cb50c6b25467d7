// Reports to the directory, from the alarm: never while a user waits. A report
// says after which position it goes on, and applies only there. If the
// directory is elsewhere, it says where, and gets what it lacks. So a report
// that is sent twice, or whose reply is lost, counts once, and a directory that
// was restored from an older copy gets everything again.

import type { Alarm } from "../alarm.ts";
import { answeredIn } from "../deadline.ts";
import { reasonOf } from "../errors.ts";
import { type Directory, isSamePosition, type Position } from "../report.ts";
import { isWithin } from "./outage.ts";
import { type ReportOptions, reportAfter } from "./reports.ts";
import type { Tables } from "./tables.ts";

/** How long one call may take, in milliseconds. */
const CALL_MS = 3_000;
/** An alarm reports for this long at most, and then rings again. */
const ALARM_MS = 4_000;
/** Rings again after this, where there is more to report. */
const MORE_MS = 1_000;
/** Wait for further changes before one is reported, in milliseconds. */
const SOON_MS = 1_000;
/** The shortest and the longest wait after a failure, in milliseconds. */
const RETRY_MS = 10_000;
const RETRY_MS_MAX = 60 * 60_000;
/**
 * How long the last reply counts, in milliseconds. After it, the directory is
 * asked where it is: it may have been restored.
 */
const REPLY_MS = 60 * 60_000;
/** Stored while an erasure is still to be reported. */
const ERASED = "erased";

export interface ReporterParts {
  readonly storage: DurableObjectStorage;
  readonly alarm: Alarm;
  readonly tables: Tables;
  /** The object's id. */
  readonly user: string;
  /** Undefined where there is no binding. */
  directory(): Directory | undefined;
  options(now: number): ReportOptions;
}

export class Reporter {
  readonly #parts: ReporterParts;
  /** Where the directory is, as it last said. */
  #at: Position | undefined;
  #repliedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #running: Promise<unknown> | undefined;

  constructor(parts: ReporterParts) {
    this.#parts = parts;
  }

  /** Sets the alarm, so that a change is reported. */
  soon(): void {
    if (this.#parts.directory() !== undefined) this.#ringIn(SOON_MS);
  }

  /** Reports what is new, and sets the alarm if it is not done. Never throws. */
  async run(): Promise<void> {
    try {
      const directory = this.#parts.directory();
      if (directory === undefined) return;
      const isDone = await this.#alone(() => this.#reportAll(directory));
      this.#failures = 0;
      if (!isDone) this.#ringIn(MORE_MS);
    } catch (thrown) {
      this.#forget();
      this.#failures += 1;
      if (this.#failures === 1) console.error("The directory got no report:", reasonOf(thrown));
      this.#ringIn(this.#retryMs());
    }
  }

  /**
   * The user is erased. Until the directory has heard of it, a mark is stored,
   * and the alarm rings.
   * @param erase Deletes all that is stored, at once.
   */
  async begin(erase: () => Promise<void>): Promise<void> {
    const erased = erase();
    if (this.#parts.directory() === undefined) return erased;
    // In the same turn: both are written, or none.
    const marked = this.#parts.storage.put(ERASED, true);
    this.#ringIn(RETRY_MS);
    await Promise.all([erased, marked]);
  }

  /** Erases the user in the directory, and returns whether it knew them. */
  async erase(): Promise<boolean> {
    const directory = this.#parts.directory();
    if (directory === undefined) return false;
    try {
      return await this.#alone(() => this.#erase(directory));
    } catch (thrown) {
      console.error("The directory could not erase a user, and is told again:", reasonOf(thrown));
      return false;
    }
  }

  async #erase(directory: Directory): Promise<boolean> {
    const { storage, tables, alarm, user } = this.#parts;
    const isKnown = await answeredIn(CALL_MS, () => directory.erase(user));
    this.#forget();
    if (tables.exist) await storage.delete(ERASED);
    else {
      // It deletes the alarm too.
      alarm.clear();
      await storage.deleteAll();
    }
    return isKnown;
  }

  #ringIn(ms: number): void {
    this.#parts.alarm.set(Date.now() + ms);
  }

  /** Longer each time. A new instance goes by the time since the last ask. */
  #retryMs(): number {
    const waitMs = Math.max(RETRY_MS * 2 ** (this.#failures - 1), this.#idleMs() / 2);
    return Math.min(waitMs, RETRY_MS_MAX);
  }

  /** Since the last ask that is reported or waits to be. */
  #idleMs(): number {
    try {
      const { exist, outbox } = this.#parts.tables;
      return exist && outbox.lastAt > 0 ? Date.now() - outbox.lastAt : 0;
    } catch {
      return 0;
    }
  }

  /** Drops what is known of the directory. */
  #forget(): void {
    this.#at = undefined;
    this.#repliedAt = Number.NEGATIVE_INFINITY;
  }

  /** One at a time: an erasure waits for the report that is on its way. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running !== undefined) await this.#running.catch(() => {});
    const running = work();
    this.#running = running;
    try {
      return await running;
    } finally {
      this.#running = undefined;
    }
  }

  /** False if there is more. */
  async #reportAll(directory: Directory): Promise<boolean> {
    const { storage, tables } = this.#parts;
    const endsAt = Date.now() + ALARM_MS;
    if (await storage.get(ERASED)) await this.#erase(directory);
    while (tables.exist) {
      const isCounted = !tables.transaction(() => tables.outbox.count());
      const at = this.#at ?? tables.outbox.assumedPosition(this.#log);
      const isReported = await this.#report(directory, at);
      if (isCounted && isReported) break;
      if (Date.now() >= endsAt) return false;
    }
    return true;
  }

  get #log(): string {
    return this.#parts.tables.settings.get().log;
  }

  /** One page. Returns whether the directory has everything. */
  async #report(directory: Directory, at: Position): Promise<boolean> {
    const { user, tables, options } = this.#parts;
    const report = reportAfter(at, tables, options(Date.now()));
    if (report === undefined && isWithin(this.#repliedAt, REPLY_MS)) return true;
    const log = this.#log;
    const reached = await answeredIn(CALL_MS, () =>
      report === undefined ? directory.positionOf(user) : directory.report(user, report),
    );
    // The user may have been erased in between.
    if (!tables.exist || this.#log !== log) return false;
    this.#at = reached;
    this.#repliedAt = Date.now();
    return isSamePosition(reached, tables.outbox.position(log));
  }
}
