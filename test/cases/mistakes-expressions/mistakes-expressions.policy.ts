import { allow, drop, expr, policy } from "tidegate";

const strict = true;
const office = { prefix: "198.51.100.7/24", ports: [[80], 443] };

export default policy({
  customer: "mistakes",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("habits", expr`ip.src = 192.0.2.1 AND tcp.dstport in {80, 443} | tcp.dstprot == 8080`),
    drop("values", expr`tcp.dstport == 80 or 443 and ip.proto == tcp or ip.src == 10.0.0.0/8 or ip.src == 10.0.0.256`),
    drop("sets", expr`ip.src not in {10.0.0.0/8} or tcp.dstport in {80-90 90..80} or ip.src in $partners`),
    drop("functions", expr`bit_slise(tcp, 0, 8) == 1 or payload.u8 == 2 or lower(ip.proto) == "tcp"`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("texts", expr`ip.proto == 'tcp' or ip.proto == \"udp\" or ip.proto == "ic\mp" or ip.proto == "gre`),
      allow("interpolations", expr`tcp.flags.syn == ${strict} or ip.src in {${office.prefix}} or tcp.dstport in ${office.ports}`),
      allow("brackets", expr`(tcp.flags.syn and (tcp.flags.ack or tcp.dstport in [80 443]) and`),
    ],
  },
});
