#!/usr/bin/env node
import { Command, CommanderError, Option } from "commander";
import { EXIT } from "./exit.js";
import { describeApply, memoryDir, stateDir } from "./node-options.js";
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

  policyCommands(tidegate);
  explainCommands(tidegate);
  proofCommands(tidegate);
  authorCommands(tidegate);
  signingCommands(tidegate);
  fleetCommands(tidegate);
  runtimeCommands(tidegate);
  undoCommands(tidegate);
  return tidegate;
}

/** From a policy's text to its bundle. */
function policyCommands(tidegate: Command): void {
  tidegate
    .command("check")
    .description("report mistakes in policies; exit 0: none, 1: errors, 2: usage")
    .argument("<policy...>", "policy files, or edge.ts files")
    .addOption(
      new Option("--format <format>", "how to print")
        .choices(["pretty", "json", "sarif", "github"])
        .default("pretty"),
    )
    .option("--strict", "warnings count as errors")
    .addOption(geo())
    .option("--no-types", "leave out the TypeScript type checker, which takes half of the time")
    .action(async (files, options) =>
      exit(await (await import("./commands/check.js")).check(files, options)),
    );

  tidegate
    .command("compile")
    .description("compile a policy into a bundle")
    .argument("<policy>", "policy file")
    .requiredOption("-o, --output <dir>", "the bundle's directory; an older bundle there is replaced")
    .option("--emit-ir", "print the policy's intermediate form")
    .option("--sign <key>", "sign it with the private key in this file")
    .option("--serial <n>", "with --sign: its serial (default: the time, in milliseconds)")
    .addOption(geo())
    .option("--json", "print figures as JSON")
    .action(async (file, options) =>
      exit(await (await import("./commands/compile.js")).compile(file, options)),
    );
}

/** What a policy does with packets, and what a diagnostic means. */
function explainCommands(tidegate: Command): void {
  tidegate
    .command("explain")
    .description("what happens to a packet, and why")
    .argument("<policy>", "policy file")
    .option("--packet <text>", "one packet, such as 'tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S'")
    .option("--packets <file>", "a file with one packet a line")
    .option("--hex <bytes>", "the bytes of an IP packet or an Ethernet frame")
    .addOption(new Option("--link <link>", "what --hex starts with").choices(["ip", "ethernet"]))
    .option("--pcap <file>", "a capture, as pcap or pcapng: how many packets each rule decides")
    .option("--each", "with --pcap: print each packet too")
    .option("--rule <name>", "print only packets that this rule matches")
    .addOption(
      new Option("--verdict <verdict>", "print only packets with this verdict").choices([
        "allow",
        "drop",
        "reject",
        "gate",
        "foreign",
        "malformed",
        "unclear",
      ]),
    )
    .option("--json", "one JSON object a packet; with --pcap one in all, unless with --each")
    .addOption(geo())
    .action(async (file, options) =>
      exit(await (await import("./commands/explain.js")).explain(file, options)),
    );

  tidegate
    .command("explain-code")
    .description("what a diagnostic's code means, with an example of wrong and right text")
    .argument("<code>", "such as TG2001")
    .action(async (code) => exit((await import("./commands/explain-code.js")).explainCode(code)));
}

/** That a policy does what it should: its own tests, what changed, and the kernel. */
function proofCommands(tidegate: Command): void {
  tidegate
    .command("test")
    .description("run the tests that policies carry; exit 1 when one fails")
    .argument("<policy...>", "policy files")
    .option("--suggest", "propose tests for the rules that no test's packet meets")
    .option("--json", "print the result as JSON")
    .addOption(geo())
    .action(async (files, options) => exit(await (await import("./commands/test.js")).test(files, options)));

  tidegate
    .command("diff")
    .description("which packets two policies treat differently; exit 0: none, 1: some, 2: it cannot be said")
    .argument("<old>", "policy file")
    .argument("<new>", "policy file")
    .option("--json", "print the regions as JSON")
    .addOption(geo())
    .action(async (before, after, options) =>
      exit(await (await import("./commands/diff.js")).diff(before, after, options)),
    );

  tidegate
    .command("verify")
    .description(
      "run packets through the real kernel and hold it against the reference; exit 1 on a mismatch",
    )
    .argument("<target>", "policy file, or a bundle's directory")
    .option("--packets <n>", "how many packets; those that the policy asks for come first (default: 50000)")
    .option("--seed <n>", "for the random ones (default: 1)")
    .option("--json", "print the result as JSON")
    .addOption(geo())
    .action(async (target, options) =>
      exit(await (await import("./commands/verify.js")).verify(target, options)),
    );
}

