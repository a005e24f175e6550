import type { Policy } from "../../compiler/ir/policy.js";
import { tunnelDevice } from "../names.js";
import type { Text } from "../text.js";

/** Only a SYN says what segments its sender takes (RFC 9293, 3.7.1); of later fragments nft would read payload as flags. */
const SKIP_OTHERS = [
  "meta l4proto != tcp return",
  "ip frag-off & 0x1fff != 0 return",
  "frag frag-off != 0 return",
  "tcp flags & syn == 0 return",
];

/**
 * Lowers the MSS of TCP connections whose packets go into a tunnel to what it carries, and of those whose packets come out of one to
 * what any of them carries, as the answers may go by another one than they came by. The kernel
 * never raises it (nft_exthdr_tcp_set_eval) and mends the checksum. It judges no packet, and counts none.
 */
export function emitSegmentSizes(text: Text, { tunnels, prefixes }: Policy): void {
  const families = ([4, 6] as const).filter((family) =>
    prefixes.some(({ prefix }) => prefix.family === family),
  );
  const lowering = tunnels.flatMap(({ mss, ...tunnel }) =>
    mss ? [{ device: tunnelDevice(tunnel), mss }] : [],
  );
  const lines = families.flatMap((family) => {
    const least = Math.min(...lowering.map(({ mss }) => mss[family]));
    const rule = (way: string, size: number) =>
      `${way} meta nfproto ipv${family} tcp option maxseg size set ${size}`;
    return lowering.flatMap(({ device, mss }) => [
      rule(`oifname "${device}"`, mss[family]),
      rule(`iifname "${device}"`, least),
    ]);
  });
  if (lines.length === 0) return;
  text.line();
  text.block("chain segment-size {", () => {
    text.line("type filter hook forward priority mangle; policy accept;");
    text.lines(SKIP_OTHERS).lines(lines);
  });
}
