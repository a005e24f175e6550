import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Content, Store, Watch } from "../../runtime/store/store.js";

/** A store of the test's own, empty at first. */
export interface StoreUnderTest {
  /** Another connection to the same store, as another process or machine would have it. */
  open(): Store;
  /** Makes the bytes of a blob other ones, as a failing disk would. */
  damage(hash: string): void;
  end(): void;
}

const REMOVED: Content = { kind: "removed" };

function bundleOf(manifest: string, more: Readonly<Record<string, string>> = {}): Content {
  return { kind: "bundle", files: { "manifest.json": manifest, ...more } };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** The code and words of what `promise` rejects with. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "it was not refused",
    ({ code, message }) => `${code} ${message}`,
  );
}

/** What every store has to do: the meaning of the interface `Store`. */
export function storeConformance(name: string, make: () => StoreUnderTest): void {
  describe(`${name} as a store`, () => {
    let under: StoreUnderTest;
    let store: Store;
    let watches: Watch[] = [];

    beforeEach(() => {
      under = make();
      store = under.open();
    });
    afterEach(() => {
      for (const watch of watches) watch.close();
      watches = [];
      under.end();
    });

    test("is empty at first", async () => {
      expect([...(await store.heads())]).toEqual([]);
      expect(await store.head("acme")).toBeUndefined();
      expect(await store.blob(sha256("nothing"))).toBeUndefined();
    });

    test("gives back blobs by their SHA-256, on any connection, empty ones too", async () => {
      for (const text of ["", "a", "b".repeat(100_000)]) {
        const hash = await store.putBlob(bytes(text));
        expect(hash).toBe(sha256(text));
        expect(Buffer.from((await under.open().blob(hash)) ?? "none").toString()).toBe(text);
      }
    });

    test("takes the same blob twice, also at the same time", async () => {
      const hashes = await Promise.all([store, under.open(), store].map((one) => one.putBlob(bytes("same"))));
      expect(new Set(hashes)).toEqual(new Set([sha256("same")]));
    });

    test("has no blob that was damaged, until it is put again", async () => {
      const hash = await store.putBlob(bytes("precious"));
      under.damage(hash);
      expect(await store.blob(hash)).toBeUndefined();
      await store.putBlob(bytes("precious"));
      expect(await store.blob(hash)).toEqual(Buffer.from("precious"));
    });

    test("a head is what was published last", async () => {
      const files = bundleOf(sha256("one"), { "nft/acme.nft": sha256("nft") });
      const first = await store.publish("acme", files, 0);
      expect(first).toMatchObject({ customer: "acme", revision: 1, content: files });
      expect(Date.parse(first.published)).toBeGreaterThan(0);
      expect(await under.open().head("acme")).toEqual(first);
      const second = await under.open().publish("acme", bundleOf(sha256("two")), 1);
      expect(second.revision).toBe(2);
      expect(await store.head("acme")).toEqual(second);
    });

    test("customers are told apart, whatever their names begin with", async () => {
      for (const customer of ["acme", "acme-2", "a", "globex"]) await store.publish(customer, REMOVED, 0);
      await store.publish("acme-2", bundleOf(sha256("x")), 1);
      expect([...(await store.heads())]).toEqual([
        ["a", 1],
        ["acme", 1],
        ["acme-2", 2],
        ["globex", 1],
      ]);
      expect(await store.head("acme")).toMatchObject({ revision: 1, content: REMOVED });
    });

    test("a removal is a head like any other, and can be followed by a bundle", async () => {
      await store.publish("acme", bundleOf(sha256("one")), 0);
      expect(await store.publish("acme", REMOVED, 1)).toMatchObject({ revision: 2, content: REMOVED });
      expect(await store.publish("acme", bundleOf(sha256("one")), 2)).toMatchObject({ revision: 3 });
    });

    test.each([
      ["behind", 1],
      ["ahead", 3],
    ])("refuses who is %s", async (_, after) => {
      await store.publish("acme", bundleOf(sha256("one")), 0);
      const head = await store.publish("acme", bundleOf(sha256("two")), 1);
      expect(await refusal(store.publish("acme", REMOVED, after))).toMatch(/^TG9104 .*revision 2 of `acme`$/);
      expect(await store.head("acme")).toEqual(head);
    });

    test("of many publishers at the same moment exactly one wins", async () => {
      const publishers = Array.from({ length: 20 }, (_, index) => bundleOf(sha256(`${index}`)));
      const results = await Promise.allSettled(
        publishers.map((content) => under.open().publish("acme", content, 0)),
      );
      const won = results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      const lost = results.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
      expect(won).toHaveLength(1);
      expect(new Set(lost)).toEqual(new Set(["TG9104"]));
      expect(await store.head("acme")).toEqual(won[0]);
    });

    test("readers see whole heads while they are replaced", async () => {
      const rounds = 30;
      const publish = async () => {
        for (let after = 0; after < rounds; after++)
          await store.publish("acme", bundleOf(sha256(`${after}`)), after);
      };
      let done = false;
      const publishing = publish().finally(() => {
        done = true;
      });
      const reader = under.open();
      let last = 0;
      while (!done) {
        const head = await reader.head("acme");
        if (!head) continue;
        expect(head.revision).toBeGreaterThanOrEqual(last);
        expect(head.content).toEqual(bundleOf(sha256(`${head.revision - 1}`)));
        last = head.revision;
      }
      await publishing;
      expect((await reader.head("acme"))?.revision).toBe(rounds);
    });

    test("many revisions later, what the latest needs is there", async () => {
      const keep = await store.putBlob(bytes("in every revision"));
      for (let after = 0; after < 40; after++) {
        const manifest = await store.putBlob(bytes(`manifest ${after}`));
        await store.publish("acme", bundleOf(manifest, { keep }), after);
      }
      expect(await store.blob(keep)).toBeDefined();
      expect(await store.blob(sha256("manifest 39"))).toBeDefined();
    });

    test("tells who watches of a change, until the watch is closed", async () => {
      await store.publish("acme", REMOVED, 0);
      let calls = 0;
      const heard = new Promise<void>((resolve) => {
        watches.push(
          store.watch(() => {
            calls++;
            resolve();
          }),
        );
      });
      await under.open().publish("acme", REMOVED, 1);
      await heard;
      for (const watch of watches) watch.close();
      const before = calls;
      await under.open().publish("acme", REMOVED, 2);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(calls).toBe(before);
    });
  });
}
