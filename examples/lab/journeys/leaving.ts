import { portrait, removeCustomers } from "../edges.js";
import { EDGES, type Journey, type Lab, type Row } from "../lab.js";

/** The last one: nothing can be sent through the edges after it. */
export const leaving: Journey = {
  title: "Tidegate leaves",
  about: "`tidegate remove` takes all of it away: each edge is as it was found",
  travel: (lab) => Promise.all(EDGES.map((edge) => leave(lab, edge, lab.found.get(edge) ?? new Map()))),
};

async function leave(lab: Lab, edge: string, before: ReadonlyMap<string, string>): Promise<Row> {
  const host = lab.world.host(edge);
  await removeCustomers(
    host,
    lab.policies.map(({ customer }) => customer),
  );
  const after = await portrait(host);
  const changed = [...after]
    .filter(([command, text]) => before.get(command) !== text)
    .map(([command]) => command);
  return {
    packet: `links, addresses, routes, rules, nft, qdiscs, namespaces, mounts and sysctls of ${edge}`,
    verdict: "as it was found",
    reference: "as it was found",
    kernel: changed.length === 0 ? `the same, by ${after.size} commands` : `different: ${changed.join("; ")}`,
    counters: "—",
    agrees: changed.length === 0 && before.size === after.size,
  };
}
