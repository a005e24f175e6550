import type { Located, SurfaceEdge, SurfaceKey } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/did-you-mean.js";
import type { TrustedKey } from "../ir/edge.js";
import { checkName } from "./names.js";

/** RFC 8410: the SubjectPublicKeyInfo of an Ed25519 key is these 12 bytes, then the 32 of the key. */
const ED25519 = Buffer.from("302a300506032b6570032100", "hex");
const ED25519_BYTES = ED25519.length + 32;

/** The keys that may sign bundles; null where none are written. Reports what is no key, or would trust nobody. */
export function readKeys(surface: SurfaceEdge, diagnostics: Diagnostics): readonly TrustedKey[] | null {
  if (!surface.keys) return null;
  if (surface.keys.length === 0) diagnostics.report("TG2082", surface.span, { what: "`keys`" });
  const first = new Map<string, SurfaceKey>();
  const owners = new Set(surface.owners.map(({ customer }) => customer.value));
  for (const written of surface.keys) {
    checkName("key", written.name, diagnostics);
    checkKey(written.key, diagnostics);
    checkCustomers(written, owners, diagnostics);
    checkFirst(written, first, diagnostics);
  }
  return surface.keys.map(({ name, key, customers, span }) => ({
    ...{ name: name.value, key: key.value, span },
    customers: customers?.map(({ value }) => value) ?? null,
  }));
}

function checkKey({ value, span }: Located<string>, diagnostics: Diagnostics): void {
  const found = problemOf(value);
  if (found) diagnostics.report("TG2080", span, { problem: found.problem }, { hint: found.hint });
}

function problemOf(text: string): { readonly problem: string; readonly hint: string } | undefined {
  const hint = "copy the line that `tidegate keygen` printed";
  if (/PRIVATE KEY/.test(text) || text.startsWith("MC4CAQAwBQYDK2Vw")) {
    const secret = "a private key that was written here is no secret any more: make a new one";
    return { problem: "it is a private key", hint: secret };
  }
  if (text.includes("-----"))
    return { problem: "it has the lines around", hint: "write only what stands between BEGIN and END" };
  const bytes = Buffer.from(text, "base64");
  // Buffer.from() skips what is not base64.
  if (bytes.toString("base64") !== text) return { problem: "it is not base64", hint };
  if (bytes.length === 32) return { problem: "it lacks the 12 bytes that say what it is", hint };
  if (bytes.length !== ED25519_BYTES || !bytes.subarray(0, ED25519.length).equals(ED25519))
    return { problem: "it is something else", hint };
  return undefined;
}

function checkCustomers(
  { name, customers, span }: SurfaceKey,
  owners: ReadonlySet<string>,
  diagnostics: Diagnostics,
): void {
  const key = name.value;
  if (customers?.length === 0)
    diagnostics.report("TG2082", span, { what: `\`customers\` of key \`${key}\`` });
  for (const { value, span } of customers ?? []) {
    if (owners.has(value)) continue;
    diagnostics.report("TG2083", span, { key, customer: value }, { hint: didYouMean(value, owners) });
  }
}

function checkFirst(written: SurfaceKey, first: Map<string, SurfaceKey>, diagnostics: Diagnostics): void {
  const earlier = first.get(written.key.value);
  if (!earlier) {
    first.set(written.key.value, written);
    return;
  }
  const related = [{ span: earlier.name.span, text: "this key" }];
  const params = { name: earlier.name.value, other: written.name.value };
  diagnostics.report("TG2081", written.name.span, params, { related });
}
