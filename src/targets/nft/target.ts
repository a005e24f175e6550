import type { Target } from "../target.js";
import { check } from "./check.js";
import { emit } from "./emit.js";

/** The firewall, in nf_tables, in the customer's own network namespace. */
export const nft: Target = { name: "nft", check, emit };
