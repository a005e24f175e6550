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
    `Names of kernel devices have at most 15 characters, so long names of customers are shortened and get a hash, and
tunnels' devices are called by a hash of where they lead. Two of them have met here, which is rare. Rename the customer.`,
    example(
      "sketch",
      'customer: "acme-north-america" and another long name with the same hash',
      'customer: "acme-na"',
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
    `What arrives from a customer's router is told apart by the kind of tunnel, the router's address and the GRE key, and by
nothing else. Two tunnels with the same would take each other's packets.
Give one of them a \`key\` of its own, in the policy and at the router; \`ipip\` has none, \`gre\` has.`,
    example(
      "sketch",
      'acme: gre({ remote: "198.51.100.1" }), globex: gre({ remote: "198.51.100.1" })',
      'globex: gre({ remote: "198.51.100.1", key: 7 })',
    ),
  ),
  TG5012: error(
    message`the bundle is not signed, and this node takes only signed ones`,
    `\`keys\` in edge.ts names the keys that this node trusts, so every bundle must come with a signature by one of them.
Sign it where it is compiled, with \`tidegate sign\` or \`tidegate compile --sign\`.`,
    example(
      "sketch",
      "tidegate apply build/acme --edge edge.ts   # edge.ts has keys",
      `tidegate sign build/acme --key release.key
tidegate apply build/acme --edge edge.ts`,
    ),
  ),
  TG5013: error(
    message`the bundle's signature cannot be read: ${"problem"}`,
    `signature.json is a DSSE envelope: JSON with a payload in base64 and one or more signatures. This one is not, or it holds
something else than Tidegate's statement about a bundle. Sign the bundle again.`,
    example("sketch", "touch build/acme/signature.json", "tidegate sign build/acme --key release.key"),
  ),
  TG5014: error(
    message`the bundle is signed by nobody whom this node trusts, but by ${"keys"}`,
    `A signature names its key by the SHA-256 of the public key, and none of these is under \`keys\` in edge.ts.
Sign the bundle with a key that is there, or add the new key to edge.ts first: \`tidegate keygen\` prints its line.`,
    example(
      "sketch",
      "tidegate sign build/acme --key my-own.key",
      "tidegate sign build/acme --key release.key   # which edge.ts names",
    ),
  ),
  TG5015: error(
    message`the signature by key \`${"key"}\` is not genuine`,
    `The signature names a key that this node trusts, and was not made by it over this payload: it is forged, or the file was
damaged or edited. Nothing of the bundle was looked at. Sign it again, and find out how it came to be.`,
    example("sketch", "vi build/acme/signature.json", "tidegate sign build/acme --key release.key"),
  ),
  TG5016: error(
    message`key \`${"key"}\` may not sign for \`${"customer"}\``,
    `The signature is genuine, but in edge.ts the key is bound to other customers. Sign with the right key, or add the
customer to the key's \`customers\`.`,
    example(
      "sketch",
      'keys: { branch: { key: "…", customers: ["acme"] } } in edge.ts, and a bundle of globex',
      'keys: { branch: { key: "…", customers: ["acme", "globex"] } }',
    ),
  ),
  TG5017: error(
    message`the signature is that of another bundle, of \`${"customer"}\``,
    `A signature holds for one manifest.json, byte by byte, and so for one bundle of one customer. This one is genuine, but its
bundle is another: the bundle was compiled or edited after it was signed, or the signature was copied from elsewhere.`,
    example(
      "sketch",
      `tidegate sign build/acme --key release.key
tidegate compile acme.policy.ts -o build/new && cp build/acme/signature.json build/new/`,
      "tidegate sign build/new --key release.key",
    ),
  ),
  TG5018: error(
    message`this bundle of \`${"customer"}\` is older than one that this node has had: serial ${"serial"}, newest ${"newest"}`,
    `Whoever can hand a node files could hand it yesterday's policy, which is genuine too. So each signature carries a serial
(the time of signing, in milliseconds), and a node refuses one that is smaller than the largest it has had of that
customer. To go back on purpose say so with \`--rollback\`, or sign the old bundle again.`,
    example(
      "sketch",
      "tidegate apply archive/acme-last-week --edge edge.ts",
      "tidegate apply archive/acme-last-week --edge edge.ts --rollback",
    ),
  ),
  TG5019: error(
    message`there are two bundles of \`${"customer"}\` with the serial ${"serial"}`,
    `Serials say which of two bundles is the newer one, so no two bundles of a customer may have the same. Leave \`--serial\`
out, and \`tidegate sign\` takes the time; or count on.`,
    example(
      "sketch",
      "tidegate sign build/acme --key release.key --serial 7   # 7 was taken",
      "tidegate sign build/acme --key release.key --serial 8",
    ),
  ),
  TG5020: error(
    message`the bundle is too large: ${"problem"}`,
    `A node reads a bundle into memory before it believes a word of it, so there are limits: 32 MiB for manifest.json, 60 MiB
for any other file, 256 MiB in all, and 4,096 files. If a policy of yours comes near, split it.`,
    example("sketch", "tidegate apply / --edge edge.ts", "tidegate apply build/acme --edge edge.ts"),
  ),
  TG5021: error(
    message`\`${"file"}\` is not a path inside of the bundle`,
    `The manifest may list only files of its own folder: relative paths of letters, digits, \`.\`, \`_\` and \`-\`, without \`..\`.
Whoever wrote anything else wanted a file of the node itself. Compile the policy again; never edit a bundle.`,
    example(
      "sketch",
      '"files": { "../../etc/shadow": "…" } in build/acme/manifest.json',
      "tidegate compile acme.policy.ts -o build/acme",
    ),
  ),
  TG5022: error(
    message`\`${"file"}\` of the bundle is not a plain file`,
    `A bundle is made of plain files and folders. A symbolic link could lead to any file of the node, and a device or a pipe
could keep the reader waiting for ever. Copy the files themselves.`,
    example(
      "sketch",
      "ln -s ../shared/acme.nft build/acme/nft/acme.nft",
      "tidegate compile acme.policy.ts -o build/acme",
    ),
  ),
  TG5023: error(
    message`manifest.json is not written as Tidegate writes it, from line ${"line"} on`,
    `The manifest has one spelling, so that no two readers of it can disagree: a key that stands there twice, a number that is
not exact, or other spaces are refused. It was edited: compile the policy again.`,
    example(
      "sketch",
      '"customer": "globex", "customer": "acme" in build/acme/manifest.json',
      "tidegate compile acme.policy.ts -o build/acme",
    ),
  ),
  TG5024: error(
    message`this node has taken signed bundles only, and its \`edge.ts\` names no keys any more`,
    `Without \`keys\` in edge.ts a node takes unsigned bundles. That a node which had keys should do so from now on is more
likely a wrong file than a decision, so it takes more than leaving a line out: remove all customers first, and then
/var/lib/tidegate/serials, by which the node knows also after a reboot.`,
    example(
      "sketch",
      "tidegate apply build/acme --edge old-edge.ts   # written before there were keys",
      "tidegate apply build/acme --edge edge.ts",
    ),
  ),
  TG5025: error(
    message`line ${"line"} of \`${"file"}\` says what no bundle may say: \`${"text"}\``,
    `A bundle's lines for ip(8) make its own tunnels and routes, from a small set of words and with the names of its manifest;
its nft ruleset reads no other files. This text says something else, which no compiler of Tidegate wrote, and which could
reach beyond the customer. Who signed it should be asked.`,
    example(
      "sketch",
      "netns exec tg-globex nft flush ruleset   # in build/acme/route/acme.ip",
      "tidegate compile acme.policy.ts -o build/acme",
    ),
  ),
  TG5026: error(
    message`the remote ${"remote"} of \`${"customer"}\`'s tunnel \`${"tunnel"}\` lies in ${"prefix"} of \`${"other"}\``,
    `Packets to that prefix come to the edge, whoever sends them. Outer packets of the tunnel would come back by the next
router, be judged by the other customer's policy and go into that one's tunnels: to the wrong place, or around in a loop.
Give an address of the router that is in no prefix of the edge's customers.`,
    example(
      "sketch",
      'acme: gre({ remote: "198.51.100.1" }), globex: prefixes: ["198.51.100.0/24"]',
      'acme: gre({ remote: "192.0.2.1" })',
    ),
  ),
  TG5027: error(
    message`the node has no IPv${"family"} anycast address for tunnel \`${"tunnel"}\` to ${"remote"}`,
    `A tunnel's outer source is the node's address under \`anycast\` in edge.ts, of the same family as the tunnel's remote.
What is inside may be of either family. Add an address, the same one on every server, or give the router's other address
as remote.`,
    example(
      "sketch",
      'gre({ remote: "2001:db8:ffff::1" }), and anycast: ["198.18.0.1"] in edge.ts',
      'anycast: ["198.18.0.1", "2001:db8::1"] in edge.ts',
    ),
  ),
  TG5028: error(
    message`the remote ${"remote"} of tunnel \`${"tunnel"}\` is the node's own anycast address`,
    `Every server of the edge has that address itself: what goes into the tunnel would come out of it again on the same
server, as if the customer had sent it, and go around. The remote is the customer's router.`,
    example(
      "sketch",
      'gre({ remote: "198.18.0.1" }), and anycast: ["198.18.0.1"] in edge.ts',
      'gre({ remote: "198.51.100.1" })',
    ),
    "give the address of the customer's router",
  ),
};
