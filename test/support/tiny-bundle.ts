import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Manifest } from "../../src/targets/manifest.js";

/** A bundle that is read like any other, though nothing could run of it. */
export const CONTENT = "table inet tidegate {\n}\n";

export const MANIFEST: Manifest = {
  schema: 1,
  compiler: "test",
  customer: "acme",
  namespace: "tg-acme",
  link: "tg-acme",
  prefixes: ["203.0.113.0/24"],
  source: { file: "acme.policy.ts", sha256: "0".repeat(64), modules: [] },
  mitigate: [],
  firewall: { default: "drop", rules: [], early: false },
  tunnels: [],
  noLiveTunnel: "blackhole",
  tables: [],
  limits: [],
  watched: false,
  files: { "nft/acme.nft": sha256(CONTENT) },
};

export function writeTinyBundle(folder: string, overrides: object = {}): void {
  writeIn(folder, "manifest.json", spelled({ ...MANIFEST, ...overrides }));
  writeIn(folder, "nft/acme.nft", CONTENT);
}

export function writeIn(folder: string, file: string, content: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), content);
}

/** As a manifest is spelled, whatever it says. */
export function spelled(manifest: object): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The code that `action` fails with. */
export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
    return "none";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
