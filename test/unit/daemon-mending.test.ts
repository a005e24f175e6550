import { existsSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Reconciler } from "../../runtime/daemon/reconciler.js";
import { failure } from "../../runtime/failures.js";
import { NODE, Reconciling } from "../support/reconciling.js";

let at: Reconciling;
let reconciler: Reconciler;

beforeEach(async () => {
  at = new Reconciling();
  reconciler = await at.start();
});
afterEach(() => at.end());

/** Puts a first version of each in force. */
async function load(...customers: readonly string[]): Promise<void> {
  for (const customer of customers) await at.publish(customer, "v1");
  await reconciler.round(NODE);
  at.said();
  at.did();
  at.heard.length = 0;
}

describe("a node that is described differently", () => {
  const OTHER = { ...NODE, uplinks: ["up1"] };

  beforeEach(() => load("acme", "globex"));

  test("has everything put in force again, and tries again what it refused", async () => {
    at.refuse("TG5007", "bad");
    await at.publish("acme", "bad");
    await reconciler.round(NODE);
    at.did();
    at.said();
    await reconciler.describe(NODE);
    expect(at.did()).toEqual([]);
    await reconciler.describe(OTHER);
    expect(at.did()).toEqual(["apply acme v1", "apply globex v1"]);
    expect(at.said()).toEqual(
      ["acme", "globex"].map((one) => `info ${one}: in force on the node as it is described now`),
    );
    await reconciler.round(OTHER);
    expect(at.did()).toEqual(["apply acme bad"]);
    await reconciler.describe(OTHER);
    expect(at.did()).toEqual([]);
  });

  test("keeps what cannot be put in force so as it was, and goes on with the next customer", async () => {
    at.engine.before = (customer) => {
      if (customer === "acme") throw failure("TG9004", { device: "up1" }, null);
    };
    await reconciler.describe(OTHER);
    expect(at.said()).toEqual([
      "warning acme, again: TG9004 there is no uplink `up1`",
      "info globex: in force on the node as it is described now",
    ]);
  });

  test("and tries again, after a while, what could not be put in force so", async () => {
    let fails = true;
    at.engine.before = (customer) => {
      if (customer === "acme" && fails) throw failure("TG9004", { device: "up1" }, null);
    };
    await reconciler.describe(OTHER);
    expect(at.did()).toEqual(["apply acme v1", "apply globex v1"]);
    expect(reconciler.next()).toBe(1000);
    await reconciler.describe(OTHER);
    expect(at.did()).toEqual([]);
    at.said();
    fails = false;
    at.now += 1000;
    await reconciler.describe(OTHER);
    expect(at.did()).toEqual(["apply acme v1"]);
    expect(at.said()).toContain("info acme: in force on the node as it is described now");
    expect(reconciler.next()).toBe(Infinity);
    at.now += 1_000_000;
    await reconciler.describe(OTHER);
    expect(at.did()).toEqual([]);
  });

  test("before anything is in force is none", async () => {
    at.end();
    at = new Reconciling();
    reconciler = await at.start();
    await reconciler.describe(OTHER);
    expect([at.did(), at.said()]).toEqual([[], []]);
  });
});

