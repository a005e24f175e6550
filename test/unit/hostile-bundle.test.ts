import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readBundle } from "../../runtime/bundle.js";
import { BUNDLE_LIMITS } from "../../runtime/trust/files.js";
import { checkTexts } from "../../runtime/trust/texts.js";
import { emit } from "../../src/compiler/compile.js";
import { manifest as manifestOf } from "../../src/targets/bundle.js";
import { acme, CHICAGO } from "../support/acme-edge.js";
import {
  CONTENT,
  codeOf,
  MANIFEST,
  sha256,
  spelled,
  writeIn,
  writeTinyBundle,
} from "../support/tiny-bundle.js";

/** docs/security.md, "Who can write a bundle": what he might put into it, and no key of a node to stop him. */

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-hostile-"));
  writeTinyBundle(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const TUNNEL = {
  name: "t",
  device: "gre-t",
  peer: "tg-acme-t",
  kind: "gre",
  remote: "198.51.100.1",
  ttl: 64,
  mtu: 1476,
  key: null,
  dscp: "inherit",
  df: "set",
};
const OTHER_TUNNEL = { ...TUNNEL, name: "u", device: "gre-u", peer: "tg-acme-u", remote: "198.51.100.2" };
const HASH = "0".repeat(64);
const manifest = (overrides: object) => writeTinyBundle(folder, overrides);
const manifestText = (text: string) => writeIn(folder, "manifest.json", text);
const spellWith = (from: string, to: string) => manifestText(spelled(MANIFEST).replace(from, to));
const refused = () => codeOf(() => readBundle(folder));

describe("a path that leads out of the bundle", () => {
  test.each([
    "../acme.nft",
    "nft/../../acme.nft",
    "/etc/passwd",
    "./acme.nft",
    "nft//acme.nft",
    "nft/",
    "",
    "nft\\acme.nft",
    "nft/acme\n.nft",
    "nft/acme.nft; reboot",
    "nft/acme.nft\u0000.txt",
  ])("%j", async (path) => {
    manifest({ files: { ...MANIFEST.files, [path]: HASH } });
    expect(await refused()).toBe("TG5021");
  });

  test("of a table", async () => {
    manifest({ tables: [{ map: "data", kind: "data", file: "../data", bytes: 1 }] });
    expect(await refused()).toBe("TG5002");
  });

  test.each([
    ["__proto__", "TG5021"],
    ["constructor", "TG5004"],
  ])("a file named %s", async (path, code) => {
    manifestText(spelled(MANIFEST).replace('"files": {', `"files": {\n    "${path}": "${sha256("x")}",`));
    expect(await refused()).toBe(code);
  });
});

describe("a name that would mean something to a shell, to nft or to ip", () => {
  const names = [
    "acme; reboot",
    "$(id)",
    "`id`",
    "../acme",
    "acme\n",
    "acme }",
    "-acme",
    "acme acme",
    "a'b",
    "ACME",
    "",
  ];
  const row = (name: string) => ({ name, action: "drop", line: 1 });
  const places: readonly (readonly [string, (name: string) => object])[] = [
    ["customer", (name) => ({ customer: name, namespace: `tg-${name}` })],
    ["rule of mitigate", (name) => ({ mitigate: [row(name)] })],
    ["rule of firewall", (name) => ({ firewall: { ...MANIFEST.firewall, rules: [row(name)] } })],
    ["tunnel", (name) => ({ tunnels: [{ ...TUNNEL, name }] })],
    ["device", (name) => ({ tunnels: [{ ...TUNNEL, device: name }] })],
    ["remote", (name) => ({ tunnels: [{ ...TUNNEL, remote: name }] })],
    ["prefix", (name) => ({ prefixes: [name] })],
    ["map", (name) => ({ tables: [{ map: `${name}!`, kind: "lpm", family: 4, entries: [] }] })],
    ["entry of a list", (name) => ({ tables: [{ map: "m", kind: "lpm", family: 4, entries: [name] }] })],
  ];
  test.each(places)("%s", async (_place, overrides) => {
    for (const name of names) {
      manifest(overrides(name));
      expect([name, await refused()]).toEqual([name, "TG5002"]);
    }
  });

  test.each([{ namespace: "tg-globex" }, { link: "eth0" }, { tunnels: [{ ...TUNNEL, peer: "eth0" }] }])(
    "a kernel object of somebody else: %j",
    async (overrides) => {
      manifest(overrides);
      expect(await refused()).toBe("TG5010");
    },
  );
});

describe("what is not a plain file", () => {
  // Node.js shows it by another name, under which it is not found.
  test("a folder whose name is no UTF-8", async () => {
    mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]));
    expect(await refused()).toBe("TG5001");
  });

  const swap = (file: string, make: (path: string) => void) => {
    renameSync(join(folder, file), `${folder}.kept`);
    make(join(folder, file));
  };
  afterEach(() => rmSync(`${folder}.kept`, { recursive: true, force: true }));

  test.each(["manifest.json", "signature.json", "nft/acme.nft", "nft"])(
    "%s, a link to the same",
    async (file) => {
      writeIn(folder, "signature.json", "{}");
      swap(file, (path) => symlinkSync(`${folder}.kept`, path));
      expect(await refused()).toBe("TG5022");
    },
  );

  test.each(["manifest.json", "signature.json", "nft/acme.nft"])(
    "%s, a pipe that nobody writes to",
    async (file) => {
      writeIn(folder, "signature.json", "{}");
      swap(file, (path) => execFileSync("mkfifo", [path]));
      expect(await refused()).toBe("TG5022");
    },
  );

  test("a folder where the manifest should be", async () => {
    swap("manifest.json", (path) => mkdirSync(path));
    expect(await refused()).toBe("TG5022");
  });
});

