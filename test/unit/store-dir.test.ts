import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fetchBundle, publishBundle, publishRemoval } from "../../runtime/store/bundles.js";
import { dirStore } from "../../runtime/store/dir-store.js";
import { withFolder } from "../../runtime/store/held-folder.js";
import { openStore } from "../../runtime/store/open.js";
import type { Content, Store } from "../../runtime/store/store.js";
import { BUNDLE_LIMITS } from "../../runtime/trust/files.js";
import { writePolicyBundle } from "../support/bundles.js";
import { policy } from "../support/ir.js";
import { storeConformance } from "../support/store-conformance.js";

let folder = "";
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-store-"));
  store = dirStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const blobFile = (root: string, hash: string) => join(root, "blobs", hash.slice(0, 2), hash.slice(2));

storeConformance("a directory", () => {
  const root = mkdtempSync(join(tmpdir(), "tidegate-store-"));
  return {
    open: () => dirStore(root),
    damage: (hash) => writeFileSync(blobFile(root, hash), "PRECIOUS"),
    end: () => rmSync(root, { recursive: true, force: true }),
  };
});

async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "it was not refused",
    ({ code, message }) => `${code} ${message}`,
  );
}

/** The kind of value that it gives, or what it fails with. */
const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => typeof value,
    ({ code, message }) => `${code} ${message}`,
  );

const REMOVED: Content = { kind: "removed" };
const heads = () => readdirSync(join(folder, "heads")).sort();

