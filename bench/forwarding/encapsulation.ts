import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sentFromXdp } from "../../runtime/customer/fast-path.js";
import { turnRound } from "../../src/cli/verify/uplink.js";
import { impossible } from "../../src/compiler/diagnostics/invariant.js";
import type { Built } from "../bundles.js";
import type { Effort } from "../options.js";
import { median } from "../statistics.js";
import { type Contender, PARSE_AND_DROP } from "../xdp/section.js";
import type { Subject, XdpWorkbench } from "../xdp/workbench.js";
import { allowedFrames, REMOTE, type Sending } from "./policy.js";

/** Nanoseconds that an allowed packet takes in XDP; `over`: what is left without parse-and-drop, of the same rounds. */
export interface EncapsulationRow {
  readonly subject: string;
  /** The median over packets of single test runs, the clock's two readings in them. */
  readonly single: number;
  readonly overSingle: number;
  /** One packet, over and over. */
  readonly hot: number;
  readonly overHot: number;
  /** Packets of which each is another than the one before. */
  readonly varying: number;
  readonly overVarying: number;
  /** Of all that were measured, the share that left encapsulated, as its own counters say; null: it sends none. */
  readonly sent: number | null;
  /** Packets that it does something else with; null: it is not meant to send or pass on any. */
  readonly wrong: number | null;
}

/** What no encapsulation can do without: the other figures are as high or low as this one on the machine. */
export const BY_HAND = "by hand, no policy";
const PASSES_ON = "tidegate, namespace";
/** A packet leaves by the uplink that it came by, as on a server that has but one. */
const ONE_UPLINK = "tidegate, xdp, one uplink";
const TWO_UPLINKS = "tidegate, xdp, two uplinks";
/** The rows that the bar speaks of. */
export const ENCAPSULATES: readonly string[] = [ONE_UPLINK, TWO_UPLINKS];

const PASS = 2;
const TX = 3;
const REDIRECT = 4;

/** A router that is reached by the uplink that packets come in by. */
const BEHIND_THE_SAME = "198.51.100.2";

/** A program and what becomes there of a packet that the firewall allows. */
interface Way extends Contender {
  readonly action: number;
  /** Of an edge server's, with a counter of what its tunnel took. */
  readonly counts: boolean;
}

const byHand: Way = {
  name: BY_HAND,
  action: TX,
  counts: false,
  load: (bench) => bench.loadObject("encapsulate", "encapsulate"),
};

function wayOf(name: string, { folder, manifest }: Built, action: number, remote = REMOTE): Way {
  const object = readFileSync(join(folder, `xdp/${manifest.customer}.bpf.o`));
  const { prefixes, tables, datapath } = manifest;
  const tunnels = datapath === "xdp" ? manifest.tunnels.map((tunnel) => ({ ...tunnel, remote })) : null;
  const read = (file: string) => Promise.resolve(readFileSync(join(folder, file)));
  return {
    name,
    action,
    counts: action !== PASS,
    load: (bench) => bench.loadPolicy(name, { object, prefixes, tables, read, counters: [], tunnels }),
  };
}

/** One customer on both datapaths, beside parse-and-drop and the least that encapsulating takes: with `xdp` the packet leaves encapsulated, else it goes on to the kernel. */
export async function measureEncapsulation(
  bench: XdpWorkbench,
  built: Readonly<Record<Sending, Built>>,
  effort: Effort,
): Promise<readonly EncapsulationRow[]> {
  const frames = allowedFrames(effort.tracePackets);
  const ways = [
    byHand,
    wayOf(PASSES_ON, built.namespace, PASS),
    wayOf(ONE_UPLINK, built.xdp, TX, BEHIND_THE_SAME),
    wayOf(TWO_UPLINKS, built.xdp, REDIRECT),
  ];
  await bench.loadTrace(frames);
  const subjects = [await bench.loadObject("parse-drop", "parse_drop")];
  for (const way of ways) subjects.push(await way.load(bench));
  turnRound(bench.scratch.probe, `${BEHIND_THE_SAME}/32`);
  try {
    const times = await measure(bench, subjects, frames, effort);
    const rows: EncapsulationRow[] = [
      { subject: PARSE_AND_DROP, ...compared(times[0], times[0]), ...NO_EDGE },
    ];
    for (const [index, way] of ways.entries()) {
      const subject = subjects[index + 1] ?? impossible("each way was loaded");
      const sent = way.counts ? await shareSent(bench, subject, effort) : null;
      const wrong = await mistakes(bench, subject, way, frames.slice(0, effort.answers));
      rows.push({ subject: way.name, ...compared(times[index + 1], times[0]), sent, wrong });
    }
    return rows;
  } finally {
    for (const subject of subjects) bench.unload(subject);
  }
}

type Times = Pick<EncapsulationRow, "single" | "hot" | "varying">;

const NO_TIMES: Times = { single: Number.NaN, hot: Number.NaN, varying: Number.NaN };
const NO_EDGE = { sent: null, wrong: null };

async function measure(
  bench: XdpWorkbench,
  subjects: readonly Subject[],
  frames: readonly Uint8Array[],
  { hotPackets, repeat, rounds }: Effort,
): Promise<readonly Times[]> {
  const some = frames.slice(0, hotPackets);
  const single = await bench.hot(subjects, some, "single", { repeat, rounds });
  const feeding = { step: "feed_again", repeat: frames.length, rounds } as const;
  const hot = await bench.fed(subjects, { ...feeding, frames: 1 });
  const varying = await bench.fed(subjects, { ...feeding, frames: frames.length });
  return subjects.map((_, index) => ({
    single: median(single[index] ?? []),
    hot: hot[index] ?? Number.NaN,
    varying: varying[index] ?? Number.NaN,
  }));
}

function compared(
  one: Times = NO_TIMES,
  base: Times = NO_TIMES,
): Omit<EncapsulationRow, "subject" | "sent" | "wrong"> {
  return {
    ...one,
    overSingle: one.single - base.single,
    overHot: one.hot - base.hot,
    overVarying: one.varying - base.varying,
  };
}

/** Nothing is asked of a program before it is measured, so all that it has sent was measured. */
async function shareSent(
  bench: XdpWorkbench,
  { pins: [, customer = ""] }: Subject,
  { hotPackets, repeat, tracePackets, rounds }: Effort,
): Promise<number> {
  const [near] = await sentFromXdp(bench.scratch.loader, customer);
  const measured = rounds * (hotPackets * repeat + 2 * tracePackets);
  return (near?.packets ?? 0) / measured;
}

/** Once a second a packet goes by the namespace, so that the next hop is asked whether it lives: that one is asked about again. */
async function mistakes(
  bench: XdpWorkbench,
  { program }: Subject,
  { action }: Way,
  frames: readonly Uint8Array[],
): Promise<number> {
  const { probe } = bench.scratch;
  const others = async (asked: readonly Uint8Array[]) => {
    const actions = await probe.xdpRun(program, asked);
    return asked.filter((_, index) => actions[index] !== action);
  };
  return (await others(await others(frames))).length;
}
