import { watch as watchFolder } from "node:fs";
import { link, lstat, mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { replaceDurably, withFresh } from "../durable.js";
import { causeOf, failure, hasErrno, orIfMissing } from "../failures.js";
import { sha256 } from "../hash.js";
import { readPlainFile } from "../trust/files.js";
import { withFolder } from "./held-folder.js";
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
  const dir: Dir = {
    name: `dir:${folder}`,
    root: folder,
    heads: join(folder, "heads"),
    blobs: join(folder, "blobs"),
  };
  return {
    name: dir.name,
    heads: async () => latestOf(await revisions(dir)),
    head: (customer) => readHead(dir, customer),
    blob: (hash) => readBlob(dir, hash),
    putBlob: (bytes) => writing(dir, () => putBlob(dir, bytes)),
    publish: (customer, content, after) => writing(dir, () => publish(dir, customer, content, after)),
    watch: (onChange) => watchHeads(dir, onChange),
  };
}

/** Who may write to a store may put links in the place of its folders at any time: they are entered by withFolder() alone. */
interface Dir {
  readonly name: string;
  /** The operator's word, and so followed. */
  readonly root: string;
  readonly heads: string;
  readonly blobs: string;
}

interface Revision {
  readonly customer: string;
  readonly revision: number;
}

/** Every head that is kept. A store without a single one is empty; a folder that is not there may be a mount that failed. */
async function revisions({ name, root, heads }: Dir): Promise<readonly Revision[]> {
  try {
    await stat(root);
    return await orIfMissing(withFolder(heads, revisionsIn), []);
  } catch (error) {
    throw failure(
      "TG9101",
      { store: name, problem: causeOf(error) },
      "is the path right, and mounted?",
      error,
    );
  }
}

async function revisionsIn(heads: string): Promise<readonly Revision[]> {
  return (await readdir(heads)).flatMap((file) => {
    const [, customer, revision] = HEAD_NAME.exec(file) ?? [];
    return customer === undefined ? [] : [{ customer, revision: Number(revision) }];
  });
}

function latestOf(all: readonly Revision[]): ReadonlyMap<string, number> {
  const latest = new Map<string, number>();
  for (const { customer, revision } of all)
    latest.set(customer, Math.max(revision, latest.get(customer) ?? 0));
  return new Map([...latest].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function readHead(dir: Dir, customer: string): Promise<Head | undefined> {
  const revision = latestOf(await revisions(dir)).get(customer);
  if (revision === undefined) return undefined;
  const name = headName({ customer, revision });
  const reading = withFolder(dir.heads, (heads) => readPlainFile(heads, name, MAX_HEAD_BYTES));
  const bytes = await reading.catch((error) => {
    throw failure("TG9101", { store: dir.name, problem: causeOf(error) }, null, error);
  });
  return parseHead(dir, bytes, { customer, revision });
}

function parseHead({ name }: Dir, bytes: Uint8Array, { customer, revision }: Revision): Head {
  const bad = (problem: string) =>
    failure("TG9102", { customer, revision: `${revision}`, problem }, "publish the bundle again");
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    // Who copies a store by other means than this one writes a head where it is to lie, and half of it may be there.
    const problem = `revision ${revision} of \`${customer}\`: ${causeOf(error)}`;
    throw failure("TG9101", { store: name, problem }, "is it being copied? If not, publish again", error);
  }
  const { data, error } = headSchema.safeParse(json);
  if (!data) throw bad(error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  if (data.customer !== customer || data.revision !== revision)
    throw bad(`it says that it is revision ${data.revision} of ${data.customer}`);
  return data;
}

async function readBlob(dir: Dir, hash: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await onShelf(dir, hash, (shelf, name) => readPlainFile(shelf, name, MAX_BLOB_BYTES));
    return sha256(bytes) === hash ? bytes : undefined;
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw failure("TG9101", { store: dir.name, problem: causeOf(error) }, null, error);
  }
}

async function putBlob(dir: Dir, bytes: Uint8Array): Promise<string> {
  const hash = sha256(bytes);
  const isThere = (await readBlob(dir, hash)) !== undefined;
  await mkdir(dir.root, { recursive: true });
  await makeFolder(dir.blobs);
  await withFolder(dir.blobs, (blobs) => makeFolder(join(blobs, shelfOf(hash))));
  await onShelf(dir, hash, async (shelf, name) => {
    // One that is there already is made young again, so that nobody clears it away before its head is there.
    if (isThere) await utimes(join(shelf, name), new Date(), new Date());
    else await replaceDurably(join(shelf, name), bytes);
  });
  return hash;
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path).catch((error: unknown) => {
    if (!hasErrno(error, "EEXIST")) throw error;
  });
}