describe("a look", () => {
  test("at a node where all is well does nothing but say so to the metrics", async () => {
    await load("acme");
    await reconciler.mend(NODE);
    expect([at.did(), at.said()]).toEqual([[], []]);
    expect(at.heard).toEqual(["drift null 0", "drift acme 0"]);
  });

  test("mends what is missing of a customer, and of no other", async () => {
    await load("acme", "globex");
    at.engine.missing.set("globex", ["firewall", "slot"]);
    await reconciler.mend(NODE);
    expect(at.did()).toEqual(["apply globex v1"]);
    expect(at.said()).toEqual(["warning globex: mended, there was missing: firewall, slot"]);
    expect(at.heard).toEqual([
      ...["drift null 0", "drift acme 0", "drift globex 2"],
      ...["drift null 0", "drift globex 0"],
    ]);
  });

  test("does not take back what somebody put in force during the look", async () => {
    at.engine.missing.set("acme", ["firewall"]);
    at.engine.afterLook = async () => void (await at.engine.byHand("acme", "v2"));
    // The node's own copy is of what was in force at the look.
    at.engine.storedBundle = async () => "stored acme v1";
    await reconciler.mend(NODE);
    expect(at.engine.versions).toMatchObject({ acme: "v2" });
    expect(at.said()).toEqual([]);
  });

  test("forgets what could not be mended of a customer that is gone", async () => {
    await load("acme");
    at.engine.missing.set("acme", ["firewall"]);
    at.refuse("TG5007", "v1");
    await reconciler.mend(NODE);
    expect(at.said()).toEqual([expect.stringMatching(/^warning acme, again: TG5007 /)]);
    at.accept();
    await at.engine.remove("acme");
    await reconciler.mend(NODE);
    expect(at.said()).toEqual(["info acme, again: well again"]);
  });

  test("mends the node itself by one customer's change", async () => {
    await load("acme", "globex");
    at.engine.missing.set("", ["IPv6 policy routing"]);
    await reconciler.mend(NODE);
    expect(at.did()).toEqual(["apply acme v1"]);
    expect(at.said()).toEqual(["warning acme: mended, there was missing: IPv6 policy routing"]);
  });

  test("at many customers takes sixteen at a time, and comes to each", async () => {
    const customers = Array.from({ length: 40 }, (_, index) => `c${String(index).padStart(2, "0")}`);
    await load(...customers);
    for (let look = 0; look < 4; look++) await reconciler.mend(NODE);
    expect(at.engine.looks.map(({ length }) => length)).toEqual([16, 16, 16, 16]);
    expect(at.engine.looks.flat().slice(0, 40)).toEqual(customers);
    expect(at.engine.looks.flat().slice(40)).toEqual(customers.slice(0, 24));
  });

  test("takes the bundle from the store where the node's own copy is damaged", async () => {
    await load("acme");
    at.engine.damaged.add("acme");
    at.engine.missing.set("acme", ["stored bundle"]);
    await reconciler.mend(NODE);
    expect(at.said()).toEqual(["warning acme: mended, there was missing: stored bundle"]);
    expect(existsSync(at.engine.incoming("acme"))).toBe(false);
  });

  test("takes from the store what is in force, not what is published", async () => {
    await load("acme");
    at.refuse("TG5007", "v2");
    await at.publish("acme", "v2");
    await reconciler.round(NODE);
    at.did();
    at.engine.damaged.add("acme");
    at.engine.missing.set("acme", ["stored bundle"]);
    await reconciler.mend(NODE);
    expect(at.did()).toEqual(["apply acme v1"]);
  });

  test("does not put the store's in the place of what somebody applied by hand", async () => {
    await load("acme");
    await at.engine.apply("stored acme by-hand", NODE);
    at.did();
    at.engine.damaged.add("acme");
    at.engine.missing.set("acme", ["stored bundle"]);
    await reconciler.mend(NODE);
    expect([at.did(), at.engine.versions]).toEqual([[], { acme: "by-hand" }]);
  });

  test("cannot mend what neither node nor store have, and says so once", async () => {
    await load("acme");
    rmSync(at.memoryFile);
    reconciler = await at.start();
    at.engine.damaged.add("acme");
    at.engine.missing.set("acme", ["stored bundle"]);
    await reconciler.mend(NODE);
    await reconciler.mend(NODE);
    expect(at.did()).toEqual([]);
    expect(at.said()).toEqual([
      expect.stringMatching(/^warning acme, again: TG9011 .*is damaged, and it did not come from the store$/),
    ]);
  });
});

