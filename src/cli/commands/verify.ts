import { statSync } from "node:fs";
import { EXIT, UsageError } from "../exit.js";
import { loadPolicy } from "../load-policy.js";
import { progressBar } from "../render/progress.js";
import { mismatchesOf, renderVerified, verifiedJson } from "../render/verified.js";
import { requireKernel } from "../verify/requirements.js";
import type { Verified } from "../verify/run-check.js";
import { verifyBundle } from "../verify/verify-bundle.js";
import { verifyPolicy } from "../verify/verify-policy.js";

interface VerifyOptions {
  readonly packets?: string;
  readonly seed?: string;
  readonly json?: boolean;
  readonly geo?: string;
}

const DEFAULT_PACKETS = 50_000;
const MOST_PACKETS = 10_000_000;
const DEFAULT_SEED = 1;

/** `tidegate verify`: holds the real kernel against the reference; exit 1 on any mismatch. */
export async function verify(target: string, options: VerifyOptions): Promise<number> {
  // Of no packets nothing would be shown, and it would look like success.
  const packets = wholeNumber("--packets", options.packets, DEFAULT_PACKETS, [1, MOST_PACKETS]);
  const seed = wholeNumber("--seed", options.seed, DEFAULT_SEED, [0, 0xffffffff]);
  if (isFolder(target)) refuseOptions(options);
  const progress = progressBar(options.json ?? false);
  const verified = await verifyTarget(target, { packets, seed, geo: options.geo }, progress.show);
  progress.end();
  if (!verified) return EXIT.failed;
  console.log(options.json ? JSON.stringify(verifiedJson(verified)) : renderVerified(target, verified));
  return mismatchesOf(verified) > 0 ? EXIT.failed : EXIT.ok;
}

interface Request {
  readonly packets: number;
  readonly seed: number;
  readonly geo: string | undefined;
}

/** undefined after the policy's errors were printed. */
async function verifyTarget(
  target: string,
  { packets, seed, geo }: Request,
  onProgress: (what: string, done: number, of: number) => void,
): Promise<Verified | undefined> {
  if (isFolder(target)) {
    requireKernel(["unshare", "mount"]);
    return verifyBundle(target, onProgress);
  }
  const loaded = loadPolicy(target, geo === undefined ? {} : { geo });
  if (!loaded) return undefined;
  requireKernel(["clang", "llvm-strip", "unshare", "mount"]);
  return verifyPolicy(loaded.policy, { packets, seed, onProgress });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** A bundle brings its own packets. */
function refuseOptions({ packets, seed, geo }: VerifyOptions): void {
  const given = Object.entries({ packets, seed, geo }).find(([, value]) => value !== undefined);
  if (given) throw new UsageError(`--${given[0]} is for a policy: of a bundle its own packets are verified`);
}

function wholeNumber(
  option: string,
  text: string | undefined,
  byDefault: number,
  [least, most]: readonly [number, number],
): number {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(`${option} takes a whole number from ${least} to ${most}, not \`${text}\``);
  return value;
}
