// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { describe, expect, test } from "vitest";
import { formatAddress, formatPrefix } from "../../src/compiler/ir/address.js";
import { type PolicyParts, readParts } from "../support/reading.js";

const LONG = "a".repeat(33);

function limitOf(options: string) {
  const { policy, found } = readParts({ mitigate: `limit("r", expr\`tcp.flags.syn\`, { ${options} })` });
  const action = policy?.mitigate[0]?.action;
  return { found, limit: action?.kind === "limit" ? action.limit : undefined };
}

/** `CODE underlined` of everything found. */
function codes(parts: PolicyParts): readonly string[] {
  return readParts(parts).found.map((one) => `${one.code} ${one.underlined}`);
}

describe("names", () => {
  test.each<[string, PolicyParts, readonly string[]]>([
    ["a customer", { customer: '"Acme Inc."' }, ['TG2020 "Acme Inc."']],
    ["a rule", { rules: 'allow("1st", expr`tcp.flags.syn`)' }, ['TG2020 "1st"']],
    ["a reserved rule name", { rules: 'allow("default", expr`tcp.flags.syn`)' }, ['TG2020 "default"']],
    ["33 characters", { rules: `allow("${LONG}", expr\`tcp.flags.syn\`)` }, [`TG2020 "${LONG}"`]],
    [
      "two rules of one name, also in different stages",
      { mitigate: 'drop("same", expr`tcp.flags.syn`)', rules: 'allow( "same", expr`tcp.flags.ack`)' },
      ['TG2021 "same"'],
    ],
    ["a test's rule", { tests: '{ packet: "hex=45", expect: "drop", rule: "ftp" }' }, ['TG2022 "ftp"']],
    [
      "a route's tunnel",
      {
        routes:
          '[{ prefix: "203.0.113.0/24", tunnel: "mian" }, { prefix: "2001:db8:a::/48", tunnel: "main" }]',
      },
      ['TG2023 "mian"'],
    ],
  ])("%s", (_, parts, expected) => {
    expect(codes(parts)).toEqual(expected);
  });

  test.each([
    ["SYN flood", 'write "syn-flood"'],
    ["synFlood", 'write "syn-flood"'],
    ["42", "use a-z, 0-9 and `-`, beginning with a letter, at most 32 characters"],
  ])("%s: %s", (name, hint) => {
    expect(readParts({ rules: `allow("${name}", expr\`tcp.flags.syn\`)` }).found[0]?.hint).toBe(hint);
  });

  test("a misspelled tunnel has a suggestion", () => {
    const routes =
      '[{ prefix: "203.0.113.0/24", tunnel: "mian" }, { prefix: "2001:db8:a::/48", tunnel: "main" }]';
    expect(readParts({ routes }).found[0]?.hint).toBe("did you mean `main`?");
  });

  test("a rule that could not be read is not missed by its test", () => {
    const parts = {
      rules: 'allow("ftp", expr`tcp.dstport ==`)',
      tests: '{ packet: "hex=45", expect: "drop", rule: "ftp" }',
    };
    expect(codes(parts).filter((one) => one.startsWith("TG2022"))).toEqual([]);
    expect(codes(parts)).toHaveLength(1);
  });

  test("lists get safe and distinct names, in the order of their use", () => {
    const { policy } = readParts({
      before: 'const badGuys = list(["192.0.2.1"]); const _ = list(["192.0.2.2"]);',
      rules: [
        `allow("a", expr\`ip.src in \${_}\`)`,
        `allow("b", expr\`ip.src in \${badGuys} or ip.src in \${list(["::1"])}\`)`,
        `allow("c", expr\`ip.src in \${badGuys}\`)`,
      ].join(", "),
    });
    expect(policy?.lists.map(({ name }) => name)).toEqual(["list", "bad-guys", "list-2"]);
  });
});

