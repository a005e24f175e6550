import fc from "fast-check";
import { CT_STATES } from "../../src/compiler/ir/fields.js";
import type { Action, AddressList, Rule } from "../../src/compiler/ir/policy.js";
import { slice } from "../../src/compiler/ir/wire.js";
import { decode, type Packet } from "../../src/compiler/semantics/decode.js";
import { stepOverEthernet } from "../../src/compiler/semantics/ethernet.js";
import { anyExpr, anyFirewall, hourly } from "./firewall-policies.js";
import { frames } from "./frame-arbitrary.js";
import { and, bits, not, number, or, rule, xor } from "./ir.js";

/** Rules over all that the language can ask, and packets that have all that it can ask for. */

/** The lists that the rules name. */
export const LISTS: readonly AddressList[] = fc.sample(anyFirewall, 1)[0]?.lists ?? [];

/** What a firewall in the namespace cannot see. */
const beside = fc.oneof(
  fc.subarray(Object.values(CT_STATES)).map((states) => number("ct.state", ...states)),
  fc.constantFrom(1, 6, 72).map((mask) => bits("ct.state", mask)),
  fc.nat(4095).map((id) => number("eth.vlan", id, [100, 300])),
  fc.nat(15).map((value) => number(slice("vlan", 0, 4), value)),
  fc.constantFrom(0x0f0, 0x801).map((mask) => bits("eth.vlan", mask)),
);

const anyMatch = fc.oneof(
  anyExpr,
  fc.tuple(anyExpr, beside, fc.constantFrom(and, or, xor)).map(([expr, more, join]) => join(expr, not(more))),
);

const anyAction = fc.constantFrom<Action>(
  { kind: "drop" },
  { kind: "allow" },
  { kind: "drop" },
  { kind: "allow" },
  { kind: "count" },
  hourly(3, null),
);

export const anyRules: fc.Arbitrary<readonly Rule[]> = fc
  .array(fc.tuple(anyAction, anyMatch), { minLength: 1, maxLength: 5 })
  .map((all) => all.map(([action, match], index) => rule(`r${index}`, action, match)));

const frame = frames({
  4: { src: 0x0a010203n, dst: 0xcb007109n },
  6: { src: 0x20010db8_00010000_00000000_00000001n, dst: 0x20010db8_00000000_00000000_00000009n },
});

/** undefined: what chance made is malformed, or no IP packet. */
export const anyPacket: fc.Arbitrary<Packet | undefined> = fc
  .tuple(frame, fc.constantFrom(...Object.values(CT_STATES)))
  .map(([bytes, connection]) => {
    const carried = stepOverEthernet(bytes);
    const decoded = carried && decode(carried.bytes, carried.family, { vlan: carried.vlan, connection });
    return decoded?.kind === "packet" ? decoded.packet : undefined;
  });

export const somePackets = fc
  .array(anyPacket, { minLength: 8, maxLength: 8 })
  .map((all) => all.filter((packet) => packet !== undefined));
