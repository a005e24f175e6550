import type { Family } from "../../ir/address.js";

/**
 * What is not a value but the build of a packet: which headers it has, and where it ends. All fields of packets of one shape
 * lie at the same places, so a shape turns a policy's tests into questions about known bits.
 */
export interface Shape {
  readonly family: Family;
  /** What the IPv4 header, or the end of IPv6's header chain, says. */
  readonly protocol: number;
  /** In units of 8 bytes. In IPv6, null has no fragment header at all; offset 0 without more is RFC 6946's atomic fragment. */
  readonly fragment: { readonly offset: number; readonly more: boolean } | null;
  /** Words of IPv4 options, 0 to 10. */
  readonly optionWords: number;
  /** IPv6 extension headers before the fragment header and the transport. */
  readonly extensions: readonly number[];
  readonly form: HeaderForm;
  /** Bytes behind the transport header. */
  readonly payload: number;
  /** The packet's own length in bytes, when it is not the sum of its parts; a shorter one cuts them. */
  readonly length: number | null;
  /** What `length` cuts off stays in the frame, as padding. */
  readonly padded: boolean;
  /** The VLAN tag is no part of the IP packet, but tests may ask for it. */
  readonly tagged: boolean;
}

/**
 * How the transport header is built. `extended`: TCP with a maximum segment size, GRE with a key. `moved`: the same behind
 * something else. `odd`: a TCP data offset below 5 words, a key in GRE of version 1. The other protocols have one form.
 */
export type HeaderForm = "plain" | "extended" | "moved" | "odd";

export const TCP = 6;
export const UDP = 17;
export const GRE = 47;
export const ICMP = { 4: 1, 6: 58 } as const satisfies Record<Family, number>;

/** A whole packet without anything that it need not have. */
export function plainShape(family: Family, protocol: number, payload: number): Shape {
  return {
    family,
    protocol,
    fragment: null,
    optionWords: 0,
    extensions: [],
    form: "plain",
    payload,
    length: null,
    padded: false,
    tagged: false,
  };
}

/** In the words of a packet's `why`: "IPv6, UDP, later fragment". */
export function shapeText(shape: Shape): string {
  const { fragment, length, padded, tagged, optionWords, extensions, form } = shape;
  const parts = [
    `IPv${shape.family}`,
    protocolText(shape),
    form === "plain" ? "" : `${form} header`,
    fragment ? fragmentText(fragment) : "",
    optionWords > 0 ? `${optionWords} words of options` : "",
    extensions.length > 0 ? `extension headers ${extensions.join(" ")}` : "",
    length === null ? "" : `${length} bytes${padded ? " and padding" : ""}`,
    tagged ? "VLAN tag" : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function protocolText({ family, protocol }: Shape): string {
  if (protocol === TCP) return "TCP";
  if (protocol === UDP) return "UDP";
  if (protocol === GRE) return "GRE";
  if (protocol === ICMP[family]) return family === 4 ? "ICMP" : "ICMPv6";
  return `protocol ${protocol}`;
}

function fragmentText({ offset, more }: { readonly offset: number; readonly more: boolean }): string {
  if (offset > 0) return `later fragment at ${8 * offset}${more ? ", more follow" : ""}`;
  return more ? "first fragment" : "atomic fragment";
}
