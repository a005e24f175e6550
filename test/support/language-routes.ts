import fc from "fast-check";

/** Tunnels of every kind and routes into them as text, most of them such that XDP can send packets by them. */
export interface WrittenWays {
  /** Both properties of a policy. */
  readonly text: string;
}

/** A property of `gre` or `ipip`, mostly left out. */
function option(name: string, ...values: readonly (number | string)[]): fc.Arbitrary<string> {
  const written = values.map((value) => `, ${name}: ${JSON.stringify(value)}`);
  return fc.oneof({ weight: 3, arbitrary: fc.constant("") }, fc.constantFrom(...written));
}

const header = fc.oneof(
  { weight: 3, arbitrary: option("ttl", 1, 2, 64, 255) },
  fc.constantFrom(', ttl: "inherit"', ', ttl: "inherit", df: "inherit"', ", dscp: 46", ", dscp: 0"),
);

const plainGre = fc
  .tuple(option("key", 0, 1, 0x01020304, 0xffffffff), option("mtu", 1280, 1281, 1400), header)
  .map((options) => (place: number) => `gre({ remote: "198.51.100.${place + 1}"${options.join("")} })`);

const others = fc.constantFrom(
  (place: number) => `gre({ remote: "198.51.100.${place + 1}", health: {} })`,
  (place: number) => `gre({ remote: "2001:470::${place + 1}" })`,
  (place: number) => `ipip({ remote: "198.51.100.${place + 1}" })`,
);

const tunnel = fc.oneof({ weight: 6, arbitrary: plainGre }, others);

const MOST_TUNNELS = 4;

/** Prefixes that hold one another, and the whole of what each policy owns. */
const PREFIXES = [
  ...["203.0.113.0/24", "203.0.113.0/25", "203.0.113.64/26", "203.0.113.96/27", "203.0.113.100/32"],
  ...["203.0.113.128/25", "2001:db8::/32", "2001:db8::/33", "2001:db8::8/125", "2001:db8::9/128"],
];

const route = fc.record({
  prefix: fc.constantFrom(...PREFIXES),
  tunnel: fc.nat(MOST_TUNNELS - 1),
  more: fc.constantFrom("", "", "", ", priority: 50", ", weight: 3"),
});

const routes = fc.uniqueArray(route, {
  minLength: 1,
  maxLength: 8,
  selector: ({ prefix, tunnel, more }) => `${prefix} ${tunnel} ${more.startsWith(", priority")}`,
});

/** Behind so many, the last two are none of those that XDP knows (FAST_TUNNELS). */
const BEFORE = 62;

const before = fc.oneof({ weight: 7, arbitrary: fc.constant(0) }, fc.constant(BEFORE));

export const writtenWays: fc.Arbitrary<WrittenWays> = fc
  .tuple(before, fc.array(tunnel, { minLength: MOST_TUNNELS, maxLength: MOST_TUNNELS }), routes)
  .map(([others, tunnels, into]) => {
    const rows = [
      ...Array.from(
        { length: others },
        (_, place) => `before${place}: gre({ remote: "192.0.2.1", key: ${place} }),`,
      ),
      ...tunnels.map((write, place) => `t${place}: ${write(place)},`),
    ];
    const lines = into.map((one) => `{ prefix: "${one.prefix}", tunnel: "t${one.tunnel}"${one.more} },`);
    const block = (of: readonly string[]) => of.map((line) => `    ${line}\n`).join("");
    return { text: `tunnels: {\n${block(rows)}  },\n  routes: [\n${block(lines)}  ],` };
  });
