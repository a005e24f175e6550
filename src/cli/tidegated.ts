#!/usr/bin/env node
import { isIP } from "node:net";
import { Command, CommanderError, Option } from "commander";
import { takeCommands } from "../../runtime/daemon/commands.js";
import { Daemon } from "../../runtime/daemon/daemon.js";
import { kernelEngine } from "../../runtime/daemon/engine.js";
import { journal } from "../../runtime/daemon/journal.js";
import { notifier } from "../../runtime/daemon/systemd.js";
import { Prober } from "../../runtime/health/prober.js";
import { readCounts } from "../../runtime/metrics/counts.js";
import { Metrics } from "../../runtime/metrics/metrics.js";
import { serveMetrics } from "../../runtime/metrics/server.js";
import { recoverNode } from "../../runtime/restart.js";
import { Paths } from "../../runtime/state.js";
import { requireOwnFolder } from "../../runtime/trust/own-folder.js";
import { readEdge } from "./edge/read-edge.js";
import type { EdgeReading } from "./edge/reading.js";
import { EXIT, UsageError } from "./exit.js";
import { handedOver } from "./handed-over.js";
import { reason } from "./io/read-source.js";
import { storeOf } from "./io/store.js";
import { printProblem } from "./render/problem.js";
import { version } from "./version.js";

interface Options {
  readonly node: string;
  readonly store: string;
  readonly stateDir: string;
  readonly memoryDir: string;
  readonly metrics: string;
  readonly poll: string;
  readonly look: string;
  readonly probeFrom: readonly string[];
}

/** The daemon of an edge server: keeps it at what a store wants. */
function program(): Command {
  return new Command("tidegated")
    .description("Keeps this edge server at what a store of policies wants (docs/daemon.md).")
    .version(version())
    .requiredOption("--node <file>", "the operator's edge.ts")
    .requiredOption("--store <store>", "where policies come from, such as dir:/srv/tidegate")
    .option("--metrics <address>", "where Prometheus asks, or `off`", "127.0.0.1:9821")
    .option("--poll <seconds>", "how often the store is asked, should its watch miss something", "10")
    .option("--look <seconds>", "how often the node is looked at, and mended", "30")
    .option(
      "--probe-from <address>",
      "this server's own address, to which routers answer; once a family",
      both,
      [],
    )
    .addOption(new Option("--state-dir <dir>", "where the node keeps its state").default("/run/tidegate"))
    .option("--memory-dir <dir>", "where a node with keys remembers what it had", "/var/lib/tidegate")
    .exitOverride()
    .showHelpAfterError("(see tidegated --help)")
    .action(run);
}

async function run(options: Options): Promise<void> {
  const { stateDir } = options;
  // Before anything is read or written there, as root.
  await requireOwnFolder(stateDir);
  const say = journal((line) => process.stdout.write(line), process.env);
  const engine = kernelEngine(stateDir, options.memoryDir);
  const prober = new Prober({ stateDir, say, probeFrom: options.probeFrom });
  const metrics = new Metrics(() => readCounts(stateDir, prober.report()));
  const address = metricsAddress(options.metrics);
  let reading: EdgeReading | undefined;
  const daemon = new Daemon({
    store: storeOf(options.store),
    engine,
    stateDir,
    recover: async () => (await recoverNode({ stateDir })).customers,
    readNode: () => {
      reading = readNode(options.node);
      return reading.config;
    },
    pollMs: milliseconds("--poll", options.poll),
    lookMs: milliseconds("--look", options.look),
    say,
    observer: metrics,
    notifier: notifier(process.env),
  });
  // Not the signal's usual end: the change that is under way comes first.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => daemon.stop());
  process.on("SIGHUP", () => daemon.reload());
  const server = address && (await serve(metrics, address));
  const handler = handedOver({ stateDir, engine, reading: () => reading, say, observer: metrics });
  const commands = await takeCommands(new Paths(stateDir).commands(), handler).catch((error: unknown) => {
    say("warning", `\`tidegate apply\` does its work itself: cannot listen for it: ${reason(error)}`);
  });
  const probing = prober.run();
  await daemon.run();
  prober.stop();
  await probing;
  await commands?.close();
  await server?.close();
}

function serve(metrics: Metrics, address: { readonly host: string; readonly port: number }) {
  return serveMetrics(metrics, address).catch((error: unknown) => {
    throw new UsageError(`--metrics: cannot listen there: ${reason(error)}`);
  });
}

function readNode(file: string): EdgeReading {
  const reading = readEdge(file);
  if (!reading) throw new UsageError(`${file} has errors; they were printed before this line`);
  return reading;
}

function metricsAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  if (text === "off") return undefined;
  const [, host = "", port = ""] = /^(?:\[?([^[\]]*)\]?:)(\d{1,5})$/.exec(text) ?? [];
  if (host === "" || Number(port) > 65535)
    throw new UsageError(`--metrics: \`${text}\` is not an address with a port, such as 127.0.0.1:9821`);
  return { host, port: Number(port) };
}

/** An option that may be given twice. */
function both(address: string, before: readonly string[]): readonly string[] {
  if (isIP(address) === 0) throw new UsageError(`--probe-from: \`${address}\` is not an address`);
  return [...before, address];
}

function milliseconds(option: string, text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86_400))
    throw new UsageError(`${option}: \`${text}\` is not a number of seconds, up to a day`);
  return seconds * 1000;
}

try {
  await program().parseAsync();
} catch (problem) {
  if (problem instanceof CommanderError) process.exitCode = problem.exitCode === 0 ? EXIT.ok : EXIT.usage;
  else process.exitCode = printProblem(problem);
}
