import { ERRNO, type Loader, LoaderError, type TcSlot } from "../loader-client.js";
import type { Network } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import { addClsact, deleteClsact, hasClsact } from "../netlink/qdisc.js";
import type { Part } from "../steps.js";

/** The hook that classifiers sit at (tc-bpf(8)). Others may use it too, so it goes only if we made it. */
export function clsact(network: Network, device: string): Part {
  return {
    name: `clsact on ${device}`,
    present: () => hasClsact(network, device),
    up: () => perform(network, [addClsact(device)]),
    down: async () => {
      if (await hasClsact(network, device)) await perform(network, [deleteClsact(device)]);
    },
  };
}

/** What the kernel says of a slot where nothing sits: no hook, no classifier, or no device. */
const NOTHING_THERE: readonly (number | null)[] = [ERRNO.ENOENT, ERRNO.EINVAL, ERRNO.ENODEV];

/** Does the program that is pinned there classify at this slot? */
export async function hasClassifier(
  { loader }: { readonly loader: Loader },
  slot: TcSlot,
  pin: string,
): Promise<boolean> {
  const [{ id }, found] = await Promise.all([loader.pinnedId(pin), sitting(loader, slot)]);
  return found === id;
}

/** Does any program classify at this slot? */
export async function isTaken({ loader }: { readonly loader: Loader }, slot: TcSlot): Promise<boolean> {
  return (await sitting(loader, slot)) !== null;
}

/** The id of the program there. */
function sitting(loader: Loader, slot: TcSlot): Promise<number | null> {
  return loader.queryTc(slot).catch((error: unknown) => {
    if (error instanceof LoaderError && NOTHING_THERE.includes(error.errno)) return null;
    throw error;
  });
}
