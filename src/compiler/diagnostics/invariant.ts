/** Our own bug, never a user's mistake. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** States what must hold if Tidegate itself is right. */
export function invariant(condition: unknown, claim: string): asserts condition {
  if (!condition) impossible(claim);
}

/** Stands where nothing can get to if Tidegate itself is right. */
export function impossible(claim: string): never {
  throw new InternalError(`internal error: ${claim}. This is a bug in Tidegate; please report it.`);
}

/** Makes a `switch` over a union exhaustive: a new kind without a case does not compile. */
export function assertNever(value: never): never {
  throw new InternalError(`internal error: unexpected ${JSON.stringify(value)}. Please report it.`);
}
