import { sha256 } from "../hash.js";

/**
 * A customer's firewall under names of its own, so that those of two generations stand side by side in one table.
 *
 * Chains and sets get a tag, the hash of the whole text: generations whose firewalls are the same share them. What
 * remembers something is named by its own terms instead: the chain of a limit and the sets of its keys stay as long as
 * the limit's terms do, whatever else changes. Counters keep their names, and so count on.
 */
export interface Ruleset {
  /** The chain that judges what comes from the edge, and the one for what comes out of a tunnel. */
  readonly entry: string;
  readonly wayBack: string;
  /** Where in prerouting it stands, as nft says: `type filter hook prerouting priority …`. */
  readonly hook: string;
  /** The chain that lowers the MSS of connections through tunnels, and where it stands; null: it has none. */
  readonly segmentSize: { readonly entry: string; readonly hook: string } | null;
  readonly declarations: readonly Declaration[];
}

/** A counter, set or chain, as nft declares it. */
export interface Declaration {
  readonly kind: string;
  readonly name: string;
  readonly lines: readonly string[];
}

/** The tagged name of a firewall's first chain. `hash` is the SHA-256 of its text. */
export function entryName(hash: string): string {
  return `${ENTRY}.${hash.slice(0, TAG)}`;
}

export const ENTRY = "prerouting";
const WAY_BACK = "way-back";
const SEGMENT_SIZE = "segment-size";

/** So many digits of a hash: two firewalls of one customer do not meet in them. */
const TAG = 12;

/**
 * Reads `nft/<customer>.nft` of a bundle; `hash` is the SHA-256 of the text. Throws where it is not laid out as the compiler lays
 * it out.
 */
export function readRuleset(text: string, hash: string): Ruleset {
  const declared = readDeclarations(text);
  const names = newNames(declared, hash.slice(0, TAG));
  const hookOf = (chain: string) =>
    declared
      .find(({ kind, name }) => kind === "chain" && name === chain)
      ?.lines.find(isHook)
      ?.trim();
  const hook = hookOf(ENTRY);
  const sizesHook = hookOf(SEGMENT_SIZE);
  if (!hook || !names.has(WAY_BACK))
    throw new Error(`the firewall has no \`${ENTRY}\` or no \`${WAY_BACK}\``);
  const rename = (name: string) => names.get(name) ?? name;
  return {
    entry: rename(ENTRY),
    wayBack: rename(WAY_BACK),
    hook,
    segmentSize: sizesHook === undefined ? null : { entry: rename(SEGMENT_SIZE), hook: sizesHook },
    declarations: declared.map(({ kind, name, lines }) => ({
      kind,
      name: kind === "counter" ? name : rename(name),
      lines: lines.filter((line) => !isHook(line)).map((line) => renameIn(line, rename)),
    })),
  };
}

const TABLE = "table inet tidegate {";
const OPENING = /^\t(counter|set|chain) ([a-z][a-z0-9-]*) \{$/;
const CLOSING = "\t}";

function readDeclarations(text: string): readonly Declaration[] {
  const lines = text.split("\n");
  const start = lines.indexOf(TABLE);
  if (start < 0) throw new Error(`the firewall is not a table: ${lines[0]}`);
  const body = lines.slice(start + 1, lines.lastIndexOf("}"));
  const declared: Declaration[] = [];
  for (let at = 0; at < body.length; ) {
    const line = body[at] ?? "";
    const [, kind, name] = OPENING.exec(line) ?? [];
    const end = body.indexOf(CLOSING, at);
    if (line === "") at++;
    else if (kind === undefined || name === undefined || end < 0)
      throw new Error(`the firewall declares what is not known here: ${line.trim()}`);
    else {
      declared.push({ kind, name, lines: body.slice(at + 1, end) });
      at = end + 1;
    }
  }
  return declared;
}

function isHook(line: string): boolean {
  return line.trimStart().startsWith("type filter hook ");
}

/** The tagged name of each chain and set. */
function newNames(declared: readonly Declaration[], tag: string): ReadonlyMap<string, string> {
  const tags = new Map(
    declared.filter(({ kind }) => kind !== "counter").map(({ name }) => [name, tag] as const),
  );
  for (const limit of declared.filter(remembers)) {
    const sets = declared.filter(({ kind, name }) => kind === "set" && namesIn(limit).has(name));
    const terms = [limit, ...sets].map(({ name, lines }) => [name, ...lines].join("\n"));
    for (const { name } of [limit, ...sets]) tags.set(name, tagOf(terms.join("\n")));
  }
  return new Map([...tags].map(([name, own]) => [name, `${name}.${own}`]));
}

/** Its rules hold allowances. All else that such a chain names is counters. */
function remembers({ kind, lines }: Declaration): boolean {
  return kind === "chain" && lines.some((line) => /\blimit rate\b/.test(line));
}

/** A quoted text, or where a chain or a set is named. */
const REFERENCE = /"[^"]*"|(?<=\b(?:jump|goto) |@)[a-z][a-z0-9-]*/g;

function namesIn({ lines }: Declaration): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.match(REFERENCE) ?? []));
}

function renameIn(line: string, rename: (name: string) => string): string {
  return line.replace(REFERENCE, (found) => (found.startsWith('"') ? found : rename(found)));
}

function tagOf(text: string): string {
  return sha256(text).slice(0, TAG);
}
