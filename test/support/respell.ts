// biome-ignore-all lint/suspicious/noTemplateCurlyInString: comments that hold an interpolation

/** A string, an interpolation with its strings, or a word between spaces and brackets. */
const WORD = /"[^"]*"|\$\{(?:"(?:\\.|[^"\\])*"|[^"}])*\}|[^\s{}()",]+|[{}(),]/g;

const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  "==": ["==", "eq"],
  "!=": ["!=", "ne"],
  "<": ["<", "lt"],
  "<=": ["<=", "le"],
  ">": [">", "gt"],
  ">=": [">=", "ge"],
  "&": ["&", "bitwise_and"],
  and: ["and", "&&"],
  or: ["or", "||"],
  xor: ["xor", "^^"],
  not: ["not", "!"],
  matches: ["matches", "~"],
};

export const COMMENT = '# and ) "so" ${80} on';
const SPACES = [" ", "  ", "\t", "\n", "\r\n  ", ` ${COMMENT}\n`];

/** The same expression with other spellings and other space. `choices` are numbers from 0 to 5. */
export function respelled(text: string, choices: Iterator<number>): string {
  const choose = (of: readonly string[]): string => of[(choices.next().value ?? 0) % of.length] ?? "";
  const words = text.match(WORD) ?? [];
  return words.map((word) => choose(SPELLINGS[word] ?? [word]) + choose(SPACES)).join("");
}
