import type { Page } from "../../../compiler/analysis/classify/bit-vectors.js";
import { NONE } from "../../../compiler/analysis/classify/classifier.js";
import type { Step } from "../../../compiler/analysis/classify/columns.js";
import { MOST_RUNS, type Run, WORD_BITS } from "../../../compiler/analysis/classify/runs.js";
import type { VectorBlock, VectorPath, Vectors } from "../../../compiler/analysis/classify/vectors.js";
import { impossible, invariant } from "../../../compiler/diagnostics/invariant.js";
import type { Text } from "../../text.js";
import { CELL, type Image, LINE } from "./image.js";
import type { Placed } from "./matrices.js";

/** Stages by vectors, as bpf-templates/vectors.h walks them. */

/** Terms that a packet passes together: TG_PASSED_PARTS in bpf-templates/vectors.h times as many are all that there can be. */
export const PASSED_TOGETHER = 32;

/** What the text says of the vectors of all stages; null: there are none. */
export interface VectorForm {
  /** Vectors that a packet has at most. */
  readonly count: number;
  /** Looks that it takes to see the longest of them, words and words of words. */
  readonly steps: number;
}

export function vectorForm(all: readonly Vectors[]): VectorForm | null {
  if (all.length === 0) return null;
  const largest = (numbers: readonly number[]) => numbers.reduce((most, number) => Math.max(most, number), 1);
  const blocks = all.flatMap(({ paths }) => paths.map((path) => path.blocks.length));
  // A power of two, so that another rule hardly ever makes it another program.
  const words = 2 ** Math.ceil(Math.log2(largest(all.map(wordsOf))));
  return { count: 2 + largest(blocks), steps: words + Math.ceil(words / WORD_BITS) + 1 };
}

function wordsOf({ values }: Vectors): number {
  return values.length / WORD_BITS;
}

/** What a stage is written with: the program's text and image, and the parts that stages by tables have too. */
export interface StageWriter {
  readonly text: Text;
  readonly image: Image;
  /** Puts numbers where the text may name their place, and gives it. */
  readonly said: (...numbers: readonly number[]) => number;
  /** Writes what finds the packet's class in a step, times the size of a cell, as `at.class`. */
  readonly classOf: (step: Step, path: VectorPath["transport"]) => void;
  /** The place of what a value that packets pass stands for. */
  readonly passed: (value: number) => number;
}

export interface VectorStageInput {
  /** Of the stage's function, such as `mitigate_4`. */
  readonly name: string;
  readonly stage: Vectors;
  readonly form: VectorForm;
  /** Where the places of a packet's vectors are, in what its addresses are looked up for. */
  readonly end: number;
}

/** Puts a stage into the image, and writes the functions that ask it. */
export function addVectorStage(writer: StageWriter, input: VectorStageInput): Placed {
  const { stage } = input;
  const vectors = new ImageVectors(writer.image, stage);
  emitAsking(writer, input, vectors);
  emitStage(writer, input);
  return {
    rows: Uint32Array.from(stage.sources, (vector) => vectors.place(vector)),
    places: Uint32Array.from(stage.destinations, (vector) => vectors.place(vector)),
  };
}

/** Vectors and their pages, each once in the image. */
class ImageVectors {
  readonly #image: Image;
  readonly #stage: Vectors;
  readonly #words: number;
  readonly #places = new Map<number, number>();
  readonly #pages = new Map<Page, number>();

  constructor(image: Image, stage: Vectors) {
    this.#image = image;
    this.#stage = stage;
    this.#words = wordsOf(stage);
  }

