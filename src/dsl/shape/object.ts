import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import type { Spanned } from "../../compiler/diagnostics/span.js";
import type { ObjectValue } from "../evaluate/value.js";
import { reportKind, type Shape } from "./shape.js";

interface Required<T> {
  readonly kind: "required";
  readonly shape: Shape<T>;
}

interface Optional<T> {
  readonly kind: "optional";
  readonly shape: Shape<T>;
}

/** A property that every author could expect, and that a later version will have. */
interface Planned {
  readonly kind: "planned";
}

/** A property that is easily looked for here, and belongs elsewhere. */
interface Elsewhere {
  readonly kind: "elsewhere";
  readonly place: string;
}

type Unread = Planned | Elsewhere;

type Property = Required<unknown> | Optional<unknown> | Unread;

export function required<T>(shape: Shape<T>): Required<T> {
  return { kind: "required", shape };
}

/** Absent, or written as undefined, it is null. */
export function optional<T>(shape: Shape<T>): Optional<T> {
  return { kind: "optional", shape };
}

export const planned: Planned = { kind: "planned" };

export function elsewhere(place: string): Elsewhere {
  return { kind: "elsewhere", place };
}

type Read<P extends Property> =
  P extends Required<infer T> ? T : P extends Optional<infer T> ? T | null : never;

type Names<P extends Readonly<Record<string, Property>>> = {
  [K in keyof P]: P[K] extends Unread ? never : K;
}[keyof P];

type Readable<P extends Readonly<Record<string, Property>>> = { readonly [K in Names<P>]: Read<P[K]> };

type Parts<P extends Readonly<Record<string, Property>>> = {
  readonly [K in Names<P>]: Read<P[K]> | undefined;
};

/** An object with exactly these properties, and the span of the whole. Reports everything that is wrong with it. */
export function objectOf<P extends Readonly<Record<string, Property>>>(
  properties: P,
): Shape<Readable<P> & Spanned> {
  const parts = partsOf(properties);
  return (value, what, diagnostics) => {
    const read = parts(value, what, diagnostics);
    const complete = read && !Object.values(read).includes(undefined);
    return complete ? (read as Readable<P> & Spanned) : undefined;
  };
}

/** The same, but a property that could not be read is undefined, and the others can still be looked at. */
export function partsOf<P extends Readonly<Record<string, Property>>>(
  properties: P,
): Shape<Parts<P> & Spanned> {
  return (value, what, diagnostics) => {
    if (value.kind !== "object") return reportKind(value, what, "an object", diagnostics);
    reportUnknown(value, what, properties, diagnostics);
    const read: Record<string, unknown> = { span: value.span };
    for (const [name, property] of Object.entries(properties)) {
      if (isUnread(property)) continue;
      read[name] = readProperty(value, what, name, property, diagnostics);
    }
    // Each property was read by its own shape, which is what Parts<P> says.
    return read as Parts<P> & Spanned;
  };
}

function readProperty(
  object: ObjectValue,
  what: string,
  name: string,
  property: Required<unknown> | Optional<unknown>,
  diagnostics: Diagnostics,
): unknown {
  const written = object.properties.get(name);
  if (written && written.value.kind !== "undefined") {
    return property.shape(written.value, `\`${name}\``, diagnostics);
  }
  if (object.partial) return undefined;
  if (property.kind === "optional") return null;
  diagnostics.report("TG2050", object.span, { object: what, property: name });
  return undefined;
}

function isUnread(property: Property | undefined): property is Unread {
  return property?.kind === "planned" || property?.kind === "elsewhere";
}

function reportUnknown(
  object: ObjectValue,
  what: string,
  properties: Readonly<Record<string, Property>>,
  diagnostics: Diagnostics,
): void {
  for (const [name, { key }] of object.properties) {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (known?.kind === "planned") diagnostics.report("TG2052", key, { property: name });
    if (known && known.kind !== "elsewhere") continue;
    const names = Object.keys(properties).filter((one) => !isUnread(properties[one]));
    const hint = known ? `it is an option of ${known.place}` : didYouMean(name, names);
    diagnostics.report("TG2051", key, { object: what, property: name }, { hint });
  }
}
