import { join } from "node:path";
import { packageRoot } from "../../src/cli/package-root.js";

const DIST = join(packageRoot(), "dist");

/** native/wire.c: sends packets as they are. */
export const WIRE = join(DIST, "examples", "lab", "wire");

/** The command line of one of the lab's own small Node programs, in actors/. */
export function actor(name: string, ...args: readonly string[]): readonly string[] {
  return [process.execPath, join(DIST, "examples", "lab", "actors", `${name}.js`), ...args];
}

/** The command line of the real `tidegate`. */
export function tidegate(...args: readonly string[]): readonly string[] {
  return [process.execPath, join(DIST, "src", "cli", "main.js"), ...args];
}

/** `argv` inside a named network namespace; not by `ip netns exec`, which also remounts /sys. */
export function inNamespace(namespace: string, argv: readonly string[]): readonly string[] {
  return ["nsenter", `--net=/run/netns/${namespace}`, "--", ...argv];
}
