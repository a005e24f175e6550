import { addressBytes, familyOf } from "../prefix.js";
import { attribute, FLAG, message, readAttributes, u8, u32 } from "./message.js";
import { addressFamily, ask, type Family, type Network, type Request } from "./network.js";

/** Addresses of devices: RTM_*ADDR, with `struct ifaddrmsg`. */
const RTM = { newAddress: 20, delAddress: 21, getAddress: 22 };
const IFA = { address: 1, local: 2 };

/** IFA_F_NODAD: an IPv6 address that counts at once. */
const NO_DAD = 0x02;

/** `struct ifaddrmsg`: family, prefix length, flags, scope, index of the device. */
const IFADDR = 8;

/** RT_SCOPE_LINK. */
const SCOPE_LINK = 253;

const ANY_DEVICE = 0;

/** Index of `lo`, in each namespace (LOOPBACK_IFINDEX of the kernel). */
export const LOOPBACK = 1;

/** An address of a device. */
export interface DeviceAddress {
  readonly device: string;
  readonly address: string;
  readonly length: number;
  /** Of link scope the kernel never takes it for the source of a packet that goes further. */
  readonly scope?: "link";
}

/** Without duplicate address detection: nobody else may have an address that is given here. */
export function addAddress(one: DeviceAddress): Request {
  return about("add", RTM.newAddress, FLAG.create | FLAG.exclusive, one);
}

export function deleteAddress(one: DeviceAddress): Request {
  return about("del", RTM.delAddress, 0, one);
}

function about(verb: string, type: number, flags: number, one: DeviceAddress): Request {
  const { device, address, length, scope } = one;
  const bytes = bytesOf(address);
  const family = bytes.length === 4 ? 4 : 6;
  const head = u8(addressFamily(family), length, family === 6 ? NO_DAD : 0, scope ? SCOPE_LINK : 0);
  return {
    words: `addr ${verb} ${address}/${length} dev ${device}`,
    devices: [device],
    encode: (indexOf) =>
      message(
        type,
        flags,
        head,
        u32(indexOf(device)),
        attribute(IFA.local, bytes),
        attribute(IFA.address, bytes),
      ),
  };
}

/** An address as the kernel has it. */
export interface KernelAddress {
  readonly bytes: Buffer;
  /** Index of the device that has it. */
  readonly device: number;
}

/** The addresses of all devices, or of the one with this index. */
export async function addresses(
  network: Network,
  family: Family,
  device = ANY_DEVICE,
): Promise<readonly KernelAddress[]> {
  const head = Buffer.alloc(IFADDR);
  head.writeUInt8(addressFamily(family));
  head.writeUInt32LE(device, 4);
  const answers = await ask(network, `-${family} addr show`, message(RTM.getAddress, FLAG.dump, head));
  return answers.flatMap(({ body }) => {
    const attributes = readAttributes(body, IFADDR);
    // Of IPv6 there is a local one only where it differs from that of the other end.
    const bytes = attributes.get(IFA.local) ?? attributes.get(IFA.address);
    return bytes ? [{ bytes, device: body.readUInt32LE(4) }] : [];
  });
}

/** Indexes of the devices that have this address; of one of them, where `device` is its index. */
export async function holdersOf(
  network: Network,
  address: string,
  device = ANY_DEVICE,
): Promise<readonly number[]> {
  const wanted = bytesOf(address);
  const found = await addresses(network, familyOf(address), device);
  return found.flatMap(({ bytes, device }) => (bytes.equals(wanted) ? [device] : []));
}

function bytesOf(address: string): Uint8Array {
  const bytes = addressBytes(address);
  if (!bytes) throw new Error(`\`${address}\` is not an address`);
  return bytes;
}
