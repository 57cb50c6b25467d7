// The collections at the edge: the object of the one that a path names, and the
// example questions of those that a caller may read.

import {
  collectionGone,
  isCollectionName,
  isDefaultAlone,
  noSuchCollection,
  searchedCollections,
  tooManyCollections,
} from "../collections.ts";
import { json } from "../formats/json.ts";
import { COLLECTIONS_MAX, type Examples } from "../protocol.ts";
import { decodeParameter, wrongParameter } from "../request.ts";
import { corpusStub, type Env, knownCollections } from "../wiring.ts";
import { forward, orUnavailable } from "./forward.ts";

/** In a list of example questions. */
const EXAMPLES_MAX = 4;

/** The object with the documents of a collection. */
export interface FoundCollection {
  readonly object: ReturnType<typeof corpusStub>;
  /** Call it once a document was stored: the first one makes the collection. */
  stored(): Promise<void>;
}

/**
 * The collection that a path names. Throws NOT_FOUND, except for a document
 * that is put.
 */
export async function collectionObject(
  parameter: string | undefined,
  method: string,
  env: Env,
): Promise<FoundCollection> {
  const name = decodeParameter(parameter ?? "");
  if (!isCollectionName(name)) throw noSuchCollection();
  if (method === "PUT") return newCollection(name, env);
  // Not from memory: an operator sees a change at once.
  const [found] = await orUnavailable(corpusStub(env).collectionKeys([name]));
  if (found === undefined) throw noSuchCollection();
  return { object: corpusStub(env, found.key), stored: async () => {} };
}

async function newCollection(name: string, env: Env): Promise<FoundCollection> {
  const reserved = await orUnavailable(corpusStub(env).reserveCollection(name));
  if (reserved === undefined) throw tooManyCollections();
  const { key, isOpen } = reserved;
  return {
    object: corpusStub(env, key),
    stored: async () => {
      if (isOpen) return;
      if (!(await orUnavailable(corpusStub(env).openCollection(key)))) throw collectionGone();
    },
  };
}

/** @param readable The collections that the caller may read. */
export async function exampleQuestions(
  request: Request,
  readable: readonly string[],
  env: Env,
): Promise<Response> {
  const named = new URL(request.url).searchParams.get("collections")?.split(",");
  if (named !== undefined && !(named.length <= COLLECTIONS_MAX && named.every(isCollectionName))) {
    throw wrongParameter("collections", `1 to ${COLLECTIONS_MAX} names, comma-separated`);
  }
  const names = searchedCollections(named ?? readable.slice(0, COLLECTIONS_MAX), readable);
  if (isDefaultAlone(names)) return forward(corpusStub(env), request);
  return orUnavailable(examplesOf(names, env));
}

async function examplesOf(names: readonly string[], env: Env): Promise<Response> {
  const keys = await knownCollections(env).keysOf(names);
  const lists = await Promise.all(
    Array.from(keys.values(), async (key) => corpusStub(env, key).examples()),
  );
  return json(together(lists));
}

/** The first of each, then the second of each, and so on. */
function together(lists: readonly Examples[]): Examples {
  const turns = Array.from({ length: EXAMPLES_MAX }, (_, i) => i);
  const inTurn = turns.flatMap((i) => lists.flatMap(({ questions }) => questions[i] ?? []));
  return {
    empty: lists.every(({ empty }) => empty),
    questions: [...new Set(inTurn)].slice(0, EXAMPLES_MAX),
  };
}
