// The deletion of a document, once it is confirmed.

import { documentPath } from "./api.ts";
import type { DocumentEntry } from "./bodies.ts";
import { confirm, type Outcome } from "./confirm.ts";
import { named } from "./names.ts";
import type { Place } from "./place.ts";

export async function deleteDocument(
  { api, announce }: Place,
  collection: string,
  { id, title }: Pick<DocumentEntry, "id" | "title">,
): Promise<Outcome> {
  const outcome = await confirm({
    title: ["Delete “", named(title), "”?"],
    words: "No search finds it from then on. Answers that cite it keep their sources.",
    action: "Delete",
    isFinal: true,
    run: async () => {
      await api.send("DELETE", documentPath(collection, id));
    },
  });
  if (outcome === "done") announce("Deleted.");
  return outcome;
}
