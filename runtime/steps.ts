import { causeOf, failure, RuntimeFailure } from "./failures.js";

export type OnStep = (text: string) => void;

/** One thing on the machine that is there or is not. */
export interface Part {
  /** What it is, as status and failures name it. */
  readonly name: string;
  present(): Promise<boolean>;
  /** Is what is there as it should be? A change sees to that where it stands, so only who looks for drift asks. */
  asMeant?(): Promise<boolean>;
  up(): Promise<void>;
  /** Takes it away; copes with a thing that is half there or gone already. */
  down(): Promise<void>;
  /** `up` puts it right where it stands, too. Packets depend on it: what is damaged of it is never taken down to be mended. */
  readonly staysUp?: boolean;
  /** Name of a part of which the coming changes whether this one is there: what was found is known from before that. */
  readonly foundBefore?: string;
  /** Nobody but Tidegate has such a thing: it goes with the rest even if it was not missing when the rest was. */
  readonly ours?: boolean;
}

/** Takes a step back. `clean`: all that was done after it is undone, too. */
export type Undo = (clean: boolean) => Promise<void>;

/** A change in the making: what was done so far, and how each step is undone. */
export class Steps {
  readonly #undos: { readonly name: string; readonly undo: Undo }[] = [];
  readonly #onStep: OnStep;
  #current = "looking at the node";

  constructor(onStep: OnStep) {
    this.#onStep = onStep;
  }

  /** The step that is (or was last) under way. */
  get current(): string {
    return this.#current;
  }

  /**
   * Does one step. Its undo is noted before, so that a step that fails halfway is undone too; `undo` must
   * therefore cope with a step that did nothing.
   */
  async run<T>(name: string, action: () => Promise<T>, undo: Undo): Promise<T> {
    this.#current = name;
    this.#onStep(name);
    this.#undos.push({ name, undo });
    return action();
  }

  /** Brings up what is missing, from a clean start. False: nothing was. `mending`: packets come here already. */
  async ensure(parts: readonly Part[], mending = false): Promise<boolean> {
    if ((await missingParts(parts)).length === 0) return false;
    for (const part of parts) {
      this.#current = part.name;
      if (await part.present()) continue;
      if (mending && part.staysUp)
        await this.run(
          part.name,
          () => part.up(),
          async () => {},
        );
      else {
        const up = () => part.down().then(() => part.up());
        await this.run(part.name, up, () => part.down());
      }
    }
    return true;
  }

  /** Undoes everything, the last step first; gives what could not be undone. */
  async undo(): Promise<readonly string[]> {
    const failed: string[] = [];
    for (const { name, undo } of this.#undos.splice(0).reverse()) {
      await undo(failed.length === 0).catch((error: unknown) => failed.push(`${name} (${causeOf(error)})`));
    }
    return failed;
  }
}

/** Runs a change as a whole: if any step fails, all are undone and the failure says which step it was. */
export async function allOrNothing<T>(
  onStep: OnStep,
  change: (steps: Steps) => Promise<T>,
  beforeUndo: () => Promise<void> = async () => {},
): Promise<T> {
  const steps = new Steps(onStep);
  try {
    return await change(steps);
  } catch (error) {
    const step = steps.current;
    const cause = causeOf(error);
    const left = await beforeUndo().then(
      () => steps.undo(),
      (reason: unknown) => [`all of it (${causeOf(reason)})`],
    );
    if (left.length > 0) throw failure("TG9007", { step, cause, left: left.join(", ") }, null, error);
    throw error instanceof RuntimeFailure ? error : failure("TG9006", { step, cause }, null, error);
  }
}

/** The names of the parts that are not there. */
export async function missingParts(
  parts: readonly Pick<Part, "name" | "present">[],
): Promise<readonly string[]> {
  const present = await Promise.all(parts.map((part) => part.present()));
  return parts.filter((_, index) => !present[index]).map(({ name }) => name);
}

/** Takes parts down, the last made first. */
export async function takeDown(parts: readonly Part[], onStep: OnStep): Promise<void> {
  for (const part of [...parts].reverse()) {
    onStep(`remove ${part.name}`);
    await part.down();
  }
}
