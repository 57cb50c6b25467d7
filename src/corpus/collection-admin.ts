// The list of collections over HTTP, for operators, and what a crash may leave:
// names that were reserved and not opened, and objects that are not yet empty.
// The object of `default` answers.

import { isCollectionName, noSuchCollection } from "../collections.ts";
import { reasonOf, ServiceError } from "../errors.ts";
import { json } from "../formats/json.ts";
import { COLLECTIONS_LISTED, DEFAULT_COLLECTION } from "../protocol.ts";
import { check, decodeParameter, wholeParameter } from "../request.ts";
import type { Collections, NamedKey, ReservedKey } from "./collections.ts";
import { CollectionBody } from "./document-body.ts";

export interface CollectionCounts {
  readonly documents: number;
  readonly passages: number;
}

/** A collection, as the API shows it. */
export interface CollectionEntry extends CollectionCounts {
  readonly name: string;
}

/** The object of a collection, as the list sees it. */
export interface ListedCollection {
  counts(): CollectionCounts | Promise<CollectionCounts>;
  /** Deletes all documents, and takes none any more. */
  close(): void | Promise<void>;
}

/** Objects emptied, and reserved names looked at, per alarm. */
const SETTLED_AT_ONCE = 10;

export class CollectionAdmin {
  readonly #collections: Collections;
  readonly #object: (key: string) => ListedCollection;
  readonly #opened: () => void;

  /** @param opened Is called when a collection begins. */
  constructor(
    collections: Collections,
    object: (key: string) => ListedCollection,
    opened: () => void,
  ) {
    this.#collections = collections;
    this.#object = object;
    this.#opened = opened;
  }

  reserve(name: string): ReservedKey | undefined {
    return this.#collections.reserve(name, Date.now());
  }

  /** False if the collection is gone: then its documents are deleted. */
  async open(key: string): Promise<boolean> {
    const outcome = this.#collections.open(key);
    if (outcome === "opened") this.#opened();
    if (outcome !== "gone") return true;
    this.#collections.discard(key, Date.now());
    await this.#empty(key);
    return false;
  }

  async list(parameters: URLSearchParams): Promise<Response> {
    const limit = wholeParameter(parameters, "limit", COLLECTIONS_LISTED);
    const after = parameters.get("after") ?? "";
    // One more than requested tells whether this is the last page.
    const named = this.#collections.after(after, limit + 1);
    const collections = await Promise.all(named.slice(0, limit).map((one) => this.#entry(one)));
    const last = named.length > limit ? collections.at(-1)?.name : null;
    return json({ collections, after: last });
  }

  async rename(parameter: string | undefined, body: unknown): Promise<Response> {
    const { name: to } = check(CollectionBody, body);
    const { name, key } = this.#find(parameter);
    if (name !== to) {
      if (this.#collections.named([to]).length > 0) {
        throw refused(`There is a collection "${to}" already. Choose another name.`);
      }
      this.#collections.rename(name, to);
    }
    return json(await this.#entry({ name: to, key }));
  }

  /** Nothing finds it from now on. The alarm empties it where this fails. */
  async delete(parameter: string | undefined): Promise<Response> {
    const { name, key } = this.#find(parameter);
    this.#collections.delete(name);
    await this.#empty(key);
    return json({ name, deleted: true });
  }

  isAnyLeft(): boolean {
    return this.#collections.deleted(1).length > 0 || this.#collections.reserved(1).length > 0;
  }

  /** Finishes what a crash may have left. Never throws. */
  async settle(): Promise<void> {
    for (const key of this.#collections.deleted(SETTLED_AT_ONCE)) await this.#empty(key);
    for (const key of this.#collections.reserved(SETTLED_AT_ONCE)) await this.#settleReserved(key);
  }

  /** Opens one whose document was stored, and forgets one that has none. */
  async #settleReserved(key: string): Promise<void> {
    try {
      const { documents } = await this.#object(key).counts();
      if (documents > 0) await this.open(key);
      else this.#collections.expire(key, Date.now());
    } catch (thrown) {
      console.error("A new collection was not opened, and is tried again:", reasonOf(thrown));
    }
  }

  async #empty(key: string): Promise<void> {
    try {
      await this.#object(key).close();
      this.#collections.forget(key);
    } catch (thrown) {
      console.error("A deleted collection was not emptied, and is tried again:", reasonOf(thrown));
    }
  }

  async #entry({ name, key }: NamedKey): Promise<CollectionEntry> {
    const { documents, passages } = await this.#object(key).counts();
    return { name, documents, passages };
  }

  /** Throws NOT_FOUND, and INVALID_REQUEST for `default`. */
  #find(parameter = ""): NamedKey {
    const name = decodeParameter(parameter);
    if (name === DEFAULT_COLLECTION) {
      throw refused('The collection "default" keeps its name. Delete its documents one by one.');
    }
    const [found] = isCollectionName(name) ? this.#collections.named([name]) : [];
    if (found === undefined) throw noSuchCollection();
    return found;
  }
}

function refused(message: string): ServiceError {
  return new ServiceError("INVALID_REQUEST", message);
}
