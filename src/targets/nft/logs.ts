import type { Rule } from "../../compiler/ir/policy.js";
import type { Text } from "../text.js";
import { logChain, plain, ruleCounter } from "./names.js";

export interface LogRule {
  readonly rule: Rule;
  readonly customer: string;
  readonly sample: number;
}

/**
 * The NFLOG group of all customers: "TG" as a number, as in the routing table's. The kernel's own log would not do: it
 * keeps silent about other network namespaces (net.netfilter.nf_log_all_netns), and anyone's packets can flood it.
 */
const LOG_GROUP = 0x5447;

/**
 * Counts every packet and logs the first of each `sample`: in turn and not by chance, so that a single packet is seen. The
 * prefix, at most 76 characters, fits into NF_LOG_PREFIXLEN (128).
 */
export function emitLogChain(text: Text, { rule, customer, sample }: LogRule): void {
  const turn = sample === 1 ? "" : `numgen inc mod ${sample} 0 `;
  const prefix = `tidegate ${plain(customer)} ${plain(rule.name)}: `;
  text.line();
  text.block(`chain ${logChain(rule.name)} {`, () => {
    text.line(`counter name ${ruleCounter(rule.name)}`);
    text.line(`${turn}log prefix "${prefix}" group ${LOG_GROUP} comment "${rule.name}"`);
  });
}
