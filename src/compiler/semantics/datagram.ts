import type { Family } from "../ir/address.js";
import { decode, type Packet } from "./decode.js";
import { beginsTruncated, joinPieces, type Piece, pieceOf } from "./fragments.js";

/** Datagrams of each family that are not whole yet. */
export type Datagrams = Readonly<Record<Family, Queue>>;

interface Queue {
  /** By their fragments' addresses and identification; the oldest first. */
  readonly datagrams: Map<string, Datagram>;
  /** What their pieces take. */
  bytes: number;
  /** Fragments that each source has sent. */
  readonly sent: Map<bigint, number>;
}

interface Datagram {
  /** When it is given up, in nanoseconds. */
  readonly until: bigint;
  readonly pieces: Piece[];
  /**
   * Bytes without a hole, each run as it grew: a piece that comes right behind everything lengthens the last one, any
   * other stands for itself, though it may touch its neighbours (inet_frag_queue_insert).
   */
  readonly runs: { readonly start: number; end: number }[];
  /** The largest end that any piece has named, and whether it is the datagram's. */
  length: number;
  ended: boolean;
  /** How many fragments its source had sent when its last piece came. */
  latest: number;
}

/** net.ipv4.ipfrag_time and net.netfilter.nf_conntrack_frag6_timeout. */
const PATIENCE = { 4: 30_000_000_000n, 6: 60_000_000_000n } as const;
/** ipfrag_high_thresh and nf_conntrack_frag6_high_thresh: with more in wait, no new datagram is begun. */
const MOST_BYTES = 4 * 1024 * 1024;
/** net.ipv4.ipfrag_max_dist: identifications come again, so a piece behind so many of its source's others begins anew. */
const MOST_BETWEEN = { 4: 64, 6: Number.POSITIVE_INFINITY } as const;
/** What the kernel needs for a packet besides its bytes, about (skb->truesize). */
const OVERHEAD = 768;
/** IPv6's payload length has 16 bits. */
const MAX_PAYLOAD = 65_535;

export function newDatagrams(): Datagrams {
  const none = (): Queue => ({ datagrams: new Map(), bytes: 0, sent: new Map() });
  return { 4: none(), 6: none() };
}

/**
 * What a stateful firewall judges: the whole datagram, when `packet` is one or completes it. undefined: the rest is awaited,
 * or the piece does not fit and is dropped. As ip_defrag and nf_ct_frag6_gather do it; `waiting` is written.
 */
export function wholeDatagram(packet: Packet, waiting = newDatagrams(), now = 0n): Packet | undefined {
  const piece = pieceOf(packet);
  if (piece === null) return packet;
  if (beginsTruncated(piece)) return undefined;
  const queue = waiting[packet.family];
  forgetOld(queue, now);

  const key = `${packet.source.value} ${packet.destination.value} ${piece.id}`;
  const datagram = datagramOf(key, packet, queue, now);
  if (!datagram) return undefined;
  const fate = take(piece, datagram);
  if (fate === "taken") queue.bytes += sizeOf(piece);
  if (fate === "forgotten") forget(key, datagram, queue);
  if (fate !== "taken" || !isWhole(datagram)) return undefined;

  forget(key, datagram, queue);
  const bytes = joinPieces(datagram.pieces);
  const decoded = bytes && decode(bytes, packet.family, packet.surroundings);
  return decoded?.kind === "packet" ? decoded.packet : undefined;
}

/** All wait equally long, so who came first goes first. */
function forgetOld(queue: Queue, now: bigint): void {
  for (const [key, datagram] of queue.datagrams) {
    if (datagram.until > now) return;
    forget(key, datagram, queue);
  }
}

function forget(key: string, { pieces }: Datagram, queue: Queue): void {
  queue.datagrams.delete(key);
  queue.bytes -= pieces.reduce((sum, piece) => sum + sizeOf(piece), 0);
}

/** The one that waits for the piece, or a new one. undefined: too many wait. */
function datagramOf(
  key: string,
  { family, source }: Packet,
  queue: Queue,
  now: bigint,
): Datagram | undefined {
  const known = queue.datagrams.get(key);
  if (!known && queue.bytes > MOST_BYTES) return undefined;
  const sent = (queue.sent.get(source.value) ?? 0) + 1;
  queue.sent.set(source.value, sent);
  // ip_frag_too_far
  const late = known && known.pieces.length > 0 && sent - known.latest > MOST_BETWEEN[family];
  if (late) forget(key, known, queue);
  const datagram = known && !late ? known : begin(now + PATIENCE[family]);
  queue.datagrams.set(key, datagram);
  datagram.latest = sent;
  return datagram;
}

function begin(until: bigint): Datagram {
  return { until, pieces: [], runs: [], length: 0, ended: false, latest: 0 };
}

function sizeOf({ data }: Piece): number {
  return data.length + OVERHEAD;
}

/** `dropped`: this piece alone; `forgotten`: with all that came before, so that nobody can rewrite what was read (RFC 5722). */
type Fate = "taken" | "dropped" | "forgotten";

function take(piece: Piece, datagram: Datagram): Fate {
  const { start, end, more } = piece;
  const six = piece.packet.family === 6;
  if (six && end > MAX_PAYLOAD) return "dropped";
  // What does not fit the end that is known spoils an IPv4 datagram, and not an IPv6 one.
  const misfit = six ? "dropped" : "forgotten";
  if (more && six && end % 8 !== 0) return "forgotten";
  if (datagram.ended && (more ? end > datagram.length : end !== datagram.length)) return misfit;
  if (!more && end < datagram.length) return misfit;
  datagram.ended ||= !more;
  datagram.length = Math.max(datagram.length, end);
  if (start === end) return misfit;

  const fate = insert(start, end, datagram.runs);
  if (fate === "taken") datagram.pieces.push(piece);
  return fate;
}

/** A piece of which every byte is there already is passed over; an overlap is an attack (RFC 5722). */
function insert(start: number, end: number, runs: Datagram["runs"]): Fate {
  const last = runs.reduce((a, b) => (b.end > a.end ? b : a), { start: 0, end: 0 });
  if (runs.some((run) => start >= run.start && end <= run.end)) return "dropped";
  if (runs.some((run) => start < run.end && end > run.start)) return "forgotten";
  if (start === last.end && runs.length > 0) last.end = end;
  else runs.push({ start, end });
  return "taken";
}

function isWhole({ ended, pieces, length }: Datagram): boolean {
  return ended && pieces.reduce((sum, { data }) => sum + data.length, 0) === length;
}
