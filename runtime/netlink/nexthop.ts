import { attribute, FLAG, message, readAttributes, u8, u16, u32 } from "./message.js";
import { addressFamily, ask, type Family, type Network, type Request } from "./network.js";

/** Nexthops that routes share: RTM_*NEXTHOP, with `struct nhmsg` of linux/nexthop.h. */
const RTM = { newNexthop: 104, delNexthop: 105, getNexthop: 106 };
const NHA = { id: 1, group: 2, groupType: 3, outDevice: 5, resilient: 12 };
const RESILIENT = { buckets: 1, idleTimer: 2, unbalancedTimer: 3 };
const TYPE_RESILIENT = 1;

/** NLA_F_NESTED, which the kernel insists on in its newer messages. */
const NESTED = 0x8000;

/** `struct nhmsg`: family, scope, protocol, a reserved byte, flags. */
const NHMSG = 8;

/** `struct nexthop_grp`: id, weight less one, reserved bytes. */
const MEMBER = 8;

/** The kernel counts timers in hundredths of a second, whatever its own clock (USER_HZ). */
const HUNDREDTHS = 100;

function nhmsg(family: number): Buffer {
  return Buffer.concat([u8(family, 0, 0, 0), u32(0)]);
}

/** Out by a device. A route takes nexthops of its own family only. */
export function addNexthop(family: Family, id: number, device: string): Request {
  return {
    words: `-${family} nexthop add id ${id} dev ${device}`,
    devices: [device],
    encode: (indexOf) =>
      message(
        RTM.newNexthop,
        FLAG.create | FLAG.exclusive,
        nhmsg(addressFamily(family)),
        attribute(NHA.id, u32(id)),
        attribute(NHA.outDevice, u32(indexOf(device))),
      ),
  };
}

export interface Member {
  readonly id: number;
  /** 1 to 256. */
  readonly weight: number;
}

/** A group that keeps each flow at one of its members (Documentation/networking/nexthop-group-resilient.rst). */
export interface ResilientGroup {
  readonly id: number;
  readonly members: readonly Member[];
  readonly buckets: number;
  /** Seconds. */
  readonly idleTimer: number;
  /** Seconds. */
  readonly unbalancedTimer: number;
}

export function addGroup(group: ResilientGroup): Request {
  return makeGroup("add", FLAG.create | FLAG.exclusive, group);
}

/** Buckets of members that are gone go to the others at once; those that new members lack, as they rest. */
export function replaceGroup(group: ResilientGroup): Request {
  return makeGroup("replace", FLAG.create | FLAG.replace, group);
}

function makeGroup(
  verb: "add" | "replace",
  flags: number,
  { id, members, buckets, idleTimer, unbalancedTimer }: ResilientGroup,
): Request {
  const group = members.map((one) => Buffer.concat([u32(one.id), u8(one.weight - 1, 0, 0, 0)]));
  const encode = () =>
    message(
      RTM.newNexthop,
      flags,
      nhmsg(0),
      attribute(NHA.id, u32(id)),
      attribute(NHA.group, ...group),
      attribute(NHA.groupType, u16(TYPE_RESILIENT)),
      attribute(
        NESTED | NHA.resilient,
        attribute(RESILIENT.buckets, u16(buckets)),
        attribute(RESILIENT.idleTimer, u32(idleTimer * HUNDREDTHS)),
        attribute(RESILIENT.unbalancedTimer, u32(unbalancedTimer * HUNDREDTHS)),
      ),
    );
  const said = members.map((one) => `${one.id},${one.weight}`).join("/");
  return { words: `nexthop ${verb} id ${id} group ${said}`, devices: [], encode };
}

export function deleteNexthop(id: number): Request {
  const encode = () => message(RTM.delNexthop, 0, nhmsg(0), attribute(NHA.id, u32(id)));
  return { words: `nexthop del id ${id}`, devices: [], encode };
}

/** A nexthop as the kernel has it. */
export interface KernelNexthop {
  readonly id: number;
  /** Index of its device; 0: none. */
  readonly device: number;
  /** Of a group; else null. */
  readonly members: readonly Member[] | null;
}

export async function nexthops(network: Network): Promise<readonly KernelNexthop[]> {
  const question = message(RTM.getNexthop, FLAG.dump, nhmsg(0));
  const answers = await ask(network, "nexthop show", question);
  return answers.map(({ body }) => {
    const attributes = readAttributes(body, NHMSG);
    const group = attributes.get(NHA.group);
    return {
      id: attributes.get(NHA.id)?.readUInt32LE() ?? 0,
      device: attributes.get(NHA.outDevice)?.readUInt32LE() ?? 0,
      members: group ? readMembers(group) : null,
    };
  });
}

function readMembers(group: Buffer): readonly Member[] {
  return Array.from({ length: Math.floor(group.length / MEMBER) }, (_, index) => ({
    id: group.readUInt32LE(index * MEMBER),
    weight: group.readUInt8(index * MEMBER + 4) + 1,
  }));
}
