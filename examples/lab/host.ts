import type { ChildProcess } from "node:child_process";
import { end, finished, printed, spawnBound } from "./process.js";

/**
 * What a fresh host does before it says `up`. Its own tmpfs on /run and its own sysfs make it a machine of its
 * own: named namespaces (/run/netns), Tidegate's state (/run/tidegate) and /sys/class/net are not shared with
 * the machine that the lab runs on, and vanish with the host.
 * It then waits for the end of its standard input, so it ends with the lab, however the lab ends.
 */
const BOOT = `set -e
mount -t tmpfs tmpfs /run
mount -t sysfs sysfs /sys
mkdir /run/netns /run/tidegate
for setting in "$@"; do
	echo "\${setting#*=}" > "/proc/sys/net/\${setting%%=*}"
done
ip link set lo up
echo up
exec cat`;

/** One machine of the lab: a network namespace and a mount namespace, held by one process. */
export class Host {
  readonly name: string;
  readonly #holder: ChildProcess;
  readonly #children = new Set<ChildProcess>();

  private constructor(name: string, holder: ChildProcess) {
    this.name = name;
    this.#holder = holder;
  }

  /** Boots a host with `settings`, sysctls below net/ such as "ipv4/ip_forward=1". */
  static async boot(name: string, settings: readonly string[]): Promise<Host> {
    const holder = spawnBound(["unshare", "--net", "--mount", "sh", "-c", BOOT, name, ...settings]);
    let complaint = "";
    holder.stderr?.on("data", (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    try {
      await printed(holder, "stdout", "up\n");
    } catch {
      throw new Error(`host ${name} does not start: ${complaint.trim()}`);
    }
    return new Host(name, holder);
  }

  /** The process that holds the host's namespaces, for `ip link … netns PID`. */
  get pid(): number {
    if (this.#holder.pid === undefined) throw new Error(`host ${this.name} is gone`);
    return this.#holder.pid;
  }

  /** Runs a command in the host and returns what it printed; throws CommandFailed. */
  async run(argv: readonly string[], input: string | Uint8Array = ""): Promise<string> {
    return (await finished(this.start(argv), argv, input)).toString();
  }

  /** Starts a command in the host; it ends with the host at the latest. */
  start(argv: readonly string[]): ChildProcess {
    const child = spawnBound(this.enter(argv));
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    child.once("error", () => this.#children.delete(child));
    return child;
  }

  /** The command line that runs `argv` in the host, for who starts processes himself. */
  enter(argv: readonly string[]): readonly [string, ...string[]] {
    return ["nsenter", "--target", String(this.pid), "--net", "--mount", "--root", "--wd", "--", ...argv];
  }

  /** Many ip(8) commands in one process; `text` has one a line. */
  async ip(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.run(["ip", "-batch", "-"], `${lines.join("\n")}\n`);
  }

  /** Ends everything that runs in the host; with the last process the kernel takes its namespaces away. */
  async remove(): Promise<void> {
    await Promise.all([...this.#children, this.#holder].map((child) => end(child)));
  }
}
