import { error, message } from "../entry.js";

/** TG4xxx: a target cannot express what the policy asks for. */
export const TARGETS = {
  TG4050: error(
    message`rule \`${"rule"}\` needs more than ${"limit"} lines of nftables`,
    `nftables has no "or" inside a rule, so each way to match becomes a line of its own. An \`and\` of several
alternatives ((a or b) and (c or d) and …) multiplies them, and so does \`xor\`.
Write alternatives of one field as a set (tcp.dstport in {80 443}), keep addresses in a list, or split the rule:
the first of two rules with the same action says the same as their \`or\`.`,
  ),
};
