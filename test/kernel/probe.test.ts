import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeFrame } from "../../runtime/frame.js";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { NFT_VERDICT, Probe, ProbeError } from "../../runtime/probe-client.js";
import { compileBpf } from "../support/bpf-object.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";

const XDP = { drop: 1, pass: 2 };

/** `parity` drops frames whose first byte is odd; `slow` takes its time for a large one; `timed` those that come before second 5. */
const OBJECT = `
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32); __type(value, __u64); } test_clock SEC(".maps");
SEC("xdp") int parity(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	return (void *)(data + 1) > (void *)(long)ctx->data_end ? XDP_ABORTED : *data & 1 ? XDP_DROP : XDP_PASS;
}
SEC("xdp") int slow(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u64 sum = 0;
	if ((void *)(data + 1) > (void *)(long)ctx->data_end) return XDP_ABORTED;
	for (int i = 0; i < 1000; i++) { if (i >= *data * 4) break; sum += bpf_ktime_get_ns(); }
	return sum ? XDP_PASS : XDP_DROP;
}
SEC("xdp") int timed(struct xdp_md *ctx)
{
	__u32 zero = 0; __u64 *now = bpf_map_lookup_elem(&test_clock, &zero);
	return now && *now < 5000000000 ? XDP_DROP : XDP_PASS;
}
`;

/** As a customer's ruleset stands: one base chain at prerouting, counters by name. */
const RULESET = `table inet tidegate
delete table inet tidegate
table inet tidegate {
	counter rule-web { packets 0 bytes 0
	}
	counter default { packets 0 bytes 0
	}
	chain prerouting {
		type filter hook prerouting priority filter; policy drop;
		iifname "edge" udp dport 80 counter name "rule-web" accept
		counter name "default" drop
	}
}
`;

let bpffs: BpfFs;
let folder: string;
let loader: Loader;
let probe: Probe;

beforeAll(async () => {
  bpffs = mountBpfFs();
  folder = mkdtempSync(join(tmpdir(), "tidegate-probe-"));
  compileBpf(join(folder, "object.o"), OBJECT);
  loader = await Loader.start();
  probe = await Probe.start();
  await loader.loadObject({ object: join(folder, "object.o"), pinDir: join(bpffs.path, "o"), reuse: {} });
});

afterAll(async () => {
  await probe?.close();
  await loader?.close();
  rmSync(folder, { recursive: true, force: true });
  bpffs?.unmount();
});

function pin(name: string): string {
  return join(bpffs.path, "o", name);
}

function sum16(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** IPv4 and UDP headers without data. */
function udp4(port: number, corruption = 0): Buffer {
  const packet = Buffer.alloc(28);
  packet.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 7, 203, 0, 113, 9], 0);
  packet.writeUInt16BE(port, 22);
  packet.writeUInt16BE(8, 24);
  packet.writeUInt16BE(sum16(packet.subarray(0, 20)) ^ corruption, 10);
  return packet;
}

function udp6(port: number): Buffer {
  const packet = Buffer.alloc(48);
  packet.writeUInt32BE(0x60000000, 0);
  packet.set([0, 8, 17, 64], 4);
  packet.set([0x20, 0x01, 0x0d, 0xb8], 8);
  packet.set([0x20, 0x01, 0x0d, 0xb8, 1], 24);
  packet.writeUInt16BE(port, 42);
  packet.writeUInt16BE(8, 44);
  return packet;
}

