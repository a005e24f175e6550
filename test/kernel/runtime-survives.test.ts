import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Limit, Rule } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, FTP, NODE } from "../support/acme-edge.js";
import { address, number, rule } from "../support/ir.js";

/** What a change of policy leaves as it is: counters by rule name, and what limits remember. */

let edge: AcmeEdge;

beforeAll(async () => {
  edge = await AcmeEdge.start();
});

afterAll(() => edge?.server.end());

/** Two packets an hour and source. */
const TWICE: Limit = {
  rate: { count: 1, unit: "h" },
  burst: 2n,
  interval: 3_600_000_000_000n,
  per: "ip.src",
};

const twice = (limit: Limit = TWICE) => rule("twice", { kind: "limit", limit }, number("udp.dstport", 9));

interface Stages {
  readonly mitigate: readonly Rule[];
  readonly firewall: readonly Rule[];
}

function apply(name: string, { mitigate, firewall }: Stages): Promise<unknown> {
  const rules = { default: "drop", rules: firewall, stateful: false, offload: "off" } as const;
  return edge.server.apply(edge.bundle(name, acme({ mitigate, firewall: rules })), NODE);
}

const send = (times: number) => {
  for (let i = 0; i < times; i++) edge.sendUdp("client", "192.0.2.7", FTP);
};

type Counted = Readonly<Record<string, { readonly packets: number }>>;

async function counted(stage: "mitigate" | "firewall"): Promise<Readonly<Record<string, number>>> {
  const counters: Counted = (await edge.server.status()).customers[0].counters[stage];
  return Object.fromEntries(Object.entries(counters).map(([name, { packets }]) => [name, packets]));
}

const other = rule("other", "drop", address("ip.src", "10.0.0.0/8"));
const count = rule("seen", { kind: "count" }, number("udp.dstport", 9));

describe.each(["mitigate", "firewall"] as const)("in %s", (stage) => {
  const stages = (...rules: readonly Rule[]): Stages => ({ mitigate: [], firewall: [], [stage]: rules });

  test("counters and used-up allowances survive a change of other rules", async () => {
    await apply("one", stages(count, twice()));
    send(2);
    expect(await counted(stage)).toEqual({ seen: 2, twice: 0, default: 2 });
    await apply("two", stages(other, count, twice()));
    send(1);
    expect(await counted(stage)).toEqual({ other: 0, seen: 3, twice: 1, default: 2 });
    await apply("three", stages(twice(), count));
    send(1);
    expect(await counted(stage)).toEqual({ twice: 2, seen: 3, default: 2 });
  });

  test("a limit whose terms change begins anew, and a rule that comes back counts from nothing", async () => {
    await apply("four", stages(twice({ ...TWICE, burst: 3n })));
    send(1);
    expect(await counted(stage)).toEqual({ twice: 2, default: 3 });
    await apply("five", stages(count));
    expect(await counted(stage)).toEqual({ seen: 0, default: 3 });
    await edge.server.remove("acme");
  });
});

test("what comes past the root program is judged by nobody, and counted", async () => {
  await apply("past", { mitigate: [], firewall: [rule("all", "allow", number("udp.dstport", 9))] });
  edge.server.ip([
    "netns add side",
    "link add up2 type veth peer name eth0 netns side",
    "addr add 192.0.3.254/24 dev up2",
    "link set up2 up",
  ]);
  edge.server.ip(
    ["addr add 192.0.3.7/24 dev eth0", "link set eth0 up", "route add default via 192.0.3.254"],
    "side",
  );
  edge.sendUdp("side", "192.0.3.7", FTP);
  const { counters } = (await edge.server.status()).customers[0];
  expect(counters.other["unknown-generation"].packets).toBe(1);
  expect(counters.firewall.all.packets).toBe(0);
  send(1);
  expect((await counted("firewall"))["all"]).toBe(1);
});
