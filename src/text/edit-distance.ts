// How far one short text is from another, as typing errors go. Pure.

/**
 * Letters missing, added, or swapped with the next one. A changed
 * letter counts 1.5, so that a missing word (OPENAI_KEY for
 * OPENAI_API_KEY) is nearer than another word (OPENAI_MODEL).
 */
export function editDistance(a: string, b: string): number {
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
