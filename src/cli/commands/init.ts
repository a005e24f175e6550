import { basename, join, relative, resolve } from "node:path";
import pc from "picocolors";
import { isName, NAME_MAX, safeName } from "../../compiler/passes/names.js";
import { EXIT, UsageError } from "../exit.js";
import { projectFiles } from "../init/project.js";
import { type Written, writeProject } from "../init/write-project.js";
import { printable } from "../render/underline.js";

interface InitOptions {
  readonly customer?: string;
}

const PAINT = { created: pc.green, there: pc.dim, kept: pc.yellow } as const satisfies Record<
  Written,
  unknown
>;
const REMARKS: Readonly<Record<Written, string>> = {
  created: "",
  there: "as it should be",
  kept: "there is another file of this name",
};

/** `tidegate init`: a first policy, and what editors need for it. Overwrites nothing; exit 1 when a file was in the way. */
export async function init(directory: string, options: InitOptions): Promise<number> {
  const customer = customerName(resolve(directory), options);
  const results = writeProject(directory, projectFiles(customer));
  for (const { path, written } of results) {
    const remark = REMARKS[written] === "" ? "" : pc.dim(`  ${REMARKS[written]}`);
    console.log(`${PAINT[written](written.padEnd(7))}  ${printable(join(directory, path))}${remark}`);
  }
  const kept = results.filter(({ written }) => written === "kept");
  console.log(kept.length === 0 ? nextSteps(directory, customer) : inTheWay(kept.length));
  return kept.length === 0 ? EXIT.ok : EXIT.failed;
}

/** The name that was given, or one made of the folder's. */
function customerName(folder: string, { customer }: InitOptions): string {
  if (customer === undefined) return safeName(basename(folder)) ?? "example";
  if (isName(customer)) return customer;
  const safe = safeName(customer);
  const hint = safe === undefined ? "" : `; write ${safe}`;
  throw new UsageError(`a customer's name is small letters, digits and \`-\`, at most ${NAME_MAX}${hint}`);
}

function nextSteps(directory: string, customer: string): string {
  const folder = relative(process.cwd(), resolve(directory));
  const policy = `${customer}.policy.ts`;
  const steps = [
    ...(folder === "" ? [] : [`cd ${shellWord(folder)}`]),
    `tidegate check ${policy}`,
    `tidegate test ${policy}`,
    `tidegate compile ${policy} -o build/${customer}`,
  ];
  return ["", `Put your own prefixes into ${policy}, then:`, ...steps.map((step) => `  ${step}`)].join("\n");
}

/** A path as a POSIX shell takes it from a line that is copied; no option, and no command of its own. */
function shellWord(path: string): string {
  const word = printable(path.startsWith("-") ? `./${path}` : path);
  return /^[\w./@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function inTheWay(count: number): string {
  const files = count === 1 ? "1 file was" : `${count} files were`;
  return `\n${files} in the way and kept. Move them, or give another folder: tidegate init DIR`;
}
