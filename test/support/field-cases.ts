import type { FieldName } from "../../src/compiler/ir/fields.js";
import type { FunctionName } from "../../src/compiler/ir/functions.js";
import {
  bytesOf,
  cut,
  edited,
  fragment6,
  OPTIONS4,
  TO,
  UDP,
  UDP6,
  withExtensions,
  withOptions,
  withTcpOptions,
} from "./edited-packets.js";

/**
 * Five packets for every match field: hit, miss, wrong protocol, truncated (the field's last byte is cut off), and
 * negated, where `not` holds for all that `hit` is not, and `!=` only for `miss`.
 */
export interface FieldCase {
  readonly is: string;
  /** Null: a flag has no `!=`. */
  readonly isNot: string | null;
  readonly hit: string;
  readonly miss: string;
  /** Null: every packet has the field. */
  readonly wrong: string | null;
  /** Null: a packet that is cut there is malformed. */
  readonly truncated: string | null;
  /** The only stage that can ask, where it is not both. */
  readonly only?: "mitigate" | "firewall";
}

type Packets = Pick<FieldCase, "hit" | "miss" | "wrong" | "truncated">;

/** `field == value`, and `!=`. */
function compared(field: string, value: number | string, packets: Packets): FieldCase {
  return { is: `${field} == ${value}`, isNot: `${field} != ${value}`, ...packets };
}

/** A field that is there in all packets, or in all of a family. */
function inHeader(field: string, value: number, hit: string, miss: string, wrong: string | null): FieldCase {
  return compared(field, value, { hit, miss, wrong, truncated: null });
}

function flagOf(name: string, hit: string, miss: string, wrong: string | null): FieldCase {
  return { is: name, isNot: null, hit, miss, wrong, truncated: null };
}

/** `at`: bytes of the TCP header that the field needs. */
function tcp(field: string, value: number, hit: string, miss: string, at: number): FieldCase {
  const packet = (rest: string) => `tcp 192.0.2.7:${rest}`;
  return {
    is: `${field} == ${value}`,
    isNot: `${field} != ${value}`,
    hit: packet(hit),
    miss: packet(miss),
    wrong: UDP,
    truncated: `${packet(hit)} len=${20 + at - 1}`,
  };
}

function flag(name: string, letter: string, other: string): FieldCase {
  return {
    ...tcp(name, 0, `4000 > ${TO}:80 flags=${letter}`, `4000 > ${TO}:80 flags=${other}`, 14),
    is: name,
    isNot: null,
  };
}

function udp(field: string, value: number, hit: string, miss: string, at: number): FieldCase {
  return {
    is: `${field} == ${value}`,
    isNot: `${field} != ${value}`,
    hit: `udp 192.0.2.7:${hit}`,
    miss: `udp 192.0.2.7:${miss}`,
    wrong: `tcp 192.0.2.7:53 > ${TO}:53`,
    truncated: `udp 192.0.2.7:${hit} len=${20 + at - 1}`,
  };
}

function icmp(field: string, value: number, hit: string, miss: string, at: number): FieldCase {
  return {
    is: `${field} == ${value}`,
    isNot: `${field} != ${value}`,
    hit: `icmp 192.0.2.7 > ${TO} ${hit}`,
    miss: `icmp 192.0.2.7 > ${TO} ${miss}`,
    wrong: `proto=1 2001:db8::7 > 2001:db8:f::1 payload=0800000000000000`,
    truncated: `icmp 192.0.2.7 > ${TO} ${hit} len=${20 + at - 1}`,
  };
}

function icmp6(field: string, value: number, hit: string, miss: string, at: number): FieldCase {
  return {
    is: `${field} == ${value}`,
    isNot: `${field} != ${value}`,
    hit: `icmp6 2001:db8::7 > 2001:db8:f::1 ${hit}`,
    miss: `icmp6 2001:db8::7 > 2001:db8:f::1 ${miss}`,
    wrong: `proto=58 192.0.2.7 > ${TO} payload=8001000000000000`,
    truncated: `icmp6 2001:db8::7 > 2001:db8:f::1 ${hit} len=${40 + at - 1}`,
  };
}

/** A later IPv6 fragment whose next header is destination options: nobody can know its transport protocol. */
const UNKNOWN_PROTOCOL = [
  "hex=6000000000102c40",
  "20010db8000000000000000000000007",
  "20010db8000f00000000000000000001",
  "3c0000080000000106000000000000ff",
].join("");

