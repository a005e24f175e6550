import { describe, expect, test } from "vitest";
import * as authoring from "../../src/dsl/authoring.js";
import { BUILTIN_NAMES } from "../../src/dsl/builtins/index.js";

const { allow, drop, edge, expr, gre, limit, list, policy } = authoring;

test("what can be imported is what the reader knows", () => {
  expect(Object.keys(authoring).sort()).toEqual([...BUILTIN_NAMES].sort());
});

test("run as JavaScript, a policy is plain data", () => {
  const partners = list(["198.51.100.0/24"]);
  const made = policy({
    customer: "acme",
    prefixes: ["203.0.113.0/24"],
    mitigate: [limit("flood", expr`ip.src in ${partners}`, { rate: "5/s" }), drop("no", expr`a`)],
    firewall: { default: "drop", rules: [allow("yes", expr`b`)] },
    tunnels: { chicago: gre({ remote: "198.51.100.1" }) },
    routes: [{ prefix: "203.0.113.0/24", tunnel: "chicago" }],
  });
  expect(JSON.parse(JSON.stringify(made))).toMatchObject({
    kind: "policy",
    mitigate: [
      { action: "limit", match: { kind: "expr", text: ["ip.src in ", ""], values: [{ kind: "list" }] } },
      { action: "drop", name: "no" },
    ],
    tunnels: { chicago: { kind: "gre", remote: "198.51.100.1" } },
  });
  expect(edge({ uplinks: [], anycast: [], owners: {} })).toMatchObject({ kind: "edge" });
});

describe("the types catch mistakes in the editor", () => {
  // Each line below must be an error for `tsc`, which checks this file; nothing of it is run.
  const mistakes = () => {
    const firewall = { default: "drop", rules: [] } as const;
    // @ts-expect-error: a rate has a unit
    limit("a", expr`a`, { rate: "5000" });
    // @ts-expect-error: a rate has one of three units
    limit("a", expr`a`, { rate: "5000/d" });
    // @ts-expect-error: a limit counts by an address
    limit("a", expr`a`, { rate: "5000/s", per: "tcp.dstport" });
    // @ts-expect-error: a rule needs an expression
    drop("a", "ip.src == 192.0.2.1");
    // @ts-expect-error: a boolean cannot stand in an expression
    drop("a", expr`a == ${true}`);
    // @ts-expect-error: a prefix has a length
    policy({ customer: "a", prefixes: ["203.0.113.0"], firewall });
    // @ts-expect-error: the default is written out
    policy({ customer: "a", prefixes: [], firewall: { rules: [] } });
    // @ts-expect-error: options that do not exist yet
    policy({ customer: "a", prefixes: [], firewall, offload: "auto" });
    policy({
      customer: "a",
      prefixes: [],
      firewall,
      tunnels: { chicago: gre({ remote: "198.51.100.1" }) },
      // @ts-expect-error: there is no such tunnel
      routes: [{ prefix: "203.0.113.0/24", tunnel: "chicgo" }],
    });
    policy({
      customer: "a",
      prefixes: [],
      firewall,
      // @ts-expect-error: nothing to route to
      routes: [{ prefix: "203.0.113.0/24", tunnel: "chicago" }],
    });
  };

  test("and the file type-checks only if each one is", () => {
    expect(mistakes).toBeTypeOf("function");
  });
});
