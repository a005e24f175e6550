import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { publishBundle } from "../../runtime/store/bundles.js";
import { dirStore } from "../../runtime/store/dir-store.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { type AcmeEdge, NODE } from "./acme-edge.js";
import { writeEdge } from "./daemon.js";

/** A store of policies beside an edge server of the test's own, of whom its daemon is told in an edge.ts of `NODE`. */
export class EdgeStore {
  readonly #edge: AcmeEdge;
  readonly #folder: string;
  /** The daemon's. */
  readonly options: readonly string[];

  constructor(edge: AcmeEdge) {
    this.#edge = edge;
    this.#folder = join(edge.server.folder, "store");
    mkdirSync(this.#folder);
    const node = writeEdge(join(edge.server.folder, "edge.ts"), NODE);
    this.options = ["--node", node, "--store", `dir:${this.#folder}`, "--metrics", "off"];
  }

  /** `name`: of the bundle. */
  async publish(name: string, policy: Policy): Promise<void> {
    await publishBundle(dirStore(this.#folder), this.#edge.bundle(name, policy));
  }
}
