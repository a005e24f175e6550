import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../runtime/native-process.js";
import { AcmeEdge, acme, NODE } from "../support/acme-edge.js";
import { RunningDaemon, writeEdge } from "../support/daemon.js";
import { address, rule } from "../support/ir.js";
import { A, B } from "../support/two-policies.js";
import { type Row, table } from "./table.js";
import { type Bundles, byCommand, byStore, inOneProcess, times } from "./ways.js";

/**
 * How long a change takes, from the call to the answer: docs/runtime.md, "How fast". Changes take turns with what the kernel and
 * nft(8) need for the customer's firewall alone, so that a busy machine slows both.
 */

const CHANGES = Number(process.env["CHANGES"] ?? 21);

/** More than the verifier would take one by one: the program looks them up in data beside it. */
const LISTED = 10_000;

const BARS = { change: 100, list: 50 } as const;

function listed(second: number) {
  const hosts = Array.from({ length: LISTED }, (_, i) => `10.${second}.${i >> 8}.${i & 255}`);
  return acme({ mitigate: [rule("listed", "drop", address("ip.src", ...hosts))] });
}

/** Both kinds of a change, the same way. */
async function both(
  way: string,
  kinds: Readonly<Record<keyof typeof BARS, Bundles>>,
  measure: (bundles: Bundles) => Promise<readonly number[]>,
): Promise<readonly Row[]> {
  return [
    { name: `a change, ${way}`, times: await measure(kinds.change), bar: BARS.change },
    { name: `a list of ${LISTED}, ${way}`, times: await measure(kinds.list), bar: BARS.list },
  ];
}

async function measure(edge: AcmeEdge): Promise<string> {
  const kinds = {
    change: [edge.bundle("a", A()), edge.bundle("b", B(false))],
    list: [edge.bundle("one", listed(1)), edge.bundle("two", listed(2))],
  } as const;
  const file = writeEdge(join(edge.server.folder, "edge.ts"), NODE);
  const root = join(edge.server.folder, "store");
  mkdirSync(root);
  const nft: number[] = [];
  const running = await both("in a process that runs", kinds, async (bundles) => {
    const measured = await inOneProcess(edge, bundles, CHANGES);
    nft.push(...measured.nft);
    return measured.answer;
  });
  const command = (apart: boolean) => async (bundles: Bundles) =>
    (await byCommand(edge, bundles, CHANGES, { file, apart })).answer;
  const alone = await both("`tidegate apply` without a daemon", kinds, command(false));
  const ended = await byCommand(edge, kinds.change, CHANGES, { file, apart: false });
  const args = ["--node", file, "--store", `dir:${root}`, "--metrics", "off"];
  const daemon = RunningDaemon.start(edge.server, args);
  await daemon.says(/following/);
  const handed = await both("`tidegate apply` with tidegated", kinds, command(true));
  const atOnce = await command(false)(kinds.change);
  const published = await both("published, in force by tidegated", kinds, (bundles) =>
    byStore(root, daemon, bundles, CHANGES),
  );
  await daemon.end();
  const rows: readonly Row[] = [
    ...handed,
    { name: "a change, the same, at once behind another one of the customer", times: atOnce },
    ...running,
    ...published,
    ...alone,
    { name: "a change, the same, to the command's end", times: ended.end },
    ...(await starts()),
    { name: "`nft -f` of the same firewall", times: nft },
  ];
  return table(rows, nft);
}

/** What there is before any work begins. */
async function starts(): Promise<readonly Row[]> {
  const command = join(packageRoot(), "dist/runtime/handover/tidegate");
  const policy = join(packageRoot(), "examples/acme/acme.policy.ts");
  return [
    { name: "`node -e 0`", times: await times(["node", "-e", "0"], CHANGES) },
    { name: "`tidegate --help`", times: await times([command, "--help"], CHANGES) },
    { name: "`tidegate check` of an example", times: await times([command, "check", policy], CHANGES) },
  ];
}

const edge = await AcmeEdge.start();
try {
  console.log(await measure(edge));
} finally {
  await edge.server.end();
}
