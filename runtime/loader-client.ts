import { join } from "node:path";
import { NativeError, NativeProcess, packageRoot, type StartOptions } from "./native-process.js";

/** A loader operation failed; `message` holds what libbpf, the verifier or nft said. */
export class LoaderError extends NativeError {}

/** Kernel error numbers that callers may want to tell apart. */
export const ERRNO = {
  ...{ ENOENT: 2, EAGAIN: 11, EACCES: 13, EBUSY: 16, EEXIST: 17, ENODEV: 19, EINVAL: 22 },
  ...{ ENETUNREACH: 101, EHOSTUNREACH: 113 },
} as const;

export interface MapEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface DumpedEntry {
  readonly key: Buffer;
  /** One value, or for a per-CPU map one for every possible CPU. */
  readonly values: readonly Buffer[];
}

export interface LoadObject {
  /** Path of the ELF object; or its bytes, which nobody can change meanwhile, and a name for messages and maps. */
  readonly object: string | { readonly name: string; readonly elf: Uint8Array };
  /** Folder in a BPF file system, made when missing; its parent must be there. */
  readonly pinDir: string;
  /** Map name → pinned path of the map to use instead of creating one. */
  readonly reuse: Readonly<Record<string, string>>;
}

export interface XdpAttachment {
  readonly device: string;
  /** Pinned path of the program. */
  readonly program: string;
  /** Where to pin the link. */
  readonly link: string;
  readonly mode: "native" | "generic";
}

export interface TcSlot {
  readonly device: string;
  readonly direction: "ingress" | "egress";
  readonly priority: number;
  readonly handle: number;
}

export interface NftRequest {
  /** Path of a network namespace file, or null for the loader's own namespace. */
  readonly namespace: string | null;
  readonly text: string;
  /** Only checks, as `nft -c` does. */
  readonly check?: boolean;
  /** Output as JSON. */
  readonly json?: boolean;
  /** Output without the elements of sets. */
  readonly terse?: boolean;
}

export interface NetlinkRequests {
  /** Path of the network namespace that is asked, or null for the loader's own. */
  readonly namespace: string | null;
  /** Path of one that messages name by its descriptor (runtime/netlink/network.ts). */
  readonly other: string | null;
  readonly requests: readonly { readonly words: string; readonly message: Uint8Array }[];
}

export interface Pinned {
  readonly kind: "program" | "map" | "link";
  readonly id: number;
  /** Of a link: the id of the program behind it. */
  readonly program?: number;
  /** Of an XDP link: its device, 0 when that is gone. */
  readonly ifindex?: number;
}

type Command = NonNullable<StartOptions["command"]>;

/** The small native process that speaks to the kernel for the runtime. All methods reject with LoaderError. */
export class Loader {
  readonly #command: Command;
  #process: NativeProcess;

  private constructor(command: Command, process: NativeProcess) {
    this.#command = command;
    this.#process = process;
  }

  static async start(options: StartOptions = {}): Promise<Loader> {
    const command = options.command ?? [join(packageRoot(), "dist/runtime/loader/tidegate-loader")];
    return new Loader(command, await NativeProcess.start(command, LoaderError));
  }

