import type { Journey } from "../lab.js";
import { ATTACKER } from "../topology.js";
import { shoot } from "./single.js";

export const deniedPort: Journey = {
  title: "A denied port",
  about: "Acme allows FTP and nothing else; ssh meets the firewall's default",
  travel: async (lab) => [
    await shoot(lab, { packet: `tcp ${ATTACKER.v4}:40000 > 203.0.113.100:22 flags=S` }),
    await shoot(lab, { packet: `tcp ${ATTACKER.v4}:40000 > 203.0.113.7:21 flags=S` }),
    await shoot(lab, { packet: `tcp ${ATTACKER.v4}:40000 > 203.0.113.100:21 flags=A` }),
  ],
};
