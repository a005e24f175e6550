import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "./command.js";
import { rebuiltRecord } from "./customer/rebuild.js";
import { causeOf, failure, RuntimeFailure } from "./failures.js";
import { ERRNO, Loader, LoaderError } from "./loader-client.js";
import { NativeError, packageRoot } from "./native-process.js";
import { type LoadedCustomer, Paths, readCustomers, recordedNames } from "./state.js";
import { requireOwnFolder } from "./trust/own-folder.js";

/** What all work on a node needs. "The node" is the network namespace that the process was started in. */
export interface Host {
  readonly loader: Loader;
  readonly paths: Paths;
}

export interface HostOptions {
  readonly stateDir: string;
  /** Changes take the lock, so that one is made at a time; looking does not. */
  readonly lock: boolean;
}

/** Runs `work` with a loader process that lives as long. What kernel or tools refuse meanwhile is a RuntimeFailure. */
export async function withHost<T>(options: HostOptions, work: (host: Host) => Promise<T>): Promise<T> {
  requireRoot();
  return explained(runOnHost(options, work));
}

/** All customers that are loaded. Without a host, which knows what a damaged record said, this costs little. */
export async function customersInForce(stateDir: string): Promise<readonly LoadedCustomer[]> {
  const paths = new Paths(stateDir);
  const loaded = await readCustomers(paths).catch(() => undefined);
  // Of whom both copies are missing is none to those who have only records.
  if (loaded && (await recordedNames(paths)).length <= loaded.length) return loaded;
  return withHost({ stateDir, lock: false }, (host) => readCustomers(host.paths));
}

/** For work that needs no loader: what kernel or tools refuse meanwhile is a RuntimeFailure here, too. */
export function explained<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw isRefusal(error) ? failure("TG9015", { cause: causeOf(error) }, null, error) : error;
  });
}

/** Throws TG9001. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) throw failure("TG9001", {}, "run it with sudo");
}

async function runOnHost<T>(options: HostOptions, work: (host: Host) => Promise<T>): Promise<T> {
  const binary = builtFile("runtime/loader/tidegate-loader");
  const paths = new Paths(options.stateDir);
  await requireOwnFolder(options.stateDir);
  if (options.lock) await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const run = async () => {
    const loader = await Loader.start({ command: [binary] });
    try {
      if (options.lock) await lock(loader, paths);
      return await work(hostOf(loader, options.stateDir));
    } finally {
      await loader.close();
    }
  };
  return options.lock ? inTurn(options.stateDir, run) : run();
}

/** On a host the kernel can be asked what a damaged record said. */
function hostOf(loader: Loader, stateDir: string): Host {
  const host: Host = {
    loader,
    paths: new Paths(stateDir, (customer) => rebuiltRecord(host, customer)),
  };
  return host;
}

/** The last of the runs of this process that take the lock, by state directory. */
const turns = new Map<string, Promise<unknown>>();

/** The lock keeps other processes out; runs of this one wait for each other, the first to come is the first to run. */
function inTurn<T>(stateDir: string, run: () => Promise<T>): Promise<T> {
  const before = turns.get(stateDir) ?? Promise.resolve();
  const mine = before.then(run, run);
  turns.set(stateDir, mine);
  return mine;
}

/** The words of a native helper, a command or a system call; anything else is a bug of ours. */
function isRefusal(error: unknown): boolean {
  const ofTools = error instanceof NativeError || error instanceof CommandError;
  return ofTools || (error instanceof Error && "syscall" in error);
}

/** A file that `npm run build` makes. */
export function builtFile(path: string): string {
  const file = join(packageRoot(), "dist", path);
  if (!existsSync(file)) throw failure("TG9008", { file: `dist/${path}` }, "build it: npm run build");
  return file;
}

/** Waits for `action`, and takes one of these kernel errors as success: what is to go may be gone already. */
export async function tolerating(
  errnos: readonly (keyof typeof ERRNO)[],
  action: Promise<void>,
): Promise<void> {
  await action.catch((error: unknown) => {
    if (error instanceof LoaderError && errnos.some((name) => ERRNO[name] === error.errno)) return;
    throw error;
  });
}

/** A loader that died is no reason not to undo what it did: starts another, under the same lock. */
export async function reviveLoader({ loader, paths }: Host): Promise<void> {
  // At once or never: whoever had the lock in between has ended what we had begun.
  if (await loader.revive()) await lock(loader, paths, 0);
}

/** Did a run fail because another process has the lock? */
export function isLocked(error: unknown): boolean {
  return error instanceof RuntimeFailure && error.code === "TG9002" && isHeld(error.cause);
}

function isHeld(error: unknown): boolean {
  return error instanceof LoaderError && error.errno === ERRNO.EAGAIN;
}

/** The end of another process's change is a matter of milliseconds, and is worth waiting for; a run is not. */
const LOCK_PATIENCE_MS = 500;
const LOCK_RETRY_MS = 10;

async function lock(loader: Loader, paths: Paths, patience = LOCK_PATIENCE_MS): Promise<void> {
  const until = performance.now() + patience;
  for (;;) {
    const held = await loader.lock(paths.lock()).then(
      () => null,
      (error: unknown) => error,
    );
    if (held === null) return;
    if (!isHeld(held) || performance.now() > until)
      throw failure("TG9002", { cause: causeOf(held) }, "wait for it to end, then try again", held);
    await sleep(LOCK_RETRY_MS);
  }
}
