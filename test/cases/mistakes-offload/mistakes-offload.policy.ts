/** `offload` has two values, and belongs to the firewall. */
import { policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  offload: "auto",
  firewall: { default: "drop", rules: [], offload: "of" },
});
