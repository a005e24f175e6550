// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import fc from "fast-check";
import { DECLARATIONS, expressions } from "./expressions.js";
import { ADDRESSES, NUMBERS } from "./words.js";

export const IMPORTS =
  'import { allow, count, drop, edge, expr, gre, limit, list, log, policy, reject } from "tidegate";\n';

const chance = (weight: number, arbitrary: fc.Arbitrary<string>) => ({ weight, arbitrary });
const among = (...texts: readonly string[]) => fc.constantFrom(...texts);

/** Texts joined as one text around them: `glue` has one hole, `_`, for each. */
function filled(glue: string, ...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  const pieces = glue.split("_");
  return fc
    .tuple(...parts)
    .map((texts) => pieces.map((piece, index) => piece + (texts[index] ?? "")).join(""));
}

const several = (one: fc.Arbitrary<string>, maxLength = 4) =>
  fc.array(one, { maxLength }).map((all) => all.join(", "));

/** Any values of the subset, and some of its neighbours; most of them are of no use in a policy. */
export const values = fc.letrec<{ any: string }>((tie) => {
  const any = tie("any");
  return {
    any: fc.oneof(
      { depthSize: "small", maxDepth: 5 },
      chance(
        6,
        among(
          ...NUMBERS,
          '"a"',
          '"192.0.2.1"',
          '"5000/s"',
          "true",
          "null",
          "undefined",
          "a",
          "b",
          "f",
          "`x`",
        ),
      ),
      chance(3, filled("[_]", several(any))),
      chance(
        3,
        filled("{ a: _, b: _, _ }", any, any, among("", "a", "...a", '["c"]: 1', "a: 2", "__proto__: 1")),
      ),
      chance(2, filled("[..._, _]", any, any)),
      chance(
        2,
        filled(
          "_ _ _",
          any,
          among("+", "-", "*", "/", "%", "**", "<", "===", "==", "&&", "||", "??", "<<", ","),
          any,
        ),
      ),
      chance(2, filled("(_ ? _ : _)", any, any, any)),
      chance(2, filled("`a${_}b${_}`", any, any)),
      chance(
        2,
        filled("_._", any, among("length", "a", "b.c", "constructor", "__proto__", "at(0)", "toString()")),
      ),
      chance(1, filled("_?.[_]", any, any)),
      chance(
        2,
        filled("(_) => _", among("", "x", "x = 1", "{ a, ...b }", "[a = 2, , b]", "...x", "x, x"), any),
      ),
      chance(2, filled("((x) => _)(_)", any, any)),
      chance(2, filled("_.map((x, i) => _)", any, any)),
      chance(
        2,
        filled(
          "_._(_)",
          any,
          among(
            "filter",
            "flatMap",
            "concat",
            "includes",
            "join",
            "slice",
            "reduce",
            "repeat",
            "split",
            "padEnd",
          ),
          several(any, 2),
        ),
      ),
      chance(
        2,
        filled(
          "_(_)",
          among(
            "Object.entries",
            "Object.fromEntries",
            "Array.from",
            "Math.max",
            "String",
            "Number",
            "Object.assign",
            "list",
            "gre",
            "f",
          ),
          several(any, 2),
        ),
      ),
      chance(1, filled("Array.from({ length: _ }, (_x, i) => _)".replace("_x", "x"), among(...NUMBERS), any)),
      chance(1, filled("(_ as any)", any)),
      chance(1, filled("expr`ip.src in ${_}`", any)),
      chance(1, filled("_`a${_}`", among("expr", "f", "String.raw"), any)),
      chance(1, filled("[[[[[_]]]]].flat(_)", any, any)),
      chance(1, filled("(() => { const y = _; return _; })()", any, any)),
    ),
  };
}).any;

const quoted = (...texts: readonly string[]) => among(...texts.map((text) => JSON.stringify(text)));
const prefix = quoted(...ADDRESSES.filter((one) => one.includes("/")));
const packet = quoted(
  "tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S",
  "udp [2001:db8::7]:53 > [2001:db8:a::1]:9 len=9999",
  "icmp 192.0.2.7 > 203.0.113.100 type=8 code=0",
  "proto=47 192.0.2.7 > 203.0.113.100 frag=8+ payload=00ff ttl=0",
  "hex=4500",
  "tcp 1.2.3.4:5 >",
  "tcp 192.0.2.7:40000 > 203.0.113.100:99999 flags=QQ at=1e9",
);