describe("prefixes", () => {
  const routes = "[]";
  test.each<[string, string, readonly string[]]>([
    ["host bits", '["203.0.113.1/24"]', ['TG2010 "203.0.113.1/24"']],
    ["no prefix", '["203.0.113.0"]', ['TG2011 "203.0.113.0"']],
    ["too long", '["203.0.113.0/33"]', ['TG2011 "203.0.113.0/33"']],
    ["overlapping", '["203.0.113.0/24", "203.0.113.128/25"]', ['TG2025 "203.0.113.128/25"']],
    ["twice", '["203.0.113.0/24", "203.0.113.0/24" ]', ['TG2025 "203.0.113.0/24"']],
    ["everything", '["0.0.0.0/0"]', ['TG2044 "0.0.0.0/0"']],
  ])("%s", (_, prefixes, expected) => {
    expect(codes({ prefixes, routes, tunnels: "{}" }).filter((one) => !one.startsWith("TG3005"))).toEqual(
      expected,
    );
  });

  test("none at all", () => {
    expect(readParts({ prefixes: "[]", routes }).found.map((one) => one.code)).toEqual(["TG2036"]);
  });

  test.each([
    ["203.0.113.1/24", "did you mean 203.0.113.0/24?"],
    ["203.0.113.1", 'for one host write "203.0.113.1/32"'],
  ])("%s: %s", (prefix, hint) => {
    expect(readParts({ prefixes: `["${prefix}"]`, routes }).found[0]?.hint).toBe(hint);
  });

  test("with one of them unreadable nothing is said to lie outside", () => {
    const parts = { prefixes: '["203.0.113.0/240"]', rules: 'allow("r", expr`ip.dst == 203.0.113.9`)' };
    expect(codes(parts)).toEqual(['TG2011 "203.0.113.0/240"']);
  });

  test("members of lists", () => {
    const before = 'const some = list(["192.0.2.0/24", "192.0.2.77", "10.1.0.0/8", "x", "::1"]);';
    const rules = `allow("r", expr\`ip.src in \${some}\`)`;
    expect(codes({ before, rules })).toEqual(['TG2010 "10.1.0.0/8"', 'TG2011 "x"']);
  });
});

describe("routes", () => {
  const six = '{ prefix: "2001:db8:a::/48", tunnel: "main" }';
  test.each<[string, string, readonly string[]]>([
    [
      "a prefix of somebody else",
      `[{ prefix: "198.51.100.0/24", tunnel: "main" }, ${six}]`,
      ['TG2024 "198.51.100.0/24"'],
    ],
    [
      "a prefix wider than the own one",
      `[{ prefix: "203.0.112.0/23", tunnel: "main" }, ${six}]`,
      ['TG2024 "203.0.112.0/23"'],
    ],
    [
      "equal cost, and the same tunnel",
      `[{ prefix: "203.0.113.0/24", tunnel: "main" }, { prefix:  "203.0.113.0/24", tunnel: "main", weight: 3 }, ${six}]`,
      ['TG2060 "203.0.113.0/24"'],
    ],
    [
      "a weight beside nobody's",
      `[{ prefix: "203.0.113.0/24", tunnel: "main", weight: 2 }, { prefix: "203.0.113.0/24", tunnel: "main", priority: 7, weight: 1 }, ${six}]`,
      ["TG3017 2"],
    ],
    ["a weight of 0", `[{ prefix: "203.0.113.0/24", tunnel: "main", weight: 0 }, ${six}]`, ["TG2033 0"]],
    [
      "half a priority",
      `[{ prefix: "203.0.113.0/24", tunnel: "main", priority: 0.5 }, ${six}]`,
      ["TG2033 0.5"],
    ],
    ["a prefix without a route", `[${six}]`, ['TG3005 "203.0.113.0/24"']],
    [
      "part of a prefix",
      `[{ prefix: "203.0.113.128/25", tunnel: "main" }, ${six}]`,
      ['TG3010 "203.0.113.0/24"'],
    ],
    [
      "a prefix in parts",
      `[{ prefix: "203.0.113.0/25", tunnel: "main" }, { prefix: "203.0.113.128/25", tunnel: "main" }, ${six}]`,
      [],
    ],
    [
      "a backup of another priority",
      `[{ prefix: "203.0.113.0/24", tunnel: "main" }, { prefix: "203.0.113.0/24", tunnel: "main", priority: 200 }, ${six}]`,
      [],
    ],
  ])("%s", (_, routes, expected) => {
    expect(codes({ routes })).toEqual(expected);
  });

  const share = (tunnel: string, weight: number) =>
    `{ prefix: "203.0.113.0/24", tunnel: "${tunnel}", weight: ${weight} }`;
  test.each<[string, readonly string[], readonly string[]]>([
    ["shares", [share("main", 3), share("other", 1)], []],
    ["a share of a hundredth", [share("main", 1), share("other", 100)], ["TG3016 1"]],
    ["a share of a little more", [share("main", 1), share("other", 99)], []],
    ["the smallest share", [share("main", 1), share("other", 256), share("third", 3)], ["TG3016 1"]],
    [
      "a route twice among others",
      [share("main", 1), share("other", 2), share("main", 1)],
      ['TG2060 "203.0.113.0/24"'],
    ],
  ])("%s", (_, shares, expected) => {
    const tunnels = `{ main: gre({ remote: "198.51.100.1", health: {} }), other: gre({ remote: "198.51.100.2", health: {} }), third: gre({ remote: "198.51.100.3", health: "off" }) }`;
    expect(codes({ tunnels, routes: `[${shares.join()}, ${six}]` })).toEqual(expected);
  });

  test("defaults", () => {
    expect(readParts({}).policy?.routes[0]).toMatchObject({ tunnel: "main", priority: 100, weight: 1 });
  });
});

