import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../src/cli/commands/check.js";
import { explain } from "../../src/cli/commands/explain.js";
import { test as testPolicies } from "../../src/cli/commands/test.js";
import { UsageError } from "../../src/cli/exit.js";
import { readPacket } from "../../src/cli/packets.js";
import { type Suggestions, writtenTest } from "../../src/cli/suggest.js";
import { pcapFile } from "../support/capture-files.js";
import { commandTests } from "../support/commands.js";
import { policyText } from "../support/reading.js";

/** What scripts rely on (docs of the commands): exit codes, and the shapes of JSON. */
const ROOT = join(import.meta.dirname, "../..");
const ACME = join(ROOT, "examples/acme/acme.policy.ts");
const EDGE = join(ROOT, "examples/edge.ts");
const FIVE = join(ROOT, "test/cases/mistakes-five/mistakes-five.policy.ts");
const WARNED = join(ROOT, "test/cases/fragments/fragments.policy.ts");

const { folder, printed } = commandTests("cli");

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function output(): unknown {
  return JSON.parse(printed.join("\n"));
}

describe("check", () => {
  test.each<[string, readonly string[], boolean, number]>([
    ["no mistakes, also in an edge file", [ACME, EDGE], true, 0],
    ["errors", [FIVE], false, 1],
    ["errors in one of several", [FIVE, ACME], false, 1],
    ["warnings", [WARNED], false, 0],
    ["warnings with --strict", [WARNED], true, 1],
  ])("%s", async (_, files, strict, code) => {
    expect(await check(files, { format: "pretty", strict })).toBe(code);
  });

  test("five mistakes are five rows, each with its place and a hint", async () => {
    expect(await check([FIVE], { format: "json" })).toBe(1);
    const rows = output() as readonly Record<string, unknown>[];
    expect(
      rows.map(({ code, line, column, endLine, endColumn }) => [code, line, column, endLine, endColumn]),
    ).toEqual([
      ["TG2008", 3, 16, 3, 24],
      ["TG2009", 8, 97, 8, 110],
      ["TG2006", 12, 41, 12, 46],
      ["TG2001", 13, 26, 13, 34],
      ["TG2024", 17, 22, 17, 39],
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({
        severity: "error",
        message: expect.any(String),
        file: FIVE,
        hint: expect.stringMatching(/./),
      });
    }
  });

  test("no mistakes are no rows", async () => {
    expect(await check([ACME], { format: "json" })).toBe(0);
    expect(output()).toEqual([]);
  });

  test("--format github is one workflow command a mistake", async () => {
    await check([FIVE], { format: "github" });
    const commands = printed.join("\n").split("\n");
    expect(commands).toHaveLength(5);
    expect(commands[3]).toBe(
      `::error file=${FIVE},line=13,col=26,endLine=13,endColumn=34,title=TG2001::unknown field \`ip.sorce\`%0Ahint: did you mean \`ip.src\`?`,
    );
  });

  test("--format sarif is one log, with what is suppressed in it", async () => {
    await check([FIVE, WARNED], { format: "sarif" });
    expect(output()).toMatchObject({
      version: "2.1.0",
      runs: [
        { tool: { driver: { name: "Tidegate" } }, results: expect.arrayContaining([expect.anything()]) },
      ],
    });
  });

  test("what is suppressed counts in no format, also not with --strict", async () => {
    const mitigate = '\n// tidegate-ignore TG3004: meant\ndrop("a", expr`not tcp.dstport == 80`)';
    const quiet = file("quiet.policy.ts", policyText({ mitigate }));
    expect(await check([quiet], { format: "json", strict: true })).toBe(0);
    expect(output()).toEqual([]);
  });

  test("a module of two policies is spoken of once", async () => {
    file("shared.ts", 'import { expr } from "tidegate";\nexport const web = expr`tcp.dstprt == 80`;\n');
    const before = 'import { web } from "./shared.ts";';
    const files = ["one", "two"].map((name) =>
      file(`${name}.policy.ts`, policyText({ before, rules: 'allow("web", web)' })),
    );
    expect(await check(files, { format: "json" })).toBe(1);
    expect(output()).toMatchObject([{ code: "TG2001", line: 2, column: 25 }]);
  });

  test.each([
    ["nowhere.policy.ts", undefined],
    ["latin1.policy.ts", Uint8Array.of(0xff)],
  ])("%s cannot be read: a usage error", async (name, content) => {
    const path = content ? file(name, content) : join(folder, name);
    await expect(check([path], { format: "json" })).rejects.toThrow(UsageError);
  });
});

describe("explain", () => {
  test.each([
    [
      "tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S",
      "allow",
      "firewall",
      "namespace",
      "ftp",
      "chicago",
      29,
    ],
    ["tcp 192.0.2.7:40000 > 203.0.113.100:22 flags=S", "drop", "firewall", "xdp", null, null, null],
    ["udp 10.1.2.3:53 > 203.0.113.9:53", "drop", "mitigate", "xdp", "bogons", null, 12],
    ["udp 192.0.2.7:53 > 198.51.100.1:53", "foreign", "root", "xdp", null, null, null],
    ["hex=45", "malformed", "root", "xdp", null, null, null],
  ])("%s", async (packet, verdict, stage, where, rule, tunnel, line) => {
    expect(await explain(ACME, { packet, json: true })).toBe(0);
    expect(output()).toEqual({ packet, verdict, stage, rule, tunnel, line, gate: null, where });
  });

  test("a rule of a module is named with its file", async () => {
    const rules =
      'import { drop, expr } from "tidegate";\nexport const own = drop("own", expr`ip.ttl < 9`);\n';
    const module = file("own-rules.ts", rules);
    const before = 'import { own } from "./own-rules.js";';
    const policy = file("modular.policy.ts", policyText({ before, mitigate: "own" }));
    const packet = "udp 192.0.2.7:53 > 203.0.113.9:53 ttl=8";
    expect(await explain(policy, { packet, json: true })).toBe(0);
    expect(output()).toMatchObject({ rule: "own", line: 2, file: module });
    printed.length = 0;
    expect(await explain(policy, { packet })).toBe(0);
    expect(printed.join()).toContain(`own (${module}:2)  drop`);
  });

  test("a file of packets is one row a packet; limits remember, and time does not go back by itself", async () => {
    const limited = file(
      "limited.policy.ts",
      policyText({ mitigate: 'limit("slow", expr`ip.proto == "udp"`, { rate: "1/s", burst: 2 })' }),
    );
    const packet = "udp 192.0.2.7:53 > 203.0.113.9:53";
    const lines = [
      `\ufeff# three at once`,
      packet,
      "",
      `${packet} # the second`,
      packet,
      `${packet} at=1000000000`,
      packet,
    ];
    expect(await explain(limited, { packets: file("packets", lines.join("\r\n")), json: true })).toBe(0);
    const rows = printed.map((line) => JSON.parse(line));
    expect(rows.map(({ rule }) => rule)).toEqual([null, null, "slow", null, "slow"]);
    expect(rows[0].packet).toBe(packet);
  });

  const hexOf = (packet: string) =>
    readPacket(packet, 0n).bytes.reduce((hex, byte) => hex + byte.toString(16).padStart(2, "0"), "");
  const SYN = hexOf("tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S");
  const SSH = hexOf("tcp 192.0.2.7:40000 > 203.0.113.100:22 flags=S");
  const MACS = "020000000001 020000000002";

  test.each<[string, string, "ip" | "ethernet" | undefined, string | null]>([
    ["a packet", SYN, undefined, "ftp"],
    ["a packet as tools print it", `0x${SYN.replace(/..../g, "$& ")}`, undefined, "ftp"],
    ["a frame", `${MACS} 0800 ${SYN}`, undefined, "ftp"],
    [
      "a frame with a tag and padding",
      `${MACS.replaceAll(" ", ":")} 8100 0007 0800 ${SYN} 0000`,
      undefined,
      "ftp",
    ],
    ["a frame, said to be one", `${MACS} 0800 ${SYN}`, "ethernet", "ftp"],
    ["a frame, said to be a packet", `${MACS} 0800 ${SYN}`, "ip", null],
  ])("--hex: %s", async (_, hex, link, rule) => {
    expect(await explain(ACME, { hex, json: true, ...(link ? { link } : {}) })).toBe(0);
    expect(output()).toMatchObject({ rule, verdict: rule === null ? "malformed" : "allow" });
    expect(output()).toMatchObject({
      packet: expect.stringMatching(hex.includes("8100") ? / vlan=7$/ : /^hex=/),
    });
  });

  test.each<[string, object, RegExp]>([
    ["no digits", { hex: "45 0z" }, /`z` is no hexadecimal digit/],
    ["half a byte", { hex: "450" }, /3 digits/],
    ["nothing", { hex: " " }, /no bytes/],
    ["a frame without IP", { hex: `${MACS} 0806 0001`, link: "ethernet" }, /neither IPv4 nor IPv6/],
    ["either", { hex: `450000280000 020000000002 0800 ${SYN}` }, /say --link ip or --link ethernet/],
    ["a link for a text", { packet: "hex=45", link: "ip" }, /--link says/],
    ["each of one", { packet: "hex=45", each: true }, /--each is for --pcap/],
    ["an unknown rule", { packet: "hex=45", rule: "ftb" }, /no rule `ftb`: did you mean `ftp`/],
    ["no capture", { pcap: ACME }, /at byte 0: it is no capture: it begins with/],
    ["a capture that is not there", { pcap: "nowhere" }, /no such file/],
  ])("%s is a usage error", async (_, options, message) => {
    await expect(explain(ACME, options)).rejects.toThrow(message);
  });

  const packets = ["00", `${MACS} 0800 ${SYN}`, `${MACS} 0806 0001`, `${MACS} 0800 ${SSH}`].map((hex) => ({
    bytes: new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex")),
  }));
  const capture = pcapFile({ little: true, linkType: 1 }, packets);

  test("--pcap: one object", async () => {
    expect(await explain(ACME, { pcap: file("four.pcap", capture), json: true })).toBe(0);
    expect(output()).toEqual({
      packets: 4,
      bytes: 1 + 40 + 16 + 40,
      verdicts: { allow: 1, drop: 1, reject: 0, foreign: 0, malformed: 0 },
      gate: 0,
      notIp: 2,
      unclear: 0,
      rules: [
        { stage: "mitigate", rule: "bogons", action: "drop", packets: 0, bytes: 0, line: 12 },
        { stage: "mitigate", rule: "syn-flood", action: "limit", packets: 0, bytes: 0, line: 18 },
        { stage: "mitigate", rule: null, action: "allow", packets: 2, bytes: 80, line: null },
        { stage: "firewall", rule: "ftp", action: "allow", packets: 1, bytes: 40, line: 29 },
        { stage: "firewall", rule: "too-big", action: "allow", packets: 0, bytes: 0, line: 30 },
        { stage: "firewall", rule: null, action: "drop", packets: 1, bytes: 40, line: null },
        { stage: "route", rule: null, action: "drop", packets: 0, bytes: 0, line: null },
      ],
      problem: null,
    });
  });

  test.each<[string, object, readonly number[]]>([
    ["all", { each: true }, [1, 2, 3, 4]],
    ["of a rule", { rule: "ftp" }, [2]],
    ["of a limit that let them go on", { rule: "syn-flood" }, [2, 4]],
    ["of a verdict", { verdict: "drop" }, [4]],
  ])("--pcap: rows, %s", async (_, options, numbers) => {
    expect(await explain(ACME, { pcap: file("four.pcap", capture), json: true, ...options })).toBe(0);
    expect(printed.map((line) => JSON.parse(line).number)).toEqual(numbers);
  });

  test("--pcap: what stands before damage is told, and exit 1", async () => {
    const pcap = file("damaged.pcap", capture.subarray(0, capture.length - 1));
    expect(await explain(ACME, { pcap, json: true })).toBe(1);
    expect(output()).toMatchObject({
      packets: 3,
      problem: { offset: 143, message: expect.stringContaining("1 of 54 bytes") },
    });
    printed.length = 0;
    expect(await explain(ACME, { pcap })).toBe(1);
    expect(printed.join("\n")).toMatch(/firewall {2}ftp {8}allow {9}1 {5}40/);
  });

  test("a policy with errors: exit 1 and no row", async () => {
    expect(await explain(FIVE, { packet: "hex=45", json: true })).toBe(1);
    expect(printed).toEqual([]);
  });

  test.each([{}, { packet: "hex=45", packets: "file" }, { packet: "tpc" }, { packets: "nowhere" }])(
    "%j is a usage error",
    async (options) => {
      await expect(explain(ACME, options)).rejects.toThrow(UsageError);
    },
  );
});

describe("test", () => {
  const failing = policyText({
    rules: 'allow("ftp", expr`tcp.dstport == 21`)',
    tests: `{ packet: "tcp 192.0.2.7:1 > 203.0.113.9:21", expect: "allow", rule: "ftp" },
            { packet: "tcp 192.0.2.7:1 > 203.0.113.9:22", expect: "allow" },
            { packet: "tcp 192.0.2.7:1 > 203.0.113.9:23", expect: "drop", rule: "ftp" }`,
  });

  test("the tests of several policies are counted together", async () => {
    const files = [ACME, file("failing.policy.ts", failing)];
    expect(await testPolicies(files, { json: true })).toBe(1);
    expect(output()).toEqual({ passed: 6, failed: 2, coverage: { rules: 5, covered: 5 } });
  });

  test("all pass: exit 0", async () => {
    expect(await testPolicies([ACME], { json: true })).toBe(0);
  });

  test("--suggest proposes what passes, for each rule that some packet meets", async () => {
    const rules = `allow("ftp", expr\`tcp.dstport == 21\`), count("again", expr\`tcp.dstport == 21\`),
      drop("old", expr\`tcp.flags.syn and ip.ttl < 5\`), allow("key", expr\`gre.key == 7\`),
      count("replies", expr\`ct.state == "established" and udp.srcport == 53\`)`;
    const before = 'import { count } from "tidegate";';
    const parts = { before, stateful: "true", rules, mitigate: 'drop("tagged", expr`eth.vlan == 7`)' };
    const policy = file("suggested.policy.ts", policyText(parts));
    expect(await testPolicies([policy], { json: true, suggest: true })).toBe(0);
    const { suggestions } = output() as { suggestions: readonly Suggestions[] };
    expect(suggestions).toMatchObject([
      {
        file: policy,
        tests: [
          { packet: "tcp 192.0.2.7:40000 > 203.0.113.1:9 flags=S vlan=7", expect: "drop", rule: "tagged" },
          { packet: "tcp 192.0.2.7:40000 > 203.0.113.1:21 flags=S", expect: "allow", rule: "ftp" },
          { packet: "tcp 192.0.2.7:40000 > 203.0.113.1:9 flags=S ttl=2", expect: "drop", rule: "old" },
          { packet: expect.stringMatching(/^proto=47 .* payload=/), expect: "allow", rule: "key" },
          { packet: "udp 192.0.2.7:53 > 203.0.113.1:9 ct=established", expect: "drop", rule: null },
        ],
        unreachable: ["again"],
        unknown: [],
        left: 0,
      },
    ]);
    const tests = suggestions.flatMap((one) => one.tests.map(writtenTest)).join("\n");
    const again = file("pasted.policy.ts", policyText({ ...parts, tests }));
    printed.length = 0;
    expect(await testPolicies([again], { json: true })).toBe(0);
    expect(output()).toMatchObject({ passed: 5, failed: 0, coverage: { rules: 6, covered: 5 } });
  });

  test("--suggest for people", async () => {
    const policy = file("bare.policy.ts", policyText({ rules: 'allow("ftp", expr`tcp.dstport == 21`)' }));
    await testPolicies([policy], { suggest: true });
    expect(printed.join("\n")).toContain(
      'for `tests`:\n    { packet: "tcp 192.0.2.7:40000 > 203.0.113.1:21 flags=S", expect: "allow", rule: "ftp" },',
    );
  });

  test("a policy with errors fails, whatever the others do", async () => {
    expect(await testPolicies([FIVE, ACME], { json: true })).toBe(1);
    expect(output()).toMatchObject({ passed: 5, failed: 0 });
  });
});
