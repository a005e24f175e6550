import { expect, test } from "vitest";
import { nodeConfigSchema } from "../../src/targets/manifest.js";
import { nodeConfig } from "../../src/targets/node.js";
import { readEdgeParts } from "../support/reading.js";

const OWNERS = 'owners: { acme: ["203.0.113.0/24"], globex: ["198.51.100.128/25", "2001:db8:60b::/48"] }';

test("a node as the runtime is told of it", () => {
  const { edge, found } = readEdgeParts(
    `uplinks: ["eth0", "eth1.7"], anycast: ["2001:db8::1", "198.18.0.1"], ${OWNERS}`,
  );
  expect(found).toEqual([]);
  const config = edge && nodeConfig(edge);
  expect(nodeConfigSchema.parse(config)).toEqual({
    schema: 1,
    uplinks: ["eth0", "eth1.7"],
    anycast: ["198.18.0.1", "2001:db8::1"],
    owners: { acme: ["203.0.113.0/24"], globex: ["198.51.100.128/25", "2001:db8:60b::/48"] },
  });
});

test("a node whose tunnels all run over IPv6", () => {
  const { edge } = readEdgeParts(`uplinks: ["eth0"], anycast: ["2001:db8::1"], ${OWNERS}`);
  expect(edge && nodeConfig(edge).anycast).toEqual(["2001:db8::1"]);
});

test.each([
  [`uplinks: [], anycast: ["198.18.0.1"], ${OWNERS}`, ["TG2036"]],
  [`uplinks: ["eth0", "eth0"], anycast: ["198.18.0.1"], ${OWNERS}`, ["TG2039"]],
  [`uplinks: ["a-device-of-16ch"], anycast: ["198.18.0.1"], ${OWNERS}`, ["TG2038"]],
  [`uplinks: ["eth/0"], anycast: ["198.18.0.1"], ${OWNERS}`, ["TG2038"]],
  [`uplinks: [".."], anycast: ["198.18.0.1"], ${OWNERS}`, ["TG2038"]],
  [`uplinks: ["eth0"], anycast: ["198.18.0.1", "198.18.0.2"], ${OWNERS}`, ["TG2040"]],
  [`uplinks: ["eth0"], anycast: [], ${OWNERS}`, ["TG2041"]],
  [`uplinks: ["eth0"], anycast: ["198.18.0.300"], ${OWNERS}`, ["TG2011"]],
  [`uplinks: ["eth0"], anycast: ["224.0.0.1"], ${OWNERS}`, ["TG2037"]],
  [`uplinks: ["eth0"], anycast: ["203.0.113.9"], ${OWNERS}`, ["TG2043"]],
  ['uplinks: ["eth0"], anycast: ["198.18.0.1"], owners: { Acme: ["203.0.113.0/24"] }', ["TG2020"]],
  ['uplinks: ["eth0"], anycast: ["198.18.0.1"], owners: { acme: [] }', ["TG2036"]],
  ['uplinks: ["eth0"], anycast: ["198.18.0.1"], owners: { acme: ["203.0.113.1/24"] }', ["TG2010"]],
  [
    'uplinks: ["eth0"], anycast: ["198.18.0.1"], owners: { a: ["203.0.113.0/24"], b: ["203.0.113.128/25"] }',
    ["TG2042"],
  ],
])("%s", (inside, codes) => {
  const { edge, found } = readEdgeParts(inside);
  expect(found.map((one) => one.code)).toEqual(codes);
  expect(edge).toBeUndefined();
});

const RELEASE = "MCowBQYDK2VwAyEAqcoLbXUi0Ni2MI3T7mSJi7/Yb5pZllSMxdTwTEr1yzE=";
const BRANCH = "MCowBQYDK2VwAyEAKk3ofzwsResBoOswzlBu3l+cNFHGdvd0Ybk9yhOZsUs=";
const NODE = `uplinks: ["eth0"], anycast: ["198.18.0.1"], ${OWNERS}`;

test("the keys of a node as the runtime is told of them", () => {
  const keys = `keys: { release: { key: "${RELEASE}" }, branch: { key: "${BRANCH}", customers: ["acme"] } }`;
  const { edge, found } = readEdgeParts(`${NODE}, ${keys}`);
  expect(found).toEqual([]);
  expect(nodeConfigSchema.parse(edge && nodeConfig(edge)).keys).toEqual({
    release: { key: RELEASE },
    branch: { key: BRANCH, customers: ["acme"] },
  });
});

/** A key file of OpenSSL's or OpenSSH's, or a part of one: what somebody might paste. */
const PEM = (kind: string) => `-----BEGIN ${kind} KEY-----\\n${RELEASE}\\n-----END ${kind} KEY-----`;

test.each([
  ["{}", ["TG2082"]],
  [`{ release: { key: "${RELEASE}", customers: [] } }`, ["TG2082"]],
  [`{ release: { key: "${RELEASE}", customers: ["amce"] } }`, ["TG2083"]],
  [`{ release: { key: "${RELEASE}" }, again: { key: "${RELEASE}" } }`, ["TG2081"]],
  [`{ "a key": { key: "${RELEASE}" } }`, ["TG2020"]],
  ['{ release: { key: "" } }', ["TG2080"]],
  ['{ release: { key: "release.pub" } }', ["TG2080"]],
  [`{ release: { key: "${PEM("PUBLIC")}" } }`, ["TG2080"]],
  [`{ release: { key: "${RELEASE.slice(16)}" } }`, ["TG2080"]],
  [`{ release: { key: "${RELEASE.slice(0, -1)}" } }`, ["TG2080"]],
  [`{ release: { key: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE${RELEASE}" } }`, ["TG2080"]],
  [`{ release: "${RELEASE}" }`, ["TG2053"]],
  [`{ release: { key: "${RELEASE}", customer: "acme" } }`, ["TG2051"]],
])("keys: %s", (keys, codes) => {
  const { edge, found } = readEdgeParts(`${NODE}, keys: ${keys}`);
  expect(found.map((one) => one.code)).toEqual(codes);
  expect(edge).toBeUndefined();
});

test.each([PEM("PRIVATE"), "MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])(
  "a private key in edge.ts is no secret any more: %s",
  (key) => {
    const { found } = readEdgeParts(`${NODE}, keys: { release: { key: "${key}" } }`);
    expect(found).toMatchObject([
      { code: "TG2080", hint: "a private key that was written here is no secret any more: make a new one" },
    ]);
  },
);
