import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { policyText } from "../support/reading.js";

/**
 * Captures as tcpdump and tshark write them, of packets that a kernel sent. Needs the built command line (scripts/build).
 */
const ROOT = join(import.meta.dirname, "../..");
const HERE = "tg-capture-a";
const THERE = "tg-capture-b";
const DATAGRAMS = 30;

const POLICY = policyText({
  mitigate: 'limit("slow", expr`udp.dstport == 54`, { rate: "1/h", burst: 4 })',
  rules: 'allow("dns", expr`udp.dstport == 53`), allow("tagged", expr`udp.dstport == 54`)',
});

const CAPTURES: Readonly<Record<string, readonly string[]>> = {
  "eth.pcap": ["tcpdump", "-i", "tgcap1"],
  "nano.pcap": ["tcpdump", "-i", "tgcap1", "--time-stamp-precision=nano"],
  "cooked.pcap": ["tcpdump", "-i", "any", "-y", "LINUX_SLL"],
  "cooked2.pcap": ["tcpdump", "-i", "any", "-y", "LINUX_SLL2"],
  "short.pcap": ["tcpdump", "-i", "tgcap1", "-s", "36"],
  "eth.pcapng": ["tshark", "-q", "-f", "udp", "-i", "tgcap1", "-i", "lo"],
};

let folder = "";

function ip(...words: readonly string[]): void {
  execFileSync("ip", words, { stdio: ["ignore", "ignore", "pipe"] });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-captures-"));
  writeFileSync(join(folder, "acme.policy.ts"), POLICY);
  ip("netns", "add", HERE);
  ip("netns", "add", THERE);
  ip("link", "add", "tgcap0", "netns", HERE, "type", "veth", "peer", "name", "tgcap1", "netns", THERE);
  ip("-n", HERE, "address", "add", "192.0.2.7/24", "dev", "tgcap0");
  ip("-n", THERE, "address", "add", "192.0.2.1/24", "dev", "tgcap1");
  ip("-n", HERE, "link", "set", "tgcap0", "up");
  ip("-n", THERE, "link", "set", "tgcap1", "up");
  ip("-n", THERE, "link", "set", "lo", "up");
  ip("-n", HERE, "route", "add", "203.0.113.0/24", "via", "192.0.2.1");
  await capture();
});

afterAll(() => {
  for (const namespace of [HERE, THERE]) spawnSync("ip", ["netns", "delete", namespace]);
  rmSync(folder, { recursive: true, force: true });
});

async function capture(): Promise<void> {
  const running = Object.entries(CAPTURES).map(([name, [program = "", ...words]]) => {
    const filter = program === "tcpdump" ? ["-U", "-Z", "root", "-Q", "in", "udp"] : [];
    const command = ["netns", "exec", THERE, program, ...words, "-w", join(folder, name), ...filter];
    return spawn("ip", command, { stdio: ["ignore", "ignore", "pipe"] });
  });
  await Promise.all(running.map(ready));
  // What a program prints comes a moment before its socket takes packets.
  await new Promise((resolve) => setTimeout(resolve, 500));
  send();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await Promise.all(running.map(stop));
}

async function ready(program: ChildProcess): Promise<void> {
  let said = "";
  await new Promise<void>((resolve, reject) => {
    program.stderr?.on("data", (text: Buffer) => {
      said += text.toString();
      if (/listening on|Capturing on/.test(said)) resolve();
    });
    program.on("exit", () => reject(new Error(said)));
  });
}

async function stop(program: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => program.on("exit", resolve));
  program.kill("SIGINT");
  await ended;
}

/** As many to port 53 as to 54 and to 55. */
function send(): void {
  const script = `
    const socket = require("node:dgram").createSocket("udp4");
    let left = ${DATAGRAMS};
    const next = () => left-- === 0
      ? socket.close()
      : socket.send("hello", 53 + (left % 3), "203.0.113." + (1 + left % 200), next);
    next();`;
  execFileSync("ip", ["netns", "exec", HERE, process.execPath, "-e", script]);
}

function explain(...options: readonly string[]): string {
  const command = [join(ROOT, "dist/bin/tidegate.js"), "explain", join(folder, "acme.policy.ts"), ...options];
  return execFileSync(process.execPath, command, {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
}

describe("explain --pcap", () => {
  const third = DATAGRAMS / 3;

  test.each(Object.keys(CAPTURES).filter((name) => name !== "short.pcap"))("%s", (name) => {
    const { packets, verdicts, notIp, unclear, rules } = JSON.parse(
      explain("--pcap", join(folder, name), "--json"),
    );
    expect({ packets, verdicts, notIp, unclear }).toEqual({
      packets: DATAGRAMS,
      verdicts: { allow: third + 4, drop: 2 * third - 4, reject: 0, foreign: 0, malformed: 0 },
      notIp: 0,
      unclear: 0,
    });
    const bytes = 20 + 8 + "hello".length;
    expect(rules.filter(({ rule }: { rule: string | null }) => rule !== null)).toMatchObject([
      { stage: "mitigate", rule: "slow", packets: third - 4, bytes: bytes * (third - 4) },
      { stage: "firewall", rule: "dns", packets: third, bytes: bytes * third },
      { stage: "firewall", rule: "tagged", packets: 4, bytes: bytes * 4 },
    ]);
  });

  test("a capture that keeps no ports judges nothing", () => {
    expect(JSON.parse(explain("--pcap", join(folder, "short.pcap"), "--json"))).toMatchObject({
      packets: DATAGRAMS,
      unclear: DATAGRAMS,
    });
    expect(explain("--pcap", join(folder, "short.pcap"), "--each")).toContain(
      "unclear: the capture did not keep what slow:",
    );
  });

  test("its rows are judged the same as texts", () => {
    const rows = explain("--pcap", join(folder, "eth.pcap"), "--json", "--each").trim().split("\n");
    expect(rows).toHaveLength(DATAGRAMS);
    const texts = join(folder, "packets");
    writeFileSync(texts, rows.map((row) => JSON.parse(row).packet).join("\n"));
    const again = explain("--packets", texts, "--json").trim().split("\n");
    const judged = (row: string) => (({ verdict, stage, rule }) => [verdict, stage, rule])(JSON.parse(row));
    expect(again.map(judged)).toEqual(rows.map(judged));
  });
});
