import { formatAddress, formatPrefix } from "../compiler/ir/address.js";
import type { EdgeNode, TrustedKey } from "../compiler/ir/edge.js";
import { MANIFEST_SCHEMA, type NodeConfig } from "./manifest.js";

/** What the runtime is told of the node that it runs on. */
export function nodeConfig(edge: EdgeNode): NodeConfig {
  const { 4: v4, 6: v6 } = edge.anycast;
  const keys = edge.keys && Object.fromEntries(edge.keys.map(({ name, ...key }) => [name, trusted(key)]));
  return {
    schema: MANIFEST_SCHEMA,
    uplinks: [...edge.uplinks],
    anycast: [v4, v6].filter((address) => address !== null).map(formatAddress),
    owners: Object.fromEntries(
      edge.owners.map(({ customer, prefixes }) => [
        customer,
        prefixes.map(({ prefix }) => formatPrefix(prefix)),
      ]),
    ),
    ...(keys && { keys }),
  };
}

function trusted({ key, customers }: Pick<TrustedKey, "key" | "customers">) {
  return customers ? { key, customers: [...customers] } : { key };
}
