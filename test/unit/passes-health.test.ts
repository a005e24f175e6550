import { describe, expect, test } from "vitest";
import { formatAddress } from "../../src/compiler/ir/address.js";
import type { Health, NoLiveTunnel } from "../../src/compiler/ir/policy.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { type PolicyParts, readParts } from "../support/reading.js";

function tunnelWith(health: string): PolicyParts {
  return { tunnels: `{ main: gre({ remote: "198.51.100.1", health: ${health} }) }` };
}

function codes(parts: PolicyParts): readonly string[] {
  return readParts(parts).found.map(({ code, underlined }) => `${code} ${underlined}`);
}

function healthOf(written: string): Health | undefined {
  const { policy, found } = readParts(tunnelWith(written));
  expect(found).toEqual([]);
  return policy?.tunnels[0]?.health;
}

describe("what is asked of a router", () => {
  test("usually", () => {
    const { target, ...rest } = healthOf("{}") ?? {};
    expect(target && formatAddress(target)).toBe("198.51.100.1");
    expect(rest).toEqual({ style: "request", interval: 1000, timeout: 1000, up: 3, down: 3 });
  });

  test("all of it", () => {
    const written =
      '{ style: "reply", target: "203.0.113.1", interval: "1m", timeout: "10ms", up: 1, down: 100 }';
    const { target, ...rest } = healthOf(written) ?? {};
    expect(target && formatAddress(target)).toBe("203.0.113.1");
    expect(rest).toEqual({ style: "reply", interval: 60_000, timeout: 10, up: 1, down: 100 });
  });

  test.each(['"off"', "undefined"])("nothing: %s", (written) => {
    expect(healthOf(written)).toBe(undefined);
  });

  test("the manifest says it, or nothing", () => {
    const rowOf = (written: string) => {
      const { policy } = readParts(tunnelWith(written));
      return policy && tunnels(policy)[0]?.health;
    };
    expect(rowOf('"off"')).toBe(undefined);
    expect(rowOf('{ target: "2001:db8:a::1", interval: "200ms" }')).toEqual({
      ...{ style: "request", target: "2001:db8:a::1", interval: 200, timeout: 1000, up: 3, down: 3 },
    });
  });
});

test.each<[string, readonly string[]]>([
  ['"on"', ['TG2090 "on"']],
  ["true", ["TG2053 true"]],
  ['{ intervall: "1s" }', ["TG2051 intervall"]],
  ['{ interval: "1" }', ['TG2091 "1"']],
  ['{ interval: "1.5s" }', ['TG2091 "1.5s"']],
  ['{ interval: "-1s" }', ['TG2091 "-1s"']],
  ['{ timeout: "1h" }', ['TG2091 "1h"']],
  ['{ interval: "99ms" }', ['TG2092 "99ms"']],
  ['{ interval: "100ms" }', []],
  ['{ interval: "61s" }', ['TG2092 "61s"']],
  ['{ timeout: "9ms" }', ['TG2092 "9ms"']],
  ['{ timeout: "10001ms" }', ['TG2092 "10001ms"']],
  ["{ up: 0 }", ["TG2033 0"]],
  ["{ down: 101 }", ["TG2033 101"]],
  ["{ down: 1.5 }", ["TG2033 1.5"]],
  ['{ style: "ping" }', ['TG2093 "ping"']],
  ['{ style: "reply" }', ['TG2094 { style: "reply" }']],
  ['{ style: "reply", target: "203.0.114.1" }', ['TG2095 "203.0.114.1"']],
  ['{ style: "reply", target: "2001:db8:a::1" }', []],
  ['{ target: "203.0.113.1" }', []],
  ['{ target: "10.0.0.1" }', []],
  ['{ target: "nobody" }', ['TG2011 "nobody"']],
  ['{ target: "224.0.0.1" }', ['TG2037 "224.0.0.1"']],
])("health: %s", (written, expected) => {
  expect(codes(tunnelWith(written))).toEqual(expected);
});

test.each([
  ["0.5s", 'write "500ms"'],
  ["2 sec", 'write "2s"'],
  ["3", 'write "3s"'],
  ["soon", 'write it like "1s" or "500ms"'],
])("not a time: %s", (written, hint) => {
  expect(readParts(tunnelWith(`{ interval: "${written}" }`)).found[0]?.hint).toBe(hint);
});

describe("what becomes of packets without a live tunnel", () => {
  const asked = tunnelWith("{}");
  test.each<[string | undefined, NoLiveTunnel]>([
    [undefined, "blackhole"],
    ['"blackhole"', "blackhole"],
    ['"use"', "use"],
  ])("%s", (noLiveTunnel, expected) => {
    const { policy, found } = readParts({ ...asked, ...(noLiveTunnel !== undefined && { noLiveTunnel }) });
    expect(found).toEqual([]);
    expect(policy?.noLiveTunnel).toBe(expected);
  });

  test.each<[string, PolicyParts, readonly string[]]>([
    ['"drop"', asked, ['TG2096 "drop"']],
    ["true", asked, ["TG2053 true"]],
    ['"use"', {}, ['TG3022 "use"']],
    ['"blackhole"', tunnelWith('"off"'), ['TG3022 "blackhole"']],
  ])("%s is a mistake", (noLiveTunnel, parts, expected) => {
    expect(codes({ ...parts, noLiveTunnel })).toEqual(expected);
  });
});

describe("tunnels that nobody asks, though others would stand in", () => {
  const at = (prefix: string, tunnel: string, priority = 100) =>
    `{ prefix: "${prefix}", tunnel: "${tunnel}", priority: ${priority} }`;
  const NET = "203.0.113.0/24";
  const HALF = "203.0.113.0/25";
  test.each<[string, readonly string[], string, readonly string[]]>([
    ["they share", [at(NET, "a"), at(NET, "b")], "", ["TG3030 a", "TG3030 b"]],
    ["one is spare", [at(NET, "a"), at(NET, "b", 200)], "", ["TG3030 a"]],
    ["one has a wider prefix", [at(HALF, "a"), at(NET, "b")], "", ["TG3030 a"]],
    ["each has its own part", [at(HALF, "a"), at("203.0.113.128/25", "b")], "", []],
    ["the one that matters is asked", [at(NET, "b"), at(NET, "a", 200)], "", []],
    ["that is said to be meant", [at(NET, "a"), at(NET, "b", 200)], ', health: "off"', []],
    ["it is asked", [at(NET, "a"), at(NET, "b", 200)], ", health: {}", []],
  ])("%s", (name, routes, health, expected) => {
    const asked = name === "the one that matters is asked" ? ", health: {}" : "";
    const tunnels = `{ a: gre({ remote: "198.51.100.1"${health} }), b: gre({ remote: "198.51.100.2"${asked} }) }`;
    const parts = { prefixes: `["${NET}"]`, tunnels, routes: `[${routes.join()}]` };
    expect(codes(parts).filter((one) => !one.startsWith("TG3010"))).toEqual(expected);
  });
});
