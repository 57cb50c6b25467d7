// The models of OpenAI's API: one for each collection of documents.

import { ServiceError } from "../errors.ts";

const NAMES = ["belay", "belay/default"];

interface Model {
  readonly id: string;
  readonly object: "model";
  /** In seconds since the epoch. */
  readonly created: number;
  readonly owned_by: string;
}

/** Throws NOT_FOUND if no model has the name. */
export function checkModel(name: string): void {
  if (NAMES.includes(name)) return;
  throw new ServiceError(
    "NOT_FOUND",
    `There is no such model here. The models are ${NAMES.join(" and ")}.`,
    { openai: { code: "model_not_found", param: "model" } },
  );
}

export function models(): { readonly object: "list"; readonly data: readonly Model[] } {
  return { object: "list", data: NAMES.map(model) };
}

export function model(id: string): Model {
  checkModel(id);
  return { id, object: "model", created: 0, owned_by: "belay" };
}
