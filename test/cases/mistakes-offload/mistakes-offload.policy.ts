/** `offload` has two values, and belongs to the firewall; `datapath` has three, and does not. */
import { policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  offload: "auto",
  datapath: "xpd",
  firewall: { default: "drop", rules: [], offload: "of", datapath: "auto" },
});
