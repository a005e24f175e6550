import { ERRNO, LoaderError } from "../loader-client.js";
import { findLink } from "./link.js";
import { fileOf, type Network, type Request } from "./network.js";

/** Does one after the other, and stops at the first that fails. Throws a LoaderError with its words and the kernel's. */
export async function perform(network: Network, requests: readonly Request[]): Promise<void> {
  const indexes = new Map<string, number>();
  for (let at = 0; at < requests.length; ) {
    const batch = batchFrom(requests.slice(at), indexes);
    if (batch.length > 0) await send(network, batch, indexes);
    at += batch.length;
    // What was made by then may be named from here on.
    for (const device of requests[at]?.devices ?? [])
      if (!indexes.has(device)) indexes.set(device, await deviceIndex(network, device));
  }
}

/** What can be sent at once: with devices that are known, and one other namespace at most. */
function batchFrom(requests: readonly Request[], indexes: ReadonlyMap<string, number>): readonly Request[] {
  const [first] = requests;
  const end = requests.findIndex(
    ({ devices, other }) => devices.some((device) => !indexes.has(device)) || other !== first?.other,
  );
  return end < 0 ? requests : requests.slice(0, end);
}

async function send(
  { loader, namespace }: Network,
  batch: readonly Request[],
  indexes: ReadonlyMap<string, number>,
): Promise<void> {
  const other = batch[0]?.other;
  await loader.netlink({
    namespace: fileOf(namespace),
    other: fileOf(other),
    requests: batch.map(({ words, encode }) => ({
      words,
      message: encode((device) => indexes.get(device) ?? 0),
    })),
  });
}

async function deviceIndex(network: Network, device: string): Promise<number> {
  const link = await findLink(network, device);
  if (link) return link.index;
  throw new LoaderError("netlink", `there is no network device ${device}`, ERRNO.ENODEV);
}
