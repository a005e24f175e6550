// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions stand here as text
import fc from "fast-check";
import { FIELDS, type Field } from "../../src/compiler/ir/fields.js";
import { respelled } from "../support/respell.js";
import { ADDRESSES, EXPRESSION_WORDS, NUMBERS } from "./words.js";

/** Declares what expressions interpolate. */
export const DECLARATIONS = `const port = 80, ports = [80, 443, { a: 1 }.a], web = "203.0.113.80";
const nets = list(["198.51.100.0/24", "2001:db8::/32"]), few = ["192.0.2.1", "192.0.2.2"], syn = expr\`tcp.flags.syn\`;
const names = ["tcp", "udp"], none: string[] = [], wrong = { port: 80 };
`;

const HOLES = [
  "port",
  "ports",
  "web",
  "nets",
  "few",
  "syn",
  "names",
  "none",
  "wrong",
  "port * 2 + 1",
  "undefinedName",
];

const chance = (weight: number, arbitrary: fc.Arbitrary<string>) => ({ weight, arbitrary });
const among = (...texts: readonly string[]) => fc.constantFrom(...texts);
const anyHole = among(...HOLES).map((name) => `\${${name}}`);
const holeOf = (...names: readonly string[]) => among(...names).map((name) => `\${${name}}`);
const address = among(...ADDRESSES);
const rightAddress = among(
  "10.0.0.0/8",
  "192.0.2.1",
  "198.51.100.0/24",
  "2001:db8::/32",
  "::1",
  "fe80::/10",
  "0.0.0.0/0",
  "192.0.2.1..192.0.2.9",
);
const number = fc.oneof(chance(2, fc.nat(70_000).map(String)), chance(1, among(...NUMBERS)));
const anyValue = fc.oneof(address, number, anyHole, among('"tcp"', '"DE"', '"x"', "tcp"));
const comparison = among("==", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge");

function inSet(items: fc.Arbitrary<string>, whole: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const set = fc.array(items, { minLength: 1, maxLength: 6 }).map((all) => `{${all.join(" ")}}`);
  return fc.oneof({ weight: 4, arbitrary: set }, whole).map((text) => `in ${text}`);
}

/** What is rightly said of a field of this type. */
function tail(field: Field): fc.Arbitrary<string> {
  switch (field.type) {
    case "address":
      return fc.oneof(
        fc.tuple(among("==", "!="), fc.oneof(rightAddress, holeOf("web"))).map((both) => both.join(" ")),
        inSet(fc.oneof(rightAddress, holeOf("web", "few")), holeOf("nets", "few")),
      );
    case "number": {
      const fitting = fc
        .integer({ min: field.min, max: Math.min(field.max, field.min + 70_000) })
        .map(String);
      const named = Object.keys(field.names ?? {}).map((name) => `"${name}"`);
      const value = fc.oneof(
        chance(4, fitting),
        chance(1, among(String(field.max), ...named)),
        chance(1, holeOf("port")),
      );
      const range = fc
        .tuple(fitting, fitting)
        .map((ends) => ends.sort((a, b) => Number(a) - Number(b)).join(".."));
      return fc.oneof(
        fc.tuple(fc.oneof(comparison, among("&")), value).map((both) => both.join(" ")),
        inSet(fc.oneof(value, range), holeOf("ports")),
      );
    }
    case "flag":
      return fc.constant("");
    case "country":
      return fc.oneof(among('== "DE"', '!= "ZZ"'), inSet(among('"DE"', '"US"', '"xx"'), holeOf("names")));
    case "asnum":
      return fc.oneof(among("== 64500", "< 3"), inSet(number, holeOf("ports")));
  }
}

/** What countries and AS numbers are, only an operator's tables tell, and there are none. */
const KNOWN = Object.entries(FIELDS).filter(([, { type }]) => type !== "country" && type !== "asnum");

const rightTest = fc
  .constantFrom(...KNOWN)
  .chain(([name, field]) => tail(field).map((said) => `${name} ${said}`));
const functionCall = fc
  .tuple(
    among("bit_slice", "payload.u8", "payload.u16", "payload.u32"),
    fc.array(fc.oneof(among("ip", "tcp", "udp", "icmp", "gre"), number), { maxLength: 4 }),
  )
  .map(([name, args]) => `${name}(${args.join(", ")})`);
const slice = fc
  .tuple(among("ip", "tcp", "udp", "icmp"), fc.nat(600), fc.integer({ min: 1, max: 32 }))
  .map(([of, start, width]) => `bit_slice(${of}, ${start}, ${start + width})`);
const wrongTest = fc
  .tuple(
    fc.oneof(among(...Object.keys(FIELDS), "ip.sorce", "x", "${syn}"), functionCall, slice),
    fc.oneof(comparison, among("in", "contains", "matches", "&", "", "=", "===")),
    anyValue,
  )
  .map((parts) => parts.join(" "));
const sliceTest = fc.tuple(slice, comparison, fc.nat(300)).map((parts) => parts.join(" "));

/** Expressions as people write them, most of them right. */
const grammatical = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", maxDepth: 6 },
    chance(30, rightTest),
    chance(2, fc.oneof(sliceTest, holeOf("syn"))),
    chance(1, fc.oneof(wrongTest, anyHole)),
    chance(
      6,
      tie("any").map((one) => `not ${one}`),
    ),
    chance(
      4,
      tie("any").map((one) => `(${one})`),
    ),
    chance(
      16,
      fc
        .tuple(tie("any"), among("and", "or", "xor", "and", "or"), tie("any"))
        .map((parts) => parts.join(" ")),
    ),
  ),
})).any;

const spelled = fc
  .tuple(grammatical, fc.infiniteStream(fc.nat(5)))
  .map(([text, choices]) => respelled(text, choices[Symbol.iterator]()));

/** Any words of the language in any order. */
const wordSalad = fc
  .tuple(
    fc.array(fc.constantFrom(...EXPRESSION_WORDS, ...NUMBERS, ...ADDRESSES), { maxLength: 20 }),
    among(" ", " ", ""),
  )
  .map(([all, separator]) => all.join(separator));

/** Long and deep ones, where what should be linear is not. */
const repeated = fc
  .tuple(
    among(
      "not ",
      "!",
      "(",
      "((",
      "tcp.flags.syn and ",
      "tcp.flags.syn or ",
      "tcp.dstport == 80 xor ",
      "ip.src in {",
      "{",
      "1..",
      "not (",
      "tcp.dstport in {80 443} or ",
      "ip.src == 10.0.0.1 or ip.dst == ::1 and ",
      "# x\n",
      '"',
      "bit_slice(tcp, 0, 8) == 1 xor ",
      "ip.ttl < 5 xor ",
      "(ip.frag xor ip.ttl == 3) and ",
      "(ip.frag or ip.ttl == 3) and not ",
    ),
    fc.oneof({ weight: 4, arbitrary: fc.nat(40) }, fc.nat(2000)),
    grammatical,
    among("", ")", "}", ")".repeat(50)),
  )
  .map(([piece, times, rest, end]) => piece.repeat(times) + rest + end);

export const expressions = { grammatical, spelled, wordSalad, repeated };
