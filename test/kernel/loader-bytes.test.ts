import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeFields, encodeFrame, type Field } from "../../runtime/frame.js";
import { packageRoot } from "../../runtime/native-process.js";
import { FLAG, message } from "../../runtime/netlink/message.js";
import { compileBpf, EVERY_KIND, UNSAFE_ACCESS } from "../support/bpf-object.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import { u32 } from "../support/words.js";

let bpffs: BpfFs;
let folder: string;

beforeAll(() => {
  bpffs = mountBpfFs();
  folder = mkdtempSync(join(tmpdir(), "tidegate-loader-"));
  compileBpf(join(folder, "object.o"), EVERY_KIND);
  compileBpf(join(folder, "unsafe.o"), UNSAFE_ACCESS);
  execFileSync("make", ["-s", "-C", join(packageRoot(), "runtime/loader"), "asan"]);
}, 120_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  bpffs?.unmount();
});

/** The names in the tables of operations. */
function operations(): readonly string[] {
  const sources = join(packageRoot(), "runtime/loader");
  const texts = readdirSync(sources).filter((file) => file.endsWith(".c"));
  return texts.flatMap((file) =>
    [...readFileSync(join(sources, file), "utf8").matchAll(/^\t\{ "([^"]+)", \d/gm)].map(
      ([, name]) => name ?? "",
    ),
  );
}

