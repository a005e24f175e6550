import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { failure } from "../../runtime/failures.js";
import { type Followed, type FollowOptions, followRouters } from "../../runtime/health/follow.js";
import { Turns } from "../../runtime/health/turns.js";

/** When routes are to follow what is thought of routers. What they do then is the kernel tests'. */

vi.mock(import("../../runtime/health/follow.js"), () => ({ followRouters: vi.fn() }));

const follow = vi.mocked(followRouters);
const FOLLOWED: Followed = { closed: [], deaf: null };
const LOCKED = failure("TG9002", { cause: "it has the lock" });
const BLACKHOLE = { prefix: "203.0.113.0/24", tunnels: ["chicago"], since: "2026-01-01T00:00:00Z" };

let said: string[];
let turns: Turns;

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  const say = (level: string, text: string) => void said.push(`${level}: ${text}`);
  turns = new Turns({ stateDir: "nowhere", say, lifeOf: () => "live" });
});

afterEach(async () => {
  await turns.end();
  vi.useRealTimers();
  follow.mockReset();
});

function followed(): readonly string[] {
  return follow.mock.calls.map(([{ customer }]) => customer);
}

test("one customer at a time, each as often as it was said to have changed", async () => {
  const open: (() => void)[] = [];
  follow.mockImplementation(() => new Promise((resolve) => open.push(() => resolve(FOLLOWED))));
  const done = async () => {
    open.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
  };
  turns.sync("acme");
  turns.sync("globex");
  expect(followed()).toEqual(["acme"]);
  // What is found out while a table is being changed may have come too late for it.
  turns.sync("acme");
  await done();
  expect(followed()).toEqual(["acme", "globex"]);
  await done();
  expect(followed()).toEqual(["acme", "globex", "acme"]);
  await done();
  turns.sync("globex");
  expect(followed()).toEqual(["acme", "globex", "acme", "globex"]);
  await done();
});

test("who cannot follow is tried again until it can, and why is said once", async () => {
  const locked = async ({ customer }: FollowOptions) => {
    if (customer === "acme") throw LOCKED;
    return FOLLOWED;
  };
  follow.mockImplementation(locked);
  turns.sync("acme");
  turns.sync("globex");
  await vi.advanceTimersByTimeAsync(5000);
  const why =
    "warning: acme: cannot follow its routers yet: TG9002 another run is at work on this node: it has the lock";
  expect(said).toEqual([why]);
  expect(followed().filter((customer) => customer === "acme").length).toBeGreaterThan(5);
  expect(followed().filter((customer) => customer === "globex")).toHaveLength(1);

  follow.mockResolvedValue(FOLLOWED);
  await vi.advanceTimersByTimeAsync(1000);
  const before = followed().length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(followed()).toHaveLength(before);

  // Another time is told of again.
  follow.mockImplementation(locked);
  turns.sync("acme");
  await vi.advanceTimersByTimeAsync(0);
  expect(said).toEqual([why, why]);
});

test("who ends, ends what is under way, and nothing more is tried", async () => {
  follow.mockRejectedValue(LOCKED);
  turns.sync("acme");
  turns.sync("globex");
  await turns.end();
  await vi.advanceTimersByTimeAsync(5000);
  expect(followed()).toEqual(["acme"]);
});

test("each black hole is told of when it begins and when it ends, once, and with all that ends it", async () => {
  const since = "2026-01-01T00:00:00Z";
  const one = { prefix: "203.0.113.0/24", tunnels: ["chicago", "dallas"], since };
  const other = { prefix: "2001:db8:a::/48", tunnels: ["chicago"], since };
  for (const closed of [[one], [one, other], [one, other], [other], []]) {
    follow.mockResolvedValueOnce({ ...FOLLOWED, closed });
    turns.sync("acme");
    await vi.advanceTimersByTimeAsync(0);
  }
  const ends = "is a black hole, its packets are dropped; it ends when";
  expect(said).toEqual([
    `warning: acme: ${one.prefix} ${ends} one of its tunnels lives again: chicago, dallas`,
    `warning: acme: ${other.prefix} ${ends} its tunnel lives again: chicago`,
    `info: acme: ${one.prefix} is no black hole any more`,
    `info: acme: ${other.prefix} is no black hole any more`,
  ]);
});

test("where XDP is not told, black holes are told of all the same, and all is tried again until it is", async () => {
  const deaf = failure("TG9025", { customer: "acme", cause: "no such map" });
  follow.mockResolvedValue({ closed: [BLACKHOLE], deaf });
  turns.sync("acme");
  await vi.advanceTimersByTimeAsync(5000);
  const why =
    "warning: acme: cannot follow its routers yet: TG9025 XDP cannot be told which routers of `acme` are dead: no such map";
  const begins = `warning: acme: ${BLACKHOLE.prefix} is a black hole, its packets are dropped; it ends when its tunnel lives again: chicago`;
  expect(said).toEqual([why, begins]);
  expect(followed().length).toBeGreaterThan(5);
  follow.mockResolvedValue(FOLLOWED);
  await vi.advanceTimersByTimeAsync(1000);
  expect(said).toEqual([why, begins, `info: acme: ${BLACKHOLE.prefix} is no black hole any more`]);
  const before = followed().length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(followed()).toHaveLength(before);
});

test("a customer that is gone, and there again, has no black hole that would end", async () => {
  follow.mockResolvedValueOnce({ ...FOLLOWED, closed: [BLACKHOLE] });
  turns.sync("acme");
  await vi.advanceTimersByTimeAsync(0);
  expect(said).toHaveLength(1);
  turns.forget("acme");
  follow.mockResolvedValueOnce(FOLLOWED);
  turns.sync("acme");
  await vi.advanceTimersByTimeAsync(0);
  expect(followed()).toEqual(["acme", "acme"]);
  expect(said).toHaveLength(1);
});
