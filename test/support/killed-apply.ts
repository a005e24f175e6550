import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../../runtime/native-process.js";
import type { NodeConfig } from "../../src/targets/manifest.js";
import type { EdgeServer } from "./edge-server.js";

/**
 * Applies a bundle, and kills the runtime or its loader when a step begins, by a signal that nobody can catch; gives what the
 * runtime said.
 */
export function applyKilled(
  server: EdgeServer,
  {
    victim,
    bundle,
    node,
    step,
  }: {
    readonly victim: "runtime" | "loader";
    readonly bundle: string;
    readonly node: NodeConfig;
    readonly step: string;
  },
): string {
  const pid = victim === "runtime" ? "process.pid" : "loader()";
  const script = `
    import { readFileSync } from "node:fs";
    const { apply } = await import(${JSON.stringify(join(packageRoot(), "dist/runtime/apply.js"))});
    const children = () => readFileSync("/proc/self/task/" + process.pid + "/children", "utf8").trim().split(" ");
    const named = (pid) => readFileSync("/proc/" + pid + "/comm", "utf8").startsWith("tidegate-loade");
    const loader = () => Number(children().find(named));
    const onStep = (step) => step === ${JSON.stringify(step)} && process.kill(${pid}, "SIGKILL");
    const options = { bundle: ${JSON.stringify(bundle)}, node: ${JSON.stringify(node)}, onStep };
    console.log(await apply(options).then(() => "applied", ({ code, message }) => code + " " + message));`;
  const [command, ...args] = server.enter(["node", "--input-type=module", "-e", script]);
  return spawnSync(command, args, { encoding: "utf8" }).stdout;
}
