// Where the collections are, as the asks of one isolate know it. What was read
// is used for two seconds: then a renamed collection is found by its new name
// alone. A deleted one is empty at once, for isolates that know its object too.

import { DEFAULT_COLLECTION } from "../protocol.ts";
import { DEFAULT_KEY, type NamedKey } from "./collections.ts";

const AGE_MAX_MS = 2_000;
/** The oldest are forgotten first. */
const NAMES_MAX = 1_000;

export class KnownCollections {
  readonly #read: (names: readonly string[]) => Promise<readonly NamedKey[]>;
  readonly #known = new Map<string, { readonly key: string; readonly at: number }>();

  /** @param read Asks the list of collections. */
  constructor(read: (names: readonly string[]) => Promise<readonly NamedKey[]>) {
    this.#read = read;
  }

  /** The keys of those that exist, by name. `default` is never looked up. */
  async keysOf(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const keys = new Map<string, string>();
    const unknown: string[] = [];
    for (const name of names) {
      const key = this.#keyOf(name);
      if (key === undefined) unknown.push(name);
      else keys.set(name, key);
    }
    if (unknown.length === 0) return keys;
    const at = Date.now();
    // One that does not exist is not kept: its first document may come now.
    for (const { name, key } of await this.#read(unknown)) {
      keys.set(name, key);
      this.#add(name, key, at);
    }
    return keys;
  }

  #keyOf(name: string): string | undefined {
    if (name === DEFAULT_COLLECTION) return DEFAULT_KEY;
    const known = this.#known.get(name);
    if (known === undefined) return undefined;
    const age = Date.now() - known.at;
    return age >= 0 && age <= AGE_MAX_MS ? known.key : undefined;
  }

  #add(name: string, key: string, at: number): void {
    this.#known.delete(name);
    this.#known.set(name, { key, at });
    const [oldest = ""] = this.#known.keys();
    if (this.#known.size > NAMES_MAX) this.#known.delete(oldest);
  }
}
