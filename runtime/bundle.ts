import { Buffer } from "node:buffer";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type Manifest, manifestSchema } from "../src/targets/manifest.js";
import { causeOf, failure, orIfMissing } from "./failures.js";
import { sha256 } from "./hash.js";
import { addressBytes, parsePrefix } from "./prefix.js";
import { type LoadedCustomer, MANIFEST_FILE, type Paths } from "./state.js";
import { BUNDLE_LIMITS, plainFiles, readPlainFile, tooLarge } from "./trust/files.js";
import type { TrustedKeys } from "./trust/keys.js";
import { checkRelease, type Release, SIGNATURE_FILE } from "./trust/release.js";
import { checkTexts } from "./trust/texts.js";

/** A bundle whose files are all that its manifest says, and nothing else. */
export interface Bundle {
  readonly dir: string;
  readonly manifest: Manifest;
  /** SHA-256 of manifest.json. */
  readonly hash: string;
  /** Who vouches for it; null where nobody was asked, as the node names no keys. */
  readonly release: Release | null;
  /**
   * The bytes that were judged, by path: all that the manifest lists, manifest.json itself, and signature.json if there
   * is one. What is loaded comes from here, never from a file that somebody may have changed since.
   */
  readonly contents: ReadonlyMap<string, Buffer>;
}

/**
 * Reads and verifies the bundle in `dir`; with `keys`, one of them must have signed it, and nothing else of it is looked
 * at before that holds. Throws a RuntimeFailure TG50xx for the first thing wrong with it.
 */
export async function readBundle(dir: string, keys?: TrustedKeys): Promise<Bundle> {
  const bytes = await readManifestBytes(dir);
  const hash = sha256(bytes);
  const signature = await readSignature(dir);
  const release = keys ? requireRelease(signature, hash, keys) : null;
  const manifest = readManifest(bytes);
  if (release && release.customer !== manifest.customer)
    throw failure("TG5017", { customer: release.customer }, "sign the bundle again");
  checkNames(manifest);
  const files = await readFiles(dir, manifest);
  const about = signature ? [[SIGNATURE_FILE, signature] as const] : [];
  const contents = new Map([[MANIFEST_FILE, bytes], ...about, ...files]);
  return { dir, manifest, hash, release, contents };
}

/** The text of a file of the bundle, which the manifest must list. */
export async function bundleText(bundle: Bundle, file: string): Promise<string> {
  return contentOf(bundle, file).toString();
}

/** The bytes of a file of the bundle, which the manifest must list. */
export async function bundleBytes(bundle: Bundle, file: string): Promise<Uint8Array> {
  return contentOf(bundle, file);
}

/** The runtime's copy of a bundle that is loaded: as recorded. It was not verified again, so nothing can be loaded from it. */
export function storedBundle(
  paths: Paths,
  {
    customer,
    generation,
    hash,
    manifest,
  }: Pick<LoadedCustomer, "customer" | "generation" | "hash" | "manifest">,
): Bundle {
  return { dir: paths.bundle(customer, generation), manifest, hash, release: null, contents: new Map() };
}

/** A bundle of a customer as the record says it. */
type Recorded = Pick<LoadedCustomer, "customer" | "generation" | "hash">;

/**
 * The runtime's copy of a bundle in force, with its files: what was let in by its hash, though its key may be trusted no more.
 * Throws TG9011 where it is damaged.
 */
export async function requireWhole(paths: Paths, { customer, generation, hash }: Recorded): Promise<Bundle> {
  const dir = paths.bundle(customer, generation);
  const hint = `apply the bundle that is in force once more, or remove it: tidegate remove ${customer}`;
  const copy = await readBundle(dir).catch((error: unknown) => {
    throw failure("TG9011", { file: dir, problem: causeOf(error) }, hint, error);
  });
  if (copy.hash === hash) return copy;
  throw failure("TG9011", { file: dir, problem: "its manifest is not the recorded one" }, hint);
}

/** The same; undefined where it is damaged: that is drift, which others mend. */
export function wholeBundle(paths: Paths, recorded: Recorded): Promise<Bundle | undefined> {
  return requireWhole(paths, recorded).catch(() => undefined);
}