/** The tables that the cases of countries and AS numbers are about. */
export const PLACES = {
  country: [
    ["192.0.2.0/25", "DE"],
    ["192.0.2.128/25", "FR"],
    ["203.0.113.96/27", "DE"],
    ["203.0.113.0/27", "FR"],
  ],
  asnum: [
    ["192.0.2.0/25", 64500],
    ["192.0.2.128/25", 64501],
    ["203.0.113.96/27", 64500],
    ["203.0.113.0/27", 64501],
  ],
} as const;

function place(field: string, value: string): FieldCase {
  const from = (source: string) => `udp ${source}:53 > ${TO}:53`;
  const to = (destination: string) => `udp 192.0.2.7:53 > ${destination}:53`;
  const [hit, miss, wrong] = field.startsWith("ip.src")
    ? [from("192.0.2.7"), from("192.0.2.200"), from("198.51.100.9")]
    : [to("203.0.113.100"), to("203.0.113.9"), to("203.0.113.200")];
  return compared(field, value, { hit, miss, wrong, truncated: null });
}

const GRE = `proto=47 192.0.2.7 > ${TO}`;
const ICMP = `icmp 192.0.2.7 > ${TO}`;

/** A port of either protocol; `at` is the second byte of the port. */
function port(field: string, at: number): readonly FieldCase[] {
  const ports = (number: number) => (at === 2 ? `${number} > ${TO}:9` : `9 > ${TO}:${number}`);
  return ["tcp", "udp"].map((protocol) => {
    const hit = `${protocol} 192.0.2.7:${ports(53)}`;
    const miss = `${protocol} 192.0.2.7:${ports(54)}`;
    return compared(field, 53, { hit, miss, wrong: ICMP, truncated: cut(hit, 20 + at - 1) });
  });
}