  place(vector: number): number {
    const known = this.#places.get(vector);
    if (known !== undefined) return known;
    const pages = this.#stage.store.pagesOf(vector);
    const cells = [...summaryOf(pages, this.#words), ...pages.map((page) => this.#pagePlace(page))];
    const place = this.#image.add(cells, 2 * CELL);
    this.#places.set(vector, place);
    return place;
  }

  #pagePlace(page: Page): number {
    const place = this.#pages.get(page) ?? this.#image.add(page, LINE);
    this.#pages.set(page, place);
    return place;
  }
}

/** A bit for each word that is not empty, in whole words. */
function summaryOf(pages: readonly Page[], words: number): Uint32Array {
  const summary = new Uint32Array(summaryBytes(words) / CELL);
  pages.forEach((page, index) => {
    for (let cell = 0; cell < page.length; cell++) {
      if (page[cell] === 0) continue;
      const word = (index * page.length + cell) >>> 1;
      summary[word >>> 5] = (summary[word >>> 5] as number) | (1 << (word & 31));
    }
  });
  return summary;
}

function summaryBytes(words: number): number {
  return Math.ceil(words / WORD_BITS) * 2 * CELL;
}

/** A function that finds the packet's vectors but for those of its addresses. */
function emitAsking(writer: StageWriter, { name, stage }: VectorStageInput, vectors: ImageVectors): void {
  const { text } = writer;
  text.line(`static __always_inline void ${name}_vectors(TG_PACKET *p, const struct xdp_md *ctx,`);
  text.line("\t\t\t\t\t\t const void *data, struct tg_vectors *vectors)");
  text.block("{", () => {
    if (stage.paths.some(({ blocks }) => blocks.length > 0)) text.line("struct tg_column at = { 0 };").line();
    for (const path of stage.paths) {
      if (path.transport === null) emitPath(writer, path, vectors);
      else
        text.block(`if (p->${path.transport}_bytes) {`, () => {
          emitPath(writer, path, vectors);
          text.line("return;");
        });
    }
  });
  text.line();
}

function emitPath(writer: StageWriter, { blocks, transport }: VectorPath, vectors: ImageVectors): void {
  const { text } = writer;
  blocks.forEach((block, index) => {
    const states = addBlock(writer.image, block, vectors);
    const [start] = states;
    text.line(`at.state = tg_cell(data, ${writer.said(start ?? impossible("a block has a state"))});`);
    for (const step of block.steps) {
      writer.classOf(step, transport);
      text.line("at.state = tg_cell(data, at.state + at.class);");
    }
    text.line(`vectors->at[${2 + index}] = at.state;`);
  });
}

/** What stands for each state that the block begins with: a table of what follows, or at last a vector. */
function addBlock(
  image: Image,
  { steps, vectors: behind }: VectorBlock,
  vectors: ImageVectors,
): readonly number[] {
  let places: readonly number[] = behind.map((vector) => vectors.place(vector));
  for (const { next, classes } of [...steps].reverse()) {
    const table = image.add(next.map((state) => places[state] as number));
    places = Array.from({ length: next.length / classes }, (_, state) => table + state * classes * CELL);
  }
  return places;
}

function emitStage(writer: StageWriter, { name, stage, form, end }: VectorStageInput): void {
  const { text } = writer;
  const { deciding, passing, values } = stage;
  const decided = addRuns(writer, stage, deciding, values);
  if (passing) emitPassing(text, name);
  text.line(`static __always_inline __u32 ${name}(TG_PACKET *p, const struct xdp_md *ctx, const void *data,`);
  text.line("\t\t\t\t\tconst struct tg_ends *ends)");
  text.block("{", () => {
    // A packet of few questions has one of its vectors several times.
    const rest = Array.from({ length: form.count - 2 }, () => `ends->places[${end}]`);
    text.line(
      `struct tg_vectors vectors = { { ${[`ends->rows[${end}]`, `ends->places[${end}]`, ...rest].join(", ")} } };`,
    );
    if (passing) text.line("struct tg_passing passing;");
    text.line("__u32 first;").line();
    text.line(`${name}_vectors(p, ctx, data, &vectors);`);
    text.line(`first = tg_decide(data, &vectors, ${decided});`);
    if (passing) {
      const places = values.map((value, bit) => (bit < passing.from ? 0 : writer.passed(value)));
      text.line(`passing = tg_passing(data, ${addRuns(writer, stage, [passing], places)}, first);`);
      text.line("for (int part = 0; part < TG_PASSED_PARTS; part++)");
      text.line(`\tif (!${name}_pass(p, data, &vectors, &passing))`).line("\t\tbreak;");
      text.line("return passing.first;");
    } else text.line("return first;");
  });
  text.line();
}

/** A function that a packet passes the next terms in. Not static, as the verifier follows only such functions once. */
function emitPassing(text: Text, name: string): void {
  text.line(`__noinline __u32 ${name}_pass(TG_PACKET *p, const struct tg_data *data,`);
  text.line("\t\t\t\tconst struct tg_vectors *vectors, struct tg_passing *at)");
  text.block("{", () => text.line("return tg_pass_terms(p, data, vectors, at, TG_PASSED);")).line();
}

/** struct tg_run, one for each of the runs and an end; gives where the place of the first is said. */
function addRuns(
  { image, said }: StageWriter,
  stage: Vectors,
  runs: readonly Run[],
  values: readonly number[],
): number {
  invariant(runs.length <= MOST_RUNS, "the walker looks at all runs");
  const numbers = image.add(values);
  const pages = summaryBytes(wordsOf(stage));
  const cells = runs.flatMap(({ from, until }) => [values[from] ?? NONE, from, until, pages, numbers]);
  return said(image.add([...cells, NONE, 0, 0, 0, 0]));
}
