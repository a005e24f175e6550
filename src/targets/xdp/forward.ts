import { prefixRange } from "../../compiler/ir/address.js";
import {
  FAST_TUNNELS,
  forwardsInXdp,
  isSentFromXdp,
  type Policy,
  type Route,
  type Tunnel,
} from "../../compiler/ir/policy.js";
import type { Text } from "../text.js";
import { type Condition, call, chain, comparison, layout, not } from "./condition.js";
import { sendsSome } from "./early.js";
import { addressIn } from "./ranges.js";

/**
 * The fast path (docs/semantics.md): what the program sends into tunnels itself, by bpf-templates/forward.h, and what it takes
 * out of them, by bpf-templates/way-back.h.
 */

/**
 * A prefix, and the place among the policy's tunnels of the one that all packets to it take, as long as its router lives; null: the
 * kernel chooses, or makes its headers.
 */
interface Way {
  readonly route: Route;
  readonly place: number | null;
}

/** The longest prefixes first: the first one that holds a destination decides. */
function waysOf({ routes, tunnels }: Policy): readonly Way[] {
  const sorted = [...routes].sort((a, b) => b.prefix.length - a.prefix.length || a.priority - b.priority);
  const best = new Map<string, Route[]>();
  for (const route of sorted) {
    const { family, base, length } = route.prefix;
    const key = `${family} ${base} ${length}`;
    const equal = best.get(key);
    if (!equal) best.set(key, [route]);
    else if (equal[0]?.priority === route.priority) equal.push(route);
  }
  return [...best.values()].flatMap(([route, ...others]) => {
    if (!route) return [];
    const place = tunnels.findIndex(({ name }) => name === route.tunnel);
    const tunnel = tunnels[place];
    const isFast = others.length === 0 && place < FAST_TUNNELS && tunnel && isSentFromXdp(tunnel);
    return [{ route, place: isFast ? place : null }];
  });
}

/** Whether there is a prefix whose packets XDP can send on. */
export function hasFastWay(policy: Policy): boolean {
  return waysOf(policy).some(({ place }) => place !== null);
}

/**
 * Names of tunnels that XDP sends into, and whose routers are asked whether they live: while one is dead, XDP must not. undefined where
 * there is nothing to say: nothing is sent from XDP, or no router is asked.
 */
export function sentWhileLive(policy: Policy): readonly string[] | undefined {
  const { tunnels } = policy;
  if (!forwardsInXdp(policy) || !tunnels.some(({ health }) => health)) return undefined;
  const places = new Set(waysOf(policy).map(({ place }) => place));
  return tunnels.filter(({ health }, place) => health && places.has(place)).map(({ name }) => name);
}

/** The function that finds a packet's tunnel; nothing where the program sends nothing on. */
export function emitForwarding(text: Text, policy: Policy): void {
  if (!sendsSome(policy)) return;
  text.line("/* The tunnel that all packets to the destination take, by its place in the policy. */");
  text.line("static __always_inline __u32 tunnel_of(TG_PACKET *p)");
  text.block("{", () => {
    for (const { route, place } of waysOf(policy)) {
      const { prefix } = route;
      const isDestination = addressIn(`p->dst${prefix.family}`, prefix.family, [prefixRange(prefix)]);
      const family = comparison(`p->family == ${prefix.family}`);
      text.lines(layout("if (", chain("&&", [family, isDestination]), ")"));
      const tunnel = place === null ? "the namespace chooses" : `"${route.tunnel}"`;
      text.line(`\treturn ${place ?? "TG_NO_TUNNEL"}; /* ${tunnel} */`);
    }
    text.line("return TG_NO_TUNNEL;");
  });
  text.line();
}

/** The end of a program that asks the firewall: what it allows is sent on, or goes on to the namespace. */
export function emitEnd(text: Text, policy: Policy): void {
  text.line("if (verdict.action == XDP_DROP)").line("\ttg_decided(p, &counters, verdict.rule);");
  if (sendsSome(policy))
    text
      .line("if (verdict.action == TG_FORWARD)")
      .line("\treturn tg_forward(ctx, p, &counters, verdict.rule, tunnel_of(p));");
}

/** The program for what comes out of tunnels; nothing where nothing is sent into them from XDP either. */
export function emitWayBack(text: Text, policy: Policy): void {
  if (!sendsSome(policy)) return;
  text.line();
  text.line("/* The tunnel that a packet comes out of, by its place in the policy. */");
  text.line("static __always_inline __u32 tunnel_from(const struct tg_origin *origin)");
  text.block("{", () => {
    for (const [place, tunnel] of policy.tunnels.slice(0, FAST_TUNNELS).entries()) {
      if (!isSentFromXdp(tunnel)) continue;
      text.lines(layout("if (", chain("&&", isOrigin(tunnel)), ")"));
      text.line(`\treturn ${place}; /* "${tunnel.name}" */`);
    }
    text.line("return TG_NO_TUNNEL;");
  });
  text.line();
  text.line('SEC("xdp")').line("int tidegate_way_back(struct xdp_md *ctx)");
  text.block("{", () => {
    text.line("struct tg_origin origin;").line();
    text.line("if (!tg_read_origin(ctx, &origin))").line("\treturn XDP_PASS;");
    text.line("return tg_send_back(ctx, &origin, tunnel_from(&origin));");
  });
}

function isOrigin({ remote: { family, value }, key }: Tunnel): readonly Condition[] {
  const isRemote = addressIn("origin->remote", family, [{ low: value, high: value }]);
  const hasKey = call("origin->has_key");
  return key === null ? [isRemote, not(hasKey)] : [isRemote, hasKey, comparison(`origin->key == ${key}U`)];
}

/** At most how many BPF instructions a way of each family takes; and what sends a packet on. */
const COST = { forward: 500, 4: 8, 6: 20 } as const;

export function forwardingCost(policy: Policy): number {
  if (!forwardsInXdp(policy)) return 0;
  return waysOf(policy).reduce<number>((sum, { route }) => sum + COST[route.prefix.family], COST.forward);
}
