import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { packageRoot } from "../../runtime/native-process.js";
import { AcmeEdge, acme, NODE } from "../support/acme-edge.js";
import { writeEdge } from "../support/daemon.js";
import { address, rule } from "../support/ir.js";
import { A, B } from "../support/two-policies.js";

/**
 * How long a change takes, from the call to the answer: docs/runtime.md, "How fast". Changes take turns with what the kernel and
 * nft(8) need for the customer's firewall alone, so that a busy machine slows both.
 */

const CHANGES = Number(process.env["CHANGES"] ?? 30);

/** More than the verifier would take one by one: the program looks them up in data beside it. */
const LISTED = 10_000;

interface Times {
  readonly answer: readonly number[];
  readonly nft: readonly number[];
}

function listed(second: number) {
  const hosts = Array.from({ length: LISTED }, (_, i) => `10.${second}.${i >> 8}.${i & 255}`);
  return acme({ mitigate: [rule("listed", "drop", address("ip.src", ...hosts))] });
}

/** In one process that has started already, as `tidegated` has. */
async function inOneProcess(edge: AcmeEdge, bundles: readonly [string, string]): Promise<Times> {
  const script = `
    import { spawnSync } from "node:child_process";
    const { apply } = await import(${JSON.stringify(join(packageRoot(), "dist/runtime/apply.js"))});
    const bundles = ${JSON.stringify(bundles)}, node = ${JSON.stringify(NODE)};
    const times = { answer: [], nft: [] };
    await apply({ bundle: bundles[1], node });
    for (let i = 0; i < ${CHANGES}; i++) {
      const bundle = bundles[i % 2];
      const start = performance.now();
      let rest;
      await apply({ bundle, node, afterwards: (ending) => { rest = ending; } });
      times.answer.push(performance.now() - start);
      await rest;
      const again = performance.now();
      spawnSync("nsenter", ["--net=/run/netns/site", "nft", "-f", bundle + "/nft/acme.nft"]);
      times.nft.push(performance.now() - again);
      spawnSync("nsenter", ["--net=/run/netns/site", "nft", "flush", "ruleset"]);
    }
    console.log(JSON.stringify(times));`;
  return JSON.parse(edge.server.run(["node", "--input-type=module", "-e", script]));
}

/** By the command line, with Node's own start and reading edge.ts: to the printed answer, and to the end. */
async function byCommand(edge: AcmeEdge, bundles: readonly [string, string]) {
  const file = writeEdge(join(edge.server.folder, "edge.ts"), NODE);
  const command = join(packageRoot(), "dist/bin/tidegate.js");
  const [answer, end]: [number[], number[]] = [[], []];
  for (let i = 0; i < CHANGES; i++) {
    const argv = ["node", command, "apply", bundles[i % 2] ?? "", "--edge", file, "--json"];
    const [program, ...args] = edge.server.enter(argv);
    const start = performance.now();
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.once("data", () => answer.push(performance.now() - start));
    const [status] = await once(child, "close");
    if (status !== 0) throw new Error(`tidegate apply ended with ${status}`);
    end.push(performance.now() - start);
  }
  return { answer, end };
}

function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function row(name: string, times: readonly number[], base?: readonly number[]): string {
  const [p50, p90] = [quantile(times, 0.5), quantile(times, 0.9)];
  const ratio = base ? (p50 / quantile(base, 0.5)).toFixed(1) : "";
  return `| ${name} | ${p50.toFixed(0)} | ${p90.toFixed(0)} | ${ratio} |`;
}

const edge = await AcmeEdge.start();
try {
  const changes = [edge.bundle("a", A()), edge.bundle("b", B(false))] as const;
  const lists = [edge.bundle("one", listed(1)), edge.bundle("two", listed(2))] as const;
  const [change, list] = [await inOneProcess(edge, changes), await inOneProcess(edge, lists)];
  const command = await byCommand(edge, changes);
  console.log("| to the answer | p50 ms | p90 ms | × nft -f |\n|---|---|---|---|");
  console.log(row("a change, in a process that runs", change.answer, change.nft));
  console.log(row(`a list of ${LISTED}, in a process that runs`, list.answer, list.nft));
  console.log(row("a change, `tidegate apply`", command.answer));
  console.log(row("the same, to its end", command.end));
  console.log(row("`nft -f` of the same firewall", change.nft, change.nft));
} finally {
  await edge.server.end();
}
