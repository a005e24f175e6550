import type { FieldArgument, FieldRef } from "../../dsl/filter/ast.js";
import { invariant } from "../diagnostics/invariant.js";
import type { Span } from "../diagnostics/span.js";
import {
  bitSliceField,
  MAX_PAYLOAD_INDEX,
  MAX_SLICE_OFFSET,
  MAX_SLICE_WIDTH,
  type NumberField,
  payloadField,
  SLICE_PROTOCOLS,
} from "../ir/fields.js";
import { isFunctionName } from "../ir/functions.js";

/** Functions of the packet: fields with arguments. */

/** The field that a call means, or what is wrong with which part of it. */
export type FunctionField =
  | { readonly kind: "field"; readonly field: NumberField }
  | { readonly kind: "wrong"; readonly span: Span; readonly problem: string };

const PAYLOAD_WIDTHS = { "payload.u8": 8, "payload.u16": 16, "payload.u32": 32 } as const;

export function functionField(ref: FieldRef): FunctionField {
  invariant(isFunctionName(ref.name), "the reader knows the functions");
  return ref.name === "bit_slice" ? bitSlice(ref) : payload(ref, PAYLOAD_WIDTHS[ref.name]);
}

/** `payload.u16(2)`: the number's first byte, counted from the first byte behind the transport header. */
function payload({ name, args, span }: FieldRef, width: 8 | 16 | 32): FunctionField {
  const [index, ...more] = args ?? [];
  if (!index || more.length > 0) return wrong(span, `\`${name}\` takes one number, as in ${name}(0)`);
  const at = wholeNumber(index);
  if (at === undefined || at > MAX_PAYLOAD_INDEX)
    return wrong(index.span, `the byte must be a whole number from 0 to ${MAX_PAYLOAD_INDEX}`);
  return { kind: "field", field: payloadField(at, width) };
}

/** `bit_slice(udp, 64, 96)`: from the start bit to before the end bit. */
function bitSlice({ args, span }: FieldRef): FunctionField {
  const [protocol, from, to, ...more] = args ?? [];
  if (!protocol || !from || !to || more.length > 0)
    return wrong(span, "`bit_slice` takes a protocol, a start and an end, as in bit_slice(udp, 64, 96)");
  if (protocol.kind !== "word" || !isSliceProtocol(protocol.value))
    return wrong(protocol.span, `the protocol must be one of ${Object.keys(SLICE_PROTOCOLS).join(", ")}`);
  const start = wholeNumber(from);
  if (start === undefined || start > MAX_SLICE_OFFSET)
    return wrong(from.span, `the start must be a whole number from 0 to ${MAX_SLICE_OFFSET}`);
  const end = wholeNumber(to);
  if (end === undefined || end <= start || end - start > MAX_SLICE_WIDTH)
    return wrong(to.span, `the end must be a whole number from ${start + 1} to ${start + MAX_SLICE_WIDTH}`);
  return { kind: "field", field: bitSliceField(protocol.value, start, end) };
}

function isSliceProtocol(name: string): name is keyof typeof SLICE_PROTOCOLS {
  return Object.hasOwn(SLICE_PROTOCOLS, name);
}

function wholeNumber(arg: FieldArgument): number | undefined {
  return arg.kind === "number" && arg.value >= 0n && arg.value <= 1_000_000n ? Number(arg.value) : undefined;
}

function wrong(span: Span, problem: string): FunctionField {
  return { kind: "wrong", span, problem };
}
