import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { readPacket } from "../../src/cli/packets.js";
import { AcmeEdge, acme, FTP, FTP6, globex, NODE } from "../support/acme-edge.js";
import { number, rule } from "../support/ir.js";

/** `tidegate watch` on an edge server, with packets from its uplink. */
let edge: AcmeEdge;
let device: string;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  const { firewall, ...rest } = acme();
  const rules = [rule("ssh", "reject", number("tcp.dstport", 22), 31), ...firewall.rules];
  await edge.server.apply(edge.bundle("acme", { ...rest, firewall: { ...firewall, rules } }), NODE);
  await edge.server.apply(edge.bundle("globex", globex()), NODE);
  device = JSON.parse(edge.server.run(["ip", "-j", "link", "show", "up0"]))[0].address;
});
afterAll(() => edge?.server.end());

interface Row {
  readonly customer: string | null;
  readonly verdict: string;
  readonly stage: string;
  readonly rule: string | null;
  readonly line: number | null;
  readonly packet: string;
  readonly where: string;
}

class Watch {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<number | null>;
  output = "";
  errors = "";

  constructor(...args: readonly string[]) {
    const cli = join(packageRoot(), "dist/bin/tidegate.js");
    const [command, ...rest] = edge.server.enter(["node", cli, "watch", "--json", ...args]);
    this.child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout.on("data", (chunk: Buffer) => {
      this.output += chunk;
    });
    this.child.stderr.on("data", (chunk: Buffer) => {
      this.errors += chunk;
    });
    this.ended = once(this.child, "close").then(([code]) => code as number | null);
    running.push(this);
  }