describe("tunnels", () => {
  test.each<[string, readonly string[]]>([
    ['remote: "203.0.113.7"', ['TG2026 "203.0.113.7"']],
    ['remote: "2001:db8:ffff::1"', []],
    ['remote: "2001:db8:a::1"', ['TG2026 "2001:db8:a::1"']],
    ['remote: "::ffff:198.51.100.1"', ['TG2037 "::ffff:198.51.100.1"']],
    ['remote: "224.0.0.1"', ['TG2037 "224.0.0.1"']],
    ['remote: "127.0.0.1"', ['TG2037 "127.0.0.1"']],
    ['remote: "198.51.100.1/32"', ['TG2011 "198.51.100.1/32"']],
    ['remote: "198.51.100.1", ttl: 0', ["TG2033 0"]],
    ['remote: "198.51.100.1", ttl: 256', ["TG2033 256"]],
    ['remote: "198.51.100.1", mtu: 1279', ["TG2033 1279"]],
    ['remote: "198.51.100.1", mtu: 1280', []],
    ['remote: "198.51.100.1", mtu: 1476', []],
    ['remote: "198.51.100.1", mtu: 1477', ["TG3018 1477"]],
    ['remote: "198.51.100.1", mtu: 1472, key: 7', []],
    ['remote: "198.51.100.1", mtu: 1473, key: 7', ["TG3018 1473"]],
    ['remote: "198.51.100.1", key: 4294967296', ["TG2033 4294967296"]],
    ['remote: "198.51.100.1", ttl: "inherit", dscp: "inherit", df: "inherit", mss: "keep"', []],
    ['remote: "198.51.100.1", ttl: "inherited"', ['TG2033 "inherited"']],
    ['remote: "198.51.100.1", dscp: 63', []],
    ['remote: "198.51.100.1", dscp: 64', ["TG2033 64"]],
    ['remote: "198.51.100.1", dscp: "ef"', ['TG2033 "ef"']],
    ['remote: "198.51.100.1", df: "clear"', ['TG2033 "clear"']],
    ['remote: "198.51.100.1", mss: 1436', []],
    ['remote: "198.51.100.1", mss: 1437', ["TG2033 1437"]],
    ['remote: "198.51.100.1", mtu: 1400, mss: 1361', ["TG2033 1361"]],
    ['remote: "198.51.100.1", mss: 27', ["TG2033 27"]],
    ['remote: "198.51.100.1", mss: "lower"', ['TG2033 "lower"']],
    ['remote: "2001:db8:ffff::1", df: "set"', []],
    ['remote: "2001:db8:ffff::1", df: "inherit"', ['TG2061 "inherit"']],
    ['remote: "2001:db8:ffff::1", mtu: 1456', []],
    ['remote: "2001:db8:ffff::1", mtu: 1457', ["TG3018 1457"]],
    ['remote: "2001:db8:ffff::1", mtu: 1453, key: 7', ["TG3018 1453"]],
  ])("%s", (options, expected) => {
    expect(codes({ tunnels: `{ main: gre({ ${options} }) }` })).toEqual(expected);
  });

  test("defaults", () => {
    const tunnel = readParts({}).policy?.tunnels[0];
    expect(tunnel && formatAddress(tunnel.remote)).toBe("198.51.100.1");
    const outer = { ttl: 64, mtu: 1476, key: null, dscp: "inherit", df: "set" };
    expect(tunnel).toMatchObject({ name: "main", kind: "gre", ...outer });
  });

  test.each([
    [575, ["TG3019 575"]],
    [576, []],
  ])("an MTU of %d, where all is IPv4", (mtu, expected) => {
    const tunnels = `{ main: gre({ remote: "198.51.100.1", mtu: ${mtu} }) }`;
    const routes = '[{ prefix: "203.0.113.0/24", tunnel: "main" }]';
    expect(codes({ prefixes: '["203.0.113.0/24"]', tunnels, routes })).toEqual(expected);
  });

  test.each<[string, readonly string[]]>([
    ['remote: "198.51.100.1", mtu: 1480', []],
    ['remote: "198.51.100.1", mtu: 1481', ["TG3018 1481"]],
    ['remote: "2001:db8:ffff::1", mtu: 1461', ["TG3018 1461"]],
    ['remote: "198.51.100.1", key: 7', ["TG2051 key"]],
    ['remote: "198.51.100.1", df: "inherit"', ['TG2062 "inherit"']],
    ['remote: "198.51.100.1", df: "inherit", ttl: "inherit"', []],
  ])("IP in IP: %s", (options, expected) => {
    expect(codes({ tunnels: `{ main: ipip({ ${options} }) }` })).toEqual(expected);
  });

  test("IP in IP over IPv4 needs an MTU for IPv6, also where all is IPv4", () => {
    const parts = {
      prefixes: '["203.0.113.0/24"]',
      routes: '[{ prefix: "203.0.113.0/24", tunnel: "main" }]',
    };
    const main = (remote: string) => `{ main: ipip({ remote: "${remote}", mtu: 1279 }) }`;
    expect(codes({ ...parts, tunnels: main("198.51.100.1") })).toEqual(["TG2033 1279"]);
    expect(codes({ ...parts, tunnels: main("2001:db8:ffff::1") })).toEqual([]);
  });

  test.each<[string, object]>([
    ['gre({ remote: "198.51.100.1" })', { mtu: 1476, mss: { 4: 1436, 6: 1416 } }],
    ['gre({ remote: "2001:db8:ffff::1" })', { mtu: 1456, mss: { 4: 1416, 6: 1396 } }],
    ['gre({ remote: "2001:db8:ffff::1", key: 7 })', { mtu: 1452, mss: { 4: 1412, 6: 1392 } }],
    ['ipip({ remote: "198.51.100.1" })', { kind: "ipip", mtu: 1480, key: null, mss: { 4: 1440, 6: 1420 } }],
    ['ipip({ remote: "2001:db8:ffff::1" })', { mtu: 1460, mss: { 4: 1420, 6: 1400 } }],
    ['gre({ remote: "198.51.100.1", mss: 1420 })', { mss: { 4: 1420, 6: 1416 } }],
    ['gre({ remote: "198.51.100.1", mss: 1220 })', { mss: { 4: 1220, 6: 1220 } }],
    ['gre({ remote: "198.51.100.1", mss: "keep" })', { mss: null }],
    [
      'gre({ remote: "198.51.100.1", dscp: 0, ttl: "inherit", df: "inherit" })',
      { dscp: 0, ttl: "inherit", df: "inherit" },
    ],
  ])("%s", (made, expected) => {
    expect(readParts({ tunnels: `{ main: ${made} }` }).policy?.tunnels[0]).toMatchObject(expected);
  });

  test("a key takes four bytes of the default MTU", () => {
    const { policy } = readParts({ tunnels: '{ main: gre({ remote: "198.51.100.1", key: 7 }) }' });
    expect(policy?.tunnels[0]).toMatchObject({ mtu: 1472, key: 7 });
  });

  test.each([
    ["the same remote", "", "", ["TG2045 other"]],
    ["the same remote and key", ", key: 7", ", key: 7", ["TG2045 other"]],
    ["the same remote, one with a key", "", ", key: 7", []],
    ["the same remote, other keys", ", key: 8", ", key: 7", []],
  ])("two tunnels to %s", (_, main, other, expected) => {
    const tunnels = `{ main: gre({ remote: "198.51.100.1"${main} }), other: gre({ remote: "198.51.100.1"${other} }) }`;
    expect(codes({ tunnels })).toEqual(expected);
  });

  test.each([
    ["gre", "ipip", []],
    ["ipip", "ipip", ["TG2045 other"]],
  ])("%s and %s to the same remote", (main, other, expected) => {
    const remote = '{ remote: "198.51.100.1" }';
    expect(codes({ tunnels: `{ main: ${main}(${remote}), other: ${other}(${remote}) }` })).toEqual(expected);
  });
});

