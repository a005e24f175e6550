// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import { printFilter } from "../../src/dsl/filter/print.js";
import { readModule } from "../../src/dsl/read-module.js";
import { IMPORTS, read, seenIn } from "../support/read.js";

const ACME = `${IMPORTS}
const net = "203.0.113.0/24";
const bogons = drop("bogons", expr\`ip.src in {10.0.0.0/8}\`);

export default policy({
  customer: "acme",
  prefixes: [net, "2001:db8::/32"],
  mitigate: [
    bogons,
    limit("syn", expr\`tcp.flags.syn\`, { rate: "5000/s", burst: 10_000, per: "ip.src" }),
    limit("all", expr\`ip.proto == 6\`, { rate: "1/h" }),
  ],
  firewall: { default: "drop", rules: [allow("ftp", expr\`tcp.dstport == 21\`)] },
  tunnels: {
    chicago: gre({ remote: "198.51.100.1", ttl: 64, mtu: 1476, key: 7 }),
    "new-york": gre({ remote: "198.51.100.2", ttl: undefined }),
  },
  routes: [{ prefix: net, tunnel: "chicago", priority: 100, weight: 1 }, { prefix: net, tunnel: "new-york" }],
  tests: [
    { packet: "udp 1 > 2", expect: "allow", rule: "ftp" },
    { packet: "udp 1 > 2", expect: "drop" },
  ],
});
`;

function under(span: { readonly start: number; readonly end: number } | undefined): string {
  return span ? ACME.slice(span.start, span.end) : "nothing";
}

describe("a policy with everything in it", () => {
  const { policy, seen } = read(ACME);

  test("is read without a complaint", () => {
    expect(seen).toEqual([]);
    expect(
      policy?.mitigate.map(({ action, name, match, limit }) => [
        action,
        name.value,
        printFilter(match),
        limit && [limit.rate.value, limit.burst?.value, limit.per?.value],
      ]),
    ).toEqual([
      ["drop", "bogons", "ip.src in {10.0.0.0/8}", null],
      ["limit", "syn", "tcp.flags.syn", ["5000/s", 10_000, "ip.src"]],
      ["limit", "all", "ip.proto == 6", ["1/h", undefined, undefined]],
    ]);
    expect(policy?.firewall).toMatchObject({
      default: { value: "drop" },
      rules: [{ name: { value: "ftp" } }],
    });
    expect(policy?.tunnels).toMatchObject([
      {
        name: { value: "chicago" },
        remote: { value: "198.51.100.1" },
        ttl: { value: 64 },
        key: { value: 7 },
      },
      { name: { value: "new-york" }, ttl: null, mtu: null, key: null },
    ]);
    expect(policy?.routes).toMatchObject([
      { tunnel: { value: "chicago" }, priority: { value: 100 }, weight: { value: 1 } },
      { tunnel: { value: "new-york" }, priority: null, weight: null },
    ]);
    expect(policy?.tests).toMatchObject([{ rule: { value: "ftp" } }, { rule: null }]);
  });

  test("every value is where it was written, also behind a constant", () => {
    expect(under(policy?.prefixes[0]?.span)).toBe('"203.0.113.0/24"');
    expect(policy?.prefixes[0]?.span.line).toBe(3);
    expect(under(policy?.routes[0]?.prefix.span)).toBe('"203.0.113.0/24"');
    expect(under(policy?.mitigate[0]?.name.span)).toBe('"bogons"');
    expect(under(policy?.mitigate[0]?.span)).toBe('drop("bogons", expr`ip.src in {10.0.0.0/8}`)');
    expect(under(policy?.mitigate[1]?.limit?.burst?.span)).toBe("10_000");
    expect(under(policy?.tunnels[1]?.name.span)).toBe('"new-york"');
    expect(under(policy?.tunnels[1]?.span)).toBe('gre({ remote: "198.51.100.2", ttl: undefined })');
    expect(under(policy?.firewall.default?.span)).toBe('"drop"');
    expect(under(policy?.span).startsWith("policy({")).toBe(true);
  });

  test("what may be left out is empty", () => {
    const least = `${IMPORTS}export default policy({
      customer: "a", prefixes: [], firewall: { default: "allow", rules: [] } });`;
    expect(read(least).policy).toMatchObject({ mitigate: [], tunnels: [], routes: [], tests: [] });
  });
});