/** For each field the cases of all the places that packets carry it at. */
export const FIELD_CASES: Readonly<Record<FieldName, readonly FieldCase[]>> = {
  "ip.src": [
    {
      is: "ip.src == 192.0.2.7",
      isNot: "ip.src != 192.0.2.7",
      hit: UDP,
      miss: `udp 192.0.2.8:53 > ${TO}:53`,
      wrong: "udp [2001:db8::7]:53 > [2001:db8:f::1]:53",
      truncated: null,
    },
  ],
  "ip.dst": [
    {
      is: "ip.dst == 2001:db8:f::1",
      isNot: "ip.dst != 2001:db8:f::1",
      hit: "udp [2001:db8::7]:53 > [2001:db8:f::1]:53",
      miss: "udp [2001:db8::7]:53 > [2001:db8:f::2]:53",
      wrong: UDP,
      truncated: null,
    },
  ],
  "ip.proto": [
    {
      is: 'ip.proto == "udp"',
      isNot: 'ip.proto != "udp"',
      hit: UDP,
      miss: `tcp 192.0.2.7:53 > ${TO}:53`,
      wrong: UNKNOWN_PROTOCOL,
      truncated: null,
    },
  ],
  "tcp.srcport": [tcp("tcp.srcport", 53, `53 > ${TO}:80`, `54 > ${TO}:80`, 2)],
  "tcp.dstport": [tcp("tcp.dstport", 53, `80 > ${TO}:53`, `80 > ${TO}:54`, 4)],
  "tcp.flags": [tcp("tcp.flags", 2, `80 > ${TO}:53 flags=S`, `80 > ${TO}:53 flags=SA`, 14)],
  "tcp.window": [
    {
      ...tcp("tcp.window", 0, `80 > ${TO}:53`, "", 16),
      miss: edited(`tcp 192.0.2.7:80 > ${TO}:53`, { 35: 1 }),
    },
  ],
  "tcp.flags.fin": [flag("tcp.flags.fin", "F", "A")],
  "tcp.flags.syn": [flag("tcp.flags.syn", "SA", "A")],
  "tcp.flags.reset": [flag("tcp.flags.reset", "R", "A")],
  "tcp.flags.push": [flag("tcp.flags.push", "PA", "A")],
  "tcp.flags.ack": [flag("tcp.flags.ack", "A", "S")],
  "tcp.flags.urg": [flag("tcp.flags.urg", "U", "A")],
  "tcp.flags.ecn": [flag("tcp.flags.ecn", "E", "A")],
  "tcp.flags.cwr": [flag("tcp.flags.cwr", "W", "A")],
  "udp.srcport": [udp("udp.srcport", 53, `53 > ${TO}:80`, `54 > ${TO}:80`, 2)],
  "udp.dstport": [udp("udp.dstport", 53, `80 > ${TO}:53`, `80 > ${TO}:54`, 4)],
  "udp.len": [udp("udp.len", 12, `80 > ${TO}:53 payload=00000000`, `80 > ${TO}:53 payload=0000`, 6)],
  "icmp.type": [icmp("icmp.type", 8, "type=8", "type=0", 1)],
  "icmp.code": [icmp("icmp.code", 1, "type=8 code=1", "type=8 code=0", 2)],
  "icmp6.type": [icmp6("icmp6.type", 128, "type=128", "type=129", 1)],
  "icmp6.code": [icmp6("icmp6.code", 1, "type=128 code=1", "type=128 code=0", 2)],
  "ip.src.country": [place("ip.src.country", '"DE"')],
  "ip.dst.country": [place("ip.dst.country", '"DE"')],
  "ip.src.asnum": [place("ip.src.asnum", "64500")],
  "ip.dst.asnum": [place("ip.dst.asnum", "64500")],
  "ip.version": [inHeader("ip.version", 6, UDP6, UDP, null), inHeader("ip.version", 4, UDP, UDP6, null)],
  "ip.len": [
    inHeader("ip.len", 28, UDP, `${UDP} payload=00`, null),
    inHeader("ip.len", 48, UDP6, `${UDP6} payload=00`, null),
  ],
  "ip.hdr_len": [
    inHeader("ip.hdr_len", 24, withOptions(UDP, OPTIONS4), UDP, null),
    inHeader("ip.hdr_len", 40, UDP6, UDP, null),
  ],
  "ip.ttl": [
    inHeader("ip.ttl", 9, `${UDP} ttl=9`, UDP, null),
    inHeader("ip.ttl", 9, `${UDP6} ttl=9`, UDP6, null),
  ],
  "ip.dscp": [
    inHeader("ip.dscp", 46, `${UDP} dscp=46`, UDP, null),
    inHeader("ip.dscp", 46, `${UDP6} dscp=46`, UDP6, null),
  ],
  "ip.ecn": [
    inHeader("ip.ecn", 2, edited(UDP, { 1: 0xfe }), edited(UDP, { 1: 0xff }), null),
    inHeader("ip.ecn", 2, edited(UDP6, { 1: 0x20 }), edited(UDP6, { 1: 0x30 }), null),
  ],
  "ip.id": [inHeader("ip.id", 77, `${UDP} id=77`, `${UDP} id=78`, UDP6)],
  "ip.opt.type": [
    inHeader("ip.opt.type", 1, withOptions(UDP, OPTIONS4), withOptions(UDP, [0, 0, 0, 0]), UDP),
  ],
  "ip.frag": [
    flagOf("ip.frag", `${UDP} frag=0+`, UDP, UDP6),
    flagOf("ip.frag", `${UDP} frag=8`, UDP, UDP6),
    flagOf("ip.frag", fragment6(0x0009), fragment6(0x0006), UDP6),
    flagOf("ip.frag", fragment6(0x0001), UDP, UDP6),
  ],
  "ip.frag.first": [
    flagOf("ip.frag.first", `${UDP} frag=0+`, `${UDP} frag=8+`, UDP6),
    flagOf("ip.frag.first", fragment6(0x0003), fragment6(0x0009), UDP6),
  ],
  "ip.frag.offset": [
    inHeader("ip.frag.offset", 8, `${UDP} frag=8`, `${UDP} frag=16+`, UDP6),
    inHeader("ip.frag.offset", 0, UDP, `${UDP} frag=16+`, UDP6),
    inHeader("ip.frag.offset", 8, fragment6(0x000f), fragment6(0x0010), UDP6),
  ],
  "ip.frag.more": [
    flagOf("ip.frag.more", `${UDP} frag=8+`, `${UDP} frag=8`, UDP6),
    flagOf("ip.frag.more", fragment6(0x0009), fragment6(0x0008), UDP6),
  ],
  "ip6.flow": [inHeader("ip6.flow", 0x50000, edited(UDP6, { 1: 5 }), edited(UDP6, { 3: 5 }), UDP)],
  "ip6.ext": [flagOf("ip6.ext", withExtensions(UDP6, 60, [17, 0, 1, 4, 0, 0, 0, 0]), UDP6, UDP)],
  "tcp.option.mss": [
    compared("tcp.option.mss", 1460, {
      hit: withTcpOptions([1, 3, 3, 7, 2, 4, 0x05, 0xb4]),
      miss: withTcpOptions([2, 4, 0x02, 0x18]),
      wrong: withTcpOptions([1, 1, 1, 1]),
      truncated: cut(withTcpOptions([2, 4, 0x05, 0xb4]), 43),
    }),
    // Behind an end of options; and an MSS option that is too short for a value.
    compared("tcp.option.mss", 1460, {
      hit: withTcpOptions([0, 5, 2, 2, 4, 0x05, 0xb4, 1]),
      miss: withTcpOptions([0, 5, 2, 2, 4, 0x02, 0x18, 1]),
      wrong: withTcpOptions([2, 3, 0x05, 0xb4]),
      truncated: cut(withTcpOptions([0, 5, 2, 2, 4, 0x05, 0xb4, 1]), 47),
    }),
  ],
  "port.src": port("port.src", 2),
  "port.dst": port("port.dst", 4),
  "gre.proto": [
    compared("gre.proto", 0x0800, {
      hit: `${GRE} payload=00000800`,
      miss: `${GRE} payload=000086dd`,
      wrong: UDP,
      truncated: `${GRE} payload=000008`,
    }),
  ],
  "gre.key": [
    compared("gre.key", 7, {
      hit: `${GRE} payload=2000080000000007`,
      miss: `${GRE} payload=2000080000000008`,
      wrong: `${GRE} payload=0000080000000007`,
      truncated: `${GRE} payload=20000800000000`,
    }),
    compared("gre.key", 7, {
      hit: `${GRE} payload=a00008000000000000000007`,
      miss: `${GRE} payload=a00008000000000700000000`,
      wrong: `${GRE} payload=2001080000000007`,
      truncated: `${GRE} payload=a0000800000000`,
    }),
    compared("gre.key", 7, {
      hit: `${GRE} payload=600008000000000000000007`,
      miss: `${GRE} payload=600008000000000700000000`,
      wrong: `${GRE} payload=4000080000000007`,
      truncated: `${GRE} payload=6000080000000000000000`,
    }),
  ],
  "eth.vlan": [{ ...inHeader("eth.vlan", 7, `${UDP} vlan=7`, `${UDP} vlan=8`, UDP), only: "mitigate" }],
  "ct.state": [
    {
      ...compared("ct.state", '"new"', {
        hit: `tcp 192.0.2.7:4000 > ${TO}:80 flags=S ct=new`,
        miss: `tcp 192.0.2.7:4001 > ${TO}:80 flags=SA ct=invalid`,
        wrong: null,
        truncated: null,
      }),
      only: "firewall",
    },
  ],
};

