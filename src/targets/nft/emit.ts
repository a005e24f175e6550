import { type Address, formatAddress } from "../../compiler/ir/address.js";
import {
  type Policy,
  PROBE_LENGTH,
  PROBE_MAGIC,
  privateTargets,
  type Rule,
} from "../../compiler/ir/policy.js";
import { EDGE_LINK } from "../names.js";
import type { Artifact } from "../target.js";
import { Text } from "../text.js";
import { MEASURED, type Tuning } from "./classifier/tuning.js";
import { emitLimitChain, emitLimitSets, type LimitRule } from "./limits.js";
import { emitLogChain, type LogRule } from "./logs.js";
import {
  DEFAULT_COUNTER,
  FOREIGN_COUNTER,
  PASSED_COUNTER,
  plain,
  prefixSet,
  ruleCounter,
  SPOOFED_COUNTER,
} from "./names.js";
import { emitRuleChain, fileName } from "./rules.js";
import { emitSegmentSizes } from "./segments.js";
import { emitSet, listSets, prefixSets } from "./sets.js";
import { emitStage } from "./stage.js";
import { emitRejection } from "./verdicts.js";

/** `nft/<customer>.nft`: the firewall, for `nft -f` in the customer's namespace; replaces the table in one transaction. */
export function emit(policy: Policy, tuning: Tuning = MEASURED): readonly Artifact[] {
  const text = new Text();
  const customer = plain(policy.customer);
  text.line(`# The firewall of customer "${customer}", compiled from ${fileName(policy.span.file)}.`);
  // `delete` fails on a table that is not there, so it is made first; all of the file is one transaction.
  text.line("table inet tidegate").line("delete table inet tidegate").line();
  text.block("table inet tidegate {", () => emitTable(text, policy, tuning));
  return [{ path: `nft/${customer}.nft`, text: text.toString() }];
}

function emitTable(text: Text, policy: Policy, tuning: Tuning): void {
  const { rules, stateful } = policy.firewall;
  const limits = rules.flatMap(limitRule);

  emitCounters(text, policy);
  for (const set of [...prefixSets(policy), ...listSets(policy)]) emitSet(text, set);
  for (const limit of limits) emitLimitSets(text, limit);
  emitDispatch(text, policy);
  const whole = emitStage(text, policy, "whole", tuning);
  const fragments = stateful ? [] : emitStage(text, policy, "laterFragment", tuning);
  for (const rule of [...whole, ...fragments]) emitRuleChain(text, rule);
  for (const limit of limits) emitLimitChain(text, limit);
  for (const log of rules.flatMap((rule) => logRule(rule, policy))) emitLogChain(text, log);
  emitRejection(text, policy);
  emitWayBack(text, policy);
  emitSegmentSizes(text, policy);
}

function limitRule(rule: Rule): readonly LimitRule[] {
  return rule.action.kind === "limit" ? [{ rule, limit: rule.action.limit }] : [];
}

function logRule(rule: Rule, { customer }: Policy): readonly LogRule[] {
  return rule.action.kind === "log" ? [{ rule, customer, sample: rule.action.sample }] : [];
}

function emitCounters(text: Text, policy: Policy): void {
  const names = [
    ...policy.firewall.rules.map(({ name }) => ruleCounter(name)),
    DEFAULT_COUNTER,
    FOREIGN_COUNTER,
    PASSED_COUNTER,
    SPOOFED_COUNTER,
  ];
  for (const name of names) text.block(`counter ${name} {`, () => {});
}

/**
 * What comes out of a tunnel may only speak for the customer's own addresses (BCP 38), and answer what the edge asked. It is
 * judged as it comes, each fragment by itself: put together, those of somebody else's datagram could look like an answer.
 */
function emitWayBack(text: Text, policy: Policy): void {
  text.line();
  text.block("chain way-back {", () => {
    if (policy.firewall.stateful) {
      text.line(`type filter hook prerouting priority ${RAW_BEFORE_DEFRAG}; policy accept;`);
      text.line(`iifname "${EDGE_LINK}" accept`);
    }
    for (const target of privateTargets(policy.tunnels)) text.line(`${answerFrom(target)} accept`);
    text.line(`ip saddr @${prefixSet(4)} counter name ${PASSED_COUNTER} accept`);
    text.line(`ip6 saddr @${prefixSet(6)} counter name ${PASSED_COUNTER} accept`);
    text.line(`counter name ${SPOOFED_COUNTER} drop`);
  });
}

/** What an answer brings back of the probe stands behind ICMP's 8 bytes. */
const PROBE = `@th,64,64 0x${Buffer.from(PROBE_MAGIC).toString("hex")}`;

/** As isProbeAnswer in the reference: of a probe's length, whole, without options or extension headers. */
const ANSWER = {
  4: `ip hdrlength 5 ip length ${20 + PROBE_LENGTH} ip frag-off & 0x3fff == 0 icmp type echo-reply ${PROBE}`,
  6: `ip6 nexthdr icmpv6 ip6 length ${PROBE_LENGTH} icmpv6 type echo-reply ${PROBE}`,
} as const;

function answerFrom(target: Address): string {
  const ip = target.family === 4 ? "ip" : "ip6";
  return `${ip} saddr ${formatAddress(target)} ${ANSWER[target.family]} counter name ${PASSED_COUNTER}`;
}

const SEND_LATER_FRAGMENTS = [
  "ip frag-off & 0x1fff != 0 goto later-fragments",
  "frag frag-off != 0 goto later-fragments",
];

/** NF_IP_PRI_RAW_BEFORE_DEFRAG in linux/netfilter_ipv4.h, and the same for IPv6; nft has no word for it. */
const RAW_BEFORE_DEFRAG = -450;

/** Reassembly lets a fragment pass as it is whose length is no multiple of 8 (nf_ct_frag6_gather at -EPROTO). */
const DROP_FRAGMENTS = ["ip frag-off & 0x3fff != 0 drop", "exthdr frag exists drop"];

/**
 * Before routing, so that a packet has its verdict and its count before routing can lose it. Later fragments are told
 * apart first: nft's fast path for loads of up to 4 bytes ignores the fragment offset (nft_payload_fast_eval), so
 * `tcp dport` would read payload bytes there, or in IPv6 what the sender likes.
 *
 * A look at `ct` anywhere in the namespace has the kernel put datagrams together (-400) and track connections (-200), from
 * some moments before its transaction until some after (nft_ct_get_init). A stateful firewall stands behind both, a
 * stateless one before them: so that sees packets as they are, whatever else goes on. There the way back is judged for either.
 */
function emitDispatch(text: Text, { firewall }: Policy): void {
  text.line();
  text.block("chain prerouting {", () => {
    const priority = firewall.stateful ? "filter" : RAW_BEFORE_DEFRAG;
    text.line(`type filter hook prerouting priority ${priority}; policy drop;`);
    if (firewall.stateful) text.line('ct state invalid comment "no verdict: turns connection tracking on"');
    text.line(`iifname != "${EDGE_LINK}" ${firewall.stateful ? "accept" : "goto way-back"}`);
    text.line(`ip daddr != @${prefixSet(4)} counter name ${FOREIGN_COUNTER} drop`);
    text.line(`ip6 daddr != @${prefixSet(6)} counter name ${FOREIGN_COUNTER} drop`);
    text.lines(firewall.stateful ? DROP_FRAGMENTS : SEND_LATER_FRAGMENTS);
    text.line("goto firewall");
  });
}