describe("limits", () => {
  test.each([
    ['rate: "5000/s", burst: 10_000, per: "ip.src"', { interval: 200_000n, burst: 10_000n, per: "ip.src" }],
    ['rate: "3/s"', { interval: 333_333_333n, burst: 3n, per: null }],
    ['rate: "120/m"', { interval: 500_000_000n, burst: 2n }],
    ['rate: "1/h"', { interval: 3_600_000_000_000n, burst: 1n, rate: { count: 1, unit: "h" } }],
    ['rate: "1000000000/s"', { interval: 1n, burst: 1_000_000_000n }],
  ])("%s", (options, expected) => {
    expect(limitOf(options).limit).toMatchObject(expected);
  });

  test.each([
    ['rate: "5000"', "TG2029"],
    ['rate: "5/d"', "TG2029"],
    ['rate: "-5/s"', "TG2029"],
    ['rate: "0/s"', "TG2030"],
    ['rate: "1000000001/s"', "TG2030"],
    ['rate: "5/s", burst: 0', "TG2031"],
    ['rate: "5/s", burst: 1.5', "TG2031"],
    ['rate: "5/s", burst: 4294967296', "TG2031"],
    ['rate: "1/h", burst: 4294967295', "TG2031"],
    ['rate: "5/s", per: "ip.proto"', "TG2032"],
  ])("%s", (options, code) => {
    expect(limitOf(options).found.map((one) => one.code)).toEqual([code]);
  });

  test("all mistakes of one limit are reported", () => {
    const { found } = limitOf('rate: "fast", burst: 0, per: "ip.source"');
    expect(found.map(({ code, underlined }) => [code, underlined])).toEqual([
      ["TG2029", '"fast"'],
      ["TG2031", "0"],
      ["TG2032", '"ip.source"'],
    ]);
  });

  test("the hint spells the rate right", () => {
    expect(limitOf('rate: "5000 / second"').found[0]?.hint).toBe('write "5000/s"');
  });
});

