import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { compile } from "../../src/cli/commands/compile.js";
import { verify } from "../../src/cli/commands/verify.js";
import { compileXdp } from "../../src/cli/io/clang.js";
import { mismatchesOf } from "../../src/cli/render/verified.js";
import { agreement } from "../../src/cli/verify/rates.js";
import { verifyBundle } from "../../src/cli/verify/verify-bundle.js";
import { verifyPolicy } from "../../src/cli/verify/verify-policy.js";
import { packetText } from "../../src/compiler/analysis/packets/plain-text.js";
import { emit } from "../../src/compiler/compile.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import { CT_STATES } from "../../src/compiler/ir/fields.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { formatManifest } from "../../src/targets/bundle.js";
import type { Artifact } from "../../src/targets/target.js";
import { firewall, hourly } from "../support/firewall-policies.js";
import { address, and, limit, number, policy, rule } from "../support/ir.js";
import { policyFiles, readPolicyFile } from "../support/policies.js";

/** `tidegate verify` finds nothing where there is nothing, and finds mistakes that are planted in what is loaded. */
const ROOT = join(import.meta.dirname, "../..");
const ACME = join(ROOT, "examples/acme/acme.policy.ts");

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-verify-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

const options = { packets: 1500, seed: 7, onProgress: () => {} };

test.each(policyFiles())("$name: reference and kernel agree", async ({ file }) => {
  const verified = await verifyPolicy(readPolicyFile(file), options);
  expect(verified.counterexamples).toEqual([]);
  expect(mismatchesOf(verified)).toBe(0);
  expect(verified.stages.map(({ stage }) => stage)).toEqual(expect.arrayContaining(["xdp", "nft"]));
});

describe("a planted mistake is found, and the packet that shows it is made small", () => {
  const ports = firewall([
    rule("web", "allow", number("tcp.dstport", [80, 443])),
    rule("partners", "allow", address("ip.src", "198.51.100.0/24")),
  ]);
  const mitigated = policy([
    rule("bogons", "drop", address("ip.src", "10.0.0.0/8")),
    rule("dns", "drop", number("udp.srcport", 53)),
  ]);

  const planted: readonly [string, Policy, RegExp, string, string][] = [
    ["nft: a range that ends one too early", ports, /80-443/g, "80-442", "nft"],
    ["nft: a prefix that is one bit too short", ports, /198\.51\.100\.0\/24/g, "198.51.100.0/23", "nft"],
    ["nft: later fragments are read like others", ports, /.*goto later-fragments\n/g, "", "nft"],
    [
      "nft: a counter of the wrong rule",
      ports,
      /counter name rule-web/g,
      "counter name rule-partners",
      "nft",
    ],
    [
      "XDP: a prefix that is one bit too long",
      mitigated,
      /TG_IP4\(10, 0, 0, 0\), 8\)/g,
      "TG_IP4(10, 0, 0, 0), 9)",
      "xdp",
    ],
    ["XDP: another port", mitigated, /== 53\b/g, "== 54", "xdp"],
    ["XDP: no guard of presence", mitigated, /p->udp_bytes >= 2 &&/g, "", "xdp"],
    [
      "XDP: a rule counts as its neighbour",
      mitigated,
      /tg_verdict\(0, XDP_DROP\)/g,
      "tg_verdict(1, XDP_DROP)",
      "xdp",
    ],
  ];

  test.each(planted)("%s", async (_, victim, right, wrong, stage) => {
    const verified = await verifyPolicy(victim, { ...options, emit: planting(right, wrong) });
    expect(mismatchesOf(verified)).toBeGreaterThan(0);
    const [found, ...others] = verified.counterexamples;
    expect(others).toEqual([]);
    expect(found?.stage).toBe(stage);
    expect(found?.packets).toHaveLength(1);
    expect(found?.packets[0]?.bytes.length).toBeLessThanOrEqual(48);
    expect(Object.values(found?.answers ?? {}).every((answer) => answer !== "")).toBe(true);
  });

  test("a burst that is one too large needs the packets that use it up", async () => {
    const victim = firewall([rule("slow", hourly(3, null), number("tcp.dstport", 80))], [], "allow");
    const verified = await verifyPolicy(victim, {
      ...options,
      emit: planting(/burst 3 packets/g, "burst 4 packets"),
    });
    expect(verified.counterexamples[0]?.packets).toHaveLength(4);
  });

  test("in XDP too, with the test's clock", async () => {
    const victim = policy([rule("slow", limit(1000, 3, "ip.src"), number("tcp.dstport", 80))]);
    const verified = await verifyPolicy(victim, {
      ...options,
      emit: planting(/000000ULL, 3ULL/g, "000000ULL, 4ULL"),
    });
    expect(verified.counterexamples[0]?.stage).toBe("xdp");
    expect(verified.counterexamples[0]?.packets.length).toBeGreaterThanOrEqual(4);
  });

  test("a rate of nft's own clock", async () => {
    const victim = firewall([rule("fast", limit(1, 5, null), number("tcp.dstport", 80))], [], "allow");
    const right = await verifyPolicy(victim, options);
    expect(right.rates).toHaveLength(1);
    expect(mismatchesOf(right)).toBe(0);
    const wrong = await verifyPolicy(victim, {
      ...options,
      emit: planting(/rate \d+\/second/g, "rate 900000/second"),
    });
    expect(mismatchesOf(wrong)).toBe(1);
  });
});

