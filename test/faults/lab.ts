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
import {
  isAsked,
  type Loaded,
  POLICIES,
  type PolicyName,
  passes,
  policyOf,
  type Scenario,
} from "./scenarios.js";
import { differences, shapeOf } from "./shape.js";

const STATE = "/run/tidegate";
const MEMORY = "/run/memory";
const ROOMY = "size=4m,nr_inodes=2000";
const PAGE = 4096;

/** Packets a second while a run goes wrong, and how often each is sent to see by which policy it is judged. */
const RATE = 1000;
const EACH = 4;

/** Somebody who is at work still ends within this. */
const PATIENCE_MS = 10_000;

/** What there is on a node when this is loaded, as it was found for the first time: the same in every lab. */
export type Shapes = Map<string, readonly string[]>;

/** An edge server that is not made anew for each fault: what one run left in force is where the next one begins. */
export class FaultLab {
  readonly #key = newKey();
  readonly #bundles: Readonly<Record<PolicyName | "globex", string>>;
  readonly #found: string;
  readonly #main: string;
  readonly #mac: string;
  #serial = 1;
  #victim: Resident;
  #spare: Resident;
  #steady: Resident;
  #globex = "";

  private constructor(
    readonly edge: AcmeEdge,
    readonly shapes: Shapes,
  ) {
    const { server } = edge;
    server.run(["sh", "-c", `mkdir ${STATE} && mount -t tmpfs -o mode=0700,${ROOMY} tmpfs ${STATE}`]);
    server.run(["nft", "-f", "-"], { namespace: "router", input: counting() });
    const all = Object.entries(POLICIES).map(([name, { policy }]) => [name, edge.bundle(name, policy)]);
    this.#bundles = { ...Object.fromEntries(all), globex: edge.bundle("globex", globex()) };
    this.#found = server.portrait();
    this.#main = this.#mainTable();
    [{ address: this.#mac }] = JSON.parse(server.run(["ip", "-j", "link", "show", "up0"]));
    this.#victim = new Resident(server);
    this.#spare = new Resident(server);
    this.#steady = new Resident(server);
  }

  static async start(shapes: Shapes = new Map()): Promise<FaultLab> {
    return new FaultLab(await AcmeEdge.start(), shapes);
  }

  async end(): Promise<void> {
    await Promise.all([this.#victim, this.#spare, this.#steady].map((resident) => resident.end()));
    await this.edge.server.end();
  }

  get server(): EdgeServer {
    return this.edge.server;
  }

  /** Runs it with what goes wrong; `meanwhile` is what a rival does. */
  async run(call: Call, fault?: Fault, meanwhile?: () => Promise<void>): Promise<Answer> {
    const answer = await this.#victim.call(call, fault, meanwhile);
    if (answer.killed) {
      this.#victim = this.#spare;
      this.#spare = new Resident(this.server);
    }
    return answer;
  }

  /** Tries it in another process, in which nothing goes wrong. */
  attempt(call: Call): Promise<Answer> {
    return this.#steady.call(call);
  }

  /** Runs it in another process, in which nothing goes wrong; waits for what the one before has not yet let go of. */
  async calmly(call: Call): Promise<Answer> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.attempt(call);
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
    if (operation === "turn") return this.#turn(to.dead);
    return { operation, options: { customer: "acme", ...place } };
  }

  /** What tidegated does when a router is found dead, or alive. */
  #turn(dead: boolean): Call {
    return turn({ chicago: dead ? "dead" : "live", dallas: "live" });
  }

  readonly recovery: Call = { operation: "recoverNode", options: { stateDir: STATE } };

  /** What tidegated does when it starts: routes that are not what is known of routers are made so. */
  async recover({ from }: Scenario): Promise<void> {
    await this.demand(this.recovery);
    if (isAsked(from)) await this.demand(turn({}));
  }

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
    const status = await this.status();
    const { node, customers } = status;
    const drift = [...(node?.drift ?? []), ...customers.flatMap((customer) => customer.drift)];
    if (drift.length > 0) throw new Error(`there is missing: ${drift.join(", ")}`);
    const other = customers.find(({ name }) => name === "globex");
    if (other) this.#expectUntouched(`${other.generation} ${other.since}`);
    const loaded = this.#loadedBy(status);
    this.#expectMainTable();
    this.#expectNoRemains(loaded, new Map(customers.map(({ name, generation }) => [name, generation])));
    return loaded;
  }

  /** What is on record, whatever there is of it. */
  async recorded(): Promise<Loaded> {
    return this.#loadedBy(await this.status());
  }

  #loadedBy({ node, customers }: NodeStatus): Loaded {
    const own = customers.find(({ name }) => name === "acme");
    const name = Object.keys(POLICIES).find((one) => this.#hash(one as PolicyName) === own?.hash);
    if (own && !name) throw new Error(`an unknown policy is in force: ${own.hash}`);
    return {
      acme: (name ?? null) as PolicyName | null,
      globex: customers.some((customer) => customer.name === "globex"),
      small: node?.uplinks.length === 1,
      dead: own?.tunnels.some(({ health }) => health?.life === "dead") ?? false,
    };
  }

  #hash(name: PolicyName): string {
    const manifest = readFileSync(join(this.#bundles[name], "manifest.json"));
    return createHash("sha256").update(manifest).digest("hex");
  }

  #expectUntouched(globex: string): void {
    if (this.#globex !== globex) throw new Error(`Globex was touched: ${this.#globex}, now ${globex}`);
  }

  /** Whoever is loaded: but for what the kernel adds for an address, it is the machine's own. */
  #expectMainTable(): void {
    const strays = differences(this.#main.split("\n"), this.#mainTable().split("\n"));
    if (strays.length > 0) throw new Error(`the main table was touched:\n${strays.join("\n")}`);
  }

  #mainTable(): string {
    const show = "for family in 4 6; do ip -$family route show table main; done | grep -v 'proto kernel'";
    return this.server.run(["sh", "-c", `${show} || true`]);
  }

  /** Whatever was done before, with the same loaded there is the same; and with nothing, what was found. */
  #expectNoRemains(loaded: Loaded, generations: ReadonlyMap<string, number>): void {
    const found = shapeOf(this.server, STATE, generations);
    const known = this.shapes.get(JSON.stringify(loaded));
    this.shapes.set(JSON.stringify(loaded), known ?? found);
    const strays = differences(known ?? found, found);
    if (strays.length > 0) throw new Error(`there is not what there was before:\n${strays.join("\n")}`);
    if (generations.size > 0) return;
    const now = this.server.portrait();
    const changed = differences(this.#found.split("\n"), now.split("\n"));
    if (now !== this.#found) throw new Error(`the machine is not as it was found:\n${changed.join("\n")}`);
    const files = this.server.run(["ls", "-A", STATE]).match(/\S+/g) ?? [];
    const left = files.filter((name) => name !== "lock");
    if (left.length > 0) throw new Error(`there is left: ${left.join(", ")}`);
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
    // A description of the node comes with a bundle.
    if (now && now.small !== wanted.small && isLoaded("globex")) await this.#applyGlobex(wanted.small);
    if (wanted.earlier) await this.demand(this.#apply(wanted.earlier, wanted.small));
    if (wanted.acme) await this.demand(this.#apply(wanted.acme, wanted.small));
    if (isAsked(wanted)) await this.demand(this.#turn(wanted.dead));
    if (wanted.globex && !isLoaded("globex")) await this.#applyGlobex(wanted.small);
    const remove = (customer: string): Call => ({
      operation: "remove",
      options: { customer, stateDir: STATE },
    });
    if (!wanted.globex && isLoaded("globex")) await this.demand(remove("globex"));
    if (!wanted.acme && isLoaded("acme")) await this.demand(remove("acme"));
  }

  async #applyGlobex(small: boolean): Promise<void> {
    await this.demand(this.#apply("globex", small));
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
      const result = await work();
      if (sender.exitCode !== null || sender.signalCode !== null) throw new Error("the sender has ended");
      return { result, arrived: arrived(this.edge) };
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
    const { chicago, dallas } = arrived(this.edge);
    const found = JSON.stringify(sharesPackets(loaded) ? sum(chicago, dallas) : { chicago, dallas });
    const wanted = JSON.stringify(judged(loaded));
    if (found !== wanted) throw new Error(`judged as ${found}, and not as ${wanted}`);
  }

  /** What a machine forgets when it ends: all but files. */
  reboot(): void {
    this.server.run(["sh", "-c", REBOOT, "sh", STATE]);
  }

  /** Brings back, after that, what `loaded` says; until then there is drift. */
  async restore({ acme, globex, small }: Loaded): Promise<void> {
    if (globex) await this.#applyGlobex(small);
    if (acme) await this.demand(this.#apply(acme, small));
  }

  /** Leaves the state's disk so much room: bytes in pages, or files. */
  squeeze({ kind, nth }: Pick<Point, "kind" | "nth">): void {
    const stat = this.server.run(["stat", "-f", "-c", "%b %f %c %d", STATE]).trim().split(" ").map(Number);
    const [blocks = 0, freeBlocks = 0, files = 0, freeFiles = 0] = stat;
    const room =
      kind === "blocks"
        ? `size=${(blocks - freeBlocks + nth) * PAGE}`
        : `nr_inodes=${files - freeFiles + nth}`;
    this.server.run(["mount", "-o", `remount,${room}`, STATE]);
  }

  release(): void {
    this.server.run(["mount", "-o", `remount,${ROOMY}`, STATE]);
  }
}

/** How many packets of each class arrive: by tunnel, or where tunnels share them, in all. */
function judged(loaded: Loaded): object {
  const { chicago, dallas } = passes(loaded);
  const of = (classes: readonly string[]) =>
    Object.fromEntries(Object.keys(CLASS).map((name) => [name, classes.includes(name) ? 2 * EACH : 0]));
  return sharesPackets(loaded) ? of(chicago) : { chicago: of(chicago), dallas: of(dallas) };
}

function sharesPackets({ acme, dead }: Loaded): boolean {
  return acme !== null && !dead && policyOf(acme).shares === true;
}

function sum(one: Arrived["chicago"], other: Arrived["dallas"]): object {
  return Object.fromEntries(
    Object.entries(one).map(([name, packets]) => [name, packets + other[name as keyof typeof other]]),
  );
}

/** What is thought of routers' lives, by tunnel; of those that are not named, what is known. */
function turn(lives: Readonly<Record<string, "live" | "dead">>): Call {
  return { operation: "turn", options: { stateDir: STATE, customer: "acme", lives } };
}

/** The lab's own parts stay as they are. */
const REBOOT = `
umount $1/bpf && rmdir $1/bpf
for namespace in $(ls /run/netns | grep ^tg-); do ip netns del $namespace; done
for device in $(ip -o link show | grep -o ' tg-[^:@]*'); do ip link del $device 2>/dev/null; done
for device in up0 up1; do
	tc qdisc del dev $device clsact 2>/dev/null
	ip link set dev $device xdp off
	ethtool -K $device generic-receive-offload off
done
nft delete table inet tidegate 2>/dev/null
for family in 4 6; do
	ip -$family rule del priority 21575 2>/dev/null
	ip -$family route flush table 21575 2>/dev/null
done
ip addr del 198.18.0.1/32 dev lo 2>/dev/null
ip addr del 2001:db8:ed6e::1/128 dev lo 2>/dev/null
sysctl -q -w net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
true
`;

export function same(one: Loaded, other: Loaded): boolean {
  const parts = ["acme", "globex", "small", "dead"] as const;
  return parts.every((part) => one[part] === other[part]);
}
