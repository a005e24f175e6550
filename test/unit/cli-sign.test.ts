import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readBundle } from "../../runtime/bundle.js";
import { keyId } from "../../runtime/trust/keys.js";
import { compile } from "../../src/cli/commands/compile.js";
import { keygen } from "../../src/cli/commands/keygen.js";
import { sign } from "../../src/cli/commands/sign.js";
import { writeBundle } from "../../src/cli/io/write-bundle.js";
import { codeOf, MANIFEST, spelled, writeIn, writeTinyBundle } from "../support/tiny-bundle.js";

const ACME = join(import.meta.dirname, "../../examples/acme/acme.policy.ts");

let folder: string;
let printed: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-sign-"));
  printed = [];
  vi.spyOn(console, "log").mockImplementation((line) => printed.push(String(line)));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);

/** Makes a key; gives what `keygen --json` says. */
async function newKey(name: string) {
  expect(await keygen(at(name), { json: true })).toBe(0);
  const { key } = JSON.parse(printed.at(-1) ?? "");
  return { file: at(`${name}.key`), keys: { [name]: { key } } };
}

function newBundle(): string {
  writeTinyBundle(at("acme"));
  return at("acme");
}

/** The message that `action` is refused with, before anything is written. */
async function refusal(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => "none",
    (error: Error) => error.message.replaceAll(folder, ""),
  );
}

describe("keygen", () => {
  test("writes a secret and what belongs to it", async () => {
    const { file } = await newKey("release");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = createPrivateKey(readFileSync(file));
    const open = createPublicKey(readFileSync(at("release.pub")));
    expect(keyId(secret)).toBe(keyId(open));
    expect(JSON.parse(printed[0] ?? "")).toMatchObject({ name: "release", keyId: keyId(open) });
  });

  test("prints the line for edge.ts, which is a line of the public file", async () => {
    await keygen(at("Branch Office"), {});
    const [, line] = /keys: { "branch-office": { key: "(.*)" } },/.exec(printed.join("\n")) ?? [];
    expect(readFileSync(at("Branch Office.pub"), "utf8").split("\n")).toContain(line);
  });

  test.each(["release.key", "release.pub"])(
    "keeps a %s that is there, and makes nothing beside it",
    async (name) => {
      writeFileSync(at(name), "kept");
      expect(await refusal(keygen(at("release"), {}))).toBe(`/${name} is there already; it is left as it is`);
      expect(readFileSync(at(name), "utf8")).toBe("kept");
      expect(["release.key", "release.pub"].filter((file) => existsSync(at(file)))).toEqual([name]);
    },
  );
});

describe("sign", () => {
  test("makes a bundle that is taken by who trusts the key", async () => {
    const { file, keys } = await newKey("release");
    expect(await sign(newBundle(), { key: file })).toBe(0);
    const { release } = await readBundle(at("acme"), keys);
    expect(release).toMatchObject({ customer: "acme", signers: ["release"] });
    expect(Math.abs(Date.now() - (release?.serial ?? 0))).toBeLessThan(600_000);
  });

  test("anew replaces what was there; --add stands beside it, with the same serial", async () => {
    const [first, second] = [await newKey("first"), await newKey("second")];
    const keys = { ...first.keys, ...second.keys };
    const release = async () => (await readBundle(at("acme"), keys)).release;
    await sign(newBundle(), { key: first.file, serial: "7" });
    await sign(at("acme"), { key: second.file, add: true });
    expect(await release()).toMatchObject({ serial: 7, signers: ["first", "second"] });
    await sign(at("acme"), { key: second.file, serial: "8" });
    expect(await release()).toMatchObject({ serial: 8, signers: ["second"] });
  });

  test("signs nothing that a node would not take", async () => {
    const { file } = await newKey("release");
    writeIn(newBundle(), "nft/acme.nft", "changed");
    expect(await codeOf(() => sign(at("acme"), { key: file }))).toBe("TG5003");
    expect(existsSync(at("acme/signature.json"))).toBe(false);
  });

  test("adds nothing to the signature of another bundle", async () => {
    const { file } = await newKey("release");
    await sign(newBundle(), { key: file });
    writeIn(at("acme"), "manifest.json", spelled({ ...MANIFEST, compiler: "another" }));
    expect(await codeOf(() => sign(at("acme"), { key: file, add: true }))).toBe("TG5017");
  });

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  test.each<readonly [string, string, RegExp]>([
    ["that is none", "secret", /^\/a\.key cannot be used: it is no private key/],
    [
      "that is encrypted",
      "-----BEGIN ENCRYPTED PRIVATE KEY-----",
      /: it is encrypted, which is not supported;/,
    ],
    [
      "of another kind",
      rsa.export({ type: "pkcs8", format: "pem" }).toString(),
      /^\/a\.key is a key for rsa; /,
    ],
    ["that is a disk", "x".repeat(20_000), /^\/a\.key is no key: it has 20000 bytes$/],
  ])("refuses a key %s", async (_name, text, message) => {
    writeFileSync(at("a.key"), text, { mode: 0o600 });
    expect(await refusal(sign(newBundle(), { key: at("a.key") }))).toMatch(message);
  });

  test("says that a public key is one, and not that it should be hidden", async () => {
    await newKey("release");
    expect(await refusal(sign(newBundle(), { key: at("release.pub") }))).toBe(
      "/release.pub is a public key, which checks signatures; sign with its private one",
    );
  });

  test("refuses a key that others can read", async () => {
    const { file } = await newKey("release");
    chmodSync(file, 0o640);
    expect(await refusal(sign(newBundle(), { key: file }))).toBe(
      `others can read /release.key: chmod 600 /release.key`,
    );
  });

  test("refuses a key that is not there", async () => {
    expect(await refusal(sign(newBundle(), { key: at("a.key") }))).toBe("cannot read /a.key: no such file");
  });

  test.each(["-1", "1.5", "1e3", "0x10", "", "9007199254740993", "tomorrow"])(
    "refuses serial %j",
    async (serial) => {
      const { file } = await newKey("release");
      expect(await refusal(sign(newBundle(), { key: file, serial }))).toMatch(
        /^--serial must be a whole number/,
      );
    },
  );

  test("refuses to add to nothing, or with a serial of its own", async () => {
    const { file } = await newKey("release");
    expect(await refusal(sign(newBundle(), { key: file, add: true }))).toBe(
      "/acme has no signature to add to",
    );
    expect(await refusal(sign(at("acme"), { key: file, add: true, serial: "1" }))).toMatch(
      /leave --serial out$/,
    );
  });
});

describe("compile --sign", () => {
  test("writes a signed bundle, which may be replaced like any other", async () => {
    const { file, keys } = await newKey("release");
    expect(await compile(ACME, { output: at("out"), sign: file, serial: "7" })).toBe(0);
    const first = await readBundle(at("out"), keys);
    expect(first.release).toMatchObject({ customer: "acme", serial: 7 });
    expect(await compile(ACME, { output: at("out") })).toBe(0);
    const second = await readBundle(at("out"));
    expect(second.hash).toBe(first.hash);
    expect(existsSync(at("out/signature.json"))).toBe(false);
  });

  test("a serial without a signature is a mistake", async () => {
    expect(await refusal(compile(ACME, { output: at("out"), serial: "7" }))).toMatch(/add --sign$/);
  });

  test("a signature in a folder that is no bundle protects it as ever", () => {
    writeIn(at("mine"), "signature.json", "mine");
    expect(() => writeBundle(at("mine"), [])).toThrow(/holds something that is not a bundle/);
  });
});
