import { assertNever, invariant } from "../diagnostics/invariant.js";
import type { Expr, Test } from "../ir/expr.js";
import { contains } from "../ir/intervals.js";
import type { AddressList } from "../ir/policy.js";
import type { Packet } from "./decode.js";
import { readAddress, readNumber } from "./fields.js";

/** Whether `expr` holds for `packet`. Tests of absent fields are false; the rest is plain Boolean algebra. */
export function matches(expr: Expr, packet: Packet, lists: readonly AddressList[]): boolean {
  switch (expr.kind) {
    case "const":
      return expr.value;
    case "not":
      return !matches(expr.operand, packet, lists);
    case "and":
      return expr.operands.every((operand) => matches(operand, packet, lists));
    case "or":
      return expr.operands.some((operand) => matches(operand, packet, lists));
    case "xor":
      return expr.operands.filter((operand) => matches(operand, packet, lists)).length % 2 === 1;
    default:
      return holds(expr, packet, lists);
  }
}

function holds(test: Test, packet: Packet, lists: readonly AddressList[]): boolean {
  const value = read(test, packet);
  if (value === undefined) return false;
  switch (test.kind) {
    case "address":
    case "number":
      return contains(test.ranges, value);
    case "list":
      return contains(listNamed(test.list, lists)[test.family], value);
    case "bits":
      return (value & test.mask) !== 0n;
    default:
      return assertNever(test);
  }
}

function read(test: Test, packet: Packet): bigint | undefined {
  return test.kind === "address" || test.kind === "list"
    ? readAddress(packet, test.field, test.family)
    : readNumber(packet, test.field);
}

function listNamed(name: string, lists: readonly AddressList[]): AddressList {
  const list = lists.find((candidate) => candidate.name === name);
  invariant(list, `list ${name} is in the policy`);
  return list;
}

/** Why an expression was false. */
export interface Miss {
  /** The smallest part that is to blame: one comparison, if it is one that is to blame. */
  readonly part: Expr;
  /** The part asks for what the packet has not. */
  readonly absent: boolean;
  /** Where the part is one comparison, or the `not` of one: what it asked, and the value that the packet has there. */
  readonly found: { readonly test: Test; readonly value: bigint } | null;
}

/** For an expression that does not match `packet`. */
export function whyNot(expr: Expr, packet: Packet, lists: readonly AddressList[]): Miss {
  switch (expr.kind) {
    case "and": {
      const culprit = expr.operands.find((operand) => !matches(operand, packet, lists));
      invariant(culprit, "a false conjunction has a false operand");
      return whyNot(culprit, packet, lists);
    }
    case "or": {
      // A field with several places is a disjunction of them, of which a packet has one at most.
      const misses = expr.operands.map((operand) => whyNot(operand, packet, lists));
      const [present, another] = misses.filter(({ absent }) => !absent);
      if (!present) return { part: expr, absent: misses.length > 0, found: null };
      return { part: expr, absent: false, found: another ? null : present.found };
    }
    case "not":
      return { part: expr, absent: false, found: isTest(expr.operand) ? find(expr.operand, packet) : null };
    case "xor":
    case "const":
      return { part: expr, absent: false, found: null };
    default: {
      const found = find(expr, packet);
      return { part: expr, absent: found === null, found };
    }
  }
}

function isTest(expr: Expr): expr is Test {
  return "needs" in expr;
}

function find(test: Test, packet: Packet): Miss["found"] {
  const value = read(test, packet);
  return value === undefined ? null : { test, value };
}
