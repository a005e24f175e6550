/** Sets of small numbers, as bits. */
export type Bits = Uint32Array;

export function bitsFor(count: number): Bits {
  return new Uint32Array((count + 31) >>> 5);
}

export function setBit(bits: Bits, index: number): void {
  bits[index >>> 5] = (bits[index >>> 5] as number) | (1 << (index & 31));
}

export function hasBit(bits: Bits, index: number): boolean {
  return ((bits[index >>> 5] as number) & (1 << (index & 31))) !== 0;
}

/** Adds `more` to `bits`; whether that changed anything. */
export function uniteBits(bits: Bits, more: Bits): boolean {
  let grew = false;
  for (let at = 0; at < bits.length; at++) {
    const before = bits[at] as number;
    const after = (before | (more[at] as number)) >>> 0;
    if (after === before) continue;
    bits[at] = after;
    grew = true;
  }
  return grew;
}
