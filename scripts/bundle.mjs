// Puts the command line into dist/bin: few files instead of some nine hundred, which take Node longer to find and to
// link than a policy takes to check. TypeScript and prettier stay packages of their own: their size is their own code.
import { createHash } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";

/**
 * typescript-estree copies the 2,248 names of TypeScript into a namespace object of its own in 24 modules, 0.2 s in
 * all. The namespaces are only read, so TypeScript itself can stand for each.
 */
const namespaces = {
  name: "typescript-namespaces",
  transform(code, id) {
    if (!id.includes("@typescript-eslint")) return null;
    return code.replaceAll('__importStar(require("typescript"))', 'require("typescript")');
  },
};

const bundle = await rolldown({
  input: { tidegate: "dist/src/cli/main.js", tidegated: "dist/src/cli/tidegated.js" },
  platform: "node",
  external: [/^node:/, /^typescript(\/|$)/, /^prettier(\/|$)/],
  plugins: [namespaces],
});
const { output } = await bundle.write({
  ...{ dir: "dist/bin", format: "esm", cleanDir: true, chunkFileNames: "[name]-[hash].js" },
});
await bundle.close();
for (const { fileName, isEntry } of output) if (isEntry) chmodSync(`dist/bin/${fileName}`, 0o755);

// What a compiler has read another one must read again: src/cli/edge/reading.ts.
const typescript = readFileSync("node_modules/typescript/package.json");
const code = output.map(({ code }) => code ?? "");
writeFileSync("dist/bin/build", createHash("sha256").update([...code, typescript].join("\n")).digest("hex"));
