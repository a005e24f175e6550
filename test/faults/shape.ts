import type { EdgeServer } from "../support/edge-server.js";

/**
 * What there is on an edge server, as far as it is the same whenever the same is loaded: files, pins, namespaces, and what is in
 * each of them. Numbers that the kernel or a generation gives are not part of it.
 */
export function shapeOf(
  server: EdgeServer,
  state: string,
  generations: ReadonlyMap<string, number>,
): readonly string[] {
  const own = linesOf(server.run(["sh", "-c", NODE, "sh", state]));
  const inside = [...generations.keys()].flatMap((customer) => {
    const namespace = `tg-${customer}`;
    const text = server.run(["sh", "-c", NETWORK], { namespace });
    return linesOf(text).map((line) => `${namespace}: ${line}`);
  });
  return [...own, ...inside].map((line) => spelled(line, generations));
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => !isFree(line));
}

/** What only one of two shapes has. */
export function differences(wanted: readonly string[], found: readonly string[]): readonly string[] {
  return [
    ...wanted.filter((line) => !found.includes(line)).map((line) => `- ${line}`),
    ...found.filter((line) => !wanted.includes(line)).map((line) => `+ ${line}`),
  ];
}

const NETWORK = `
for device in $(ip -o link show | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/'); do
	ip -o link show dev $device | sed "s/^[0-9]*: /link /; s/@if[0-9]*//; s/link-netns.*//; s/qlen.*//; s/link\\/ether.*//"
	ip -d link show dev $device | grep -o 'prog/xdp' | sed "s/^/$device /"
	ip -o addr show dev $device | sed 's/^[0-9]*: //; s/\\\\.*//; s/^/address /'
	tc qdisc show dev $device | sed "s/^/$device /"
	for direction in ingress egress; do
		tc filter show dev $device $direction 2>/dev/null | grep -o 'gre_[a-z]*:' | sed "s/^/$device $direction /"
	done
	ethtool -k $device | grep '^generic-receive-offload' | sed "s/^/$device /"
done
for family in 4 6; do
	ip -$family rule show | sed "s/^/rule$family /"
	ip -$family route show table all | grep -v 'table local' | sed "s/^/route$family /"
done
ip nexthop show | sed 's/^/nexthop /'
nft -s list ruleset | grep -E '^table|^[[:space:]]*(chain|set|map|counter) ' | sed 's/^[[:space:]]*/nft /'
`;

/** Of maps how many entries there are: which ones belong to whom is drift. */
const NODE = `
cd $1
find . -path ./bpf -prune -o -print | sed 's/^/file /'
find bpf | sed 's/^/pin /'
ls -A /run/netns | sed 's/^/namespace /'
sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding
for map in bpf/root/map_customers_4 bpf/root/map_customers_6 bpf/root/map_programs bpf/gre/map_gre_tunnels bpf/gre/map_gre_endpoints; do
	[ -e $map ] && echo "entries of $map: $(bpftool -j map dump pinned $map | grep -o '"key":\\["0x' | wc -l)"
done
[ -e bpf/root/map_stamps ] && echo "stamps: $(bpftool -j map dump pinned bpf/root/map_stamps | grep -o '"value":\\["0x[^]]*"\\]' | grep -vc '"0x00","0x00","0x00","0x00"')"
${NETWORK}
`;

/** A line without what differs from one run to the next. */
function spelled(line: string, generations: ReadonlyMap<string, number>): string {
  const own = [...generations].reduce(
    (text, [customer, generation]) =>
      text
        .replace(`/${customer}/bundle-${generation}`, `/${customer}/bundle-N`)
        .replace(`customers/${customer}/${generation}`, `customers/${customer}/N`),
    line,
  );
  // Generations take turns: which of both tables is in force says nothing.
  return own.replace(/\b100[01](?=0{5}\d|\b)/g, "100T").replace(/fwmark 0x[12]\b/g, "fwmark T");
}

/** What may be there, or not, whatever is loaded. */
function isFree(line: string): boolean {
  return (
    line === "" ||
    // What was being written when a run was killed: the next one writes over it.
    line.endsWith(".new") ||
    // The bundle before, for a rollback.
    /\/earlier-\d+(\/|$)/.test(line) ||
    line === "file ./lock" ||
    // Of a table that was in force before the rule stays, and leads nowhere.
    /^rule[46] 100[01]:/.test(line)
  );
}
