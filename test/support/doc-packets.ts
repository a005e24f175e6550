import { readFileSync } from "node:fs";
import { join } from "node:path";
import { snippetsOf } from "./doc-snippets.js";
import { type Pinned, pinned } from "./pinned-packets.js";

const PAGE = join(import.meta.dirname, "../../docs/semantics.md");

/** The packets of docs/semantics.md under the heading that they stand below, each block with the policy above it. */
export function packetsOfPage(): readonly (Pinned & { readonly heading: string })[] {
  const text = readFileSync(PAGE, "utf8");
  const lines = text.split("\n");
  let properties = "";
  return snippetsOf(text).flatMap((snippet) => {
    if (snippet.kind === "ts policy") properties = snippet.text;
    if (snippet.kind !== "packets") return [];
    const heading = lines.slice(0, snippet.line).findLast((line) => line.startsWith("## ")) ?? "";
    return [{ heading: heading.slice(3), ...pinned(properties, snippet.text) }];
  });
}
