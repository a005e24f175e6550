import type { Spanned } from "../compiler/diagnostics/span.js";
import type { Filter } from "./filter/ast.js";

/**
 * What a policy module says, in the shapes of `authoring.ts`, with every value where it was written.
 * Shapes are checked (this is a string, this property exists); meaning is not: names, prefixes, rates and
 * expressions are still text or untyped. The passes give them meaning.
 */

/** A value and the place that it was written at. */
export interface Located<T> extends Spanned {
  readonly value: T;
}

/** `verbatim`: the span is a literal that holds the value character by character, between its quotes. */
export interface LocatedText extends Located<string> {
  readonly verbatim: boolean;
}

/** `list([...])`: one object for one call, so that rules that share a list share it here too. */
export interface SurfaceList extends Spanned {
  /** The constant that holds it, or "list" when it has none; the passes make names unique. */
  readonly name: string;
  /** Addresses and prefixes as written. */
  readonly items: readonly Located<string>[];
}

export interface SurfaceLimit extends Spanned {
  readonly rate: Located<string>;
  readonly burst: Located<number> | null;
  readonly per: Located<string> | null;
}

export interface SurfaceRule extends Spanned {
  readonly action: "allow" | "drop" | "reject" | "limit" | "count" | "log";
  readonly name: Located<string>;
  readonly match: Filter;
  /** Only with `limit`. */
  readonly limit: SurfaceLimit | null;
  /** Only with `log`, where it is written: of so many packets one is logged. */
  readonly sample: Located<number> | null;
}

export interface SurfaceTunnel extends Spanned {
  readonly name: Located<string>;
  /** The function that made it. */
  readonly kind: "gre" | "ipip";
  readonly remote: Located<string>;
  readonly ttl: Located<number | string> | null;
  readonly mtu: Located<number> | null;
  /** Only with `gre`. */
  readonly key: Located<number> | null;
  readonly dscp: Located<number | string> | null;
  readonly df: Located<string> | null;
  readonly mss: Located<number | string> | null;
  /** null: it is not written. */
  readonly health: SurfaceHealth | null;
}

/** `health` of a tunnel; a `word` stands for no probes. */
export type SurfaceHealth =
  | (Located<string> & { readonly kind: "word" })
  | (Spanned & {
      readonly kind: "probes";
      readonly target: Located<string> | null;
      readonly style: Located<string> | null;
      readonly interval: Located<string> | null;
      readonly timeout: Located<string> | null;
      readonly up: Located<number> | null;
      readonly down: Located<number> | null;
    });

export interface SurfaceRoute extends Spanned {
  readonly prefix: Located<string>;
  readonly tunnel: Located<string>;
  readonly priority: Located<number> | null;
  readonly weight: Located<number> | null;
}

export interface SurfaceTest extends Spanned {
  readonly packet: LocatedText;
  readonly expect: Located<string>;
  readonly rule: Located<string> | null;
}

/** Every expression and list that a module and its imports make, whether or not a rule uses it. */
export interface Made {
  readonly filters: readonly Filter[];
  readonly lists: readonly SurfaceList[];
}

/** The parts of a policy of which there can be many. */
export type PolicyPart = "prefixes" | "rules" | "tunnels" | "routes" | "tests";

/** One `policy({...})`. The span is that of the call. */
export interface SurfacePolicy extends Spanned {
  /** null: it could not be read, which is reported. */
  readonly customer: Located<string> | null;
  readonly prefixes: readonly Located<string>[];
  readonly mitigate: readonly SurfaceRule[];
  readonly firewall: {
    /** null: it could not be read, which is reported. */
    readonly default: Located<string> | null;
    readonly rules: readonly SurfaceRule[];
    /** Where it is not written, false at the firewall's place. null: it could not be read, which is reported. */
    readonly stateful: Located<boolean> | null;
    /** null: it is not written, or could not be read, which is reported. */
    readonly offload: Located<string> | null;
  };
  /** null: it is not written, or could not be read, which is reported. */
  readonly datapath: Located<string> | null;
  readonly tunnels: readonly SurfaceTunnel[];
  readonly routes: readonly SurfaceRoute[];
  /** null: it is not written, or could not be read, which is reported. */
  readonly noLiveTunnel: Located<string> | null;
  readonly tests: readonly SurfaceTest[];
  /** Parts that lack something that could not be read, which is reported: that it is missing is no second mistake. */
  readonly unread: ReadonlySet<PolicyPart>;
}

/** One `edge({...})`: the operator's side. */
export interface SurfaceEdge extends Spanned {
  readonly uplinks: readonly Located<string>[];
  readonly anycast: readonly Located<string>[];
  readonly owners: readonly {
    readonly customer: Located<string>;
    readonly prefixes: readonly Located<string>[];
  }[];
  /** null: not written. */
  readonly keys: readonly SurfaceKey[] | null;
}

/** A key of `edge({ keys })`. */
export interface SurfaceKey extends Spanned {
  readonly name: Located<string>;
  readonly key: Located<string>;
  /** null: not written. */
  readonly customers: readonly Located<string>[] | null;
}
