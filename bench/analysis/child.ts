import { readFileSync } from "node:fs";
import { comparePolicies } from "../../src/compiler/analysis/diff/compare.js";
import { possible } from "../../src/compiler/analysis/possible.js";
import { findingsOf } from "../../src/compiler/analysis/shadow.js";
import { spaceOf } from "../../src/compiler/analysis/space.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { readPolicyText } from "../front-end.js";

/** The analyses of two policies' `mitigate` rules, timed in a process that has done nothing like it before. */

/** One line of JSON on standard output. */
export interface AnalysisFigures {
  readonly findings: number;
  /** Rules of which it could not be told. */
  readonly undecided: number;
  readonly shadowMs: number;
  readonly regions: number;
  /** Parts that were not compared. */
  readonly open: number;
  readonly diffMs: number;
}

function main(oldFile: string, newFile: string): void {
  const [before, after] = [oldFile, newFile].map((file) =>
    withRoutes(readPolicyText(file, readFileSync(file, "utf8"))),
  );
  if (!before || !after) throw new Error("two policies are compared");
  const [{ findings, undecided }, shadowMs] = timed(() => shadow(before));
  const [{ differences, open }, diffMs] = timed(() => comparePolicies(before, after));
  const figures: AnalysisFigures = {
    ...{ findings: findings.length, undecided: undecided.length, shadowMs },
    ...{ regions: differences.length, open: open.length, diffMs },
  };
  process.stdout.write(JSON.stringify(figures));
}

/** Who owns all destinations has none left for a tunnel's end; but packets without a route are all dropped, and so all alike. */
function withRoutes(policy: Policy): Policy {
  const { span } = policy;
  const tunnel = {
    name: "home",
    remote: { family: 4, value: 0n },
    ttl: 64,
    mtu: 1476,
    key: null,
    kind: "gre",
    dscp: "inherit",
    df: "set",
    mss: null,
    span,
  } as const;
  const routes = policy.prefixes.map(({ prefix }) => {
    return { prefix, tunnel: tunnel.name, priority: 100, weight: 1, span };
  });
  return { ...policy, tunnels: [tunnel], routes };
}

function shadow({ mitigate, prefixes, lists }: Policy) {
  const space = spaceOf([mitigate]);
  const world = possible(space, { prefixes, whole: false });
  return findingsOf({ rules: mitigate, byDefault: "allow", lists, space, world });
}

/** In milliseconds of processors: others may work on this machine. */
function timed<T>(run: () => T): readonly [T, number] {
  const started = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(started);
  return [result, (user + system) / 1000];
}

main(process.argv[2] ?? "", process.argv[3] ?? "");
