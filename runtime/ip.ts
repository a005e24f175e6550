import { existsSync } from "node:fs";
import { CommandError, namespaceFile, type RunOptions, run } from "./command.js";

/** What `ip -j -d link show` says of a device, as far as it is needed here. */
export interface Link {
  readonly ifname: string;
  readonly ifindex: number;
  readonly address?: string;
  readonly operstate?: string;
  readonly mtu: number;
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: Readonly<Record<string, unknown>> };
  /** Mode 1 is native, 2 generic (XDP_ATTACHED_* in linux/if_link.h). */
  readonly xdp?: { readonly mode: number; readonly prog: { readonly id: number } };
}

export type Family = 4 | 6;

/** Runs lines of ip(8) as one batch, which stops at the first line that fails; the error quotes that line. */
export async function ipBatch(
  lines: readonly string[],
  options: { readonly namespace?: string | undefined; readonly family?: Family } = {},
): Promise<void> {
  const family = options.family === undefined ? [] : [`-${options.family}`];
  try {
    await run("ip", [...family, "-batch", "-"], { ...options, input: `${lines.join("\n")}\n` });
  } catch (error) {
    const at = error instanceof CommandError && /Command failed -:(\d+)/.exec(error.message);
    if (!at) throw error;
    throw new CommandError(
      `${error.message.replace(/\s*Command failed.*/, "")} (\`${lines[Number(at[1]) - 1]}\`)`,
    );
  }
}

/** The lines of `ip -batch` text that say something. */
export function batchLines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

/** Questions that are being asked at this moment. */
const asking = new Map<string, Promise<string>>();

/** What ip(8) shows. Who asks the same while it is being asked gets the same answer. */
export async function ipJson<T>(
  args: readonly string[],
  { namespace }: Pick<RunOptions, "namespace"> = {},
): Promise<readonly T[]> {
  const question = [namespace ?? "", ...args].join(" ");
  const asked = asking.get(question) ?? run("ip", ["-j", ...args], { namespace });
  asking.set(question, asked);
  const text = await asked.finally(() => asking.delete(question));
  return text.trim() === "" ? [] : JSON.parse(text);
}

/** The devices here, or in a namespace; a namespace that does not exist has none. */
export async function links(namespace?: string): Promise<readonly Link[]> {
  if (namespace !== undefined && !existsSync(namespaceFile(namespace))) return [];
  return ipJson<Link>(["-d", "link", "show"], { namespace });
}

export async function findLink(name: string, namespace?: string): Promise<Link | undefined> {
  return (await links(namespace)).find((link) => link.ifname === name);
}

/** Takes a device away, and with a veth its other end; one that is not there is as good. */
export async function deleteLink(name: string, namespace?: string): Promise<void> {
  if (await findLink(name, namespace)) await ipBatch([`link del dev ${name}`], { namespace });
}
