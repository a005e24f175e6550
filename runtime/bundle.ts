import { createHash } from "node:crypto";
import { cp, lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Manifest, manifestSchema } from "../src/targets/manifest.js";
import { causeOf, failure } from "./failures.js";
import { addressBytes, parsePrefix } from "./prefix.js";
import { type LoadedCustomer, MANIFEST_FILE, type Paths } from "./state.js";

/** A bundle whose files are all that its manifest says, and nothing else. */
export interface Bundle {
  readonly dir: string;
  readonly manifest: Manifest;
  /** SHA-256 of manifest.json. */
  readonly hash: string;
}

/** Reads and verifies the bundle in `dir`. Throws a RuntimeFailure TG50xx for the first thing wrong with it. */
export async function readBundle(dir: string): Promise<Bundle> {
  const bytes = await readFile(join(dir, MANIFEST_FILE)).catch((error: unknown) => {
    throw failure("TG5001", { file: MANIFEST_FILE, problem: causeOf(error) }, COMPILE_HINT);
  });
  const bundle = { dir, manifest: readManifest(bytes), hash: sha256(bytes) };
  checkNames(bundle.manifest);
  await checkFiles(bundle);
  return bundle;
}

/** The text of a file of the bundle, which the manifest must list. */
export async function bundleText({ dir, manifest }: Bundle, file: string): Promise<string> {
  if (!Object.hasOwn(manifest.files, file)) throw failure("TG5004", { file }, COMPILE_HINT);
  return readFile(join(dir, file), "utf8");
}

/** The bytes of a file of the bundle, which the manifest must list. */
export async function bundleBytes({ dir, manifest }: Bundle, file: string): Promise<Uint8Array> {
  if (!Object.hasOwn(manifest.files, file)) throw failure("TG5004", { file }, COMPILE_HINT);
  return readFile(join(dir, file));
}

/** The runtime's copy of a bundle that is loaded: as recorded, not verified again. */
export function storedBundle(paths: Paths, { customer, generation, hash, manifest }: LoadedCustomer): Bundle {
  return { dir: paths.bundle(customer, generation), manifest, hash };
}

/** Copies exactly the verified files to `target`, and verifies the copy: what is loaded is what was judged. */
export async function copyBundle(bundle: Bundle, target: string): Promise<Bundle> {
  for (const file of [MANIFEST_FILE, ...Object.keys(bundle.manifest.files)]) {
    await cp(join(bundle.dir, file), join(target, file), { recursive: true, dereference: false });
  }
  const copy = await readBundle(target);
  if (copy.hash !== bundle.hash) throw failure("TG5003", { file: MANIFEST_FILE }, COMPILE_HINT);
  return copy;
}

const COMPILE_HINT = "compile the policy again with `tidegate compile`, and copy the whole folder";

function readManifest(bytes: Buffer): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch (error) {
    throw failure("TG5001", { file: MANIFEST_FILE, problem: causeOf(error) }, COMPILE_HINT);
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problem = z.prettifyError(parsed.error).replaceAll("\n", " ");
  throw failure(
    "TG5002",
    { problem },
    "is it from another version of Tidegate? compile it again with this one",
  );
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
  if (bad !== undefined)
    throw failure("TG5010", { name: bad }, "compile the policy again; never edit a bundle");
  const lists = manifest.tables.filter((table) => table.kind === "lpm");
  const prefixes = [...manifest.prefixes, ...lists.flatMap(({ entries }) => entries)];
  const problem = [
    ...prefixes.filter((text) => !parsePrefix(text)).map((text) => `\`${text}\` is not a prefix`),
    ...manifest.tunnels
      .filter(({ remote }) => !addressBytes(remote))
      .map(({ remote }) => `\`${remote}\` is not an address`),
    ...lists
      .filter(({ family, entries }) => entries.some((text) => parsePrefix(text)?.family !== family))
      .map(({ map }) => `\`${map}\` mixes address families`),
  ][0];
  if (problem !== undefined) throw failure("TG5002", { problem });
}

async function checkFiles({ dir, manifest }: Bundle): Promise<void> {
  const files = await filesIn(dir);
  const unlisted = files.find((file) => file !== MANIFEST_FILE && !Object.hasOwn(manifest.files, file));
  if (unlisted !== undefined)
    throw failure("TG5005", { file: unlisted }, "remove it, or compile the policy again");
  for (const [file, hash] of Object.entries(manifest.files)) {
    if (!files.includes(file)) throw failure("TG5004", { file }, COMPILE_HINT);
    if (sha256(await readFile(join(dir, file))) !== hash) throw failure("TG5003", { file }, COMPILE_HINT);
  }
}

/** All files below `dir`. Only plain ones may be there: a link could lead out of the bundle. */
async function filesIn(dir: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const file of (await readdir(dir, { recursive: true })).sort()) {
    const stat = await lstat(join(dir, file));
    if (stat.isDirectory()) continue;
    if (!stat.isFile()) throw failure("TG5001", { file, problem: "it is not a plain file" }, COMPILE_HINT);
    files.push(file);
  }
  return files;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
