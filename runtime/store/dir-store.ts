import { watch as watchFolder } from "node:fs";
import { link, mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { replaceDurably, withFresh } from "../durable.js";
import { causeOf, failure } from "../failures.js";
import { sha256 } from "../hash.js";
import { readPlainFile } from "../trust/files.js";
import {
  type Content,
  type Head,
  headSchema,
  MAX_BLOB_BYTES,
  MAX_HEAD_BYTES,
  type Store,
  type Watch,
} from "./store.js";

/** Heads that stay readable behind the latest. A publisher that many others have overtaken is told so. */
const KEPT_REVISIONS = 16;

/** A blob without a head is left alone for a day: its publisher may be at work yet. */
const ORPHAN_AGE_MS = 24 * 60 * 60 * 1000;

const REWATCH_MS = 5_000;

const HEAD_NAME = /^([a-z][a-z0-9-]{0,31})\.([1-9]\d{0,14})\.json$/;

/**
 * A store in a directory, which may be shared or copied between machines. `blobs/ab/cdef…` hold bytes by their SHA-256;
 * `heads/acme.7.json` is revision 7 of acme, and the highest is its head. A head comes into being by link(2), which fails
 * where the name is taken: of two publishers at the same moment one wins, and the other is told, for which rename(2) would
 * need a lock.
 */
export function dirStore(folder: string): Store {
  const dir: Dir = { name: `dir:${folder}`, heads: join(folder, "heads"), blobs: join(folder, "blobs") };
  return {
    name: dir.name,
    heads: async () => latestOf(await revisions(folder, dir)),
    head: (customer) => readHead(folder, dir, customer),
    blob: (hash) => readBlob(dir, hash),
    putBlob: (bytes) => writing(dir, () => putBlob(dir, bytes)),
    publish: (customer, content, after) => writing(dir, () => publish(folder, dir, customer, content, after)),
    watch: (onChange) => watchHeads(dir, onChange),
  };
}

interface Dir {
  readonly name: string;
  readonly heads: string;
  readonly blobs: string;
}

interface Revision {
  readonly customer: string;
  readonly revision: number;
}

/** Every head that is kept. A store without a single one is empty; a folder that is not there may be a mount that failed. */
async function revisions(folder: string, { name, heads }: Dir): Promise<readonly Revision[]> {
  try {
    await stat(folder);
    const files = await readdir(heads).catch(noneIfAbsent<string[]>([]));
    return files.flatMap((file) => {
      const [, customer, revision] = HEAD_NAME.exec(file) ?? [];
      return customer === undefined ? [] : [{ customer, revision: Number(revision) }];
    });
  } catch (error) {
    throw failure(
      "TG9101",
      { store: name, problem: causeOf(error) },
      "is the path right, and mounted?",
      error,
    );
  }
}

function latestOf(all: readonly Revision[]): ReadonlyMap<string, number> {
  const latest = new Map<string, number>();
  for (const { customer, revision } of all)
    latest.set(customer, Math.max(revision, latest.get(customer) ?? 0));
  return new Map([...latest].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function readHead(folder: string, dir: Dir, customer: string): Promise<Head | undefined> {
  const revision = latestOf(await revisions(folder, dir)).get(customer);
  if (revision === undefined) return undefined;
  const bytes = await readAtMost(headFile(dir, { customer, revision }), MAX_HEAD_BYTES).catch((error) => {
    throw failure("TG9101", { store: dir.name, problem: causeOf(error) }, null, error);
  });
  return parseHead(bytes, { customer, revision });
}

function parseHead(bytes: Uint8Array, { customer, revision }: Revision): Head {
  const bad = (problem: string) =>
    failure("TG9102", { customer, revision: `${revision}`, problem }, "publish the bundle again");
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw bad(causeOf(error));
  }
  const { data, error } = headSchema.safeParse(json);
  if (!data) throw bad(error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  if (data.customer !== customer || data.revision !== revision)
    throw bad(`it says that it is revision ${data.revision} of ${data.customer}`);
  return data;
}

async function readBlob(dir: Dir, hash: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readAtMost(blobFile(dir, hash), MAX_BLOB_BYTES);
    return sha256(bytes) === hash ? bytes : undefined;
  } catch (error) {
    if (isAbsent(error) || isError(error, "ENOTDIR")) return undefined;
    throw failure("TG9101", { store: dir.name, problem: causeOf(error) }, null, error);
  }
}

async function putBlob(dir: Dir, bytes: Uint8Array): Promise<string> {
  const hash = sha256(bytes);
  const file = blobFile(dir, hash);
  // One that is there already is made young again, so that nobody clears it away before its head is there.
  if (await readBlob(dir, hash)) await utimes(file, new Date(), new Date());
  else {
    await mkdir(dirname(file), { recursive: true });
    await replaceDurably(file, bytes);
  }
  return hash;
}

async function publish(
  folder: string,
  dir: Dir,
  customer: string,
  content: Content,
  after: number,
): Promise<Head> {
  const revision = after + 1;
  const published = new Date().toISOString();
  const head = headSchema.parse({ schema: 1, customer, revision, published, content });
  const taken = (there: number) =>
    failure("TG9104", { customer, revision: `${there}` }, "look what was published, then publish again");
  await mkdir(dir.heads, { recursive: true });
  const before = latestOf(await revisions(folder, dir)).get(customer) ?? 0;
  if (before !== after) throw taken(before);
  const file = headFile(dir, head);
  await withFresh(file, `${JSON.stringify(head, null, 2)}\n`, async (fresh) => {
    await link(fresh, file).catch((error: unknown) => {
      throw isError(error, "EEXIST") ? taken(revision) : error;
    });
  });
  const all = await revisions(folder, dir);
  const latest = latestOf(all).get(customer) ?? revision;
  // So far ahead that ours may have taken the place of one that was cleared away: it never was the head.
  if (latest >= revision + KEPT_REVISIONS) throw taken(latest);
  await clearUp(dir, all);
  return head;
}

/** Takes away old revisions, and the blobs that no revision needs any more. */
async function clearUp(dir: Dir, all: readonly Revision[]): Promise<void> {
  const latest = latestOf(all);
  const isOld = ({ customer, revision }: Revision) =>
    revision <= (latest.get(customer) ?? 0) - KEPT_REVISIONS;
  const old = all.filter(isOld);
  if (old.length === 0) return;
  for (const revision of old) await rm(headFile(dir, revision), { force: true });
  const needed = await neededBlobs(
    dir,
    all.filter((one) => !isOld(one)),
  );
  if (needed) await removeOrphans(dir, needed);
}

/** Undefined if a head cannot be read: nobody knows what it needs. */
async function neededBlobs(dir: Dir, kept: readonly Revision[]): Promise<ReadonlySet<string> | undefined> {
  const needed = new Set<string>();
  try {
    for (const revision of kept) {
      const { content } = parseHead(await readAtMost(headFile(dir, revision), MAX_HEAD_BYTES), revision);
      if (content.kind === "bundle") for (const hash of Object.values(content.files)) needed.add(hash);
    }
    return needed;
  } catch {
    return undefined;
  }
}

async function removeOrphans({ blobs }: Dir, needed: ReadonlySet<string>): Promise<void> {
  const before = Date.now() - ORPHAN_AGE_MS;
  for (const shelf of await readdir(blobs).catch(noneIfAbsent<string[]>([]))) {
    for (const rest of await readdir(join(blobs, shelf))) {
      const file = join(blobs, shelf, rest);
      if (!needed.has(shelf + rest) && (await stat(file)).mtimeMs < before) await rm(file, { force: true });
    }
  }
}

/** fs.watch goes silent when its folder is replaced, and fails while there is none; so it is set up again and again. */
function watchHeads({ heads }: Dir, onChange: () => void): Watch {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let close = () => {};
  const start = () => {
    if (closed) return;
    try {
      const watcher = watchFolder(heads, onChange);
      close = () => watcher.close();
      watcher.on("error", () => {
        watcher.close();
        timer = setTimeout(start, REWATCH_MS).unref();
      });
    } catch {
      timer = setTimeout(start, REWATCH_MS).unref();
    }
  };
  start();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      close();
    },
  };
}

function headFile({ heads }: Dir, { customer, revision }: Revision): string {
  return join(heads, `${customer}.${revision}.json`);
}

function blobFile({ blobs }: Dir, hash: string): string {
  return join(blobs, hash.slice(0, 2), hash.slice(2));
}

/** A store may be in anybody's hands: links are not followed, and pipes not waited for. */
async function readAtMost(file: string, bytes: number): Promise<Uint8Array> {
  return readPlainFile(dirname(file), basename(file), bytes);
}

/** What the file system refuses while something is published. */
async function writing<T>({ name }: Dir, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw failure("TG9106", { store: name, problem: causeOf(error) }, null, error);
  }
}

function isError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function isAbsent(error: unknown): boolean {
  return isError(error, "ENOENT");
}

function noneIfAbsent<T>(none: T): (error: unknown) => T {
  return (error) => {
    if (isAbsent(error)) return none;
    throw error;
  };
}