  get rows(): readonly Row[] {
    return this.output
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  /** Until both the programs and, with `firewalls`, the table that asks for traces are in place. */
  async begun(firewalls = true): Promise<void> {
    await until(() => places().length === 3 && (!firewalls || tables().includes("tidegate-watch")));
  }

  async end(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }
}

const running: Watch[] = [];
afterEach(async () => {
  for (const watch of running.splice(0)) await watch.end();
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 100) throw new Error("what was waited for did not come");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Programs that look at drops. */
function places(): readonly string[] {
  const map = "/run/tidegate/bpf/root/map_watchers";
  const entries = JSON.parse(edge.server.run(["bpftool", "-j", "map", "dump", "pinned", map]));
  return entries.filter(({ value }: { value: unknown }) => Array.isArray(value));
}

function tables(): string {
  return edge.server.run(["nft", "list", "tables"], { namespace: "tg-acme" });
}

function isQuiet(): boolean {
  return places().length === 0 && !tables().includes("tidegate-watch");
}

/** Also of nsenter(1), which becomes what it was told to run. */
function childrenOf(pid: number | undefined): readonly { readonly pid: number; readonly name: string }[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return children.map((child) => ({
    pid: Number(child),
    name: readFileSync(`/proc/${child}/comm`, "utf8").trim(),
  }));
}

function send(...texts: readonly string[]): void {
  const packets = texts.map((text) => Buffer.from(readPacket(text, 0n).bytes));
  const input = Buffer.concat(
    packets.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
  const wire = join(packageRoot(), "dist/examples/lab/wire");
  const script = `require("child_process").execFileSync(${JSON.stringify(wire)}, ["eth0", "${device}"],
    { input: Buffer.from("${input.toString("base64")}", "base64") });`;
  edge.script("client", script);
}

const BOGON = `udp 10.1.2.3:1000 > ${FTP}:9 len=100`;
const NOT_ALLOWED = `udp 192.0.2.7:53 > ${FTP}:9`;
const REJECTED = `tcp 192.0.2.7:40000 > ${FTP}:22 flags=S`;
const ALLOWED = `tcp [2001:db8:1::7]:40000 > [${FTP6}]:20 flags=A`;
const MALFORMED = "hex=4f0000140000000040110000c000020700000000";
const TO_GLOBEX = "udp 203.0.113.7:1 > 198.18.64.9:9";

describe("watch", () => {
  test("shows what is not let through, and which rule says so", async () => {
    const watch = new Watch();
    await watch.begun();
    send(BOGON, NOT_ALLOWED, REJECTED, ALLOWED, MALFORMED, TO_GLOBEX);
    await until(() => watch.rows.length >= 5);
    expect(await watch.end()).toBe(0);
    const shown = watch.rows.map(
      ({ customer, verdict, stage, rule, line, where }) =>
        `${customer} ${verdict} ${stage} ${rule} ${line} ${where}`,
    );
    expect(shown.sort()).toEqual([
      "acme drop firewall null null xdp",
      "acme drop mitigate bogons 1 xdp",
      "acme reject firewall ssh 31 nft",
      "globex drop mitigate from-acme 1 xdp",
      "null malformed root null null xdp",
    ]);
    expect(watch.rows.map(({ packet }) => packet)).toContain(`udp 10.1.2.3:1000 > ${FTP}:9 ttl=64 len=100`);
    expect(watch.rows.map(({ packet }) => packet)).toContain(
      `tcp 192.0.2.7:40000 > ${FTP}:22 flags=S ttl=64 len=40`,
    );
    expect(watch.errors).toContain("5 packets shown; XDP dropped 4 of those watched, and sampled 4");
    expect(isQuiet()).toBe(true);
  });

  test("shows what gets through when asked to, by name and number", async () => {
    const watch = new Watch("acme", "--verdict", "allow", "--rule", "ftp6", "--count", "2");
    await watch.begun();
    send(BOGON, ALLOWED, TO_GLOBEX, REJECTED, ALLOWED, ALLOWED);
    expect(await watch.ended).toBe(0);
    expect(watch.rows.map(({ rule, packet }) => `${rule} ${packet}`)).toEqual(
      Array(2).fill(`ftp6 ${ALLOWED} ttl=64 len=60`),
    );
  });

  test("of one customer, one stage, and of so many packets one", async () => {
    const watch = new Watch("acme", "--stage", "mitigate", "--sample", "4");
    await watch.begun(false);
    expect(tables()).not.toContain("tidegate-watch");
    send(...Array(16).fill(BOGON), TO_GLOBEX, NOT_ALLOWED);
    await until(() => watch.rows.length >= 2);
    await watch.end();
    // Each CPU counts for itself.
    expect(watch.rows.length).toBeLessThanOrEqual(6);
    expect(new Set(watch.rows.map(({ rule }) => rule))).toEqual(new Set(["bogons"]));
    expect(watch.errors).toContain("XDP dropped 17 of those watched");
  });

  test("goes with its process, however that ends", async () => {
    const watch = new Watch();
    await watch.begun();
    const again = new Watch();
    expect(await again.ended).toBe(1);
    expect(again.errors).toContain("error[TG9019]");
    watch.child.kill("SIGKILL");
    await until(isQuiet);
  });

  test("says so when what watches is killed", async () => {
    const watch = new Watch();
    await watch.begun();
    const [native] = childrenOf(watch.child.pid).filter(({ name }) => name === "tidegate-watch");
    process.kill(native?.pid ?? 0, "SIGKILL");
    expect(await watch.ended).toBe(1);
    expect(watch.errors).toContain("error[TG9015]");
    expect(isQuiet()).toBe(true);
  });

  test.each([
    ["TG9010", ["acmee"], "did you mean `acme`?"],
    ["TG9021", ["--rule", "bogon"], "did you mean `bogons`?"],
    ["TG9018", ["--state-dir", "/run/nothing"], "tidegate apply"],
  ])("%s", async (code, args, hint) => {
    const watch = new Watch(...args);
    expect(await watch.ended).toBe(1);
    expect(watch.errors).toContain(`error[${code}]`);
    expect(watch.errors).toContain(hint);
  });

  test("TG9020 behind a root program from before there was a watch", async () => {
    edge.server.run(["rm", "/run/tidegate/bpf/root/map_watchers"]);
    const watch = new Watch();
    expect(await watch.ended).toBe(1);
    expect(watch.errors).toContain("error[TG9020]");
    // A bundle is loaded there all the same.
    const again = acme({ mitigate: [rule("udp", "drop", number("ip.proto", 17))] });
    expect(await edge.server.apply(edge.bundle("again", again), NODE)).toMatchObject({ generation: 2 });
  });
});
