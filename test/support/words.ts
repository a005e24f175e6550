/** Joins numbers as u32 in host order. */
export function u32(...numbers: readonly number[]): Buffer {
  return Buffer.concat(numbers.map((number) => Buffer.from(Uint32Array.of(number).buffer)));
}