describe("the directory", () => {
  test.each([
    ["dir:/srv/store", "dir:/srv/store"],
    ["dir:relative", `dir:${join(process.cwd(), "relative")}`],
    ["/srv/store", undefined],
    ["etcd://localhost", undefined],
    ["dir:", undefined],
  ])("%s is opened as %s", (text, name) => {
    expect(openStore(text)?.name).toBe(name);
  });

  test("that is missing is not an empty store", async () => {
    rmSync(folder, { recursive: true });
    expect(await refusal(store.heads())).toMatch(/^TG9101 cannot read the store dir:.*ENOENT/);
    expect(await refusal(store.head("acme"))).toMatch(/^TG9101 /);
  });

  test("of others is read past: half-written heads, and names that are none", async () => {
    await store.publish("acme", REMOVED, 0);
    for (const name of [".acme.2.json.0a", "acme.2.json~", "acme.json", "acme.0.json", "Acme.3.json", "x"])
      writeFileSync(join(folder, "heads", name), "half");
    expect([...(await store.heads())]).toEqual([["acme", 1]]);
  });

  test.each([
    ["half a head", "{", /TG9101 .*revision 2 of `acme`: .*JSON/],
    ["a path that leads out", headText({ "../../etc/passwd": "0".repeat(64) }), /TG9102 .*content/],
    ["no manifest", headText({ x: "0".repeat(64) }, false), /TG9102 .*manifest.json is not listed/],
    ["another's head", headText({}).replace("acme", "globex"), /TG9102 .*revision 2 of globex/],
    ["an endless head", " ".repeat(1024 * 1024 + 1), /TG9101 .*1048577 bytes/],
  ])("with %s in it says so", async (_, text, message) => {
    await store.publish("acme", REMOVED, 0);
    writeFileSync(join(folder, "heads/acme.2.json"), text);
    expect(await refusal(store.head("acme"))).toMatch(message);
  });

  test("that refuses a write says so, and keeps its head", async () => {
    const head = await store.publish("acme", REMOVED, 0);
    // A file where the folder of blobs should be refuses even root.
    writeFileSync(join(folder, "blobs"), "");
    expect(await refusal(store.putBlob(Buffer.from("x")))).toMatch(/^TG9106 cannot write .*(ENOTDIR|EEXIST)/);
    expect(await store.head("acme")).toEqual(head);
  });

  test("keeps the latest revisions, and blobs that they need or that are young", async () => {
    const hashes: string[] = [];
    for (let after = 0; after < 17; after++) {
      const manifest = await store.putBlob(Buffer.from(`manifest ${after}`));
      hashes.push(manifest);
      if (after < 2) utimesSync(blobFile(folder, manifest), 0, 0);
      await store.publish("acme", { kind: "bundle", files: { "manifest.json": manifest } }, after);
    }
    expect(heads()).toHaveLength(16);
    expect(heads()).not.toContain("acme.1.json");
    const there = hashes.map((hash) => existsSync(blobFile(folder, hash)));
    expect(there).toEqual([false, ...Array(16).fill(true)]);
  });

  test("with a head that cannot be read loses no blob", async () => {
    const old = await store.putBlob(Buffer.from("old"));
    utimesSync(blobFile(folder, old), 0, 0);
    await store.publish("globex", REMOVED, 0);
    writeFileSync(join(folder, "heads/globex.1.json"), "{");
    for (let after = 0; after < 17; after++) await store.publish("acme", REMOVED, after);
    expect(existsSync(blobFile(folder, old))).toBe(true);
  });

  test.each(["heads", "blobs"])("with a link in the place of its %s is not followed", async (name) => {
    const elsewhere = mkdtempSync(join(tmpdir(), "tidegate-elsewhere-"));
    try {
      const hash = await store.putBlob(Buffer.from("manifest"));
      await store.publish("acme", { kind: "bundle", files: { "manifest.json": hash } }, 0);
      cpSync(join(folder, name), join(elsewhere, name), { recursive: true });
      rmSync(join(folder, name), { recursive: true });
      symlinkSync(join(elsewhere, name), join(folder, name));
      const tried = [store.head("acme"), store.blob(hash), store.putBlob(Buffer.from("x"))];
      const [head, blob, put] = await Promise.all(tried.map(outcomeOf));
      if (name === "heads") expect(head).toMatch(/^TG9101 .*ENOTDIR.*\/heads'/);
      else expect([blob, put]).toEqual(["undefined", expect.stringMatching(/^TG9106 /)]);
      expect(await outcomeOf(store.publish("acme", REMOVED, 1))).toMatch(
        name === "heads" ? /^TG9101 / : /object/,
      );
      expect(readdirSync(join(elsewhere, name))).toHaveLength(1);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  test("clears away blobs, and nothing that others have put, or linked, beside them", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "tidegate-elsewhere-"));
    try {
      const name = "0".repeat(62);
      for (const file of [join(elsewhere, name), join(elsewhere, "passwd")]) {
        writeFileSync(file, "");
        utimesSync(file, 0, 0);
      }
      const orphan = await store.putBlob(Buffer.from("orphan"));
      utimesSync(blobFile(folder, orphan), 0, 0);
      symlinkSync(elsewhere, join(folder, "blobs/00"));
      symlinkSync(elsewhere, join(folder, "blobs/etc"));
      writeFileSync(join(folder, "blobs/README"), "");
      for (let after = 0; after < 17; after++) await store.publish("acme", REMOVED, after);
      expect(existsSync(blobFile(folder, orphan))).toBe(false);
      expect(readdirSync(elsewhere).sort()).toEqual([name, "passwd"]);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  test("whose folders change places between two steps: each step stays in the one that it entered", async () => {
    const aside = join(folder, "aside");
    mkdirSync(join(folder, "place"));
    const seen = await withFolder(join(folder, "place"), async (held) => {
      renameSync(join(folder, "place"), aside);
      symlinkSync("/etc", join(folder, "place"));
      writeFileSync(join(held, "mine"), "");
      return readdirSync(held);
    });
    expect([seen, readdirSync(aside)]).toEqual([["mine"], ["mine"]]);
  });

  test("that comes later is watched all the same", async () => {
    mkdirSync(join(folder, "heads"));
    const heard = new Promise<void>((resolve) => {
      const watch = store.watch(() => {
        watch.close();
        resolve();
      });
    });
    await store.publish("acme", REMOVED, 0);
    await heard;
  });
});

function headText(files: Readonly<Record<string, string>>, withManifest = true): string {
  const manifest = withManifest ? { "manifest.json": "0".repeat(64) } : {};
  const content = { kind: "bundle", files: { ...manifest, ...files } };
  return JSON.stringify({ schema: 1, customer: "acme", revision: 2, published: "now", content });
}

describe("a publisher that is killed", () => {
  /** Publishes without end, each revision with a blob of its own, until it is killed. */
  const PUBLISHER = `
    import { dirStore } from ${JSON.stringify(join(process.cwd(), "dist/runtime/store/dir-store.js"))};
    const store = dirStore(process.argv[1]);
    for (;;) {
      const after = (await store.heads()).get("acme") ?? 0;
      const manifest = await store.putBlob(Buffer.from("manifest of " + (after + 1)));
      await store.publish("acme", { kind: "bundle", files: { "manifest.json": manifest } }, after);
      if (after === 0) console.log("begun");
    }`;

  test("leaves a head that is whole, with all of its blobs", async () => {
    for (let round = 0; round < 5; round++) {
      const child = spawn("node", ["--input-type=module", "-e", PUBLISHER, folder], { stdio: "pipe" });
      const ended = new Promise((resolve) => child.once("close", resolve));
      const before = (await store.heads()).get("acme") ?? 0;
      while (((await store.heads()).get("acme") ?? 0) < before + 3 + round)
        await new Promise((resolve) => setTimeout(resolve, 5));
      child.kill("SIGKILL");
      await ended;
      const head = await store.head("acme");
      expect(head?.content.kind).toBe("bundle");
      const files = head?.content.kind === "bundle" ? head.content.files : {};
      const manifest = await store.blob(files["manifest.json"] ?? "");
      expect(Buffer.from(manifest ?? []).toString()).toBe(`manifest of ${head?.revision}`);
    }
  });
});

describe("bundles in a store", () => {
  const bundle = (customer = "acme") =>
    writePolicyBundle({ ...policy([]), customer }, join(folder, `bundle-of-${customer}`));
  const fetched = () => join(folder, "fetched");

  async function fetch(customer: string): Promise<void> {
    const head = await store.head(customer);
    if (head?.content.kind !== "bundle") throw new Error("no bundle");
    const { revision, content } = head;
    await fetchBundle(store, { customer, revision, files: content.files }, fetched());
  }

  const listing = (root: string) => readdirSync(root, { recursive: true, encoding: "utf8" }).sort();

  test("come out as they went in, in place of what was there", async () => {
    const head = await publishBundle(store, `${bundle()}/`);
    expect(head).toMatchObject({ customer: "acme", revision: 1 });
    mkdirSync(fetched());
    writeFileSync(join(fetched(), "stranger"), "");
    await fetch("acme");
    expect(listing(fetched())).toEqual(listing(bundle()));
    expect((await publishBundle(store, bundle())).revision).toBe(2);
  });

  test("go in as they were verified, whatever is done to the folder meanwhile", async () => {
    const source = bundle();
    const hasty: Store = {
      ...store,
      putBlob: (bytes) => {
        writeFileSync(join(source, "nft/acme.nft"), "flush ruleset\n");
        writeFileSync(join(source, "stranger"), "");
        return store.putBlob(bytes);
      },
    };
    await publishBundle(hasty, source);
    await fetch("acme");
    expect(listing(fetched())).not.toContain("stranger");
  });

  test("are not fetched without end", async () => {
    const blobs = [Buffer.alloc(1), Buffer.alloc(BUNDLE_LIMITS.bundle)];
    const endless: Store = { ...store, blob: async (hash) => blobs[Number(hash)] };
    const files = { "a.nft": "0", "b.nft": "1" };
    const fetching = fetchBundle(endless, { customer: "acme", revision: 1, files }, fetched());
    expect(await refusal(fetching)).toMatch(/^TG5020 /);
    expect(listing(fetched())).toEqual(["a.nft"]);
  });

  test.each([
    ["a link", (file: string) => symlinkSync("/dev/zero", file)],
    ["a pipe that nobody writes to", (file: string) => execFileSync("mkfifo", [file])],
  ])("are not read from %s", async (_name, make) => {
    const hash = await store.putBlob(Buffer.from("blob"));
    rmSync(blobFile(folder, hash));
    make(blobFile(folder, hash));
    expect(await refusal(store.blob(hash))).toMatch(/^TG9101 .* is not a plain file/);
  });

  test("of two publishers at the same moment: one goes in, and the other publisher is told", async () => {
    const publishers = [bundle(), bundle()].map((one) => publishBundle(dirStore(folder), one));
    const outcomes = await Promise.all(
      publishers.map((one) =>
        one.then(
          () => "in",
          ({ code }) => code,
        ),
      ),
    );
    expect(outcomes.sort()).toEqual(["TG9104", "in"]);
    await fetch("acme");
  });

  test("that are not whole do not go in", async () => {
    writeFileSync(join(bundle(), "stranger"), "");
    expect(await refusal(publishBundle(store, join(folder, "bundle-of-acme")))).toMatch(/^TG5005 /);
    expect(existsSync(join(folder, "heads"))).toBe(false);
  });

  test("without one of their blobs do not come out", async () => {
    const head = await publishBundle(store, bundle());
    const hash = head.content.kind === "bundle" ? head.content.files["nft/acme.nft"] : "";
    rmSync(blobFile(folder, hash ?? ""));
    expect(await refusal(fetch("acme"))).toMatch(/^TG9103 `nft\/acme.nft` of `acme` revision 1 is missing/);
  });

  test("of one customer under another's name do not come out", async () => {
    await publishBundle(store, bundle("globex"));
    const { content } = (await store.head("globex")) ?? { content: REMOVED };
    await store.publish("acme", content, 0);
    expect(await refusal(fetch("acme"))).toMatch(/^TG9102 revision 1 of `acme` .*its bundle is `globex`'s/);
  });

  test("are taken away by a head that says so; what never was cannot be", async () => {
    await publishBundle(store, bundle());
    expect(await publishRemoval(store, "acme")).toMatchObject({ revision: 2, content: REMOVED });
    expect(await refusal(publishRemoval(store, "acmee"))).toBe(
      `TG9107 \`acmee\` was never published in dir:${folder}`,
    );
  });
});
