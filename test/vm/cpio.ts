/** One file, or a folder, of an archive. */
export interface Entry {
  readonly path: string;
  /** None: a folder. */
  readonly content?: Uint8Array;
  readonly executable?: boolean;
}

const FOLDER = 0o040755;
const FILE = 0o100644;
const PROGRAM = 0o100755;

/** An archive as the kernel unpacks at its start: "newc" of cpio(5), Documentation/driver-api/early-userspace/buffer-format. */
export function cpio(entries: readonly Entry[]): Buffer {
  return Buffer.concat([
    ...entries.map((entry, index) => archived(entry, index + 1)),
    archived({ path: "TRAILER!!!", content: Buffer.alloc(0) }, 0),
  ]);
}

function archived({ path, content, executable = false }: Entry, inode: number): Buffer {
  const mode = content === undefined ? FOLDER : executable ? PROGRAM : FILE;
  const name = Buffer.from(`${path}\0`);
  const data = content ?? Buffer.alloc(0);
  // inode, mode, user, group, links, time, size, device (2), special device (2), length of the name, checksum
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(data)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
