import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

/** What the README shows must be what a reader gets. Needs the built command line (scripts/build). */
const ROOT = join(import.meta.dirname, "../..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** The console blocks: a `$ npx tidegate …` line, and what it prints up to the next command. */
const sessions = [...README.matchAll(/^\$ npx tidegate ((?:.|\n(?!\$|```|\n\$))*)/gm)].map(
  ([, text = ""]) => {
    const [command = "", ...output] = text.split("\n");
    return { command: command.replace(/ +#.*$/, ""), output: output.join("\n").trim() };
  },
);

describe("README", () => {
  test("shows Acme's policy as it is", () => {
    const [, shown] = README.match(/```ts\n([\s\S]*?)```/) ?? [];
    expect(shown).toBe(readFileSync(join(ROOT, "examples/acme/acme.policy.ts"), "utf8"));
  });

  test("has sessions", () => {
    expect(sessions.map(({ command }) => command.split(" ")[0])).toEqual(["explain", "check", "compile"]);
  });

  test.each(sessions.filter(({ command }) => !command.startsWith("compile")))("$command", (session) => {
    const { stdout } = spawnSync("sh", ["-c", `node dist/src/cli/main.js ${session.command}`], {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    // An ellipsis on a line of its own stands for lines left out.
    for (const part of session.output.split(/^…$/m)) expect(stdout).toContain(part.trim());
  });
});
