import type { Located, SurfaceEdge } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import {
  type Address,
  type Family,
  formatAddress,
  formatPrefix,
  prefixContainsAddress,
} from "../ir/address.js";
import type { EdgeNode, Owner } from "../ir/edge.js";
import { checkHostAddress, readAddress } from "./addresses.js";
import { checkName } from "./names.js";
import { overlap, readOwnedPrefixes } from "./prefixes.js";
import { readKeys } from "./trusted-keys.js";

/** IFNAMSIZ is 16 with the closing NUL (linux/if.h). */
const DEVICE_NAME_MAX = 15;

/** Gives an edge file its meaning. Reports every mistake, and is undefined if there is any. */
export function buildEdge(surface: SurfaceEdge, diagnostics: Diagnostics): EdgeNode | undefined {
  const uplinks = readUplinks(surface, diagnostics);
  const owners = readOwners(surface, diagnostics);
  const anycast = readAnycast(surface, owners, diagnostics);
  const keys = readKeys(surface, diagnostics);
  return diagnostics.hasErrors || !anycast
    ? undefined
    : { span: surface.span, uplinks, anycast, owners, keys };
}

function readUplinks({ uplinks, span }: SurfaceEdge, diagnostics: Diagnostics): readonly string[] {
  if (uplinks.length === 0) diagnostics.report("TG2036", span, { what: "node", member: "uplink" });
  const first = new Map<string, Located<string>>();
  for (const uplink of uplinks) {
    const { value } = uplink;
    const earlier = first.get(value);
    if (earlier) {
      const related = [{ span: earlier.span, text: "first listed here" }];
      diagnostics.report("TG2039", uplink.span, { name: value }, { related });
    } else first.set(value, uplink);
    if (!isDeviceName(value)) diagnostics.report("TG2038", uplink.span, { name: value });
  }
  return [...first.keys()];
}

/** dev_valid_name in net/core/dev.c. */
function isDeviceName(name: string): boolean {
  return (
    /^[^\s/:]+$/.test(name) && Buffer.byteLength(name) <= DEVICE_NAME_MAX && name !== "." && name !== ".."
  );
}

function readAnycast(
  { anycast: written, span }: SurfaceEdge,
  owners: readonly Owner[],
  diagnostics: Diagnostics,
): EdgeNode["anycast"] | undefined {
  const found: Record<Family, Address | null> = { 4: null, 6: null };
  let bad = false;
  for (const text of written) {
    const address = readAddress(text, diagnostics);
    if (!address) {
      bad = true;
      continue;
    }
    checkHostAddress(address, text, diagnostics);
    checkNobodysAddress(address, text, owners, diagnostics);
    if (found[address.family]) diagnostics.report("TG2040", text.span, { family: address.family });
    else found[address.family] = address;
  }
  if (found[4] || found[6]) return found;
  if (!bad) diagnostics.report("TG2041", written[0]?.span ?? span, {});
  return undefined;
}

function checkNobodysAddress(
  address: Address,
  { span }: Located<string>,
  owners: readonly Owner[],
  diagnostics: Diagnostics,
): void {
  for (const { customer, prefixes } of owners) {
    const own = prefixes.find(({ prefix }) => prefixContainsAddress(prefix, address));
    if (!own) continue;
    const related = [{ span: own.span, text: "the prefix" }];
    const params = { address: formatAddress(address), prefix: formatPrefix(own.prefix), customer };
    diagnostics.report("TG2043", span, params, { related });
  }
}

function readOwners(surface: SurfaceEdge, diagnostics: Diagnostics): readonly Owner[] {
  const owners: Owner[] = [];
  for (const { customer, prefixes: texts } of surface.owners) {
    checkName("customer", customer, diagnostics);
    const prefixes = readOwnedPrefixes(
      { what: "customer", span: customer.span, complete: true },
      texts,
      diagnostics,
    );
    const owner = { customer: customer.value, span: customer.span, prefixes };
    for (const earlier of owners) checkDisjoint(earlier, owner, diagnostics);
    owners.push(owner);
  }
  return owners;
}

function checkDisjoint(earlier: Owner, owner: Owner, diagnostics: Diagnostics): void {
  for (const { prefix, span } of owner.prefixes) {
    const clash = earlier.prefixes.find((other) => overlap(other.prefix, prefix));
    if (!clash) continue;
    const related = [{ span: clash.span, text: `owned by \`${earlier.customer}\` here` }];
    const params = { prefix: formatPrefix(prefix), customer: earlier.customer, other: owner.customer };
    diagnostics.report("TG2042", span, params, { related });
  }
}
