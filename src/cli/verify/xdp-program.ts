import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fillTunnels } from "../../../runtime/customer/fast-path.js";
import { fillTables, type ReadFile } from "../../../runtime/customer/program.js";
import type { Loader } from "../../../runtime/loader-client.js";
import { lpmKey, parsePrefix } from "../../../runtime/prefix.js";
import { impossible, invariant } from "../../compiler/diagnostics/invariant.js";
import { formatAddress, formatPrefix } from "../../compiler/ir/address.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Manifest } from "../../targets/manifest.js";
import { tunnels } from "../../targets/route/tunnels.js";
import type { Artifact } from "../../targets/target.js";
import type { Form } from "../../targets/xdp/classifier/plan.js";
import { earlyStep, sendsSome } from "../../targets/xdp/early.js";
import { dataOf, tables } from "../../targets/xdp/tables.js";
import { compileXdp } from "../io/clang.js";
import { ANYCAST } from "./frame.js";
import { ROOT_OBJECT } from "./scratch.js";
import { DEFAULT, FIREWALL_DEFAULT } from "./stage.js";

/** A customer's XDP program and what it needs to be loaded. */
export interface XdpProgram {
  readonly object: Uint8Array;
  readonly prefixes: readonly string[];
  readonly tables: Manifest["tables"];
  /** Files that the tables name. */
  readonly read: ReadFile;
  /** Names of its counters, in their order. */
  readonly counters: readonly string[];
  /** The tunnels that it sends packets into itself; null: all that is allowed goes to the namespace. */
  readonly tunnels: Manifest["tunnels"] | null;
}

/** Pinned folders, in one BPF file system, of the root program and of a customer's behind it. */
export interface XdpPins {
  readonly root: string;
  readonly customer: string;
}

/** The only customer sits here; any slot would do. */
const SLOT = 5;

/** The policy's program, which reads each packet's own time from the map `test_clock`. */
export function timedProgram(policy: Policy, emitted: readonly Artifact[], form?: Form): XdpProgram {
  const object = compileXdp(policy.customer, textOf(emitted, ".bpf.c"), { testClock: true });
  return programOf(policy, object, form);
}

/** The policy's program, given the object that clang made of it. */
export function programOf(policy: Policy, object: Uint8Array, form?: Form): XdpProgram {
  return {
    object,
    prefixes: policy.prefixes.map(({ prefix }) => formatPrefix(prefix)),
    tables: tables(policy, form),
    read: () => Promise.resolve(dataOf(policy, form) ?? impossible("a program with data has them")),
    counters: counterNames(policy.mitigate, earlyStep(policy) && policy.firewall.rules),
    tunnels: sendsSome(policy) ? [...tunnels(policy)] : null,
  };
}

type Rows = readonly { readonly name: string }[];

/** Rules and default of `mitigate`; and where the program asks the firewall, too, the same of it. */
export function counterNames(mitigate: Rows, firewall: Rows | null): readonly string[] {
  const names = (rows: Rows) => rows.map(({ name }) => name);
  return [...names(mitigate), DEFAULT, ...(firewall ? [...names(firewall), FIREWALL_DEFAULT] : [])];
}

/** Loads the root program, which knows the customer's prefixes and nobody else's. */
export async function loadRoot(loader: Loader, root: string, prefixes: readonly string[]): Promise<void> {
  await loader.loadObject({ object: ROOT_OBJECT, pinDir: root, reuse: {} });
  const value = Buffer.alloc(4);
  value.writeUInt32LE(SLOT);
  for (const text of prefixes) {
    const prefix = parsePrefix(text);
    invariant(prefix, `${text} is a prefix`);
    await loader.updateMap(`${root}/map_customers_${prefix.family}`, [{ key: lpmKey(prefix), value }]);
  }
}

/** Loads a customer's program behind a root program, in the place of the one before. */
export async function loadCustomer(
  loader: Loader,
  { root, customer }: XdpPins,
  program: XdpProgram,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-xdp-"));
  try {
    const object = join(folder, "customer.bpf.o");
    writeFileSync(object, program.object);
    const shared = program.tunnels ? ["packet", "uplinks"] : ["packet"];
    const reuse = Object.fromEntries(shared.map((map) => [map, `${root}/map_${map}`]));
    await loader.loadObject({ object, pinDir: customer, reuse });
  } finally {
    rmSync(folder, { recursive: true });
  }
  await fillTables(loader, customer, program.tables, program.read);
  const { tunnels } = program;
  const anycast = formatAddress(ANYCAST);
  if (tunnels) await fillTunnels(loader, customer, { tunnels, anycast, closed: new Set() });
  await loader.setProgram(`${root}/map_programs`, SLOT, `${customer}/prog_tidegate_customer`);
}

/** The text of the one artifact whose path ends so. */
export function textOf(artifacts: readonly Artifact[], ending: string): string {
  const found = artifacts.find(({ path }) => path.endsWith(ending));
  invariant(found, `the targets emit a file *${ending}`);
  return found.text;
}
