// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pieces of policies stand here as text
import { FIELDS } from "../../src/compiler/ir/fields.js";
import { FUNCTION_NAMES } from "../../src/compiler/ir/functions.js";
import { BUILTIN_NAMES } from "../../src/dsl/builtins/index.js";

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** Numbers at the edges of the types that they can be taken for. */
export const NUMBERS = words(`
  0 1 -1 2 3 7 8 15 16 31 32 33 63 64 127 128 129 255 256 1023 1500 65535 65536 4294967295 4294967296 18446744073709551615
  18446744073709551616 9007199254740991 9007199254740993 1e3 1e21 1e308 1e309 0.1 -0 0x 0x0 0xff 0b1 0o7 1_000 1n NaN Infinity`);

export const ADDRESSES = words(`
  0.0.0.0/0 0.0.0.0 10.0.0.0/8 10.1.1.1/8 192.0.2.1 192.0.2.7/32 198.51.100.0/24 203.0.113.0/24 203.0.113.100 255.255.255.255
  256.0.0.1 1.2.3 1.2.3.4/33 1.2.3.4/-1 ::/0 :: ::1 fe80::1 fe80::/10 2001:db8::/32 2001:db8:a::/48 ::ffff:192.0.2.1 1::2::3
  ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::/129 192.0.2.1..192.0.2.9 192.0.2.9..192.0.2.1 ::1..192.0.2.1 ::1..::9`);

/** The words of the expression language, and such as people bring from elsewhere. */
export const EXPRESSION_WORDS = [
  ...Object.keys(FIELDS),
  ...FUNCTION_NAMES,
  ...words(`== != < <= > >= = & | ^ ~ eq ne lt le gt ge in and or xor not && || ^^ ! contains matches bitwise_and wildcard
    ( ) { } [ ] , .. . - + * / # " ' $ \\ \\n \\u{0} \\x41 r#" "#  "tcp" "icmp" "DE" "a\\"b" r"x" true false any all tcp udp ip icmp
    lower( len( concat( http.host src port host proto dst net in_list $list @ ? : ;`),
  ...words(
    '${80} ${"80"} ${[80]} ${list(["::1"])} ${expr`tcp.flags.syn`} ${no} ${{}} ${null} ${1e3} ${-1} ${[]} ${"::1"} ${',
  ),
  "\n",
  "\t",
  "\u00a0",
  "\u00e9",
  "\u{1F30A}",
  "\u202e",
  "\u200b",
  "\0",
];

/** The words of policies: of TypeScript, of its library, of "tidegate", and of those who would break out of it. */
export const POLICY_WORDS = [
  ...BUILTIN_NAMES,
  ...words(`import export default from as const let var function class return if else for while do switch case break try catch
    finally throw new delete typeof instanceof void in of await async yield satisfies type interface enum namespace declare abstract
    get set static this super null undefined true false NaN Infinity eval arguments require process globalThis Function Proxy
    Symbol Reflect Object Array String Number Boolean Math parseInt parseFloat JSON Date RegExp Map Set Promise
    __proto__ constructor prototype hasOwnProperty toString valueOf length then
    Object.entries Object.fromEntries Object.keys Object.values Object.assign Array.from Array.isArray Array.of Math.max Math.floor
    .map( .filter( .flatMap( .flat( .concat( .includes( .join( .split( .repeat( .padStart( .slice( .at( .reduce( .some( .every(
    .find( .toSorted( .toReversed( .replaceAll( .trim( .startsWith( .toFixed( .toString( .constructor .__proto__ .length ?.[ ?.(
    customer prefixes mitigate firewall rules tunnels routes tests packet expect rule prefix tunnel priority weight rate burst per
    remote ttl mtu key stateful offload uplinks anycast owners servers store trust sample
    "tidegate" "./lists.js" "./data.json" "../x.json" "/etc/passwd" "node:fs" "./main.policy.js" "./link.js" "./a.txt"
    "drop" "allow" "reject" "acme" "Acme" "a-b" "ip.src" "ip.dst" "5000/s" "0/s" "1/d" "1e3/s" "x" "" 'x'
    => = == === != !== + - * / % ** << >> >>> & | ^ ~ ! && || ?? ? : ?. . ... , ; ( ) [ ] { } < > @ # \` \${ } // /* */ \\ " '
    // tidegate-ignore TG3004: TG3001 TG9999 /a/g @dec <T> as any as const satisfies <!-- #! \\u0061 \\ud800 \\u{110000}`),
  "\n",
  "\r\n",
  "\r",
  "\u2028",
  "\ufeff",
  "\u202e",
  "\u200d",
  "\u0430",
  "\0",
  "\x1b[31m",
  "expr`ip.src in {10.0.0.0/8}`",
  "...a,",
  "...[1, 2], ",
  "() => 1",
  "(x) => x(x)",
  "export default policy({})",
  'gre({ remote: "198.51.100.1" })',
  'import x from "./data.json";\n',
  'import { x } from "./lists.js";\n',
];