describe("XDP test runs", () => {
  test("give every frame its own action, in order, over several batches", async () => {
    const frames = Array.from({ length: 9000 }, (_, i) => Buffer.alloc(14 + (i % 1400), i % 3));
    const actions = await probe.xdpRun(pin("prog_parity"), frames);
    expect([...actions]).toEqual(frames.map((_, i) => (i % 3 === 1 ? XDP.drop : XDP.pass)));
  });

  test("of no frames are no actions", async () => {
    expect(await probe.xdpRun(pin("prog_parity"), [])).toHaveLength(0);
  });

  test("set the clock before each frame", async () => {
    const times = [4_999_999_999n, 5_000_000_000n, 0n, 2n ** 63n];
    const frames = times.map((now) => ({ frame: Buffer.alloc(14), now }));
    const actions = await probe.xdpRunTimed(pin("prog_timed"), pin("map_test_clock"), frames);
    expect([...actions]).toEqual([XDP.drop, XDP.pass, XDP.drop, XDP.pass]);
  });

  test("keep the clock that was set", async () => {
    await probe.setClock(pin("map_test_clock"), 6_000_000_000n);
    expect([...(await probe.xdpRun(pin("prog_timed"), [Buffer.alloc(14)]))]).toEqual([XDP.pass]);
    await probe.setClock(pin("map_test_clock"), 1n);
    expect([...(await probe.xdpRun(pin("prog_timed"), [Buffer.alloc(14)]))]).toEqual([XDP.drop]);
  });

  test("refuse a frame without a whole Ethernet header", async () => {
    const run = probe.xdpRun(pin("prog_parity"), [Buffer.alloc(14), Buffer.alloc(13)]);
    await expect(run).rejects.toThrow(/packet 1 is shorter than an Ethernet header/);
    await expect(probe.setClock(pin("prog_parity"), 1n)).rejects.toThrow(/is a program, not a map/);
  });

  test.each(["xdpTime", "xdpTimeLoop"] as const)("%s gives every frame a time of its own", async (how) => {
    const short = await probe[how](pin("prog_slow"), [Buffer.alloc(14, 1), Buffer.alloc(14, 255)], 50);
    const [one = 0, other = 0] = short;
    expect(short).toHaveLength(2);
    expect(other).toBeGreaterThan(one + 200);
    for (const times of [0, 1_000_001]) {
      const run = probe[how](pin("prog_slow"), [Buffer.alloc(14)], times);
      await expect(run).rejects.toThrow(`cannot be run ${times} times`);
    }
    await expect(probe[how](pin("prog_slow"), [Buffer.alloc(13)], 1)).rejects.toThrow(/packet 0 is shorter/);
  });
});

describe("nft", () => {
  test("is refused before there is a namespace for it", async () => {
    const other = await Probe.start();
    try {
      await expect(other.nftLoad("flush ruleset")).rejects.toThrow(ProbeError);
      await expect(other.nftRun([udp4(80)])).rejects.toThrow(/nft\.open has not succeeded/);
    } finally {
      await other.close();
    }
  });

  test("tells what the kernel dropped, what the ruleset dropped, and what survived", async () => {
    await probe.nftOpen();
    await probe.nftLoad(RULESET);
    const cases: [string, Buffer, number][] = [
      ["IPv4 to the open port", udp4(80), NFT_VERDICT.survived],
      ["IPv4 to another", udp4(81), NFT_VERDICT.dropped],
      ["a bad IP checksum", udp4(80, 1), NFT_VERDICT.unreached],
      ["IPv6 to the open port", udp6(80), NFT_VERDICT.survived],
      ["IPv6 to another", udp6(81), NFT_VERDICT.dropped],
      ["no IP version", Buffer.alloc(40), NFT_VERDICT.unreached],
      ["no bytes", Buffer.alloc(0), NFT_VERDICT.unreached],
      ["half a header", udp4(80).subarray(0, 11), NFT_VERDICT.unreached],
    ];
    const verdicts = await probe.nftRun(cases.map(([, packet]) => packet));
    expect(cases.map(([name], i) => [name, verdicts[i]])).toEqual(cases.map(([name, , v]) => [name, v]));
    expect(await probe.nftCounters()).toEqual(
      new Map([
        ["rule-web", { packets: 2, bytes: 28 + 48 }],
        ["default", { packets: 2, bytes: 28 + 48 }],
      ]),
    );
  });

  test("loses nothing and mixes nothing up over many packets", async () => {
    await probe.nftLoad(RULESET);
    const kinds = [udp4(80), udp4(81), udp4(80, 1), udp6(80), udp6(81)];
    const expected = [2, 1, 0, 2, 1];
    const verdicts = await probe.nftRun(Array.from({ length: 200_000 }, (_, i) => kinds[i % 5] ?? udp4(80)));
    const counts = kinds.map(
      (_, kind) => verdicts.filter((v, i) => i % 5 === kind && v === expected[kind]).length,
    );
    expect(counts).toEqual([40_000, 40_000, 40_000, 40_000, 40_000]);
    expect((await probe.nftCounters()).get("rule-web")?.packets).toBe(80_000);
  });

  test("says how long packets took", async () => {
    const [few, many] = [await probe.nftTime([udp4(80)]), await probe.nftTime(Array(20_000).fill(udp4(80)))];
    expect(few).toBeGreaterThan(0);
    expect(many).toBeGreaterThan(few);
  });

  test("shows nft's own message, and keeps the ruleset that was there", async () => {
    await expect(probe.nftLoad("flush ruleset\nbogus\n")).rejects.toThrow(
      /line 2:\d+-\d+: Error: syntax error/,
    );
    expect((await probe.nftCounters()).size).toBe(2);
  });
});

