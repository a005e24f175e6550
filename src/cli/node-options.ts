import { type Command, Option } from "commander";

/** What the command `apply` takes, also where it is handed over to the daemon. */
export function describeApply(command: Command) {
  return command
    .description("load a bundle on this edge server")
    .argument("<bundle>", "directory made by `tidegate compile`")
    .requiredOption("--edge <file>", "the operator's edge.ts")
    .addOption(stateDir())
    .addOption(memoryDir())
    .option("--rollback", "take a signed bundle that is older than the newest one, too")
    .option("--json", "print the result as JSON");
}

export function stateDir(): Option {
  return new Option("--state-dir <dir>", "where the node keeps its state").default("/run/tidegate");
}

export function memoryDir(): Option {
  const text = "where a node with keys remembers what it had, beyond a reboot";
  return new Option("--memory-dir <dir>", text).default("/var/lib/tidegate");
}
