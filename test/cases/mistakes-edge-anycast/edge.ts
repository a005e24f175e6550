/** A tunnel needs an address that it comes from. */
import { edge } from "tidegate";

export default edge({
  uplinks: [],
  anycast: [],
  owners: { acme: ["203.0.113.0/24"] },
});
