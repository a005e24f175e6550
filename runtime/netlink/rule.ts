import { attribute, FLAG, message, readAttributes, readText, text, u8, u32 } from "./message.js";
import { addressFamily, ask, type Family, type Network, type Request } from "./network.js";

/** Rules of policy routing: RTM_*RULE, with `struct fib_rule_hdr`. */
const RTM = { newRule: 32, delRule: 33, getRule: 34 };
const FRA = { inDevice: 3, priority: 6, mark: 10, table: 15, markMask: 16 };
const ACTION = { lookup: 1, blackhole: 6 };

/** `struct fib_rule_hdr`: family, lengths of destination and source, TOS, table, two reserved bytes, action, flags. */
const RULE = 12;

export interface RoutingRule {
  readonly priority: number;
  /** Only packets that come in by this device. */
  readonly inDevice?: string;
  /** Only packets with this mark, of which the mask says what counts; without a mask, all of it. */
  readonly mark?: { readonly value: number; readonly mask?: number };
  /** The number of a routing table, or the end of the packet. */
  readonly to: number | "blackhole";
}

export function addRule(family: Family, rule: RoutingRule): Request {
  return about("add", RTM.newRule, FLAG.create | FLAG.exclusive, family, rule);
}

export function deleteRule(family: Family, rule: RoutingRule): Request {
  return about("del", RTM.delRule, 0, family, rule);
}

function about(verb: string, type: number, flags: number, family: Family, rule: RoutingRule): Request {
  const { priority, inDevice, mark, to } = rule;
  const action = to === "blackhole" ? ACTION.blackhole : ACTION.lookup;
  const attributes = [
    attribute(FRA.priority, u32(priority)),
    ...(inDevice === undefined ? [] : [attribute(FRA.inDevice, text(inDevice))]),
    ...(mark ? [attribute(FRA.mark, u32(mark.value))] : []),
    ...(mark?.mask === undefined ? [] : [attribute(FRA.markMask, u32(mark.mask))]),
    ...(to === "blackhole" ? [] : [attribute(FRA.table, u32(to))]),
  ];
  const head = Buffer.concat([u8(addressFamily(family), 0, 0, 0, 0, 0, 0, action), u32(0)]);
  const end = to === "blackhole" ? to : `lookup ${to}`;
  return {
    words: `-${family} rule ${verb} priority ${priority} ${end}`,
    devices: [],
    encode: () => message(type, flags, head, ...attributes),
  };
}

/** A rule as the kernel has it. */
export interface KernelRule {
  readonly priority: number;
  readonly inDevice: string | null;
  readonly mark: number;
  /** 0: it leads to no table. */
  readonly table: number;
  readonly isBlackhole: boolean;
}

export async function rules(network: Network, family: Family): Promise<readonly KernelRule[]> {
  const head = Buffer.alloc(RULE);
  head.writeUInt8(addressFamily(family));
  const answers = await ask(network, `-${family} rule show`, message(RTM.getRule, FLAG.dump, head));
  return answers.map(({ body }) => {
    const attributes = readAttributes(body, RULE);
    const device = attributes.get(FRA.inDevice);
    return {
      priority: attributes.get(FRA.priority)?.readUInt32LE() ?? 0,
      inDevice: device ? readText(device) : null,
      mark: attributes.get(FRA.mark)?.readUInt32LE() ?? 0,
      table: attributes.get(FRA.table)?.readUInt32LE() ?? 0,
      isBlackhole: body.readUInt8(7) === ACTION.blackhole,
    };
  });
}
