import type { Spanned } from "../../compiler/diagnostics/span.js";
import type { Address, Prefix } from "../../compiler/ir/address.js";
import type { SurfaceList } from "../surface.js";

export type CompareOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/** A field by the name that was written; the passes look it up. */
export interface FieldRef extends Spanned {
  readonly name: string;
}

/** A literal, or an interpolated value: always a typed node, never pasted text. */
export type Operand =
  | (Spanned & { readonly kind: "number"; readonly value: bigint })
  | (Spanned & { readonly kind: "string"; readonly value: string })
  | (Spanned & { readonly kind: "address"; readonly address: Address })
  | (Spanned & { readonly kind: "prefix"; readonly prefix: Prefix });

/** A member of `{…}`. Both ends of a range belong to it. */
export type SetItem =
  | Operand
  | (Spanned & { readonly kind: "range"; readonly low: Operand; readonly high: Operand });

/** What an expression says, before its names and types are checked. */
export type Filter =
  | (Spanned & {
      readonly kind: "compare";
      readonly field: FieldRef;
      readonly op: CompareOp;
      readonly value: Operand;
    })
  | (Spanned & { readonly kind: "in"; readonly field: FieldRef; readonly items: readonly SetItem[] })
  | (Spanned & { readonly kind: "inList"; readonly field: FieldRef; readonly list: SurfaceList })
  /** `tcp.flags & 0x12`: some bit of the mask is set. */
  | (Spanned & { readonly kind: "bits"; readonly field: FieldRef; readonly mask: Operand })
  /** A field that is a condition by itself: `tcp.flags.syn`. */
  | (Spanned & { readonly kind: "flag"; readonly field: FieldRef })
  | (Spanned & { readonly kind: "and" | "or" | "xor"; readonly operands: readonly Filter[] })
  | (Spanned & { readonly kind: "not"; readonly operand: Filter });
