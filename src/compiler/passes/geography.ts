import type { Filter, Operand, SetItem } from "../../dsl/filter/ast.js";
import type { SurfaceList, SurfacePolicy, SurfaceRule } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/did-you-mean.js";
import type { Spanned } from "../diagnostics/span.js";
import { type PlaceField, PROTOCOLS } from "../ir/fields.js";
import { addressesWith, type Geography } from "../ir/geography.js";
import type { AddressList } from "../ir/policy.js";
import { type CompareOp, describeValue, OPERATORS } from "../ir/value.js";
import type { Comparison } from "./filters.js";
import { describeField, placeField } from "./operands.js";
import { textTest } from "./text-operators.js";

/** A policy without fields of the operator's tables, and the lists that took their place. */
export interface Placed {
  readonly surface: SurfacePolicy;
  readonly lists: ReadonlyMap<SurfaceList, AddressList>;
}

/**
 * Turns questions about countries and AS numbers into lists of the addresses that the operator's tables give them, and
 * text operators into sets: both have finitely many values, all known here. So no target has to know of either.
 */
export function placeAddresses(
  surface: SurfacePolicy,
  geography: Geography | undefined,
  diagnostics: Diagnostics,
): Placed {
  const placing = new Placing(geography, diagnostics);
  const placed = (rules: readonly SurfaceRule[]) =>
    rules.map((rule) => ({ ...rule, match: placing.filter(rule.match) }));
  const firewall = { ...surface.firewall, rules: placed(surface.firewall.rules) };
  return { surface: { ...surface, mitigate: placed(surface.mitigate), firewall }, lists: placing.lists };
}

type Value = string | number;

class Placing {
  readonly lists = new Map<SurfaceList, AddressList>();
  /** One list for one set of values, so that rules share it. */
  readonly #known = new Map<string, SurfaceList>();

  constructor(
    readonly geography: Geography | undefined,
    readonly diagnostics: Diagnostics,
  ) {}

  filter(filter: Filter): Filter {
    switch (filter.kind) {
      case "and":
      case "or":
      case "xor":
        return { ...filter, operands: filter.operands.map((operand) => this.filter(operand)) };
      case "not":
        return { ...filter, operand: this.filter(filter.operand) };
      case "unknown":
        return filter;
      default:
        return this.#comparison(filter);
    }
  }

