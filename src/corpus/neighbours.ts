// The neighbours of passages: those before and after them in their sections. An
// answer may go on where a passage was cut. Pure.

import type { Neighbour, Passage } from "../answer/retriever.ts";

/** A passage that was read by its id. */
type Placed = Pick<Passage, "id" | "heading" | "url" | "text" | "blocks">;

/** Of the best passages only: each neighbour reads rows. */
export const NEIGHBOURED_MAX = 5;

/**
 * The ids of the passages beside these that were not found themselves. Some of
 * them may not exist.
 * @param found All that were found in the same collection.
 */
export function neighbourIds(best: readonly Passage[], found: readonly Passage[]): string[] {
  const known = new Set(found.map(({ id }) => id));
  const beside = best.flatMap((passage) => [besideId(passage, -1), besideId(passage, 1)]);
  return [...new Set(beside)].filter((id) => !known.has(id));
}

/** Between two passages that were found, one is given once. */
export function withNeighbours<Found extends Passage>(
  found: readonly Found[],
  read: readonly Placed[],
): (Found & Pick<Passage, "before" | "after">)[] {
  const byId = new Map(read.map((placed) => [placed.id, placed]));
  const take = (passage: Found, distance: number): Neighbour | undefined => {
    const neighbour = byId.get(besideId(passage, distance));
    if (neighbour === undefined || !isSameSection(passage, neighbour)) return undefined;
    byId.delete(neighbour.id);
    const { text, blocks = [] } = neighbour;
    return { text, blocks };
  };
  return found.map((passage) => ({
    ...passage,
    after: take(passage, 1),
    before: take(passage, -1),
  }));
}

/** The id of a passage that is near in the document. */
function besideId({ id, documentId }: Passage, distance: number): string {
  return `${documentId}#${Number(id.slice(documentId.length + 1)) + distance}`;
}

function isSameSection(a: Placed, b: Placed): boolean {
  return (
    a.url === b.url &&
    a.heading.length === b.heading.length &&
    a.heading.every((part, i) => part === b.heading[i])
  );
}