describe("several mistakes", () => {
  const text = `${IMPORTS}
let net = "203.0.113.0/24";
const ports = [80, 443].sort((p) => p);
export default policy({
  custmer: "acme",
  prefixes: [net],
  mitigate: [
    drop("bogons", expr\`ip.src in {10.1.2.3/8 10.0.0.0/40} and tcp.dstport in {90..80}\`),
    allow("web", expr\`tcp.dstport in \${ports} = 80\`),
    limit("syn", expr\`tcp.flags.syn and\`, { rate: 5000 }),
  ],
  firewall: { default: "drop", rules: [], stateful: "yes" },
});`;

  test("are all reported in one run, each at its place and in source order", () => {
    expect(read(text).seen.map(({ code, under }) => [code, under])).toEqual([
      ["TG1032", "let"],
      ["TG1034", "sort"],
      ["TG2050", text.slice(text.indexOf("{\n  custmer"), -2)],
      ["TG2051", "custmer"],
      ["TG1111", "10.1.2.3/8"],
      ["TG1112", "10.0.0.0/40"],
      ["TG1114", "90..80"],
      ["TG1101", "="],
      ["TG1100", "`"],
      ["TG2053", "5000"],
      ["TG2053", '"yes"'],
    ]);
  });

  test("what hangs on a broken part is not reported again", () => {
    const { seen } = read(`${IMPORTS}
const a = missing;
const b = [a, ...a, a.b, a[0], a(), a + 1, \`\${a}\`, !a, -a, a ? 1 : 2, a && 1, { ...a, [a]: a }, list(a)];
const c = drop("c", expr\`ip.src == \${a} and ip.src in {\${a}..\${a}} and \${a} and ip.src in \${a}\`);
const { d, e: [f] } = a;
export default policy({ customer: a, prefixes: a, mitigate: a, firewall: { default: a, rules: [a, c] }, tunnels: a,
  routes: [a], tests: [{ packet: d, expect: f }] });`);
    expect(seen.map(({ code, under }) => [code, under])).toEqual([["TG1020", "missing"]]);
  });
});

describe("mistakes that leave something to look at", () => {
  test("a broken rule is left out, and said to be", () => {
    const { policy, seen } = read(ACME.replace('"ftp"', "5"));
    expect(seen.map(({ code }) => code)).toEqual(["TG2053"]);
    expect(policy?.firewall.rules).toEqual([]);
    expect(policy?.unread).toEqual(new Set(["rules"]));
  });

  test("a rule whose expression cannot be read keeps its name, and the rest of the expression", () => {
    const { policy, seen } = read(ACME.replace("tcp.dstport == 21", "tcp.dstport == and udp.dstport == 9"));
    expect(seen.map(({ code }) => code)).toEqual(["TG1100"]);
    const [rule] = policy?.firewall.rules ?? [];
    expect(rule?.name.value).toBe("ftp");
    expect(
      JSON.stringify(rule?.match, (_, part) => (typeof part === "bigint" ? Number(part) : part)),
    ).toMatch(/"kind":"unknown".*"name":"udp.dstport"/);
    expect(policy?.unread).toEqual(new Set());
  });

  test("parts that cannot be read are left out, and said to be", () => {
    const { policy, seen } = read(
      ACME.replace('"acme"', "5").replace('"drop", rules', "[], rules").replace("[net, ", "[1, "),
    );
    expect(seen.map(({ code }) => code)).toEqual(["TG2053", "TG2053", "TG2053"]);
    expect(policy).toMatchObject({
      customer: null,
      prefixes: [{ value: "2001:db8::/32" }],
      firewall: { default: null },
    });
    expect(policy?.unread).toEqual(new Set(["prefixes"]));
  });

  test.each([
    ["ip.src in {10.1.2.3/8}", "ip.src in {10.0.0.0/8}"],
    ["ip.src == 10.0.0.0/8", "ip.src in {10.0.0.0/8}"],
    ["tcp.dstport in {90..80}", "tcp.dstport in {80..90}"],
  ])("%s is read on as %s", (written, meant) => {
    const { policy, seen } = read(ACME.replace("tcp.dstport == 21", written));
    expect(seen).toHaveLength(1);
    expect(policy?.firewall.rules.map(({ match }) => printFilter(match))).toEqual([meant]);
  });
});

describe("the operator's file", () => {
  function readEdgeText(text: string) {
    const source = new SourceFile("edge.ts", text);
    const diagnostics = new Diagnostics();
    const { content } = readModule("edge", source, diagnostics);
    return { edge: content.kind === "edge" ? content.edge : undefined, seen: seenIn(source, diagnostics) };
  }

  test("is read by the same reader", () => {
    const { edge, seen } = readEdgeText(`${IMPORTS}
const acme = ["203.0.113.0/24"];
export default edge({ uplinks: ["eth0"], anycast: ["192.0.2.1"], owners: { acme, "b-c": [...acme] } });`);
    expect(seen).toEqual([]);
    expect(edge).toMatchObject({
      uplinks: [{ value: "eth0" }],
      anycast: [{ value: "192.0.2.1" }],
      owners: [
        { customer: { value: "acme" }, prefixes: [{ value: "203.0.113.0/24" }] },
        { customer: { value: "b-c" }, prefixes: [{ value: "203.0.113.0/24" }] },
      ],
    });
  });

  test.each([
    [
      "edge({ uplinks: [], anycast: [], owners: {}, store: 1, trust: 1, servers: 1 })",
      ["TG2052", "TG2051", "TG2052"],
    ],
    ["edge({ uplinks: [1], owners: [] })", ["TG2050", "TG2053", "TG2053"]],
    ['policy({ customer: "a", prefixes: [], firewall: { default: "drop", rules: [] } })', ["TG1052"]],
  ])("%s", (expression, codes) => {
    const { edge, seen } = readEdgeText(`${IMPORTS}export default ${expression};`);
    expect(seen.map(({ code }) => code)).toEqual(codes);
    // Options for later are reported and left out; without the others there is no edge.
    expect(edge === undefined).toBe(!codes.includes("TG2052"));
  });
});
