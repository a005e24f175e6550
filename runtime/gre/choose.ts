import { run } from "../command.js";
import type { Host } from "../host.js";
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

export function greDriver(host: Host, name: GreDriver["name"]): GreDriver {
  return name === "kernel" ? kernelGre(host) : ebpfGre(host);
}
