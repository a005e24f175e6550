import type { Manifest } from "../../src/targets/manifest.js";
import { run } from "../command.js";
import { failure } from "../failures.js";
import type { Host } from "../host.js";
import { familyOf } from "../prefix.js";
import type { GreDriver } from "./driver.js";
import { ebpfGre } from "./ebpf.js";
import { kernelGre } from "./kernel.js";

/**
 * The kernel's own GRE where it has it. Found out by making a device, in a namespace that ends with the
 * command: the module may be built in, loadable or absent, and only this tells. A module that it loads stays, and with
 * it the fallback devices (gre0, gretap0, erspan0): unloading it would also delete devices of others.
 */
export async function chooseGre(): Promise<GreDriver["name"]> {
  const link = ["link", "add", "probe", "type", "gre", "local", "192.0.2.1", "remote", "192.0.2.2"];
  return run("unshare", ["--net", "ip", ...link]).then(
    () => "kernel",
    () => "ebpf",
  );
}

/** Refuses (TG5028) what bpf-templates/gre.bpf.c does not know, where it is all there is. `known`: what the node has chosen. */
export async function requireDriver(
  { tunnels }: Pick<Manifest, "tunnels">,
  known: GreDriver["name"] | undefined,
): Promise<void> {
  const beyond = tunnels.find((row) => !isOfPrograms(row));
  if (beyond && (known ?? (await chooseGre())) === "ebpf")
    throw failure(
      "TG5028",
      { tunnel: beyond.name },
      "make it GRE over IPv4, or take a kernel with GRE devices",
    );
}

function isOfPrograms({ kind, remote, ttl, dscp, df }: Manifest["tunnels"][number]): boolean {
  const plain = ttl !== "inherit" && dscp === "inherit" && df === "set";
  return kind === "gre" && familyOf(remote) === 4 && plain;
}

export function greDriver(host: Host, name: GreDriver["name"]): GreDriver {
  return name === "kernel" ? kernelGre(host) : ebpfGre(host);
}
