import { describe, expect, test } from "vitest";
import { analyzeTogether } from "../../src/compiler/compile.js";

/** Files that are checked together are held against one another: what a server that has all of them would refuse. */

interface Parts {
  readonly customer: string;
  readonly prefix: string;
  readonly tunnel: string;
  /** A comment above the tunnels. */
  readonly comment?: string;
}

function policyText({ customer, prefix, tunnel, comment = "" }: Parts): string {
  return `import { gre, ipip, policy } from "tidegate";
export default policy({
  customer: "${customer}",
  prefixes: ["${prefix}"],
  firewall: { default: "allow", rules: [] },
  ${comment}
  tunnels: { ${customer}1: ${tunnel} },
  routes: [{ prefix: "${prefix}", tunnel: "${customer}1" }],
});`;
}

const EDGE = `import { edge } from "tidegate";
export default edge({
  uplinks: ["eth0"],
  anycast: ["198.18.0.1", "2001:db8:ed6e::1"],
  owners: { acme: ["203.0.113.0/24"], globex: ["198.51.100.0/24"] },
});`;

const ACME = { customer: "acme", prefix: "203.0.113.0/24", tunnel: 'gre({ remote: "192.0.2.1" })' };
const GLOBEX = { customer: "globex", prefix: "198.51.100.0/24", tunnel: 'gre({ remote: "192.0.2.2" })' };

/** By file: `CODE what is underlined`. */
function codes(...texts: readonly string[]): readonly (readonly string[])[] {
  const files = texts.map((text, index) => ({ file: `f${index}.ts`, text }));
  return analyzeTogether(files).map(({ diagnostics }, index) =>
    diagnostics.map(({ code, span }) => `${code} ${texts[index]?.slice(span.start, span.end)}`),
  );
}

describe("two customers", () => {
  test.each<[string, Partial<Parts>, Partial<Parts>, readonly (readonly string[])[]]>([
    ["apart", {}, {}, [[], []]],
    ["with one remote", {}, { tunnel: ACME.tunnel }, [[], ["TG3031 globex1"]]],
    ["with one remote and two keys", {}, { tunnel: 'gre({ remote: "192.0.2.1", key: 0 })' }, [[], []]],
    ["with one remote and two kinds", {}, { tunnel: 'ipip({ remote: "192.0.2.1" })' }, [[], []]],
    [
      "with one remote, spelled in two ways",
      { tunnel: 'gre({ remote: "2001:db8::1" })' },
      { tunnel: 'gre({ remote: "2001:0db8:0::1" })' },
      [[], ["TG3031 globex1"]],
    ],
    [
      "one's remote in the other's prefix",
      { tunnel: 'gre({ remote: "198.51.100.7" })' },
      {},
      [["TG3032 acme1"], []],
    ],
    ["the other way about", {}, { tunnel: 'gre({ remote: "203.0.113.7" })' }, [[], ["TG3032 globex1"]]],
    ["that are one", {}, { customer: "acme", tunnel: 'gre({ remote: "203.0.113.7" })' }, [[], []]],
    ["that are one, with one remote", {}, { customer: "acme", tunnel: ACME.tunnel }, [[], []]],
    [
      "where that is meant",
      {},
      { tunnel: ACME.tunnel, comment: "// tidegate-ignore TG3031: they are on two edges" },
      [[], []],
    ],
  ])("%s", (_, acme, globex, expected) => {
    expect(codes(policyText({ ...ACME, ...acme }), policyText({ ...GLOBEX, ...globex }))).toEqual(expected);
  });

  test("the message says where the other one is", () => {
    const files = [ACME, { ...GLOBEX, tunnel: ACME.tunnel }].map((parts) => {
      return { file: `${parts.customer}.ts`, text: policyText(parts) };
    });
    const [found] = analyzeTogether(files)[1]?.diagnostics ?? [];
    expect(found?.message).toBe(
      "the tunnel `globex1` has the same remote and key as `acme1` of customer `acme`",
    );
    expect(found?.related.map(({ span }) => span.file)).toEqual(["acme.ts"]);
  });
});

test.each(["198.18.0.1", "2001:db8:ed6e:0::1"])("a tunnel to the edge itself, %s", (remote) => {
  const own = policyText({ ...ACME, tunnel: `gre({ remote: "${remote}" })` });
  expect(codes(own)).toEqual([[]]);
  expect(codes(own, EDGE)).toEqual([["TG3033 acme1"], []]);
  expect(codes(policyText(ACME), EDGE)).toEqual([[], []]);
});