test("the sanitizers find no fault and no leak", () => {
  execFileSync("make", ["-s", "-C", join(packageRoot(), "runtime/probe"), "asan"]);
  const hooks = join(packageRoot(), "dist/runtime/probe/hooks.bpf.o");
  const packet = udp4(80);
  const size = Buffer.from(Uint32Array.of(packet.length).buffer);
  const timed = Buffer.concat([Buffer.alloc(8), size, packet]);
  const requests = [
    ["ok", "xdp.run", pin("prog_parity"), Buffer.concat([size, packet, size, packet])],
    ["error", "xdp.run", pin("prog_parity"), Buffer.concat([size, packet.subarray(1)])],
    ["error", "xdp.run", pin("prog_parity"), Buffer.from([1, 2])],
    ["error", "xdp.run", pin("prog_parity"), Buffer.from("ffffffff00", "hex")],
    ["ok", "xdp.run-timed", pin("prog_timed"), pin("map_test_clock"), timed],
    ["error", "xdp.run-timed", pin("prog_timed"), pin("map_test_clock"), timed.subarray(0, 11)],
    ["error", "xdp.run-timed", pin("prog_timed"), pin("prog_timed"), timed],
    ["ok", "xdp.time", pin("prog_parity"), "3", Buffer.concat([size, packet, size, packet])],
    ["error", "xdp.time", pin("prog_parity"), "0", Buffer.concat([size, packet])],
    ["ok", "xdp.time-loop", pin("prog_parity"), "3", Buffer.concat([size, packet])],
    ["error", "xdp.time-loop", pin("map_test_clock"), "3", Buffer.concat([size, packet])],
    ["error", "nft.run", Buffer.concat([size, packet])],
    ["error", "nft.time", Buffer.concat([size, packet])],
    ["error", "nft.open", join(folder, "none.o")],
    ["error", "nft.open", hooks],
  ] as const;
  const opened = [
    ["ok", "nft.open", hooks],
    ["error", "nft.open", hooks],
    ["ok", "nft.load", RULESET],
    ["ok", "nft.run", Buffer.concat([size, packet, Buffer.alloc(4)])],
    ["error", "nft.run", Buffer.concat([size, packet, Buffer.alloc(3)])],
    ["ok", "nft.time", Buffer.concat([size, packet, Buffer.alloc(4)])],
    ["error", "nft.time", Buffer.concat([size, packet, Buffer.alloc(3)])],
    ["ok", "nft.counters"],
  ] as const;
  const binary = join(packageRoot(), "dist/runtime/probe/tidegate-probe.asan");
  for (const list of [requests, opened]) {
    const input = Buffer.concat(list.map(([, ...request]) => encodeFrame(request)));
    const { status, stdout, stderr } = spawnSync(binary, { input });
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: "" });
    const heads: string[] = [];
    for (let rest = stdout; rest.length > 0; rest = rest.subarray(4 + rest.readUInt32LE())) {
      heads.push(rest.subarray(12, 12 + rest.readUInt32LE(8)).toString());
    }
    expect(heads).toEqual(list.map(([head]) => head));
  }
}, 120_000);
