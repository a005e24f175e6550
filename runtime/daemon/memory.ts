import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { manifestSchema } from "../../src/targets/manifest.js";
import { replaceDurably } from "../durable.js";
import { causeOf, hasErrno } from "../failures.js";

/** What came of a customer's revision. */
const outcomeSchema = z.strictObject({
  revision: z.int().positive(),
  state: z.enum(["in-force", "removed", "refused"]),
  /** Why it was refused, with its code; else empty. */
  why: z.string(),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** The last one that was put in force, and what its bundle consists of; not that of `revision`, if that was refused. */
  last: z.strictObject({ revision: z.int().positive(), files: manifestSchema.shape.files }).nullable(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

const fileSchema = z.strictObject({ schema: z.literal(1), outcomes: z.record(z.string(), outcomeSchema) });

/**
 * What this node made of each revision, so that none is tried twice and a daemon that starts anew goes on where the last one
 * was. Lies beside the state that it speaks of, and is lost with it.
 */
export class Memory {
  readonly #file: string;
  readonly #outcomes: Map<string, Outcome>;

  private constructor(file: string, outcomes: ReadonlyMap<string, Outcome>) {
    this.#file = file;
    this.#outcomes = new Map(outcomes);
  }

  /** With `lost`: why what was remembered cannot be read. Nothing is lost by it but time: every head is tried again. */
  static async read(file: string): Promise<{ readonly memory: Memory; readonly lost: string | null }> {
    try {
      const { outcomes } = fileSchema.parse(JSON.parse(await readFile(file, "utf8")));
      return { memory: new Memory(file, new Map(Object.entries(outcomes))), lost: null };
    } catch (error) {
      const isNew = hasErrno(error, "ENOENT");
      return { memory: new Memory(file, new Map()), lost: isNew ? null : causeOf(error) };
    }
  }

  of(customer: string): Outcome | undefined {
    return this.#outcomes.get(customer);
  }

  all(): ReadonlyMap<string, Outcome> {
    return this.#outcomes;
  }

  async note(customer: string, outcome: Outcome): Promise<void> {
    this.#outcomes.set(customer, outcome);
    await this.#write();
  }

  /** The customers whose latest revision was refused. */
  refused(): readonly string[] {
    return [...this.#outcomes].flatMap(([customer, { state }]) => (state === "refused" ? [customer] : []));
  }

  async #write(): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    const content = { schema: 1, outcomes: Object.fromEntries(this.#outcomes) };
    await replaceDurably(this.#file, `${JSON.stringify(content, null, 2)}\n`);
  }
}