describe("limits are measured with packets that really meet them", () => {
  const slow = (match: Expr) => rule("slow", limit(1, 3, null), match);

  test("not with one that the kernel drops on arrival", async () => {
    const victim = firewall([slow(address("ip.src", "::1"))], [], "allow");
    const verified = await verifyPolicy(victim, options);
    expect([verified.rates, mismatchesOf(verified)]).toEqual([[], 0]);
  });

  test.each([
    ["new", 1],
    ["established", 0],
  ] as const)("by connections as the kernel finds them: %s", async (state, measured) => {
    const found = number("ct.state", CT_STATES[state]);
    const stateless = firewall([slow(and(found, number("tcp.dstport", 22)))], [], "allow");
    const victim = { ...stateless, firewall: { ...stateless.firewall, stateful: true } };
    const verified = await verifyPolicy(victim, options);
    expect([verified.rates.length, mismatchesOf(verified)]).toEqual([measured, 0]);
  });
});

/** What the targets emit, with a mistake. */
function planting(right: RegExp, wrong: string): (victim: Policy) => readonly Artifact[] {
  return (victim) => emit(victim).map((one) => ({ ...one, text: one.text.replace(right, wrong) }));
}

/** Changes a file of the bundle, and the manifest so that it fits, for as long as `body` takes. */
async function tampered(
  bundle: string,
  path: string,
  bytes: Uint8Array,
  body: () => Promise<void>,
): Promise<void> {
  const files = [path, "manifest.json"].map((name) => join(bundle, name));
  const kept = files.map((file) => readFileSync(file));
  const manifest = JSON.parse(String(kept[1]));
  manifest.files[path] = createHash("sha256").update(bytes).digest("hex");
  writeFileSync(join(bundle, path), bytes);
  writeFileSync(join(bundle, "manifest.json"), formatManifest(manifest));
  await body().finally(() => {
    for (const [index, file] of files.entries()) writeFileSync(file, kept[index] ?? "");
  });
}

describe("a bundle", () => {
  let bundle = "";

  beforeAll(async () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    bundle = join(folder, "acme");
    expect(await compile(ACME, { output: bundle })).toBe(0);
  });

  function verifiedJson(): Promise<{ readonly code: number; readonly json: Record<string, never> }> {
    const log = vi
      .spyOn(console, "log")
      .mockReset()
      .mockImplementation(() => {});
    return verify(bundle, { json: true }).then((code) => ({
      code,
      json: JSON.parse(String(log.mock.calls[0]?.[0])),
    }));
  }

  test("is verified by its own proof, and its limits by the kernel's clock", async () => {
    const { code, json } = await verifiedJson();
    expect(code).toBe(0);
    expect(json).toMatchObject({
      mismatches: 0,
      seconds: { xdp: expect.any(Number), nft: expect.any(Number) },
      limits: [{ stage: "mitigate", rule: "syn-flood", agrees: true }],
    });
    expect(json["packets"]).toBeGreaterThan(50);
  });

  test("with a file that is not the manifest's is refused", async () => {
    const file = join(bundle, "nft/acme.nft");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("20-21", "20-22"));
    await expect(verify(bundle, {})).rejects.toMatchObject({ code: "TG5003" });
    writeFileSync(file, text);
  });

  test("with another firewall than its proof speaks of does not pass", async () => {
    const text = readFileSync(join(bundle, "nft/acme.nft"), "utf8");
    expect(text).toContain("20-21");
    await tampered(bundle, "nft/acme.nft", Buffer.from(text.replaceAll("20-21", "20-22")), async () => {
      const { code, json } = await verifiedJson();
      expect(code).toBe(1);
      expect(json["counterexamples"]).toMatchObject([{ stage: "nft" }]);
    });
  });

  test("with another program does not pass", async () => {
    const text = readFileSync(join(bundle, "xdp/acme.bpf.c"), "utf8").replaceAll(
      "10, 0, 0, 0",
      "11, 0, 0, 0",
    );
    await tampered(bundle, "xdp/acme.bpf.o", compileXdp("acme", text), async () => {
      const { code, json } = await verifiedJson();
      expect(code).toBe(1);
      expect(json["counterexamples"]).toMatchObject([{ stage: "xdp" }]);
    });
  });

  test("with a program that limits otherwise does not pass", async () => {
    const text = readFileSync(join(bundle, "xdp/acme.bpf.c"), "utf8");
    const faster = text.replace("200000ULL, 10000ULL", "200000ULL, 11000ULL");
    expect(faster).not.toBe(text);
    await tampered(bundle, "xdp/acme.bpf.o", compileXdp("acme", faster), async () => {
      expect((await verifiedJson()).json["limits"]).toMatchObject([{ rule: "syn-flood", agrees: false }]);
    });
  });

  test("without a proof is refused", async () => {
    const manifest = JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8"));
    expect(Object.keys(manifest.files)).toContain("proof/packets.json");
    await tampered(bundle, "proof/packets.json", Buffer.from("{}"), async () => {
      await expect(verify(bundle, {})).rejects.toMatchObject({ code: "TG5001" });
    });
  });
});

