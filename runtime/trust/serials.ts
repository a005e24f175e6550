import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Bundle } from "../bundle.js";
import { makeDurably, replaceDurably, syncFolder } from "../durable.js";
import { causeOf, failure, hasErrno, orIfMissing } from "../failures.js";
import type { CustomerRecord } from "../state.js";
import type { Steps } from "../steps.js";
import { requireOwnFolder } from "./own-folder.js";

/** Where a node remembers the newest release of each customer. It must outlive a reboot, unlike the state directory. */
export const DEFAULT_MEMORY_DIR = "/var/lib/tidegate";

const newestSchema = z.strictObject({
  serial: z.int().nonnegative(),
  /** SHA-256 of its manifest.json. */
  manifest: z.string(),
});
type Newest = z.infer<typeof newestSchema>;

/** What is asked of a bundle; null where nobody vouched for it, and so there is nothing to hold it to. */
type Released = Pick<Bundle, "hash" | "release">;

/** The newest release of each customer that this node ever put in force. */
export class Serials {
  readonly #dir: string;

  constructor(memoryDir: string) {
    this.#dir = join(memoryDir, "serials");
  }

  /**
   * Throws TG5018 for a release that is older than the newest, TG5019 for another one of the same serial. What is in force
   * was let in already: it may be applied again, to mend it.
   */
  async refuseReplay(
    { hash, release }: Released,
    loaded: readonly Pick<CustomerRecord, "customer" | "hash">[],
  ): Promise<void> {
    if (!release) return;
    const { customer, serial } = release;
    const newest = await this.#newest(customer);
    if (!newest || newest.serial < serial || newest.manifest === hash) return;
    if (loaded.some((one) => one.customer === customer && one.hash === hash)) return;
    if (newest.serial === serial) {
      const hint = "sign the newer one again: `tidegate sign` gives it a serial of its own";
      throw failure("TG5019", { customer, serial: `${serial}` }, hint);
    }
    const params = { customer, serial: `${serial}`, newest: `${newest.serial}` };
    throw failure("TG5018", params, "if you mean to go back: tidegate apply --rollback");
  }

  /**
   * Throws TG5024 for an unsigned bundle on a node that has had signed ones: its description was to name keys, also where
   * all else was forgotten with a reboot.
   */
  async refuseUnsigned({ release }: Released): Promise<void> {
    if (release || (await this.#customers()).length === 0) return;
    const hint = `\`${this.#dir}\` says so; is it the right edge.ts? else remove all customers, and then that folder`;
    throw failure("TG5024", {}, hint);
  }

  /** Remembers a release, unless a newer one is. On disk when this is done. */
  async remember({ release }: Released, steps: Steps): Promise<void> {
    if (!release) return;
    const { customer, serial, manifest } = release;
    const newest = await this.#newest(customer);
    if (newest && newest.serial >= serial) return;
    await steps.run(
      "remember the serial",
      () => this.#write(customer, { serial, manifest }),
      () => this.#write(customer, newest),
    );
  }

  /** Those of whom a release is remembered. */
  async #customers(): Promise<readonly string[]> {
    return orIfMissing(readdir(this.#dir), []);
  }

  /** Null: none yet. Throws TG9011 where that cannot be said, TG9016 where anybody may have said it. */
  async #newest(customer: string): Promise<Newest | null> {
    await requireOwnFolder(this.#dir);
    const file = this.#file(customer);
    try {
      return newestSchema.parse(JSON.parse(await readFile(file, "utf8")));
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return null;
      const hint = "restore it; without it, old bundles could be put in force again";
      throw failure("TG9011", { file, problem: causeOf(error) }, hint, error);
    }
  }

  async #write(customer: string, newest: Newest | null): Promise<void> {
    const file = this.#file(customer);
    await makeDurably(this.#dir);
    if (newest) await replaceDurably(file, `${JSON.stringify(newest)}\n`);
    else {
      await rm(file, { force: true });
      await syncFolder(this.#dir);
    }
  }

  #file(customer: string): string {
    return join(this.#dir, `${customer}.json`);
  }
}
