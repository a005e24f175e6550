import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The installed package's folder: the nearest one upwards whose package.json is Tidegate's. */
export function packageRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file) && JSON.parse(readFileSync(file, "utf8")).name === "tidegate") return folder;
    if (dirname(folder) === folder)
      throw new Error("the tidegate package is incomplete: no package.json found");
  }
}
