import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { frameOf } from "../../src/cli/verify/frame.js";
import { packetOfText } from "../../src/cli/verify/proof.js";
import { Scratch } from "../../src/cli/verify/scratch.js";
import { loadCustomer, loadRoot, timedProgram } from "../../src/cli/verify/xdp-program.js";
import type { Policy, Rule } from "../../src/compiler/ir/policy.js";
import { emit } from "../../src/targets/xdp/emit.js";
import { dataOf } from "../../src/targets/xdp/tables.js";
import { AcmeEdge, acme, NODE } from "../support/acme-edge.js";
import { address, and, number, rule } from "../support/ir.js";

/** Other data for the same program. */

const COUNT = 40;
const SOURCES = ["192.0.2.7", "198.51.100.7", "203.0.114.9", "198.18.3.4"];

/** Each drops one source's packets to one port. In another order their places in the data are others. */
function rules(order: (index: number) => number): readonly Rule[] {
  return Array.from({ length: COUNT }, (_, index) => {
    const at = order(index);
    const source = SOURCES[at % SOURCES.length] ?? "";
    return rule(`r${index}`, "drop", and(address("ip.src", source), number("tcp.dstport", at)));
  });
}

const { firewall } = acme();
const allow = { ...firewall, default: "allow" } as const;
const forth: Policy = acme({ mitigate: rules((index) => index), firewall: allow });
const back: Policy = acme({ mitigate: rules((index) => COUNT - 1 - index), firewall: allow });

const dataIn = (policy: Policy) => dataOf(policy) ?? new Uint8Array(0);

test("the order of rules is data, and no part of the text", () => {
  expect(emit(forth)).toEqual(emit(back));
  expect(dataIn(forth).length).toBe(dataIn(back).length);
  expect(dataIn(forth)).not.toEqual(dataIn(back));
});

describe("data in force", () => {
  let scratch: Scratch;

  beforeAll(async () => {
    scratch = await Scratch.start();
  });

  afterAll(async () => {
    await scratch?.close();
  });

  test("are replaced at once: no packet meets some of the old and some of the new", async () => {
    const { loader, probe, pins } = scratch;
    const folders = { root: `${pins}/root`, customer: `${pins}/customer` };
    const program = timedProgram(forth, emit(forth));
    await loadRoot(loader, folders.root, program.prefixes);
    await loadCustomer(loader, folders, program);
    const [data, slot] = [`${folders.customer}/map_data`, `${folders.customer}/map_data_slot`];
    let swaps = 0;
    let isRunning = true;
    const swap = async () => {
      for (; isRunning; swaps++) {
        await loader.mapLike(data, `${data}_${swaps}`);
        const value = dataIn(swaps % 2 === 0 ? back : forth);
        await loader.updateMap(`${data}_${swaps}`, [{ key: new Uint8Array(4), value }]);
        await loader.setMap(slot, 0, `${data}_${swaps}`);
      }
    };
    const swapping = swap();
    const wrong = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const actions = await probe.xdpRun(
        `${folders.root}/prog_tidegate_root`,
        MANY.map(({ frame }) => frame),
      );
      MANY.forEach(({ text, drops }, at) => {
        if ((actions[at] === XDP_DROP) !== drops) wrong.add(text);
      });
    }
    isRunning = false;
    await swapping;
    expect([...wrong]).toEqual([]);
    expect(swaps).toBeGreaterThan(5);
  });
});

const XDP_DROP = 1;

/** Every source to every port, many times. Both policies drop the same of them. */
const FRAMES = SOURCES.flatMap((source, index) =>
  Array.from({ length: COUNT }, (_, port) => {
    const text = `tcp ${source}:40000 > 203.0.113.9:${port}`;
    const frame = packetOfText(text, "").map(frameOf)[0] ?? new Uint8Array(0);
    return { text, frame, drops: port % SOURCES.length === index };
  }),
);
const MANY = Array.from({ length: 100 }, () => FRAMES).flat();

describe("a bundle that differs in data alone", () => {
  let edge: AcmeEdge;

  beforeAll(async () => {
    edge = await AcmeEdge.start();
  });

  afterAll(() => edge?.server.end());

  test("keeps the program, and becomes a generation of its own", async () => {
    const idOf = (kind: string, pin: string) =>
      edge.server
        .run(["bpftool", kind, "show", "pinned", `/run/tidegate/bpf/customers/acme/${pin}`])
        .split(":")[0];
    await edge.server.apply(edge.bundle("forth", forth), NODE);
    const before = [idOf("prog", "1/prog_tidegate_customer"), idOf("map", "1/map_data")];
    const applied = await edge.server.apply(edge.bundle("back", back), NODE);
    const after = [idOf("prog", "2/prog_tidegate_customer"), idOf("map", "2/map_data")];
    expect(applied).toMatchObject({ changed: true, generation: 2, drift: [] });
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect((await edge.server.status()).customers).toMatchObject([{ generation: 2, drift: [] }]);
  });
});
