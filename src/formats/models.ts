// The models of OpenAI's API: `belay` answers from all collections that the
// caller may read, and there is one for each of these.

import { searchedCollections } from "../collections.ts";
import { ServiceError } from "../errors.ts";

const ALL = "belay";
const OF_ONE = `${ALL}/`;

interface Model {
  readonly id: string;
  readonly object: "model";
  /** In seconds since the epoch. */
  readonly created: number;
  readonly owned_by: string;
}

/**
 * The collections that an ask with this model searches.
 * @param named Those of the member `belay`.
 * Throws NOT_FOUND if no model has the name, and INVALID_REQUEST if the model
 * names a collection, and the member does too.
 */
export function collectionsOf(
  model: string,
  named: readonly string[] | null | undefined,
  readable: readonly string[],
): readonly string[] {
  checkModel(model, readable);
  if (model === ALL) return searchedCollections(named, readable);
  if (named == null) return [model.slice(OF_ONE.length)];
  throw new ServiceError(
    "INVALID_REQUEST",
    `The field "belay.collections" must be left out: the model ${model} names the collection.`,
    { openai: { param: "belay.collections" } },
  );
}

export function models(readable: readonly string[]): {
  readonly object: "list";
  readonly data: readonly Model[];
} {
  return { object: "list", data: namesFor(readable).map(toModel) };
}

export function model(id: string, readable: readonly string[]): Model {
  checkModel(id, readable);
  return toModel(id);
}

/** Throws NOT_FOUND if the caller may not read what it names. */
function checkModel(name: string, readable: readonly string[]): void {
  const names = namesFor(readable);
  if (names.includes(name)) return;
  throw new ServiceError(
    "NOT_FOUND",
    `There is no such model here. The models are ${names.join(", ")}.`,
    { openai: { code: "model_not_found", param: "model" } },
  );
}

function namesFor(readable: readonly string[]): string[] {
  return [ALL, ...readable.map((name) => `${OF_ONE}${name}`)];
}

function toModel(id: string): Model {
  return { id, object: "model", created: 0, owned_by: "belay" };
}
