import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import type { Effort } from "../options.js";
import { type Flow, type FlowRule, matcherOf, verdictOf } from "../rulesets/flow-rule.js";
import { packetOf, traceOf } from "../rulesets/trace.js";
import { median } from "../statistics.js";

/** Nanoseconds of one packet through the receive path and a ruleset. */
export interface NftRow {
  readonly subject: string;
  readonly packet: number;
  /** What the ruleset adds to an empty chain. */
  readonly added: number;
  /** Seconds to load it. */
  readonly load: number;
  /** Packets that it decides otherwise than the first rule that matches; null: it is not meant to know the rules. */
  readonly wrong: number | null;
}

/** A ruleset to measure, and how it gets into the namespace of a process. */
export interface NftContender {
  readonly name: string;
  readonly load: (probe: Probe) => Promise<void>;
  /** Whether it should decide as the rules do. */
  readonly decides: boolean;
}

export function ofText(name: string, text: string, decides = true): NftContender {
  return {
    name,
    decides,
    load: async (probe) => {
      await probe.nftLoad(text);
    },
  };
}

/** Slow rulesets meet fewer packets: as many as take about so long. */
const ROUND_NS = 300_000_000;
const FEWEST = 200;
/** Slow rulesets are asked about fewer, too. */
const ANSWERS_NS = 2_000_000_000;

interface Loaded {
  readonly contender: NftContender;
  readonly probe: Probe;
  readonly load: number;
}

/** Measures rulesets side by side, each in a network namespace of its own; the first is what the others are held against. */
export async function measureNft(
  rules: readonly FlowRule[],
  contenders: readonly NftContender[],
  { tracePackets, answers, rounds }: Effort,
  complain: (problem: string) => void,
): Promise<readonly NftRow[]> {
  const trace = traceOf(rules, { packets: tracePackets, seed: 3 });
  const packets = trace.map(packetOf);
  const loaded: Loaded[] = [];
  try {
    for (const contender of contenders) loaded.push(...(await load(contender, complain)));
    const times = await timesOf(loaded, packets, rounds);
    const rows: NftRow[] = [];
    for (const [index, { contender, probe, load: seconds }] of loaded.entries()) {
      const packet = times[index] ?? Number.NaN;
      const asked = trace.slice(0, Math.min(answers, Math.ceil(ANSWERS_NS / packet)));
      const wrong = contender.decides ? await mistakes(probe, rules, asked) : null;
      rows.push({ subject: contender.name, packet, added: packet - (times[0] ?? 0), load: seconds, wrong });
    }
    return rows;
  } finally {
    for (const { probe } of loaded) await probe.close();
  }
}

/** Nothing where the kernel or a program of others does not take it. */
async function load(
  contender: NftContender,
  complain: (problem: string) => void,
): Promise<readonly Loaded[]> {
  const probe = await Probe.start();
  try {
    await probe.nftOpen();
    const started = performance.now();
    await contender.load(probe);
    return [{ contender, probe, load: (performance.now() - started) / 1000 }];
  } catch (error) {
    await probe.close();
    complain(`${contender.name}: ${error instanceof Error ? error.message : error}`);
    return [];
  }
}

async function timesOf(
  loaded: readonly Loaded[],
  packets: readonly Uint8Array[],
  rounds: number,
): Promise<readonly number[]> {
  const batches: (readonly Uint8Array[])[] = [];
  for (const { probe } of loaded) {
    const few = packets.slice(0, FEWEST);
    const estimate = (await probe.nftTime(few)) / few.length;
    batches.push(packets.slice(0, Math.max(FEWEST, Math.floor(ROUND_NS / estimate))));
  }
  const times = loaded.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { probe }] of loaded.entries()) {
      const batch = batches[index] ?? [];
      times[index]?.push((await probe.nftTime(batch)) / batch.length);
    }
  }
  return times.map(median);
}

async function mistakes(probe: Probe, rules: readonly FlowRule[], flows: readonly Flow[]): Promise<number> {
  const verdicts = await probe.nftRun(flows.map(packetOf));
  const match = matcherOf(rules);
  return flows.filter((flow, index) => {
    const rule = match(flow);
    const expected = rule >= 0 && verdictOf(rule) === "drop" ? NFT_VERDICT.dropped : NFT_VERDICT.survived;
    return verdicts[index] !== expected;
  }).length;
}
