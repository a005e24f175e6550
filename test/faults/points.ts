/** What can go wrong, and where: the fault points of a run. */

export const KINDS = [
  "kill-before",
  "kill-during",
  "kill-after",
  "fail",
  "full",
  "loader",
  "blocks",
  "inodes",
] as const;
export type Kind = (typeof KINDS)[number];

/** Something that a run does, as test/faults/injector.mjs notes it. */
export interface Action {
  readonly sort: "command" | "request" | "change" | "look" | "step";
  readonly name: string;
}

export interface Point {
  readonly scenario: string;
  readonly kind: Kind;
  /** Number of the action; of `blocks` and `inodes`, how many of them the disk has left. */
  readonly at: number;
  readonly name: string;
}

const KINDS_OF: Readonly<Record<Action["sort"], readonly Kind[]>> = {
  command: ["kill-before", "kill-during", "kill-after", "fail", "loader"],
  request: ["kill-before", "kill-during", "kill-after", "fail", "loader"],
  change: ["kill-before", "kill-after", "fail", "loader"],
  look: ["fail"],
  step: ["kill-before", "loader"],
};

/** What needs room on a disk: not what is taken away, and not what only looks like a file. */
const NEEDS_ROOM = /^(writeFile|write|open|mkdir|link|rename|sync) (?!\/proc\/|.*\/bpf\/)/;

export function pointsOf(scenario: string, actions: readonly Action[]): readonly Point[] {
  const start = actions.findIndex(({ name }) => name === "start the loader");
  return actions.flatMap((action, at) =>
    kindsOf(action)
      .filter((kind) => kind !== "loader" || at > start)
      .map((kind) => ({ scenario, kind, at, name: action.name })),
  );
}

function kindsOf({ sort, name }: Action): readonly Kind[] {
  if (sort !== "change") return KINDS_OF[sort];
  const half: readonly Kind[] = /^write(File)? /.test(name) ? ["kill-during"] : [];
  const full: readonly Kind[] = NEEDS_ROOM.test(name) ? ["full"] : [];
  return [...KINDS_OF.change, ...half, ...full];
}

/** So many of all: every kind of every scenario has its share, and within it they are spread evenly, from a start by the seed. */
export function choose(all: readonly Point[], count: number, seed: number): readonly Point[] {
  const groups = grouped(all);
  const shares = new Map(groups.map((group) => [group, 0]));
  let left = Math.min(count, all.length);
  while (left > 0)
    for (const [group, share] of shares) {
      if (left === 0 || share === group.length) continue;
      shares.set(group, share + 1);
      left--;
    }
  const random = randomOf(seed);
  return [...shares].flatMap(([group, share]) => {
    const start = random();
    return Array.from(
      { length: share },
      (_, index) => group[Math.floor(((index + start) * group.length) / share)] as Point,
    );
  });
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
