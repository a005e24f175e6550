import type { Journey } from "../lab.js";
import { shoot } from "./single.js";

export const bogon: Journey = {
  title: "A bogon source",
  about: "private sources are dropped in XDP, before Linux has made a packet of them",
  travel: async (lab) => [
    await shoot(lab, { packet: "udp 10.1.2.3:53 > 203.0.113.9:53" }),
    await shoot(lab, { packet: "tcp 192.168.1.1:40000 > 203.0.113.100:21 flags=S" }),
  ],
};