/** `call` is the number's place; `hit` and `miss` end in payload, and `hit` as long as the call reaches. */
function called(call: string, value: number, hit: string, miss: string, wrong: string | null): FieldCase {
  return compared(call, value, { hit, miss, wrong, truncated: cut(hit, bytesOf(hit).length - 1) });
}

const TCP = `tcp 192.0.2.7:4000 > ${TO}:80`;
const ICMP6 = "icmp6 2001:db8::7 > 2001:db8:f::1";

/** For each function the cases of all the places that it can read. */
export const FUNCTION_CASES: Readonly<Record<FunctionName, readonly FieldCase[]>> = {
  bit_slice: [
    inHeader("bit_slice(ip, 64, 72)", 9, `${UDP} ttl=9`, UDP, null),
    inHeader("bit_slice(ip, 49, 63)", 0x1140 >> 1, UDP6, UDP, null),
    called("bit_slice(ip, 227, 232)", 3, `${UDP} payload=e3`, `${UDP} payload=e4`, UDP),
    called("bit_slice(ip, 387, 392)", 3, `${UDP6} payload=e3`, `${UDP6} payload=e4`, UDP6),
    called("bit_slice(tcp, 164, 175)", 0x77e, `${TCP} payload=4efd`, `${TCP} payload=4ef9`, UDP),
    called("bit_slice(udp, 64, 96)", 0xdeadbeef, `${UDP} payload=deadbeef`, `${UDP} payload=deadbeee`, TCP),
    called(
      "bit_slice(icmp, 60, 92)",
      0x0abcdef1,
      `${ICMP} payload=abcdef12`,
      `${ICMP} payload=abcdef22`,
      ICMP6,
    ),
  ],
  "payload.u8": [
    called("payload.u8(1)", 7, `${TCP} payload=0007`, `${TCP} payload=0008`, GRE),
    called("payload.u8(0)", 7, `${UDP6} payload=07`, `${UDP6} payload=08`, GRE),
  ],
  "payload.u16": [
    called("payload.u16(1)", 0x0102, `${UDP} payload=000102`, `${UDP} payload=000202`, GRE),
    called("payload.u16(0)", 0x0102, `${ICMP6} payload=0102`, `${ICMP6} payload=0202`, GRE),
  ],
  "payload.u32": [
    called(
      "payload.u32(3)",
      0xfffffffe,
      `${TCP} payload=000000fffffffe`,
      `${TCP} payload=000000ffffffff`,
      GRE,
    ),
    called("payload.u32(0)", 0x80000000, `${ICMP} payload=80000000`, `${ICMP} payload=80000001`, GRE),
  ],
};
