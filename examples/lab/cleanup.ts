/** Undoes what was made, newest first, exactly once, whether the work ended well, badly, or by a signal. */
export class Cleanup {
  readonly #tasks: (() => Promise<void>)[] = [];
  #begun: Promise<void> | undefined;

  /** Registers the removal of something that now exists. After `run` it is removed at once and this throws. */
  async add(remove: () => Promise<void>): Promise<void> {
    if (this.#begun === undefined) {
      this.#tasks.push(remove);
      return;
    }
    await remove();
    throw new Error("the clean-up has begun");
  }

  run(): Promise<void> {
    this.#begun ??= this.#all();
    return this.#begun;
  }

  async #all(): Promise<void> {
    for (const remove of this.#tasks.reverse()) await remove();
  }
}

/** Exit status of a process that a signal ended, by the shell's convention. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Resolves with the exit status when this process is asked to stop. Later signals are ignored: it is stopping. */
export function stopRequested(): Promise<number> {
  return new Promise((resolve) => {
    for (const [signal, status] of Object.entries(SIGNALS)) process.on(signal, () => resolve(status));
    // The reader of a pipe went away: nobody is left to watch.
    process.stdout.on("error", () => resolve(1));
  });
}
