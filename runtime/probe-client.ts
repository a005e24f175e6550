import { join } from "node:path";
import { NativeError, NativeProcess, packageRoot, type StartOptions } from "./native-process.js";

/** A probe operation failed. */
export class ProbeError extends NativeError {}

export interface TimedFrame {
  readonly frame: Uint8Array;
  /** What the program's clock shows, in nanoseconds. */
  readonly now: bigint;
}

/** What a program did with a frame, and how it left it. */
export interface LeftFrame {
  readonly action: number;
  readonly frame: Buffer;
}

export interface Counter {
  readonly packets: number;
  readonly bytes: number;
}

/** What became of a packet at nft's hooks. */
export const NFT_VERDICT = { unreached: 0, dropped: 1, survived: 2 } as const;

/** Large enough that a request's fixed cost vanishes, far below the limit of a frame. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** Runs packets through the real kernel: XDP by test run, nft in a scratch network namespace of the process. */
export class Probe {
  readonly #process: NativeProcess;

  private constructor(process: NativeProcess) {
    this.#process = process;
  }

  static async start(options: StartOptions = {}): Promise<Probe> {
    const command = options.command ?? [join(packageRoot(), "dist/runtime/probe/tidegate-probe")];
    return new Probe(await NativeProcess.start(command, ProbeError));
  }

  /** Its process id: by it others find its network namespace. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Ends the process; its namespace and devices go with it. */
  close(): Promise<void> {
    return this.#process.close();
  }

