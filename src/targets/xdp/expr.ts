import { assertNever } from "../../compiler/diagnostics/invariant.js";
import type { AddressTest, BitsTest, Expr, ListTest, NumberTest, Test } from "../../compiler/ir/expr.js";
import { type AddressFieldName, FLAG_FIELDS, type FlagReading } from "../../compiler/ir/fields.js";
import type { WireField } from "../../compiler/ir/wire.js";
import { type Condition, call, chain, FALSE, not, parity, TRUE } from "./condition.js";
import { listMap } from "./maps.js";
import { guards, numberOf, type Present } from "./places.js";
import { addressIn, decimal, type NumberFormat, numberIn } from "./ranges.js";

/**
 * The C condition, over `p` and `ctx`, that holds exactly for the packets that `expr` holds for. Conditions change
 * nothing about the packet, so what an `&&` asks for once holds for all its operands.
 */
export function condition(expr: Expr): Condition {
  return lower(expr, new Map());
}

function lower(expr: Expr, present: Present): Condition {
  switch (expr.kind) {
    case "const":
      return expr.value ? TRUE : FALSE;
    case "not":
      return not(lower(expr.operand, present));
    case "and":
      return lowerAnd(expr.operands, present);
    case "or":
      return expr.operands.length === 0 ? FALSE : chain("||", lowerEach(expr.operands, present));
    case "xor":
      return expr.operands.length === 0 ? FALSE : parity(lowerEach(expr.operands, present));
    default:
      return lowerAnd([expr], present);
  }
}

function lowerEach(operands: readonly Expr[], present: Present): readonly Condition[] {
  return operands.map((operand) => lower(operand, present));
}

/** Each header is asked for once, with the most bytes that any operand needs; then the operands themselves. */
function lowerAnd(operands: readonly Expr[], present: Present): Condition {
  const known = new Map(present);
  for (const { needs } of operands.filter(isTest)) {
    if ((known.get(needs.header) ?? 0) < needs.bytes) known.set(needs.header, needs.bytes);
  }
  const asked = [...known].flatMap(([header, bytes]) => guards({ header, bytes }, present));
  const rest = operands.map((operand) => (isTest(operand) ? lowerTest(operand) : lower(operand, known)));
  const all = [...asked, ...rest].filter((one) => one !== TRUE);
  return all.length === 0 ? TRUE : chain("&&", all);
}

function isTest(expr: Expr): expr is Test {
  return expr.kind === "address" || expr.kind === "list" || expr.kind === "number" || expr.kind === "bits";
}

/** The test itself, behind its guard. */
function lowerTest(test: Test): Condition {
  switch (test.kind) {
    case "address":
      return lowerAddress(test);
    case "list":
      return lowerList(test);
    case "number":
      return lowerNumber(test);
    case "bits":
      return lowerBits(test);
    default:
      return assertNever(test);
  }
}

function lowerAddress({ field, family, ranges }: AddressTest): Condition {
  return addressIn(`p->${ADDRESS_MEMBERS[field]}${family}`, family, ranges);
}

function lowerList({ field, family, list }: ListTest): Condition {
  const member = `p->${ADDRESS_MEMBERS[field]}${family}`;
  const map = listMap(list, family);
  return call(family === 4 ? `tg_listed4(&${map}, ${member})` : `tg_listed6(&${map}, &${member})`);
}

function lowerNumber({ field, ranges }: NumberTest): Condition {
  const { read, text } = numberOf(field);
  const among = numberIn(text, ranges, field.width, formatOf(field));
  return read === null || among === TRUE || among === FALSE ? among : chain("&&", [read, among]);
}

function lowerBits({ field, mask }: BitsTest): Condition {
  const { read, text } = numberOf(field);
  const bits = field.name === "tcp.flags" ? tcpFlags(mask) : hexadecimal(mask);
  const any = call(`tg_any(${text}, ${bits})`);
  return read === null ? any : chain("&&", [read, any]);
}

/** Members of struct tg_packet: the field's own name, for addresses by family (bpf-templates/tidegate.h). */
const ADDRESS_MEMBERS = { "ip.src": "src", "ip.dst": "dst" } as const satisfies Record<
  AddressFieldName,
  string
>;

function formatOf({ name }: WireField): NumberFormat {
  return name === "tcp.flags" || name === "gre.proto" ? hexadecimal : decimal;
}

function hexadecimal(value: bigint): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}

/** `TG_TCP_SYN | TG_TCP_ACK`, in the order of the bits. */
function tcpFlags(mask: bigint): string {
  const names = Object.entries(FLAG_FIELDS)
    .filter(([, { readings }]) => readings.some((reading) => isTcpFlag(reading, mask)))
    .map(([name]) => `TG_${name.replace("flags.", "").replace(".", "_").toUpperCase()}`);
  return names.length > 0 ? names.join(" | ") : hexadecimal(mask);
}

function isTcpFlag(reading: FlagReading, mask: bigint): boolean {
  return reading.wire.name === "tcp.flags" && "mask" in reading && (mask & BigInt(reading.mask)) !== 0n;
}
