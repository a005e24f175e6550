import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import { rulesOf } from "../../compiler/ir/policy.js";
import { decode } from "../../compiler/semantics/decode.js";
import { evaluate, type Trace } from "../../compiler/semantics/evaluate.js";
import { summarize } from "../../compiler/semantics/packet-summary.js";
import { newState } from "../../compiler/semantics/state.js";
import { EXIT, UsageError } from "../exit.js";
import { openCapture } from "../io/open-capture.js";
import { readSource } from "../io/read-source.js";
import { type LoadedPolicy, loadPolicy } from "../load-policy.js";
import { type Link, readHex, readPacket, readPackets, type WrittenPacket } from "../packets.js";
import { renderJourney } from "../render/journey.js";
import { sourcesOf } from "../render/sources.js";
import { traceJson } from "../render/trace-json.js";
import { explainCapture } from "./explain-capture.js";

interface ExplainOptions {
  readonly packet?: string;
  readonly packets?: string;
  readonly hex?: string;
  readonly link?: Link;
  readonly pcap?: string;
  readonly each?: boolean;
  readonly rule?: string;
  readonly verdict?: string;
  readonly json?: boolean;
  readonly geo?: string;
}

/** Of the packets of a file, those that are printed. */
export type Wanted = (verdict: string, trace: Trace | null) => boolean;

/** `tidegate explain`: judges packets with the reference. Limits remember the packets before, in their order. */
export async function explain(file: string, options: ExplainOptions): Promise<number> {
  const { pcap, link, hex, each, json } = options;
  const sources = [options.packet, options.packets, hex, pcap].filter((source) => source !== undefined);
  if (sources.length !== 1)
    throw new UsageError("explain needs one of --packet TEXT, --packets FILE, --hex BYTES and --pcap FILE");
  if (link !== undefined && hex === undefined) throw new UsageError("--link says what --hex starts with");
  if (each && pcap === undefined) throw new UsageError("--each is for --pcap: all others print each packet");
  // What was written is looked at first: its mistakes are found without reading a policy.
  const written = pcap === undefined ? writtenPackets(options) : [];
  const input = pcap === undefined ? undefined : openCapture(pcap);
  const loaded = loadPolicy(file, options);
  if (!loaded) return EXIT.failed;
  const wanted = wantedBy(options, loaded);
  if (pcap === undefined || !input) return explainWritten(loaded, written, wanted, json === true);
  const printEach = each === true || options.rule !== undefined || options.verdict !== undefined;
  return explainCapture(loaded, pcap, input, { json: json === true, each: printEach ? wanted : null });
}

function writtenPackets({ packet, packets, hex, link }: ExplainOptions): readonly WrittenPacket[] {
  if (packet !== undefined) return [readPacket(packet, 0n)];
  if (packets !== undefined) return readPackets(packets, readSource(packets));
  return hex === undefined ? [] : [readHex(hex, link)];
}

function wantedBy({ rule, verdict }: ExplainOptions, { policy }: LoadedPolicy): Wanted {
  const rules = rulesOf(policy).map(({ name }) => name);
  if (rule !== undefined && !rules.includes(rule)) {
    const hint = didYouMean(rule, rules);
    throw new UsageError(`the policy has no rule \`${rule}\`${hint === undefined ? "" : `: ${hint}`}`);
  }
  return (judged, trace) =>
    (verdict === undefined || judged === verdict) &&
    (rule === undefined ||
      trace?.steps.some((step) => step.rule.name === rule && step.outcome !== "miss") === true);
}

function explainWritten(
  { policy, sources }: LoadedPolicy,
  packets: readonly WrittenPacket[],
  wanted: Wanted,
  json: boolean,
): number {
  const state = newState();
  const texts = sourcesOf(sources.values());
  for (const packet of packets) {
    const trace = evaluate(policy, packet.bytes, state, packet.at, packet.surroundings, packet.family);
    if (!wanted(trace.verdict, trace)) continue;
    console.log(
      json
        ? JSON.stringify(traceJson(policy, packet.text, trace))
        : `${renderJourney(policy, texts, heading(packet), trace)}\n`,
    );
  }
  return EXIT.ok;
}

/** Bytes say little to people. */
function heading({ text, bytes, family, surroundings }: WrittenPacket): string {
  if (!text.startsWith("hex=")) return text;
  const decoded = decode(bytes, family, surroundings);
  return decoded.kind === "packet" ? summarize(decoded.packet) : text;
}
