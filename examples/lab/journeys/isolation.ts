import { deviceOf } from "../../../src/targets/route/tunnels.js";
import { type Counters, formatCounters } from "../counters.js";
import { type EdgeName, type Journey, type Lab, observe, type Row } from "../lab.js";
import { Capture } from "../packets/capture.js";
import { packetBytes, sameButTtl } from "../packets/packet.js";
import { send } from "../packets/send.js";
import { judgeReturn } from "../reference.js";
import { PEER_MAC, SITE_DEVICE } from "../sites.js";
import { inNamespace } from "../tools.js";
import { CLIENT } from "../topology.js";
import { shoot } from "./single.js";

/** Both ends of every customer's link have the same addresses: each link is a world of its own. */
const LINK = { device: "edge", nodeMac: "02:54:47:00:00:01", customerAddress: "169.254.84.2" } as const;

/** A reset is not answered: an answer would be judged by Acme's policy and move its counters. */
const TO_WEB = "tcp 203.0.113.100:40000 > 198.51.100.130:443 flags=R";

export const isolation: Journey = {
  title: "Acme and Globex apart",
  about: "what leaves Acme's tunnel for Globex is judged by Globex's policy; there is no other way across",
  travel: async (lab) => [
    await shoot(lab, {
      packet: "tcp 203.0.113.100:40000 > 198.51.100.130:22 flags=S",
      from: outOfAcme,
      edge: "edge-2",
    }),
    await shoot(lab, {
      packet: TO_WEB,
      from: outOfAcme,
      edge: "edge-2",
    }),
    await spoofed(lab),
    await neighbour(lab),
    await ownDevicesOnly(lab),
  ],
};

function outOfAcme(lab: Lab, packet: Buffer): Promise<unknown> {
  return send(lab.world.host("acme-ftp"), SITE_DEVICE, PEER_MAC, [packet]);
}

/** A source that is not Acme's must not leave by Acme's tunnel (BCP 38). */
async function spoofed(lab: Lab): Promise<Row> {
  const text = `udp 192.0.2.200:53 > ${CLIENT.v4}:53 payload=01`;
  const packet = packetBytes(text);
  const { moved, arrived } = await observe(lab, ["edge-2"], () => outOfAcme(lab, packet));
  const verdict = judgeReturn(lab.policies, "acme", packet);
  const seen = [...arrived.values()].flat().some((candidate) => sameButTtl(candidate, packet));
  const counters = ofReturn(moved["edge-2"]);
  return {
    packet: `${text}, out of Acme's tunnel`,
    verdict,
    reference: `${verdict} · the way back`,
    kernel: seen ? "arrived at the client" : "arrived nowhere",
    counters: `edge-2: ${formatCounters(counters)}`,
    // At least once: the kernel's own multicast listener reports on the tunnel's device count as spoofed, too.
    agrees: verdict === "spoofed" && !seen && (counters.get("acme return-spoofed") ?? 0) >= 1,
  };
}

function ofReturn(counters: Counters): Counters {
  return new Map([...counters].filter(([name]) => name.includes(" return-")));
}

/** From inside Acme's namespace, a packet to the address that Globex's end of a link has. */
async function neighbour(lab: Lab): Promise<Row> {
  const edge = lab.world.host("edge-1");
  const text = `udp 203.0.113.100:9 > ${LINK.customerAddress}:9 payload=6f766572`;
  const packet = packetBytes(text);
  const capture = await Capture.start(edge, LINK.device, "ip or ip6", "tg-globex");
  const { moved } = await observe(lab, ["edge-1"], () =>
    send(edge, LINK.device, LINK.nodeMac, [packet], { namespace: "tg-acme" }),
  );
  await capture.stop();
  const crossed = capture.packets.some((seen) => sameButTtl(seen, packet));
  const globex = [...moved["edge-1"].keys()].filter((name) => name.startsWith("globex "));
  return {
    packet: `${text}, from namespace tg-acme`,
    verdict: "apart",
    reference: "must not reach tg-globex",
    kernel: crossed ? "arrived in tg-globex" : "not seen in tg-globex",
    counters: globex.length === 0 ? "edge-1: none of Globex's" : `edge-1: ${globex.join(", ")}`,
    agrees: !crossed && globex.length === 0,
  };
}

/** No device, route or neighbour in one customer's namespace belongs to another. */
async function ownDevicesOnly(lab: Lab): Promise<Row> {
  const found = await Promise.all(
    (["edge-1", "edge-2"] as const).flatMap((edge) =>
      lab.policies.map(async (policy) => {
        const { customer, tunnels } = policy;
        const devices = tunnels.map(({ name }) => deviceOf(policy, name));
        const expected = ["lo", LINK.device, ...devices].sort();
        const actual = await devicesOf(lab, edge, `tg-${customer}`);
        return {
          where: `tg-${customer}`,
          actual,
          strange: actual.filter((name) => !expected.includes(name)),
        };
      }),
    ),
  );
  const strangers = found.flatMap(({ strange }) => strange);
  return {
    packet: "devices, routes and neighbours of both namespaces, on both edges",
    verdict: "apart",
    reference: "each namespace: its own link and tunnel",
    kernel: strangers.length === 0 ? "only their own" : `foreign: ${strangers.join(", ")}`,
    counters: "—",
    agrees: strangers.length === 0 && found.every(({ actual }) => actual.includes(LINK.device)),
  };
}

/** Every device that a namespace has, or that one of its routes or neighbours names. */
async function devicesOf(lab: Lab, edge: EdgeName, namespace: string): Promise<readonly string[]> {
  const questions = [
    ["link", "show"],
    ["-4", "route", "show", "table", "all"],
    ["-6", "route", "show", "table", "all"],
    ["neigh", "show"],
  ];
  const answers = await Promise.all(
    questions.map(async (question) => {
      const text = await lab.world.host(edge).run(inNamespace(namespace, ["ip", "-j", ...question]));
      const rows = JSON.parse(text || "[]") as readonly { readonly ifname?: string; readonly dev?: string }[];
      return rows.flatMap(({ ifname, dev }) => [ifname, dev].filter((name) => name !== undefined));
    }),
  );
  return [...new Set(answers.flat())].sort();
}
