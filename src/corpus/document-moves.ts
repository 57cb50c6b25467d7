// Moves documents to other collections: each is stored there first, and then
// deleted here. What is to be moved is stored before, so that a crash between
// the two does not leave it in both.

import { reasonOf, ServiceError } from "../errors.ts";
import type { Document, Documents } from "./documents.ts";

/** The object of a collection, as documents reach it. */
export interface ReceivingCollection {
  /** Stores a document in place of the one with its id. False if it takes none. */
  take(document: Document): boolean | Promise<boolean>;
}

/** Where documents are moved. */
export interface MoveTargets {
  collection(key: string): ReceivingCollection;
  /** Opens it if it is new. False if it is gone. */
  openCollection(key: string): Promise<boolean>;
}

/** Documents moved per alarm. */
const MOVED_AT_ONCE = 10;

export class DocumentMoves {
  readonly #sql: SqlStorage;
  readonly #documents: Documents;
  readonly #targets: MoveTargets;

  constructor(storage: DurableObjectStorage, documents: Documents, targets: MoveTargets) {
    this.#sql = storage.sql;
    this.#documents = documents;
    this.#targets = targets;
  }

  /** The document exists. Throws INVALID_REQUEST while it is moved elsewhere. */
  begin(id: string, key: string): void {
    const known = this.#keyOf(id);
    if (known !== undefined && known !== key) {
      const message = "This document is being moved to another collection. Wait until it is there.";
      throw new ServiceError("INVALID_REQUEST", message);
    }
    this.#sql.exec("INSERT OR IGNORE INTO moves VALUES (?, ?)", id, key);
  }

  /** False if the other collection is gone: then the document stays here. */
  async finish(id: string): Promise<boolean> {
    const key = this.#keyOf(id);
    let sent = this.#documents.document(id);
    while (key !== undefined && sent !== undefined) {
      const isTaken = await this.#targets.collection(key).take({ ...sent, sample: false });
      if (!(isTaken && (await this.#targets.openCollection(key)))) {
        this.#end(id);
        return false;
      }
      const current = this.#documents.document(id);
      // A newer text must not be lost.
      if (isSame(sent, current)) this.#documents.delete(id, () => this.#end(id));
      sent = isSame(sent, current) ? undefined : current;
    }
    if (key !== undefined) this.#end(id);
    return true;
  }

  anyLeft(): boolean {
    return this.#left(1).length > 0;
  }

  /** Goes on with what a crash or a failure has left. Never throws. */
  async finishAll(): Promise<void> {
    for (const id of this.#left(MOVED_AT_ONCE)) {
      try {
        await this.finish(id);
      } catch (thrown) {
        console.error("A document was not moved, and is tried again:", reasonOf(thrown));
      }
    }
  }

  #keyOf(id: string): string | undefined {
    return this.#sql
      .exec<{ to_key: string }>("SELECT to_key FROM moves WHERE document_id = ?", id)
      .toArray()[0]?.to_key;
  }

  #left(limit: number): string[] {
    if (!this.#documents.exist) return [];
    return this.#sql
      .exec<{ document_id: string }>("SELECT document_id FROM moves LIMIT ?", limit)
      .toArray()
      .map(({ document_id }) => document_id);
  }

  #end(id: string): void {
    this.#sql.exec("DELETE FROM moves WHERE document_id = ?", id);
  }
}

function isSame(one: Document, other: Document | undefined): boolean {
  return one.text === other?.text && one.title === other.title && one.url === other.url;
}
