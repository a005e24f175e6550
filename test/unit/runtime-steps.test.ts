import { expect, test } from "vitest";
import { RuntimeFailure } from "../../runtime/failures.js";
import { allOrNothing, type Part, type Steps, takeDown } from "../../runtime/steps.js";

/** A machine of which a test knows what is up, and whose parts can fail at a given word. */
function machine(failing: readonly string[] = []) {
  const up = new Set<string>();
  const did: string[] = [];
  const act = async (verb: string, name: string, change: () => void) => {
    did.push(`${verb} ${name}`);
    if (failing.includes(`${verb} ${name}`)) throw new Error(`cannot ${verb} ${name}`);
    change();
  };
  const part = (name: string): Part => ({
    name,
    present: async () => up.has(name),
    up: () => act("up", name, () => up.add(name)),
    down: () => act("down", name, () => up.delete(name)),
  });
  return { up, did, part };
}

const NAMES = ["a", "b", "c", "d"];

test.each(NAMES)("a failure at %s leaves all as it was", async (name) => {
  const { up, part } = machine([`up ${name}`]);
  up.add("b");
  const change = allOrNothing(
    () => {},
    (steps) => steps.ensure(NAMES.map(part)),
  );
  if (name === "b") await change;
  else
    await expect(change).rejects.toMatchObject({
      code: "TG9006",
      message: expect.stringContaining(`${name} failed`),
    });
  expect([...up].sort()).toEqual(name === "b" ? NAMES : ["b"]);
});

test("undoing goes backwards, and over the failed step too", async () => {
  const { did, part } = machine(["up c"]);
  await expect(
    allOrNothing(
      () => {},
      (steps) => steps.ensure(NAMES.map(part)),
    ),
  ).rejects.toThrow();
  expect(did.slice(-3)).toEqual(["down c", "down b", "down a"]);
});

test("what cannot be undone is named, and the rest is undone all the same", async () => {
  const { up, did, part } = machine();
  const change = allOrNothing(
    () => {},
    async (steps: Steps) => {
      await steps.ensure([part("a")]);
      await steps.run(
        "stuck",
        async () => {},
        async () => {
          throw new Error("no way back");
        },
      );
      await steps.run(
        "last",
        () => Promise.reject(new Error("broken")),
        async () => {},
      );
    },
  );
  const message = "last failed: broken; and undoing failed too, at stuck (no way back)";
  await expect(change).rejects.toMatchObject({ code: "TG9007", message });
  expect([...up]).toEqual([]);
  expect(did.at(-1)).toBe("down a");
});

test("an undoing hears whether all behind it is undone", async () => {
  const heard: string[] = [];
  const change = allOrNothing(
    () => {},
    async (steps) => {
      const noted = (name: string) => async (clean: boolean) => void heard.push(`${name} ${clean}`);
      await steps.run("a", async () => {}, noted("a"));
      await steps.run(
        "stuck",
        async () => {},
        () => Promise.reject(new Error("no way back")),
      );
      await steps.run("c", () => Promise.reject(new Error("broken")), noted("c"));
    },
  );
  await expect(change).rejects.toMatchObject({ code: "TG9007" });
  expect(heard).toEqual(["c true", "a false"]);
});

test("without what undoing needs, nothing is undone", async () => {
  const { up, part } = machine(["up b"]);
  const change = allOrNothing(
    () => {},
    (steps) => steps.ensure([part("a"), part("b")]),
    () => Promise.reject(new Error("another run is at work")),
  );
  const message = "b failed: cannot up b; and undoing failed too, at all of it (another run is at work)";
  await expect(change).rejects.toMatchObject({ code: "TG9007", message });
  expect([...up]).toEqual(["a"]);
});

test("a failure with a code of its own keeps it", async () => {
  const own = new RuntimeFailure("TG9005", "busy", "a hint");
  const change = allOrNothing(
    () => {},
    (steps) =>
      steps.run(
        "attach",
        () => Promise.reject(own),
        async () => {},
      ),
  );
  await expect(change).rejects.toBe(own);
});

test("parts are taken down in the opposite order", async () => {
  const { did, part } = machine();
  await takeDown(NAMES.map(part), () => {});
  expect(did).toEqual(["down d", "down c", "down b", "down a"]);
});
