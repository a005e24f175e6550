import type { Diagnostics } from "../diagnostics/diagnostic.js";
import type { Expr } from "../ir/expr.js";
import { HEADERS, NUMBER_FIELDS, PROTOCOLS } from "../ir/fields.js";
import { sameIntervals, universe } from "../ir/intervals.js";

/**
 * Warns of comparisons that no value, or every value, of their field fulfils. Addresses are left alone:
 * `ip.src in {::/0}` is how to say "IPv6".
 */
export function warnOfBounds(expr: Expr, diagnostics: Diagnostics): void {
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor":
      for (const operand of expr.operands) warnOfBounds(operand, diagnostics);
      return;
    case "not":
      warnOfBounds(expr.operand, diagnostics);
      return;
    case "bits":
      if (expr.mask === 0n) diagnostics.report("TG3002", expr.span, {});
      return;
    case "number": {
      const { header, width } = NUMBER_FIELDS[expr.field];
      if (expr.ranges.length === 0) diagnostics.report("TG3002", expr.span, {});
      else if (sameIntervals(expr.ranges, universe(8 * width))) {
        const { name, proto } = HEADERS[header];
        const protocol = Object.entries(PROTOCOLS).find(([, number]) => number === proto)?.[0];
        const hint = protocol && `write \`ip.proto == "${protocol}"\` if this is meant`;
        diagnostics.report("TG3003", expr.span, { header: protocol ? name : "IP" }, { hint });
      }
      return;
    }
    case "address":
    case "list":
    case "const":
      return;
  }
}
