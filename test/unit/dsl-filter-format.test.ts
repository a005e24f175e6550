// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions stand here as text
import { describe, expect, test } from "vitest";
import { formatExpression } from "../../src/dsl/filter/format.js";

function format(text: string, options = { indent: 0, width: 60 }): string | undefined {
  const holes = [...text.matchAll(/\$\{[^}]*\}/g)].map((hole) => ({
    start: hole.index,
    end: hole.index + hole[0].length,
  }));
  return formatExpression({ text, holes }, options);
}

describe("one line", () => {
  test.each([
    ["  a==80  ", "a == 80"],
    ["a eq 1 and b ne 1 and c lt 1 && d le 1", "a == 1 and b != 1 and c < 1 and d <= 1"],
    ["a gt 1 or b ge 1 || c", "a > 1 or b >= 1 or c"],
    ["a ^^ b xor ! c", "a xor b xor not c"],
    ["!(a)and b", "not (a) and b"],
    ["not(a or b)", "not (a or b)"],
    ["a bitwise_and 0x12 or b&3", "a & 0x12 or b & 3"],
    ['a ~ "x" or b contains "  #y"', 'a matches "x" or b contains "  #y"'],
    ["a in{ 80   443 1 .. 5 }", "a in {80 443 1..5}"],
    ["a in {}", "a in {}"],
    ["bit_slice( tcp,0 ,8 )==1", "bit_slice(tcp, 0, 8) == 1"],
    ["payload.u8(${ n })in${ list }", "payload.u8(${ n }) in ${ list }"],
    ["${a}and not ${ b }", "${a} and not ${ b }"],
    ["a\n  and\r\n\tb", "a and b"],
    ["ip.src == 2001:DB8::1", "ip.src == 2001:DB8::1"],
  ])("%j", (text, formatted) => {
    expect(format(text)).toBe(formatted);
    expect(format(formatted)).toBe(formatted);
  });
});

describe("several lines, in a file whose expression begins two columns in", () => {
  test.each([
    [
      "ip.dst == 203.0.113.100 and tcp.dstport in {20..21} and not tcp.flags.syn",
      `
    ip.dst == 203.0.113.100
    and tcp.dstport in {20..21}
    and not tcp.flags.syn
  `,
    ],
    [
      "tcp.dstport == 80 and ip.src in {10.0.0.0/8} and tcp.flags.ack or udp.dstport == 53 and udp.len > 512",
      `
    tcp.dstport == 80
      and ip.src in {10.0.0.0/8}
      and tcp.flags.ack
    or udp.dstport == 53 and udp.len > 512
  `,
    ],
    [
      "tcp.flags.syn and (ip.src == 192.0.2.1 or ip.src == 192.0.2.2 or ip.src == 192.0.2.3)",
      `
    tcp.flags.syn
    and (
      ip.src == 192.0.2.1
      or ip.src == 192.0.2.2
      or ip.src == 192.0.2.3
    )
  `,
    ],
    [
      "not ip.src in {10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 198.51.100.1..198.51.100.9}",
      `
    not ip.src in {
      10.0.0.0/8 172.16.0.0/12 192.168.0.0/16
      198.51.100.1..198.51.100.9
    }
  `,
    ],
    [
      "# why\na # because\n# and so\nand b in {80 # http\n443}# last\n# end",
      `
    # why
    a # because
    # and so
    and b in {
      80 # http
      443
    } # last
    # end
  `,
    ],
    [
      "a == # what?\n80 # ${list}",
      `
    a == # what?
      80 # \${list}
  `,
    ],
    [
      "a and ( # odd\n# inner\nb) #z",
      `
    a
    and ( # odd
      # inner
      b
    ) #z
  `,
    ],
  ])("%j", (text, formatted) => {
    const options = { indent: 2, width: 50 };
    expect(format(text, options)).toBe(formatted);
    expect(format(formatted, options)).toBe(formatted);
  });
});

describe("what has a mistake is left alone", () => {
  test.each([
    "",
    "a ==",
    "a = 1",
    "a and",
    "a in {80, 443}",
    "a == 10.0.0.256",
    "(a",
    'a == "x',
    "a in $x",
    "a AND b",
  ])("%j", (text) => {
    expect(format(text)).toBeUndefined();
  });
});
