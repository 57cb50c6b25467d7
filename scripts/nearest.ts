// The name that was probably meant. Pure.

/** Shorter, and it would be a part of many names. */
const PART_LENGTH_MIN = 4;

/** The one of the names that is fewest typing slips away, if those are few for its length, or holds what was typed. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, slips: distance(typed.toUpperCase(), name.toUpperCase()) }))
    .sort((a, b) => a.slips - b.slips);
  if (best === undefined || best.slips > Math.max(2, Math.floor(best.name.length / 3)))
    return undefined;
  return best.name;
}

function distance(typed: string, name: string): number {
  const isPart = typed.length >= PART_LENGTH_MIN && name.includes(typed);
  return isPart ? Math.min(1, name.length - typed.length) : slips(typed, name);
}

/**
 * Letters left out, added, or swapped with the next one; a changed letter counts half as much again, so that a
 * word left out (OPENAI_KEY) is nearer than another word (OPENAI_MODEL).
 */
function slips(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1.5);
      const least = Math.min(changed, (last[j] as number) + 1, (row[j - 1] as number) + 1);
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(isSwapped ? Math.min(least, (beforeLast[j - 2] as number) + 1) : least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] as number;
}
