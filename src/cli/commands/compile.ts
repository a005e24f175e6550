import { createHash } from "node:crypto";
import { basename, dirname, relative } from "node:path";
import pc from "picocolors";
import { SIGNATURE_FILE, signRelease } from "../../../runtime/trust/release.js";
import { emit } from "../../compiler/compile.js";
import type { Policy } from "../../compiler/ir/policy.js";
import { printPolicy } from "../../compiler/ir/print.js";
import {
  type BundleFile,
  formatManifest,
  MANIFEST_FILE,
  manifest,
  type SourceText,
} from "../../targets/bundle.js";
import type { Manifest } from "../../targets/manifest.js";
import type { Artifact } from "../../targets/target.js";
import { dataFile, dataOf, tables } from "../../targets/xdp/tables.js";
import { EXIT, UsageError } from "../exit.js";
import { compileXdp } from "../io/clang.js";
import { readPrivateKey } from "../io/key-files.js";
import { writeBundle } from "../io/write-bundle.js";
import { type LoadedPolicy, loadPolicy } from "../load-policy.js";
import { printable } from "../render/underline.js";
import { formatProof, PROOF_FILE, proofOf } from "../verify/proof.js";
import { version } from "../version.js";
import { readSerial } from "./sign.js";

interface CompileOptions {
  readonly output: string;
  readonly emitIr?: boolean;
  readonly json?: boolean;
  readonly geo?: string;
  /** File of a private key. */
  readonly sign?: string;
  readonly serial?: string;
}

/** `tidegate compile`: policy file → bundle directory. */
export async function compile(file: string, options: CompileOptions): Promise<number> {
  const started = performance.now();
  const sign = signer(options);
  const loaded = loadPolicy(file, options);
  if (!loaded) return EXIT.failed;
  const read = performance.now();
  const artifacts = emit(loaded.policy);
  const emitted = performance.now();
  const proof = proofFile(loaded.policy);
  const proven = performance.now();
  const files = sign(loaded.policy, bundleFiles(loaded, artifacts, proof));
  const compiled = performance.now();
  writeBundle(options.output, files);

  if (options.emitIr) process.stdout.write(printPolicy(loaded.policy));
  const ms = {
    ...{ read: read - started, compile: emitted - read },
    ...{ proof: proven - emitted, clang: compiled - proven },
  };
  report(loaded.policy, options, files, ms);
  return EXIT.ok;
}

/** Adds a signature where one is asked for. The key is read before the work begins. */
function signer({ sign, serial }: CompileOptions) {
  const key = sign === undefined ? undefined : readPrivateKey(sign);
  if (!key && serial !== undefined) throw new UsageError("--serial is part of a signature: add --sign");
  return ({ customer }: Policy, files: readonly BundleFile[]): readonly BundleFile[] => {
    const manifest = files.find(({ path }) => path === MANIFEST_FILE);
    if (!key || !manifest) return files;
    const hash = createHash("sha256").update(manifest.bytes).digest("hex");
    const text = signRelease({ customer, serial: readSerial(serial), manifest: hash }, key);
    return [...files, { path: SIGNATURE_FILE, bytes: Buffer.from(text) }];
  };
}

/** What the reference says of the policy's boundary packets, for `tidegate verify` on another machine. */
function proofFile(policy: Policy): BundleFile {
  return { path: PROOF_FILE, bytes: Buffer.from(formatProof(proofOf(policy))) };
}

/** The whole bundle: text artifacts, the compiled XDP program, the proof, and the manifest over them. */
export function bundleFiles(
  loaded: LoadedPolicy,
  artifacts: readonly Artifact[],
  proof: BundleFile = proofFile(loaded.policy),
): readonly BundleFile[] {
  const texts = artifacts.map(({ path, text }) => ({ path, bytes: Buffer.from(text) }));
  const objects = artifacts
    .filter(({ path }) => path.endsWith(".bpf.c"))
    .map(({ path, text }) => ({
      path: path.replace(/\.c$/, ".o"),
      bytes: compileXdp(loaded.policy.customer, text),
    }));
  const data = dataOf(loaded.policy);
  const tables = data ? [{ path: dataFile(loaded.policy), bytes: data }] : [];
  const files = [...texts, ...objects, ...tables, proof];
  const about = formatManifest(manifest(loaded.policy, sourceText(loaded), version(), files));
  return [...files, { path: MANIFEST_FILE, bytes: Buffer.from(about) }];
}

function sourceText({ source, sources }: LoadedPolicy): SourceText {
  const folder = dirname(source.file);
  const modules = [...sources.values()]
    .filter(({ file }) => file !== source.file)
    .map(({ file, text }) => ({ file: relative(folder, file).replaceAll("\\", "/"), text }))
    .sort((a, b) => (a.file < b.file ? -1 : 1));
  return { file: basename(source.file), text: source.text, modules };
}

/** Bytes of keys and values that the runtime puts into maps. */
function tableBytes(policy: Policy): number {
  const keyAndValue = { 4: 4 + 4 + 1, 6: 4 + 16 + 1 };
  const bytesOf = (table: Manifest["tables"][number]) =>
    table.kind === "data" ? table.bytes : table.entries.length * keyAndValue[table.family];
  return tables(policy).reduce((sum, table) => sum + bytesOf(table), 0);
}

function report(
  policy: Policy,
  options: CompileOptions,
  files: readonly BundleFile[],
  ms: Readonly<Record<"read" | "compile" | "proof" | "clang", number>>,
): void {
  const rules = policy.mitigate.length + policy.firewall.rules.length;
  if (options.json) {
    const rounded = Object.fromEntries(Object.entries(ms).map(([name, value]) => [name, Math.round(value)]));
    console.log(JSON.stringify({ rules, tableBytes: tableBytes(policy), ms: rounded }));
  } else if (!options.emitIr) {
    for (const file of files) console.log(`${String(file.bytes.length).padStart(8)}  ${file.path}`);
    console.log(`${pc.green("ok")} ${policy.customer}: ${rules} rules → ${printable(options.output)}`);
  }
}
