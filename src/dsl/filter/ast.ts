import type { Spanned } from "../../compiler/diagnostics/span.js";
import type { CompareOp, Value } from "../../compiler/ir/value.js";
import type { SurfaceList } from "../surface.js";

/**
 * A field by the name that was written; the passes look it up. A function of the packet is a field with
 * arguments: `bit_slice(tcp, 0, 8)`, `payload.u8(3)`.
 */
export interface FieldRef extends Spanned {
  readonly name: string;
  /** null: no parentheses. */
  readonly args: readonly FieldArgument[] | null;
}

/** A `word` is a bare name, such as `tcp` in `bit_slice(tcp, 0, 8)`. */
export type FieldArgument = Operand | (Spanned & { readonly kind: "word"; readonly value: string });

/** A literal, or an interpolated value: always a typed node, never pasted text. */
export type Operand = Spanned & Value;

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
  | (Spanned & {
      readonly kind: "text";
      readonly field: FieldRef;
      readonly op: "contains" | "matches";
      readonly value: Operand;
    })
  /** A field that is a condition by itself: `tcp.flags.syn`. */
  | (Spanned & { readonly kind: "flag"; readonly field: FieldRef })
  | (Spanned & { readonly kind: "and" | "or" | "xor"; readonly operands: readonly Filter[] })
  | (Spanned & { readonly kind: "not"; readonly operand: Filter })
  /**
   * A part that could not be read, which is reported. What stands beside it is still checked; the rule is dropped.
   * `subject` is the field that it is about, where that much is clear.
   */
  | (Spanned & { readonly kind: "unknown"; readonly subject: FieldRef | null });
