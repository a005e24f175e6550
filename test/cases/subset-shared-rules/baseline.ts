import { drop, expr, limit } from "tidegate";

export const fromBogons = expr`ip.src in {10.0.0.0/8 172.16.0.0/12 192.168.0.0/16}`;

export const baseline = [
  drop("bogons", expr`${fromBogons} and ip.proto == "tcp"`),
  limit("pings", expr`icmp.type == 8`, { rate: "50/s", per: "ip.src" }),
];
