import { invariant } from "../compiler/diagnostics/invariant.js";
import type { Span } from "../compiler/diagnostics/span.js";
import { type Family, parsePrefix, prefixRange } from "../compiler/ir/address.js";
import type { Test } from "../compiler/ir/expr.js";
import { intervals } from "../compiler/ir/intervals.js";
import { WIRE_FIELDS } from "../compiler/ir/wire.js";

/** Sources that the kernel drops before the firewall sees them: semantics/gates.ts says why. */
const REFUSED_SOURCES = {
  4: ["0.0.0.0/32", "127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32"],
  6: ["::/127", "ff00::/8", "fe80::/10"],
} as const satisfies Record<Family, readonly string[]>;

/** For which values, whatever else it is, the kernel does not pass on a packet of the family. */
export function refused(family: Family, span: Span): readonly Test[] {
  const ranges = intervals(REFUSED_SOURCES[family].map(rangeOf));
  const isFour = family === 4;
  const header = isFour ? "ip4" : "ip6";
  return [
    { kind: "address", field: "ip.src", family, ranges, needs: { header, bytes: isFour ? 20 : 40 }, span },
    {
      kind: "number",
      field: WIRE_FIELDS[isFour ? "ip4.ttl" : "ip6.hop_limit"],
      ranges: [{ low: 0n, high: 1n }],
      needs: { header, bytes: isFour ? 9 : 8 },
      span,
    },
  ];
}

function rangeOf(text: string) {
  const parsed = parsePrefix(text);
  invariant(parsed.kind === "prefix", `${text} is a prefix`);
  return prefixRange(parsed.prefix);
}
