import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Loader, LoaderError } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { compileBpf, EVERY_KIND, UNSAFE_ACCESS } from "./bpf-object.js";
import { mountBpfFs } from "./bpffs.js";

const BINARY = join(packageRoot(), "dist/runtime/loader/tidegate-loader");

/** A loader in a namespace with the devices `left` and `right`, and with one object loaded that has every kind of map. */
export interface LoaderLab {
  readonly loader: Loader;
  readonly namespace: string;
  readonly namespaceFile: string;
  /** On a BPF file system of the lab's own. */
  readonly bpffs: string;
  /** Where the maps and programs of `object.o` are pinned. */
  readonly pins: string;
  /** Holds `object.o` (EVERY_KIND) and `unsafe.o` (UNSAFE_ACCESS). */
  readonly folder: string;
  end(): Promise<void>;
}

export async function startLoaderLab(): Promise<LoaderLab> {
  const bpffs = mountBpfFs();
  const folder = mkdtempSync(join(tmpdir(), "tidegate-loader-"));
  const namespace = `tgl-${process.pid}`;
  const namespaceFile = `/run/netns/${namespace}`;
  compileBpf(join(folder, "object.o"), EVERY_KIND);
  compileBpf(join(folder, "unsafe.o"), UNSAFE_ACCESS);
  execFileSync("ip", ["netns", "add", namespace]);
  execFileSync("ip", ["-n", namespace, "link", "add", "left", "type", "veth", "peer", "name", "right"]);
  const loader = await Loader.start({ command: ["nsenter", `--net=${namespaceFile}`, BINARY] });
  const pins = join(bpffs.path, "object");
  await loader.loadObject({ object: join(folder, "object.o"), pinDir: pins, reuse: {} });
  return {
    ...{ loader, namespace, namespaceFile, pins, folder, bpffs: bpffs.path },
    async end() {
      await loader.close();
      spawnSync("ip", ["netns", "del", namespace]);
      rmSync(folder, { recursive: true, force: true });
      bpffs.unmount();
    },
  };
}

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<LoaderError> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof LoaderError)) throw new Error(`expected a LoaderError, got ${error}`);
  return error;
}
