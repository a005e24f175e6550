import type { Target } from "../target.js";
import { check } from "./check.js";
import { emit } from "./emit.js";

/** DoS mitigation in XDP: the customer's program, entered by tail call from bpf-templates/root.bpf.c. */
export const xdp: Target = { name: "xdp", check, emit };
