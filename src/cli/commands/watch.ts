import pc from "picocolors";
import type { WatchedPacket } from "../../../runtime/watch/judge.js";
import { watch } from "../../../runtime/watch/watch.js";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import { EXIT, UsageError } from "../exit.js";
import { renderSummary, renderWatched, watchedJson } from "../render/watched.js";

interface WatchCommand {
  readonly stateDir: string;
  readonly stage?: "mitigate" | "firewall";
  readonly rule?: string;
  readonly verdict?: "drop" | "reject" | "allow";
  readonly sample?: string;
  readonly count?: string;
  readonly json?: boolean;
}

/** `tidegate watch`: packets as this edge server judges them, one a line, until Ctrl-C. */
export async function watchPackets(customers: readonly string[], options: WatchCommand): Promise<number> {
  const { stateDir, stage, rule, verdict, json = false } = options;
  const sample = positive(options.sample, "--sample") ?? 1;
  const count = positive(options.count, "--count") ?? Number.POSITIVE_INFINITY;
  const end = new AbortController();
  const render = json ? (packet: WatchedPacket) => JSON.stringify(watchedJson(packet)) : renderWatched;
  let shown = 0;
  const stop = () => end.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop).once("SIGHUP", stop);
  // `tidegate watch | head`: nobody reads on.
  process.stdout.once("error", stop);
  const summary = await watch({
    stateDir,
    customers,
    ...(stage === undefined ? {} : { stage }),
    ...(rule === undefined ? {} : { rule }),
    sample,
    suggest: didYouMean,
    onPacket: (packet) => {
      if (shown >= count || !isAskedFor(packet, verdict)) return;
      console.log(render(packet));
      if (++shown >= count) stop();
    },
    onNote: (text) => console.error(`${pc.yellow("tidegate:")} ${text}`),
    until: end.signal,
  });
  console.error(renderSummary(summary, shown));
  return EXIT.ok;
}

/** Without a word about it: what does not get through. */
function isAskedFor(packet: WatchedPacket, verdict: WatchCommand["verdict"]): boolean {
  return verdict === undefined ? packet.verdict !== "allow" : packet.verdict === verdict;
}

function positive(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || number < 1 || number > MOST)
    throw new UsageError(`${option} takes a number from 1 to ${MOST}, not ${JSON.stringify(text)}`);
  return number;
}

/** Of 32 bits, with room. */
const MOST = 1_000_000_000;
