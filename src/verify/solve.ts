import { type BitRange, type Domain, pick, readBits, writeBits } from "../compiler/analysis/packets/bits.js";
import { bitsOf, CONNECTIONS, connectionBits, type Template } from "../compiler/analysis/packets/template.js";
import { assertNever, invariant } from "../compiler/diagnostics/invariant.js";
import { ADDRESS_BITS, prefixRange } from "../compiler/ir/address.js";
import type { Expr, Test } from "../compiler/ir/expr.js";
import { complement, type Intervals, intersection, intervals, universe } from "../compiler/ir/intervals.js";
import type { Policy } from "../compiler/ir/policy.js";

/** An expression, and whether it must hold. */
export interface Goal {
  readonly expr: Expr;
  readonly wanted: boolean;
}

/** What a search found. `gaveUp`: it was not exhaustive, so that "none" proves nothing. */
export type Solution =
  | { readonly kind: "found"; readonly bytes: Uint8Array }
  | { readonly kind: "none" }
  | { readonly kind: "gaveUp" };

/** How many alternatives searches may still try. They take it from one another. */
export interface Effort {
  left: number;
}

/**
 * Values for the open bits of a template such that all goals are met. The search is the textbook's (Davis, Putnam, Logemann,
 * Loveland) over sets of values instead of truth values: what must hold narrows the values of its bits, and what may hold in
 * several ways is tried one way after the other. Exhaustive, but for tests that look at overlapping bits.
 */
export function solve(policy: Policy, template: Template, goals: readonly Goal[], effort: Effort): Solution {
  return new Search(policy, template, effort).run(goals);
}

/** By the place of their bits. */
type Domains = ReadonlyMap<string, Variable>;

interface Variable {
  readonly bits: BitRange;
  readonly domain: Domain;
}

/** Its state is what makes an answer fit to be trusted: whether something was not exact. */
class Search {
  private exact = true;

  constructor(
    private readonly policy: Policy,
    private readonly template: Template,
    private readonly effort: Effort,
  ) {}

  run(goals: readonly Goal[]): Solution {
    const bytes = this.search(goals, this.start());
    if (bytes) return { kind: "found", bytes };
    return { kind: this.exact ? "none" : "gaveUp" };
  }

  /** The packet goes to one of the customer's addresses, and a connection has one of its states. */
  private start(): Domains {
    const { family } = this.template.shape;
    const owned = this.policy.prefixes.filter(({ prefix }) => prefix.family === family);
    const destination = {
      bits: { start: 8 * (family === 4 ? 16 : 24), width: ADDRESS_BITS[family] },
      domain: anyOf(intervals(owned.map(({ prefix }) => prefixRange(prefix)))),
    };
    const states = CONNECTIONS.map((value) => ({ low: value, high: value }));
    const connection = { bits: connectionBits(this.template), domain: anyOf(intervals(states)) };
    return new Map([destination, connection].map((variable) => [keyOf(variable.bits), variable]));
  }

  private search(goals: readonly Goal[], start: Domains): Uint8Array | undefined {
    const settled = this.settle(goals, start);
    if (!settled) return undefined;
    const { domains, open } = settled;
    const [first, ...rest] = open;
    if (!first) return this.assign(domains);
    for (const alternative of alternativesOf(first)) {
      if (--this.effort.left < 0) {
        this.exact = false;
        return undefined;
      }
      const bytes = this.search([...alternative, ...rest], domains);
      if (bytes) return bytes;
    }
    return undefined;
  }

  /** Narrows by all that must hold; `open` are the goals that can be met in several ways. undefined: one cannot be met. */
  private settle(
    goals: readonly Goal[],
    start: Domains,
  ): { readonly domains: Domains; readonly open: readonly Goal[] } | undefined {
    const queue = [...goals];
    const open: Goal[] = [];
    let domains: Domains | undefined = start;
    for (let goal = queue.pop(); goal; goal = queue.pop()) {
      const { expr, wanted } = goal;
      switch (expr.kind) {
        case "const":
          if (expr.value !== wanted) return undefined;
          break;
        case "not":
          queue.push({ expr: expr.operand, wanted: !wanted });
          break;
        case "and":
        case "or":
          if ((expr.kind === "and") === wanted)
            queue.push(...expr.operands.map((operand) => ({ expr: operand, wanted })));
          else open.push(goal);
          break;
        case "xor":
          open.push(goal);
          break;
        default:
          domains = this.narrow(domains, expr, wanted);
          if (!domains) return undefined;
      }
    }
    return this.undecided(open, domains);
  }

  private undecided(
    goals: readonly Goal[],
    domains: Domains,
  ): { readonly domains: Domains; readonly open: readonly Goal[] } | undefined {
    const open: Goal[] = [];
    for (const goal of goals) {
      const known = this.known(goal.expr, domains);
      if (known === undefined) open.push(goal);
      else if (known !== goal.wanted) return undefined;
    }
    return { domains, open };
  }

