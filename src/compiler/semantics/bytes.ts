/** Numbers of the bytes, wherever in their buffer they lie. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Of the header with its options, as its first byte says it. */
export function ipv4HeaderLength(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) & 0x0f) * 4;
}
