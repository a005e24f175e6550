import { assertNever } from "../../compiler/diagnostics/invariant.js";
import type { Policy, Verdict } from "../../compiler/ir/policy.js";
import type { Text } from "../text.js";
import { REJECTION_CHAIN } from "./names.js";

/** How a line ends that decides. */
export function verdictText(verdict: Verdict): string {
  switch (verdict) {
    case "allow":
      return "accept";
    case "drop":
      return "drop";
    case "reject":
      return `goto ${REJECTION_CHAIN}`;
    default:
      return assertNever(verdict);
  }
}

/**
 * The answer to a rejected packet. To TCP it is the reset of a closed port, which every client understands at once; to the
 * rest "administratively prohibited" (RFC 1812, section 5.2.7.1; RFC 4443, section 3.1), which is the truth and holds for
 * protocols without ports too. In prerouting since Linux 5.9 (nft_reject_inet_validate); the packet is dropped also where
 * there is no answer, such as to a reset or to a later fragment.
 */
export function emitRejection(text: Text, { firewall }: Policy): void {
  const verdicts = [firewall.default, ...firewall.rules.map(({ action }) => action.kind)];
  if (!verdicts.includes("reject")) return;
  text.line();
  text.block(`chain ${REJECTION_CHAIN} {`, () => {
    text.line("meta l4proto tcp reject with tcp reset");
    text.line("reject with icmpx admin-prohibited");
  });
}
