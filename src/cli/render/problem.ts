import pc from "picocolors";
import { EXIT, UsageError } from "../exit.js";
import { printable } from "./underline.js";

/** Prints what stopped a command, in one or two lines, and tells the exit code. */
export function printProblem(problem: unknown): number {
  if (problem instanceof UsageError) {
    console.error(`${pc.red("tidegate:")} ${visible(problem.message)}`);
    return EXIT.usage;
  }
  if (isRuntimeFailure(problem)) {
    console.error(`${pc.red(pc.bold(`error[${problem.code}]`))}: ${visible(problem.message)}`);
    if (problem.hint) console.error(`  ${pc.green("hint:")} ${visible(problem.hint)}`);
    return EXIT.failed;
  }
  console.error(problem instanceof Error ? (problem.stack ?? problem.message) : String(problem));
  return EXIT.failed;
}

/** Messages name files, and files may be named by anybody. */
function visible(message: string): string {
  return message.split("\n").map(printable).join("\n");
}

interface Failure extends Error {
  readonly code: string;
  readonly hint: string | null;
}

/** By shape and not by class: importing the runtime would cost every command its start-up time. */
function isRuntimeFailure(problem: unknown): problem is Failure {
  return problem instanceof Error && problem.name === "RuntimeFailure";
}
