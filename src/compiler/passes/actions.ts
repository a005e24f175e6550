import type { Located, SurfaceRule } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { assertNever, invariant } from "../diagnostics/invariant.js";
import type { Action, Stage } from "../ir/policy.js";
import { comparisons } from "./filters.js";
import { readLimit } from "./limits.js";

/** What `log` writes down where the author does not say: one packet in so many. */
const DEFAULT_SAMPLE = 100;
/** The kernel counts samples in 32 bits (`numgen`). */
const LARGEST_SAMPLE = 0xffffffff;

/** What a rule of this stage does; undefined after a report. */
export function readAction(rule: SurfaceRule, stage: Stage, diagnostics: Diagnostics): Action | undefined {
  switch (rule.action) {
    case "allow":
    case "drop":
    case "count":
      return { kind: rule.action };
    case "reject":
      if (stage === "firewall") return { kind: "reject" };
      diagnostics.report("TG2047", rule.name.span, { rule: rule.name.value });
      return undefined;
    case "limit": {
      invariant(rule.limit, "a limit rule has a limit");
      const limit = readLimit(rule.limit, diagnostics);
      return limit && { kind: "limit", limit };
    }
    case "log": {
      const sample = readSample(rule.sample, diagnostics);
      return sample === undefined ? undefined : { kind: "log", sample };
    }
    default:
      return assertNever(rule.action);
  }
}

function readSample(written: Located<number> | null, diagnostics: Diagnostics): number | undefined {
  if (written === null) return DEFAULT_SAMPLE;
  const { value, span } = written;
  if (Number.isInteger(value) && value >= 1 && value <= LARGEST_SAMPLE) return value;
  const wanted = `a whole number from 1 (every packet) to ${LARGEST_SAMPLE}`;
  diagnostics.report("TG2033", span, { what: "sample", wanted, value });
  return undefined;
}

/**
 * Reports a rule that asks for the state of connections which nobody tracks; in `mitigate` that is for the XDP target to
 * say. `stateful` null: it could not be read.
 */
export function checkConnections(
  rule: SurfaceRule,
  stage: Stage,
  stateful: Located<boolean> | null,
  diagnostics: Diagnostics,
): boolean {
  if (stage !== "firewall" || stateful?.value !== false) return true;
  const asking = comparisons(rule.match).filter(({ field }) => field.name === "ct.state");
  for (const { field } of asking) diagnostics.report("TG2048", field.span, {});
  return asking.length === 0;
}
