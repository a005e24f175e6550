/**
 * What an operator must mend before a bundle can be applied. The texts are those of the catalogue
 * (src/compiler/diagnostics/catalogue/{bundle,runtime}.ts), which `tidegate explain-code` prints at length;
 * runtime/ may not import them, so a test keeps both the same.
 */
export const FAILURES = {
  TG5001: ({ file, problem }) => `cannot read \`${file}\` of the bundle: ${problem}`,
  TG5002: ({ problem }) => `the bundle's manifest is not valid: ${problem}`,
  TG5003: ({ file }) => `\`${file}\` is not the file that the manifest lists: its SHA-256 differs`,
  TG5004: ({ file }) => `the bundle lacks \`${file}\``,
  TG5005: ({ file }) => `\`${file}\` is in the bundle but not in its manifest`,
  TG5006: ({ customer }) => `this node knows no customer \`${customer}\``,
  TG5007: ({ customer, prefix }) => `\`${customer}\` may not claim ${prefix}`,
  TG5008: ({ prefix, other }) => `${prefix} is already claimed by \`${other}\``,
  TG5009: ({ name, other }) => `the name \`${name}\` is already used by \`${other}\``,
  TG5010: ({ name }) => `the bundle may not name a kernel object \`${name}\``,
  TG5011: ({ tunnel, other, theirs }) =>
    `tunnel \`${tunnel}\` has the remote and key of \`${other}\`'s tunnel \`${theirs}\``,
  TG5012: () => "the bundle is not signed, and this node takes only signed ones",
  TG5013: ({ problem }) => `the bundle's signature cannot be read: ${problem}`,
  TG5014: ({ keys }) => `the bundle is signed by nobody whom this node trusts, but by ${keys}`,
  TG5015: ({ key }) => `the signature by key \`${key}\` is not genuine`,
  TG5016: ({ key, customer }) => `key \`${key}\` may not sign for \`${customer}\``,
  TG5017: ({ customer }) => `the signature is that of another bundle, of \`${customer}\``,
  TG5018: ({ customer, serial, newest }) =>
    `this bundle of \`${customer}\` is older than one that this node has had: serial ${serial}, newest ${newest}`,
  TG5019: ({ customer, serial }) => `there are two bundles of \`${customer}\` with the serial ${serial}`,
  TG5020: ({ problem }) => `the bundle is too large: ${problem}`,
  TG5021: ({ file }) => `\`${file}\` is not a path inside of the bundle`,
  TG5022: ({ file }) => `\`${file}\` of the bundle is not a plain file`,
  TG5023: ({ line }) => `manifest.json is not written as Tidegate writes it, from line ${line} on`,
  TG5024: () => "this node has taken signed bundles only, and its `edge.ts` names no keys any more",
  TG5025: ({ file, line, text }) => `line ${line} of \`${file}\` says what no bundle may say: \`${text}\``,
  TG5026: ({ remote, customer, tunnel, prefix, other }) =>
    `the remote ${remote} of \`${customer}\`'s tunnel \`${tunnel}\` lies in ${prefix} of \`${other}\``,
  TG5027: ({ family, tunnel, remote }) =>
    `the node has no IPv${family} anycast address for tunnel \`${tunnel}\` to ${remote}`,
  TG5028: ({ remote, tunnel }) =>
    `the remote ${remote} of tunnel \`${tunnel}\` is the node's own anycast address`,
  TG9001: () => "only root can do this",
  TG9002: ({ cause }) => `another run is at work on this node: ${cause}`,
  TG9003: ({ device }) => `strict reverse-path filtering on \`${device}\` would drop customers' packets`,
  TG9004: ({ device }) => `there is no uplink \`${device}\``,
  TG9005: ({ device }) => `\`${device}\` already has an XDP program that is not Tidegate's`,
  TG9006: ({ step, cause }) => `${step} failed: ${cause}; everything is as it was before`,
  TG9007: ({ step, cause, left }) => `${step} failed: ${cause}; and undoing failed too, at ${left}`,
  TG9008: ({ file }) => `\`${file}\` is missing`,
  TG9010: ({ customer }) => `\`${customer}\` is not loaded on this node`,
  TG9011: ({ file, problem }) => `cannot read the recorded state \`${file}\`: ${problem}`,
  TG9012: ({ count }) => `the node is full: it already holds ${count} customers`,
  TG9013: ({ thing }) => `${thing} is there already, and Tidegate did not make it`,
  TG9014: ({ customer, generation, cause }) =>
    `\`${customer}\` generation ${generation} is in force, but clearing up after the one before failed: ${cause}`,
  TG9015: ({ cause }) => `this node refused: ${cause}`,
  TG9016: ({ file, problem }) => `others than root may change what is in \`${file}\`: ${problem}`,
  TG9017: ({ device }) => `\`${device}\` is a bridge whose packets go through netfilter before XDP sees them`,
  TG9018: () => "no customer is loaded on this node",
  TG9019: ({ cause }) => `another \`tidegate watch\` runs on this node: ${cause}`,
  TG9020: () => "the root program on this node is of a Tidegate that could not watch",
  TG9021: ({ rule }) => `no rule \`${rule}\` is in force here`,
  TG9023: ({ device, address, prefix, customer }) =>
    `\`${device}\` of this server has the address ${address}, which is in ${prefix} of \`${customer}\`: what comes for the server there would be taken for the customer's`,
  TG9025: ({ customer, cause }) => `XDP cannot be told which routers of \`${customer}\` are dead: ${cause}`,
  TG9101: ({ store, problem }) => `cannot read the store ${store}: ${problem}`,
  TG9102: ({ customer, revision, problem }) =>
    `revision ${revision} of \`${customer}\` is not valid: ${problem}`,
  TG9103: ({ file, customer, revision, store }) =>
    `\`${file}\` of \`${customer}\` revision ${revision} is missing in ${store}, or damaged`,
  TG9104: ({ customer, revision }) =>
    `somebody else has just published revision ${revision} of \`${customer}\``,
  TG9105: ({ customer }) => `\`${customer}\` has no earlier policy on this node to go back to`,
  TG9106: ({ store, problem }) => `cannot write to the store ${store}: ${problem}`,
  TG9107: ({ customer, store }) => `\`${customer}\` was never published in ${store}`,
} as const satisfies Record<string, (params: Record<string, string>) => string>;

