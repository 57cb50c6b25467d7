// Which collection is shown, and what an operator does to collections.

import { button } from "../element.ts";
import { type Api, collectionPath } from "./api.ts";
import { Area } from "./area.ts";
import type { Collection } from "./bodies.ts";
import { confirm } from "./confirm.ts";
import { choice } from "./fields.ts";
import { whole } from "./format.ts";
import { named } from "./names.ts";
import { addressOf, type Place } from "./place.ts";

export const DEFAULT = "default";
const NAME = /^[a-z0-9-]{1,64}$/;
const NAME_RULE = "A collection has a name of 1 to 64 lower-case letters, digits and hyphens.";

/** The picker, and what can be done to the collection that is shown. */
export function collectionControls(place: Place, shown: string): Area<readonly Collection[]> {
  const { api, gone } = place;
  const actions = [
    button({ class: "plain" }, () => begin(), "New collection…"),
    ...(shown === DEFAULT
      ? []
      : [
          button({ class: "plain" }, () => rename(place, shown), "Rename…"),
          button({ class: "plain bad" }, () => remove(place, shown), "Delete…"),
        ]),
  ];
  return new Area(
    (signal) => allCollections(api, signal),
    (all) => [picker(all, shown), ...actions],
    gone,
  );
}

/** All pages of the list. */
async function allCollections(api: Api, signal: AbortSignal): Promise<readonly Collection[]> {
  const all: Collection[] = [];
  let after: string | null = null;
  do {
    const page: { collections: Collection[]; after: string | null } = await api.get(
      "/collections",
      { limit: "200", after },
      signal,
    );
    all.push(...page.collections);
    after = page.after;
  } while (after !== null);
  return all;
}

function picker(all: readonly Collection[], shown: string): HTMLElement {
  const known = all.map(({ name, documents }) => [name, `${name} (${whole(documents)})`] as const);
  const isNew = all.every(({ name }) => name !== shown);
  // A collection begins with its first document.
  const choices = Object.fromEntries([...(isNew ? [[shown, `${shown} (new)`]] : []), ...known]);
  return choice("Collection", choices, shown, (name) => {
    location.hash = addressOf(["documents", name]);
  });
}

function checked(name: string): string {
  if (!NAME.test(name)) throw new Error(NAME_RULE);
  return name;
}

async function begin(): Promise<void> {
  let name = "";
  const outcome = await confirm({
    title: ["Begin a new collection?"],
    words: "Its first document makes it. Asks search it where they name it.",
    action: "Go on",
    asks: { label: "Name", value: "" },
    run: async (value) => {
      name = checked(value);
    },
  });
  if (outcome === "done") location.hash = addressOf(["documents", name]);
}

async function rename({ api, announce }: Place, shown: string): Promise<void> {
  let name = "";
  const outcome = await confirm({
    title: ["Rename the collection ", named(shown), "?"],
    words: "Bearer tokens that list the old name no longer read it.",
    action: "Rename",
    asks: { label: "New name", value: shown },
    run: async (value) => {
      name = checked(value);
      await api.send("PATCH", collectionPath(shown), { name });
    },
  });
  if (outcome !== "done") return;
  location.hash = addressOf(["documents", name]);
  announce("Renamed.");
}

async function remove({ api, announce }: Place, shown: string): Promise<void> {
  const outcome = await confirm({
    title: ["Delete the collection ", named(shown), "?"],
    words: "All of its documents are deleted with it. It cannot be undone.",
    action: "Delete",
    isFinal: true,
    typed: shown,
    run: async () => {
      await api.send("DELETE", collectionPath(shown));
    },
  });
  if (outcome !== "done") return;
  location.hash = addressOf(["documents"]);
  announce("The collection is deleted.");
}
