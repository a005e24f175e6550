import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SIGNATURE_FILE } from "../../runtime/trust/release.js";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { AcmeEdge, acme, globex, NODE, tamper } from "../support/acme-edge.js";
import { address, rule } from "../support/ir.js";
import { newKey, signFolder, trusted } from "../support/signed-bundle.js";

/**
 * docs/security.md: what whoever can hand a bundle to an edge server with keys may try. Each is refused with a code of its
 * own, and the machine, what is loaded and what is remembered are as before.
 */

const RELEASE = newKey();
const BRANCH = newKey();
const STRANGER = newKey();
const KEYS: NodeConfig = {
  ...NODE,
  keys: { release: trusted(RELEASE), branch: trusted(BRANCH, "globex") },
};

let edge: AcmeEdge;
let good: string;
let memoryDir: string;
let bundles = 0;

const apply = (bundle: string, node = KEYS, rollback = false) =>
  edge.server.apply(bundle, node, { memoryDir, rollback });
const loaded = async () => (await edge.server.status()).customers;

/** Everything that a refused bundle must not touch. */
async function portrait(): Promise<string> {
  const memory = edge.server.run(["sh", "-c", `cat ${memoryDir}/serials/* 2>/dev/null || true`]);
  const state = edge.server.run([
    "sh",
    "-c",
    "find /run/tidegate -not -name lock | sort; cat /run/tidegate/*.json",
  ]);
  return [edge.server.portrait(), edge.server.portrait("tg-acme"), memory, state].join("\n");
}

async function refused(bundle: string, node = KEYS): Promise<string> {
  const before = await portrait();
  const code = await apply(bundle, node).then(
    () => "none",
    (error) => String(error.code ?? error),
  );
  expect(await portrait()).toBe(before);
  return code;
}

/** A copy of the good bundle, to be spoilt. */
function copy(): string {
  const folder = join(edge.server.folder, `copy-${++bundles}`);
  cpSync(good, folder, { recursive: true });
  return folder;
}

/** Another policy of Acme's each time, not signed yet. */
function other(): string {
  const bogons = rule("more-bogons", "drop", address("ip.src", `10.${++bundles}.0.0/16`));
  return edge.bundle(`other-${bundles}`, acme({ mitigate: [bogons] }));
}

beforeAll(async () => {
  edge = await AcmeEdge.start();
  memoryDir = join(edge.server.folder, "memory");
  good = signFolder(edge.bundle("acme", acme()), RELEASE, 100);
  expect(await apply(good)).toMatchObject({ changed: true, signedBy: ["release"] });
});

afterAll(() => edge?.server.end());

describe("a bundle that nobody vouches for", () => {
  test.each<readonly [string, string, (folder: string) => unknown]>([
    ["unsigned", "TG5012", (folder) => rmSync(join(folder, SIGNATURE_FILE))],
    ["signed by a stranger", "TG5014", (folder) => signFolder(folder, STRANGER, 200)],
    [
      "forged",
      "TG5015",
      (folder) => {
        const file = join(folder, SIGNATURE_FILE);
        const envelope = JSON.parse(readFileSync(file, "utf8"));
        const payload = Buffer.from(envelope.payload, "base64")
          .toString()
          .replace('"serial":100', '"serial":999');
        writeFileSync(
          file,
          JSON.stringify({ ...envelope, payload: Buffer.from(payload).toString("base64") }),
        );
      },
    ],
    ["signed by the key of another customer", "TG5016", (folder) => signFolder(folder, BRANCH, 200)],
    [
      "with the signature of another customer",
      "TG5017",
      (folder) => {
        const theirs = signFolder(edge.bundle("globex", globex()), RELEASE, 200, "globex");
        cpSync(join(theirs, SIGNATURE_FILE), join(folder, SIGNATURE_FILE));
      },
    ],
    [
      "whose program was replaced, and its hash with it",
      "TG5017",
      (folder) => tamper(folder, "xdp/acme.bpf.o", "not ELF"),
    ],
    [
      "whose program was replaced",
      "TG5003",
      (folder) => writeFileSync(join(folder, "xdp/acme.bpf.o"), "not ELF"),
    ],
    [
      "with a link",
      "TG5022",
      (folder) => {
        rmSync(join(folder, "nft/acme.nft"));
        symlinkSync("/etc/passwd", join(folder, "nft/acme.nft"));
      },
    ],
    ["with one file more", "TG5005", (folder) => writeFileSync(join(folder, "xdp/more.bpf.o"), "")],
  ])("%s", async (_name, code, spoil) => {
    const folder = copy();
    spoil(folder);
    expect(await refused(folder)).toBe(code);
  });
});

