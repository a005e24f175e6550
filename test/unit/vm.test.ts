import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cpio } from "../vm/cpio.js";
import { dependencies, inOrder } from "../vm/initramfs.js";
import { formatInterop, formatResults } from "../vm/results.js";
import { LEFT_OUT, suiteFor, WITHOUT_LEFT_OUT } from "../vm/suite.js";

/** What npm run test:vm needs around its virtual machines. */

test("an archive is what the kernel unpacks: aligned to four bytes, with modes, ended by its trailer", () => {
  const archive = cpio([{ path: "bin" }, { path: "bin/x", content: Buffer.from("12345"), executable: true }]);
  const text = archive.toString("latin1");
  const header = (at: number) => text.slice(at, at + 110).match(/^070701|.{8}/g);
  expect(header(0)?.slice(1, 3)).toEqual(["00000001", "000041ed"]);
  const second = 110 + 4 + 2; // the header, `bin` and its zero, up to a multiple of four
  expect(header(second)).toEqual([
    ...["070701", "00000002", "000081ed", "00000000", "00000000", "00000001", "00000000", "00000005"],
    ...["00000000", "00000000", "00000000", "00000000", "00000006", "00000000"],
  ]);
  expect(text.slice(second + 110, second + 110 + 6)).toBe("bin/x\0");
  expect(text.slice(second + 116, second + 124)).toBe("12345\0\0\0");
  expect(text.slice(second + 124 + 110)).toBe("TRAILER!!!\0\0\0\0");
});

describe("modules", () => {
  const known = dependencies(
    "net/gre.ko.xz:\nnet/ip_tunnel.ko.xz:\nnet/ip_gre.ko.xz: net/ip_tunnel.ko.xz net/gre.ko.xz\nx/a-b.ko: net/gre.ko.xz\n",
  );

  test("come after those that they need, once each", () => {
    expect(inOrder(["ip_gre", "a_b"], known)).toEqual([
      ...["net/gre.ko.xz", "net/ip_tunnel.ko.xz", "net/ip_gre.ko.xz", "x/a-b.ko"],
    ]);
  });

  test("that are built in are left out", () => {
    expect(inOrder(["veth"], known)).toEqual([]);
  });
});

test("the table", () => {
  const row = { files: 2, passed: 31, failed: 0, skipped: 4, seconds: 90, interop: [] };
  const results = [
    { ...row, kernel: "6.1", release: "6.1.0-56-cloud-amd64", gre: "kernel" },
    { ...row, kernel: "host", release: "6.18.5", gre: "ebpf", failed: 12 },
  ];
  expect(formatResults(results).split("\n")).toEqual([
    "kernel  release               GRE by  files  passed  failed  skipped  minutes",
    "6.1     6.1.0-56-cloud-amd64  kernel      2      31       0        4      1.5",
    "host    6.18.5                eBPF        2      31      12        4      1.5",
  ]);
});

test("the table of tunnels says of each kernel what went well, and what did not", () => {
  const row = { files: 1, passed: 1, failed: 0, skipped: 0, seconds: 1, release: "x", gre: "kernel" };
  const ends = { edge: "kernel", router: "ebpf", tunnel: "gre, key 7" };
  const interop = [{ ...ends, went: { "IPv4 ping": "→←", "IPv4 TCP": "FAILED" } }];
  const other = [{ ...ends, tunnel: "ipip", went: { "IPv4 ping": "→" } }];
  expect(
    formatInterop([
      { ...row, kernel: "6.1", interop },
      { ...row, kernel: "host", interop: other },
    ]).split("\n"),
  ).toEqual([
    "| kernel | at the edge | at the router | tunnel | IPv4 ping | IPv4 TCP |",
    "| --- | --- | --- | --- | --- | --- |",
    "| 6.1 | kernel | ebpf | gre, key 7 | →← | FAILED |",
    "| host | kernel | ebpf | ipip | → | – |",
  ]);
});

describe("the suite", () => {
  const texts = suiteFor("host").map((file) => readFileSync(file, "utf8"));

  test("leaves out tests that there are, and no other", () => {
    for (const name of LEFT_OUT) {
      expect(texts.filter((text) => text.includes(name.replace("nft/acme.nft", "%s")))).toHaveLength(1);
      expect(`drift > ${name}`).not.toMatch(new RegExp(WITHOUT_LEFT_OUT));
    }
    expect("drift > firewall: found, and mended by applying again").toMatch(new RegExp(WITHOUT_LEFT_OUT));
  });
});

test.each([
  [["--kernel", "2.4"], "no kernel 2.4: there are 6.1, 6.12, host"],
  [["test/kernel/none.test.ts"], "there is no file test/kernel/none.test.ts"],
  [["--minutes", "no"], "minutes are more than 0"],
])("%j is refused", (args, message) => {
  const { status, stderr } = spawnSync("scripts/test-vm", args, { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 2, stderr: `test:vm: ${message}\n` });
});
