import { assertNever, invariant } from "../../compiler/diagnostics/invariant.js";
import type {
  AddressTest,
  BitsTest,
  Expr,
  ListTest,
  Needs,
  NumberTest,
  Test,
} from "../../compiler/ir/expr.js";
import {
  type AddressFieldName,
  FLAG_FIELDS,
  NUMBER_FIELDS,
  type NumberFieldName,
} from "../../compiler/ir/fields.js";
import { type Condition, call, chain, comparison, FALSE, not, TRUE } from "./condition.js";
import { listMap } from "./maps.js";
import { addressIn, decimal, type NumberFormat, numberIn } from "./ranges.js";

/**
 * Bytes of each header that are known to be there. Conditions have no side effects, so what an `&&` asks for
 * once holds for all its operands.
 */
type Present = ReadonlyMap<Needs["header"], number>;

/** The C condition, over `p`, that holds exactly for the packets that `expr` holds for. */
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
      return lowerChain("||", expr.operands, present);
    case "xor":
      return lowerChain("^", expr.operands, present);
    default:
      return lowerAnd([expr], present);
  }
}

function lowerChain(operator: "||" | "^", operands: readonly Expr[], present: Present): Condition {
  if (operands.length === 0) return FALSE;
  return chain(
    operator,
    operands.map((operand) => lower(operand, present)),
  );
}

/** Each header is asked for once, with the most bytes that any operand needs; then the operands themselves. */
function lowerAnd(operands: readonly Expr[], present: Present): Condition {
  const guards: Condition[] = [];
  const known = new Map(present);
  for (const { needs } of operands.filter(isTest)) {
    if ((known.get(needs.header) ?? 0) < needs.bytes) known.set(needs.header, needs.bytes);
  }
  for (const [header, bytes] of known) {
    if ((present.get(header) ?? 0) < bytes) guards.push(guard({ header, bytes }));
  }
  const rest = operands.map((operand) => (isTest(operand) ? lowerTest(operand) : lower(operand, known)));
  const all = [...guards, ...rest].filter((one) => one !== TRUE);
  return all.length === 0 ? TRUE : chain("&&", all);
}

function isTest(expr: Expr): expr is Test {
  return expr.kind === "address" || expr.kind === "list" || expr.kind === "number" || expr.kind === "bits";
}

/** The root program drops a packet whose IP header is not whole, so the family says that the header is there. */
function guard({ header, bytes }: Needs): Condition {
  switch (header) {
    case "ip4":
      invariant(bytes <= 20, "a test of IPv4 stays inside the header's fixed part");
      return comparison("p->family == 4");
    case "ip6":
      invariant(bytes <= 40, "a test of IPv6 stays inside the fixed header");
      return comparison("p->family == 6");
    case "proto":
      return call("p->proto_known");
    case "tcp":
    case "udp":
    case "icmp":
    case "icmp6":
      return comparison(`p->${header}_bytes >= ${bytes}`);
    default:
      return assertNever(header);
  }
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
  return numberIn(numberMember(field), ranges, bitsOf(field), formatOf(field));
}

function lowerBits({ field, mask }: BitsTest): Condition {
  const bits = field === "tcp.flags" ? tcpFlags(mask) : hexadecimal(mask);
  return call(`tg_any(${numberMember(field)}, ${bits})`);
}

/** Members of struct tg_packet: the field's own name, for addresses by family (bpf-templates/tidegate.h). */
const ADDRESS_MEMBERS = { "ip.src": "src", "ip.dst": "dst" } as const satisfies Record<
  AddressFieldName,
  string
>;

function numberMember(field: NumberFieldName): string {
  return `p->${field.replace(".", "_")}`;
}

function bitsOf(field: NumberFieldName): number {
  return 8 * NUMBER_FIELDS[field].width;
}

function formatOf(field: NumberFieldName): NumberFormat {
  return field === "tcp.flags" ? hexadecimal : decimal;
}

function hexadecimal(value: bigint): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}

/** `TG_TCP_SYN | TG_TCP_ACK`, in the order of the bits. */
function tcpFlags(mask: bigint): string {
  const names = Object.entries(FLAG_FIELDS)
    .filter(([, flag]) => flag.of === "tcp.flags" && (mask & BigInt(flag.mask)) !== 0n)
    .map(([name]) => `TG_${name.replace("flags.", "").replace(".", "_").toUpperCase()}`);
  return names.length > 0 ? names.join(" | ") : hexadecimal(mask);
}
