import { error, example, message } from "../entry.js";

/** TG2050 to TG2099: a value does not have the shape that the place needs. */
export const SHAPES = {
  TG2050: error(
    message`\`${"property"}\` is missing in ${"object"}`,
    `The property has no default, because every choice would surprise someone. Write it out.`,
    example("policy", "firewall: { rules: [] }", 'firewall: { default: "drop", rules: [] }'),
    "add it; there is no default",
  ),
  TG2051: error(
    message`unknown property \`${"property"}\` in ${"object"}`,
    `Unknown properties are refused, because a misspelled one would silently do nothing.`,
    example("policy", "mitigat: []", "mitigate: []"),
    "remove it",
  ),
  TG2052: error(
    message`\`${"property"}\` is not supported yet`,
    `The option is reserved for a later version of Tidegate. It is refused rather than ignored, because a policy must
never do less than it says.`,
    example(
      "policy",
      'mitigate: [limit("syn", expr`tcp.flags.syn`, { rate: "50/s", table: 1000 })]',
      'mitigate: [limit("syn", expr`tcp.flags.syn`, { rate: "50/s" })]',
    ),
    "leave it out for now",
  ),
  TG2053: error(
    message`${"what"} must be ${"expected"}, not ${"found"}`,
    `The value is of another kind than this place needs. The types that "tidegate" exports say the same in an editor.`,
    example("policy", 'prefixes: "203.0.113.0/24"', 'prefixes: ["203.0.113.0/24"]'),
  ),
  TG2054: error(
    message`\`${"call"}\` takes ${"expected"}, found ${"found"}`,
    `Every rule has a name and an expression: drop("bogons", expr\`…\`). A limit has a rate as well:
limit("flood", expr\`…\`, { rate: "5000/s" }). All other functions take one object or array.`,
    example(
      "policy",
      "mitigate: [drop(expr`tcp.dstport == 23`)]",
      'mitigate: [drop("telnet", expr`tcp.dstport == 23`)]',
    ),
  ),
  TG2070: error(
    message`${"problem"} (TS${"code"})`,
    `TypeScript's type checker found this, and the words and the number behind them are its own. The types are those of
this Tidegate, strict, whatever a tsconfig beside the policy says. \`tidegate check --no-types\` leaves the type
checker out; Tidegate's own reader then still checks what reaches the policy.`,
    example("statements", 'const port: number = "443";', "const port: number = 443;"),
  ),
  TG2071: error(
    message`a policy cannot have conditional types`,
    `Conditional types compute, without a limit, while the type checker runs; a policy is data, and checking it must
end soon. Write out the type that is meant, as an interface or as a union of the possible values.`,
    example(
      "statements",
      "type Port<T> = T extends string ? number : string;",
      'type Port = number | "any";',
    ),
    "write out the type that is meant",
  ),
};
