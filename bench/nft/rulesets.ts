import { formatAddress, formatPrefix } from "../../src/compiler/ir/address.js";
import { type FlowPrefix, type FlowRule, isAnyPort, type Span, verdictOf } from "../rulesets/flow-rule.js";

/** The same rules as people write them without a compiler, for nft and for iptables. */

const HEAD = "table inet tidegate\ndelete table inet tidegate\n";
const HOOK = "type filter hook prerouting priority filter; policy accept;";

/** A base chain without a rule: what a packet costs anyway. */
export const EMPTY_CHAIN = `${HEAD}table inet tidegate {\n\tchain prerouting {\n\t\t${HOOK}\n\t}\n}\n`;

/** One rule below the other. */
export function linearChain(rules: readonly FlowRule[]): string {
  const lines = rules.map((rule, index) => `\t\t${nftMatch(rule)} ${nftVerdict(index)}\n`).join("");
  return `${HEAD}table inet tidegate {\n\tchain prerouting {\n\t\t${HOOK}\n${lines}\t}\n}\n`;
}

/** One lookup of the source address among as many as there are rules: it decides less than they do. */
export function plainSet(rules: readonly FlowRule[]): string {
  const addresses = [...new Set(rules.map(({ source }, index) => text((source.base + index) % 2 ** 32)))];
  const set = `\tset sources {\n\t\ttype ipv4_addr\n\t\telements = { ${addresses.join(", ")} }\n\t}\n`;
  return `${HEAD}table inet tidegate {\n${set}\tchain prerouting {\n\t\t${HOOK}\n\t\tip saddr @sources drop\n\t}\n}\n`;
}

function nftVerdict(index: number): string {
  return verdictOf(index) === "drop" ? "drop" : "accept";
}

function nftMatch({ source, destination, sourcePorts, destinationPorts, protocol }: FlowRule): string {
  const asksPorts = !isAnyPort(sourcePorts) || !isAnyPort(destinationPorts);
  const parts = [
    ...(source.length > 0 ? [`ip saddr ${prefixText(source)}`] : []),
    ...(destination.length > 0 ? [`ip daddr ${prefixText(destination)}`] : []),
    ...(protocol === null ? [] : [`meta l4proto ${protocol}`]),
    ...(asksPorts && protocol === null ? ["meta l4proto { 6, 17 }"] : []),
    ...(isAnyPort(sourcePorts) ? [] : [`th sport ${ports(sourcePorts, "-")}`]),
    ...(isAnyPort(destinationPorts) ? [] : [`th dport ${ports(destinationPorts, "-")}`]),
  ];
  return parts.length > 0 ? parts.join(" ") : "meta nfproto ipv4";
}

/** What `iptables-restore` takes: the same rules before routing, where ours stand. */
export function iptablesChain(rules: readonly FlowRule[]): string {
  const lines = rules.flatMap((rule, index) =>
    iptablesRules(rule, verdictOf(index) === "drop" ? "DROP" : "ACCEPT"),
  );
  return `*raw\n:PREROUTING ACCEPT [0:0]\n${lines.join("\n")}\nCOMMIT\n`;
}

/** iptables knows ports of one protocol at a time. */
function iptablesRules(rule: FlowRule, target: string): readonly string[] {
  const { source, destination, sourcePorts, destinationPorts, protocol } = rule;
  const asksPorts = !isAnyPort(sourcePorts) || !isAnyPort(destinationPorts);
  const protocols = protocol === null && asksPorts ? [6, 17] : [protocol];
  return protocols.map((one) =>
    [
      "-A PREROUTING",
      ...(source.length > 0 ? [`-s ${prefixText(source)}`] : []),
      ...(destination.length > 0 ? [`-d ${prefixText(destination)}`] : []),
      ...(one === null ? [] : [`-p ${one}`]),
      ...(isAnyPort(sourcePorts) ? [] : [`--sport ${ports(sourcePorts, ":")}`]),
      ...(isAnyPort(destinationPorts) ? [] : [`--dport ${ports(destinationPorts, ":")}`]),
      `-j ${target}`,
    ].join(" "),
  );
}

function prefixText({ base, length }: FlowPrefix): string {
  return formatPrefix({ family: 4, base: BigInt(base), length });
}

function text(address: number): string {
  return formatAddress({ family: 4, value: BigInt(address) });
}

function ports({ low, high }: Span, between: string): string {
  return low === high ? String(low) : `${low}${between}${high}`;
}
