import type { ChildProcess } from "node:child_process";
import type { Host } from "../host.js";
import { end, printed } from "../process.js";
import { inNamespace } from "../tools.js";
import { PcapReader } from "./pcap.js";

/** How often a waiting journey looks whether its packet has come. */
const POLL_MS = 5;
/** Time for a packet that the kernel has already delivered to come through tcpdump's pipe. */
const SETTLE_MS = 120;
/**
 * The longest frame that is taken, and the KiB for those that tcpdump has not read yet: in immediate mode each has as
 * much room as the longest may need.
 */
const ROOM = ["-s", "2048", "-B", "16384"];

/** What arrives at one device of a host, recorded from the start of the capture. */
export class Capture {
  readonly #child: ChildProcess;
  readonly #reader = new PcapReader();

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (chunk: Buffer) => this.#reader.push(chunk));
  }

  /**
   * Resolves when the capture is on. `filter` is pcap-filter(7); only packets that come in are taken. `namespace`: of
   * a device in that network namespace of the host.
   */
  static async start(host: Host, device: string, filter: string, namespace?: string): Promise<Capture> {
    const options = ["-i", device, "-Q", "in", "-n", ...ROOM, "--immediate-mode", "-U", "-Z", "root"];
    const argv = ["tcpdump", ...options, "-w", "-", filter];
    const child = host.start(namespace === undefined ? argv : inNamespace(namespace, argv));
    const capture = new Capture(child);
    await printed(child, "stderr", "listening on");
    return capture;
  }

  /** IP packets in order of arrival. */
  get packets(): readonly Buffer[] {
    return this.#reader.packets;
  }

  /** The whole capture as a pcap file, link headers included. */
  get file(): Buffer {
    return this.#reader.file;
  }

  /** The first packet from index `since` on that `wanted` accepts; waits for it up to `milliseconds`. */
  async waitFor(
    wanted: (packet: Buffer) => boolean,
    since: number,
    milliseconds: number,
  ): Promise<Buffer | undefined> {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const found = this.packets.slice(since).find(wanted);
      if (found || performance.now() > deadline) return found;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Lets what was delivered until now appear in `packets`. */
  settle(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }

  async stop(): Promise<void> {
    await end(this.#child, "SIGINT");
  }
}