/** Writes exactly the verified bytes to `target`, and goes on with them. */
export async function copyBundle(bundle: Bundle, target: string): Promise<Bundle> {
  for (const [file, bytes] of bundle.contents) {
    const path = join(target, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
  return { ...bundle, dir: target };
}

const COMPILE_HINT = "compile the policy again with `tidegate compile`, and copy the whole folder";

function contentOf({ manifest, contents }: Bundle, file: string): Buffer {
  const bytes = Object.hasOwn(manifest.files, file) ? contents.get(file) : undefined;
  if (!bytes) throw failure("TG5004", { file }, COMPILE_HINT);
  return bytes;
}

async function readManifestBytes(dir: string): Promise<Buffer> {
  return orUnreadable(MANIFEST_FILE, readPlainFile(dir, MANIFEST_FILE, BUNDLE_LIMITS.manifest));
}

async function readSignature(dir: string): Promise<Buffer | undefined> {
  const reading = readPlainFile(dir, SIGNATURE_FILE, BUNDLE_LIMITS.signature);
  return orUnreadable(SIGNATURE_FILE, orIfMissing(reading, undefined));
}

function requireRelease(signature: Buffer | undefined, hash: string, keys: TrustedKeys): Release {
  if (signature) return checkRelease(signature.toString(), hash, keys);
  const names = Object.keys(keys).sort().join(", ");
  throw failure("TG5012", {}, `sign it with \`tidegate sign\`; trusted are: ${names}`);
}

/** What the file system refuses is TG5001; failures keep their own code. */
async function orUnreadable<T>(file: string, reading: Promise<T>): Promise<T> {
  return reading.catch((error: unknown) => {
    if (error instanceof Error && "syscall" in error)
      throw failure("TG5001", { file, problem: causeOf(error) }, COMPILE_HINT, error);
    throw error;
  });
}

function readManifest(bytes: Buffer): Manifest {
  const text = bytes.toString();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw failure("TG5001", { file: MANIFEST_FILE, problem: causeOf(error) }, COMPILE_HINT);
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw notValid(parsed.error);
  requireOneSpelling(bytes, json);
  // A key that zod leaves out of what it gives.
  if (text.includes('"__proto__":')) throw failure("TG5021", { file: "__proto__" }, EDITED_HINT);
  return parsed.data;
}

function notValid({ issues }: z.ZodError): Error {
  const stray = issues.find(({ code, path }) => code === "invalid_key" && path[0] === "files");
  if (stray) return failure("TG5021", { file: String(stray.path[1]) }, EDITED_HINT);
  const problem = z.prettifyError(new z.ZodError(issues.slice(0, ISSUES_SHOWN))).replaceAll("\n", " ");
  return failure(
    "TG5002",
    { problem },
    "is it from another version of Tidegate? compile it again with this one",
  );
}

/** A manifest of nonsense has an issue a line. */
const ISSUES_SHOWN = 3;

const EDITED_HINT = "compile the policy again; never edit a bundle";

/** JSON.parse() takes the last of two equal keys, and the nearest of the numbers that it can hold. */
function requireOneSpelling(bytes: Buffer, json: unknown): void {
  const expected = Buffer.from(`${JSON.stringify(json, null, 2)}\n`);
  if (bytes.equals(expected)) return;
  // A character a byte: UTF-8 that is none would read as if it were some.
  const lines = expected.toString("latin1").split("\n");
  const line = bytes
    .toString("latin1")
    .split("\n")
    .findIndex((one, index) => one !== lines[index]);
  throw failure("TG5023", { line: `${line + 1}` }, EDITED_HINT);
}

/**
 * The names under which a bundle may own kernel objects: its own namespace, and devices marked as Tidegate's. A
 * bundle that names `eth0` as its link must never come near it. Values that the schema knows only by their
 * characters are read here once and for all.
 */
function checkNames(manifest: Manifest): void {
  const prefixed = [manifest.link, ...manifest.tunnels.map(({ peer }) => peer)];
  const bad = [
    ...prefixed.filter((name) => !name.startsWith("tg-")),
    ...(manifest.namespace === `tg-${manifest.customer}` ? [] : [manifest.namespace]),
    ...manifest.tunnels.map(({ device }) => device).filter((name) => name === "lo" || name === "edge"),
  ][0];
  if (bad !== undefined) throw failure("TG5010", { name: bad }, EDITED_HINT);
  const problem = problemOf(manifest);
  if (problem !== undefined) throw failure("TG5002", { problem }, EDITED_HINT);
}

function problemOf({ prefixes, tables, tunnels, files }: Manifest): string | undefined {
  const lists = tables.filter((table) => table.kind === "lpm");
  const all = [...prefixes, ...lists.flatMap(({ entries }) => entries)];
  return [
    ...all.filter((text) => !parsePrefix(text)).map((text) => `\`${text}\` is not a prefix`),
    ...tunnels
      .filter(({ remote }) => !addressBytes(remote))
      .map(({ remote }) => `\`${remote}\` is not an address`),
    ...lists
      .filter(({ family, entries }) => entries.some((text) => parsePrefix(text)?.family !== family))
      .map(({ map }) => `\`${map}\` mixes address families`),
    ...[MANIFEST_FILE, SIGNATURE_FILE]
      .filter((file) => Object.hasOwn(files, file))
      .map((file) => `it lists \`${file}\``),
  ][0];
}

async function readFiles(dir: string, manifest: Manifest): Promise<readonly (readonly [string, Buffer])[]> {
  const found = new Set(await orUnreadable(dir, plainFiles(dir)));
  const about = new Set([MANIFEST_FILE, SIGNATURE_FILE]);
  const unlisted = [...found].find((file) => !about.has(file) && !Object.hasOwn(manifest.files, file));
  if (unlisted !== undefined)
    throw failure("TG5005", { file: unlisted }, "remove it, or compile the policy again");
  const files: (readonly [string, Buffer])[] = [];
  let total = 0;
  for (const [file, hash] of Object.entries(manifest.files)) {
    if (!found.has(file)) throw failure("TG5004", { file }, COMPILE_HINT);
    const bytes = await orUnreadable(file, readPlainFile(dir, file, BUNDLE_LIMITS.file));
    total += bytes.length;
    if (total > BUNDLE_LIMITS.bundle) throw tooLarge(`it has more than ${BUNDLE_LIMITS.bundle} bytes`);
    if (sha256(bytes) !== hash) throw failure("TG5003", { file }, COMPILE_HINT);
    files.push([file, bytes]);
  }
  checkTables(manifest, new Map(files));
  checkTexts(manifest, files);
  return files;
}

/** The map is as large as the manifest says; better said here than when half of a program is loaded. */
function checkTables({ tables }: Manifest, files: ReadonlyMap<string, Buffer>): void {
  const data = tables.filter((table) => table.kind === "data");
  const wrong = data.find(({ file, bytes }) => files.get(file)?.length !== bytes);
  if (!wrong) return;
  const problem = `\`${wrong.file}\` has not the ${wrong.bytes} bytes of \`${wrong.map}\``;
  throw failure("TG5002", { problem }, EDITED_HINT);
}
