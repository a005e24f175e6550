import type { Policy } from "../../../compiler/ir/policy.js";
import type { Text } from "../../text.js";
import { asked } from "../early.js";
import { emitEnd, emitForwarding } from "../forward.js";
import { limitMap } from "../maps.js";
import { soughtHeaders } from "../places.js";
import type { Plan } from "./plan.js";

/** What a program by tables says of itself before it includes classify.h. */
export function emitSizes(text: Text, { image, lines, longLists, vectors }: Plan): void {
  text.line(`#define TG_DATA_BYTES ${image.room}`);
  text.line(`#define TG_PLACE __u${8 * lines.placeBytes}`);
  text.line(`#define TG_PAGED ${lines.isPaged}`);
  text.line(`#define TG_SOURCES_LISTED ${longLists.sources}`);
  text.line(`#define TG_DESTINATIONS_LISTED ${longLists.destinations}`);
  if (!vectors) return;
  text.line(`#define TG_VECTORS ${vectors.count}`);
  text.line(`#define TG_STEPS ${vectors.steps}`);
}

/** Maps and functions of a program by tables. `counters`: how many it has. */
export function emitPlan(text: Text, policy: Policy, plan: Plan, counters: number): void {
  text.line(`TG_COUNTERS(${counters});`);
  emitLimits(text, plan);
  text.line();
  text.lines(plan.functions.trimEnd().split("\n")).line();
  emitForwarding(text, policy);
  emitProgram(text, policy, plan, counters);
}

function emitLimits(text: Text, { limits, passes }: Plan): void {
  const maps = limits.map(({ name }) => limitMap(name));
  for (const map of maps) text.line(`TG_LIMIT_BY_ADDRESS(${map});`);
  if (maps.length > 0) text.line(`TG_LIMITS(${maps.length}, ${maps.map((map) => `&${map}`).join(", ")});`);
  if (passes > 0)
    text.line(`#define TG_PASSED &counters, ${maps.length > 0 ? "&limits" : "NULL"}, ${passes}`);
}

function emitProgram(text: Text, policy: Policy, plan: Plan, counters: number): void {
  const { early } = plan;
  text.line('SEC("xdp")').line("int tidegate_customer(struct xdp_md *ctx)");
  text.block("{", () => {
    text.line("TG_PACKET *p = tg_packet();").line("const void *data = p ? tg_data(p) : NULL;");
    text.line("struct tg_verdict verdict;").line("struct tg_ends ends;").line("__u32 value;").line();
    text.line("if (!p || !data)").line("\treturn XDP_DROP;");
    for (const header of soughtHeaders(asked(policy))) text.line(`tg_find_${header}(p, ctx);`);
    text.line(`ends = ${byFamily(plan, (family) => `tg_ends${family}(p, data)`)};`);
    text.line(`value = ${byFamily(plan, (family) => `mitigate_${family}(p, ctx, data, &ends)`)};`);
    const passing = `tg_verdict(${policy.mitigate.length}, XDP_PASS)`;
    text.line(`verdict = value == TG_NOTHING ? ${passing} : tg_outcome(value);`);
    text.line("tg_decided(p, &counters, verdict.rule);");
    if (early) {
      text.line("if (verdict.action == XDP_DROP)").line("\treturn tg_end(ctx, verdict.action);").line();
      text.line(`value = ${byFamily(plan, (family) => `firewall_${family}(p, ctx, data, &ends)`)};`);
      const { rest } = early;
      const ended = rest === "on" ? "tg_undecided()" : `tg_verdict(${counters - 1}, ${REST[rest]})`;
      text.line(`verdict = value == TG_NOTHING ? ${ended} : tg_outcome(value);`);
      text.line("/* What the firewall lets go on is counted where it is judged. */");
      emitEnd(text, policy);
    }
    text.line("return tg_end(ctx, verdict.action);");
  });
}

const REST = { drop: "XDP_DROP", forward: "TG_FORWARD" } as const;

/** Packets come of the families that the customer has prefixes of. */
function byFamily({ families }: Plan, one: (family: number) => string): string {
  const [first, second] = families.map(one);
  return second === undefined ? `${first}` : `p->family == 4 ? ${first} : ${second}`;
}