  #comparison(comparison: Comparison): Filter {
    const field = placeField(comparison.field);
    // Without tables the type checker says so.
    if (field) return this.geography ? this.#place(comparison, field, this.geography) : comparison;
    const isProtocols = comparison.kind === "text" && comparison.field.name === "ip.proto";
    return isProtocols ? this.#protocols(comparison) : comparison;
  }

  /** `ip.proto matches "^(tcp|udp)$"`: the protocols whose names fit. */
  #protocols(comparison: Extract<Comparison, { kind: "text" }>): Filter {
    const test = textTest(comparison, this.diagnostics);
    if (!test) return unknown(comparison);
    const items = Object.keys(PROTOCOLS)
      .filter(test)
      .map((name) => ({ kind: "string", value: name, span: comparison.value.span }) as const);
    if (items.length > 0) return { kind: "in", field: comparison.field, items, span: comparison.span };
    this.diagnostics.report("TG2008", comparison.value.span, { what: "the set of protocols that this fits" });
    return unknown(comparison);
  }

  #place(comparison: Comparison, field: PlaceField, geography: Geography): Filter {
    const known: readonly Value[] = [...geography[field.type].keys()];
    const wanted = this.#wanted(comparison, field, known);
    if (!wanted) return unknown(comparison);
    const values = known.filter(wanted);
    if (values.length === 0) {
      this.diagnostics.report("TG2008", comparison.span, { what: "the set of addresses that this names" });
      return unknown(comparison);
    }
    const ref = { name: field.of, args: null, span: comparison.field.span };
    const list = this.#listOf(field, values, geography, comparison);
    return { kind: "inList", field: ref, list, span: comparison.span };
  }

  /** Which values of the table a comparison holds for; undefined after a report. */
  #wanted(
    comparison: Comparison,
    field: PlaceField,
    known: readonly Value[],
  ): ((v: Value) => boolean) | undefined {
    switch (comparison.kind) {
      case "compare": {
        const { op } = comparison;
        if (field.type === "country" && op !== "eq" && op !== "ne")
          return this.#wrongOperator(comparison, field, OPERATORS[op]);
        // An order asks for numbers that the table need not have; an equality names one that it should.
        const value = this.#value(
          comparison.value,
          comparison,
          field,
          op === "eq" || op === "ne" ? known : null,
        );
        return value === undefined ? undefined : (other) => COMPARE[op](other, value);
      }
      case "in":
        return this.#member(comparison, field, known);
      case "text":
        if (field.type === "asnum") return this.#wrongOperator(comparison, field, comparison.op);
        return textTest(comparison, this.diagnostics) as ((v: Value) => boolean) | undefined;
      case "bits":
        return this.#wrongOperator(comparison, field, "&");
      case "inList":
        return this.#wrongValue(comparison, field, "a list of addresses");
      case "flag": {
        const params = { field: comparison.field.name, type: describeField(field) };
        this.diagnostics.report("TG2007", comparison.span, params);
        return undefined;
      }
    }
  }

  #member(
    comparison: Extract<Comparison, { kind: "in" }>,
    field: PlaceField,
    known: readonly Value[],
  ): ((v: Value) => boolean) | undefined {
    if (comparison.items.length === 0) {
      this.diagnostics.report("TG2008", comparison.span, { what: "this set" });
      return undefined;
    }
    const tests = comparison.items.map((item) => this.#item(item, comparison, field, known));
    return tests.includes(undefined) ? undefined : (value) => tests.some((test) => test?.(value));
  }

  #item(item: SetItem, comparison: Comparison, field: PlaceField, known: readonly Value[]) {
    if (item.kind !== "range") {
      const value = this.#value(item, comparison, field, known);
      return value === undefined ? undefined : (other: Value) => other === value;
    }
    const [low, high] = [item.low, item.high].map((end) => this.#value(end, comparison, field, null));
    return low === undefined || high === undefined
      ? undefined
      : (other: Value) => other >= low && other <= high;
  }

  /** `known`: what the value must be one of, or null. */
  #value(operand: Operand, comparison: Comparison, field: PlaceField, known: readonly Value[] | null) {
    const kind = field.type === "country" ? "string" : "number";
    if (operand.kind !== kind) return this.#wrongValue(comparison, field, describeValue(operand), operand);
    const value = operand.kind === "number" ? Number(operand.value) : operand.value;
    if (!known || known.includes(value)) return value;
    const hint = didYouMean(String(value), known.map(String)) ?? "the operator's tables do not have it";
    this.diagnostics.report("TG2005", operand.span, { field: comparison.field.name, name: value }, { hint });
    return undefined;
  }

  #wrongOperator({ field: { name }, span }: Comparison, field: PlaceField, operator: string): undefined {
    const hint = field.type === "country" ? "use ==, !=, in, contains or matches" : "use a comparison or in";
    this.diagnostics.report("TG2003", span, { operator, field: name, type: describeField(field) }, { hint });
  }

  #wrongValue(comparison: Comparison, field: PlaceField, value: string, at: Spanned = comparison): undefined {
    const hint = field.type === "country" ? 'write it as "DE"' : "write it as a number";
    const params = { field: comparison.field.name, type: describeField(field), value };
    this.diagnostics.report("TG2004", at.span, params, { hint });
  }

  #listOf(
    field: PlaceField,
    values: readonly Value[],
    geography: Geography,
    { span }: Comparison,
  ): SurfaceList {
    const key = `${field.type} ${[...values].sort().join(" ")}`;
    const before = this.#known.get(key);
    if (before) return before;
    const prefix = field.type === "country" ? "country" : "as";
    const name = values.length === 1 ? `${prefix}-${values[0]}` : `${prefix}-set`;
    const list: SurfaceList = { name, items: [], span };
    const partition = geography[field.type] as ReadonlyMap<
      Value,
      { readonly 4: AddressList[4]; readonly 6: AddressList[6] }
    >;
    this.#known.set(key, list);
    this.lists.set(list, { name, span, ...addressesWith(partition, values) });
    return list;
  }
}

const COMPARE: Readonly<Record<CompareOp, (a: Value, b: Value) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

/** What could not be read is reported; the rule that holds it is left out. */
function unknown({ span }: Comparison): Filter {
  return { kind: "unknown", subject: null, span };
}
