import { createRequire } from "node:module";
import { dirname } from "node:path";

const require = createRequire(import.meta.url);

/**
 * The TypeScript compiler. It is required, not imported: Node would scan its nine megabytes for the names that it
 * exports before running it (0.3 s), and the parser of policies has required this very instance already.
 */
export const ts: typeof import("typescript") = require("typescript");

/** The folder of the declarations of JavaScript's own names. */
export const LIBRARIES = dirname(require.resolve("typescript"));
