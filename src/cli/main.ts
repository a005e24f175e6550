#!/usr/bin/env node
import { Command, CommanderError, Option } from "commander";
import { EXIT } from "./exit.js";
import { version } from "./version.js";

/**
 * The command line. Each command's module is imported only when it runs: reading a policy needs the TypeScript
 * parser, which costs half a second that `--help` and `status` must not pay.
 */
function program(): Command {
  const tidegate = new Command("tidegate")
    .description("Compiles network policy into XDP, nftables and GRE routes that agree, and loads them.")
    .version(version())
    .exitOverride()
    .showHelpAfterError("(see tidegate --help)");

  tidegate
    .command("check")
    .description("report mistakes in policies; exit 0: none, 1: errors, 2: usage")
    .argument("<policy...>", "policy files, or edge.ts files")
    .addOption(
      new Option("--format <format>", "how to print").choices(["pretty", "json", "github"]).default("pretty"),
    )
    .option("--strict", "warnings count as errors")
    .option("--no-types", "without the TypeScript type checker (which is not part of the check yet)")
    .action(async (files, options) =>
      exit(await (await import("./commands/check.js")).check(files, options)),
    );

  tidegate
    .command("compile")
    .description("compile a policy into a bundle")
    .argument("<policy>", "policy file")
    .requiredOption("-o, --output <dir>", "the bundle's directory; an older bundle there is replaced")
    .option("--emit-ir", "print the policy's intermediate form")
    .option("--json", "print figures as JSON")
    .action(async (file, options) =>
      exit(await (await import("./commands/compile.js")).compile(file, options)),
    );

  tidegate
    .command("explain")
    .description("what happens to a packet, and why")
    .argument("<policy>", "policy file")
    .option("--packet <text>", "one packet, such as 'tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S'")
    .option("--packets <file>", "a file with one packet a line")
    .option("--json", "one JSON object a packet")
    .action(async (file, options) =>
      exit(await (await import("./commands/explain.js")).explain(file, options)),
    );

  tidegate
    .command("explain-code")
    .description("the long explanation of a diagnostic's code")
    .argument("<code>", "such as TG2001")
    .action(async (code) => exit((await import("./commands/explain-code.js")).explainCode(code)));

  tidegate
    .command("test")
    .description("run the tests that policies carry; exit 1 when one fails")
    .argument("<policy...>", "policy files")
    .option("--json", "print the result as JSON")
    .action(async (files, options) => exit(await (await import("./commands/test.js")).test(files, options)));

  runtimeCommands(tidegate);
  return tidegate;
}

/** The commands of an edge server; they need root. */
function runtimeCommands(tidegate: Command): void {
  const stateDir = () =>
    new Option("--state-dir <dir>", "where the node keeps its state").default("/run/tidegate");

  tidegate
    .command("apply")
    .description("load a bundle on this edge server")
    .argument("<bundle>", "directory made by `tidegate compile`")
    .requiredOption("--edge <file>", "the operator's edge.ts")
    .addOption(stateDir())
    .option("--json", "print the result as JSON")
    .action(async (dir, options) =>
      exit(await (await import("./commands/apply.js")).applyBundle(dir, options)),
    );

  tidegate
    .command("status")
    .description("what this edge server runs; exit 1 on drift")
    .addOption(stateDir())
    .option("--json", "print as JSON")
    .action(async (options) => exit(await (await import("./commands/status.js")).showStatus(options)));

  tidegate
    .command("remove")
    .description("take a customer off this edge server")
    .argument("<customer>", "customer's name")
    .addOption(stateDir())
    .option("--json", "print the result as JSON")
    .action(async (customer, options) =>
      exit(await (await import("./commands/remove.js")).removeCustomer(customer, options)),
    );
}

function exit(code: number): void {
  process.exitCode = code;
}

try {
  await program().parseAsync();
} catch (problem) {
  if (problem instanceof CommanderError) process.exitCode = problem.exitCode === 0 ? EXIT.ok : EXIT.usage;
  else {
    const { printProblem } = await import("./render/problem.js");
    process.exitCode = printProblem(problem);
  }
}
