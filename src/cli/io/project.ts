import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from "node:fs";
import { basename, dirname, extname, join, normalize, relative, resolve, sep } from "node:path";
import type { ModuleHost, RefusalReason, Resolution } from "../../dsl/modules.js";

/** Far more than a person writes, and what a list of a million prefixes of IPv6 needs. */
const MAX_BYTES: Readonly<Record<string, number>> = { ".ts": 8 * 1024 * 1024, ".json": 64 * 1024 * 1024 };
/** What makes a folder a project. */
const MARKS = ["package.json", "tsconfig.json", ".git"];
/** So many names are no list to choose a suggestion from. */
const MAX_NAMES = 1000;

/** A module that was given out, with the limits of those that it imports. */
interface Known {
  readonly path: string;
  readonly project: string;
}

/**
 * The modules of the policies on this machine. What a policy imports must lie in its project, which is the nearest
 * folder above it that has a package.json, a tsconfig.json or a .git, or else the policy's own folder; symbolic
 * links are followed first, so that none leads out. Only regular files are opened, and none larger than the limits.
 */
export function projectModules(): ModuleHost {
  /** By the names that spans have. */
  const known = new Map<string, Known>();
  /** The one name of each file, however it was reached. */
  const names = new Map<string, string>();
  return { resolve: resolveModule };

  function resolveModule(specifier: string, from: string): Resolution {
    const importer = known.get(from) ?? entry(from);
    if (!importer) return refused({ kind: "missing", names: [] });
    // A NUL would end the name for the system and not for us.
    if (specifier.includes("\0")) return refused({ kind: "missing", names: [] });
    const wanted = resolve(dirname(importer.path), specifier);
    if (!isInside(wanted, importer.project)) return refused({ kind: "outside", through: "path" });
    const path = candidates(wanted)
      .map(realPath)
      .find((one) => one !== undefined);
    if (path === undefined) return refused(missing(wanted, specifier, importer.project));
    if (!isInside(path, importer.project)) return refused({ kind: "outside", through: "link" });
    const text = readText(path);
    if (typeof text !== "string") return refused({ kind: "unfit", why: text.why });
    const file = names.get(path) ?? nameFrom(from, importer.path, path);
    names.set(path, file);
    known.set(file, { path, project: importer.project });
    return { kind: "module", file, text };
  }

  /** A file that the user named, and that no import has led to. */
  function entry(file: string): Known | undefined {
    const path = realPath(file);
    if (path === undefined) return undefined;
    const made = { path, project: projectOf(path) };
    known.set(file, made);
    names.set(path, file);
    return made;
  }
}

function refused(reason: RefusalReason): Resolution {
  return { kind: "refused", reason };
}

/** The path without symbolic links; undefined if it leads to nothing. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function projectOf(path: string): string {
  const own = dirname(path);
  for (let folder = own; ; folder = dirname(folder)) {
    if (MARKS.some((mark) => existsSync(join(folder, mark)))) return folder;
    if (dirname(folder) === folder) return own;
  }
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** What a specifier may mean: TypeScript writes "./x.js" for x.ts (as do its NodeNext modules), many write "./x". */
function candidates(path: string): readonly string[] {
  const asWritten = [path];
  if (path.endsWith(".js")) return [`${path.slice(0, -".js".length)}.ts`, ...asWritten];
  return extname(path) === ".ts" || extname(path) === ".json" ? asWritten : [`${path}.ts`, ...asWritten];
}

/** The text of a module, or why it is none. */
function readText(path: string): string | { readonly why: string } {
  const most = MAX_BYTES[extname(path)];
  if (most === undefined) return { why: "neither a .ts nor a .json file" };
  if (/\.d\.ts$/.test(path)) return { why: "a file of declarations (.d.ts), which has no values" };
  try {
    return readRegular(path, most);
  } catch (problem) {
    const { code } = problem as NodeJS.ErrnoException;
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return { why: "not UTF-8 text" };
    return { why: code === "EACCES" ? "not readable (permission denied)" : `not readable (${code})` };
  }
}

function readRegular(path: string, most: number): string | { readonly why: string } {
  // Non-blocking: to open a pipe would wait for its other end. The file that is looked at is the file that is read.
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = fstatSync(handle);
    if (status.isDirectory()) return { why: "a folder" };
    if (!status.isFile()) return { why: "not a regular file" };
    if (status.size > most) return { why: `larger than ${most / 1024 / 1024} MB` };
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(handle));
  } finally {
    closeSync(handle);
  }
}

/** The name of a module in messages: as its importer's, on the way from there. */
function nameFrom(from: string, importer: string, path: string): string {
  return normalize(join(dirname(from), relative(dirname(importer), path)));
}

/** The modules of the folder, as an import beside them would write them. */
function missing(wanted: string, specifier: string, project: string): RefusalReason {
  const folder = dirname(wanted);
  const written = specifier.slice(0, specifier.length - basename(specifier).length);
  const extension = [".js", ".ts", ".json"].find((one) => specifier.endsWith(one)) ?? "";
  return {
    kind: "missing",
    names: modulesIn(folder, project).map((name) => written + inStyle(name, extension)),
  };
}

function modulesIn(folder: string, project: string): readonly string[] {
  try {
    if (!isInside(realpathSync(folder), project)) return [];
    const files = readdirSync(folder).filter(
      (name) => /\.(?:ts|json)$/.test(name) && !name.endsWith(".d.ts"),
    );
    return files.sort().slice(0, MAX_NAMES);
  } catch {
    return [];
  }
}

function inStyle(name: string, extension: string): string {
  return name.endsWith(".ts") && extension !== ".json" ? name.slice(0, -".ts".length) + extension : name;
}
