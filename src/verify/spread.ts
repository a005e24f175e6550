/** At most so many, at even distances. */
export function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  const step = (index: number): number => Math.floor((index * most) / all.length);
  return all.filter((_, index) => step(index) !== step(index - 1));
}
