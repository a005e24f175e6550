/**
 * Places where a filter that looks right judges packets wrong on this kernel, each with the packets that show it. `rules` drop;
 * what none drops is allowed. A line is a packet and, behind `#`, what becomes of it, in every stage that the trap is set in.
 */
export interface Trap {
  readonly name: string;
  /** Where the rules stand: by default in either stage, one policy for each. */
  readonly stages?: readonly ("mitigate" | "firewall")[];
  readonly stateful?: boolean;
  readonly rules: string;
  readonly packets: string;
}

const TCP = "192.0.2.7:40000 > 203.0.113.9:80";
const TCP6 = "[2001:db8:7::1]:40000 > [2001:db8:a::9]:80";
const WEB = 'drop("web", expr`tcp.dstport == 80`)';

/** All 256 values of the TCP flags; `drops` says which a rule called `hit` takes. */
function everyFlag(drops: (flags: number) => boolean): string {
  return Array.from({ length: 256 }, (_, flags) => {
    const letters = [..."FSRPAUEW"].filter((_letter, bit) => (flags & (1 << bit)) !== 0).join("");
    const written = letters === "" ? "" : ` flags=${letters}`;
    return `tcp ${TCP}${written} # ${drops(flags) ? "drop by hit" : "allow by default"}`;
  }).join("\n");
}