describe("more than a node reads", () => {
  const grow = (file: string, size: number) => {
    writeFileSync(join(folder, file), "");
    truncateSync(join(folder, file), size + 1);
  };

  test.each([
    ["manifest.json", BUNDLE_LIMITS.manifest],
    ["signature.json", BUNDLE_LIMITS.signature],
    ["nft/acme.nft", BUNDLE_LIMITS.file],
  ])("%s", async (file, size) => {
    grow(file, size);
    expect(await refused()).toBe("TG5020");
  });

  test("files", async () => {
    execFileSync("sh", ["-c", `cd "$0" && seq 0 ${BUNDLE_LIMITS.entries} | xargs mkdir`, folder]);
    expect(await refused()).toBe("TG5020");
  });

  test("a file that grew while it was read is judged by what was read", async () => {
    writeFileSync(join(folder, "nft/acme.nft"), `${CONTENT}# and more\n`);
    expect(await refused()).toBe("TG5003");
  });
});

describe("a text that would reach beyond the customer", () => {
  const withText = (file: string, text: string) => {
    manifest({ tunnels: [{ ...TUNNEL, key: 7 }, OTHER_TUNNEL], files: { [file]: sha256(text) } });
    rmSync(join(folder, "nft"), { recursive: true });
    writeIn(folder, file, text);
  };

  test.each([
    "netns exec tg-globex nft flush ruleset",
    "link del dev eth0",
    "link set dev eth0 down",
    "link set dev gre-t xdp object evil.o",
    "link set dev gre-t netns tg-globex",
    "link set dev gre-t netns 1 name eth0",
    "route add 203.0.113.0/24 dev tg-acme-t table 254",
    "link set dev gre-t up",
    "route add 203.0.113.0/24 dev eth0 table main",
    "route flush table 0",
    "rule add from all lookup 0",
    "-force",
    " route add blackhole 0.0.0.0/0 table $table",
    "route add blackhole 0.0.0.0/0 table $table; reboot",
    "route\tadd blackhole 0.0.0.0/0",
    "route add \\",
  ])("ip: %s", async (line) => {
    withText("route/acme.ip", `route add blackhole 0.0.0.0/0 table $table\n${line}\n`);
    expect(await refused()).toBe("TG5025");
  });

  test.each([
    ["route/acme.t.gre.ip", "route add 0.0.0.0/0 dev tg-acme-t table 254"],
    ["route/acme.t.gre.ip", "link set dev gre-t up"],
    ["route/acme.t.gre.ip", "link set dev tg-acme-t netns 1"],
    ["route/acme.t.gre.ip", "link set dev tg-acme-t netns tg-acme name eth0"],
    ["route/acme.t.gre.ip", "link set dev tg-acme-t xdp object acme.o"],
    ["route/acme.t.veth.ip", "link del dev tg-acme-t"],
    ["route/acme.t.up.ip", "link set dev tg-acme up"],
    ["route/acme.t.up.ip", "link add dev gre-t type veth"],
    ["route/acme.t.gre.ip", "link add dev tg-acme-t type gre local $anycast4 remote 198.51.100.9 key 7"],
    ["route/acme.t.gre.ip", "link add dev tg-acme-t type gre local 198.51.100.9 remote 198.51.100.1 key 7"],
    ["route/acme.t.gre.ip", "link add dev tg-acme-t type gre local $anycast4 remote 198.51.100.1 key 8"],
    ["route/acme.t.gre.ip", "link add dev tg-acme-t type gre local $anycast4 remote 198.51.100.1"],
    ["route/acme.t.gre.ip", "link add dev tg-acme-t type gre local $anycast4 key 7"],
    ["route/acme.t.gre.ip", "link add dev tg-acme-t type gre remote 198.51.100.1 key 7"],
    ["route/acme.t.gre.ip", "link add dev tg-acme-t type gre local $anycast6 remote 198.51.100.1 key 7"],
    ["route/acme.t.gre.ip", "link add dev tg-acme-t type sit local $anycast4 remote 198.51.100.1 key 7"],
    ["route/acme.t.gre.ip", "link add dev tg-acme-t type vxlan local $anycast4 remote 198.51.100.1 key 7"],
    ["route/acme.u.gre.ip", "link add dev tg-acme-u type gre local $anycast4 remote 198.51.100.2 key 7"],
    ["route/acme.u.gre.ip", "link add dev tg-acme-t type gre local $anycast4 remote 198.51.100.2"],
    ["route/acme.v.gre.ip", "link set dev tg-acme-t up"],
    ["route/acme.t.up.ip", "link set dev gre-u up"],
    ["route/other.ip", "netns exec tg-globex id"],
    ["route/acme.ip", "nexthop add id $table000001 dev gre-t"],
    ["route/acme.ip", "nexthop add id 7 group $table000001,1 type resilient buckets 128"],
    ["route/acme.nexthops4.ip", "nexthop add id $table000001 dev edge"],
    ["route/acme.nexthops4.ip", "nexthop add id 7 dev gre-t"],
    ["route/acme.nexthops6.ip", "nexthop del id $table000001"],
    ["route/acme.nexthops6.ip", "route add blackhole ::/0 table $table"],
    ["route/acme.nexthops5.ip", "nexthop add id $table000001 dev gre-t"],
  ])("ip in %s: %s", async (file, line) => {
    withText(file, `${line}\n`);
    expect(await refused()).toBe("TG5025");
  });

  test.each([
    'include "/etc/shadow"',
    "\tinclude './x'",
    "table inet t { include 'x'",
    "add table inet t; include 'x'",
  ])("nft: %s", async (line) => {
    withText("nft/acme.nft", `table inet tidegate {\n}\n${line}\n`);
    expect(await refused()).toBe("TG5025");
  });

  test.each(['ip saddr 10.0.0.0/8 counter name "rule-include" drop comment "include"', "# include nothing"])(
    "nft may say: %s",
    async (line) => {
      withText("nft/acme.nft", `${line}\n`);
      expect(await refused()).toBe("none");
    },
  );

  test("what the compiler writes says nothing of the kind", () => {
    const policy = acme({
      tunnels: [CHICAGO, { ...CHICAGO, name: "paris", key: 7, mtu: 1200 }],
      routes: acme().routes.flatMap((route) => [route, { ...route, tunnel: "paris", weight: 256 }]),
    });
    const texts = emit(policy).map(({ path, text }) => [path, Buffer.from(text)] as const);
    expect(texts.map(([path]) => path)).toEqual(
      expect.arrayContaining(["route/acme.paris.gre.ip", "route/acme.nexthops6.ip"]),
    );
    const about = manifestOf(policy, { file: "", text: "", modules: [] }, "test", []);
    expect(() => checkTexts(about, texts)).not.toThrow();
  });
});

