import { spawnSync } from "node:child_process";
import type { Probe } from "../runtime/probe-client.js";
import { iptablesChain } from "./nft/rulesets.js";
import type { NftContender } from "./nft/section.js";
import type { FlowRule } from "./rulesets/flow-rule.js";

/** Programs of others that are measured beside ours where they are installed: `npm run bench -- --peers` installs them. */

const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

export function isInstalled(tool: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${tool}`], { env: { PATH } }).status === 0;
}

/** iptables with its own matching, and as Debian has it today, over nf_tables. */
export const IPTABLES = ["iptables-legacy", "iptables-nft"] as const;

/** The rules in iptables, one below the other; undefined where it is not installed. */
export function iptables(
  tool: (typeof IPTABLES)[number],
  rules: readonly FlowRule[],
): NftContender | undefined {
  if (!isInstalled(`${tool}-restore`)) return undefined;
  const text = iptablesChain(rules);
  return { name: tool, decides: true, load: (probe) => restore(tool, text, probe) };
}

/** Inside the probe's network namespace, where its packets come in. */
async function restore(tool: string, text: string, probe: Probe): Promise<void> {
  const args = [`--net=/proc/${probe.pid}/ns/net`, `${tool}-restore`];
  const { status, stderr } = spawnSync("nsenter", args, { input: text, env: { PATH }, encoding: "utf8" });
  if (status !== 0)
    throw new Error(`${tool}-restore: ${stderr.trim().split("\n")[0] ?? `exit code ${status}`}`);
}
