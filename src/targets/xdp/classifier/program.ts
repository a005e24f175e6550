import {
  type ClassifiedStage,
  type Classifier,
  NONE,
  type TableStage,
} from "../../../compiler/analysis/classify/classifier.js";
import type { Path, Step } from "../../../compiler/analysis/classify/columns.js";
import type { Question } from "../../../compiler/analysis/classify/question.js";
import { classIn, type Segments } from "../../../compiler/analysis/classify/segments.js";
import type { Vectors } from "../../../compiler/analysis/classify/vectors.js";
import { impossible, invariant } from "../../../compiler/diagnostics/invariant.js";
import type { Family } from "../../../compiler/ir/address.js";
import type { Header } from "../../../compiler/ir/headers.js";
import { Text } from "../../text.js";
import { type Condition, chain, layout } from "../condition.js";
import { condition } from "../expr.js";
import { guards, numberOf } from "../places.js";
import { CELL, Image, LINE } from "./image.js";
import { addLongList, parted } from "./long-list.js";
import { addLookup, lookupKind } from "./lookups.js";
import { addMatrix, type LineForm, PAGE, type Placed } from "./matrices.js";
import { addTree } from "./tree.js";
import { addVectorStage, PASSED_TOGETHER, type StageWriter, type VectorForm, vectorForm } from "./vectors.js";

export interface ProgramInput {
  readonly classifiers: readonly Classifier[];
  /** Names of the classifiers' stages, in their order. */
  readonly stages: readonly string[];
  /** Cells of what a value that packets pass stands for, put into the image once for each value. */
  readonly passed: (value: number) => readonly number[];
}

/** Each stage is both families' functions in C, `NAME_4()` and `NAME_6()`, which give a value or TG_NOTHING. */
export interface ProgramCode {
  readonly functions: string;
  readonly image: Image;
  readonly lines: LineForm;
  readonly vectors: VectorForm | null;
  /** Rules that a packet passes one after the other at most; 0: there are none. */
  readonly passes: number;
  /** Nodes on the longest way of an address. */
  readonly depth: number;
  readonly longLists: LongLists;
}

/**
 * Of the IPv4 sources and destinations that a long list parts: how many bytes behind what is said of an address outside it
 * is what is said of one inside. 0: no list does.
 */
export type LongLists = Readonly<Record<End, number>>;

type End = "sources" | "destinations";

/** Where trees of addresses are said to be, and lists: enum tg_head in bpf-templates/classify.h. */
const TREE_HEADS = {
  4: { sources: 64, destinations: 72 },
  6: { sources: 80, destinations: 88 },
} as const satisfies Record<Family, Record<End, number>>;
const LIST_HEADS = { sources: 96, destinations: 100 } as const satisfies Record<End, number>;
const HEADS_END = 104;

/** Puts classifiers into an image, and writes what looks packets up in it. Which places are asked is all that the text says. */
export function programCode(input: ProgramInput): ProgramCode {
  const { classifiers, stages } = input;
  const staged = classifiers.flatMap(({ stages: all }) => all);
  const tables = staged.filter((stage) => stage.kind === "tables");
  const vectors = vectorForm(staged.filter((stage) => stage.kind === "vectors"));
  const writer = new Writer(linesOf(tables), vectors, saidAtMost(staged), input.passed);
  for (const { family, stages: classified, ...segments } of classifiers) {
    const placed = classified.map((stage, index) => writer.stage(stages[index] ?? "", family, stage));
    const matrices = placed.flat();
    writer.addresses(
      "sources",
      segments.sources,
      matrices.map(({ rows }) => rows),
    );
    writer.addresses(
      "destinations",
      segments.destinations,
      matrices.map(({ places }) => places),
    );
  }
  return {
    functions: writer.text.toString(),
    image: writer.image,
    lines: writer.lines,
    vectors,
    depth: writer.depth,
    longLists: writer.longLists,
    passes: passesOf(staged),
  };
}

/**
 * How many numbers a program's text says of stages: where the way through some questions begins, where a question's table is and
 * how many bits are below it, what stands for packets without the field, and where runs are.
 */
function saidAtMost(stages: readonly ClassifiedStage[]): number {
  const said = stages.flatMap((stage) => {
    if (stage.kind === "tables") return stage.columns.paths.map(({ steps }) => 1 + 3 * steps.length);
    const blocks = stage.paths.flatMap((path) => path.blocks);
    return [...blocks.map(({ steps }) => 1 + 3 * steps.length), RUN_HEADS];
  });
  return said.reduce((sum, one) => sum + one, 0);
}

/** Where the runs of rules that decide are, and the one of those that packets pass. */
const RUN_HEADS = 2;

/** A leaf with more values needs places of 16 bits. */
const SMALL_LEAF = 256;

function linesOf(stages: readonly TableStage[]): LineForm {
  const leaves = stages.flatMap(matricesOf).flatMap(({ leaves: all }) => all);
  const paths = stages.flatMap(({ columns }) => columns.paths);
  return {
    placeBytes: leaves.some(({ values }) => values.length > SMALL_LEAF) ? 2 : 1,
    isPaged: paths.some(({ columns, states }) => columns.length / states > PAGE),
  };
}

