import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Reconciler } from "../../runtime/daemon/reconciler.js";
import { failure } from "../../runtime/failures.js";
import { memoryStore } from "../support/memory-store.js";
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

const remembered = () => JSON.parse(readFileSync(at.memoryFile, "utf8")).outcomes;

describe("a new revision", () => {
  test("that is in force with a warning says so", async () => {
    const [message, hint] = ["tunnel `a` makes packets of up to 1500 bytes", "raise the MTU"];
    at.engine.warnings = [{ code: "TG9022", message, hint }];
    await at.publish("acme", "v1");
    await round();
    expect(at.said()).toEqual([
      expect.stringMatching(/^info acme: revision 1 in force/),
      `warning acme: ${message}: ${hint}`,
    ]);
  });

  test("is put in force, said, counted, and not touched again", async () => {
    await at.publish("acme", "v1");
    await round();
    expect(at.did()).toEqual(["apply acme v1"]);
    expect(at.said()).toEqual([
      expect.stringMatching(/^info acme: revision 1 in force as generation 1 \([0-9a-f]{12}, 0 ms\)$/),
    ]);
    expect(at.heard).toEqual(["applied acme 0", "waiting 0"]);
    await round();
    expect([at.did(), at.said()]).toEqual([[], []]);
    expect(existsSync(at.engine.incoming("acme"))).toBe(false);
    expect(remembered().acme).toMatchObject({ revision: 1, state: "in-force", last: { revision: 1 } });
  });

  test("of many customers come one at a time, in the order of their names", async () => {
    const customers = Array.from({ length: 12 }, (_, index) => `c${String(11 - index).padStart(2, "0")}`);
    for (const customer of customers) await at.publish(customer, "v1");
    let atWork = 0;
    at.engine.before = async () => {
      expect(++atWork).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      atWork--;
    };
    await round();
    expect(at.did()).toEqual([...customers].reverse().map((customer) => `apply ${customer} v1`));
  });

  test("that came while another was put in force is seen by the next round", async () => {
    await at.publish("acme", "v1");
    at.engine.before = async (_, version) => void (version === "v1" && (await at.publish("acme", "v2")));
    await round();
    await round();
    expect(at.did()).toEqual(["apply acme v1", "apply acme v2"]);
    expect(at.engine.versions).toEqual({ acme: "v2" });
  });

  test("of those that were passed over only the latest is", async () => {
    for (const version of ["v1", "v2", "v3"]) await at.publish("acme", version);
    await round();
    expect(at.did()).toEqual(["apply acme v3"]);
  });

  test("with what is in force already is said to be, and counts as no change", async () => {
    await at.publish("acme", "v1");
    await round();
    await at.publish("acme", "v1");
    at.said();
    at.heard.length = 0;
    await round();
    expect(at.said()).toEqual([expect.stringMatching(/^info acme: revision 2 is generation 1 already /)]);
    expect(at.heard).toEqual(["waiting 0"]);
  });

  test("is timed without what the store takes to answer", async () => {
    await at.publish("acme", "v1");
    at.store = {
      ...at.blobs,
      blob: (hash) => {
        at.now += 7 * SECOND;
        return at.blobs.blob(hash);
      },
    };
    at.engine.before = () => {
      at.now += 84;
    };
    await round();
    expect(at.said()[0]).toMatch(/, 84 ms\)$/);
    expect(at.heard[0]).toBe("applied acme 84");
  });
});

