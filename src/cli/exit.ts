/** Exit codes that scripts rely on (DESIGN: 0 no errors, 1 errors, 2 usage). */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** The command line, or a file that it names, cannot be used: exit 2 with one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
