// Brings the documents of a server in line with what was read, and counts what
// happened to each.

import type { Documents, Entry } from "../documents.ts";
import { Refused } from "../documents.ts";
import { Progress } from "../progress.ts";
import type { Document } from "./files.ts";
import type { Unread } from "./folder.ts";
import { Pace } from "./pace.ts";

const OUTCOMES = ["added", "replaced", "unchanged", "deleted", "skipped"] as const;
type Outcome = (typeof OUTCOMES)[number];

/** A deletion is as much work as a document of about this length. */
const DELETION_BYTES = 2_048;

export class Load {
  readonly #documents: Documents;
  readonly #isDry: boolean;
  readonly #held: Map<string, Entry>;
  readonly #samples: number;
  readonly #counts = new Map<Outcome, number>();
  readonly #pace: Pace;
  #leftOut = 0;
  readonly signal: AbortSignal;
  readonly progress = new Progress("documents", 0);

  private constructor(
    documents: Documents,
    entries: readonly Entry[],
    isDry: boolean,
    signal: AbortSignal,
  ) {
    this.#documents = documents;
    this.#isDry = isDry;
    this.signal = signal;
    // Samples go when the first other document arrives.
    this.#held = new Map(entries.filter(({ sample }) => !sample).map((entry) => [entry.id, entry]));
    this.#samples = entries.length - this.#held.size;
    this.#pace = new Pace(this.#held.size > 0);
  }

  /** @param signal Aborted when the command is stopped, with the reason to throw. */
  static async begin(documents: Documents, isDry: boolean, signal: AbortSignal): Promise<Load> {
    return new Load(documents, [...(await documents.entries()).values()], isDry, signal);
  }

  holds(id: string, hash: string | undefined): boolean {
    const entry = this.#held.get(id);
    return entry !== undefined && (hash === undefined || entry.contentHash === hash);
  }

  /** Documents whose ids begin with one of these and that are gone. */
  goneBelow(prefixes: readonly string[], isThere: (id: string) => boolean): string[] {
    return [...this.#held.keys()].filter(
      (id) => prefixes.some((prefix) => id.startsWith(prefix)) && !isThere(id),
    );
  }

  note(outcome: Outcome, id: string, detail = ""): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
    if (outcome === "skipped") this.progress.say(`Skipped ${id}: ${detail}`);
    else if (outcome !== "unchanged") this.progress.log(`${outcome} ${id}${detail}`);
  }

  /** Nothing is wrong with it, and it is not wanted. */
  leaveOut(path: string, reason: string): void {
    this.#leftOut += 1;
    this.progress.say(`Left out: ${path}: ${reason}`);
  }

  /** Whether the server holds it then. */
  async put(document: Document): Promise<boolean> {
    const { id, title, text, contentHash } = document;
    for (const note of document.notes) this.progress.say(`Note: ${id}: ${note}`);
    const before = this.#held.get(id);
    // Without an address of its own, a document keeps the one that it has.
    const url = document.url ?? before?.url ?? null;
    if (before?.contentHash === contentHash && before.title === title && before.url === url) {
      this.note("unchanged", id);
      return true;
    }
    const outcome = before ? "replaced" : "added";
    if (this.#isDry) {
      this.note(outcome, id, ` (not sent): ${Buffer.byteLength(text)} bytes`);
      return false;
    }
    await this.#pace.turn(Buffer.byteLength(text), this.signal);
    try {
      const passages = await this.#documents.put(id, { title, text, url });
      this.note(outcome, id, `: ${passages} ${passages === 1 ? "passage" : "passages"}`);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.note("skipped", id, error.message);
      return false;
    }
  }

  /** A draft's page does not exist, so its document goes. */
  async unread(unread: Unread, id: string, prunes: boolean): Promise<void> {
    if (unread.isDraft !== true) return this.note("skipped", unread.path, unread.reason);
    this.progress.say(`Not read: ${unread.path}: ${unread.reason}`);
    if (prunes && this.#held.has(id)) await this.delete(id);
  }

  async delete(id: string): Promise<void> {
    if (!this.#isDry) {
      await this.#pace.turn(DELETION_BYTES, this.signal);
      await this.#documents.delete(id);
    }
    this.note("deleted", id, this.#isDry ? " (not sent)" : "");
  }

  get hasSkipped(): boolean {
    return this.#counts.has("skipped");
  }

  summary(): string {
    const counted = OUTCOMES.map((outcome) => `${this.#counts.get(outcome) ?? 0} ${outcome}`);
    if (this.#leftOut > 0) counted.push(`${this.#leftOut} left out`);
    const isReplaced = this.#samples > 0 && this.#counts.has("added") && !this.#isDry;
    const replaced = isReplaced ? ` Replaced ${this.#samples} samples.` : "";
    return `${counted.join(", ")}.${replaced}${this.#isDry ? " Nothing was sent (--dry-run)." : ""}`;
  }
}
