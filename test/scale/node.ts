import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../runtime/native-process.js";
import { publishBundle } from "../../runtime/store/bundles.js";
import { dirStore } from "../../runtime/store/dir-store.js";
import type { Store } from "../../runtime/store/store.js";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { AcmeEdge } from "../support/acme-edge.js";
import { RunningDaemon, writeEdge } from "../support/daemon.js";
import { customerName, prefixesOf } from "./policies.js";

/** How long one change took, in milliseconds: until packets were judged by the new policy, and until the old one was gone. */
export interface Change {
  readonly inForce: number;
  readonly whole: number;
}

/** An edge server of its own, with a store and a daemon. */
export class BusyNode {
  readonly edge: AcmeEdge;
  readonly #root: string;
  readonly #store: Store;
  #daemon: RunningDaemon | undefined;

  private constructor(edge: AcmeEdge) {
    this.edge = edge;
    this.#root = join(edge.server.folder, "store");
    this.#store = dirStore(this.#root);
  }

  static async start(): Promise<BusyNode> {
    const node = new BusyNode(await AcmeEdge.start());
    mkdirSync(node.#root);
    return node;
  }

  /** Its operator knows so many customers from here on. */
  know(customers: number): void {
    const owners = Object.fromEntries(
      Array.from({ length: customers }, (_, index) => [customerName(index), [...prefixesOf(index)]]),
    );
    const config: NodeConfig = { schema: 1, uplinks: ["up0", "up1"], anycast: ["198.18.0.1"], owners };
    writeEdge(this.#edgeFile(), config);
    writeFileSync(this.#configFile(), JSON.stringify(config));
  }

  /** Everything that was made ends with the machine. */
  async end(): Promise<void> {
    await this.stopDaemon("SIGKILL");
    await this.edge.server.end();
  }

  async publish(bundle: string): Promise<number> {
    return (await publishBundle(this.#store, bundle)).revision;
  }

  /** Starts a daemon; what it says is heard from there on. */
  async startDaemon(): Promise<RunningDaemon> {
    const args = ["--node", this.#edgeFile(), "--store", `dir:${this.#root}`];
    this.#daemon = RunningDaemon.start(this.edge.server, args);
    await this.#daemon.says(/following/);
    return this.#daemon;
  }

  get daemon(): RunningDaemon {
    if (!this.#daemon) throw new Error("no daemon is at work");
    return this.#daemon;
  }

  async stopDaemon(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#daemon?.end(signal);
    this.#daemon = undefined;
  }

  /** Applies bundles in turn, one after the other in one process, as a daemon does. */
  async changes(bundles: readonly string[], times: number): Promise<readonly Change[]> {
    return this.inside(`
      import { readFileSync } from "node:fs";
      const { apply } = await import(${JSON.stringify(built("dist/runtime/apply.js"))});
      const node = JSON.parse(readFileSync(${JSON.stringify(this.#configFile())}, "utf8"));
      const bundles = ${JSON.stringify(bundles)}, times = [];
      for (let i = 0; i < ${times}; i++) {
        const start = performance.now();
        let inForce = 0;
        // The record is what follows upon the switch.
        const onStep = (step) => { if (step === "record") inForce = performance.now() - start; };
        await apply({ bundle: bundles[i % bundles.length], node, onStep });
        times.push({ inForce, whole: performance.now() - start });
      }
      print(times);`);
  }

  /** How long `tidegate apply` takes, in milliseconds: to its answer, and to its end. */
  async command(bundle: string): Promise<Change> {
    const started = performance.now();
    let inForce = 0;
    await this.#run(
      ["node", built("dist/bin/tidegate.js"), "apply", bundle, "--edge", this.#edgeFile()],
      () => {
        inForce ||= performance.now() - started;
      },
    );
    return { inForce, whole: performance.now() - started };
  }

  /** What Prometheus would get: milliseconds and bytes. */
  scrape(): Promise<{ readonly ms: number; readonly bytes: number }> {
    return this.inside(`
      const start = performance.now();
      const response = await fetch("http://127.0.0.1:9821/metrics");
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      print({ ms: performance.now() - start, bytes: text.length });`);
  }

  /** How long \`tidegate status --json\` takes, the start of Node included, and how many customers lack something. */
  async status(): Promise<{ readonly ms: number; readonly drifted: number }> {
    const started = performance.now();
    const text = await this.#run(["node", built("dist/bin/tidegate.js"), "status", "--json"]);
    const ms = performance.now() - started;
    const { customers } = JSON.parse(text) as {
      readonly customers: readonly { readonly drift: readonly string[] }[];
    };
    return { ms, drifted: customers.filter(({ drift }) => drift.length > 0).length };
  }

  /** Runs a module on the machine; gives what it hands to `print`. */
  async inside<T>(script: string): Promise<T> {
    const print = "const print = (value) => process.stdout.write(JSON.stringify(value));";
    return JSON.parse(await this.#run(["node", "--input-type=module", "-e", `${print}${script}`]));
  }

  #run(argv: readonly string[], onOutput: () => void = () => {}): Promise<string> {
    const [command, ...args] = this.edge.server.enter(argv);
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let [output, errors] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      onOutput();
      output += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      errors += chunk;
    });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) resolve(output);
        else
          reject(
            new Error(`${argv.slice(0, 3).join(" ")}: exit code ${code}: ${errors}${output.slice(0, 2000)}`),
          );
      });
    });
  }

  #edgeFile(): string {
    return join(this.edge.server.folder, "edge.ts");
  }

  #configFile(): string {
    return join(this.edge.server.folder, "node.json");
  }
}

function built(file: string): string {
  return join(packageRoot(), file);
}