  /** Runs Ethernet frames (≥ 14 bytes) once each through a pinned XDP program; resolves to the XDP actions. */
  async xdpRun(program: string, frames: readonly Uint8Array[]): Promise<Uint32Array> {
    const batches = pack(frames);
    const answers = await Promise.all(batches.map((batch) => this.#process.call("xdp.run", program, batch)));
    return words(answers, frames.length);
  }

  /**
   * Runs each frame `repeat` times through a pinned XDP program, a test run each time; resolves to the median time of each in
   * nanoseconds. Reading the clock twice, some 25 ns, is in it.
   */
  xdpTime(program: string, frames: readonly Uint8Array[], repeat: number): Promise<Uint32Array> {
    return this.#timed("xdp.time", program, frames, repeat);
  }

  /**
   * Runs each frame `repeat` times in the loop of one test run; resolves to the mean time of each in whole nanoseconds.
   * Next to nothing but the program is in it.
   */
  xdpTimeLoop(program: string, frames: readonly Uint8Array[], repeat: number): Promise<Uint32Array> {
    return this.#timed("xdp.time-loop", program, frames, repeat);
  }

  async #timed(
    operation: "xdp.time" | "xdp.time-loop",
    program: string,
    frames: readonly Uint8Array[],
    repeat: number,
  ): Promise<Uint32Array> {
    const answers: (readonly Buffer[])[] = [];
    for (const batch of pack(frames)) {
      answers.push(await this.#process.call(operation, program, String(repeat), batch));
    }
    return words(answers, frames.length);
  }

  /**
   * Runs a pinned XDP program on `count` copies of a frame in the process's network namespace, and does with each what it answers;
   * resolves to nanoseconds a frame, in which is what the frames meet behind, as far as it runs on the same CPU. Linux 5.18.
   */
  async xdpFlood(program: string, frame: Uint8Array, count: number): Promise<number> {
    const [nanoseconds] = await this.#process.call("xdp.flood", program, String(count), frame);
    return Number(nanoseconds);
  }

  /** Sets the `test_clock` map (one u64) that a program built with TG_TEST_CLOCK reads. */
  async setClock(map: string, ns: bigint): Promise<void> {
    await this.#process.call("clock.set", map, String(ns));
  }

  /** Like `xdpRun`, and sets the clock before each frame. */
  async xdpRunTimed(program: string, clock: string, frames: readonly TimedFrame[]): Promise<Uint32Array> {
    const batches = pack(
      frames.map(({ frame }) => frame),
      frames.map(({ now }) => now),
    );
    const answers = await Promise.all(
      batches.map((batch) => this.#process.call("xdp.run-timed", program, clock, batch)),
    );
    return words(answers, frames.length);
  }

  /** Like `xdpRunTimed`, and resolves to the frames as the program left them, too. */
  async xdpRunFrames(
    program: string,
    clock: string,
    frames: readonly TimedFrame[],
  ): Promise<readonly LeftFrame[]> {
    const batches = pack(
      frames.map(({ frame }) => frame),
      frames.map(({ now }) => now),
    );
    const answers = await Promise.all(
      batches.map((batch) => this.#process.call("xdp.run-frames", program, clock, batch)),
    );
    return framesOf("xdp.run-frames", answers, frames.length);
  }

  /**
   * Like `xdpRun`, and resolves to the frames as the program left them, too. Before each frame the program forgets: of each value
   * in the array `map`, on each CPU, the bytes before `keptFrom` are zeros.
   */
  async xdpRunFresh(
    program: string,
    { map, keptFrom }: { readonly map: string; readonly keptFrom: number },
    frames: readonly Uint8Array[],
  ): Promise<readonly LeftFrame[]> {
    const call = (batch: Buffer) =>
      this.#process.call("xdp.run-fresh", program, map, String(keptFrom), batch);
    return framesOf("xdp.run-fresh", await Promise.all(pack(frames).map(call)), frames.length);
  }

  /** Moves the process into a fresh network namespace with the devices and hooks that `nftRun` needs. Once. */
  async nftOpen(): Promise<void> {
    await this.#process.call("nft.open", join(packageRoot(), "dist/runtime/probe/hooks.bpf.o"));
  }

  /** Runs nft commands in the probe's namespace; resolves to nft's output. */
  async nftLoad(text: string): Promise<string> {
    const [output] = await this.#process.call("nft.load", text);
    return String(output);
  }

  /** The named counters of table `inet tidegate`. */
  async nftCounters(): Promise<ReadonlyMap<string, Counter>> {
    const [output] = await this.#process.call("nft.counters");
    const listing = JSON.parse(String(output)) as { nftables: { counter?: { name: string } & Counter }[] };
    return new Map(
      listing.nftables.flatMap(({ counter }) =>
        counter ? [[counter.name, { packets: counter.packets, bytes: counter.bytes }]] : [],
      ),
    );
  }

  /** Lets IP packets come in on device `edge`, one after the other; resolves to an NFT_VERDICT for each. */
  async nftRun(packets: readonly Uint8Array[]): Promise<Uint8Array> {
    const batches = pack(packets);
    const answers = await Promise.all(batches.map((batch) => this.#process.call("nft.run", batch)));
    const verdicts = Buffer.concat(answers.flat());
    if (verdicts.length !== packets.length) throw new ProbeError("nft.run", "verdicts are missing");
    return verdicts;
  }

  /** Like `nftRun`, but resolves to the nanoseconds that the packets took, all together. */
  async nftTime(packets: readonly Uint8Array[]): Promise<number> {
    let total = 0;
    for (const batch of pack(packets)) {
      const [nanoseconds] = await this.#process.call("nft.time", batch);
      total += Number(nanoseconds);
    }
    return total;
  }
}

/** Joins frames to batches of `[u64 clock] | u32 length | bytes`, little-endian. */
function pack(frames: readonly Uint8Array[], clocks?: readonly bigint[]): readonly Buffer[] {
  const head = clocks ? 12 : 4;
  const batches: Buffer[] = [];
  for (let start = 0, end = 0; start < frames.length; start = end) {
    let size = 0;
    for (end = start; end < frames.length && (size === 0 || size < BATCH_BYTES); end++) {
      size += head + (frames[end]?.length ?? 0);
    }
    batches.push(packBatch(frames.slice(start, end), size, clocks?.slice(start, end)));
  }
  return batches;
}

function packBatch(
  frames: readonly Uint8Array[],
  size: number,
  clocks: readonly bigint[] | undefined,
): Buffer {
  const batch = Buffer.allocUnsafe(size);
  let offset = 0;
  frames.forEach((frame, index) => {
    if (clocks) offset = batch.writeBigUInt64LE(clocks[index] ?? 0n, offset);
    offset = batch.writeUInt32LE(frame.length, offset);
    batch.set(frame, offset);
    offset += frame.length;
  });
  return batch;
}

function framesOf(
  operation: string,
  answers: readonly (readonly Buffer[])[],
  expected: number,
): readonly LeftFrame[] {
  const left = answers.flat().flatMap(framesIn);
  if (left.length !== expected) throw new ProbeError(operation, "frames are missing");
  return left;
}

/** Frames one behind the other: `u32 action | u32 length | bytes`, little-endian. */
function framesIn(answer: Buffer): readonly LeftFrame[] {
  const frames: LeftFrame[] = [];
  for (let at = 0; at < answer.length; ) {
    const end = at + 8 + answer.readUInt32LE(at + 4);
    frames.push({ action: answer.readUInt32LE(at), frame: answer.subarray(at + 8, end) });
    at = end;
  }
  return frames;
}

/** Joins answers of little-endian u32 words. */
function words(answers: readonly (readonly Buffer[])[], expected: number): Uint32Array {
  const bytes = Buffer.concat(answers.flat());
  if (bytes.length !== expected * 4) throw new ProbeError("xdp.run", "verdicts are missing");
  return Uint32Array.from({ length: expected }, (_, index) => bytes.readUInt32LE(index * 4));
}
