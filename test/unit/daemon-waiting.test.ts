import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Reconciler } from "../../runtime/daemon/reconciler.js";
import { delayAfter, isLasting } from "../../runtime/daemon/waiting.js";
import { FAILURES, type FailureCode, RuntimeFailure } from "../../runtime/failures.js";
import { NODE, Reconciling } from "../support/reconciling.js";
import { CONTENT, sha256 } from "../support/tiny-bundle.js";

let at: Reconciling;
let reconciler: Reconciler;

beforeEach(async () => {
  at = new Reconciling();
  reconciler = await at.start();
});
afterEach(() => at.end());

const round = () => reconciler.round(NODE);
const SECOND = 1000;

describe("what may pass", () => {
  const WAITS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300];

  beforeEach(async () => {
    await at.publish("acme", "v1");
    at.refuse("TG9015", "v1");
  });

  test("is tried again after twice as long each time, five minutes at most, and never before", async () => {
    for (const seconds of WAITS) {
      await round();
      expect(at.did()).toEqual(["apply acme v1"]);
      expect(reconciler.next()).toBe(seconds * SECOND);
      at.now += seconds * SECOND - 1;
      await round();
      expect(at.did()).toEqual([]);
      expect(reconciler.next()).toBe(1);
      at.now += 1;
    }
    expect(delayAfter(1_000_000)).toBe(300 * SECOND);
    expect(at.said()).toEqual([
      "warning acme: revision 1 not in force yet: TG9015 this node refused: no memory; next try in 1 s",
    ]);
    at.accept();
    await round();
    expect([at.engine.versions, reconciler.next()]).toEqual([{ acme: "v1" }, Number.POSITIVE_INFINITY]);
  });

  test("is said again when it fails for another reason", async () => {
    await round();
    at.now += SECOND;
    at.engine.before = () => {
      throw new TypeError("x is not a function");
    };
    await round();
    expect(at.said()[1]).toMatch(
      /^warning acme: revision 1 not in force yet: TypeError: x is not a function/,
    );
    expect(at.heard.filter((line) => line.startsWith("failed"))).toEqual([
      "failed acme TG9015 0",
      "failed acme unknown 0",
    ]);
  });

  test("begins anew with a new revision, which is tried at once", async () => {
    for (const seconds of WAITS.slice(0, 4)) {
      await round();
      at.now += seconds * SECOND;
    }
    await round();
    at.did();
    at.refuse("TG9015", "v2");
    await at.publish("acme", "v2");
    await round();
    expect([at.did(), reconciler.next()]).toEqual([["apply acme v2"], SECOND]);
  });

  test("is tried at once when another customer changes: that one may have been in its way", async () => {
    for (const seconds of WAITS.slice(0, 6)) {
      await round();
      at.now += seconds * SECOND;
    }
    await round();
    await at.publish("globex", "v1");
    at.accept();
    await round();
    expect(reconciler.next()).toBe(0);
    await round();
    expect(at.engine.versions).toEqual({ acme: "v1", globex: "v1" });
  });

  test("does not keep others from their changes, however often it fails", async () => {
    for (const version of ["v2", "v3", "v4"]) {
      await at.publish("globex", version);
      await round();
      expect(at.engine.versions).toEqual({ globex: version });
    }
    expect(at.heard.filter((line) => line.startsWith("waiting"))).toEqual([
      "waiting 1",
      "waiting 1",
      "waiting 1",
    ]);
  });

  test("is a blob that is not there yet; what was fetched does not stay", async () => {
    at.accept();
    at.store = {
      ...at.blobs,
      blob: async (hash) => (hash === sha256(CONTENT) ? undefined : at.blobs.blob(hash)),
    };
    await round();
    expect(at.did()).toEqual([]);
    expect(at.said()[0]).toMatch(
      /^warning acme: .* not in force yet: TG9103 `nft\/acme\.nft` of `acme` .*next try in 1 s$/,
    );
    expect(existsSync(at.engine.incoming("acme"))).toBe(false);
    at.store = at.blobs;
    at.now += SECOND;
    await round();
    expect(at.engine.versions).toEqual({ acme: "v1" });
  });

  test("that is refused for good in the end waits no longer", async () => {
    await round();
    at.refuse("TG5007", "v1");
    at.now += SECOND;
    await round();
    expect(reconciler.next()).toBe(Number.POSITIVE_INFINITY);
    expect(at.heard.at(-1)).toBe("waiting 0");
  });

  test("of several is as near as the first of them", async () => {
    await round();
    at.now += 400;
    at.refuse("TG9015", "v1", "v2");
    await at.publish("globex", "v2");
    await round();
    expect(reconciler.next()).toBe(600);
  });

  test("is all but a bad bundle, unless another customer is in its way", () => {
    const codes = Object.keys(FAILURES) as FailureCode[];
    const mayPass = codes.filter((code) => !isLasting(new RuntimeFailure(code, "", null)));
    expect(mayPass.filter((code) => code.startsWith("TG50"))).toEqual([
      "TG5008",
      "TG5009",
      "TG5011",
      "TG5026",
    ]);
    const lasting = codes.filter((code) => code.startsWith("TG9") && !mayPass.includes(code));
    expect(lasting).toEqual(["TG9102"]);
  });

  test("is a bug of ours, too", () => {
    expect(isLasting(new TypeError("x is not a function"))).toBe(false);
    expect(isLasting(Object.assign(new Error("EIO"), { code: "TG5007" }))).toBe(false);
  });
});
