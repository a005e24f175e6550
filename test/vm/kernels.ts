import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Missing, output } from "./commands.js";

/** The matrix. Debian's "cloud" flavour: what servers run, half as large. 6.12 is in bookworm-security as in trixie. */
export const SERIES = ["6.1", "6.12"] as const;
export type Series = (typeof SERIES)[number];

/** A Debian kernel, unpacked but never installed. */
export interface Kernel {
  readonly series: Series;
  /** As uname(1) says it. */
  readonly release: string;
  /** boot/vmlinuz-RELEASE. */
  readonly image: string;
  /** lib/modules/RELEASE, with modules.dep. */
  readonly modules: string;
}

/** Gets a kernel from the package archives that apt(8) knows, which checks signatures and hashes; once for a release. */
export async function kernelOf(series: Series): Promise<Kernel> {
  const name = await newestPackage(series);
  const release = name.slice("linux-image-".length);
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tidegate", "kernels");
  const folder = join(cache, release);
  if (!existsSync(folder)) await unpack(name, release, cache);
  return {
    series,
    release,
    image: join(folder, "root/boot", `vmlinuz-${release}`),
    modules: join(folder, "root/lib/modules", release),
  };
}

async function newestPackage(series: Series): Promise<string> {
  const pattern = `^linux-image-${series.replace(".", "\\.")}\\.[^ ]*-cloud-amd64$`;
  const found = await output("apt-cache", ["search", "--names-only", pattern]);
  const names = found.split("\n").flatMap((line) => line.split(" ")[0] || []);
  const newest = names.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  if (newest) return newest;
  throw new Missing(
    `apt knows no Debian kernel ${series}: run \`apt-get update\`; bookworm has 6.1, bookworm-security and trixie 6.12`,
  );
}

/** Puts `cache/release` there as a whole: whoever is interrupted leaves nothing that looks ready. */
async function unpack(name: string, release: string, cache: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "unpacking-"));
  try {
    console.log(`getting ${name}`);
    await output("apt-get", ["download", "-q", name], folder).catch((error: Error) => {
      throw new Missing(`${error.message.trim()}\nIs the list of packages old? Run \`apt-get update\``);
    });
    const archive = (await readdir(folder)).find((file) => file.endsWith(".deb"));
    if (!archive) throw new Error(`apt-get downloaded no ${name}`);
    const root = join(folder, "root");
    await output("dpkg-deb", ["--extract", join(folder, archive), root]);
    await output("depmod", ["--basedir", root, release]);
    await rm(join(folder, archive));
    await rename(folder, join(cache, release));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
