import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Artifact } from "../target.js";
import { Text } from "../text.js";
import { kernelLines, upLines, vethLines } from "./devices.js";
import { nexthops } from "./nexthops.js";
import { routeLines } from "./routes.js";
import { tunnels } from "./tunnels.js";

/**
 * `ip -batch` text: `route/<customer>.ip` is the routing table. Tunnels that share packets are nexthops first, in
 * `<customer>.nexthops4.ip` and `…6.ip` for `-4` and `-6`, as these lines cannot say the family. Each tunnel has one text to
 * make the kernel's device, one to make one for the eBPF datapath, and one to bring it up.
 */
export function emit(policy: Policy): readonly Artifact[] {
  const { customer } = policy;
  const devices = tunnels(policy).flatMap((tunnel) => {
    const file = `${customer}.${tunnel.name}`;
    return [
      artifact(
        `${file}.${tunnel.kind}.ip`,
        `tunnel "${tunnel.name}": ${tunnel.kind === "gre" ? "a GRE device" : "a device for IP in IP"}`,
        kernelLines(tunnel, customer),
      ),
      artifact(
        `${file}.veth.ip`,
        `tunnel "${tunnel.name}": a veth pair for eBPF ${tunnel.kind === "gre" ? "GRE" : "IP in IP"}`,
        vethLines(tunnel, customer),
      ),
      artifact(`${file}.up.ip`, `tunnel "${tunnel.name}": up, in the customer's namespace`, upLines(tunnel)),
    ];
  });
  return [
    ...nexthopFiles(policy),
    artifact(`${customer}.ip`, `routes of customer "${customer}"`, routeLines(policy)),
    ...devices,
  ];
}

function nexthopFiles(policy: Policy): readonly Artifact[] {
  const { customer } = policy;
  const { devices } = nexthops(policy);
  return ([4, 6] as const).flatMap((family) => {
    const title = `nexthops of customer "${customer}", IPv${family}`;
    return devices[family].length === 0
      ? []
      : [artifact(`${customer}.nexthops${family}.ip`, title, devices[family])];
  });
}

function artifact(file: string, title: string, lines: readonly string[]): Artifact {
  // One line is one command of ip(8) and names are single words in it.
  invariant(/^[a-z][a-z0-9.-]*$/.test(file), `${JSON.stringify(file)} is a safe file name`);
  return { path: `route/${file}`, text: new Text().line(`# ${title}`).lines(lines).toString() };
}