async function publish(dir: Dir, customer: string, content: Content, after: number): Promise<Head> {
  const revision = after + 1;
  const published = new Date().toISOString();
  const head = headSchema.parse({ schema: 1, customer, revision, published, content });
  const taken = (there: number) =>
    failure("TG9104", { customer, revision: `${there}` }, "look what was published, then publish again");
  await mkdir(dir.root, { recursive: true });
  await makeFolder(dir.heads);
  const before = latestOf(await revisions(dir)).get(customer) ?? 0;
  if (before !== after) throw taken(before);
  await withFolder(dir.heads, async (heads) => {
    const file = join(heads, headName(head));
    await withFresh(file, `${JSON.stringify(head, null, 2)}\n`, async (fresh) => {
      await link(fresh, file).catch((error: unknown) => {
        throw hasErrno(error, "EEXIST") ? taken(revision) : error;
      });
    });
  });
  const all = await revisions(dir);
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
  await withFolder(dir.heads, async (heads) => {
    for (const revision of old) await rm(join(heads, headName(revision)), { force: true });
  });
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
    await withFolder(dir.heads, async (heads) => {
      for (const revision of kept) {
        const bytes = await readPlainFile(heads, headName(revision), MAX_HEAD_BYTES);
        const { content } = parseHead(dir, bytes, revision);
        if (content.kind === "bundle") for (const hash of Object.values(content.files)) needed.add(hash);
      }
    });
    return needed;
  } catch {
    return undefined;
  }
}

/** Of what lies there only blobs, by their names: nothing else is ours to remove. */
async function removeOrphans({ blobs }: Dir, needed: ReadonlySet<string>): Promise<void> {
  const clearing = withFolder(blobs, async (held) => {
    const shelves = (await readdir(held)).filter((name) => /^[0-9a-f]{2}$/.test(name));
    for (const name of shelves)
      await withFolder(join(held, name), (shelf) => clearShelf(shelf, name, needed)).catch(
        // A link, or no folder at all.
        (error: unknown) => {
          if (!hasErrno(error, "ENOTDIR")) throw error;
        },
      );
  });
  await orIfMissing(clearing, undefined);
}

async function clearShelf(shelf: string, name: string, needed: ReadonlySet<string>): Promise<void> {
  const before = Date.now() - ORPHAN_AGE_MS;
  for (const rest of (await readdir(shelf)).filter((one) => /^[0-9a-f]{62}$/.test(one))) {
    const file = join(shelf, rest);
    if (!needed.has(name + rest) && (await lstat(file)).mtimeMs < before) await rm(file, { force: true });
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
      const watcher = watchFolder(heads, (_, name) => {
        // What is still being written is no head yet.
        if (!name?.startsWith(".")) onChange();
      });
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

function headName({ customer, revision }: Revision): string {
  return `${customer}.${revision}.json`;
}

function shelfOf(hash: string): string {
  return hash.slice(0, 2);
}

/** Does something with the folder that a blob lies in, and its name there. */
function onShelf<T>(
  { blobs }: Dir,
  hash: string,
  work: (shelf: string, name: string) => Promise<T>,
): Promise<T> {
  return withFolder(blobs, (held) =>
    withFolder(join(held, shelfOf(hash)), (shelf) => work(shelf, hash.slice(2))),
  );
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