describe("a manifest that two readers could take for two things", () => {
  test.each([
    ["a key twice", '"customer": "acme"', '"customer": "globex",\n  "customer": "acme"'],
    ["a file twice", '"files": {', `"files": {\n    "nft/acme.nft": "${HASH}",`],
    ["an escape", '"acme"', '"\\u0061cme"'],
    ["a number in another spelling", '"schema": 1', '"schema": 1.0'],
    ["spaces", '"schema": 1', '"schema":  1'],
    ["something behind it", "}\n}\n", "}\n}\n\n"],
  ])("%s", async (_name, from, to) => {
    spellWith(from, to);
    expect(await refused()).toBe("TG5023");
  });

  test("bytes that are no UTF-8, which all read as the same character", async () => {
    const [before, after] = spelled({ ...MANIFEST, compiler: "\ufffd" }).split("\ufffd");
    writeFileSync(
      join(folder, "manifest.json"),
      Buffer.concat([Buffer.from(before ?? ""), Buffer.from([0xff]), Buffer.from(after ?? "")]),
    );
    expect(await refused()).toBe("TG5023");
  });

  test("says from where on", async () => {
    spellWith('"customer": "acme"', '"customer": "globex",\n  "customer": "acme"');
    await expect(readBundle(folder)).rejects.toThrow("from line 4 on");
  });
});

