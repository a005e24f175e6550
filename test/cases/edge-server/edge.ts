/** An operator's file: the devices, the address that tunnels come from, and who owns which prefix. */
import { edge } from "tidegate";
import owners from "./owners.json" with { type: "json" };

const uplinks = [0, 1].map((port) => `enp1s0f${port}`);

export default edge({
  uplinks,
  anycast: ["198.18.0.1", "2001:db8:ffff::1"],
  owners: { ...owners, globex: ["198.51.100.0/25"] },
});
