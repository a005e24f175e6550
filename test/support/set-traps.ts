import { TRAPS } from "../traps/traps.js";
import { type Pinned, pinned } from "./pinned-packets.js";

/** The traps that are set in a stage, each in a policy of its own. */
export function trapsIn(stage: "mitigate" | "firewall"): readonly (Pinned & { readonly name: string })[] {
  return TRAPS.filter(({ stages = ["mitigate", "firewall"] }) => stages.includes(stage)).map(
    ({ name, rules, packets, stateful = false }) => {
      const of = (which: string) => (which === stage ? rules : "");
      const firewall = `firewall: { default: "allow", stateful: ${stateful}, rules: [${of("firewall")}] }`;
      return { name, ...pinned(`mitigate: [${of("mitigate")}], ${firewall}`, packets) };
    },
  );
}
