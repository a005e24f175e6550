import { run } from "../command.js";
import type { Part } from "../steps.js";

/** The hook that classifiers sit at (tc-bpf(8)). Others may use it too, so it goes only if we made it. */
export function clsact(device: string): Part {
  const present = async () => (await show<{ kind: string }>(["qdisc", "show", "dev", device])).some(isClsact);
  return {
    name: `clsact on ${device}`,
    present,
    up: async () => void (await run("tc", ["qdisc", "add", "dev", device, "clsact"])),
    down: async () => {
      if (await present()) await run("tc", ["qdisc", "del", "dev", device, "clsact"]);
    },
  };
}

/** Does the program with this id classify what comes in, or goes out, by `device`? */
export async function hasClassifier(
  device: string,
  program: number,
  direction: "ingress" | "egress" = "ingress",
): Promise<boolean> {
  const filters = await show<{ options?: { prog?: { id: number } } }>([
    "filter",
    "show",
    "dev",
    device,
    direction,
  ]);
  return filters.some(({ options }) => options?.prog?.id === program);
}

async function show<T>(args: readonly string[]): Promise<readonly T[]> {
  const text = await run("tc", ["-j", ...args]);
  return text.trim() === "" ? [] : JSON.parse(text);
}

function isClsact({ kind }: { readonly kind: string }): boolean {
  return kind === "clsact";
}
