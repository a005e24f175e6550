import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { AcmeEdge, acme, globex, NODE, owned } from "../support/acme-edge.js";
import type { RuntimeError } from "../support/edge-server.js";
import { address, rule } from "../support/ir.js";

/** Both copies of what is recorded of one customer are damaged: what its bundle and the kernel say holds, and others are untouched. */

let edge: AcmeEdge;
let bundle: string;
let other: string;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  bundle = edge.bundle("acme", acme());
  other = edge.bundle("globex", globex());
  await edge.server.apply(other, NODE);
  await edge.server.apply(bundle, NODE);
});

afterAll(() => edge?.server.end());

const STATE = "/run/tidegate";
const damage = (file: string) =>
  edge.server.run(["sh", "-c", `for f in ${STATE}/${file} ${STATE}/twins/${file}; do echo "{" > $f; done`]);
const RECORD = "customers/acme/state.json";

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    ({ code }: RuntimeError) => code,
  );
}

const drift = async () => {
  const { node, customers } = await edge.server.status();
  return [node, ...customers].map((one) => one.drift);
};

/** As the daemon sees it. */
function inForce(): string {
  const script = `
    const { customersInForce } = await import(${JSON.stringify(join(packageRoot(), "dist/runtime/host.js"))});
    console.log((await customersInForce(${JSON.stringify(STATE)})).map(({ customer }) => customer).join());`;
  return edge.server.run(["node", "--input-type=module", "-e", script]).trim();
}

/** Through the tunnel and back: Acme's policy is in force. */
const expectJudged = () => expect([edge.connect(21), edge.connect(22)]).toEqual(["refused", "silence"]);

describe("its record", () => {
  test("is drift, and not the node's nor another customer's", async () => {
    const [before] = (await edge.server.status()).customers;
    damage(RECORD);
    expect(await drift()).toEqual([[], ["record"], []]);
    const [{ since: _, ...after }] = (await edge.server.status()).customers;
    const { since: __, ...rest } = before;
    expect(after).toEqual({ ...rest, drift: ["record"] });
  });

  test("does not keep others from being changed", async () => {
    const changed = { ...globex(), mitigate: [rule("bogons", "drop", address("ip.src", "10.0.0.0/8"))] };
    await edge.server.apply(edge.bundle("globex-2", changed), NODE);
    expect(await drift()).toEqual([[], ["record"], []]);
    expectJudged();
  });

  test("leaves it what it has: its prefixes, its names, its place", async () => {
    const owners = { ...NODE.owners, initech: ["203.0.113.0/24", "198.18.65.0/24"] };
    const node = { ...NODE, owners };
    const initech = (prefix: string) =>
      edge.bundle("initech", { ...globex(), customer: "initech", prefixes: [owned(prefix)] });
    expect(await codeOf(edge.server.apply(initech("203.0.113.0/24"), node))).toBe("TG5008");
    await edge.server.apply(initech("198.18.65.0/24"), node);
    expect(await drift()).toEqual([[], ["record"], [], []]);
    expectJudged();
    await edge.server.remove("initech");
    expect(await drift()).toEqual([[], ["record"], []]);
    expectJudged();
  });

  test("is mended by the same bundle", async () => {
    expect(await edge.server.apply(bundle, NODE)).toMatchObject({ changed: true });
    expect(await drift()).toEqual([[], [], []]);
    expectJudged();
  });

  test("that is missing, both copies, is as one that is damaged", async () => {
    edge.server.run(["rm", `${STATE}/${RECORD}`, `${STATE}/twins/${RECORD}`]);
    expect(await drift()).toEqual([[], ["record"], []]);
    expect(inForce()).toBe("acme,globex");
    const again = { ...globex(), mitigate: [rule("others", "drop", address("ip.src", "10.1.0.0/16"))] };
    await edge.server.apply(edge.bundle("globex-3", again), NODE);
    expectJudged();
    expect(await edge.server.apply(bundle, NODE)).toMatchObject({ changed: true });
    expect(await drift()).toEqual([[], [], []]);
    expectJudged();
  });

  test("is mended by another bundle", async () => {
    damage(RECORD);
    await edge.server.apply(edge.bundle("acme-2", acme({ mitigate: [] })), NODE);
    expect(await drift()).toEqual([[], [], []]);
    expectJudged();
  });

  test("goes with it", async () => {
    damage(RECORD);
    await edge.server.remove("acme");
    expect(edge.server.run(["ls", "/run/netns"])).not.toContain("tg-acme");
    expect(await drift()).toEqual([[], []]);
    await edge.server.apply(bundle, NODE);
  });
});

test("the note of a change that was cut short: it is ended by what there is", async () => {
  const write = `for f in ${STATE}/notes ${STATE}/twins/notes; do mkdir -p $f; echo "{" > $f/acme.json; done`;
  edge.server.run(["sh", "-c", write]);
  await edge.server.apply(other, NODE);
  expect(await drift()).toEqual([[], [], []]);
  expectJudged();
});

test("its record and its bundle: nobody can say what it has, so nothing is changed, and it is judged as before", async () => {
  const { customers } = await edge.server.status();
  damage(RECORD);
  const { generation } = customers.find(({ name }: { readonly name: string }) => name === "acme");
  edge.server.run(["sh", "-c", `echo "{" > ${STATE}/customers/acme/bundle-${generation}/manifest.json`]);
  expect(await codeOf(edge.server.apply(bundle, NODE))).toBe("TG9011");
  expect(await codeOf(edge.server.apply(other, NODE))).toBe("TG9011");
  expectJudged();
});
