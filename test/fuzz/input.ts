import type { ModuleHost, RefusalReason } from "../../src/dsl/modules.js";
import { hostOf } from "../support/modules.js";

/** What is tried: a policy's text with the modules that it may import, by file name. */
export interface FuzzInput {
  /** Which generator made it. */
  readonly kind: string;
  readonly main: string;
  readonly modules: Readonly<Record<string, string>>;
}

export const MAIN = "main.policy.ts";

/** As files hold it: what UTF-8 cannot say becomes U+FFFD, as when the bytes of a file are read. */
export function asStored({ kind, main, modules }: FuzzInput): FuzzInput {
  const stored = Object.entries(modules).map(([name, text]) => [name, utf8(text)]);
  return { kind, main: utf8(main), modules: Object.fromEntries(stored) };
}

function utf8(text: string): string {
  return Buffer.from(text).toString();
}

/** Gives out the input's modules, and refuses the rest for each of the reasons that there are. */
export function hostFor({ main, modules }: FuzzInput): ModuleHost {
  const files = hostOf({ ...modules, [MAIN]: main });
  return {
    resolve: (specifier, from) => {
      const reason = refusalOf(specifier);
      return reason ? { kind: "refused", reason } : files.resolve(specifier, from);
    },
  };
}

function refusalOf(specifier: string): RefusalReason | undefined {
  if (specifier.startsWith("../")) return { kind: "outside", through: "path" };
  if (specifier.includes("link")) return { kind: "outside", through: "link" };
  return /\.(?:txt|mjs)$/.test(specifier)
    ? { kind: "unfit", why: "neither a .ts nor a .json file" }
    : undefined;
}