describe("a bundle that sends from XDP", () => {
  const POLICY = `import { policy, expr, allow, count, gre, limit } from "tidegate";
export default policy({
  customer: "fast",
  prefixes: ["203.0.113.0/24", "2001:db8:a::/48"],
  datapath: "xdp",
  mitigate: [limit("slow", expr\`tcp.dstport == 80\`, { rate: "5000/s", burst: 10_000, per: "ip.src" })],
  firewall: {
    default: "drop",
    rules: [count("seen", expr\`udp.dstport == 53\`), allow("web", expr\`tcp.dstport == 80\`), allow("dns", expr\`udp.srcport == 53\`)],
  },
  tunnels: {
    far: gre({ remote: "198.51.100.1" }),
    near: gre({ remote: "198.51.100.2", key: 7, ttl: 9, mtu: 1400 }),
  },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "far" },
    { prefix: "203.0.113.64/26", tunnel: "near" },
    { prefix: "2001:db8:a::/49", tunnel: "near" },
  ],
});
`;
  let bundle = "";

  beforeAll(async () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    const file = join(folder, "fast.policy.ts");
    writeFileSync(file, POLICY);
    bundle = join(folder, "fast");
    expect(await compile(file, { output: bundle })).toBe(0);
  });

  test("is verified, with every frame that it sends", async () => {
    const sent = JSON.parse(readFileSync(join(bundle, "proof/packets.json"), "utf8")).packets.filter(
      ({ xdp: [verdict] }: { xdp: readonly string[] }) => verdict === "forward",
    );
    expect(sent.length).toBeGreaterThan(20);
    const verified = await verifyBundle(bundle, () => {});
    expect(verified.counterexamples).toEqual([]);
    expect(mismatchesOf(verified)).toBe(0);
    expect(verified.rates.map(agreement)).toEqual([true]);
  });

  test("by a program that limits otherwise does not pass", async () => {
    const text = readFileSync(join(bundle, "xdp/fast.bpf.c"), "utf8");
    const faster = text.replace("200000ULL, 10000ULL", "200000ULL, 11000ULL");
    expect(faster).not.toBe(text);
    await tampered(bundle, "xdp/fast.bpf.o", compileXdp("fast", faster), async () => {
      const { rates, counterexamples } = await verifyBundle(bundle, () => {});
      expect([rates.map(agreement), counterexamples]).toEqual([[false], []]);
    });
  });

  test.each([
    ["another tunnel", 'return 1; /* "near" */', "return 0;"],
    [
      "another header",
      '#include "forward.h"',
      '#include "outer.h"\n#define outer_tos(tos) (0 & (tos))\n#include "forward.h"',
    ],
  ])("by %s does not pass", async (_, right, wrong) => {
    const text = readFileSync(join(bundle, "xdp/fast.bpf.c"), "utf8");
    expect(text).toContain(right);
    const object = compileXdp("fast", text.replace(right, wrong));
    await tampered(bundle, "xdp/fast.bpf.o", object, async () => {
      const { counterexamples } = await verifyBundle(bundle, () => {});
      expect(counterexamples[0]?.answers.expected).toMatch(/^sent into a tunnel as [0-9a-f]+; counted by/);
    });
  });
});

describe("the command", () => {
  test("prints the smallest packet and the three answers of a mismatch", async () => {
    const victim = firewall([rule("web", "allow", number("tcp.dstport", 80))]);
    const verified = await verifyPolicy(victim, {
      ...options,
      emit: planting(/tcp dport 80\b/g, "tcp dport 81"),
    });
    const [found] = verified.counterexamples;
    const text = found?.packets.map(packetText)[0] ?? "";
    expect(text).toMatch(/ > /);
    expect(found?.answers.reference).toBe("drop by route default");
    expect(found?.answers.nft).toMatch(/counted by/);
  });

  test("says so when it is not root", async () => {
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    await expect(verify(ACME, {})).rejects.toThrow(/as root/);
  });

  test.each([{ packets: "10" }, { seed: "3" }, { geo: "tables.json" }])(
    "%j is refused with a bundle, which brings its own packets",
    async (given) => {
      await expect(verify(folder, given)).rejects.toThrow(/is for a policy/);
    },
  );

  test.each(["x", "-1", "0", "1.5", "99999999999"])("--packets %s is refused", async (packets) => {
    await expect(verify(ACME, { packets })).rejects.toThrow(/whole number/);
  });
});