test("to stop is asked between two customers", async () => {
  await load("acme", "globex");
  at.engine.before = () => {
    at.isStopping = true;
  };
  at.engine.missing = new Map(["acme", "globex"].map((customer) => [customer, ["firewall"]]));
  await reconciler.mend(NODE);
  expect(at.did()).toEqual(["apply acme v1"]);
  at.isStopping = false;
  await reconciler.describe({ ...NODE, uplinks: ["up1"] });
  expect(at.did()).toEqual(["apply acme v1"]);
});

describe("the end of a change that failed", () => {
  const failed = (cause: string) =>
    failure(
      "TG9014",
      { customer: "acme", generation: "2", cause },
      "mend the cause, then apply the same bundle again",
    );

  test("is told of once, tried again after a while, and told of when it is done", async () => {
    await load("acme");
    await reconciler.endChanges();
    expect([at.did(), at.said()]).toEqual([[], []]);
    at.engine.failedEnds.set("acme", failed("no memory"));
    at.engine.endsAgain = () => {
      throw failed("no memory");
    };
    await reconciler.endChanges();
    expect(at.did()).toEqual([]);
    expect(at.said()).toEqual([
      expect.stringMatching(
        /^warning acme: the old policy is not taken away yet: TG9014 .*no memory; next try in 1 s$/,
      ),
    ]);
    expect(reconciler.next()).toBe(1000);
    at.now += 1000;
    await reconciler.endChanges();
    expect(at.did()).toEqual(["end changes"]);
    expect(at.said()).toEqual([]);
    expect(reconciler.next()).toBe(2000);
    at.engine.endsAgain = () => {};
    await reconciler.endChanges();
    expect(at.did()).toEqual([]);
    at.now += 2000;
    await reconciler.endChanges();
    expect(at.did()).toEqual(["end changes"]);
    expect(at.said()).toEqual(["info acme: the old policy is taken away now"]);
    expect(reconciler.next()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("an address of the server's own in a prefix in force", () => {
  const [message, hint] = ["`up0` of this server has the address 203.0.113.9", "give it another"];
  const OWN = [{ code: "TG9024", message, hint }] as const;

  test("is said once, and that it is gone; nothing is changed", async () => {
    await load("acme");
    at.engine.warnings = OWN;
    await reconciler.mend(NODE);
    await reconciler.mend(NODE);
    expect(at.said()).toEqual([`warning acme: ${message}: ${hint}`]);
    at.engine.warnings = [];
    await reconciler.mend(NODE);
    expect(at.said()).toEqual(["info acme: addresses of the server's own: well again"]);
    expect(at.did()).toEqual([]);
  });

  test("is said by the change, and by no look again", async () => {
    at.engine.warnings = OWN;
    await at.publish("acme", "v1");
    await reconciler.round(NODE);
    await reconciler.mend(NODE);
    await at.publish("acme", "v2");
    await reconciler.round(NODE);
    expect(at.said().filter((line) => line.startsWith("warning"))).toEqual([
      `warning acme: ${message}: ${hint}`,
    ]);
  });

  test("is said of all customers at the next look", async () => {
    const customers = Array.from({ length: 20 }, (_, index) => `c${10 + index}`);
    await load(...customers);
    at.engine.warnings = OWN;
    await reconciler.mend(NODE);
    expect(at.said()).toEqual(customers.map((customer) => `warning ${customer}: ${message}: ${hint}`));
  });

  test("is well again where the customer is gone, and said anew of the next of that name", async () => {
    await load("acme");
    at.engine.warnings = OWN;
    await reconciler.mend(NODE);
    at.said();
    await at.engine.remove("acme");
    await reconciler.mend(NODE);
    await reconciler.mend(NODE);
    expect(at.said()).toEqual(["info acme: addresses of the server's own: well again"]);
    await at.publish("acme", "v2");
    await reconciler.round(NODE);
    expect(at.said()).toContain(`warning acme: ${message}: ${hint}`);
  });
});
