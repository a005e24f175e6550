import { error, example, message } from "../entry.js";

/** TG5xxx: a bundle, its manifest or its owner is not what it should be. Raised by runtime/failures.ts. */
export const BUNDLE = {
  TG5001: error(
    message`cannot read \`${"file"}\` of the bundle: ${"problem"}`,
    `A bundle is the whole folder that \`tidegate compile\` wrote: plain files, and a manifest.json in JSON that lists them.
Give the folder itself (not a file in it), copy it completely, and make no links in it.`,
    example(
      "sketch",
      "tidegate apply build/acme/manifest.json --edge edge.ts",
      "tidegate apply build/acme --edge edge.ts",
    ),
  ),
  TG5002: error(
    message`the bundle's manifest is not valid: ${"problem"}`,
    `manifest.json does not have the shape that this version of Tidegate reads. Nothing of such a bundle is used.
It was edited, or comes from another version: compile the policy again with the version that runs on the node.`,
    example(
      "sketch",
      '"customer": "acme",, in build/acme/manifest.json',
      "tidegate compile acme.policy.ts -o build/acme",
    ),
  ),
  TG5003: error(
    message`\`${"file"}\` is not the file that the manifest lists: its SHA-256 differs`,
    `The manifest holds the SHA-256 of each file, so that what is loaded is what was compiled and checked.
The file was changed after compiling, or the copy is damaged. Change the policy instead and compile it again.`,
    example(
      "sketch",
      "vi build/acme/nft/acme.nft",
      `vi acme.policy.ts
tidegate compile acme.policy.ts -o build/acme`,
    ),
  ),
  TG5004: error(
    message`the bundle lacks \`${"file"}\``,
    `The manifest lists this file, or the runtime needs it for what the manifest describes, and it is not there.
Copy the whole folder that \`tidegate compile\` wrote.`,
    example("sketch", "scp build/acme/*.json edge1:acme/", "scp -r build/acme edge1:acme"),
  ),
  TG5005: error(
    message`\`${"file"}\` is in the bundle but not in its manifest`,
    `A bundle holds exactly the files that its manifest lists; a stranger among them may be a leftover or an attack.
Remove the file, or compile the policy again into a fresh folder.`,
    example("sketch", "cp notes.txt build/acme/", "rm build/acme/notes.txt"),
  ),
  TG5006: error(
    message`this node knows no customer \`${"customer"}\``,
    `Only customers that the operator lists under \`owners\` in edge.ts can be loaded.
Add the customer there with the prefixes that it may claim, or correct \`customer\` in the policy.`,
    example(
      "sketch",
      'owners: { globex: ["198.51.100.0/24"] } in edge.ts, customer: "acme" in the policy',
      'owners: { globex: ["198.51.100.0/24"], acme: ["203.0.113.0/24"] }',
    ),
  ),
  TG5007: error(
    message`\`${"customer"}\` may not claim ${"prefix"}`,
    `Each prefix of a policy must lie inside one that \`owners\` in edge.ts grants to its customer. Where grants are nested
the longest one counts: a part that was given to somebody else is no longer the outer owner's.
Correct \`prefixes\` in the policy, or extend the grant.`,
    example(
      "sketch",
      'owners: { acme: ["203.0.113.0/25"] } in edge.ts, prefixes: ["203.0.113.0/24"] in the policy',
      'prefixes: ["203.0.113.0/25"]',
    ),
  ),
  TG5008: error(
    message`${"prefix"} is already claimed by \`${"other"}\``,
    `Two customers cannot have the same prefix on one node: a packet is judged by one policy.
Remove the other customer first (\`tidegate remove\`), or apply a bundle of it without this prefix.`,
    example(
      "sketch",
      "tidegate apply build/globex --edge edge.ts   # with a prefix that acme has",
      `tidegate remove acme
tidegate apply build/globex --edge edge.ts`,
    ),
  ),
  TG5009: error(
    message`the name \`${"name"}\` is already used by \`${"other"}\``,
    `Names of kernel devices have at most 15 characters, so long names of customers and tunnels are shortened and get a
hash. Two of them have met here, which is rare. Rename the tunnel or the customer.`,
    example(
      "sketch",
      'tunnels: { "chicago-datacenter-a": … } and another long name with the same hash',
      'tunnels: { "chicago-a": … }',
    ),
  ),
  TG5010: error(
    message`the bundle may not name a kernel object \`${"name"}\``,
    `A bundle owns a namespace and devices whose names begin with \`tg-\`, and nothing else of the machine.
The manifest names something else: it was edited. Compile the policy again.`,
    example(
      "sketch",
      '"namespace": "default" in build/acme/manifest.json',
      "tidegate compile acme.policy.ts -o build/acme",
    ),
  ),
  TG5011: error(
    message`tunnel \`${"tunnel"}\` has the remote and key of \`${"other"}\`'s tunnel \`${"theirs"}\``,
    `What arrives from a customer's router is told apart by the router's address and the GRE key, and by nothing else. Two
tunnels with the same would take each other's packets.
Give one of them a \`key\` of its own, in the policy and at the router.`,
    example(
      "sketch",
      'acme: gre({ remote: "198.51.100.1" }), globex: gre({ remote: "198.51.100.1" })',
      'globex: gre({ remote: "198.51.100.1", key: 7 })',
    ),
  ),
};
