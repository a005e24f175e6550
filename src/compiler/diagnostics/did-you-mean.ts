/** Longer names are no misspelled short ones, and so many names are no list to choose from: the search must end soon. */
const MAX_LENGTH = 64;
const MAX_NAMES = 1000;

/** `did you mean \`x\`?` for the closest of `names`, or undefined when none is close. */
export function didYouMean(written: string, names: Iterable<string>): string | undefined {
  if (written.length > MAX_LENGTH) return undefined;
  let limit = Math.max(1, Math.floor(written.length / 3));
  let best: string | undefined;
  let seen = 0;
  for (const name of names) {
    if (++seen > MAX_NAMES) break;
    if (Math.abs(name.length - written.length) > limit) continue;
    const distance = editDistance(written.toLowerCase(), name.toLowerCase(), limit);
    if (distance > limit) continue;
    best = name;
    limit = distance - 1;
  }
  return best && `did you mean \`${best}\`?`;
}

/**
 * Edits that turn `a` into `b`: a character more, less or other, or two neighbours swapped. Three rows at a time;
 * any number above `limit` where there are more.
 */
function editDistance(a: string, b: string, limit: number): number {
  let twoAbove: readonly number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swap = row > 1 && column > 1 && swapped ? (twoAbove[column - 2] ?? 0) + 1 : substitution;
      current.push(Math.min(substitution, swap, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    if (Math.min(...current) > limit) return limit + 1;
    twoAbove = above;
    above = current;
  }
  return above[b.length] ?? 0;
}
