import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { hasClassifier } from "../gre/tc.js";
import { builtFile, type Host, tolerating } from "../host.js";
import type { Part } from "../steps.js";

/** Our classifier's place among those of others at the same device. */
const SLOT = { direction: "egress", priority: 0x5447, handle: 1 } as const;

const programPin = ({ paths }: Host) => paths.bpf("link", "prog_give_back_hop");

/** The program that gives packets back the hop that the node's forwarding took: bpf-templates/link.bpf.c. */
export function hopProgram(host: Host): Part {
  const pinDir = host.paths.bpf("link");
  return {
    name: "hop program",
    present: async () => existsSync(programPin(host)),
    up: () => host.loader.loadObject({ object: builtFile("bpf/link.bpf.o"), pinDir, reuse: {} }),
    down: () => rm(pinDir, { recursive: true, force: true }),
  };
}

/** On the node's end of a customer's link, so that the firewall sees the time to live that XDP saw. */
export function hopProgramOn(host: Host, device: string): Part {
  const slot = { ...SLOT, device };
  return {
    name: `hop program on ${device}`,
    present: async () => {
      const pin = programPin(host);
      return existsSync(pin) && hasClassifier(host, slot, pin);
    },
    up: () => host.loader.attachTc({ ...slot, program: programPin(host) }),
    down: () => tolerating(["ENOENT", "EINVAL", "ENODEV"], host.loader.detachTc(slot)),
  };
}
