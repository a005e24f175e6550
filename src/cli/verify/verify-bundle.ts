import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Bundle, bundleText, readBundle } from "../../../runtime/bundle.js";
import { failure } from "../../../runtime/failures.js";
import { parseAddress } from "../../compiler/ir/address.js";
import { CT_STATES } from "../../compiler/ir/fields.js";
import type { OuterHeader } from "../../compiler/semantics/encapsulate.js";
import type { TestPacket } from "../../verify/packets.js";
import { describeTrace } from "./answers.js";
import type { Check } from "./compare.js";
import { withFrame } from "./expected.js";
import { NftStage } from "./nft-stage.js";
import { PROOF_FILE, type Proof, type ProofRow, packetOfText, proofSchema } from "./proof.js";
import { measureRate, type RateReport } from "./rates.js";
import { runChecks, type Verified } from "./run-check.js";
import { Scratch } from "./scratch.js";
import { type Expected, sentInto } from "./stage.js";
import { counterNames } from "./xdp-program.js";
import { XdpStage } from "./xdp-stage.js";

type OnProgress = (what: string, done: number, of: number) => void;

/** Holds this machine's kernel, with the bundle's own files in it, against the bundle's proof. */
export async function verifyBundle(folder: string, onProgress: OnProgress): Promise<Verified> {
  const bundle = await readBundle(folder);
  const proof = await readProof(bundle);
  const rows = proof.packets.map((row) => ({ row, packet: packetOf(row.packet, row.why) }));
  const rowOf = new Map(rows.map(({ row, packet }) => [packet.bytes, row]));
  onProgress("loading", 0, 1);
  const scratch = await Scratch.start();
  try {
    const [xdp, nft] = [await loadXdp(bundle, scratch), await loadNft(bundle, proof)];
    try {
      const checks = [checkOfXdp(xdp, rowOf, tunnelsOf(proof)), checkOfNft(nft, rowOf)];
      const reference = (packets: readonly TestPacket[]) => recorded(rowOf, packets);
      const packets = rows.map(({ packet }) => packet);
      const verified = await runChecks(checks, packets, reference, onProgress);
      return { ...verified, mutants: null, rates: await measureRates(proof, xdp, nft) };
    } finally {
      await nft.unload();
    }
  } finally {
    await scratch.close();
  }
}

async function readProof(bundle: Bundle): Promise<Proof> {
  const text = await bundleText(bundle, PROOF_FILE);
  try {
    return proofSchema.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(error instanceof z.ZodError ? z.prettifyError(error) : String(error));
  }
}

function unreadable(problem: string): Error {
  const hint = "is it from another version of Tidegate? compile the policy again with this one";
  return failure("TG5001", { file: PROOF_FILE, problem: problem.replaceAll("\n", " ") }, hint);
}

function packetOf(text: string, why: string): TestPacket {
  const [packet] = packetOfText(text, why);
  if (!packet) throw unreadable(`\`${text}\` is not a packet`);
  return packet;
}

async function loadXdp({ dir, manifest }: Bundle, scratch: Scratch): Promise<XdpStage> {
  return XdpStage.load(scratch, {
    object: await readFile(join(dir, `xdp/${manifest.customer}.bpf.o`)),
    prefixes: manifest.prefixes,
    tables: manifest.tables,
    read: (file) => readFile(join(dir, file)),
    counters: counterNames(manifest.mitigate, manifest.firewall.early ? manifest.firewall.rules : null),
    tunnels: manifest.datapath === "xdp" ? manifest.tunnels : null,
    testClock: false,
    remembers: manifest.mitigate.some(({ action }) => action === "limit"),
  });
}

async function loadNft(bundle: Bundle, { stateful }: Proof): Promise<NftStage> {
  const { customer, firewall } = bundle.manifest;
  const ruleset = await bundleText(bundle, `nft/${customer}.nft`);
  const remembers = firewall.rules.some(({ action }) => action === "limit");
  return NftStage.load({ ruleset, stateful, remembers });
}

type Rows = ReadonlyMap<Uint8Array, ProofRow>;

/** Of other packets than the proof's nothing is known, so none is made smaller. */
const NONE = () => [];

function checkOfXdp(stage: XdpStage, rows: Rows, tunnels: Tunnels): Check {
  const expect = (packet: TestPacket) =>
    read(rows.get(packet.bytes)?.xdp).map((one) => withFrame(one, packet, enteredBy(one, tunnels)));
  return {
    stage,
    asks: () => true,
    expect: (packets) => packets.flatMap(expect),
    simpler: NONE,
  };
}

function checkOfNft(stage: NftStage, rows: Rows): Check {
  const expect = ({ bytes, surroundings: { connection } }: TestPacket) => {
    const nft = rows.get(bytes)?.nft;
    if (connection === CT_STATES.invalid) return nft?.invalid ?? nft?.new;
    return connection === CT_STATES.untracked ? (nft?.untracked ?? nft?.new) : nft?.new;
  };
  return {
    stage,
    asks: ({ bytes }) => rows.get(bytes)?.nft != null,
    expect: (packets) => packets.flatMap((packet) => read(expect(packet))),
    simpler: NONE,
  };
}

/** What is written before packets, by the counter of the tunnel that they go into. */
type Tunnels = ReadonlyMap<string, OuterHeader>;

function tunnelsOf({ tunnels = [] }: Proof): Tunnels {
  return new Map(
    tunnels.map(({ name, remote: text, ttl, key }) => {
      const remote = parseAddress(text);
      if (remote?.family !== 4) throw unreadable(`\`${text}\` is not an IPv4 address`);
      return [sentInto(name), { remote, ttl, key }];
    }),
  );
}

function enteredBy({ counted }: Expected, tunnels: Tunnels): OuterHeader | undefined {
  return counted.flatMap((counter) => tunnels.get(counter) ?? [])[0];
}

function read(row: ProofRow["xdp"] | undefined): readonly Expected[] {
  if (!row) return [];
  const [verdict, ...counted] = row;
  return [{ verdict, counted }];
}

function recorded(rows: Rows, packets: readonly TestPacket[]): string {
  const row = packets.slice(-1).map(({ bytes }) => rows.get(bytes))[0];
  return row ? describeTrace({ ...row, held: false }) : "nothing";
}

/** Limits of both stages by the kernel's own clock: what is loaded is what an edge server runs. */
async function measureRates(proof: Proof, xdp: XdpStage, nft: NftStage): Promise<readonly RateReport[]> {
  const reports: RateReport[] = [];
  for (const { stage, rule, packet, burst, interval } of proof.limits) {
    const probe = { stage, rule, packet: packetOf(packet, rule) };
    const terms = { burst: BigInt(burst), interval: BigInt(interval) };
    reports.push(await measureRate(stage === "mitigate" ? xdp : nft, { ...probe, ...terms }));
  }
  return reports;
}
