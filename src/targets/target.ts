import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import type { Policy } from "../compiler/ir/policy.js";

/** One generated text file; `path` is relative to the bundle. */
export interface Artifact {
  readonly path: string;
  readonly text: string;
}

/** What a policy becomes on one part of an edge server. */
export interface Target {
  readonly name: "xdp" | "nft" | "route";
  /** Reports everything that this target cannot express (TG4xxx); changes nothing. */
  check(policy: Policy, diagnostics: Diagnostics): void;
  /** Total after a clean check. Same policy, same bytes. */
  emit(policy: Policy): readonly Artifact[];
}
