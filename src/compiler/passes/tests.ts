import type { Located, LocatedText, SurfacePolicy } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/span.js";
import type { PolicyTest, Verdict } from "../ir/policy.js";
import { type PacketProblem, parsePacket } from "../semantics/packet-text.js";

/** Reads the policy's own tests; that their rules exist is for `checkNames`. */
export function readTests(surface: SurfacePolicy, diagnostics: Diagnostics): readonly PolicyTest[] {
  return surface.tests.flatMap(({ packet, expect, rule, span }) => {
    const verdict = readVerdict("expect", expect, diagnostics);
    const parsed = parsePacket(packet.value);
    if (parsed.kind === "problems") {
      for (const problem of parsed.problems) {
        diagnostics.report("TG2035", placeIn(packet, problem), { problem: problem.message });
      }
    }
    return verdict ? [{ span, packet: packet.value, expect: verdict, rule: rule?.value ?? null }] : [];
  });
}

export function readVerdict(
  what: string,
  { value, span }: Located<string>,
  diagnostics: Diagnostics,
): Verdict | undefined {
  if (value === "allow" || value === "drop" || value === "reject") return value;
  diagnostics.report("TG2034", span, { what, value });
  return undefined;
}

/** The part of a literal that a problem is in; the whole of it where escapes or a template hide where that is. */
function placeIn({ verbatim, span }: LocatedText, { start, end }: PacketProblem): Span {
  if (!verbatim || span.line !== span.endLine || start === end) return span;
  const quote = 1;
  return {
    ...span,
    start: span.start + quote + start,
    end: span.start + quote + end,
    column: span.column + quote + start,
    endColumn: span.column + quote + end,
  };
}