describe("a manifest that is none", () => {
  test.each([
    ["cut short", () => manifestText(spelled(MANIFEST).slice(0, -20)), "TG5001"],
    ["empty", () => manifestText(""), "TG5001"],
    ["not UTF-8", () => writeFileSync(join(folder, "manifest.json"), Buffer.from([0xff, 0xfe])), "TG5001"],
    ["nested without end", () => manifestText("[".repeat(1_000_000)), "TG5001"],
    ["nested deep", () => manifestText(`${"[".repeat(100_000)}${"]".repeat(100_000)}`), "TG5002"],
    ["a number beyond all bounds", () => spellWith('"schema": 1', '"schema": 1e999'), "TG5002"],
    [
      "a line beyond what a number holds",
      () => manifest({ mitigate: [{ name: "a", action: "drop", line: 2 ** 60 }] }),
      "TG5002",
    ],
    [
      "a table larger than its file",
      () => manifest({ tables: [{ map: "data", kind: "data", file: "nft/acme.nft", bytes: 2 ** 40 }] }),
      "TG5002",
    ],
    ["that lists itself", () => manifest({ files: { ...MANIFEST.files, "manifest.json": HASH } }), "TG5002"],
    [
      "that lists its signature",
      () => manifest({ files: { ...MANIFEST.files, "signature.json": HASH } }),
      "TG5002",
    ],
    ["that says more", () => manifest({ run: "reboot" }), "TG5002"],
  ])("%s", async (_name, spoil, code) => {
    spoil();
    expect(await refused()).toBe(code);
  });

  test("of twenty thousand mistakes is refused in a few words", async () => {
    manifest({ prefixes: Array(20_000).fill("nonsense") });
    const message = await readBundle(folder).catch((error: Error) => error.message);
    expect(message).toMatch(/^the bundle's manifest is not valid: .{0,500}$/);
  });
});
