// Collections of documents: their names, and which of them an ask
// searches. A collection that the caller may not read is refused as
// one that does not exist, before anything is looked up.

import * as v from "valibot";
import { ServiceError } from "./errors.ts";
import { COLLECTIONS_MAX, DEFAULT_COLLECTION } from "./protocol.ts";

const NAME = /^[a-z0-9-]{1,64}$/;
const RULE = "must be 1 to 64 lower-case letters, digits and hyphens";

/** A bearer token may name this many. */
const READABLE_MAX = 200;

export const CollectionName = v.pipe(v.string(), v.regex(NAME, RULE));

/** Of a body. Null, like a missing one, is all that the caller may read. */
export const CollectionsField = v.nullish(
  v.pipe(
    v.array(CollectionName),
    v.minLength(1, "must name at least one collection"),
    v.maxLength(COLLECTIONS_MAX, `must name at most ${COLLECTIONS_MAX} collections`),
  ),
);

export function isCollectionName(value: unknown): value is string {
  return typeof value === "string" && NAME.test(value);
}

/** The names that a bearer token or a variable lists; undefined if it cannot. */
export function collectionNames(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > READABLE_MAX) return undefined;
  return value.every(isCollectionName) ? [...new Set(value)] : undefined;
}

/**
 * The collections that an ask searches. Throws FORBIDDEN for a caller who may
 * read none, NOT_FOUND for a name that they may not read, and INVALID_REQUEST
 * if nothing is named and they may read too many.
 */
export function searchedCollections(
  named: readonly string[] | null | undefined,
  readable: readonly string[],
): readonly string[] {
  if (readable.length === 0) throw nothingReadable();
  const hidden = named?.find((name) => !readable.includes(name));
  if (hidden !== undefined) throw noCollection(hidden);
  const searched = named ?? readable;
  if (searched.length > COLLECTIONS_MAX) throw tooMany(readable.length);
  return [...new Set(searched)].sort();
}

/** Most deployments have no other collection. */
export function isDefaultAlone(names: readonly string[]): boolean {
  return names.length === 1 && names[0] === DEFAULT_COLLECTION;
}

/** @param name Is valid, so it can be repeated. */
function noCollection(name: string): ServiceError {
  return new ServiceError("NOT_FOUND", `There is no collection "${name}" that you may read.`, {
    openai: { param: "belay.collections" },
  });
}

/** For operators. */
export function noSuchCollection(): ServiceError {
  return new ServiceError("NOT_FOUND", "There is no collection with this name.");
}

/** For operators. */
export function tooManyCollections(): ServiceError {
  const message = "There are as many collections as there can be. Delete one first.";
  return new ServiceError("INVALID_REQUEST", message);
}

/** For operators. */
export function collectionGone(): ServiceError {
  return new ServiceError(
    "UNAVAILABLE",
    "The collections changed while the document was stored, and it is gone. Send it again.",
    { headers: { "retry-after": "1" } },
  );
}

function nothingReadable(): ServiceError {
  return new ServiceError(
    "FORBIDDEN",
    "Your bearer token names no collection that you may read. Get one that does.",
  );
}

function tooMany(readable: number): ServiceError {
  return new ServiceError(
    "INVALID_REQUEST",
    `You may read ${readable} collections, and an ask searches at most ${COLLECTIONS_MAX}. Name some in the field "collections".`,
    { openai: { param: "belay.collections" } },
  );
}
