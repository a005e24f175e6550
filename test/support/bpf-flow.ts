/**
 * The control flow of BPF objects (RFC 9669; ELF-64, little endian), as far as the kernel's check_cfg() looks at it
 * before it looks at anything else.
 */

const SHT_PROGBITS = 1;
const SHF_EXECINSTR = 4n;

const LOAD_64_BITS = 0x18;
const [JUMP, JUMP_32] = [0x05, 0x06];
const [ALWAYS, CALL, EXIT] = [0x00, 0x80, 0x90];

interface Edge {
  readonly to: number;
  readonly jump: boolean;
}

/** The code of each section of an object that holds any. */
export function codeSections(object: Buffer): readonly Buffer[] {
  const [table, size, count] = [
    Number(object.readBigUInt64LE(40)),
    object.readUInt16LE(58),
    object.readUInt16LE(60),
  ];
  return Array.from({ length: count }, (_, index) => object.subarray(table + index * size))
    .filter((head) => head.readUInt32LE(4) === SHT_PROGBITS && (head.readBigUInt64LE(8) & SHF_EXECINSTR) > 0n)
    .map((head) => {
      const [offset, bytes] = [Number(head.readBigUInt64LE(24)), Number(head.readBigUInt64LE(32))];
      return object.subarray(offset, offset + bytes);
    })
    .filter(({ length }) => length > 0);
}

/**
 * The instructions that close a loop without a jump, as the loop's head is the next instruction. Linux 6.1 refuses them
 * ("back-edge from insn 151 to 152"), where newer kernels do not mind.
 */
export function fallsBackInto(code: Buffer): readonly number[] {
  const state = new Map<number, "open" | "done">();
  const found: number[] = [];
  for (let start = 0; start < code.length / 8; start++) {
    const path = state.has(start) ? [] : [{ at: start, left: [...edges(code, start)] }];
    if (path.length > 0) state.set(start, "open");
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const edge = top.left.shift();
      if (!edge) state.set(path.pop()?.at ?? start, "done");
      else if (state.get(edge.to) === "open" && !edge.jump) found.push(top.at);
      else if (!state.has(edge.to)) {
        state.set(edge.to, "open");
        path.push({ at: edge.to, left: [...edges(code, edge.to)] });
      }
    }
  }
  return found;
}

/** Where an instruction leads to. The second half of a 64-bit load is passed over as if it were one that does nothing. */
function edges(code: Buffer, at: number): readonly Edge[] {
  const opcode = code.readUInt8(at * 8);
  const [kind, operation] = [opcode & 0x07, opcode & 0xf0];
  if (opcode === LOAD_64_BITS) return [{ to: at + 2, jump: false }];
  if ((kind !== JUMP && kind !== JUMP_32) || operation === CALL) return [{ to: at + 1, jump: false }];
  if (operation === EXIT) return [];
  const target = { to: at + 1 + code.readInt16LE(at * 8 + 2), jump: true };
  return operation === ALWAYS ? [target] : [{ to: at + 1, jump: true }, target];
}