describe("yesterday's bundle", () => {
  test("is refused, and another of the same serial, too", async () => {
    expect(await refused(signFolder(other(), RELEASE, 99))).toBe("TG5018");
    expect(await refused(signFolder(other(), RELEASE, 100))).toBe("TG5019");
  });

  test("goes in with --rollback, and then only newer ones than the newest", async () => {
    expect(await apply(signFolder(other(), RELEASE, 50), KEYS, true)).toMatchObject({ changed: true });
    expect(await refused(signFolder(other(), RELEASE, 60))).toBe("TG5018");
    expect(await apply(good)).toMatchObject({ changed: true });
  });

  test("is refused after the customer was removed, and after a reboot", async () => {
    await edge.server.remove("acme");
    expect(await apply(signFolder(other(), RELEASE, 99)).catch(({ code }) => code)).toBe("TG5018");
    expect(await apply(good)).toMatchObject({ changed: true });
  });
});

test("what is in force and was signed again makes old what was signed in between", async () => {
  const between = signFolder(other(), RELEASE, 220);
  expect(await apply(signFolder(copy(), RELEASE, 230))).toMatchObject({ changed: false });
  expect(await refused(between)).toBe("TG5018");
});

test("a key is replaced without a change of policy", async () => {
  const both = { ...NODE, keys: { ...KEYS.keys, next: trusted(STRANGER) } };
  const next = { ...NODE, keys: { next: trusted(STRANGER) } };
  expect(await apply(good, both)).toMatchObject({ changed: true });
  expect(await apply(signFolder(copy(), STRANGER, 240), both)).toMatchObject({ changed: false });
  const { generation } = (await loaded())[0];
  const own = `/run/tidegate/customers/acme/bundle-${generation}`;
  // As the daemon does with a new description of the node: from the node's own copy.
  expect(await apply(own, next)).toMatchObject({ changed: true, signedBy: ["next"] });
  expect((await loaded())[0]).toMatchObject({ release: { serial: 240, signedBy: ["next"] } });
  expect(await apply(signFolder(copy(), RELEASE, 245))).toMatchObject({ signedBy: ["release"] });
  expect((await loaded())[0]).toMatchObject({ release: { serial: 245, signedBy: ["release"] } });
});

test("a memory that others may write to is not asked", async () => {
  const newer = signFolder(other(), RELEASE, 250);
  for (const [spoil, mend] of [
    ["chmod 777", "chmod 755"],
    ["chown 65534", "chown 0"],
  ]) {
    edge.server.run(["sh", "-c", `${spoil} ${memoryDir}`]);
    expect(await refused(newer)).toBe("TG9016");
    edge.server.run(["sh", "-c", `${mend} ${memoryDir}`]);
  }
});

describe("a signed bundle that is no good all the same", () => {
  test.each<readonly [string, RegExp, string, string]>([
    ["a program that is not ELF", /TG9006/, "xdp/acme.bpf.o", "not ELF"],
    ["a firewall that is none", /TG9006/, "nft/acme.nft", "table inet tidegate { nonsense }\n"],
  ])("%s changes nothing", async (_name, code, file, content) => {
    expect(await refused(signFolder(tamper(copy(), file, content), RELEASE, 300))).toMatch(code);
  });

  test("a program of which bytes were changed is loaded or refused, and never more", async () => {
    const object = readFileSync(join(good, "xdp/acme.bpf.o"));
    for (const [index, at] of [16, 40, 60, object.length - 40, object.length >> 1].entries()) {
      const changed = Buffer.from(object);
      changed.fill(0xff, at, at + 8);
      const folder = copy();
      const bundle = signFolder(tamper(folder, "xdp/acme.bpf.o", changed), RELEASE, 400 + index);
      const code = await apply(bundle).then(
        () => "loaded",
        (error) => String(error.code),
      );
      expect(["loaded", "TG9006"]).toContain(code);
      expect(await loaded()).toMatchObject([{ name: "acme", drift: [] }]);
    }
    await apply(signFolder(copy(), RELEASE, 500));
  });
});

describe("keys", () => {
  test("do not go by leaving them out", async () => {
    expect(await refused(signFolder(other(), RELEASE, 600), NODE)).toBe("TG5024");
  });

  test("that are trusted no more do not stop a change to what a new one signs", async () => {
    const next = { ...NODE, keys: { next: trusted(STRANGER) } };
    expect(await refused(signFolder(other(), RELEASE, 600), next)).toBe("TG5014");
    expect(await apply(signFolder(other(), STRANGER, 600), next)).toMatchObject({ signedBy: ["next"] });
    expect(await loaded()).toMatchObject([{ drift: [] }]);
  });

  test("a node that never had any takes unsigned bundles, and remembers nothing", async () => {
    await edge.server.remove("acme");
    // Nothing is left of it that a reboot would not take, but for the memory.
    const afterwards = apply(other(), NODE).catch(({ code, hint }) => `${code} ${hint}`);
    expect(await afterwards).toMatch(/^TG5024 `.*\/serials` says so; is it the right edge\.ts\?/);
    expect(await apply(other(), NODE, true).catch(({ code }) => code)).toBe("TG5024");
    rmSync(memoryDir, { recursive: true });
    expect(await apply(other(), NODE)).toMatchObject({ changed: true, signedBy: null });
    expect((await loaded())[0]).toMatchObject({ release: null });
    expect(edge.server.run(["sh", "-c", `ls ${memoryDir} 2>&1 || true`])).toContain("No such file");
  });
});