export const TRAPS: readonly Trap[] = [
  {
    name: "IPv6 prefixes that end within either half of an address",
    rules: `
      drop("upper", expr\`ip.src in {2001:db8:8::/47}\`),
      drop("lower", expr\`ip.src in {2001:db8:7:0:8000::/65}\`),
      drop("last", expr\`ip.src in {2001:db8:b::6/127}\`)`,
    packets: `
      udp [2001:db8:8::1]:9 > [2001:db8:a::9]:9 # drop by upper
      udp [2001:db8:9:ffff::1]:9 > [2001:db8:a::9]:9 # drop by upper
      udp [2001:db8:7:ffff::1]:9 > [2001:db8:a::9]:9 # allow by default
      udp [2001:db8:a:ffff::1]:9 > [2001:db8:a::9]:9 # allow by default
      udp [2001:db8:7:0:8000::1]:9 > [2001:db8:a::9]:9 # drop by lower
      udp [2001:db8:7:0:c000::1]:9 > [2001:db8:a::9]:9 # drop by lower
      udp [2001:db8:7:0:7fff::1]:9 > [2001:db8:a::9]:9 # allow by default
      udp [2001:db8:b::6]:9 > [2001:db8:a::9]:9 # drop by last
      udp [2001:db8:b::7]:9 > [2001:db8:a::9]:9 # drop by last
      udp [2001:db8:b::5]:9 > [2001:db8:a::9]:9 # allow by default
      udp [2001:db8:b::8]:9 > [2001:db8:a::9]:9 # allow by default
    `,
  },
  {
    name: "a time to live that no router passes on",
    rules: 'drop("old", expr`ip.ttl == 63`)',
    packets: `
      tcp ${TCP} ttl=64   # allow by default
      tcp ${TCP} ttl=63   # drop by old
      tcp ${TCP6} ttl=63  # drop by old
      tcp ${TCP} ttl=2    # allow by default
      tcp ${TCP} ttl=1    # dropped by the kernel: its time to live ends here
      tcp ${TCP6} ttl=0   # dropped by the kernel: its time to live ends here`,
  },
  {
    name: "sources that the kernel calls martian, and such as look like it",
    rules: WEB.replace("80", "81"),
    packets: `
      tcp 0.0.0.0:1 > 203.0.113.9:80          # dropped by the kernel: its source is the unspecified address
      tcp 0.1.2.3:1 > 203.0.113.9:80          # allow by default
      tcp 127.0.0.1:1 > 203.0.113.9:80        # dropped by the kernel: its source is the loopback address
      tcp 240.0.0.1:1 > 203.0.113.9:80        # allow by default
      tcp 255.255.255.255:1 > 203.0.113.9:80  # dropped by the kernel: its source is the broadcast address
      tcp [::1]:1 > [2001:db8:a::9]:80        # dropped by the kernel: its source is the loopback address
      tcp [ff02::1]:1 > [2001:db8:a::9]:80    # dropped by the kernel: its source is a multicast address`,
  },
  {
    name: "a checksum of the IP header is the kernel's business, one behind it is not",
    rules: WEB,
    packets: `
      hex=4500002800000000400683bfc0000207cb0071099c40005100000000000000005002000015410000  # dropped by the kernel: its IP header checksum is wrong
      hex=450000280000000040067cbfc0000207cb0071099c400050000000000000000050020000eabe0000  # drop by web`,
  },
  {
    name: "what lacks a field is none of the values left out",
    rules: 'drop("neither", expr`tcp.dstport != 80 and tcp.dstport != 443`)',
    packets: `
      tcp 192.0.2.7:40000 > 203.0.113.9:80   # allow by default
      tcp 192.0.2.7:40000 > 203.0.113.9:443  # allow by default
      tcp 192.0.2.7:40000 > 203.0.113.9:81   # drop by neither
      tcp 192.0.2.7:40000 > 203.0.113.9:444  # drop by neither
      udp 192.0.2.7:40000 > 203.0.113.9:81   # allow by default`,
  },
  {
    name: "padding behind the packet's own length is not a port",
    rules: WEB,
    packets: "hex=450000140000000040067cd3c0000207cb0071099c400050  # allow by default",
  },
  {
    name: "a cut TCP header has the fields that lie in it",
    rules:
      'drop("web", expr`tcp.dstport == 80`), drop("from", expr`tcp.srcport == 40000 and ip.src == 192.0.2.7`), drop("both", expr`tcp.srcport == 40000 and tcp.dstport == 80`)',
    packets: `
      tcp ${TCP} len=21   # allow by default
      tcp ${TCP} len=22   # drop by from
      tcp ${TCP} len=23   # drop by from
      tcp ${TCP} len=24   # drop by web
      tcp ${TCP6} len=42  # allow by default
      tcp ${TCP6} len=44  # drop by web`,
  },
  {
    name: "`!=` is not the complement of `==`",
    rules: 'drop("other", expr`tcp.dstport != 80`)',
    packets: `
      tcp ${TCP}                            # allow by default
      tcp 192.0.2.7:40000 > 203.0.113.9:81  # drop by other
      udp 192.0.2.7:40000 > 203.0.113.9:81  # allow by default
      tcp ${TCP} len=22                     # allow by default`,
  },
  {
    name: "bytes of a later fragment are no ports, nor is an IPv6 flow label",
    rules: `${WEB}, drop("set", expr\`tcp.dstport in {80 443 8080..8090}\`), drop("pair", expr\`tcp.srcport == 40000 and tcp.dstport == 80\`)`,
    packets: `
      tcp ${TCP} frag=0+                                          # drop by web
      proto=6 192.0.2.7 > 203.0.113.9 frag=8 payload=9c400050     # allow by default
      proto=6 192.0.2.7 > 203.0.113.9 frag=8+ payload=9c40005000000000  # allow by default
      tcp ${TCP6} frag=0+                                         # drop by web
      proto=6 2001:db8:7::1 > 2001:db8:a::9 frag=8 payload=9c400050  # allow by default
      hex=6000005000102c4020010db800070000000000000000000120010db8000a0000000000000000000906000008000000099c40005000000000  # allow by default`,
  },
  {
    name: "where connections are tracked, the last fragment to come is the datagram",
    stages: ["firewall"],
    stateful: true,
    rules:
      'drop("piece", expr`ip.frag`), drop("small", expr`ip.len < 44`), drop("whole", expr`udp.dstport == 53`)',
    packets: `
      proto=17 192.0.2.7 > 203.0.113.9 id=7 frag=16 payload=0000000000000000                  # held
      proto=17 192.0.2.7 > 203.0.113.9 id=7 frag=0+ payload=9c400035001865370000000000000000  # drop by whole
      proto=17 192.0.2.7 > 203.0.113.9 id=7 frag=16 payload=0000000000000000                  # held`,
  },
  {
    name: "where they are not, each fragment is a packet",
    rules: 'drop("first", expr`ip.frag.first`), drop("rest", expr`ip.frag`)',
    packets: `
      proto=17 192.0.2.7 > 203.0.113.9 id=7 frag=16 payload=0000000000000000                  # drop by rest
      proto=17 192.0.2.7 > 203.0.113.9 id=7 frag=0+ payload=9c400035001865370000000000000000  # drop by first`,
  },
  {
    name: "what stands where ports would, in protocols without them",
    rules: 'drop("any", expr`port.dst >= 0`)',
    packets: `
      udp ${TCP}                                           # drop by any
      proto=47 192.0.2.7 > 203.0.113.9 payload=00000800    # allow by default
      proto=50 192.0.2.7 > 203.0.113.9 payload=00000050    # allow by default
      icmp 192.0.2.7 > 203.0.113.9                         # allow by default
      icmp6 2001:db8:7::1 > 2001:db8:a::9                  # allow by default`,
  },
  {
    name: "UDP-Lite, SCTP and DCCP are neither UDP nor TCP",
    rules: `${WEB}, drop("udp", expr\`udp.dstport == 80\`)`,
    packets: [33, 132, 136]
      .flatMap((protocol) => [
        `proto=${protocol} 192.0.2.7 > 203.0.113.9 payload=9c4000500000000000000000  # allow by default`,
        `proto=${protocol} 2001:db8:7::1 > 2001:db8:a::9 payload=9c4000500000000000000000  # allow by default`,
      ])
      .join("\n"),
  },
  {
    name: "a TCP flag, whatever the others",
    rules: 'drop("hit", expr`tcp.flags.syn`)',
    packets: everyFlag((flags) => (flags & 2) !== 0),
  },
  {
    name: "a TCP flag alone",
    rules: 'drop("hit", expr`tcp.flags == 0x02`)',
    packets: everyFlag((flags) => flags === 2),
  },
  {
    name: "one of two TCP flags, or both",
    rules: 'drop("hit", expr`tcp.flags.syn or tcp.flags.ack`)',
    packets: everyFlag((flags) => (flags & 0x12) !== 0),
  },
  {
    name: "one of two values of the TCP flags",
    rules: 'drop("hit", expr`tcp.flags in {0x02 0x12}`)',
    packets: everyFlag((flags) => flags === 2 || flags === 18),
  },
  {
    name: "one TCP flag and not the other",
    rules: 'drop("hit", expr`tcp.flags.syn and not tcp.flags.ack`)',
    packets: everyFlag((flags) => (flags & 0x12) === 2),
  },
  {
    name: "each family has its own ICMP, though the other's number may follow its header",
    rules:
      'drop("ping", expr`icmp.type == 8`), drop("ping6", expr`icmp6.type == 128`), drop("bare", expr`ip.proto == 1`)',
    packets: `
      icmp 192.0.2.7 > 203.0.113.9                              # drop by ping
      icmp6 2001:db8:7::1 > 2001:db8:a::9                       # drop by ping6
      proto=1 2001:db8:7::1 > 2001:db8:a::9 payload=08000000    # drop by bare
      proto=58 192.0.2.7 > 203.0.113.9 payload=80000000         # allow by default`,
  },
  {
    name: "IPv6 extension headers: some are walked, some end the chain",
    rules: `${WEB}, drop("tcp", expr\`ip.proto == 6\`), drop("ah", expr\`ip.proto == 51\`)`,
    packets: `
      hex=60000000001c3c4020010db800070000000000000000000120010db8000a0000000000000000000906000104000000009c400050000000000000000050020000b7c50000  # drop by web
      hex=60000000001c004020010db800070000000000000000000120010db8000a0000000000000000000906000104000000009c400050000000000000000050020000b7c50000  # drop by web
      hex=600000000020334020010db800070000000000000000000120010db8000a000000000000000000090601000000000001000000019c400050000000000000000050020000b7c50000  # drop by ah
      proto=50 2001:db8:7::1 > 2001:db8:a::9 payload=9c400050   # allow by default
      proto=135 2001:db8:7::1 > 2001:db8:a::9 payload=06000050  # allow by default
      proto=139 2001:db8:7::1 > 2001:db8:a::9 payload=06000050  # allow by default
      proto=59 2001:db8:7::1 > 2001:db8:a::9 payload=9c400050   # allow by default
      tcp ${TCP6} len=42                                        # drop by tcp`,
  },
  {
    name: "what opens no connection is invalid, but for a lone ACK",
    stages: ["firewall"],
    stateful: true,
    rules: 'drop("odd", expr`ct.state == "invalid"`)',
    packets: `
      tcp 192.0.2.7:1 > 203.0.113.9:80 flags=S ct=new          # allow by default
      tcp 192.0.2.7:2 > 203.0.113.9:80 flags=SA ct=invalid     # drop by odd
      tcp 192.0.2.7:3 > 203.0.113.9:80 flags=R ct=invalid      # drop by odd
      tcp 192.0.2.7:4 > 203.0.113.9:80 flags=F ct=invalid      # drop by odd
      tcp 192.0.2.7:5 > 203.0.113.9:80 ct=invalid              # drop by odd
      tcp 192.0.2.7:6 > 203.0.113.9:80 flags=SF ct=invalid     # drop by odd
      tcp 192.0.2.7:7 > 203.0.113.9:80 flags=FPU ct=invalid    # drop by odd
      tcp 192.0.2.7:8 > 203.0.113.9:80 flags=A ct=new          # allow by default
      hex=450000280000000040067cbfc0000207cb0071099c400050000000000000000050020000eabe0000 ct=invalid  # drop by odd
      hex=450000280000000040067cbfc0000207cb0071099c40005000000000000000003002000015410000 ct=invalid  # drop by odd`,
  },
  {
    name: "sets whose entries overlap or touch",
    rules:
      'drop("ports", expr`tcp.dstport in {80..90 85..95 96 90}`), drop("nets", expr`ip.src in {192.0.2.0/24 192.0.2.64/26 192.0.3.0/24 192.0.2.7}`)',
    packets: `
      tcp 198.51.100.1:1 > 203.0.113.9:79  # allow by default
      tcp 198.51.100.1:1 > 203.0.113.9:80  # drop by ports
      tcp 198.51.100.1:1 > 203.0.113.9:96  # drop by ports
      tcp 198.51.100.1:1 > 203.0.113.9:97  # allow by default
      udp 192.0.1.255:1 > 203.0.113.9:1    # allow by default
      udp 192.0.2.0:1 > 203.0.113.9:1      # drop by nets
      udp 192.0.3.255:1 > 203.0.113.9:1    # drop by nets
      udp 192.0.4.0:1 > 203.0.113.9:1      # allow by default`,
  },
  {
    name: "what a limit refuses costs nothing, and its burst is all that it lets pass at once",
    rules: 'limit("few", expr`ip.proto == "udp"`, { rate: "1/h", burst: 2, per: "ip.src" })',
    packets: `
      udp 192.0.2.7:1 > 203.0.113.9:1 at=1000000000     # allow by default
      udp 192.0.2.7:1 > 203.0.113.9:1                   # allow by default
      udp 192.0.2.7:1 > 203.0.113.9:1                   # drop by few
      udp 192.0.2.7:1 > 203.0.113.9:1                   # drop by few
      udp 192.0.2.8:1 > 203.0.113.9:1                   # allow by default`,
  },
  {
    name: "what cannot be answered is rejected all the same",
    stages: ["firewall"],
    rules: 'reject("no", expr`ip.src == 192.0.2.7`)',
    packets: `
      tcp ${TCP} flags=S                                          # reject by no
      tcp ${TCP} flags=R                                          # reject by no
      icmp 192.0.2.7 > 203.0.113.9 type=3                         # reject by no
      proto=6 192.0.2.7 > 203.0.113.9 frag=8 payload=9c400050     # reject by no
      hex=450000280000000040067cbfc0000207cb0071099c400050000000000000000050020000eabe0000  # reject by no`,
  },
  {
    name: "XDP sees tags, and priority tags too",
    stages: ["mitigate"],
    rules: 'drop("none", expr`eth.vlan == 0`), drop("some", expr`eth.vlan > 0`)',
    packets: `
      tcp ${TCP} vlan=0     # drop by none
      tcp ${TCP} vlan=4095  # drop by some
      tcp ${TCP}            # allow by default`,
  },
];
