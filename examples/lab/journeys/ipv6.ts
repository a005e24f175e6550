import type { Journey } from "../lab.js";
import { ATTACKER } from "../topology.js";
import { shoot } from "./single.js";

const WEB = "2001:db8:60b::80";

export const ipv6: Journey = {
  title: "IPv6 for Globex",
  about: "the same path, the same tunnel: IPv6 inside GRE over IPv4",
  travel: async (lab) => [
    await shoot(lab, { packet: `tcp [${ATTACKER.v6}]:40000 > [${WEB}]:443 flags=S` }),
    await shoot(lab, { packet: `tcp [${ATTACKER.v6}]:40000 > [${WEB}]:22 flags=S` }),
    await shoot(lab, { packet: `tcp [2001:db8:bad::1]:40000 > [${WEB}]:443 flags=S` }),
  ],
};
