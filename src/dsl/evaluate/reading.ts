import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { SourceFile, Span } from "../../compiler/diagnostics/span.js";
import type { Filter } from "../filter/ast.js";
import type { ModuleHost } from "../modules.js";
import type { Made, SurfaceList } from "../surface.js";
import type { UserFunction, Value } from "./value.js";

/**
 * Levels of nested expressions, those of the calls around them included; far beyond what a person writes, far below
 * what the stack holds.
 */
const MAX_DEPTH = 500;
/** Calls inside calls. */
const MAX_CALLS = 64;
/**
 * Values, items and characters that one reading may make, all modules together: more than a policy of 10,000 rules needs,
 * or a list of a million prefixes. Reading ends within about a second and 500 MB, with imported data within a few.
 */
const FUEL = 1_500_000;
/** Reading on behind a mistake takes many times as long as an expression without one. */
const MAX_MISTAKEN = 100;

/** What a module gives to those that import it, by exported name. */
export type Exports = ReadonlyMap<string, Value>;

/** A module that is being read, and the import that led to it. */
interface Opened {
  readonly file: string;
  readonly imported: Span | null;
}

/** One reading of a policy with all modules that it imports: each once, all from one supply of work. */
export class Reading {
  readonly sources = new Map<string, SourceFile>();
  /** null: a module that could not be read, which is reported. */
  readonly modules = new Map<string, Exports | null>();
  readonly #opened: Opened[] = [];
  readonly #filters: Filter[] = [];
  readonly #lists: SurfaceList[] = [];
  readonly #mistaken = new Map<TSESTree.Node, number>();
  readonly #called = new Set<TSESTree.Node>();
  readonly #uncalled = new Map<TSESTree.Node, UserFunction>();
  #depth = 0;
  #calls = 0;
  #fuel = FUEL;

  constructor(
    readonly diagnostics: Diagnostics,
    readonly host: ModuleHost,
  ) {}

  /** Takes fuel for `amount` values; false, reported once, when none is left, or when nothing more could be reported. */
  spend(amount: number, span: Span): boolean {
    invariant(amount >= 0, "work is a number from 0 up");
    if (this.#fuel < 0 || this.diagnostics.isFull) return false;
    this.#fuel -= amount;
    if (this.#fuel < 0) this.diagnostics.report("TG1003", span, {});
    return this.#fuel >= 0;
  }

  /** Reads something that may hold others like it; undefined when it lies too deep, which the caller reports. */
  nested<T>(read: () => T): T | undefined {
    if (this.#depth === MAX_DEPTH) return undefined;
    this.#depth++;
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }

  /** Reads the body of a function; undefined when too many calls are open, which the caller reports. */
  called<T>(read: () => T): T | undefined {
    if (this.#calls === MAX_CALLS) {
      // A function that calls itself twice would come back here without end: nothing more is read.
      this.#fuel = Math.min(this.#fuel, -1);
      return undefined;
    }
    this.#calls++;
    try {
      return read();
    } finally {
      this.#calls--;
    }
  }

  /** Whether the expression at a node has been wrong so often that there is no use in reading it again with other values. */
  isHopeless(node: TSESTree.Node): boolean {
    return (this.#mistaken.get(node) ?? 0) >= MAX_MISTAKEN;
  }

  noteMistaken(node: TSESTree.Node): void {
    this.#mistaken.set(node, (this.#mistaken.get(node) ?? 0) + 1);
  }

  /** Keeps track of expressions and lists, for the mistakes in those that no rule will use. */
  noteMade(value: Value): void {
    if (value.kind === "filter") this.#filters.push(value.filter);
    else if (value.kind === "list") this.#lists.push(value.list);
  }

  get made(): Made {
    return { filters: this.#filters, lists: this.#lists };
  }

  /** Keeps track of the functions whose bodies nobody has read. */
  noteFunction(fn: UserFunction): void {
    if (!this.#called.has(fn.node)) this.#uncalled.set(fn.node, fn);
  }

  noteCall(fn: UserFunction): void {
    this.#called.add(fn.node);
    this.#uncalled.delete(fn.node);
  }

  /** One function that was never called, until there is none left. */
  nextUncalled(): UserFunction | undefined {
    return this.#uncalled.values().next().value;
  }

  /** Keeps track of the modules that are being read, for the sake of cycles. */
  open<T>(file: string, imported: Span | null, read: () => T): T {
    this.#opened.push({ file, imported });
    try {
      return read();
    } finally {
      this.#opened.pop();
    }
  }

  /** The imports that lead from a module to itself, if it is being read now; the first one is in that module. */
  cycleTo(file: string): readonly Span[] | undefined {
    const start = this.#opened.findIndex((one) => one.file === file);
    if (start < 0) return undefined;
    return this.#opened.slice(start + 1).flatMap(({ imported }) => imported ?? []);
  }
}

/** The spans of a module's nodes: each is worked out once, however often a function's body is read. */
export class NodeSpans {
  readonly #spans = new Map<TSESTree.Node, Span>();

  constructor(readonly source: SourceFile) {}

  of(node: TSESTree.Node): Span {
    const known = this.#spans.get(node);
    if (known) return known;
    const span = this.source.span(...node.range);
    this.#spans.set(node, span);
    return span;
  }
}
