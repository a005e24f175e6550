import type { Journey } from "../lab.js";
import { ATTACKER, BYSTANDER } from "../topology.js";
import { shoot } from "./single.js";

export const bystander: Journey = {
  title: "A packet for nobody's prefix",
  about:
    "edge-1 routes for others, too; their packets stay in the main table, whatever a policy would say of them",
  travel: async (lab) => [
    await shoot(lab, {
      packet: `udp ${ATTACKER.v4}:5000 > ${BYSTANDER}:9 payload=666f72656967`,
      home: "bystander",
    }),
    await shoot(lab, { packet: `udp 10.1.2.3:53 > ${BYSTANDER}:53`, home: "bystander" }),
  ],
};
