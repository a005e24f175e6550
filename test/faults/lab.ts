import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { packageRoot } from "../../runtime/native-process.js";
import type { NodeStatus } from "../../runtime/status.js";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { AcmeEdge, globex, NODE } from "../support/acme-edge.js";
import type { EdgeServer } from "../support/edge-server.js";
import { newKey, signFolder, trusted } from "../support/signed-bundle.js";
import { type Arrived, arrived, CLASS, counting, frames } from "../support/two-policies.js";
import type { Point } from "./points.js";
import { type Answer, type Call, type Fault, Resident } from "./resident.js";
import { type Loaded, POLICIES, type PolicyName, passes, type Scenario } from "./scenarios.js";

const STATE = "/run/tidegate";
const MEMORY = "/run/memory";
const ROOMY = "size=4m,nr_inodes=2000";
const PAGE = 4096;

/** Packets a second while a run goes wrong, and how often each is sent to see by which policy it is judged. */
const RATE = 1000;
const EACH = 4;

/** Somebody who is at work still ends within this. */
const PATIENCE_MS = 10_000;

/** An edge server that is not made anew for each fault: what one run left in force is where the next one begins. */
export class FaultLab {
  readonly #key = newKey();
  readonly #bundles: Readonly<Record<PolicyName | "globex", string>>;
  readonly #found: string;
  readonly #mac: string;
  #serial = 1;
  #victim: Resident;
  #spare: Resident;
  #steady: Resident;
  #globex = "";

