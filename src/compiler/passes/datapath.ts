import type { Located, SurfacePolicy } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/did-you-mean.js";
import type { Datapath } from "../ir/policy.js";

const CHOICES = ["auto", "namespace", "xdp"] as const satisfies readonly Datapath[];

/**
 * undefined: it is none of the choices, which is reported. So is what keeps every packet from the fast path; what keeps only
 * some from it (docs/semantics.md, "The fast path") sends them through the namespace.
 */
export function readDatapath(
  { value, span }: Located<string>,
  policy: SurfacePolicy,
  diagnostics: Diagnostics,
): Datapath | undefined {
  const choice = CHOICES.find((one) => one === value);
  if (!choice) diagnostics.report("TG2056", span, { value }, { hint: didYouMean(value, CHOICES) });
  const reason = choice === "xdp" ? whyNever(policy) : null;
  if (reason) diagnostics.report("TG4010", span, reason.params, { hint: reason.hint });
  return choice;
}

/** They stand in the program one below the other, and each that a packet passes costs a nanosecond or two. */
const MOST_ROUTES = 256;

interface Reason {
  readonly params: { readonly reason: string };
  readonly hint: string;
}

/** null: some packets can take it, or what is wrong with the policy is reported already. */
function whyNever(policy: SurfacePolicy): Reason | null {
  const { firewall, routes, unread } = policy;
  if (firewall.stateful?.value === true)
    return because("only the namespace tracks connections", "leave `stateful` out, or `datapath`");
  if (firewall.offload?.value === "off")
    return because(
      'with `offload: "off"` XDP does not ask the firewall',
      "leave `offload` out, or `datapath`",
    );
  if (routes.length === 0 && !unread.has("routes"))
    return because("the policy has no routes", "add one to `routes`, or leave `datapath` out");
  if (routes.length > MOST_ROUTES)
    return because(
      `XDP looks at no more than ${MOST_ROUTES} routes, one after the other`,
      "leave `datapath` out",
    );
  return null;
}

function because(reason: string, hint: string): Reason {
  return { params: { reason }, hint };
}
