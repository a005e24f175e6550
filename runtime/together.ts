/** Customers about whom the loader is asked at once: it answers while this process reads what it answered before. */
const AT_ONCE = 32;

/** Does something for each of many, some of them at the same time; gives what came of it, in their order. */
export async function together<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE)
    results.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(work))));
  return results;
}
