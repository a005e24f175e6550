import { ADDRESS_BITS, type Family, prefixRange } from "../../src/compiler/ir/address.js";
import { type Test, testsOf } from "../../src/compiler/ir/expr.js";
import type { Intervals } from "../../src/compiler/ir/intervals.js";
import { type Policy, rulesOf } from "../../src/compiler/ir/policy.js";
import { wireText } from "../../src/compiler/ir/wire.js";

/** The numbers that a policy speaks of and their neighbours: where packets are worth aiming at. */
export interface Constants {
  readonly addresses: Readonly<Record<"ip.src" | "ip.dst", Readonly<Record<Family, readonly bigint[]>>>>;
  readonly numbers: Readonly<Record<string, readonly bigint[]>>;
}

export function policyConstants(policy: Policy): Constants {
  const addresses = {
    "ip.src": { 4: new Set<bigint>(), 6: new Set<bigint>() },
    "ip.dst": { 4: new Set<bigint>(), 6: new Set<bigint>() },
  };
  const numbers = new Map<string, Set<bigint>>();

  const addEdges = (into: Set<bigint>, ranges: Intervals, bits: number) => {
    const inside = (value: bigint) => value >= 0n && value < 1n << BigInt(bits);
    for (const { low, high } of ranges) {
      for (const value of [low - 1n, low, (low + high) / 2n, high, high + 1n])
        if (inside(value)) into.add(value);
    }
  };
  const add = (test: Test): void => {
    switch (test.kind) {
      case "address":
        addEdges(addresses[test.field][test.family], test.ranges, ADDRESS_BITS[test.family]);
        break;
      case "list": {
        const list = policy.lists.find(({ name }) => name === test.list);
        if (list) addEdges(addresses[test.field][test.family], list[test.family], ADDRESS_BITS[test.family]);
        break;
      }
      case "number":
      case "bits": {
        const name = wireText(test.field);
        const values = numbers.get(name) ?? new Set();
        numbers.set(name, values);
        const edges = test.kind === "bits" ? [{ low: test.mask, high: test.mask }] : test.ranges;
        addEdges(values, edges, test.field.width);
      }
    }
  };
  for (const { match } of rulesOf(policy)) testsOf(match).forEach(add);
  for (const { prefix } of policy.prefixes) {
    addEdges(addresses["ip.dst"][prefix.family], [prefixRange(prefix)], ADDRESS_BITS[prefix.family]);
  }
  const lists = (field: "ip.src" | "ip.dst") => ({
    4: [...addresses[field][4]],
    6: [...addresses[field][6]],
  });
  return {
    addresses: { "ip.src": lists("ip.src"), "ip.dst": lists("ip.dst") },
    numbers: Object.fromEntries([...numbers].map(([field, values]) => [field, [...values]])),
  };
}
