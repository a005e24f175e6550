/** The order of texts (by their UTF-16 units, the same on every machine) and of numbers, for `sort`. */
export function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
