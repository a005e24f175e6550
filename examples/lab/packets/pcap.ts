/**
 * Reads a pcap stream (draft-ietf-opsawg-pcap) as tcpdump writes it to a pipe: in this machine's byte order, with
 * microseconds.
 */

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const MAGIC = 0xa1b2c3d4;

/** Bytes before the IP header, by link type (https://www.tcpdump.org/linktypes.html). */
const LINK_HEADER: Readonly<Record<number, number>> = {
  /** Ethernet. */
  1: 14,
  /** Raw IP, which a GRE device has. */
  101: 0,
  /** Linux "cooked", versions 1 and 2. */
  113: 16,
  276: 20,
};

/** Collects the IP packets of a stream that comes in chunks. */
export class PcapReader {
  readonly #packets: Buffer[] = [];
  readonly #times: number[] = [];
  readonly #chunks: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #linkHeader: number | undefined;

  get packets(): readonly Buffer[] {
    return this.#packets;
  }

  /** When each of them came: milliseconds since 1970. */
  get times(): readonly number[] {
    return this.#times;
  }

  get file(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (this.#linkHeader === undefined) this.#readFileHeader();
    if (this.#linkHeader !== undefined) this.#readRecords(this.#linkHeader);
  }

  #readFileHeader(): void {
    if (this.#rest.length < FILE_HEADER) return;
    if (this.#rest.readUInt32LE(0) !== MAGIC) throw new Error("not a pcap stream in this byte order");
    const linkType = this.#rest.readUInt32LE(20);
    this.#linkHeader = LINK_HEADER[linkType];
    if (this.#linkHeader === undefined) throw new Error(`link type ${linkType} is not known`);
    this.#rest = this.#rest.subarray(FILE_HEADER);
  }

  #readRecords(linkHeader: number): void {
    let at = 0;
    while (this.#rest.length >= at + RECORD_HEADER) {
      const end = at + RECORD_HEADER + this.#rest.readUInt32LE(at + 8);
      if (this.#rest.length < end) break;
      this.#times.push(this.#rest.readUInt32LE(at) * 1000 + this.#rest.readUInt32LE(at + 4) / 1000);
      this.#packets.push(this.#rest.subarray(at + RECORD_HEADER + linkHeader, end));
      at = end;
    }
    this.#rest = this.#rest.subarray(at);
  }
}
