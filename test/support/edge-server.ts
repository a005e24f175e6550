import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../runtime/native-process.js";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { LineServer } from "./line-server.js";

export interface RuntimeError {
  readonly code?: string;
  readonly message: string;
  readonly hint?: string | null;
}

/**
 * A machine of the test's own: network and mount namespace, with a /run and a /var/lib that nobody else
 * sees, so that its namespaces, its state and its memory are its own. Everything in it ends with it.
 */
export class EdgeServer {
  readonly #pid: number;
  readonly #end: () => Promise<void>;
  #runtime: LineServer | undefined;
  /** Outside of the machine, and visible inside. */
  readonly folder = mkdtempSync(join(tmpdir(), "tidegate-edge-"));

  private constructor(pid: number, end: () => Promise<void>) {
    this.#pid = pid;
    this.#end = end;
  }

  static async start(): Promise<EdgeServer> {
    // `cat` ends when its input does: with this process, even if that is killed.
    const script =
      "mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && mkdir /run/netns && ip link set lo up && echo ready && exec cat";
    const args = ["--mount", "--net", "--propagation", "private", "sh", "-c", script];
    const child = spawn("unshare", args, { stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    await new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => resolve());
      child.once("close", () => reject(new Error("the edge server did not start")));
    });
    return new EdgeServer(child.pid ?? 0, () => {
      child.stdin.end();
      return ended;
    });
  }

  async end(): Promise<void> {
    await this.#runtime?.end();
    await this.#end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The command line that runs `argv` on this machine, in one of its named namespaces or its default one. */
  enter(argv: readonly string[], namespace?: string): [string, ...string[]] {
    const into = namespace === undefined ? [] : ["nsenter", `--net=/run/netns/${namespace}`];
    return ["nsenter", "--target", `${this.#pid}`, "--mount", "--net", ...into, ...argv];
  }

  run(argv: readonly string[], options: { namespace?: string; input?: string } = {}): string {
    const [command, ...args] = this.enter(argv, options.namespace);
    return execFileSync(command, args, { encoding: "utf8", input: options.input ?? "", stdio: "pipe" });
  }

  /** Lines of ip(8). */
  ip(lines: readonly string[], namespace?: string): void {
    this.run(["ip", "-batch", "-"], { input: `${lines.join("\n")}\n`, ...(namespace ? { namespace } : {}) });
  }

  apply(
    bundle: string,
    node: NodeConfig,
    options: { readonly memoryDir?: string; readonly rollback?: boolean; readonly onlyOver?: string } = {},
  ): Promise<Record<string, unknown>> {
    return this.#call("apply", { bundle, node, ...options });
  }

  remove(customer: string): Promise<Record<string, unknown>> {
    return this.#call("remove", { customer });
  }

  // biome-ignore lint/suspicious/noExplicitAny: JSON as it is printed
  status(): Promise<any> {
    return this.#call("status", {});
  }

  recoverNode(): Promise<Record<string, unknown>> {
    return this.#call("recoverNode", {}, "restart");
  }

  /** Everything about the network that Tidegate might change. */
  portrait(namespace?: string): string {
    const commands = [
      ["ip", "-d", "addr", "show"],
      ...["-4", "-6"].flatMap((family) => [
        ["ip", family, "rule", "show"],
        ["ip", family, "route", "show", "table", "all"],
      ]),
      ["tc", "qdisc", "show"],
      ["nft", "list", "ruleset"],
      ["ls", "-A", "/run/netns"],
      ["grep", " /run", "/proc/mounts"],
      ["sysctl", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"],
    ];
    return commands.map((argv) => this.run(argv, namespace === undefined ? {} : { namespace })).join("\n");
  }

  /** Calls the built runtime on this machine, one call after the other; rejects with what it failed with. */
  async #call(
    operation: string,
    options: object,
    module: string = operation,
  ): Promise<Record<string, unknown>> {
    const file = join(packageRoot(), `dist/runtime/${module}.js`);
    this.#runtime ??= new LineServer(this.enter(["node", "--input-type=module", "-e", CALLS]));
    const { value, error } = JSON.parse(
      await this.#runtime.ask(JSON.stringify({ file, operation, options })),
    );
    if (error) throw Object.assign(new Error(error.message), error);
    return value;
  }
}

/** One process for all calls: most of the time of a single one is that Node starts and reads the runtime's modules. */
const CALLS = `
  import { createInterface } from "node:readline";
  for await (const line of createInterface({ input: process.stdin })) {
    const { file, operation, options } = JSON.parse(line);
    const module = await import(file);
    const answer = await module[operation](options).then(
      (value) => ({ value }),
      ({ code, message, hint, stack }) => ({ error: { code, message, hint, stack } }),
    );
    console.log(JSON.stringify(answer));
  }`;
