import { type ChildProcess, execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../src/cli/package-root.js";
import { analyze } from "../../src/compiler/compile.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { Cleanup, stopRequested } from "./cleanup.js";
import { applyBundles, portrait, readCounters } from "./edges.js";
import { anyServer } from "./journeys/any-server.js";
import { bogon } from "./journeys/bogon.js";
import { bystander } from "./journeys/bystander.js";
import { deniedPort } from "./journeys/denied-port.js";
import { flood } from "./journeys/flood.js";
import { FTP, ftp } from "./journeys/ftp.js";
import { greBytes } from "./journeys/gre-bytes.js";
import { ipv6 } from "./journeys/ipv6.js";
import { isolation } from "./journeys/isolation.js";
import { leaving } from "./journeys/leaving.js";
import { malformed } from "./journeys/malformed.js";
import { EDGES, type Journey, type Lab, type Row } from "./lab.js";
import { Capture } from "./packets/capture.js";
import { end, finished, printed, spawnBound } from "./process.js";
import { isWatched, makeReport, type Report, type Travelled } from "./report.js";
import { connectSite, SITE_DEVICE } from "./sites.js";
import { actor, tidegate } from "./tools.js";
import { FLOODER, SITES, TOPOLOGY } from "./topology.js";
import { makeWorld, type World } from "./world.js";

/**
 * `npm run demo [-- WORD…]`: packets through real edges, each compared with what the reference says. With words,
 * only the journeys whose titles hold one of them.
 */

const POLICIES = ["examples/acme/acme.policy.ts", "examples/globex/globex.policy.ts"] as const;
const EDGE_FILE = join(packageRoot(), "examples", "edge.ts");

/** Where packets may end: host and device. */
const ENDS = [
  { host: "client", device: "eth0" },
  { host: "bystander", device: "eth0" },
  ...SITES.map(({ host }) => ({ host, device: SITE_DEVICE })),
];

/** The flood is counted, not captured. */
const ARRIVALS = `(ip or ip6) and not host ${FLOODER}`;

async function main(): Promise<number> {
  const report = makeReport(isWatched());
  if (process.getuid?.() !== 0) {
    report.failure("the demo makes network namespaces and loads BPF programs: run it as root");
    return 1;
  }
  const journeys = chosen(process.argv.slice(2));
  if (journeys.length === 0) {
    report.failure(
      `no journey has such a title; there are: ${JOURNEYS.map(({ title }) => title).join(", ")}`,
    );
    return 2;
  }
  const cleanup = new Cleanup();
  const stop = stopRequested();
  const demo = perform(report, cleanup, journeys);
  try {
    const status = await Promise.race([demo, stop]);
    if (status > 1) report.stop("interrupted; taking the lab down");
    return status;
  } catch (problem) {
    report.failure(problem instanceof Error ? problem.message : String(problem));
    return 1;
  } finally {
    await cleanup.run();
    // What was still going on fails now that its hosts are gone; what it made meanwhile goes, too.
    await demo.catch(() => undefined);
  }
}

async function perform(report: Report, cleanup: Cleanup, journeys: readonly Journey[]): Promise<number> {
  const started = performance.now();
  report.heading("Set-up");
  const policies = await report.step("read the policies", () => Promise.all(POLICIES.map(readPolicy)));
  const folder = await makeFolder(cleanup);
  const key = await report.step("make a key that the edges trust", () => makeKey(folder));
  const bundles = await report.step("compile them: XDP, nftables, routes; and sign them", () =>
    compile(cleanup, folder, key.file),
  );
  const world = await report.step("make a small internet of network namespaces", () => makeLab(cleanup));
  const drivers = await report.step("connect the customers' routers", () => connect(world, policies));
  report.note(`GRE at the routers: ${drivers.join(", ")}`);
  const found = new Map(
    await Promise.all(EDGES.map(async (edge) => [edge, await portrait(world.host(edge))] as const)),
  );
  await report.step("tidegate apply, on all three edges", async () => {
    await Promise.all(EDGES.map((edge) => applyBundles(world.host(edge), bundles, key.edgeFile)));
  });
  const arrivals = await report.step("start Acme's FTP server and the captures", () => populate(world));
  const lab: Lab = {
    world,
    policies,
    found,
    arrivals,
    counters: (edge) => readCounters(world.host(edge)),
  };

  report.heading("Journeys");
  const travelled = await travel(report, lab, journeys);
  await report.step("take the lab down", () => cleanup.run());
  return conclude(report, travelled, performance.now() - started);
}

const JOURNEYS: readonly Journey[] = [
  ftp,
  anyServer,
  deniedPort,
  bogon,
  malformed,
  flood,
  bystander,
  isolation,
  ipv6,
  greBytes,
  leaving,
];

function chosen(words: readonly string[]): readonly Journey[] {
  if (words.length === 0) return JOURNEYS;
  return JOURNEYS.filter(({ title }) =>
    words.some((word) => title.toLowerCase().includes(word.toLowerCase())),
  );
}

async function readPolicy(file: string): Promise<Policy> {
  const text = await readFile(join(packageRoot(), file), "utf8");
  const { policy, diagnostics } = analyze(file, text);
  if (policy) return policy;
  throw new Error(`${file}: ${diagnostics.map(({ code, message }) => `${code} ${message}`).join("; ")}`);
}

async function makeFolder(cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-demo-"));
  await cleanup.add(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A key for this run, and an operator's file with its line in it: what an operator does once, by hand. */
async function makeKey(folder: string): Promise<{ readonly file: string; readonly edgeFile: string }> {
  const name = join(folder, "demo");
  const [command = "", ...args] = tidegate("keygen", name, "--json");
  const { stdout } = await promisify(execFile)(command, args);
  const { key } = JSON.parse(stdout) as { readonly key: string };
  const edgeFile = join(folder, "edge.ts");
  const keys = `edge({\n  keys: { demo: { key: "${key}" } },`;
  await writeFile(edgeFile, (await readFile(EDGE_FILE, "utf8")).replace("edge({", keys));
  return { file: `${name}.key`, edgeFile };
}

/** The bundles' directories. */
async function compile(cleanup: Cleanup, folder: string, key: string): Promise<readonly string[]> {
  const compilers: ChildProcess[] = [];
  await cleanup.add(async () => {
    await Promise.all(compilers.map((compiler) => end(compiler)));
  });
  return Promise.all(
    POLICIES.map(async (file, index) => {
      const bundle = join(folder, String(index));
      const argv = tidegate("compile", join(packageRoot(), file), "-o", bundle, "--sign", key);
      const compiler = spawnBound(argv);
      compilers.push(compiler);
      await finished(compiler, argv);
      return bundle;
    }),
  );
}

async function makeLab(cleanup: Cleanup): Promise<World> {
  const world = await makeWorld(TOPOLOGY);
  await cleanup.add(() => world.remove());
  return world;
}

async function connect(world: World, policies: readonly Policy[]): Promise<readonly string[]> {
  return Promise.all(
    SITES.map(async (site) => {
      const policy = policies.find(({ customer }) => customer === site.customer);
      const tunnel = policy?.tunnels.find(({ name }) => name === site.tunnel);
      if (!tunnel) throw new Error(`no policy has a tunnel ${site.tunnel}`);
      return `${site.router} ${await connectSite(world, site, tunnel)}`;
    }),
  );
}

/** Starts what lives in the lab; gives the records of what arrives, by host. */
async function populate(world: World): Promise<ReadonlyMap<string, Capture>> {
  const server = world.host("acme-ftp").start(actor("ftp-server", FTP, "21"));
  await printed(server, "stdout", "listening");
  const captures = ENDS.map(
    async ({ host, device }) => [host, await Capture.start(world.host(host), device, ARRIVALS)] as const,
  );
  return new Map(await Promise.all(captures));
}

async function travel(report: Report, lab: Lab, journeys: readonly Journey[]): Promise<readonly Travelled[]> {
  const travelled: Travelled[] = [];
  for (const [index, journey] of journeys.entries()) {
    const rows = await report.journey(index + 1, journey, () => journey.travel(lab).catch(failedRow));
    travelled.push({ journey, rows });
  }
  return travelled;
}

/** A journey that breaks off is a failed check; the others still go on. */
function failedRow(problem: unknown): readonly Row[] {
  const kernel = problem instanceof Error ? problem.message : String(problem);
  return [
    { packet: "the journey broke off", verdict: "—", reference: "—", kernel, counters: "—", agrees: false },
  ];
}

function conclude(report: Report, travelled: readonly Travelled[], milliseconds: number): number {
  const rows = travelled.flatMap((one) => one.rows);
  const bad = rows.filter(({ agrees }) => !agrees).length;
  report.heading("Summary");
  report.summary(travelled);
  const time = `${(milliseconds / 1000).toFixed(0)} s`;
  if (bad > 0) report.failure(`${bad} of ${rows.length} checks differ from the reference (${time})`);
  else report.success(`${rows.length} checks, all as the reference says (${time})`);
  return bad === 0 ? 0 : 1;
}

process.exitCode = await main();