  /** Whether the expression has one value for all that the domains leave; undefined: not so. */
  private known(expr: Expr, domains: Domains): boolean | undefined {
    switch (expr.kind) {
      case "const":
        return expr.value;
      case "not": {
        const operand = this.known(expr.operand, domains);
        return operand === undefined ? undefined : !operand;
      }
      case "and":
      case "or": {
        const decides = expr.kind === "or";
        const all = expr.operands.map((operand) => this.known(operand, domains));
        if (all.includes(decides)) return decides;
        return all.includes(undefined) ? undefined : !decides;
      }
      case "xor": {
        const all = expr.operands.map((operand) => this.known(operand, domains));
        return all.includes(undefined) ? undefined : all.filter(Boolean).length % 2 === 1;
      }
      default:
        return this.knownTest(expr, domains);
    }
  }

  private knownTest(test: Test, domains: Domains): boolean | undefined {
    const bits = bitsOf(test, this.template);
    if (!bits) return false;
    const variable = domains.get(keyOf(bits)) ?? this.untouched(bits);
    if (!this.value(narrowed(variable, this.policy, test, true))) return false;
    return this.value(narrowed(variable, this.policy, test, false)) ? undefined : true;
  }

  private narrow(domains: Domains, test: Test, wanted: boolean): Domains | undefined {
    const bits = bitsOf(test, this.template);
    if (!bits) return wanted ? undefined : domains;
    const key = keyOf(bits);
    const variable = narrowed(domains.get(key) ?? this.untouched(bits), this.policy, test, wanted);
    return this.value(variable) ? new Map(domains).set(key, variable) : undefined;
  }

  private untouched(bits: BitRange): Variable {
    return { bits, domain: anyOf(universe(bits.width)) };
  }

  /** Some value that the shape allows, boxed because 0 is one too. */
  private value(variable: Variable): { readonly value: bigint } | undefined {
    const value = valueIn(variable, this.template);
    return value === undefined ? undefined : { value };
  }

  /**
   * Writes one variable after the other; the bits of each are given for those that overlap it. Where only variables that have
   * one value are in the way, nothing else could have been written.
   */
  private assign(domains: Domains): Uint8Array | undefined {
    const all = [...domains.values()];
    const given = written(all.filter(isForced), this.template);
    const free = all.filter((variable) => !isForced(variable));
    if (!given || free.some((variable) => valueIn(variable, given) === undefined)) return undefined;
    const done = written(free, given);
    if (!done) this.exact = false;
    return done?.bytes;
  }
}

/** Bits, and which of them may not change any more. */
type Bits = Pick<Template, "bytes" | "locked">;

/** Each variable in turn gets a value, and its bits are locked; undefined: one finds no value among what is locked. */
function written(variables: readonly Variable[], { bytes, locked }: Bits): Bits | undefined {
  const made = { bytes: bytes.slice(), locked: locked.slice() };
  for (const variable of variables) {
    const value = valueIn(variable, made);
    if (value === undefined) return undefined;
    const { bits } = variable;
    writeBits(made.bytes, bits, value);
    writeBits(made.locked, bits, (1n << BigInt(bits.width)) - 1n);
  }
  return made;
}

/** It has one value only. */
function isForced({ domain: { ranges } }: Variable): boolean {
  return ranges.length === 1 && ranges[0]?.low === ranges[0]?.high;
}

function valueIn({ bits, domain }: Variable, { bytes, locked }: Bits): bigint | undefined {
  const [mask, now] = [readBits(locked, bits), readBits(bytes, bits)];
  return pick(domain, { mask, value: now & mask }, bits.width, now);
}

/** The ways in which a goal that is open can be met, each a set of goals. */
function alternativesOf({ expr, wanted }: Goal): readonly (readonly Goal[])[] {
  switch (expr.kind) {
    case "and":
    case "or":
      return expr.operands.map((operand) => [{ expr: operand, wanted }]);
    case "xor": {
      const [first, ...rest] = expr.operands;
      if (!first) return wanted ? [] : [[]];
      const others: Expr = { ...expr, operands: rest };
      return [true, false].map((holds) => [
        { expr: first, wanted: holds },
        { expr: others, wanted: wanted !== holds },
      ]);
    }
    default:
      return [[{ expr, wanted }]];
  }
}

function narrowed({ bits, domain }: Variable, policy: Policy, test: Test, wanted: boolean): Variable {
  if (test.kind === "bits") {
    const { mask } = test;
    const asked = wanted
      ? { ...domain, some: [...domain.some, mask] }
      : { ...domain, none: domain.none | mask };
    return { bits, domain: asked };
  }
  const values = valuesOf(test, policy);
  const ranges = intersection(domain.ranges, wanted ? values : complementOf(values, bits.width));
  return { bits, domain: { ...domain, ranges } };
}

/** The values for which a test holds. */
export function valuesOf(test: Exclude<Test, { kind: "bits" }>, { lists }: Policy): Intervals {
  switch (test.kind) {
    case "address":
    case "number":
      return test.ranges;
    case "list": {
      const list = lists.find(({ name }) => name === test.list);
      invariant(list, `list ${test.list} is in the policy`);
      return list[test.family];
    }
    default:
      return assertNever(test);
  }
}

/** Each of a policy's sets is asked for often, and some are long. */
const complements = new WeakMap<Intervals, Intervals>();

function complementOf(values: Intervals, width: number): Intervals {
  const known = complements.get(values);
  if (known) return known;
  const made = complement(values, width);
  complements.set(values, made);
  return made;
}

function anyOf(ranges: Intervals): Domain {
  return { ranges, some: [], none: 0n };
}

function keyOf({ start, width }: BitRange): string {
  return `${start}:${width}`;
}
