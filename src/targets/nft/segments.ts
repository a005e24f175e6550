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
 * Lowers the MSS of TCP connections whose packets go into a tunnel, or come out of it, to what the tunnel carries. The kernel
 * never raises it (nft_exthdr_tcp_set_eval) and mends the checksum. It judges no packet, and counts none.
 */
export function emitSegmentSizes(text: Text, { tunnels, prefixes }: Policy): void {
  const families = ([4, 6] as const).filter((family) =>
    prefixes.some(({ prefix }) => prefix.family === family),
  );
  const lines = tunnels.flatMap((tunnel) => {
    const { mss } = tunnel;
    if (!mss) return [];
    const device = `"${tunnelDevice(tunnel)}"`;
    return families.flatMap((family) =>
      ["oifname", "iifname"].map(
        (way) => `${way} ${device} meta nfproto ipv${family} tcp option maxseg size set ${mss[family]}`,
      ),
    );
  });
  if (lines.length === 0) return;
  text.line();
  text.block("chain segment-size {", () => {
    text.line("type filter hook forward priority mangle; policy accept;");
    text.lines(SKIP_OTHERS).lines(lines);
  });
}