  private constructor(readonly edge: AcmeEdge) {
    const { server } = edge;
    server.run(["sh", "-c", `mkdir ${STATE} && mount -t tmpfs -o mode=0700,${ROOMY} tmpfs ${STATE}`]);
    server.run(["nft", "-f", "-"], { namespace: "router", input: counting() });
    const all = Object.entries(POLICIES).map(([name, { policy }]) => [name, edge.bundle(name, policy)]);
    this.#bundles = { ...Object.fromEntries(all), globex: edge.bundle("globex", globex()) };
    this.#found = server.portrait();
    [{ address: this.#mac }] = JSON.parse(server.run(["ip", "-j", "link", "show", "up0"]));
    this.#victim = new Resident(server);
    this.#spare = new Resident(server);
    this.#steady = new Resident(server);
  }

  static async start(): Promise<FaultLab> {
    return new FaultLab(await AcmeEdge.start());
  }

  async end(): Promise<void> {
    await Promise.all([this.#victim, this.#spare, this.#steady].map((resident) => resident.end()));
    await this.edge.server.end();
  }

  get server(): EdgeServer {
    return this.edge.server;
  }

  /** Runs it with what goes wrong. */
  async run(call: Call, fault?: Fault): Promise<Answer> {
    const answer = await this.#victim.call(call, fault);
    if (answer.killed) {
      this.#victim = this.#spare;
      this.#spare = new Resident(this.server);
    }
    return answer;
  }

  /** Runs it in another process, in which nothing goes wrong; waits for what the one before has not yet let go of. */
  async calmly(call: Call): Promise<Answer> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.#steady.call(call);
      if (answer.error?.code !== "TG9002" || performance.now() > until) return answer;
      await sleep(20);
    }
  }

  /** What must go well. */
  async demand(call: Call): Promise<unknown> {
    const { value, error } = await this.calmly(call);
    if (error) throw new Error(`${call.operation}: ${error.code} ${error.message}\n${error.stack}`);
    return value;
  }

  /** The call by which a scenario comes to its end. */
  callOf({ operation, to }: Scenario): Call {
    const place = { stateDir: STATE, memoryDir: MEMORY };
    if (operation === "apply") return this.#apply(to.acme ?? "globex", to.small);
    if (operation === "uninstall") return { operation, options: place };
    return { operation, options: { customer: "acme", ...place } };
  }

  readonly recovery: Call = { operation: "recoverNode", options: { stateDir: STATE } };

  #apply(name: PolicyName | "globex", small: boolean): Call {
    // Signed anew each time, so that there is a serial to remember.
    const bundle = signFolder(
      this.#bundles[name],
      this.#key,
      ++this.#serial,
      name === "globex" ? name : "acme",
    );
    const keys = { release: trusted(this.#key) };
    const node: NodeConfig = { ...NODE, keys, uplinks: small ? ["up0"] : NODE.uplinks };
    return { operation: "apply", options: { bundle, node, stateDir: STATE, memoryDir: MEMORY } };
  }

  async status(): Promise<NodeStatus> {
    return (await this.demand({ operation: "status", options: { stateDir: STATE } })) as NodeStatus;
  }

  /** What is in force by the record. Throws where something of it is missing, or more is left than belongs to it. */
  async whole(): Promise<Loaded> {
    const { node, customers } = await this.status();
    const own = customers.find(({ name }) => name === "acme");
    const other = customers.find(({ name }) => name === "globex");
    const drift = [...(node?.drift ?? []), ...(own?.drift ?? []), ...(other?.drift ?? [])];
    if (drift.length > 0) throw new Error(`there is missing: ${drift.join(", ")}`);
    if (other) this.#expectUntouched(`${other.generation} ${other.since}`);
    this.#expectNoRemains(own?.generation, customers.length);
    const name = Object.keys(POLICIES).find((one) => this.#hash(one as PolicyName) === own?.hash);
    if (own && !name) throw new Error(`an unknown policy is in force: ${own.hash}`);
    return {
      acme: (name ?? null) as PolicyName | null,
      globex: other !== undefined,
      small: node?.uplinks.length === 1,
    };
  }

  #hash(name: PolicyName): string {
    const manifest = readFileSync(join(this.#bundles[name], "manifest.json"));
    return createHash("sha256").update(manifest).digest("hex");
  }

  #expectUntouched(globex: string): void {
    if (this.#globex !== globex) throw new Error(`Globex was touched: ${this.#globex}, now ${globex}`);
  }

  /** Of other generations, and of who is not loaded, nothing is left. */
  #expectNoRemains(generation: number | undefined, customers: number): void {
    const list = (folder: string) =>
      this.server.run(["sh", "-c", `ls -A ${STATE}/${folder} 2>/dev/null || true`]).match(/\S+/g) ?? [];
    const strays = [
      ...list("customers/acme").filter((name) => !belongs(name, generation)),
      ...list("bpf/customers/acme").filter((name) => name !== `${generation}`),
      ...(customers > 0 ? [] : list(".").filter((name) => name !== "lock")),
    ];
    if (strays.length > 0) throw new Error(`there is left: ${strays.join(", ")}`);
    if (customers > 0) return;
    const now = this.server.portrait();
    if (now !== this.#found) throw new Error(`the machine is not as it was found:\n${now}`);
  }

  /** Brings the node to where a scenario begins. */
  async prepare(wanted: Loaded, now: Loaded | undefined): Promise<void> {
    if (now && !wanted.earlier && same(wanted, now)) return;
    if (!wanted.acme && !wanted.globex) {
      await this.demand({ operation: "uninstall", options: { stateDir: STATE } });
      return;
    }
    const { customers } = await this.status();
    const isLoaded = (customer: string) => customers.some(({ name }) => name === customer);
    if (wanted.earlier) await this.demand(this.#apply(wanted.earlier, wanted.small));
    if (wanted.acme) await this.demand(this.#apply(wanted.acme, wanted.small));
    if (wanted.globex && !isLoaded("globex")) {
      await this.demand(this.#apply("globex", wanted.small));
      await this.#noteGlobex();
    }
    const remove = (customer: string): Call => ({
      operation: "remove",
      options: { customer, stateDir: STATE },
    });
    if (!wanted.globex && isLoaded("globex")) await this.demand(remove("globex"));
    if (!wanted.acme && isLoaded("acme")) await this.demand(remove("acme"));
  }

  async #noteGlobex(): Promise<void> {
    const { customers } = await this.status();
    const other = customers.find(({ name }) => name === "globex");
    this.#globex = `${other?.generation} ${other?.since}`;
  }

  /** Sends packets of all classes until `work` is done; gives what came out of the tunnels meanwhile. */
  async during<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly arrived: Arrived }> {
    arrived(this.edge);
    const [command, ...args] = this.#wire(1_000_000, RATE);
    const sender = spawn(command, args, { stdio: ["pipe", "ignore", "ignore"] });
    const ended = new Promise((resolve) => sender.once("close", resolve));
    sender.stdin.end(frames());
    try {
      return { result: await work(), arrived: arrived(this.edge) };
    } finally {
      sender.kill();
      await ended;
    }
  }

  #wire(count: number, ...rate: readonly number[]): [string, ...string[]] {
    const wire = join(packageRoot(), "dist/examples/lab/wire");
    return this.server.enter([wire, "eth0", this.#mac, `${count}`, ...rate.map(String)], "client");
  }

  /** Packets of each class, of both families, are judged by this policy and by no other, and none is lost. */
  async expectJudgedBy(loaded: Loaded): Promise<void> {
    await sleep(30);
    arrived(this.edge);
    const [command, ...args] = this.#wire(Object.keys(CLASS).length * 2 * EACH);
    const child = promisify(execFile)(command, args);
    child.child.stdin?.end(frames());
    await child;
    await sleep(30);
    const found = JSON.stringify(arrived(this.edge));
    const { chicago, dallas } = passes(loaded);
    const of = (classes: readonly string[]) =>
      Object.fromEntries(Object.keys(CLASS).map((name) => [name, classes.includes(name) ? 2 * EACH : 0]));
    const wanted = JSON.stringify({ chicago: of(chicago), dallas: of(dallas) });
    if (found !== wanted) throw new Error(`judged as ${found}, and not as ${wanted}`);
  }

  /** Leaves the state's disk so much room: bytes in pages, or files. */
  squeeze({ kind, at }: Pick<Point, "kind" | "at">): void {
    const stat = this.server.run(["stat", "-f", "-c", "%b %f %c %d", STATE]).trim().split(" ").map(Number);
    const [blocks = 0, freeBlocks = 0, files = 0, freeFiles = 0] = stat;
    const room =
      kind === "blocks" ? `size=${(blocks - freeBlocks + at) * PAGE}` : `nr_inodes=${files - freeFiles + at}`;
    this.server.run(["mount", "-o", `remount,${room}`, STATE]);
  }

  release(): void {
    this.server.run(["mount", "-o", `remount,${ROOMY}`, STATE]);
  }
}

export function same(one: Loaded, other: Loaded): boolean {
  return one.acme === other.acme && one.globex === other.globex && one.small === other.small;
}

function belongs(name: string, generation: number | undefined): boolean {
  if (generation === undefined) return false;
  return (
    // What was being written when a run was killed: the next one writes over it.
    name.endsWith(".new") ||
    ["state.json", `bundle-${generation}`].includes(name) ||
    name.startsWith("earlier-")
  );
}
