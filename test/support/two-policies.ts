import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import { packageRoot } from "../../runtime/native-process.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { type AcmeEdge, acme, CHICAGO, FTP, FTP6, NODE } from "./acme-edge.js";
import { number, or, rule } from "./ir.js";
import { PATIENCE } from "./patience.js";

/**
 * Two policies that disagree on every class of packets: on the verdict, on the stage that drops, or on the tunnel. What comes
 * out of the tunnels shows by which one each packet was judged.
 */

/** Classes of packets, by destination port. */
export const CLASS = {
  onlyA: 2001,
  onlyB: 2002,
  both: 2003,
  /** Forbidden by both: A drops it in XDP and B in the firewall. */
  earlyInA: 2004,
  /** And the other way round: a mixture of both lets one of the two through. */
  earlyInB: 2005,
} as const;
export type Class = keyof typeof CLASS;

const ports = (...classes: readonly Class[]) => {
  const all = classes.map((name) => CLASS[name]);
  return or(number("udp.dstport", ...all), number("tcp.dstport", ...all));
};

export const TUNNELS = [
  { ...CHICAGO, key: 7 },
  { ...CHICAGO, name: "dallas", key: 9 },
];

function policyOf(tunnel: string, early: readonly Class[], late: readonly Class[], stateful = false): Policy {
  return acme({
    mitigate: [rule("early", "drop", ports(...early))],
    firewall: {
      default: "drop",
      rules: [
        rule("late", "drop", ports(...late)),
        rule("rest", "allow", ports("onlyA", "onlyB", "both", "earlyInA", "earlyInB")),
      ],
      stateful,
      offload: "off",
    },
    tunnels: TUNNELS,
    routes: acme().routes.map((route) => ({ ...route, tunnel })),
  });
}

export const A = () => policyOf("chicago", ["earlyInA"], ["onlyB", "earlyInB"]);
export const B = (stateful: boolean) => policyOf("dallas", ["earlyInB", "onlyA"], ["earlyInA"], stateful);

const PACKETS = Object.values(CLASS).flatMap((port) =>
  [
    `udp 192.0.2.7:4000 > ${FTP}:${port} payload=00`,
    `udp [2001:db8:1::7]:4000 > [${FTP6}]:${port} payload=00`,
  ].map(packetBytes),
);

/** Counts what comes out of each tunnel: outer IPv4, GRE with a key, and the port of the inner UDP. */
export function counting(): string {
  const keys = { chicago: 7, dallas: 9 };
  const portAt = { "0x0800": 8 * (20 + 8 + 20 + 2), "0x86dd": 8 * (20 + 8 + 40 + 2) };
  const names = Object.keys(keys).flatMap((tunnel) => Object.keys(CLASS).map((name) => `${tunnel}-${name}`));
  const chains = Object.keys(keys).map((tunnel) => {
    const rules = Object.entries(portAt).flatMap(([protocol, at]) =>
      Object.entries(CLASS).map(
        ([name, port]) => `@nh,176,16 ${protocol} @nh,${at},16 ${port} counter name ${tunnel}-${name} drop`,
      ),
    );
    return `chain ${tunnel} {\n${rules.join("\n")}\n}`;
  });
  const verdicts = Object.entries(keys).map(
    ([tunnel, key]) => `ip protocol 47 @nh,192,32 ${key} goto ${tunnel}`,
  );
  return `table ip arrived {
${names.map((name) => `counter ${name} {}`).join("\n")}
${chains.join("\n")}
chain entry {
type filter hook prerouting priority -300
${verdicts.join("\n")}
}
}
`;
}

/** Of all classes and both families. */
export const PACKETS_OF_A_ROUND = PACKETS.length;

export type Arrived = Readonly<Record<"chicago" | "dallas", Readonly<Record<Class, number>>>>;

export function arrived(edge: AcmeEdge): Arrived {
  const json = edge.server.run(["nft", "-j", "reset", "counters", "table", "ip", "arrived"], {
    namespace: "router",
  });
  const { nftables } = JSON.parse(json) as {
    readonly nftables: readonly { readonly counter?: { readonly name: string; readonly packets: number } }[];
  };
  const counted = new Map(
    nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets]] : [])),
  );
  const of = (tunnel: string) =>
    Object.fromEntries(Object.keys(CLASS).map((name) => [name, counted.get(`${tunnel}-${name}`) ?? 0]));
  return { chicago: of("chicago"), dallas: of("dallas") } as Arrived;
}

/** A packet of each class and family, as `wire` reads them. */
export function frames(): Buffer {
  return Buffer.concat(PACKETS.flatMap((packet) => [u32(packet.length), packet]));
}

/** Sends packets of all classes in turn, `rate` a second, until `work` is done; gives how many of each, and what `work` gave. */
export async function during<T>(
  edge: AcmeEdge,
  rate: number,
  work: () => Promise<T>,
): Promise<{ readonly sent: number; readonly result: T }> {
  const [{ address: mac = "" } = {}] = JSON.parse(edge.server.run(["ip", "-j", "link", "show", "up0"])) as [
    { address?: string },
  ];
  const wire = join(packageRoot(), "dist/examples/lab/wire");
  let done = false;
  const result = work().finally(() => {
    done = true;
  });
  let rounds = 0;
  const input = frames();
  const pace = Math.ceil(rate / PATIENCE);
  while (!done) {
    const count = PACKETS.length * Math.ceil(pace / PACKETS.length / 4);
    const [command, ...args] = edge.server.enter([wire, "eth0", mac, `${count}`, `${pace}`], "client");
    const child = promisify(execFile)(command, args);
    child.child.stdin?.end(input);
    await child;
    rounds += count / PACKETS.length;
  }
  return { sent: 2 * rounds, result: await result };
}

/** Applies the bundles in turn, in one process; gives the time of each in milliseconds. */
export async function flip(
  edge: AcmeEdge,
  bundles: readonly string[],
  times: number,
): Promise<readonly number[]> {
  const script = `
    const { apply } = await import(${JSON.stringify(join(packageRoot(), "dist/runtime/apply.js"))});
    const bundles = ${JSON.stringify(bundles)}, times = [];
    for (let i = 0; i < ${times}; i++) {
      const start = performance.now();
      await apply({ bundle: bundles[i % bundles.length], node: ${JSON.stringify(NODE)} });
      times.push(Math.round(performance.now() - start));
    }
    console.log(JSON.stringify(times));`;
  const [command, ...args] = edge.server.enter(["node", "--input-type=module", "-e", script]);
  const { stdout } = await promisify(execFile)(command, args);
  return JSON.parse(stdout);
}

function u32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}
