import { existsSync } from "node:fs";
import type { Manifest } from "../../src/targets/manifest.js";
import { namespaceFile, run } from "../command.js";
import { ipBatch } from "../ip.js";
import type { Part } from "../steps.js";

/**
 * A router that asks no reverse-path question (the firewall knows which sources may leave) and takes no advice
 * from packets about its routes. A new namespace may inherit other values (net.core.devconf_inherit_init_net).
 */
const SYSCTLS = [
  "net.ipv4.ip_forward=1",
  "net.ipv4.conf.all.rp_filter=0",
  "net.ipv4.conf.default.rp_filter=0",
  "net.ipv4.conf.all.accept_redirects=0",
  "net.ipv4.conf.all.send_redirects=0",
  "net.ipv4.conf.default.send_redirects=0",
  "net.ipv6.conf.all.forwarding=1",
  "net.ipv6.conf.all.accept_redirects=0",
  "net.ipv6.conf.all.accept_ra=0",
  "net.ipv6.conf.default.accept_ra=0",
];

/** The customer's own network namespace. Everything in it goes with it. */
export function namespacePart({ namespace }: Manifest): Part {
  return {
    name: `namespace ${namespace}`,
    present: async () => existsSync(namespaceFile(namespace)),
    up: async () => {
      await ipBatch([`netns add ${namespace}`]);
      await run("sysctl", ["-q", "-w", ...SYSCTLS], { namespace });
      await ipBatch(["link set dev lo up"], { namespace });
    },
    down: async () => {
      if (existsSync(namespaceFile(namespace))) await ipBatch([`netns del ${namespace}`]);
    },
  };
}
