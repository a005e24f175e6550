import { invariant } from "../diagnostics/invariant.js";
import type { Box } from "./boxes.js";
import { NodeStore } from "./node-store.js";
import type { Ranges } from "./ranges.js";
import { NO, type Ref, TOO_LARGE, YES } from "./ref.js";
import type { Space } from "./space.js";

/** Counted, not timed, so that the same input has the same answer on every machine. */
export interface Budget {
  /** Edges of all nodes; one takes 8 bytes. */
  readonly edges: number;
  /** Steps of all operations: pairs of nodes that were visited. */
  readonly steps: number;
}

export const DEFAULT_BUDGET: Budget = { edges: 4_000_000, steps: 4_000_000 };

/** How two answers become one. */
export interface Operation {
  readonly id: number;
  readonly commutes: boolean;
  readonly known: (a: Ref, b: Ref) => Ref | null;
}

const OUTSIDE = Number.POSITIVE_INFINITY;

/**
 * An ordered decision diagram: each node asks one variable, in the space's order, and its edges are ranges of values. Hash-consed
 * and reduced, so equal functions are the same node. Its state is its nodes, what it remembers of operations, and what they may
 * still cost.
 */
export class Diagram {
  readonly #store: NodeStore;
  readonly #memory = new Memory();
  #steps: number;
  #operations = 0;
  readonly #union = this.operation((a, b) => {
    if (a === YES || b === YES) return YES;
    if (a === NO || a === b) return b;
    return b === NO ? a : null;
  }, true);
  readonly #intersection = this.operation((a, b) => {
    if (a === NO || b === NO) return NO;
    if (a === YES || a === b) return b;
    return b === YES ? a : null;
  }, true);
  readonly #difference = this.operation((a, b) => {
    if (a === NO || b === YES || a === b) return NO;
    return b === NO ? a : null;
  });
  readonly #within = this.operation((a, b) => {
    if (a === NO || b === NO) return NO;
    return b === YES ? a : null;
  });

  constructor(
    readonly space: Space,
    budget: Budget = DEFAULT_BUDGET,
  ) {
    this.#store = new NodeStore(budget.edges);
    this.#steps = budget.steps;
  }

  /** Where the functions `a`, `b` of yes and no say yes: either, both, only `a`; and where `a` says no. */
  union(a: Ref, b: Ref): Ref {
    return this.apply(this.#union, a, b);
  }

  intersection(a: Ref, b: Ref): Ref {
    return this.apply(this.#intersection, a, b);
  }

  difference(a: Ref, b: Ref): Ref {
    return this.apply(this.#difference, a, b);
  }

  complement(a: Ref): Ref {
    return this.difference(YES, a);
  }

  /** Any function's answers where `where` says yes, and answer 0 elsewhere. */
  within(any: Ref, where: Ref): Ref {
    return this.apply(this.#within, any, where);
  }

  /**
   * An operation of one's own. `known` gives the answer for two functions if it can be told without looking into them, which it
   * can at the latest where both are the same for every packet; null: it cannot.
   */
  operation(known: Operation["known"], commutes = false): Operation {
    return { id: this.#operations++, commutes, known };
  }

  apply(operation: Operation, a: Ref, b: Ref): Ref {
    if (operation.commutes && a > b) return this.apply(operation, b, a);
    if (a === TOO_LARGE || b === TOO_LARGE) return TOO_LARGE;
    const known = operation.known(a, b);
    if (known !== null) return known;
    const remembered = this.#memory.find(operation.id, a, b);
    if (remembered !== null) return remembered;
    if (--this.#steps < 0) return TOO_LARGE;
    const made = this.#descend(operation, a, b);
    if (made !== TOO_LARGE) this.#memory.keep(operation.id, a, b, made);
    return made;
  }

  #descend(operation: Operation, a: Ref, b: Ref): Ref {
    const store = this.#store;
    const [levelA, levelB] = [this.#level(a), this.#level(b)];
    const variable = Math.min(levelA, levelB);
    let [i, endA] = levelA === variable ? store.edgesOf(a) : [0, 0];
    let [j, endB] = levelB === variable ? store.edgesOf(b) : [0, 0];
    const last = this.#last(variable);
    const mark = store.mark();
    for (let high = -1; high < last; ) {
      const [highA, highB] = [i < endA ? store.high(i) : last, j < endB ? store.high(j) : last];
      high = Math.min(highA, highB);
      const to = this.apply(operation, i < endA ? store.to(i) : a, j < endB ? store.to(j) : b);
      if (to === TOO_LARGE) return store.abandon(mark);
      store.push(high, to);
      if (highA === high && i < endA) i++;
      if (highB === high && j < endB) j++;
    }
    return store.make(variable, mark);
  }

  /** `inside` in the box, `outside` elsewhere. */
  ofBox({ restricts }: Box, inside: Ref = YES, outside: Ref = NO): Ref {
    let ref = inside;
    for (const [variable, ranges] of [...restricts].sort(([a], [b]) => b - a)) {
      ref = this.#choose(variable, ranges, ref, outside);
      if (ref === TOO_LARGE) return TOO_LARGE;
    }
    return ref;
  }

  #choose(variable: number, ranges: Ranges, inside: Ref, outside: Ref): Ref {
    const store = this.#store;
    const last = this.#last(variable);
    const mark = store.mark();
    let next = 0;
    for (let at = 0; at < ranges.length; at += 2) {
      const low = ranges[at] as number;
      if (low > next) store.push(low - 1, outside);
      store.push(ranges[at + 1] as number, inside);
      next = (ranges[at + 1] as number) + 1;
    }
    if (next <= last) store.push(last, outside);
    return store.make(variable, mark);
  }

  /** Yes where one of the boxes holds the packet. */
  ofBoxes(boxes: readonly Box[]): Ref {
    return this.fold(
      boxes.map((box) => this.ofBox(box)),
      this.#union,
      NO,
    );
  }

  /** All of them by one associative operation; halves first, so that large ones meet only at the end. */
  fold(refs: readonly Ref[], operation: Operation, nothing: Ref): Ref {
    const [first, second] = refs;
    if (first === undefined) return nothing;
    if (second === undefined) return first;
    const middle = refs.length >> 1;
    const left = this.fold(refs.slice(0, middle), operation, nothing);
    return this.apply(operation, left, this.fold(refs.slice(middle), operation, nothing));
  }

  /** The answer for a packet with these values. */
  answer(ref: Ref, values: Uint32Array): number {
    invariant(ref !== TOO_LARGE, "what is too large has no answers");
    let at = ref;
    while (at >= 0) at = this.#store.follow(at, values[this.#store.variable(at)] as number);
    return ~at;
  }

  /**
   * Where a function gives an answer that is wanted, as disjoint boxes, one a path; made as they are asked for, as there may be
   * very many.
   */
  *boxes(ref: Ref, wanted: (answer: number) => boolean): Generator<{ box: Box; answer: number }> {
    invariant(ref !== TOO_LARGE, "what is too large has no boxes");
    yield* this.#paths(ref, wanted, new Map());
  }

  *#paths(
    ref: Ref,
    wanted: (answer: number) => boolean,
    restricts: ReadonlyMap<number, Ranges>,
  ): Generator<{ box: Box; answer: number }> {
    if (ref < 0) {
      if (wanted(~ref)) yield { box: { restricts }, answer: ~ref };
      return;
    }
    const variable = this.#store.variable(ref);
    for (const [to, ranges] of this.branches(ref)) {
      yield* this.#paths(to, wanted, new Map(restricts).set(variable, ranges));
    }
  }

  /** The variable that a node asks, by its index. */
  variableOf(node: Ref): number {
    return this.#store.variable(node);
  }

  /** What follows a node, and for which values. */
  branches(node: Ref): ReadonlyMap<Ref, Ranges> {
    const store = this.#store;
    const branches = new Map<Ref, number[]>();
    const [start, end] = store.edgesOf(node);
    let low = 0;
    for (let edge = start; edge < end; edge++) {
      const known = branches.get(store.to(edge));
      if (known) known.push(low, store.high(edge));
      else branches.set(store.to(edge), [low, store.high(edge)]);
      low = store.high(edge) + 1;
    }
    return new Map([...branches].map(([to, ranges]) => [to, Uint32Array.from(ranges)]));
  }

  /** How many nodes a function consists of. */
  size(ref: Ref): number {
    const seen = new Set<Ref>();
    const waiting = [ref];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (at < 0 || seen.has(at)) continue;
      seen.add(at);
      const [start, end] = this.#store.edgesOf(at);
      for (let edge = start; edge < end; edge++) waiting.push(this.#store.to(edge));
    }
    return seen.size;
  }

  #level(ref: Ref): number {
    return ref < 0 ? OUTSIDE : this.#store.variable(ref);
  }

  #last(variable: number): number {
    return 2 ** (this.space.variables[variable]?.bits ?? 0) - 1;
  }
}

const FIRST_MEMORY = 1 << 12;
const LARGEST_MEMORY = 1 << 20;

/** Results of operations. A new one may take an old one's place: then that is worked out again. */
class Memory {
  #mask = FIRST_MEMORY - 1;
  #kept = 0;
  #entries = new Int32Array(4 * FIRST_MEMORY);

  find(operation: number, a: Ref, b: Ref): Ref | null {
    const at = this.#place(operation, a, b);
    const entries = this.#entries;
    const isIt = entries[at] === operation + 1 && entries[at + 1] === a && entries[at + 2] === b;
    return isIt ? (entries[at + 3] as number) : null;
  }

  keep(operation: number, a: Ref, b: Ref, result: Ref): void {
    if (++this.#kept > this.#mask && this.#mask + 1 < LARGEST_MEMORY) this.#grow();
    const at = this.#place(operation, a, b);
    this.#entries[at] = operation + 1;
    this.#entries[at + 1] = a;
    this.#entries[at + 2] = b;
    this.#entries[at + 3] = result;
  }

  #grow(): void {
    const old = this.#entries;
    this.#mask = 4 * (this.#mask + 1) - 1;
    this.#entries = new Int32Array(4 * (this.#mask + 1));
    for (let at = 0; at < old.length; at += 4) {
      const [operation = 0, a = 0, b = 0, result = 0] = old.subarray(at, at + 4);
      if (operation > 0) this.#entries.set([operation, a, b, result], this.#place(operation - 1, a, b));
    }
  }

  #place(operation: number, a: Ref, b: Ref): number {
    const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(operation, 0x27d4eb2f);
    return 4 * ((mixed ^ (mixed >>> 15)) & this.#mask);
  }
}
