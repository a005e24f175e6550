import { expect, test } from "vitest";
import type { CustomerStatus } from "../../runtime/status.js";
import { renderStatus } from "../../src/cli/render/status.js";

const NODE = {
  anycast: ["198.18.0.1"],
  uplinks: [{ device: "up0", xdp: "native" }],
  slow: null,
  gre: "ebpf",
  drift: [],
  root: {},
  greLeftAlone: {},
} as const;

const ACME: CustomerStatus = {
  name: "acme",
  generation: 3,
  hash: "0123456789abcdef",
  since: "2025-11-22T12:00:00.000Z",
  release: null,
  prefixes: ["203.0.113.0/24"],
  drift: [],
  counters: { mitigate: {}, firewall: {}, other: {} },
  datapath: "namespace",
  tunnels: [],
  blackholes: [],
  ownAddresses: [],
};

test.each([
  ["that is not signed says nothing of it", null, /^acme {2}generation 3 0123456789ab since 2025-.*0\/24$/],
  [
    "says its serial and who signed it",
    { serial: 7, signedBy: ["next", "old"] },
    /^ {2}release {3}serial 7, signed by next, old$/,
  ],
  [
    "says that no signer is trusted any more",
    { serial: 7, signedBy: [] },
    /serial 7, signed by nobody whom this node trusts$/,
  ],
])("a customer %s", (_name, release, last) => {
  const lines = renderStatus({ node: NODE, customers: [{ ...ACME, release }] }).split("\n");
  expect(lines.at(-1)).toMatch(last);
});

test("a customer whose packets XDP sends on says how many", () => {
  const counted = { packets: 3, bytes: 300 };
  const traffic = { sent: { packets: 5, bytes: 500 }, received: counted, dropped: { packets: 0, bytes: 0 } };
  const about = {
    name: "chicago",
    remote: "198.51.100.1",
    device: "gre-chicago",
    driver: "ebpf",
    state: "UP",
  } as const;
  const tunnels = [
    {
      ...{ ...about, ...traffic, fromXdp: counted, returnedByXdp: { packets: 2, bytes: 200 } },
      ...{ health: null, slow: null },
    },
  ];
  const text = renderStatus({ node: NODE, customers: [{ ...ACME, datapath: "xdp", tunnels }] });
  expect(text).toMatch(
    /^ {2}datapath {2}xdp: 3 packets sent from there, 2 on their way back, the others by the namespace$/m,
  );
  const both = tunnels.flatMap((one) => [one, { ...one, name: "dallas", slow: "its router is dead" }]);
  expect(renderStatus({ node: NODE, customers: [{ ...ACME, datapath: "xdp", tunnels: both }] })).toMatch(
    /, the others by the namespace, as all for dallas \(its router is dead\)$/m,
  );
  const slow = { ...NODE, slow: "up0 has generic XDP" };
  expect(renderStatus({ node: slow, customers: [{ ...ACME, datapath: "xdp", tunnels }] })).toMatch(
    /^ {2}datapath {2}xdp asked for; by the namespace here: up0 has generic XDP$/m,
  );
});

test("a prefix without a live tunnel is said to be a black hole, since when, and how it ends", () => {
  const [prefix, since] = ["203.0.113.0/24", "2025-11-22T12:34:56.000Z"];
  const blackholes = [
    { prefix, since, tunnels: ["chicago", "dallas"] },
    { prefix: "2001:db8:a::/48", since, tunnels: ["chicago"] },
  ];
  const none = { packets: 0, bytes: 0 };
  const idle = { sent: none, received: none, dropped: none, fromXdp: none, returnedByXdp: none };
  const about = {
    remote: "198.51.100.1",
    device: "gre-1",
    driver: "ebpf",
    state: "UP",
    slow: null,
    ...idle,
  } as const;
  const probes = { sent: 3, lost: 3, lastAnswer: null, rtt: null, trouble: null };
  const tunnels = [
    { ...about, name: "chicago", health: { life: "dead", since, probes: null } },
    { ...about, name: "dallas", health: { life: "dead", since, probes } },
  ] as const;
  const lines = renderStatus({ node: NODE, customers: [{ ...ACME, tunnels, blackholes }] }).split("\n");
  expect(lines.slice(-2)).toEqual([
    `  route     ${prefix}: black hole since ${since}, its packets are dropped until one of chicago, dallas lives again`,
    `  route     2001:db8:a::/48: black hole since ${since}, its packets are dropped until chicago lives again, but nobody asks`,
  ]);
});

test("an address of the server's own in a prefix is said", () => {
  const ownAddresses = [{ address: "203.0.113.9", device: "up0", prefix: "203.0.113.0/24" }];
  expect(renderStatus({ node: NODE, customers: [{ ...ACME, ownAddresses }] })).toMatch(
    /^ {2}address {3}203\.0\.113\.9 in 203\.0\.113\.0\/24 is an address of this server's up0: what comes for the server there is taken for the customer's$/m,
  );
});
