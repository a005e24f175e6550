import pc from "picocolors";
import type { PolicyDiff, Region, Told } from "../diff/differing.js";
import { printable } from "./underline.js";

/** More regions than anybody reads; `--json` has all. */
export const MOST_REGIONS = 40;

/** What two policies treat differently, for people. */
export function renderDifference({ equal, change, regions, notes, open }: PolicyDiff): string {
  const shown = regions.slice(0, MOST_REGIONS);
  const left = regions.length - shown.length;
  return [
    ...shown.flatMap((region) => [renderRegion(region), ""]),
    ...(left > 0 ? [`and ${count(left, "smaller region")}: --json shows all`, ""] : []),
    ...open.map((packets) => `${pc.yellow("not compared")}, as it takes too long: ${packets}`),
    ...notes.map(({ text }) => `also: ${printable(text)}`),
    equal ? "every packet is treated alike" : summary(change, regions),
  ].join("\n");
}

const SUMMARIES = {
  none: "no packet changes its verdict",
  other: "no packet is allowed that was not, and none is refused that was allowed",
  widened: "packets are allowed that were not",
  narrowed: "packets are no longer allowed",
  both: "packets are allowed that were not, and others are no longer allowed",
} as const satisfies Record<PolicyDiff["change"], string>;

function summary(change: PolicyDiff["change"], regions: readonly Region[]): string {
  return `${count(regions.length, "region")} of packets: ${SUMMARIES[change]}`;
}

function renderRegion({ before, after, packets, isExact, witness, share, change }: Region): string {
  const color = change === "widened" ? pc.green : change === "narrowed" ? pc.red : pc.cyan;
  return [
    `${color(toldText(before))} ${pc.bold("→")} ${color(toldText(after))}  ${pc.dim(shareText(share))}`,
    `  ${isExact ? "" : "some of "}${packets}`,
    ...(witness === null ? [] : [`  such as ${witness}`]),
  ].join("\n");
}

/** `drop by bogons`, `allow by default, within the limit syn-flood`. */
function toldText({ verdict, stage, rule, held, limits }: Told): string {
  const within = limits.length === 0 ? "" : `, within ${limits.join(" and ")}`;
  if (verdict === "foreign") return "left alone: to no prefix of the policy";
  if (held) return `held for the rest of its datagram${within}`;
  if (stage === "route") return `drop: no route${within}`;
  return `${verdict} by ${rule ?? "default"}${within}`;
}

/** Small parts as what they are one of. */
function shareText(share: number): string {
  if (share >= 0.01) return `${(100 * share).toFixed(share > 0.995 ? 1 : 0)} % of all packets`;
  if (share <= 0) return "";
  const one = 1 / share;
  const digits = one.toPrecision(2);
  return `1 of ${one < 1e6 ? Math.round(Number(digits)) : Number(digits).toExponential().replace("e+", "e")} packets`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
