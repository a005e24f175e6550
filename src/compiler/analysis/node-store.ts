import { type Ref, TOO_LARGE } from "./ref.js";

const FIRST_NODES = 256;
const FIRST_EDGES = 1024;

/**
 * The nodes of a diagram, each once, in typed arrays that grow by doubling. A node is made by pushing its edges and then closing
 * it; while its edges are being worked out, those of others below it are pushed and closed.
 */
export class NodeStore {
  #variables = new Uint8Array(FIRST_NODES);
  /** Where a node's edges start; they end where the next one's start. */
  #starts = new Int32Array(FIRST_NODES + 1);
  #highs = new Uint32Array(FIRST_EDGES);
  #tos = new Int32Array(FIRST_EDGES);
  #nodes = 0;
  /** Open addressing; 0: empty, else a node + 1. */
  #table = new Int32Array(4 * FIRST_NODES);
  #openHighs = new Uint32Array(FIRST_EDGES);
  #openTos = new Int32Array(FIRST_EDGES);
  #open = 0;

  constructor(private readonly mostEdges: number) {}

  variable(node: Ref): number {
    return this.#variables[node] as number;
  }

  /** The first edge of a node, and the one behind its last. */
  edgesOf(node: Ref): readonly [start: number, end: number] {
    return [this.#starts[node] as number, this.#starts[node + 1] as number];
  }

  /** The largest value that an edge is for; the smallest is one more than the edge before. */
  high(edge: number): number {
    return this.#highs[edge] as number;
  }

  to(edge: number): Ref {
    return this.#tos[edge] as number;
  }

  follow(node: Ref, value: number): Ref {
    let low = this.#starts[node] as number;
    let high = (this.#starts[node + 1] as number) - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.high(middle) < value) low = middle + 1;
      else high = middle;
    }
    return this.to(low);
  }

  /** Begins a node. */
  mark(): number {
    return this.#open;
  }

  /** Its next edge; one to the same place as the one before is the same edge. */
  push(high: number, to: Ref): void {
    if (this.#open === this.#openHighs.length) {
      this.#openHighs = longer(this.#openHighs, new Uint32Array(2 * this.#open));
      this.#openTos = longer(this.#openTos, new Int32Array(2 * this.#open));
    }
    this.#openHighs[this.#open] = high;
    this.#openTos[this.#open++] = to;
  }

  abandon(mark: number): Ref {
    this.#open = mark;
    return TOO_LARGE;
  }

  /** Closes the node that `mark` began: the known one if there is one with these edges. */
  make(variable: number, mark: number): Ref {
    const length = this.#merge(mark);
    this.#open = mark;
    if (length === 1) return this.#openTos[mark] as number;
    let at = this.#hash(variable, mark, length) & (this.#table.length - 1);
    for (; this.#table[at] !== 0; at = (at + 1) & (this.#table.length - 1)) {
      const node = (this.#table[at] as number) - 1;
      if (this.#isSame(node, variable, mark, length)) return node;
    }
    const used = this.#starts[this.#nodes] as number;
    if (used + length > this.mostEdges) return TOO_LARGE;
    this.#table[at] = this.#nodes + 1;
    return this.#add(variable, mark, length, used);
  }

  /** Neighbours with the same end become one edge; gives how many are left. */
  #merge(mark: number): number {
    let kept = mark;
    for (let at = mark; at < this.#open; at++) {
      if (kept > mark && this.#openTos[at] === this.#openTos[kept - 1]) {
        this.#openHighs[kept - 1] = this.#openHighs[at] as number;
      } else {
        this.#openHighs[kept] = this.#openHighs[at] as number;
        this.#openTos[kept++] = this.#openTos[at] as number;
      }
    }
    return kept - mark;
  }

  #add(variable: number, mark: number, length: number, used: number): Ref {
    const node = this.#nodes++;
    if (used + length > this.#highs.length) this.#growEdges(used + length);
    this.#highs.set(this.#openHighs.subarray(mark, mark + length), used);
    this.#tos.set(this.#openTos.subarray(mark, mark + length), used);
    this.#variables[node] = variable;
    this.#starts[node + 1] = used + length;
    if (this.#nodes === this.#variables.length) this.#growNodes();
    return node;
  }

  #growEdges(needed: number): void {
    const length = Math.max(2 * this.#highs.length, needed);
    this.#highs = longer(this.#highs, new Uint32Array(length));
    this.#tos = longer(this.#tos, new Int32Array(length));
  }

  #growNodes(): void {
    this.#variables = longer(this.#variables, new Uint8Array(2 * this.#nodes));
    this.#starts = longer(this.#starts, new Int32Array(2 * this.#nodes + 1));
    this.#table = new Int32Array(8 * this.#nodes);
    for (let node = 0; node < this.#nodes; node++) {
      let at = this.#hashOf(node) & (this.#table.length - 1);
      while (this.#table[at] !== 0) at = (at + 1) & (this.#table.length - 1);
      this.#table[at] = node + 1;
    }
  }

  #isSame(node: Ref, variable: number, mark: number, length: number): boolean {
    const [start, end] = this.edgesOf(node);
    if (this.#variables[node] !== variable || end - start !== length) return false;
    for (let k = 0; k < length; k++) {
      if (this.#highs[start + k] !== this.#openHighs[mark + k]) return false;
      if (this.#tos[start + k] !== this.#openTos[mark + k]) return false;
    }
    return true;
  }

  #hash(variable: number, mark: number, length: number): number {
    return hashOf(variable, this.#openHighs, this.#openTos, mark, mark + length);
  }

  #hashOf(node: Ref): number {
    const [start, end] = this.edgesOf(node);
    return hashOf(this.variable(node), this.#highs, this.#tos, start, end);
  }
}

function hashOf(variable: number, highs: Uint32Array, tos: Int32Array, start: number, end: number): number {
  let hash = Math.imul(variable + 1, 0x9e3779b1);
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ (highs[at] as number), 0x85ebca6b);
    hash = Math.imul((hash >>> 13) ^ hash ^ (tos[at] as number), 0xc2b2ae35);
  }
  return (hash ^ (hash >>> 16)) >>> 0;
}

function longer<T extends Uint8Array | Uint32Array | Int32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
