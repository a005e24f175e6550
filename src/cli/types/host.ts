import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import type {
  CompilerHost,
  CompilerOptions,
  CreateSourceFileOptions,
  ResolvedModuleWithFailedLookupLocations,
  ScriptTarget,
  SourceFile as TsSourceFile,
} from "typescript";
import { SourceFile } from "../../compiler/diagnostics/span.js";
import type { ModuleHost } from "../../dsl/modules.js";
import { packageRoot } from "../package-root.js";
import { LIBRARIES, ts } from "./typescript.js";

/**
 * What policies are checked with. A tsconfig beside them serves the editor and has no say here: a check in CI must
 * not become weaker with a file that it checks.
 */
export const OPTIONS: CompilerOptions = {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2023,
  lib: ["lib.es2023.d.ts"],
  types: [],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  allowImportingTsExtensions: true,
  resolveJsonModule: true,
  skipLibCheck: true,
};

/** The policies of one check and what they import, under the names that TypeScript knows them by. */
export class Files {
  readonly #sources = new Map<string, SourceFile>();

  /** Adds a file once; gives the absolute name that stands for it. */
  add(source: SourceFile): string {
    const name = nameOf(source.file);
    if (!this.#sources.has(name)) this.#sources.set(name, source);
    return name;
  }

  get(name: string): SourceFile | undefined {
    return this.#sources.get(name);
  }

  /** In the order in which they were added. */
  get names(): readonly string[] {
    return [...this.#sources.keys()];
  }

  /** By the name that their spans have. */
  get sources(): ReadonlyMap<string, SourceFile> {
    return new Map([...this.#sources.values()].map((source) => [source.file, source]));
  }
}

/** TypeScript goes by endings; a policy may have any name, such as /dev/stdin. */
function nameOf(file: string): string {
  const name = resolve(file).split(sep).join("/");
  return /\.(ts|json)$/.test(name) ? name : `${name}.ts`;
}

/**
 * TypeScript's view of the world: the given files, what `modules` gives for their imports, and the libraries. The
 * modules are our reader's own, so nothing is type-checked that could not be read.
 */
export function hostFor(files: Files, modules: ModuleHost): CompilerHost {
  const authoring = authoringTypes();
  const textOf = (name: string): string | undefined => {
    const known = files.get(name)?.text;
    if (known !== undefined) return known;
    const isOurs = name === authoring || dirname(name) === LIBRARIES;
    return isOurs && existsSync(name) ? readFileSync(name, "utf8") : undefined;
  };
  return {
    getSourceFile: (name, version) => parse(name, textOf(name), version),
    fileExists: (name) => textOf(name) !== undefined,
    readFile: textOf,
    getDefaultLibFileName: (options) => join(LIBRARIES, ts.getDefaultLibFileName(options)),
    getDefaultLibLocation: () => LIBRARIES,
    resolveModuleNameLiterals: (literals, from) =>
      literals.map(({ text }) =>
        text === "tidegate" ? found(authoring) : imported(text, from, files, modules),
      ),
    resolveTypeReferenceDirectiveReferences: (references) =>
      references.map(() => ({ resolvedTypeReferenceDirective: undefined })),
    // What stays are questions that a check does not ask, with the answers of a system that has no disk.
    writeFile: () => undefined,
    getCurrentDirectory: () => "/",
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
  };
}

function parse(
  name: string,
  text: string | undefined,
  version: ScriptTarget | CreateSourceFileOptions,
): TsSourceFile | undefined {
  const options = typeof version === "object" ? version : { languageVersion: version };
  // Half of the libraries is comments, which no error needs.
  const jsDocParsingMode = ts.JSDocParsingMode.ParseNone;
  return text === undefined ? undefined : ts.createSourceFile(name, text, { ...options, jsDocParsingMode });
}

function imported(
  specifier: string,
  from: string,
  files: Files,
  modules: ModuleHost,
): ResolvedModuleWithFailedLookupLocations {
  const importer = files.get(from);
  const module = importer && modules.resolve(specifier, importer.file);
  if (module?.kind !== "module") return { resolvedModule: undefined };
  return found(files.add(new SourceFile(module.file, module.text)));
}

function found(name: string): ResolvedModuleWithFailedLookupLocations {
  const extension =
    [ts.Extension.Dts, ts.Extension.Json].find((one) => name.endsWith(one)) ?? ts.Extension.Ts;
  return { resolvedModule: { resolvedFileName: name, extension } };
}

/** The package's own types, whatever `tidegate` lies in a policy's node_modules. From source, there is no build. */
function authoringTypes(): string {
  const isBuilt = import.meta.url.endsWith(".js");
  return join(packageRoot(), isBuilt ? "dist/src/dsl/authoring.d.ts" : "src/dsl/authoring.ts");
}
