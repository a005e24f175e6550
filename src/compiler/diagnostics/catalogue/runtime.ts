import { error, example, message, warning } from "../entry.js";

/** TG9xxx: the edge server cannot do what it was told. Raised by runtime/failures.ts, and warnings by runtime/warnings.ts. */
export const RUNTIME = {
  TG9001: error(
    message`only root can do this`,
    `Loading XDP programs, nftables and routes needs root (CAP_NET_ADMIN, CAP_BPF and CAP_SYS_ADMIN for namespaces).
Run the command with sudo.`,
    example(
      "sketch",
      "tidegate apply build/acme --edge edge.ts",
      "sudo tidegate apply build/acme --edge edge.ts",
    ),
  ),
  TG9002: error(
    message`another run is at work on this node: ${"cause"}`,
    `Changes of a node are made one at a time, under a lock in the state directory. The lock goes with the process that
holds it, so a killed run leaves none behind. Wait for the other run to end, then try again. \`tidegate uninstall\` waits
for no daemon, which would put back what it takes away: stop tidegated first.`,
    example(
      "sketch",
      `tidegate apply build/acme --edge edge.ts &
tidegate apply build/globex --edge edge.ts`,
      `tidegate apply build/acme --edge edge.ts
tidegate apply build/globex --edge edge.ts`,
    ),
  ),
  TG9003: error(
    message`strict reverse-path filtering on \`${"device"}\` would drop customers' packets`,
    `With net.ipv4.conf.*.rp_filter = 1 the kernel drops a packet if the way back to its sender leads by another device.
With anycast, and with packets that come out of tunnels, that is the normal case. The larger of the device's value and
that of \`all\` counts. Set it to 2 (loose) or 0, with sysctl -w and in /etc/sysctl.d.`,
    example("sketch", "sysctl -w net.ipv4.conf.all.rp_filter=1", "sysctl -w net.ipv4.conf.all.rp_filter=2"),
  ),
  TG9004: error(
    message`there is no uplink \`${"device"}\``,
    `\`uplinks\` in edge.ts names the devices by which packets from the Internet come in; all must exist.
\`ip link\` lists the devices of this machine.`,
    example("sketch", 'uplinks: ["eth7"] in edge.ts, on a machine with eth0 only', 'uplinks: ["eth0"]'),
  ),
  TG9005: error(
    message`\`${"device"}\` already has an XDP program that is not Tidegate's`,
    `A device has one XDP program, and Tidegate does not replace what it did not load.
Find out whose it is (\`bpftool net\`, \`ip link show\`), detach it, and apply again.`,
    example(
      "sketch",
      "ip link set eth0 xdp obj other.o   # before tidegate apply",
      `ip link set eth0 xdp off
tidegate apply build/acme --edge edge.ts`,
    ),
  ),
  TG9006: error(
    message`${"step"} failed: ${"cause"}; everything is as it was before`,
    `A step of the change failed, with the words of the tool or kernel that refused it. All steps before it were undone: the
node runs what it ran before. Mend the cause and apply again.`,
    example(
      "sketch",
      "tidegate apply build/acme --edge edge.ts   # no space left on the device",
      `df -h /run   # make room, then
tidegate apply build/acme --edge edge.ts`,
    ),
  ),
  TG9007: error(
    message`${"step"} failed: ${"cause"}; and undoing failed too, at ${"left"}`,
    `A step of the change failed, and so did the undoing of the steps that are named last. \`tidegate status\` shows under
\`drift\` what differs from the recorded state. Mend the cause, then apply the customer's last good bundle again: it
makes what is missing.`,
    example(
      "sketch",
      "tidegate apply build/acme --edge edge.ts   # a step failed, and its undoing",
      `tidegate status   # shows the drift; mend the cause, then
tidegate apply build/acme-last-good --edge edge.ts`,
    ),
  ),
  TG9008: error(
    message`\`${"file"}\` is missing`,
    `The native loader and the BPF programs are built from source with clang and a C compiler.
\`npm run setup\` installs what that needs, \`npm run build\` builds.`,
    example(
      "sketch",
      "git clone … && npx tidegate apply build/acme --edge edge.ts",
      "npm run setup && npm run build",
    ),
  ),
  TG9010: error(
    message`\`${"customer"}\` is not loaded on this node`,
    `There is no record of this customer in the state directory. \`tidegate status\` lists those that are loaded; a node
that uses another state directory needs \`--state-dir\`.`,
    example(
      "sketch",
      "tidegate remove amce",
      `tidegate status
tidegate remove acme`,
    ),
  ),
  TG9011: error(
    message`cannot read the recorded state \`${"file"}\`: ${"problem"}`,
    `The state directory says what is loaded, so a change can neither be made nor undone without it. Records are written
by rename and so never half, and each has a twin below twins/: here both are damaged, or missing, or edited (a seal
tells). What they said of a customer cannot be found again by its stored bundle and the kernel, either. Traffic is
judged as before. Restore the files, or restart the node: kernel and state (both below /run) then start empty.`,
    example(
      "sketch",
      "vi /run/tidegate/node.json",
      "cp node.json.saved /run/tidegate/node.json   # or restart the node",
    ),
  ),
  TG9012: error(
    message`the node is full: it already holds ${"count"} customers`,
    `The root program's table has 4,096 slots, one for each customer.
Remove a customer from this node, or move some to another.`,
    example(
      "sketch",
      "tidegate apply build/customer-4097 --edge edge.ts",
      `tidegate remove customer-1
tidegate apply build/customer-4097 --edge edge.ts`,
    ),
  ),
  TG9013: error(
    message`${"thing"} is there already, and Tidegate did not make it`,
    `Tidegate has names and numbers of its own on a node: the nft table \`inet tidegate\`, routing table 21575, and what begins
with \`tg-\`. Its state directory does not say that it made this one, so it is somebody else's, and Tidegate does not
replace what it did not make. If it was left over from a state directory that is gone, remove it.`,
    example(
      "sketch",
      "ip netns add tg-acme",
      `ip netns del tg-acme
tidegate apply build/acme --edge edge.ts`,
    ),
  ),
  TG9014: error(
    message`\`${"customer"}\` generation ${"generation"} is in force, but clearing up after the one before failed: ${"cause"}`,
    `The change itself is done, and recorded. What the generation before has left behind (a program, a tunnel, its bundle)
decides about no packet any more, but takes up room; \`tidegate status\` shows it under \`drift\`.
Mend the cause and apply the same bundle again: it clears up.`,
    example(
      "sketch",
      "tidegate apply build/acme --edge edge.ts   # the old tunnel could not be removed",
      `tidegate status   # shows what is left; mend the cause, then
tidegate apply build/acme --edge edge.ts`,
    ),
  ),
  TG9015: error(
    message`this node refused: ${"cause"}`,
    `The kernel, ip(8), tc(8), nft or the file system refused what it was asked for, in the words that follow.
Nothing was changed by \`apply\` or \`status\`. A \`remove\` may have got halfway: mend the cause and repeat it.`,
    example(
      "sketch",
      "tidegate remove acme   # the kernel refused a step",
      `tidegate status   # mend what it shows, then
tidegate remove acme`,
    ),
  ),
  TG9016: error(
    message`others than root may change what is in \`${"file"}\`: ${"problem"}`,
    `The state directory says what is in force, and the memory which bundles are too old to be put in force again. So each
must be root's, with no right to write for group and others, and so must be every folder above it, or else be sticky as
/tmp is: who can write there could put another directory in its place.`,
    example(
      "sketch",
      "tidegate apply build/acme --edge edge.ts --state-dir /home/ann/state",
      "tidegate apply build/acme --edge edge.ts   # /run/tidegate, which Tidegate makes for root alone",
    ),
  ),
  TG9017: error(
    message`\`${"device"}\` is a bridge whose packets go through netfilter before XDP sees them`,
    `With br_netfilter (Docker and Kubernetes load it) the kernel runs the IP hooks where a packet enters the bridge, and not
again behind it. So nftables would look for Tidegate's stamp before the root program has put it on, and customers' packets
would be dropped. Turn it off for this machine, with sysctl -w and in /etc/sysctl.d, and where the bridge itself asks for
it (\`ip link set dev br0 type bridge nf_call_iptables 0\`).`,
    example(
      "sketch",
      "sysctl -w net.bridge.bridge-nf-call-iptables=1",
      "sysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0",
    ),
  ),
  TG9018: error(
    message`no customer is loaded on this node`,
    `\`tidegate watch\` shows packets as this node judges them, and here it judges none. What a policy would do with a packet
is told by \`tidegate explain\`, on any machine. \`--state-dir\` names the node's state where it is not /run/tidegate.`,
    example(
      "sketch",
      "tidegate watch",
      `tidegate apply build/acme --edge edge.ts
tidegate watch`,
    ),
  ),
  TG9019: error(
    message`another \`tidegate watch\` runs on this node: ${"cause"}`,
    `One watches at a time, as there is one place in the XDP programs for who looks at what they drop. Its place goes with
its process, so one that was killed leaves nothing behind. End the other one; \`--json\` of it can feed several readers.`,
    example(
      "sketch",
      `tidegate watch acme &
tidegate watch globex`,
      "tidegate watch acme globex",
    ),
  ),
  TG9020: error(
    message`the root program on this node is of a Tidegate that could not watch`,
    `The root program is loaded once, with the first customer, and stays until the last one goes: an update of Tidegate does
not touch it. This one has no place for who watches what is dropped. Take the customers off this server and apply them
again, while another one carries their traffic.`,
    example(
      "sketch",
      "tidegate watch   # right after an update of Tidegate",
      `tidegate uninstall
tidegate apply build/acme --edge edge.ts
tidegate watch`,
    ),
  ),
  TG9021: error(
    message`no rule \`${"rule"}\` is in force here`,
    `\`--rule\` names a rule of a policy as it is loaded on this node, in \`mitigate\` or in the firewall, of the customers that
are watched; \`default\` is what no rule of a stage decides. \`tidegate status\` lists all names.`,
    example("sketch", "tidegate watch acme --rule bogon", "tidegate watch acme --rule bogons"),
  ),
  TG9022: warning(
    message`tunnel \`${"tunnel"}\` makes packets of up to ${"needed"} bytes, and ${"way"}, by which they leave, carries ${"mtu"}`,
    `A tunnel puts its own headers before each packet: what fits through it is the MTU of the device by which its packets
leave, or of the route (\`ip route add … mtu\`), if that is smaller, less these headers. Of what is longer, Tidegate's
programs and mostly the kernel's devices, too, tell the sender what fits (ICMP), and one that does not listen loses
packets without a word; the kernel's devices lose IPv4 that may be cut up untold where \`df\` is \`set\`, and cut up the
outer packet where it is \`inherit\`. Tidegate's programs go by a route's \`mtu\` in IPv4 where it is \`lock\`ed, as the
kernel does when it forwards. The bundle is in force all the same. Raise that MTU, or let \`mtu\` of the tunnel say what
fits; device and route are those that the node's routing had at this change for packets from the anycast address to the
tunnel's remote (\`ip route get\`). What routers on the path have said of it does not count here: it is forgotten after
minutes, and senders are told of it. To a remote of IPv6 it is \`net/ipv6/conf/DEVICE/mtu\` that counts, which routers
may lower by what they advertise (\`accept_ra_mtu\`), and which follows the device's MTU whenever that is set.`,
    example(
      "sketch",
      'gre({ remote: "198.51.100.1" })   # 1476 bytes and 24 of headers, and ip link says: eth0 … mtu 1400',
      'gre({ remote: "198.51.100.1", mtu: 1376 })',
    ),
  ),
  TG9023: error(
    message`\`${"device"}\` of this server has the address ${"address"}, which is in ${"prefix"} of \`${"customer"}\`: what comes for the server there would be taken for the customer's`,
    `What comes by an uplink to a customer's prefix is judged by that customer's policy, whatever else the server does with
the address: who manages the server by it would be locked out where the policy does not allow that, and of what it
allows some would be sent to the customer's router and some would end here, past the customer's firewall. So a customer
does not get an address that the server has: on any device of its own namespace or by a route to itself
(\`ip route show table local\`), but for loopback and link-local ones and the anycast addresses. Nothing was changed, and
\`tidegated\` tries again. If the address comes when the prefix is in force already, that is a warning (TG9024).`,
    example(
      "sketch",
      'prefixes: ["203.0.113.0/24"], and ip addr says: eth0 … inet 203.0.113.254/24',
      "ip addr del 203.0.113.254/24 dev eth0; ip addr add 198.51.100.254/24 dev eth0",
    ),
  ),
  TG9024: warning(
    message`\`${"device"}\` of this server has the address ${"address"}, which is in ${"prefix"} of \`${"customer"}\`: what comes for the server there is taken for the customer's`,
    `The prefix was in force before the server had the address, or it would have been refused (TG9023). Of what comes there
by an uplink, the customer's policy judges only what XDP drops: its mitigate rules, and the firewall as far as it is
offloaded. The rest ends at the server, past the customer's firewall, as local delivery comes before it, whatever the
policy says of it; with \`datapath: "xdp"\` what may go on goes to the customer, and the server loses it. Whoever added the
address took it from the customer; \`tidegate status\` and the daemon's journal say so as long as it is there. When the
machine starts anew nothing is in force, and the whole customer is refused (TG9023) until the address goes.`,
    example(
      "sketch",
      "ip addr add 203.0.113.254/24 dev eth0   # acme has 203.0.113.0/24",
      "ip addr del 203.0.113.254/24 dev eth0",
    ),
  ),
  TG9025: error(
    message`XDP cannot be told which routers of \`${"customer"}\` are dead: ${"cause"}`,
    `With \`datapath: "xdp"\` the customer's program sends into tunnels with \`health\` by a map of its own, in which the
runtime closes those of dead routers and opens those of live ones. That map cannot be read or written. The customer's
routes go by what was found out all the same, and so do packets that take the namespace; those on the fast path may
still go to a dead router, and those to one that lives again may take the namespace. \`tidegated\` tries again twice a
second; and the map is drift, which its next look at this customer mends by another program: it looks at sixteen
customers every \`--look\` seconds (30), in turn, so with a thousand that may be half an hour. \`tidegate apply\` of the
same bundle does so at once, whatever is in the map's place.`,
    example(
      "sketch",
      `cd /run/tidegate/bpf/customers/acme/3; rm map_tunnels
bpftool map create $PWD/map_tunnels type array key 4 value 4 entries 1 name other   # another map in its place`,
      "tidegate apply build/acme --edge edge.ts",
    ),
  ),
};
