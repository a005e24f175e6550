import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Probe } from "../runtime/probe-client.js";
import type { AddressList } from "./lists.js";
import { iptablesChain } from "./nft/rulesets.js";
import type { NftContender } from "./nft/section.js";
import type { FlowRule } from "./rulesets/flow-rule.js";
import type { Contender } from "./xdp/section.js";
import type { Subject, XdpWorkbench } from "./xdp/workbench.js";

/** Programs of others that are measured beside ours where they are installed: `npm run bench -- --peers` installs them. */

const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

export function isInstalled(tool: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${tool}`], { env: { PATH } }).status === 0;
}

/** iptables with its own matching, and as Debian has it today, over nf_tables. */
export const IPTABLES = ["iptables-legacy", "iptables-nft"] as const;

/** The rules in iptables, one below the other; nothing where it is not installed. */
export function iptables(
  tool: (typeof IPTABLES)[number],
  rules: readonly FlowRule[],
): readonly NftContender[] {
  if (!isInstalled(`${tool}-restore`)) return [];
  const text = iptablesChain(rules);
  return [{ name: tool, decides: true, load: (probe) => restore(tool, text, probe) }];
}

/** Inside the probe's network namespace, where its packets come in. */
async function restore(tool: string, text: string, probe: Probe): Promise<void> {
  const args = [`--net=/proc/${probe.pid}/ns/net`, `${tool}-restore`];
  const { status, stderr } = spawnSync("nsenter", args, { input: text, env: { PATH }, encoding: "utf8" });
  if (status !== 0)
    throw new Error(`${tool}-restore: ${stderr.trim().split("\n")[0] ?? `exit code ${status}`}`);
}

/** Its maps hold so many addresses, and no prefixes. */
const XDP_FILTER_MOST = 10_000;
const XDP_FILTER_OBJECT = "bpf/xdpfilt_alw_ip.o";

/** xdp-filter (xdp-tools), told to drop what comes from the addresses. Nothing where it is not installed or cannot. */
export function xdpFilter({ prefixes }: AddressList): readonly Contender[] {
  const object = libraries().find((path) => existsSync(path));
  const fits = prefixes.length <= XDP_FILTER_MOST && prefixes.every(({ length }) => length === 32);
  if (object === undefined || !fits || !isInstalled("bpftool")) return [];
  const addresses = prefixes.map(({ base }) => base);
  return [{ name: "xdp-filter", load: (bench) => loadXdpFilter(bench, object, addresses) }];
}

/** Debian's folders of libraries have the machine's name in them. */
function libraries(): readonly string[] {
  return readdirSync("/usr/lib").map((folder) => join("/usr/lib", folder, XDP_FILTER_OBJECT));
}

/** MAP_FLAG_SRC of xdp-filter: the address counts as a packet's source. */
const AS_SOURCE = "01 00 00 00 00 00 00 00";

/** Its map is one of each CPU's own values, which bpftool sets alike for all of them. */
async function loadXdpFilter(
  bench: XdpWorkbench,
  object: string,
  addresses: readonly number[],
): Promise<Subject> {
  const subject = await bench.loadObject("xdp-filter", "xdpfilt_alw_ip", object);
  const map = `${subject.pins[0]}/map_filter_ipv4`;
  const commands = addresses.map((address) => {
    const key = [24, 16, 8, 0].map((shift) => ((address >>> shift) & 0xff).toString(16)).join(" ");
    return `map update pinned ${map} key hex ${key} value hex ${AS_SOURCE}\n`;
  });
  const options = { input: commands.join(""), env: { PATH }, encoding: "utf8" } as const;
  const { status, stderr } = spawnSync("bpftool", ["batch", "file", "-"], options);
  if (status !== 0) throw new Error(`bpftool: ${stderr.trim()}`);
  return subject;
}
