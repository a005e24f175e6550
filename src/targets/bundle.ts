import { createHash } from "node:crypto";
import { formatPrefix } from "../compiler/ir/address.js";
import { forwardsInXdp, type Policy, type Rule } from "../compiler/ir/policy.js";
import { MANIFEST_SCHEMA, type Manifest } from "./manifest.js";
import { linkName, namespaceName } from "./names.js";
import { tunnels } from "./route/tunnels.js";
import { earlyStep } from "./xdp/early.js";
import { sentWhileLive } from "./xdp/forward.js";
import { limitMaps, tables } from "./xdp/tables.js";

/** A file of a bundle: its path in it, and its bytes. */
export interface BundleFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What a policy was read from; files by their paths from the policy's folder, so that they say nothing of a machine. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  readonly modules: readonly { readonly file: string; readonly text: string }[];
}

export const MANIFEST_FILE = "manifest.json";

/**
 * What `manifest.json` says of a bundle with these files. No time, no machine: the same policy and compiler give
 * the same bytes.
 */
export function manifest(
  policy: Policy,
  source: SourceText,
  compiler: string,
  files: readonly BundleFile[],
): Manifest {
  const live = sentWhileLive(policy);
  return {
    schema: MANIFEST_SCHEMA,
    compiler,
    customer: policy.customer,
    namespace: namespaceName(policy.customer),
    link: linkName(policy.customer),
    prefixes: policy.prefixes.map(({ prefix }) => formatPrefix(prefix)),
    source: {
      file: source.file,
      sha256: sha256(source.text),
      modules: source.modules.map(({ file, text }) => ({ file, sha256: sha256(text) })),
    },
    mitigate: policy.mitigate.map(ruleRow),
    firewall: {
      default: policy.firewall.default,
      rules: policy.firewall.rules.map(ruleRow),
      early: earlyStep(policy) !== null,
    },
    ...(forwardsInXdp(policy) && { datapath: "xdp" as const }),
    ...(live && { sentWhileLive: [...live] }),
    watched: true,
    tunnels: [...tunnels(policy)],
    noLiveTunnel: policy.noLiveTunnel,
    tables: [...tables(policy)],
    limits: [...limitMaps(policy)],
    files: Object.fromEntries(
      [...files].sort((a, b) => (a.path < b.path ? -1 : 1)).map((file) => [file.path, sha256(file.bytes)]),
    ),
  };
}

export function formatManifest(value: Manifest): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function ruleRow(rule: Rule): Manifest["mitigate"][number] {
  return { name: rule.name, action: rule.action.kind, line: rule.span.line };
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
