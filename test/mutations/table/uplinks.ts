import { inFile, type Mutation } from "../mutation.js";

/** What the runtime says of uplinks to programs that send packets on: would have them send what is lost, or not send at all. */
export const UPLINKS: readonly Mutation[] = [
  ...inFile(
    "runtime/node/uplinks.ts",
    ["kernel/fast-path-edge"],
    [
      {
        name: "generic-xdp-sends",
        models: "packets are sent from XDP where the driver has none of its own",
        from: 'if (mode !== "native") return',
        to: "if (mode === null) return",
      },
      {
        name: "sources-filtered-in-vain",
        models:
          "XDP sends what the filter of sources would have dropped, as only that of all devices is asked",
        from: 'for (const device of ["all", ...uplinks])',
        to: 'for (const device of ["all"])',
      },
      {
        name: "loose-filter-is-none",
        models: "XDP sends what the loose filter of sources would have dropped",
        from: 'if (value !== "0") return',
        to: 'if (value === "1") return',
      },
      {
        name: "slow-uplinks-known",
        models: "an uplink that XDP must not send from any more goes on as before",
        from: "if (await isSlow()) await remove(own);\n      else await",
        to: "await",
      },
      {
        name: "veth-sends-back",
        models: "what a veth sends back itself lies at the far end until another frame comes",
        from: 'kind !== "veth"',
        to: 'kind !== "vlan"',
      },
      {
        name: "nobody-sends-back",
        models: "network cards, too, have the kernel bring back to them what came by them",
        from: 'kind !== "veth"',
        to: "kind === undefined",
      },
      {
        name: "uplink-no-more",
        models:
          "a device that is no uplink any more is one to XDP for good, if it was not one from the beginning",
        from: "    ours: true,\n",
        to: "",
      },
      {
        name: "strays-stay",
        models: "the number of a device that is gone counts as an uplink's, whoever has it now",
        from: "      await removeStrays();\n",
        to: "",
      },
      {
        name: "uplinks-row-of-anybody",
        models: "an uplink with another address than XDP knows is not missed",
        from: "found?.[0]?.equals(own.value) === true;",
        to: "found !== undefined;",
      },
    ],
  ),
];