describe("a bad revision", () => {
  beforeEach(async () => {
    await at.publish("acme", "v1");
    await round();
    at.refuse("TG5007", "bad");
    await at.publish("acme", "bad");
    at.did();
    at.said();
    at.heard.length = 0;
  });

  const REFUSED =
    "error acme: revision 2 refused: TG5007 `acme` may not claim 192.0.2.0/24; revision 1 stays in force";

  test("is refused once, whatever time passes, and the last good one runs on", async () => {
    await round();
    at.now += 86_400 * SECOND;
    await round();
    expect(at.did()).toEqual(["apply acme bad"]);
    expect(at.said()).toEqual([REFUSED]);
    expect(at.engine.versions).toEqual({ acme: "v1" });
    expect(reconciler.next()).toBe(Number.POSITIVE_INFINITY);
    expect(at.heard).toEqual(["failed acme TG5007 0", "waiting 0", "waiting 0"]);
  });

  test("is remembered by a daemon that starts anew, and so is what runs on", async () => {
    await round();
    expect(remembered().acme).toMatchObject({
      revision: 2,
      state: "refused",
      why: "TG5007 `acme` may not claim 192.0.2.0/24",
      last: { revision: 1, files: { "nft/acme.nft": sha256(CONTENT) } },
    });
    reconciler = await at.start();
    await round();
    expect(at.did()).toEqual(["apply acme bad"]);
    await at.publish("acme", "bad");
    await round();
    expect(at.said().at(-1)).toMatch(/revision 3 refused: .*; revision 1 stays in force$/);
  });

  test("is tried once more where the node may be another, and once only", async () => {
    await round();
    reconciler.reconsider();
    await round();
    await round();
    expect(at.did()).toEqual(["apply acme bad", "apply acme bad"]);
    expect(at.said()).toEqual([REFUSED, REFUSED]);
    at.accept();
    reconciler.reconsider();
    await round();
    expect(at.engine.versions).toEqual({ acme: "bad" });
    expect(remembered().acme).toMatchObject({ state: "in-force", last: { revision: 2 } });
  });

  test("gives way to the next one at once", async () => {
    await round();
    await at.publish("acme", "v3");
    await round();
    expect(at.engine.versions).toEqual({ acme: "v3" });
  });

  test("of one customer is no reason to keep others waiting", async () => {
    await at.publish("aaa", "bad");
    await at.publish("globex", "v1");
    await round();
    expect(at.did()).toEqual(["apply aaa bad", "apply acme bad", "apply globex v1"]);
    expect(at.said()[0]).toBe("error aaa: revision 1 refused: TG5007 `aaa` may not claim 192.0.2.0/24");
  });

  test("with the bundle of another customer never comes to the node", async () => {
    const globex = await at.publish("globex", "v1");
    const head = await at.blobs.head("globex");
    if (!head) throw new Error(`globex has no revision ${globex}`);
    await at.blobs.publish("acme", head.content, 2);
    await round();
    expect(at.did()).toEqual(["apply globex v1"]);
    expect(at.said()[0]).toMatch(/^error acme: revision 3 refused: TG9102 .*its bundle is `globex`'s/);
  });
});

describe("a removal", () => {
  beforeEach(async () => {
    await at.publish("acme", "v1");
    await round();
    at.said();
    at.did();
  });

  test("is done, said, and forgotten by the metrics", async () => {
    await at.publish("acme", null);
    await round();
    await round();
    expect(at.did()).toEqual(["remove acme"]);
    expect(at.said()).toEqual(["info acme: removed, as revision 2 says"]);
    expect(at.heard).toContain("removed acme");
    expect(remembered().acme).toMatchObject({ revision: 2, state: "removed", last: null });
  });

  test("of a customer that is not there is no news", async () => {
    await at.engine.remove("acme");
    await at.publish("acme", null);
    await round();
    expect(at.said()).toEqual([]);
    expect(remembered().acme).toMatchObject({ state: "removed" });
  });

  test("that fails is tried again", async () => {
    at.refuse("TG9015", "none");
    await at.publish("acme", null);
    await round();
    expect(at.said()[0]).toMatch(
      /^warning acme: revision 2 not in force yet: .*; revision 1 stays in force$/,
    );
    at.accept();
    at.now += SECOND;
    await round();
    expect(at.engine.versions).toEqual({});
  });

  test("can be followed by a bundle", async () => {
    await at.publish("acme", null);
    await round();
    await at.publish("acme", "v1");
    await round();
    expect(at.engine.versions).toEqual({ acme: "v1" });
  });
});

describe("to stop", () => {
  test("lets the change that is under way end, and begins no other", async () => {
    for (const customer of ["acme", "globex", "initech"]) await at.publish(customer, "v1");
    at.engine.before = async (customer) => {
      if (customer !== "globex") return;
      at.isStopping = true;
      await new Promise((resolve) => setImmediate(resolve));
    };
    await round();
    expect(at.engine.versions).toEqual({ acme: "v1", globex: "v1" });
    expect(Object.keys(remembered())).toEqual(["acme", "globex"]);
    at.isStopping = false;
    reconciler = await at.start();
    await round();
    expect(at.did()).toEqual(["apply acme v1", "apply globex v1", "apply initech v1"]);
  });
});

describe("what fails around it", () => {
  test("a store that does not answer changes nothing, and is told of once", async () => {
    await at.publish("acme", "v1");
    await round();
    const gone = () => Promise.reject(failure("TG9101", { store: "memory", problem: "gone" }, null));
    at.store = { ...at.blobs, heads: gone };
    at.said();
    at.did();
    await round();
    await round();
    at.store = at.blobs;
    await round();
    expect(at.said()).toEqual([
      "warning memory: TG9101 cannot read the store memory: gone",
      "info memory: well again",
    ]);
    expect([at.did(), at.engine.versions]).toEqual([[], { acme: "v1" }]);
  });

  test("a customer that vanished from the store stays, and is told of once", async () => {
    await at.publish("acme", "v1");
    await round();
    at.said();
    at.did();
    at.store = memoryStore();
    await round();
    await round();
    at.store = at.blobs;
    await round();
    expect(at.said()).toEqual([
      expect.stringMatching(/^warning acme: is not in the store any more; it stays in force/),
      "info head of acme: well again",
    ]);
    expect(at.did()).toEqual([]);
  });

  test("a head that goes between two looks at the store is left for the next round", async () => {
    await at.publish("acme", "v1");
    at.store = { ...at.blobs, head: async () => undefined };
    await round();
    expect([at.did(), at.said()]).toEqual([[], []]);
    at.store = at.blobs;
    await round();
    expect(at.did()).toEqual(["apply acme v1"]);
  });

  test("what cannot be written down is told of, holds for this daemon, and is done again by the next", async () => {
    mkdirSync(`${at.memoryFile}/in-the-way`, { recursive: true });
    await at.publish("acme", "v1");
    await round();
    await round();
    expect(at.did()).toEqual(["apply acme v1"]);
    expect(at.said()[0]).toMatch(/^warning what is remembered: /);
    rmSync(at.memoryFile, { recursive: true });
    reconciler = await at.start();
    await round();
    expect(at.did()).toEqual(["apply acme v1"]);
    expect(at.said().at(-1)).toMatch(/^info acme: revision 1 is generation 1 already/);
  });
});