/** Policies and edges whose parts are right, but for one in `tameness`, which is nearly right or anything at all. */
function files(tameness: number): fc.Arbitrary<string> {
  const part = (right: fc.Arbitrary<string>, odd: fc.Arbitrary<string>) =>
    fc.oneof({ weight: tameness, arbitrary: right }, odd, values);
  const ownPrefix = part(quoted("203.0.113.0/24", "2001:db8:a::/48"), prefix);

  const filter = part(expressions.grammatical, expressions.spelled).map((text) => `expr\`${text}\``);
  const limitOptions = filled(
    "{ rate: _, burst: _, per: _ }",
    part(quoted("5000/s", "1/m", "60/h"), quoted("0/s", "99999999999/s", "5/x", "1/d", "4294967295/s")),
    part(among("1", "10", "1e3"), among("4294967295", "0", "1e18")),
    part(quoted("ip.src"), quoted("ip.dst", "tcp.dstport")),
  );
  const name = part(
    fc.nat(9999).map((number) => `"r${number}"`),
    quoted("a", "web", "Bad", "", "a--b", "\u0430cme", "\x1b[31m"),
  );
  const rule = fc.oneof(
    chance(6, filled("_(_, _)", part(among("drop", "allow", "count"), among("reject")), name, filter)),
    chance(2, filled("limit(_, _, _)", name, filter, part(limitOptions, among("{}")))),
    chance(1, filled("log(_, _, { sample: _ })", name, filter, part(among("1", "100"), among("0", "1e9")))),
    chance(
      1,
      filled(
        "...[_].map((p) => drop(`m${p}`, expr`tcp.dstport == ${p}`))",
        several(fc.nat(70_000).map(String), 3),
      ),
    ),
  );
  const tunnel = filled(
    "gre({ remote: _, ttl: _, mtu: _, key: _ })",
    part(quoted("198.51.100.1", "198.51.100.77"), quoted("2001:db8::1", "203.0.113.1", "0.0.0.0")),
    part(among("64", "1", "255"), among("0", "256")),
    part(among("1476", "1280", "9000"), among("68", "65535")),
    part(among("1", "0", "4294967295"), among("4294967296")),
  );
  const route = filled(
    "{ prefix: _, tunnel: _, priority: _, weight: _ }",
    ownPrefix,
    part(quoted("t", "u"), quoted("nowhere")),
    part(among("100", "0"), among("4294967295", "-1")),
    part(among("1", "255"), among("256", "0")),
  );
  const test = filled(
    "{ packet: _, expect: _ }",
    packet,
    part(quoted("allow", "drop", "reject", "foreign", "malformed"), quoted("x")),
  );

  const policyText = filled(
    `_
export default policy({
  customer: _,
  prefixes: _,
  mitigate: [_],
  firewall: { default: _, rules: [_], stateful: _ },
  tunnels: { t: _, u: _ },
  routes: [_],
  tests: [_],
});
`,
    part(
      fc.constant(DECLARATIONS),
      filled(`${DECLARATIONS}const a = _, b = _, f = (x: any) => _;`, values, values, values),
    ),
    part(quoted("acme", "a"), quoted("Acme", "a b")),
    part(
      among('["203.0.113.0/24", "2001:db8:a::/48"]'),
      several(prefix).map((all) => `[${all}]`),
    ),
    several(part(rule, filter)),
    part(quoted("drop", "allow"), quoted("reject")),
    several(part(rule, filter)),
    part(among("false"), among("true")),
    tunnel,
    tunnel,
    several(route, 2),
    fc.oneof(chance(5, among("")), chance(1, several(test, 2))),
  );
  const edgeText = filled(
    "export default edge({ uplinks: [_], anycast: [_], owners: { acme: [_], a: _ } });\n",
    part(quoted("eth0", "uplink0"), quoted("a/b", "")),
    part(quoted("198.18.0.1"), quoted("::1", "x", "0.0.0.0")),
    several(ownPrefix, 2),
    part(among('["198.51.100.0/24"]'), several(prefix)),
  );
  return fc.oneof({ weight: 12, arbitrary: policyText }, edgeText);
}

export const policies = fc.oneof(files(3000), files(60), files(6)).map((text) => IMPORTS + text);

/** A policy around one expression, behind the declarations that it may interpolate. */
export function policyAround(expression: string): string {
  return `${IMPORTS}${DECLARATIONS}export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8:a::/48"],
  mitigate: [drop("early", expr\`${expression}\`)],
  firewall: { default: "drop", rules: [allow("only", expr\`${expression}\`)] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }, { prefix: "2001:db8:a::/48", tunnel: "main" }],
});
`;
}
