import type { TestPacket } from "../../verify/packets.js";
import { type Check, type Difference, difference, differs } from "./compare.js";

/** The fewest and smallest packets found over which kernel and reference still differ. */
export interface Counterexample {
  /** The last one is the one that is judged otherwise; those before fill a limit or hold a part of its datagram. */
  readonly packets: readonly TestPacket[];
  readonly difference: Difference;
}

/** A search ends when it has taken so long (ms), with what it has found. */
const PATIENCE = 10_000;

/** null: the packets do not differ when they are sent once more. */
export async function counterexample(
  check: Check,
  packets: readonly TestPacket[],
): Promise<Counterexample | null> {
  const search = new Search(check);
  if (!(await search.differs(packets))) return null;
  const prefix = await search.shortestPrefix(packets);
  const alone = prefix.slice(-1);
  const few = (await search.differs(alone))
    ? alone
    : await search.without(await search.shortestSuffix(prefix));
  const small = await search.shrunk(few);
  return { packets: small, difference: await difference(check, small) };
}

class Search {
  readonly #check: Check;
  readonly #deadline = performance.now() + PATIENCE;

  constructor(check: Check) {
    this.#check = check;
  }

  async differs(packets: readonly TestPacket[]): Promise<boolean> {
    return differs(await difference(this.#check, packets));
  }

  /** Halves the distance between a prefix that agrees and one that does not, until one packet makes the difference. */
  async shortestPrefix(packets: readonly TestPacket[]): Promise<readonly TestPacket[]> {
    let agrees = 0;
    let disagrees = packets.length;
    while (disagrees - agrees > 1) {
      const middle = (agrees + disagrees) >> 1;
      if (await this.differs(packets.slice(0, middle))) disagrees = middle;
      else agrees = middle;
    }
    return packets.slice(0, disagrees);
  }

  /** The same from the other end: what stands before the packets that matter goes at once. */
  async shortestSuffix(packets: readonly TestPacket[]): Promise<readonly TestPacket[]> {
    let disagrees = 0;
    let agrees = packets.length;
    while (agrees - disagrees > 1) {
      const middle = (agrees + disagrees) >> 1;
      if (await this.differs(packets.slice(middle))) disagrees = middle;
      else agrees = middle;
    }
    return packets.slice(disagrees);
  }

  /** Leaves out what is not needed before the last packet: large parts first, then single packets. */
  async without(packets: readonly TestPacket[]): Promise<readonly TestPacket[]> {
    let kept = packets;
    for (let size = packets.length >> 1; size >= 1; size >>= 1) {
      for (let start = 0; start < kept.length - 1 && !this.#late; ) {
        const end = Math.min(start + size, kept.length - 1);
        const fewer = [...kept.slice(0, start), ...kept.slice(end)];
        if (await this.differs(fewer)) kept = fewer;
        else start = end;
      }
    }
    return kept;
  }

  /** Makes the last packet simpler as long as it makes the difference. */
  async shrunk(packets: readonly TestPacket[]): Promise<readonly TestPacket[]> {
    const before = packets.slice(0, -1);
    let last = packets.slice(-1);
    for (let progress = true; progress && !this.#late; ) {
      progress = false;
      for (let at = 0; !this.#late; ) {
        const simpler = last.flatMap(this.#check.simpler)[at];
        if (!simpler) break;
        if (this.#check.asks(simpler) && (await this.differs([...before, simpler]))) {
          last = [simpler];
          progress = true;
        } else at++;
      }
    }
    return [...before, ...last];
  }

  get #late(): boolean {
    return performance.now() > this.#deadline;
  }
}
