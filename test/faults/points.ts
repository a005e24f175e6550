/** What can go wrong, and where: the fault points of a run. */

export const KINDS = [
  "kill-before",
  "kill-during",
  "kill-after",
  "fail",
  "full",
  "loader",
  "rival",
  "reboot",
  "blocks",
  "inodes",
] as const;
export type Kind = (typeof KINDS)[number];

/** Something that a run does, as test/faults/injector.mjs notes it. */
export interface Action {
  readonly sort: "command" | "request" | "change" | "look" | "step";
  readonly name: string;
  /** The name without numbers, which are others in each run. */
  readonly alike: string;
  /** So many actions that are named alike came before. */
  readonly nth: number;
}

export interface Point extends Pick<Action, "name" | "alike" | "nth"> {
  readonly scenario: string;
  readonly kind: Kind;
}

const KINDS_OF: Readonly<Record<Action["sort"], readonly Kind[]>> = {
  command: ["kill-before", "kill-during", "kill-after", "fail", "loader", "rival", "reboot"],
  request: ["kill-before", "kill-during", "kill-after", "fail", "loader", "rival", "reboot"],
  change: ["kill-before", "kill-after", "fail", "loader", "rival", "reboot"],
  look: ["fail"],
  step: ["kill-before", "loader", "rival"],
};

/** Is the disk really full, instead of a write that says so? */
export function isOfDisk({ kind }: Pick<Point, "kind">): boolean {
  return kind === "blocks" || kind === "inodes";
}

/** What needs room on a disk: not what is taken away, and not what only looks like a file. */
const NEEDS_ROOM = /^(writeFile|write|open|mkdir|link|rename|sync) (?!\/proc\/|.*\/bpf\/)/;

export function pointsOf(scenario: string, actions: readonly Action[]): readonly Point[] {
  const start = actions.findIndex(({ name }) => name === "start the loader");
  return actions.flatMap((action, at) =>
    kindsOf(action)
      .filter((kind) => kind !== "loader" || at > start)
      .map((kind) => ({ scenario, kind, name: action.name, alike: action.alike, nth: action.nth })),
  );
}

function kindsOf({ sort, name }: Action): readonly Kind[] {
  if (sort !== "change") return KINDS_OF[sort];
  const half: readonly Kind[] = /^write(File)? /.test(name) ? ["kill-during"] : [];
  const full: readonly Kind[] = NEEDS_ROOM.test(name) ? ["full"] : [];
  return [...KINDS_OF.change, ...half, ...full];
}

/**
 * So many of all: every kind of every scenario has its share, those that have one more (or one at all) being chosen by the seed, and
 * within it they are spread evenly, from a start by the seed.
 */
export function choose(all: readonly Point[], count: number, seed: number): readonly Point[] {
  const random = randomOf(seed);
  const groups = shuffled(grouped(all), random);
  const shares = new Map(groups.map((group) => [group, 0]));
  let left = Math.min(count, all.length);
  while (left > 0)
    for (const [group, share] of shares) {
      if (left === 0 || share === group.length) continue;
      shares.set(group, share + 1);
      left--;
    }
  return [...shares].flatMap(([group, share]) => {
    const start = random();
    return Array.from(
      { length: share },
      (_, index) => group[Math.floor(((index + start) * group.length) / share)] as Point,
    );
  });
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const keyed = items.map((item) => ({ item, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

function grouped(all: readonly Point[]): readonly (readonly Point[])[] {
  const groups = new Map<string, Point[]>();
  for (const point of all) {
    const key = `${point.scenario} ${point.kind}`;
    const group = groups.get(key);
    if (group) group.push(point);
    else groups.set(key, [point]);
  }
  return [...groups.values()];
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}