describe("verdicts and tests", () => {
  test.each<[string, PolicyParts, readonly string[]]>([
    ["the default", { byDefault: '"deny"' }, ['TG2034 "deny"']],
    ["what a test expects", { tests: '{ packet: "hex=45", expect: "pass" }' }, ['TG2034 "pass"']],
    [
      "a test's packet, shown inside its text",
      { tests: '{ packet: "tcp 192.0.2.7:1 > 203.0.113.9:70000 flags=Q", expect: "drop" }' },
      ["TG2035 203.0.113.9:70000", "TG2035 Q"],
    ],
    [
      "a test's packet whose text is computed, shown as a whole",
      {
        before: 'const y = "aaaa";',
        tests: '{ packet: `x ${y}y`, expect: "drop" }, { packet: `x\\x20\\x20`, expect: "drop" }',
      },
      ["TG2035 `x ${y}y`", "TG2035 `x\\x20\\x20`"],
    ],
  ])("%s", (_, parts, expected) => {
    expect(codes(parts)).toEqual(expected);
  });
});

test("a policy without mistakes keeps its order and its places", () => {
  const { policy, found } = readParts({
    mitigate: 'drop("b", expr`tcp.flags.syn`), drop("a", expr`tcp.flags.ack`)',
    tests: '{ packet: "hex=45", expect: "drop", rule: "a" }',
  });
  expect(found).toEqual([]);
  expect(policy?.mitigate.map(({ name, span }) => [name, span.line])).toEqual([
    ["b", 6],
    ["a", 6],
  ]);
  expect(policy?.prefixes.map(({ prefix }) => formatPrefix(prefix))).toEqual([
    "203.0.113.0/24",
    "2001:db8:a::/48",
  ]);
  expect(policy?.tests).toMatchObject([{ packet: "hex=45", expect: "drop", rule: "a" }]);
});