/** What an author needs beside an editor. */
function authorCommands(tidegate: Command): void {
  tidegate
    .command("fmt")
    .description("put policies and their modules into one style")
    .argument("[file...]", "TypeScript files; with --stdin: the text's name in messages")
    .option("--check", "write nothing; exit 1 when a file is not in style")
    .option("--stdin", "from standard input to standard output, for editors")
    .action(async (files, options) => exit(await (await import("./commands/fmt.js")).fmt(files, options)));

  tidegate
    .command("init")
    .description("write a first policy with tests, and what an editor needs to complete it")
    .argument("[dir]", "folder for it; what is there already is kept", ".")
    .option("--customer <name>", "the customer's name (default: made of the folder's name)")
    .action(async (dir, options) => exit(await (await import("./commands/init.js")).init(dir, options)));
}

function geo(): Option {
  return new Option("--geo <file>", "the operator's tables of countries and AS numbers");
}

/** Who vouches for a bundle. */
function signingCommands(tidegate: Command): void {
  tidegate
    .command("keygen")
    .description("make a key to sign bundles with: NAME.key, secret, and NAME.pub")
    .argument("<name>", "of the key's files; what is there already is kept")
    .option("--json", "print the result as JSON")
    .action(async (name, options) =>
      exit(await (await import("./commands/keygen.js")).keygen(name, options)),
    );

  tidegate
    .command("sign")
    .description("sign a bundle, as its customer's newest")
    .argument("<bundle>", "directory made by `tidegate compile`")
    .requiredOption("--key <file>", "the private key")
    .option("--serial <n>", "its serial, which must grow (default: the time, in milliseconds)")
    .option("--add", "one more signature beside those that are there")
    .option("--json", "print the result as JSON")
    .action(async (dir, options) => exit(await (await import("./commands/sign.js")).sign(dir, options)));
}

/** What many edge servers are to run. */
function fleetCommands(tidegate: Command): void {
  tidegate
    .command("publish")
    .description("put a bundle into the store that edge servers watch")
    .argument("[bundle]", "directory made by `tidegate compile`")
    .requiredOption("--store <store>", "where to, such as dir:/srv/tidegate")
    .option("--remove <customer>", "instead of a bundle: take this customer off every edge server")
    .option("--json", "print the customer's new head as JSON")
    .action(async (bundle, options) =>
      exit(await (await import("./commands/publish.js")).publish(bundle, options)),
    );
}

/** The commands of an edge server; they need root. */
function runtimeCommands(tidegate: Command): void {
  describeApply(tidegate.command("apply")).action(async (dir, options) =>
    exit(await (await import("./commands/apply.js")).applyBundle(dir, options)),
  );

  tidegate
    .command("status")
    .description("what this edge server runs; exit 1 on drift")
    .addOption(stateDir())
    .option("--json", "print as JSON")
    .action(async (options) => exit(await (await import("./commands/status.js")).showStatus(options)));

  tidegate
    .command("watch")
    .description("packets as this edge server judges them, one a line, sampled: what it drops, and why")
    .argument("[customer...]", "whose (default: everybody's)")
    .addOption(
      new Option("--stage <stage>", "only what this stage decides").choices(["mitigate", "firewall"]),
    )
    .option("--rule <name>", "only what this rule decides; `default`: what no rule does")
    .addOption(
      new Option("--verdict <verdict>", "only these (default: all but allow)").choices([
        "drop",
        "reject",
        "allow",
      ]),
    )
    .option("--sample <n>", "of so many packets, look at one (default: 1)")
    .option("--count <n>", "end after so many lines")
    .addOption(stateDir())
    .option("--json", "one JSON object a line")
    .action(async (customers, options) =>
      exit(await (await import("./commands/watch.js")).watchPackets(customers, options)),
    );

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

/** What takes something away from an edge server, or back. */
function undoCommands(tidegate: Command): void {
  tidegate
    .command("rollback")
    .description("put the policy in force that was before; a second time, the one it came from")
    .argument("<customer>", "customer's name")
    .addOption(stateDir())
    .addOption(memoryDir())
    .option("--json", "print the result as JSON")
    .action(async (customer, options) =>
      exit(await (await import("./commands/rollback.js")).rollBack(customer, options)),
    );

  tidegate
    .command("uninstall")
    .description("take every customer off this edge server, and leave it as it was found")
    .addOption(stateDir())
    .option("--json", "print the result as JSON")
    .action(async (options) => exit(await (await import("./commands/uninstall.js")).uninstallAll(options)));
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
