import type { Located } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import type { Spanned } from "../diagnostics/span.js";
import { formatPrefix, type Prefix, prefixContains } from "../ir/address.js";
import type { OwnedPrefix } from "../ir/policy.js";
import { readPrefix } from "./addresses.js";

/**
 * Reads what a customer owns: at least one prefix, none of them everything, no two of them overlapping.
 * `owner` is who is said to own them: a "policy", or a "customer" in an edge file; not `complete` if `texts` lack some.
 */
export function readOwnedPrefixes(
  owner: Spanned & { readonly what: string; readonly complete: boolean },
  texts: readonly Located<string>[],
  diagnostics: Diagnostics,
): readonly OwnedPrefix[] {
  if (texts.length === 0 && owner.complete) {
    diagnostics.report("TG2036", owner.span, { what: owner.what, member: "prefix" });
  }
  const owned: OwnedPrefix[] = [];
  for (const text of texts) {
    const prefix = readPrefix(text, diagnostics);
    if (!prefix) continue;
    if (prefix.length === 0) diagnostics.report("TG2044", text.span, { prefix: text.value });
    const earlier = owned.find((other) => overlap(other.prefix, prefix));
    if (earlier) {
      const related = [{ span: earlier.span, text: "the other one" }];
      const params = { prefix: text.value, other: formatPrefix(earlier.prefix) };
      diagnostics.report("TG2025", text.span, params, { related });
    }
    owned.push({ prefix, span: text.span });
  }
  return owned;
}

/** Prefixes overlap only by one containing the other. */
export function overlap(a: Prefix, b: Prefix): boolean {
  return prefixContains(a, b) || prefixContains(b, a);
}
