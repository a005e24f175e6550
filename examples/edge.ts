import { edge } from "tidegate";

// The operator's side: what this fleet of edge servers looks like, and who may claim which prefix.
export default edge({
  uplinks: ["uplink0"],
  anycast: ["198.18.0.1"],
  owners: {
    acme: ["203.0.113.0/24"],
    globex: ["198.51.100.128/25", "2001:db8:60b::/48"],
  },
});