/** Feeds bytes to a loader, also to one built with sanitizers, which end the process at any fault or leak. */
describe.each(["tidegate-loader", "tidegate-loader.asan"])("%s, fed with bytes", (binary) => {
  function feed(bytes: Buffer): { answers: string[][]; status: number | null; stderr: string } {
    const path = join(packageRoot(), "dist/runtime/loader", binary);
    const run = spawnSync("unshare", ["-n", path], { input: bytes, maxBuffer: 1 << 28 });
    const answers: string[][] = [];
    for (let rest = run.stdout; rest.length > 0; rest = rest.subarray(4 + rest.readUInt32LE())) {
      answers.push(decodeFields(rest.subarray(4, 4 + rest.readUInt32LE())).map(String));
    }
    return { answers, status: run.status, stderr: run.stderr.toString() };
  }

  const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
  const good = encodeFrame(["ifindex", "lo"]);

  test.each<[string, Buffer, RegExp]>([
    ["an empty frame", hex("00000000"), /malformed/],
    ["a cut count", hex("02000000 0100"), /malformed/],
    ["more fields than allowed", hex("04000000 ffffffff"), /malformed/],
    ["a field longer than its frame", hex("09000000 01000000 02000000 61"), /malformed/],
    ["a field whose length wraps", hex("09000000 01000000 ffffffff 61"), /malformed/],
    ["bytes behind the last field", hex("0a000000 01000000 01000000 6162"), /malformed/],
    ["no operation", encodeFrame([]), /without an operation/],
    ["an unknown operation", encodeFrame(["format-disk"]), /unknown operation format-disk/],
    [
      "an operation that only begins like a known one",
      encodeFrame(["ifindex\0x", "lo"]),
      /unknown operation/,
    ],
    ["missing arguments", encodeFrame(["map.update", "p"]), /map\.update with 1 arguments/],
    ["a NUL in a text", encodeFrame(["ifindex", "l\0o"]), /holds a NUL/],
    ["a number that is none", encodeFrame(["map.clear-program", "p", "-1"]), /not a number: -1/],
    ["a number that is too large", encodeFrame(["map.clear-program", "p", "4294967296"]), /too large/],
  ])("answers %s with an error, and then the next request", (_, bytes, message) => {
    const { answers, status, stderr } = feed(Buffer.concat([bytes, good]));
    expect(answers[0]?.[0]).toBe("error");
    expect(answers[0]?.[1]).toMatch(message);
    expect(answers[1]).toEqual(["ok", "1"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  test.each([
    ["a frame beyond the limit", hex("01000004")],
    ["a frame that ends early", good.subarray(0, 9)],
    ["half a length", good.subarray(0, 2)],
  ])("ends after %s, with an error", (_, bytes) => {
    const { answers, status, stderr } = feed(Buffer.concat([good, bytes]));
    expect(answers.map(([head]) => head)).toEqual(["ok", "error"]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "the request stream is broken\n" });
  });

  test("does every operation, well and badly, without a fault or a leak", () => {
    const at = join(bpffs.path, binary.replaceAll(".", "-"));
    const object = join(folder, "object.o");
    const elf = readFileSync(object);
    const requests: ["ok" | "error", ...Field[]][] = [
      ["ok", "object.load", object, at],
      ["error", "object.load", object, at],
      ["error", "object.load", join(folder, "unsafe.o"), `${at}-unsafe`],
      ["ok", "object.load", object, `${at}-2`, "hash", `${at}/map_hash`],
      ["error", "object.load", object, `${at}-3`, "hash", `${at}/map_sums`],
      ["ok", "object.load_bytes", elf, "object", `${at}-4`, "hash", `${at}/map_hash`],
      ["error", "object.load_bytes", elf, "object", `${at}-5`, "hash"],
      ["error", "object.load_bytes", elf.subarray(0, 100), "object", `${at}-5`],
      ["error", "object.load_bytes", Buffer.from("no ELF"), "object", `${at}-5`],
      ["ok", "map.update", `${at}/map_hash`, "1", u32(1), u32(1, 2)],
      ["error", "map.update", `${at}/map_hash`, "2", u32(1), u32(1, 2)],
      ["ok", "map.dump", `${at}/map_hash`],
      ["ok", "map.dump", `${at}/map_sums`],
      ["ok", "map.lookup", `${at}/map_hash`, "2", u32(1, 9)],
      ["ok", "map.lookup", `${at}/map_sums`, "1", u32(1)],
      ["error", "map.lookup", `${at}/map_hash`, "3", u32(1, 9)],
      ["error", "map.delete", `${at}/map_hash`, "2", u32(1, 9)],
      ["ok", "map.set-program", `${at}/map_programs`, "1", `${at}/prog_second`],
      ["error", "map.set-program", `${at}/map_hash`, "1", `${at}/prog_second`],
      ["ok", "map.clear-program", `${at}/map_programs`, "1"],
      ["ok", "map.like", `${at}/map_hash`, `${at}/map_like`],
      ["error", "map.like", `${at}/map_hash`, `${at}/map_like`],
      ["ok", "map.pin-again", `${at}/prog_first`, "hash", `${at}/map_hash_again`],
      ["error", "map.pin-again", `${at}/prog_first`, "hash", `${at}/map_hash_again`],
      ["error", "map.pin-again", `${at}/prog_second`, "hash", `${at}/map_none`],
      ["ok", "map.set-map", `${at}/map_maps`, "1", `${at}/map_inner`],
      ["error", "map.set-map", `${at}/map_hash`, "1", `${at}/map_inner`],
      ["ok", "ifindex", "lo"],
      ["error", "ifindex", "gone"],
      ["ok", "gro.get", "lo"],
      ["error", "gro.get", "gone"],
      ["ok", "gro.set", "lo", "0"],
      ["error", "gro.set", "lo", "2"],
      ["error", "gro.set", "a-name-longer-than-devices-have", "0"],
      ["ok", "tx-checksum.get", "", "lo"],
      ["error", "tx-checksum.get", "/gone", "lo"],
      ["error", "tx-checksum.set", "", "gone", "0"],
      ["error", "tx-checksum.set", "", "lo", "2"],
      ["ok", "pin.info", `${at}/map_hash`],
      ["ok", "xdp.attach", "lo", `${at}/prog_first`, `${at}/link`, "generic"],
      ["error", "xdp.attach", "lo", `${at}/prog_first`, `${at}/link2`, "generic"],
      ["ok", "xdp.update", `${at}/link`, `${at}/prog_second`, `${at}/prog_first`],
      ["error", "xdp.update", `${at}/link`, `${at}/prog_second`, `${at}/prog_first`],
      ["ok", "pin.info", `${at}/link`],
      ["ok", "xdp.detach", `${at}/link`],
      ["ok", "tc.attach", "lo", "ingress", "1", "1", `${at}/prog_classify`],
      ["error", "tc.attach", "lo", "ingress", "1", "1", `${at}/prog_first`],
      ["ok", "tc.query", "lo", "ingress", "1", "1"],
      ["error", "tc.query", "lo", "ingress", "1", "2"],
      ["ok", "tc.detach", "lo", "ingress", "1", "1"],
      ["error", "tc.detach", "lo", "ingress", "1", "1"],
      ["ok", "netlink", "", "", "rule show", message(34, FLAG.dump, Buffer.alloc(12))],
      ["ok", "netlink", "/proc/self/ns/net", "/proc/self/ns/net", "", Buffer.alloc(0)],
      ["error", "netlink", "", "", "link del", message(17, 0, Buffer.alloc(16))],
      ["error", "netlink", "", "", "a route", message(24, 0, Buffer.alloc(12))],
      ["error", "netlink", "", "", "half a message", Buffer.alloc(5)],
      ["error", "netlink", "", "/gone", "", Buffer.alloc(0)],
      ["error", "netlink", "/gone", "", "", Buffer.alloc(0)],
      ["ok", "nft", "", "apply", "text", "table inet t {\n}\n"],
      ["error", "nft", "", "check", "text", "bogus"],
      ["ok", "nft", "/proc/self/ns/net", "apply", "json", "list tables"],
      ["ok", "lock", join(folder, binary)],
      ["error", "lock", join(folder, binary)],
    ];
    const { answers, status, stderr } = feed(
      Buffer.concat(requests.map(([, ...request]) => encodeFrame(request))),
    );
    expect(new Set(requests.map(([, operation]) => operation))).toEqual(new Set(operations()));
    const outcome = (head: unknown, index: number) => `${head} ${requests[index]?.[1]} ${index}`;
    expect(answers.map(([head], index) => outcome(head, index))).toEqual(
      requests.map(([head], index) => outcome(head, index)),
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
