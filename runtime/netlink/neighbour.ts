import { addressBytes } from "../prefix.js";
import { attribute, FLAG, mac, message, u8, u32 } from "./message.js";
import { addressFamily, type Request } from "./network.js";

/** Neighbours: RTM_NEWNEIGH, with `struct ndmsg`. */
const RTM_NEWNEIGH = 28;
const NDA = { destination: 1, linkAddress: 2 };

/** NUD_PERMANENT: never asked for. */
const PERMANENT = 0x80;

/** Who has this address on the device, for good. */
export function setNeighbour(device: string, address: string, hardware: string): Request {
  const bytes = addressBytes(address);
  if (!bytes) throw new Error(`\`${address}\` is not an address`);
  const family = addressFamily(bytes.length === 4 ? 4 : 6);
  return {
    words: `neigh replace ${address} lladdr ${hardware} dev ${device}`,
    devices: [device],
    encode: (indexOf) =>
      message(
        RTM_NEWNEIGH,
        FLAG.create | FLAG.replace,
        u8(family, 0, 0, 0),
        u32(indexOf(device)),
        // State, 16 bits, flags and type.
        u8(PERMANENT, 0, 0, 0),
        attribute(NDA.destination, bytes),
        attribute(NDA.linkAddress, mac(hardware)),
      ),
  };
}
