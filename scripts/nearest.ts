// Which name was probably meant. Pure.

import { editDistance } from "../src/text/edit-distance.ts";

/** A shorter text is part of many names. */
const PART_LENGTH_MIN = 4;
/** A shorter name is near to everything, so only its exact letters count. */
const NAME_LENGTH_MIN = 4;

/**
 * The name nearest to what was typed, whatever
 * its case and its separators; undefined if none
 * is near. A name that contains it is near.
 */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, distance: distance(folded(typed), folded(name)) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= distanceMax(best.name) ? best.name : undefined;
}

function folded(name: string): string {
  return name.toUpperCase().replace(/[^\p{L}\p{N}]+/gu, "_");
}

function distance(typed: string, name: string): number {
  const isPart = typed.length >= PART_LENGTH_MIN && name.includes(typed);
  return isPart ? Math.min(1, name.length - typed.length) : editDistance(typed, name);
}

function distanceMax({ length }: string): number {
  return length < NAME_LENGTH_MIN ? 0 : Math.max(2, Math.floor(length / 3));
}
