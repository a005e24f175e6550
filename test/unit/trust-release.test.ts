import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readBundle } from "../../runtime/bundle.js";
import { refuseDowngrade } from "../../runtime/trust/downgrade.js";
import { preAuthenticationEncoding } from "../../runtime/trust/dsse.js";
import { keyId } from "../../runtime/trust/keys.js";
import {
  addSignature,
  checkRelease,
  knownRelease,
  serialOf,
  signRelease,
} from "../../runtime/trust/release.js";
import { nodeConfigSchema } from "../../src/targets/manifest.js";
import { newKey, signFolder, trusted } from "../support/signed-bundle.js";
import { codeOf, MANIFEST, sha256, writeIn, writeTinyBundle } from "../support/tiny-bundle.js";

/** docs/security.md, "Who can write a bundle", on a node with keys. */

const RELEASE = newKey();
const BRANCH = newKey();
const STRANGER = newKey();
const KEYS = { release: trusted(RELEASE), branch: trusted(BRANCH, "globex") };
const HASH = sha256("a manifest");
const STATEMENT = { customer: "acme", serial: 7, manifest: HASH };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-signed-"));
  writeTinyBundle(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const signatureText = () => readFileSync(join(folder, "signature.json"), "utf8");
const refused = () => codeOf(() => readBundle(folder, KEYS));

interface RawEnvelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** Rewrites the signature file as an attacker could, who has no key. */
function edit(change: (envelope: RawEnvelope) => object): void {
  writeIn(folder, "signature.json", JSON.stringify(change(JSON.parse(signatureText()))));
}

/** A payload of the test's own, really signed. */
function signPayload(payload: string, payloadType = "application/vnd.tidegate.release+json"): void {
  const bytes = Buffer.from(payload);
  const sig = sign(null, preAuthenticationEncoding({ payloadType, payload: bytes }), RELEASE.privateKey);
  const signatures = [{ keyid: keyId(RELEASE.publicKey), sig: sig.toString("base64") }];
  writeIn(
    folder,
    "signature.json",
    JSON.stringify({ payloadType, payload: bytes.toString("base64"), signatures }),
  );
}

test("what is signed is the encoding that DSSE prescribes", () => {
  const payload = Buffer.from("hello world");
  const encoded = preAuthenticationEncoding({ payloadType: "http://example.com/HelloWorld", payload });
  expect(encoded.toString()).toBe("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
});

test("a key is named by the hash of its public half, which the private one has, too", () => {
  expect(keyId(RELEASE.privateKey)).toBe(keyId(RELEASE.publicKey));
  expect(keyId(RELEASE.publicKey)).toMatch(/^sha256:[0-9a-f]{64}$/);
});

describe("a signed bundle", () => {
  test("is taken, and says who vouches for it", async () => {
    signFolder(folder, RELEASE, 7);
    const { release } = await readBundle(folder, KEYS);
    expect(release).toEqual({
      customer: "acme",
      serial: 7,
      manifest: expect.any(String),
      signers: ["release"],
    });
  });

  test("has the same signature each time", () => {
    expect(signRelease(STATEMENT, RELEASE.privateKey)).toBe(signRelease(STATEMENT, RELEASE.privateKey));
  });

  test("by several is taken for the sake of one that is trusted", () => {
    const once = signRelease(STATEMENT, STRANGER.privateKey);
    const twice = addSignature(addSignature(once, HASH, RELEASE.privateKey), HASH, BRANCH.privateKey);
    expect(checkRelease(twice, HASH, KEYS).signers).toEqual(["release"]);
    expect(serialOf(twice)).toBe(7);
    expect(addSignature(twice, HASH, BRANCH.privateKey)).toBe(twice);
  });

  test("of another bundle is signed by nobody else by mistake", async () => {
    const text = signRelease(STATEMENT, RELEASE.privateKey);
    expect(await codeOf(() => addSignature(text, sha256("other"), BRANCH.privateKey))).toBe("TG5017");
  });

  test("is read without its signature where the node has no keys", async () => {
    writeIn(folder, "signature.json", "nonsense");
    expect((await readBundle(folder)).release).toBeNull();
  });
});

describe("what is known of a release in force", () => {
  const text = signRelease(STATEMENT, RELEASE.privateKey);

  test.each<readonly [string, ReturnType<typeof knownRelease>, string, string, typeof KEYS | undefined]>([
    [
      "its serial and whom of its signers the node trusts",
      { serial: 7, signedBy: ["release"] },
      text,
      HASH,
      KEYS,
    ],
    ["nobody, where the node names no keys", { serial: 7, signedBy: [] }, text, HASH, undefined],
    [
      "nobody, where the key is trusted no more",
      { serial: 7, signedBy: [] },
      signRelease(STATEMENT, STRANGER.privateKey),
      HASH,
      KEYS,
    ],
    ["nothing, where the signature is another bundle's", null, text, sha256("another"), KEYS],
    ["nothing, where it cannot be read", null, "{", HASH, KEYS],
  ])("%s", (_name, known, signature, manifest, keys) => {
    expect(knownRelease(signature, manifest, keys)).toEqual(known);
  });
});

describe("a bundle that a node with keys refuses", () => {
  test.each<readonly [string, string, () => void]>([
    ["unsigned", "TG5012", () => rmSync(join(folder, "signature.json"))],
    ["signed by a stranger", "TG5014", () => signFolder(folder, STRANGER, 7)],
    ["signed by another customer's key", "TG5016", () => signFolder(folder, BRANCH, 7)],
    ["signed as another customer's", "TG5017", () => signFolder(folder, BRANCH, 7, "globex")],
    [
      "with the signature of another",
      "TG5017",
      () => writeTinyBundle(folder, { prefixes: ["192.0.2.0/24"] }),
    ],
    [
      "with a manifest that was edited",
      "TG5017",
      () => writeIn(folder, "manifest.json", "{ nobody parses this"),
    ],
    [
      "with a stranger's signature under a known key's name",
      "TG5015",
      () => {
        signFolder(folder, STRANGER, 7);
        edit((envelope) => ({
          ...envelope,
          signatures: envelope.signatures.map(({ sig }) => ({ keyid: keyId(RELEASE.publicKey), sig })),
        }));
      },
    ],
    [
      "with a payload that was edited",
      "TG5015",
      () =>
        edit((envelope) => ({
          ...envelope,
          payload: Buffer.from('{"schema":1,"customer":"acme","serial":8}').toString("base64"),
        })),
    ],
    [
      "with a signature cut short",
      "TG5015",
      () =>
        edit((envelope) => ({
          ...envelope,
          signatures: envelope.signatures.map((one) => ({ ...one, sig: one.sig.slice(0, 44) })),
        })),
    ],
    [
      "with no signature in the envelope",
      "TG5013",
      () => edit((envelope) => ({ ...envelope, signatures: [] })),
    ],
    [
      "with seventeen",
      "TG5013",
      () => edit((envelope) => ({ ...envelope, signatures: Array(17).fill(envelope.signatures[0]) })),
    ],
    [
      "with base64 that says more than it shows",
      "TG5013",
      () => edit((envelope) => ({ ...envelope, payload: `${envelope.payload}!` })),
    ],
    ["with an envelope that is no JSON", "TG5013", () => writeIn(folder, "signature.json", "-----BEGIN")],
    [
      "with a payload of another kind",
      "TG5013",
      () => signPayload(JSON.stringify({ schema: 1, ...STATEMENT }), "application/vnd.in-toto+json"),
    ],
    [
      "with a statement that says more",
      "TG5013",
      () => signPayload('{"schema":1,"customer":"acme","serial":1,"manifest":"","more":1}'),
    ],
    [
      "with a customer that is a path",
      "TG5013",
      () => signPayload(JSON.stringify({ schema: 1, ...STATEMENT, customer: "../acme" })),
    ],
    [
      "with a serial beyond what a number holds",
      "TG5013",
      () => signPayload(JSON.stringify({ schema: 1, ...STATEMENT, serial: 2 ** 60 })),
    ],
    [
      "with a statement of two spellings",
      "TG5013",
      () => signPayload(`{"schema":1,"customer":"globex","customer":"acme","serial":1,"manifest":"${HASH}"}`),
    ],
  ])("%s: %#", async (_name, code, spoil) => {
    signFolder(folder, RELEASE, 7);
    spoil();
    expect(await refused()).toBe(code);
  });

  test("any one bit of the envelope changed", async () => {
    const text = signRelease(STATEMENT, RELEASE.privateKey);
    const spoil = fc.tuple(fc.nat(text.length - 1), fc.integer({ min: 0, max: 6 }));
    await fc.assert(
      fc.asyncProperty(spoil, async ([at, bit]) => {
        const changed = Buffer.from(text);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        // What is left may say the same in other words; if it is taken, it must.
        const code = await codeOf(() =>
          expect(checkRelease(changed.toString(), HASH, KEYS)).toMatchObject(STATEMENT),
        );
        expect(["none", "TG5013", "TG5014", "TG5015"]).toContain(code);
      }),
      { numRuns: 300 },
    );
  });
});

test("nothing of a bundle is parsed before its signature holds", async () => {
  writeIn(folder, "manifest.json", "{");
  signFolder(folder, STRANGER, 7);
  expect(await refused()).toBe("TG5014");
  signFolder(folder, RELEASE, 7);
  expect(await refused()).toBe("TG5001");
});

describe("keys of a node", () => {
  const node = {
    schema: 1,
    uplinks: ["up0"],
    anycast: ["198.18.0.1"],
    owners: { acme: MANIFEST.prefixes },
  } as const;
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;

  test.each([
    ["none written", undefined, true],
    ["one", KEYS, true],
    ["an empty set", {}, false],
    [
      "of another kind",
      { release: { key: rsa.export({ format: "der", type: "spki" }).toString("base64") } },
      false,
    ],
    ["for nobody", { release: { ...KEYS.release, customers: [] } }, false],
    ["under a name that none is", { "a b": KEYS.release }, false],
  ])("%s", (_name, keys, valid) => {
    expect(nodeConfigSchema.safeParse({ ...node, ...(keys && { keys }) }).success).toBe(valid);
  });

  test("once there, do not go by leaving a line out", async () => {
    const { keys: _, ...without } = { ...nodeConfigSchema.parse(node), keys: KEYS };
    const before = { ...without, keys: KEYS };
    expect(await codeOf(() => refuseDowngrade(before, without))).toBe("TG5024");
    expect(await codeOf(() => refuseDowngrade(before, { ...before, keys: { next: KEYS.branch } }))).toBe(
      "none",
    );
    expect(await codeOf(() => refuseDowngrade(without, without))).toBe("none");
    expect(await codeOf(() => refuseDowngrade(undefined, without))).toBe("none");
  });
});