  /** Starts the process anew if it has died, and says whether it had: what it held is released then. */
  async revive(): Promise<boolean> {
    if (this.#process.alive) return false;
    this.#process = await NativeProcess.start(this.#command, LoaderError);
    return true;
  }

  /** Ends the process and releases its locks. */
  close(): Promise<void> {
    return this.#process.close();
  }

  /** Takes an exclusive lock on the file, held until `close`. EAGAIN: another process holds it. */
  async lock(path: string): Promise<void> {
    await this.#process.call("lock", path);
  }

  /**
   * Loads every program of an object through the verifier. Pins programs at `prog_NAME` and maps that are not
   * reused at `map_NAME` under `pinDir` (dots of a name become `_`). After a failure nothing stays pinned.
   */
  async loadObject({ object, pinDir, reuse }: LoadObject): Promise<void> {
    const rest = [pinDir, ...Object.entries(reuse).flat()];
    if (typeof object === "string") await this.#process.call("object.load", object, ...rest);
    else await this.#process.call("object.load_bytes", object.elf, object.name, ...rest);
  }

  /** Writes entries in order. The kernel writes them one by one: after a failure the first ones stay. */
  async updateMap(pin: string, entries: readonly MapEntry[]): Promise<void> {
    const keys = joinUniform(
      "map.update",
      entries.map((entry) => entry.key),
    );
    const values = joinUniform(
      "map.update",
      entries.map((entry) => entry.value),
    );
    await this.#process.call("map.update", pin, String(entries.length), keys, values);
  }

  /** Deletes every key that is there; rejects with ENOENT at the end if some were not. */
  async deleteFromMap(pin: string, keys: readonly Uint8Array[]): Promise<void> {
    await this.#process.call("map.delete", pin, String(keys.length), joinUniform("map.delete", keys));
  }

  /** All entries of a map; of a program array, slot and program id (both u32). Not a snapshot if others write meanwhile. */
  async dumpMap(pin: string): Promise<readonly DumpedEntry[]> {
    const [keyText, valueText, copiesText, keys, values] = await this.#process.call("map.dump", pin);
    const [keySize, valueSize, copies] = [Number(keyText), Number(valueText), Number(copiesText)];
    const count = keys ? keys.length / keySize : 0;
    return Array.from({ length: count }, (_, index) => ({
      key: cut(keys, index * keySize, keySize),
      values: Array.from({ length: copies }, (_, copy) =>
        cut(values, (index * copies + copy) * valueSize, valueSize),
      ),
    }));
  }

  /** The value of each key, or for a per-CPU map its values; undefined where there is none. An LPM trie takes the longest prefix. */
  async lookupMap(
    pin: string,
    keys: readonly Uint8Array[],
  ): Promise<readonly (readonly Buffer[] | undefined)[]> {
    const asked = joinUniform("map.lookup", keys);
    const answer = await this.#process.call("map.lookup", pin, String(keys.length), asked);
    const [sizeText, copiesText, values, found] = answer;
    const [size, copies] = [Number(sizeText), Number(copiesText)];
    return keys.map((_, index) =>
      found?.[index] === 1
        ? Array.from({ length: copies }, (_, copy) => cut(values, (index * copies + copy) * size, size))
        : undefined,
    );
  }

  /** Puts a pinned program into a slot of a pinned program array. */
  async setProgram(programArray: string, slot: number, program: string): Promise<void> {
    await this.#process.call("map.set-program", programArray, String(slot), program);
  }

  /** Empties a slot of a program array. ENOENT: it is empty. */
  async clearProgram(programArray: string, slot: number): Promise<void> {
    await this.#process.call("map.clear-program", programArray, String(slot));
  }

  /** Makes an empty map of the shape of a pinned one, and pins it. EEXIST: something is pinned there. */
  async mapLike(pin: string, made: string): Promise<void> {
    await this.#process.call("map.like", pin, made);
  }

  /** Pins a map of this name that a pinned program uses. ENOENT: it uses none; EEXIST: something is pinned there. */
  async pinAgain(program: string, name: string, made: string): Promise<void> {
    await this.#process.call("map.pin-again", program, name, made);
  }

  /** Puts a pinned map into a slot of a pinned array of maps; returns when no packet sees the one before any more. */
  async setMap(arrayOfMaps: string, slot: number, map: string): Promise<void> {
    await this.#process.call("map.set-map", arrayOfMaps, String(slot), map);
  }

  /** Attaches a program by a pinned bpf_link. EBUSY: another XDP program sits on the device. */
  async attachXdp({ device, program, link, mode }: XdpAttachment): Promise<void> {
    await this.#process.call("xdp.attach", device, program, link, mode);
  }

  /** Replaces the program behind a pinned link in one step; with `old` only if that is the present one. */
  async updateXdp(request: {
    readonly link: string;
    readonly program: string;
    readonly old?: string;
  }): Promise<void> {
    const { link, program, old } = request;
    await this.#process.call("xdp.update", link, program, ...(old === undefined ? [] : [old]));
  }

  /** Detaches a pinned link and removes the pin. ENOENT: there is no such pin. */
  async detachXdp(link: string): Promise<void> {
    await this.#process.call("xdp.detach", link);
  }

  /** Attaches a direct-action classifier, with clsact when missing, in place of one at the same slot. */
  async attachTc({
    device,
    direction,
    program,
    priority,
    handle,
  }: TcSlot & { readonly program: string }): Promise<void> {
    await this.#process.call("tc.attach", device, direction, String(priority), String(handle), program);
  }

  /** Detaches the classifier of a slot; clsact stays. ENOENT or EINVAL: there is none. */
  async detachTc({ device, direction, priority, handle }: TcSlot): Promise<void> {
    await this.#process.call("tc.detach", device, direction, String(priority), String(handle));
  }

  /** Id of the program that classifies at a slot. ENOENT or EINVAL: there is none; ENODEV: no such device. */
  async queryTc({ device, direction, priority, handle }: TcSlot): Promise<number> {
    const [id] = await this.#process.call("tc.query", device, direction, String(priority), String(handle));
    return Number(id);
  }

  /** Runs nft commands as one transaction; resolves to nft's output, rejects with its message and lines. */
  async nft({ namespace, text, check = false, json = false, terse = false }: NftRequest): Promise<string> {
    const mode = check ? "check" : "apply";
    const format = json ? "json" : terse ? "terse" : "text";
    const [output] = await this.#process.call("nft", namespace ?? "", mode, format, text);
    return String(output);
  }

  /**
   * Sends rtnetlink requests one after the other, each when the one before is done; the first that fails is the last, and the
   * error says its words. Resolves to all answers, one behind the other (runtime/netlink/message.ts).
   */
  async netlink({ namespace, other, requests }: NetlinkRequests): Promise<Buffer> {
    const words = requests.map((one) => one.words).join("\n");
    const messages = Buffer.concat(requests.map(({ message }) => message));
    const [answers] = await this.#process.call("netlink", namespace ?? "", other ?? "", words, messages);
    return answers ?? Buffer.alloc(0);
  }

  /** Index of a network device. ENODEV: there is none of that name. */
  async ifindex(device: string): Promise<number> {
    const [index] = await this.#process.call("ifindex", device);
    return Number(index);
  }

  /** Does the kernel merge the packets that a device receives (generic receive offload)? ENODEV: there is no such device. */
  async mergesReceived(device: string): Promise<boolean> {
    const [on] = await this.#process.call("gro.get", device);
    return String(on) === "1";
  }

  async setMergesReceived(device: string, on: boolean): Promise<void> {
    await this.#process.call("gro.set", device, on ? "1" : "0");
  }

  /** Do packets go out by a device before their checksums are filled in, which is left to who sends them on (transmit offload)? */
  async leavesChecksums(namespace: string, device: string): Promise<boolean> {
    const [on] = await this.#process.call("tx-checksum.get", namespace, device);
    return String(on) === "1";
  }

  async setLeavesChecksums(namespace: string, device: string, on: boolean): Promise<void> {
    await this.#process.call("tx-checksum.set", namespace, device, on ? "1" : "0");
  }

  /** What is pinned at a path, with the kernel's id for it. */
  async pinnedId(pin: string): Promise<Pinned> {
    const [kind, id, program, ifindex] = (await this.#process.call("pin.info", pin)).map(String);
    if (kind === "link") return { kind, id: Number(id), program: Number(program), ifindex: Number(ifindex) };
    return { kind: kind === "map" ? "map" : "program", id: Number(id) };
  }
}

/** Joins keys or values of one map: all of one size, which the loader compares with the map's. */
function joinUniform(operation: string, parts: readonly Uint8Array[]): Buffer {
  if (parts.some((part) => part.length !== parts[0]?.length)) {
    throw new LoaderError(operation, "keys or values of different sizes", ERRNO.EINVAL);
  }
  return Buffer.concat(parts);
}

function cut(bytes: Buffer | undefined, start: number, size: number): Buffer {
  if (!bytes || bytes.length < start + size)
    throw new LoaderError("map", "the answer is shorter than its shape");
  return bytes.subarray(start, start + size);
}
