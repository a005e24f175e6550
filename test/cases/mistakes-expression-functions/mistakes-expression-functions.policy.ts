/** Functions of the packet: which there are, and what they take. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("none", expr`len(tcp) == 20`),
      allow("typing-error", expr`bitslice(tcp, 0, 8) == 1`),
      allow("no-arguments", expr`bit_slice == 1`),
      allow("few", expr`bit_slice(tcp, 0) == 1`),
      allow("protocol", expr`bit_slice(sctp, 0, 8) == 1`),
      allow("wide", expr`bit_slice(udp, 64, 128) == 1`),
      allow("far", expr`bit_slice(ip, 2048, 2056) == 1`),
      allow("backwards", expr`bit_slice(ip, 16, 8) == 1`),
      allow("payload", expr`payload.u8(300) == 0 or payload.u64(0) == 0`),
      allow("too-large", expr`payload.u8(0) == 256`),
      allow("field", expr`tcp.dstport(80)`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