type Params = Readonly<Record<string, string>>;

export type FailureCode = keyof typeof FAILURES;
type ParamsOf<C extends FailureCode> = Parameters<(typeof FAILURES)[C]>[0] extends infer P
  ? P extends undefined
    ? Record<string, never>
    : P
  : never;

/** A failure with a code of the catalogue, and what to do about it. */
export class RuntimeFailure extends Error {
  override readonly name = "RuntimeFailure";

  constructor(
    readonly code: FailureCode,
    message: string,
    readonly hint: string | null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export function failure<C extends FailureCode>(
  code: C,
  params: ParamsOf<C>,
  hint: string | null = null,
  cause?: unknown,
): RuntimeFailure {
  const format = FAILURES[code] as (params: Params) => string;
  return new RuntimeFailure(code, format(inOneLine(params as Params)), hint, { cause });
}

/** Names come from files that anybody may have written, and must not look like lines of ours; tools may say more than one. */
export function inOneLine<P extends Params>(params: P): P {
  const lines = Object.entries(params).map(([name, text]) => [
    name,
    name === "cause" ? text : text.replace(/[\r\n]+/g, " "),
  ]);
  return Object.fromEntries(lines) as P;
}

/** Did a system call end with one of these (errno(3))? */
export function hasErrno(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && "code" in error && names.some((name) => name === error.code);
}

/** What `reading` gives; the other value where there is no such file. */
export function orIfMissing<T, M>(reading: Promise<T>, missing: M): Promise<T | M> {
  return reading.catch((error: unknown) => {
    if (hasErrno(error, "ENOENT")) return missing;
    throw error;
  });
}

/** What went wrong, in one line, for a message that names the step itself. */
export function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A failure with its code; anything else is a bug of ours, and says where. */
export function wordsOf(error: unknown): string {
  if (error instanceof RuntimeFailure) return `${error.code} ${error.message}`;
  return error instanceof Error && !("syscall" in error) ? (error.stack ?? error.message) : causeOf(error);
}
