/**
 * A function of a packet, within one diagram: a node (0 and above), or the same answer for every packet (below 0: ~answer).
 * Equal functions are equal numbers.
 */
export type Ref = number;

export const NO: Ref = ~0;
export const YES: Ref = ~1;
/** Says that the budget did not suffice, never that something is so. Whatever is made of it is too large as well. */
export const TOO_LARGE: Ref = -0x8000_0000;

/** The function that answers `answer`, from 0 to 2^31 - 2, for every packet. */
export function always(answer: number): Ref {
  return ~answer;
}

/** What a function answers for every packet; undefined: it depends on the packet. */
export function answerOf(ref: Ref): number | undefined {
  return ref < 0 && ref !== TOO_LARGE ? ~ref : undefined;
}
