import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addressLists } from "../../bench/lists.js";
import { type Measured, measureSets, SECTIONS, type Section } from "../../bench/measure.js";
import { QUICK } from "../../bench/options.js";
import { writeResults } from "../../bench/report/results.js";
import { ownSets } from "../../bench/sets.js";
import { HASH_LOOKUP, PARSE_AND_DROP } from "../../bench/xdp/section.js";

/** Not how fast anything is: that what is measured is what is said, and decides as the rules do. */
const workshop = mkdtempSync(join(tmpdir(), "tidegate-bench-test-"));

afterAll(() => rmSync(workshop, { recursive: true, force: true }));

const FORWARDING: readonly Section[] = ["encapsulation", "datapaths"];

function measure(sections: readonly Section[]): Promise<Measured> {
  const sets = ownSets(true).filter(({ name }) => name === "fw 10");
  const lists = addressLists(true).slice(0, 1);
  return measureSets(sets, lists, sections, { effort: QUICK, workshop, say: () => undefined });
}

/** What is left behind of what was measured, by file. */
function written(measured: Measured): (file: string) => string {
  writeResults(join(workshop, "results"), measured);
  return (file) => readFileSync(join(workshop, "results", file), "utf8");
}

describe("the benchmarks of rules", () => {
  let measured: Measured;

  beforeAll(async () => {
    measured = await measure(SECTIONS.filter((section) => !FORWARDING.includes(section)));
  });

  test("compile the rules for both stages", () => {
    const [result] = measured.compile;
    expect(result).toMatchObject({ set: "fw 10", rules: 10, problem: null });
    expect(result?.rows.map(({ stage, rules }) => [stage, rules])).toEqual([
      ["mitigate", 10],
      ["firewall", 10],
    ]);
    for (const { ms, seconds, peakBytes } of result?.rows ?? []) {
      expect(ms.read + ms.compile + ms.clang).toBeLessThan(1000 * seconds);
      expect(peakBytes).toBeGreaterThan(2 ** 20);
    }
  });

  test("time XDP programs beside parse-and-drop, and all answers are right", () => {
    const [result] = measured.xdp;
    const rows = result?.rows ?? [];
    expect(rows.map(({ subject, wrong }) => [subject, wrong])).toEqual([
      [PARSE_AND_DROP, null],
      [HASH_LOOKUP, null],
      ["tidegate", 0],
      ["linear code", 0],
    ]);
    expect(rows[0]).toMatchObject({ ratioP50: 1, ratioP99: 1, ratioLoop: 1, ratioVarying: 1, lookups: 0 });
    expect(rows[1]).toMatchObject({ lookups: 1, varyingLookups: 1 });
    for (const { p50, p99, loop, varying } of rows) {
      expect(Math.min(p50, loop, varying)).toBeGreaterThan(0);
      expect(p99).toBeGreaterThanOrEqual(p50);
    }
  });

  test("time rulesets beside an empty chain, and all answers are right", () => {
    const rows = measured.nft[0]?.rows ?? [];
    const subjects = rows.map(({ subject }) => subject).filter((subject) => !subject.startsWith("iptables"));
    expect(subjects).toEqual(["empty chain", "tidegate", "linear chain", "one set"]);
    expect(rows[0]?.added).toBe(0);
    expect(rows.filter(({ wrong }) => (wrong ?? 0) > 0)).toEqual([]);
  });

  test("time a list of sources", () => {
    const [result] = measured.lists;
    expect(result).toMatchObject({ set: "hosts 100", rules: 100, problem: null });
    const ours = result?.rows.find(({ subject }) => subject === "tidegate");
    expect(ours).toMatchObject({ wrong: 0 });
    expect(result?.rows.filter(({ wrong }) => (wrong ?? 0) > 0)).toEqual([]);
  });

  test("time the analyses", () => {
    const [result] = measured.analysis;
    expect(result?.rows).toMatchObject([{ undecided: 0, open: 0 }]);
    expect(result?.rows[0]?.regions).toBeGreaterThan(0);
  });

  test("leave figures, tables and charts behind", () => {
    const read = written(measured);
    expect(JSON.parse(read("results.json"))).toMatchObject({
      xdp: [{ set: "fw 10" }],
      nft: [{ set: "fw 10" }],
    });
    expect(read("results.md")).toMatch(/### XDP, a packet\n\n\| set +\| rules \| program/);
    expect(read("xdp.svg")).toContain(">tidegate, fw</text>");
    // Ten rules cost next to nothing: what noise measured as less than an empty chain has no place on a logarithmic axis.
    const drawn = (measured.nft[0]?.rows ?? []).filter(({ added }) => added > 0);
    for (const { subject } of drawn) expect(read("nft.svg")).toContain(`>${subject}, fw</text>`);
  });
});

describe("the benchmarks of forwarding", () => {
  let measured: Measured;

  beforeAll(async () => {
    measured = await measure(FORWARDING);
  });

  test("time encapsulation beside parse-and-drop, and all of it is encapsulated", () => {
    const rows = measured.encapsulation;
    expect(rows.map(({ subject, wrong }) => [subject, wrong])).toEqual([
      [PARSE_AND_DROP, null],
      ["by hand, no policy", 0],
      ["tidegate, namespace", 0],
      ["tidegate, xdp, one uplink", 0],
      ["tidegate, xdp, two uplinks", 0],
    ]);
    for (const { sent } of rows.slice(3)) {
      // But for one packet a second.
      expect(sent).toBeGreaterThan(0.99);
      expect(sent).toBeLessThanOrEqual(1);
    }
    for (const { single, hot, varying } of rows) expect(Math.min(single, hot, varying)).toBeGreaterThan(0);
  });

  test("send packets by each datapath, and they arrive", () => {
    const rows = measured.datapaths;
    const subjects = ["generator", "forwarding", expect.stringMatching(/^forwarding, GRE/)];
    expect(rows.map(({ subject }) => subject)).toEqual([...subjects, "tidegate, namespace", "tidegate, xdp"]);
    // On a busy machine queues may run over.
    for (const { packet, lost } of rows) {
      expect(packet).toBeGreaterThan(0);
      expect(lost).toBeLessThan(0.5);
    }
  });

  test("leave tables behind", () => {
    expect(written(measured)("results.md")).toMatch(
      /### Encapsulation in XDP, a packet\n.*### Datapaths, a packet\n.*### Bars\n.*encapsulation, hot/s,
    );
  });
});
