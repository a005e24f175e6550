import { PROTOCOLS } from "../../src/compiler/ir/fields.js";
import { fullFrameOf } from "../frames.js";
import { Random } from "../rulesets/random.js";

/** A customer whose packets are encapsulated, and packets that its firewall allows. */

export type Sending = "xdp" | "namespace";

export const NETWORK = "203.0.113.0/24";
/** Of the tunnel, the end that is the customer's router. */
export const REMOTE = "198.51.100.1";

export function forwardingPolicy(datapath: Sending): string {
  return `import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "bench",
  prefixes: ["${NETWORK}"],
  mitigate: [drop("bogons", expr\`ip.src in {10.0.0.0/8 172.16.0.0/12 192.168.0.0/16}\`)],
  datapath: "${datapath}",
  firewall: {
    default: "drop",
    rules: [
      drop("telnet", expr\`tcp.dstport == 23\`),
      allow("web", expr\`tcp.dstport in {80 443}\`),
      allow("quic", expr\`udp.dstport == 443\`),
    ],
  },
  tunnels: { near: gre({ remote: "${REMOTE}" }) },
  routes: [{ prefix: "${NETWORK}", tunnel: "near" }],
});
`;
}

/** Frames to every host of the network from hosts that are no bogons; as long as FRAME_BYTES, and nothing but the packet. */
export function allowedFrames(count: number): readonly Uint8Array[] {
  const random = new Random(SEED);
  return Array.from({ length: count }, () =>
    fullFrameOf({
      source: random.between(...SOURCES),
      destination: random.between(...HOSTS),
      sourcePort: random.between(1024, 0xffff),
      destinationPort: 443,
      protocol: PROTOCOLS.udp,
    }),
  );
}

const SEED = 20_262;
/** 11.0.0.0 to 126.255.255.255, and 203.0.113.1 to 203.0.113.254. */
const SOURCES = [0x0b000000, 0x7effffff] as const;
const HOSTS = [0xcb007101, 0xcb0071fe] as const;
