import { EDGES } from "./lab.js";
import { ANYCAST, addressOf } from "./topology.js";
import type { World } from "./world.js";

/**
 * Until the returned function is called, the core gives each packet to the anycast address to the next edge: a worse Internet
 * than any, whose routers keep at least the packets of one flow together (RFC 2991, section 2).
 */
export async function takeTurns(world: World): Promise<() => Promise<void>> {
  const core = world.host("core");
  const ways = EDGES.map((edge, index) => ({ edge, mark: index + 1, address: addressOf(edge) }));
  await core.ip(
    ways.flatMap(({ edge, mark, address }) => [
      `route add ${ANYCAST}/32 via ${address} dev ${edge} onlink table ${mark}`,
      `rule add fwmark ${mark} lookup ${mark}`,
    ]),
  );
  const turn = `ip daddr ${ANYCAST} meta mark set numgen inc mod ${EDGES.length} offset 1`;
  const chain = "type filter hook prerouting priority mangle;";
  await core.run(["nft", `table ip turns { chain prerouting { ${chain} ${turn}; }; }`]);
  return async () => {
    await core.run(["nft", "delete table ip turns"]);
    await core.ip(ways.flatMap(({ mark }) => [`rule del fwmark ${mark}`, `route flush table ${mark}`]));
  };
}