function matricesOf({ deciding, passing }: TableStage) {
  return [...deciding, ...(passing ? [passing] : [])];
}

function passesOf(stages: readonly ClassifiedStage[]): number {
  const lengths = stages.flatMap((stage) =>
    stage.kind === "tables"
      ? stage.sequences.map(({ length }) => length)
      : [stage.passing ? PASSED_TOGETHER : 0],
  );
  return lengths.reduce((most, length) => Math.max(most, length), 0);
}

/** Writes text and image in step, so that neither can say what the other does not. */
class Writer {
  readonly text = new Text();
  readonly image = new Image();
  readonly lines: LineForm;
  depth = 0;
  readonly longLists = { sources: 0, destinations: 0 };
  /** What a class of the last question is multiplied with. */
  readonly #scale: number;
  readonly #vectors: VectorForm | null;
  readonly #passed: ProgramInput["passed"];
  readonly #lookups = new Map<Step["segments"], { readonly key: string; readonly head: number }>();
  readonly #records = new Map<number, number>();
  readonly #headsEnd: number;
  /** What every list of passed rules ends with. */
  readonly #end: number;
  #head = HEADS_END;
  /** Matrices of the family that is being written. */
  #matrices = 0;
  #family: Family | null = null;

  constructor(lines: LineForm, vectors: VectorForm | null, said: number, passed: ProgramInput["passed"]) {
    this.lines = lines;
    this.#vectors = vectors;
    this.#scale = lines.isPaged ? 1 : lines.placeBytes;
    this.#passed = passed;
    this.#headsEnd = HEADS_END + said * CELL;
    this.image.reserve(this.#headsEnd - LINE);
    this.#end = this.image.add([NONE, 0, 0, 0, 0, 0, 0, 0], 2 * CELL);
  }

  /** Trees of one end's addresses, whose classes have a number in each matrix. */
  addresses(end: End, segments: Segments, numbers: readonly Uint32Array[]): void {
    if (this.#listed(end, segments, numbers)) return;
    const records = segments.members.map((_, found) => this.#record(found, numbers));
    this.#tree(end, segments, records);
  }

  /** Where a long list parts the addresses: a tree of what else does, and behind each record that of the list's addresses. */
  #listed(end: End, segments: Segments, numbers: readonly Uint32Array[]): boolean {
    const parts = this.#family === 4 ? parted(segments) : undefined;
    const list = parts && addLongList(this.image, parts.places);
    if (!parts || list === undefined) return false;
    const records = parts.both.map(([outside, inside]) => {
      const record = this.#record(outside, numbers);
      this.#record(inside, numbers);
      return record;
    });
    this.#tree(end, parts.others, records);
    this.image.set(LIST_HEADS[end], list);
    this.longLists[end] = numbers.length * CELL;
    return true;
  }

  /** `found`: a class, or undefined where no packet will come. */
  #record(found: number | undefined, numbers: readonly Uint32Array[]): number {
    return this.image.add(numbers.map((number) => (found === undefined ? 0 : (number[found] as number))));
  }

  #tree(end: End, segments: Segments, records: readonly number[]): void {
    invariant(this.#family !== null, "stages come before addresses");
    const tree = addTree(this.image, segments, (found) => records[found] as number);
    const head = TREE_HEADS[this.#family][end];
    this.depth = Math.max(this.depth, tree.depth);
    this.image.set(head, tree.table);
    this.image.set(head + CELL, tree.below);
  }

  stage(name: string, family: Family, stage: ClassifiedStage): readonly Placed[] {
    if (this.#family !== family) this.#matrices = 0;
    this.#family = family;
    const placed =
      stage.kind === "tables" ? this.#tables(name, family, stage) : [this.#byVectors(name, family, stage)];
    this.#matrices += placed.length;
    return placed;
  }

  #byVectors(name: string, family: Family, stage: Vectors): Placed {
    const { text, image } = this;
    const writer: StageWriter = {
      text,
      image,
      said: (...numbers) => this.#said(...numbers),
      classOf: (step, transport) => this.#classOf(step, family, transport, CELL),
      passed: (value) => this.#passedRule(value),
    };
    const form = this.#vectors ?? impossible("a stage by vectors has a form");
    return addVectorStage(writer, { name: `${name}_${family}`, stage, form, end: this.#matrices });
  }

  #tables(name: string, family: Family, stage: TableStage): readonly Placed[] {
    const { columns } = stage;
    if (stage.deciding.length > 0 || stage.passing) {
      this.#columnFunction(`${name}_column_${family}`, family, columns.paths);
    }
    const data = { columns, lines: this.lines };
    const placed = stage.deciding.map((matrix) =>
      addMatrix(this.image, { ...data, matrix, imaged: (value) => value }),
    );
    if (stage.passing) {
      const lists = stage.sequences.map((values) => this.#addSequence(values));
      const listOf = (value: number) => (value === NONE ? NONE : (lists[value] as number));
      placed.push(addMatrix(this.image, { ...data, matrix: stage.passing, imaged: listOf }));
    }
    this.#stageFunction(name, family, stage, this.#matrices);
    return placed;
  }

  #addSequence(values: readonly number[]): number {
    return this.image.add([...values.map((value) => this.#passedRule(value)), this.#end]);
  }

  #passedRule(value: number): number {
    const place = this.#records.get(value) ?? this.image.add(this.#passed(value), 2 * CELL);
    this.#records.set(value, place);
    return place;
  }

  /** A cell at a place that the text may name, as it does not depend on data. */
  #said(...numbers: readonly number[]): number {
    const head = this.#head;
    this.#head += numbers.length * CELL;
    invariant(this.#head <= this.#headsEnd, "what is said of tables has room");
    numbers.forEach((number, index) => {
      this.image.set(head + index * CELL, number);
    });
    return head;
  }

  /** Paths share the tables of what all of them ask. */
  #lookup(step: Step, scale: number): number {
    const key = `${this.#family} ${step.question.key} ${scale}`;
    const known = this.#lookups.get(step.segments);
    if (known?.key === key) return known.head;
    const head = this.#said(...addLookup(this.image, step, scale));
    this.#lookups.set(step.segments, { key, head });
    return head;
  }

  #stageFunction(name: string, family: Family, { deciding, passing }: TableStage, from: number): void {
    const { text } = this;
    text.line(`static __always_inline __u32 ${name}_${family}(TG_PACKET *p, const struct xdp_md *ctx,`);
    text.line(`\t\t\t\t\tconst void *data, const struct tg_ends *ends)`);
    text.block("{", () => {
      if (deciding.length === 0 && !passing) {
        text.line("return TG_NOTHING;");
        return;
      }
      text.line(`const struct tg_column column = ${name}_column_${family}(p, ctx, data);`);
      text.line("__u32 first = TG_NOTHING;").line();
      deciding.forEach((_, index) => {
        text.line(`first = tg_first(first, tg_value(data, ends, ${from + index}, column));`);
      });
      const list = `tg_value(data, ends, ${from + deciding.length}, column)`;
      text.line(passing ? `return tg_pass(p, data, ${list}, first, TG_PASSED);` : "return first;");
    });
    text.line();
  }

  #columnFunction(name: string, family: Family, paths: readonly Path[]): void {
    const { text } = this;
    text.line(`static __always_inline struct tg_column ${name}(TG_PACKET *p, const struct xdp_md *ctx,`);
    text.line("\t\t\t\t\t\t    const void *data)");
    text.block("{", () => {
      text.line("struct tg_column at = { 0 };").line();
      let states = 0;
      for (const path of paths) {
        const first = states;
        const body = () => this.#path(path, family, first);
        if (path.transport === null) body();
        else text.block(`if (p->${path.transport}_bytes) {`, body);
        states += path.states;
      }
    });
    text.line();
  }

  /** `first`: number of the path's first state among all. */
  #path({ steps, transport }: Path, family: Family, first: number): void {
    let placeOf = (state: number) => (first + state) * CELL;
    const tables = steps.slice(0, -1).reverse();
    // From the last table to the first, as each says where the next one is.
    for (const step of tables) {
      const after = placeOf;
      const table = this.image.add(step.next.map(after));
      placeOf = (state) => table + state * step.classes * CELL;
    }
    const { text } = this;
    text.line(`at.state = tg_cell(data, ${this.#said(placeOf(0))});`);
    steps.forEach((step, index) => {
      const isLast = index === steps.length - 1;
      this.#classOf(step, family, transport, isLast ? this.#scale : CELL);
      if (!isLast) text.line("at.state = tg_cell(data, at.state + at.class);");
    });
    text.line("return at;");
  }

  #classOf(step: Step, family: Family, transport: Path["transport"], scale: number): void {
    const { number, asked } = answerIn(step.question, family, transport);
    const table = this.#lookup(step, scale);
    const found = `at.class = tg_class_${lookupKind(step.question.bits)}(data, ${table}, ${number});`;
    if (!asked) {
      this.text.line(found);
      return;
    }
    this.text.line(`at.class = tg_cell(data, ${this.#said(otherwise(step) * scale)});`);
    this.text.lines(layout("if (", asked, ")")).line(`\t${found}`);
  }
}

interface Answer {
  readonly number: string;
  /** What must hold for the number to be there; null: nothing. */
  readonly asked: Condition | null;
}

function answerIn(question: Question, family: Family, transport: Path["transport"]): Answer {
  if (question.kind === "condition") return { number: "1", asked: condition(question.match) };
  const present: [Header, number][] = [[family === 4 ? "ip4" : "ip6", family === 4 ? 20 : 40]];
  if (transport) present.push([transport, 1]);
  const { read, text } = numberOf(question.field);
  const asked = [...guards(question.needs, new Map(present)), ...(read ? [read] : [])];
  return { number: text, asked: asked.length === 0 ? null : chain("&&", asked) };
}

/** The class of packets that do not have the number; a condition that does not hold is 0. */
function otherwise({ question, absent, segments }: Step): number {
  return question.kind === "condition" ? classIn(segments, 0) : absent;
}
