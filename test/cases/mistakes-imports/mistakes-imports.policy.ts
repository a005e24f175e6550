/** Imports: what is not there, what is outside, and what is no module. */
import { gre, policy } from "tidegate";
import { readFileSync } from "node:fs";
import lodash from "lodash";
import { polcy } from "tidegate";
import * as tidegate from "tidegate";
import { web } from "./lits.js";
import { office } from "./lists.js";
import { servers } from "./servers.json";
import shadow from "../../../../../../../../../etc/passwd";
import yaml from "./lists.yaml";
import * as types from "./types.d.ts";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
