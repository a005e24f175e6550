import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { Scratch } from "../../src/cli/verify/scratch.js";
import { loadCustomer, loadRoot, type XdpProgram } from "../../src/cli/verify/xdp-program.js";
import { flowKey, frameOf } from "../frames.js";
import type { Flow } from "../rulesets/flow-rule.js";
import { median, medians } from "../statistics.js";

/** A program that is measured, loaded and pinned. */
export interface Subject {
  readonly name: string;
  /** Pinned path of the program that a packet enters. */
  readonly program: string;
  /** Pinned folders of it and of what belongs to it. */
  readonly pins: readonly string[];
}

export interface Repetition {
  /** How often each packet is run in a round. */
  readonly repeat: number;
  readonly rounds: number;
}

/** How programs meet the frames of a trace, in the loop of one test run. */
export interface Feeding {
  /** The first step, of bench/bpf/feed.bpf.c: `feed_again` for programs that put headers before a packet. */
  readonly step: "feed" | "feed_again";
  /** So many of the trace's frames, over and over. */
  readonly frames: number;
  /** Frames in a round. */
  readonly repeat: number;
  readonly rounds: number;
}

const DROP = 1;
const OBJECTS = join(packageRoot(), "dist/bench");

/** Loads XDP programs side by side and measures them by BPF test runs, in turn, so that noise meets all of them. */
export class XdpWorkbench {
  readonly scratch: Scratch;
  #loadings = 0;
  /** The trace's first frame, once it is loaded. */
  #first: Uint8Array | undefined;

  private constructor(scratch: Scratch) {
    this.scratch = scratch;
  }

  static async start(): Promise<XdpWorkbench> {
    const bench = new XdpWorkbench(await Scratch.start());
    const object = join(OBJECTS, "feed.bpf.o");
    await bench.scratch.loader.loadObject({ object, pinDir: bench.#feed, reuse: {} });
    return bench;
  }

  close(): Promise<void> {
    return this.scratch.close();
  }

  /** One of bench/bpf, or another object with the program `entry`. */
  async loadObject(name: string, entry: string, object = join(OBJECTS, `${name}.bpf.o`)): Promise<Subject> {
    const pins = this.#folder();
    await this.scratch.loader.loadObject({ object, pinDir: pins, reuse: {} });
    return { name, program: join(pins, `prog_${entry}`), pins: [pins] };
  }

  /** A customer's program behind a root program of its own: all that a packet meets on an edge server. */
  async loadPolicy(name: string, program: XdpProgram): Promise<Subject> {
    const [root, customer] = [this.#folder(), this.#folder()];
    await loadRoot(this.scratch.loader, root, program.prefixes);
    if (program.tunnels) await this.scratch.openUplink(root);
    await loadCustomer(this.scratch.loader, { root, customer }, program);
    return { name, program: join(root, "prog_tidegate_root"), pins: [root, customer] };
  }

  /**
   * Seconds to put data in the place of those that a customer's program looks packets up in, as an edge server does it:
   * a map of their own is filled, and takes the place in one step.
   */
  async replaceData({ pins: [, customer] }: Subject, data: Uint8Array): Promise<number> {
    const { loader } = this.scratch;
    const made = `${customer}/map_data_${this.#loadings++}`;
    const started = performance.now();
    await loader.mapLike(`${customer}/map_data`, made);
    await loader.updateMap(made, [{ key: word(0), value: data }]);
    await loader.setMap(`${customer}/map_data_slot`, 0, made);
    return (performance.now() - started) / 1000;
  }

  unload(subject: Subject): void {
    for (const folder of subject.pins) rmSync(folder, { recursive: true, force: true });
  }

  /** Fills the hash map of the subject `hash` with the flows. */
  async fillHash(subject: Subject, flows: readonly Flow[]): Promise<void> {
    const entries = flows.map((flow) => ({ key: flowKey(flow), value: Uint8Array.of(1, 0, 0, 0) }));
    const pin = `${subject.pins[0]}/map_flows`;
    for (let at = 0; at < entries.length; at += PIECE) {
      await this.scratch.loader.updateMap(pin, entries.slice(at, at + PIECE));
    }
  }

  /** Whether the program drops each flow's packet. */
  async drops(subject: Subject, flows: readonly Flow[]): Promise<readonly boolean[]> {
    const actions = await this.scratch.probe.xdpRun(subject.program, flows.map(frameOf));
    return Array.from(actions, (action) => action === DROP);
  }

  /**
   * Nanoseconds of each packet with warm caches: of single test runs, or in the loop of one, which leaves next to nothing
   * but the program. One subject after the other, `rounds` times: medians of those.
   */
  async hot(
    subjects: readonly Subject[],
    frames: readonly Uint8Array[],
    how: "single" | "loop",
    { repeat, rounds }: Repetition,
  ): Promise<readonly (readonly number[])[]> {
    const { probe } = this.scratch;
    const times = subjects.map((): Uint32Array[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [index, { program }] of subjects.entries()) {
        const measured =
          how === "single"
            ? await probe.xdpTime(program, frames, repeat)
            : await probe.xdpTimeLoop(program, frames, repeat);
        times[index]?.push(measured);
      }
    }
    return times.map(medians);
  }

  /** Puts the trace where the first step of `fed` takes its packets from. */
  async loadTrace(frames: readonly Uint8Array[]): Promise<void> {
    await fillTrace(this.scratch.loader, this.#feed, frames);
    this.#first = frames[0];
  }

  /** The mean over packets of the trace, each another than the one before. Of each subject, the median of the rounds. */
  async fed(
    subjects: readonly Subject[],
    { step, frames, repeat, rounds }: Feeding,
  ): Promise<readonly number[]> {
    if (!this.#first) throw new Error("loadTrace comes first");
    const times = subjects.map((): number[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [index, { program }] of subjects.entries()) {
        await this.#startFeeding(program, frames);
        const [time = Number.NaN] = await this.scratch.probe.xdpTimeLoop(
          `${this.#feed}/prog_${step}`,
          [this.#first],
          repeat,
        );
        times[index]?.push(time);
      }
    }
    return times.map(median);
  }

  async #startFeeding(program: string, count: number): Promise<void> {
    const { loader } = this.scratch;
    await loader.setProgram(`${this.#feed}/map_onward`, 0, program);
    await rewind(loader, this.#feed, count);
  }

  get #feed(): string {
    return join(this.scratch.pins, "feed");
  }

  #folder(): string {
    return join(this.scratch.pins, `bench-${this.#loadings++}`);
  }
}

/** Fills the map of bench/bpf/trace.h that a program has in this folder of pins, and starts with the first of the frames. */
export async function fillTrace(loader: Loader, pins: string, frames: readonly Uint8Array[]): Promise<void> {
  for (let at = 0; at < frames.length; at += PIECE) {
    const entries = frames.slice(at, at + PIECE).map((value, index) => ({ key: word(at + index), value }));
    await loader.updateMap(`${pins}/map_trace`, entries);
  }
  await rewind(loader, pins, frames.length);
}

/** The first `count` frames come in turn. */
async function rewind(loader: Loader, pins: string, count: number): Promise<void> {
  const value = Buffer.concat([word(0), word(count)]);
  await loader.updateMap(`${pins}/map_position`, [{ key: word(0), value }]);
}

/** Entries of one request: together a few megabytes. */
const PIECE = 20_000;

function word(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
