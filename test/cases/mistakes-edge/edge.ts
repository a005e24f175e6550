/** An operator's file: each address has one owner, and tunnels an address to come from. */
import { edge } from "tidegate";

export default edge({
  uplinks: ["eth0", "eth0", "a/very/long name"],
  anycast: ["203.0.113.9", "198.18.0.1", "2001:db8:ffff::1"],
  owners: {
    acme: ["203.0.113.0/24"],
    globex: ["203.0.113.128/25", "::/0"],
    Initech: [],
  },
  severs: [],
});
