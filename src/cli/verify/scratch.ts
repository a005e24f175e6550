import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { Loader, type MapEntry } from "../../../runtime/loader-client.js";
import { Probe } from "../../../runtime/probe-client.js";
import { packageRoot } from "../package-root.js";
import { openUplink } from "./uplink.js";

/**
 * What XDP programs are run in: the native helpers, and a BPF file system in a mount namespace of its own. All of it ends
 * with this process, also if that is killed.
 */
export class Scratch {
  readonly #holder: ChildProcess;
  #uplinks: readonly MapEntry[] | undefined;

  private constructor(
    holder: ChildProcess,
    readonly loader: Loader,
    readonly probe: Probe,
  ) {
    this.#holder = holder;
  }

  static async start(): Promise<Scratch> {
    const holder = await mountPrivately();
    return new Scratch(holder, await Loader.start(), await Probe.start());
  }

  /** A folder for pins, of which only this process and its helpers know. */
  get pins(): string {
    return join(`/proc/${this.#holder.pid}/root`, BPF_MOUNT);
  }

  /** Lets customers' programs behind this root program send packets on. */
  async openUplink(root: string): Promise<void> {
    if (!this.#uplinks) {
      await this.probe.nftOpen();
      this.#uplinks = openUplink(this.probe);
    }
    await this.loader.updateMap(`${root}/map_uplinks`, this.#uplinks);
  }

  async close(): Promise<void> {
    await Promise.all([this.loader.close(), this.probe.close()]);
    this.#holder.stdin?.end();
  }
}

export const ROOT_OBJECT = join(packageRoot(), "dist/bpf/root.bpf.o");

const BPF_MOUNT = "/sys/fs/bpf";

/** A mount over the machine's own BPF file system that only its process sees: `cat` ends when its input does. */
async function mountPrivately(): Promise<ChildProcess> {
  const script = `mount -t bpf bpf ${BPF_MOUNT} && echo ready && exec cat`;
  const args = ["--mount", "--propagation", "private", "sh", "-c", script];
  const holder = spawn("unshare", args, { stdio: ["pipe", "pipe", "pipe"] });
  let complaint = "";
  holder.stderr.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once("data", () => resolve());
    holder.once("error", reject);
    holder.once("close", () => reject(new Error(`cannot mount a BPF file system: ${complaint.trim()}`)));
  });
  return holder;
}
