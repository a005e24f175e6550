import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const BIN = join(ROOT, "dist/bin");

/** The command as it is installed: everything else tests its source. */
function tidegate(...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const { status, stdout } = spawnSync(join(BIN, "tidegate.js"), args, { encoding: "utf8", cwd: ROOT });
  return { status, stdout };
}

describe("the bundled command", () => {
  let folder = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-bundle-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("finds the package that it belongs to", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(tidegate("--version")).toEqual({ status: 0, stdout: `${version}\n` });
  });

  test("reads a policy, and type-checks it with the declarations beside it", () => {
    const file = join(folder, "acme.policy.ts");
    const text = readFileSync(join(ROOT, "examples/acme/acme.policy.ts"), "utf8");
    writeFileSync(file, text);
    expect(tidegate("check", file).status).toBe(0);
    writeFileSync(file, `${text}const port: number = "443";\nconst none = nothing;\n`);
    const { status, stdout } = tidegate("check", "--format", "json", file);
    expect(JSON.parse(stdout).map(({ code }: { code: string }) => code)).toEqual(["TG2070", "TG1020"]);
    expect(status).toBe(1);
  });

  /** The hunt for planted bugs makes nothing but the bundle again (test/mutations/tree.ts). */
  test("made anew by itself, can be started", () => {
    const top = join(folder, "anew");
    mkdirSync(join(top, "dist"), { recursive: true });
    for (const name of ["node_modules", "package.json", "dist/src"])
      symlinkSync(join(ROOT, name), join(top, name));
    const bundle = [join(ROOT, "scripts/bundle.mjs")];
    expect(spawnSync(process.execPath, bundle, { encoding: "utf8", cwd: top })).toMatchObject({ status: 0 });
    for (const name of ["tidegate.js", "tidegated.js"])
      expect(spawnSync(join(top, "dist/bin", name), ["--help"])).toMatchObject({ status: 0 });
  });

  test("holds no copy of TypeScript, whole or of its names", () => {
    const texts = readdirSync(BIN).map((name) => readFileSync(join(BIN, name), "utf8"));
    expect(texts.some((text) => text.includes('require("typescript")'))).toBe(true);
    expect(texts.filter((text) => /__importStar\(\w*require\("typescript"\)\)/.test(text))).toEqual([]);
    expect(texts.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(4_000_000);
  });
});
