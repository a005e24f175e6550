/** Tunnels run over IPv4, so there must be an address of IPv4 that they come from. */
import { edge } from "tidegate";

export default edge({
  uplinks: [],
  anycast: ["2001:db8:ffff::1"],
  owners: { acme: ["203.0.113.0/24"] },
});
