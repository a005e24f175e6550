import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPackets } from "../../src/cli/packets.js";
import { pcapFile } from "../support/capture-files.js";
import { bare, exchangesOf, isShown, snippetsOf } from "../support/doc-snippets.js";

/** Needs the built command line (scripts/build). UPDATE_DOCS=1 writes into the page what the commands print. */
const ROOT = join(import.meta.dirname, "../..");
const FILE = join(ROOT, "docs/explain.md");
const PAGE = readFileSync(FILE, "utf8");
const UPDATE = process.env["UPDATE_DOCS"] === "1";

const snippets = snippetsOf(PAGE);
const exchanges = snippets.filter(({ kind }) => kind === "console").flatMap(({ text }) => exchangesOf(text));

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-explain-"));
  copyFileSync(join(ROOT, "examples/acme/acme.policy.ts"), join(folder, "acme.policy.ts"));
  const packets = snippets.find(({ kind }) => kind === "packets")?.text ?? "";
  writeFileSync(join(folder, "packets.txt"), packets);
  const recorded = readPackets("packets.txt", packets).map(({ bytes, at }) => ({ bytes, time: at }));
  const capture = pcapFile({ little: true, nanoseconds: true, linkType: 101 }, recorded);
  writeFileSync(join(folder, "noon.pcap"), capture);
});

afterAll(() => rmSync(folder, { recursive: true }));

function run(command: string): string {
  const script = `tidegate() { node '${join(ROOT, "dist/bin/tidegate.js")}' "$@"; }\n{ ${command}\n} 2>&1`;
  const { stdout } = spawnSync("sh", ["-c", script], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  return bare(stdout);
}

describe("docs/explain.md", () => {
  test("has commands of every kind", () => {
    for (const option of ["--packet ", "--hex", "--packets", "--pcap", "--each", "--json", "--rule"])
      expect(exchanges.filter(({ command }) => command.includes(option)).length).toBeGreaterThan(0);
  });

  test.each(exchanges)("$command", ({ command, output }) => {
    const printed = run(command);
    if (!UPDATE) return expect(printed).toSatisfy(() => isShown(output, printed));
    const block = (text: string) => (text === "" ? `$ ${command}\n` : `$ ${command}\n${text}\n`);
    const page = readFileSync(FILE, "utf8");
    writeFileSync(
      FILE,
      page.replace(block(output), () => block(printed)),
    );
  });
});
