import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { AcmeEdge, acme, CHICAGO, owned } from "../support/acme-edge.js";
import { address, rule } from "../support/ir.js";

/**
 * What is done for one customer does not depend on how many others there are: counted are commands, requests to the loader and
 * changes of files, which say the same on every machine. `npm run scale` measures the time (docs/runtime.md, "Scale").
 */

const FEW = 1;
const MANY = 5;
const ADDED = MANY - FEW;

const name = (index: number) => `c${index}`;
const network = (index: number) => `100.64.${index}.0/24`;

const NODE: NodeConfig = {
  schema: 1,
  uplinks: ["up0", "up1"],
  anycast: ["198.18.0.1"],
  owners: Object.fromEntries(Array.from({ length: MANY }, (_, index) => [name(index), [network(index)]])),
};

let edge: AcmeEdge;

beforeAll(async () => {
  edge = await AcmeEdge.start();
});
afterAll(() => edge?.server.end());

function bundleOf(index: number, bogon = "10.0.0.0/8"): string {
  const prefix = owned(network(index));
  const policy: Policy = acme({
    customer: name(index),
    prefixes: [prefix],
    mitigate: [rule("bogons", "drop", address("ip.src", bogon))],
    tunnels: [{ ...CHICAGO, key: index }],
    routes: [{ ...prefix, tunnel: "chicago", priority: 100, weight: 1 }],
  });
  return edge.bundle(`${name(index)}-${bogon.length}`, policy);
}

const module = (file: string) => JSON.stringify(join(packageRoot(), `dist/runtime/${file}.js`));

/** How much a call of the runtime does to the machine, but for looks at files (test/faults/injector.mjs). */
async function actions(file: string, call: string): Promise<number> {
  const injector = JSON.stringify(join(packageRoot(), "test/faults/injector.mjs"));
  const script = `import { arm, disarm } from ${injector};
    const { ${call.slice(0, call.indexOf("("))} } = await import(${module(file)});
    arm(null);
    await ${call};
    console.log(disarm().filter(({ sort }) => sort !== "look").length);`;
  const [command, ...args] = edge.server.enter(["node", "--input-type=module", "-e", script]);
  const { stdout } = await promisify(execFile)(command, args);
  return Number(stdout);
}

async function whatIsDone(generation: number) {
  const bundle = bundleOf(0, generation % 2 === 0 ? "10.0.0.0/8" : "172.16.0.0/12");
  return {
    change: await actions("apply", `apply(${JSON.stringify({ bundle, node: NODE })})`),
    status: await actions("status", "status({})"),
    metrics: await actions("metrics/counts", 'readCounts("/run/tidegate")'),
  };
}

test("a change among many customers does what a change among few does; all else grows with their number alone", async () => {
  await edge.server.apply(bundleOf(0), NODE);
  const few = await whatIsDone(1);
  for (let index = FEW; index < MANY; index++) await edge.server.apply(bundleOf(index), NODE);
  const many = await whatIsDone(2);
  expect(few.change).toBeGreaterThan(10);
  // Not less than these: what two ask for at the same moment is done once.
  expect(many.change).toBeLessThan(few.change + ADDED);
  expect(many.status).toBeLessThan(few.status * MANY);
  expect(many.metrics).toBeLessThan(few.metrics * MANY);
  const { customers } = await edge.server.status();
  expect(customers.map(({ drift }: { readonly drift: readonly string[] }) => drift)).toEqual(
    Array(MANY).fill([]),
  );
}, 120_000);
