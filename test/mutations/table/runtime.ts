import { inFile, type Mutation } from "../mutation.js";

/** What would let a bad bundle land, or a good one land by halves. */
export const RUNTIME: readonly Mutation[] = [
  ...inFile(
    "runtime/bundle.ts",
    ["unit/runtime-bundle", "unit/hostile-bundle", "unit/trust-release"],
    [
      {
        name: "hash-check-skipped",
        models: "a file that the manifest does not vouch for is loaded",
        from: "if (sha256(bytes) !== hash) throw",
        to: 'if (hash === "") throw',
      },
      {
        name: "unlisted-files-accepted",
        models: "a bundle may hold what its manifest does not list",
        from: "!about.has(file) && !Object.hasOwn(manifest.files, file)",
        to: "about.has(file) && !Object.hasOwn(manifest.files, file) && !about.has(file)",
      },
      {
        name: "unsigned-is-good-enough",
        models: "a node with keys looks at signatures only where there are some",
        from: "const release = keys ? requireRelease",
        to: "const release = keys && signature ? requireRelease",
      },
      {
        name: "two-spellings",
        models: "of two equal keys in a manifest the last one counts",
        from: "if (bytes.equals(expected)) return;",
        to: "if (!bytes.equals(expected)) return;",
      },
      {
        name: "file-that-is-no-property",
        models: "a file whose name JavaScript treats specially is neither listed nor missing",
        from: 'throw failure("TG5021", { file: "__proto__" }, EDITED_HINT);',
        to: "return parsed.data;",
      },
      {
        name: "foreign-devices-accepted",
        models: "a bundle may call any device its own",
        from: '...prefixed.filter((name) => !name.startsWith("tg-")),',
        to: '...prefixed.filter((name) => name === ""),',
      },
    ],
  ),
  ...inFile(
    "runtime/trust/release.ts",
    ["unit/trust-release"],
    [
      {
        name: "any-signature-will-do",
        models: "signatures are looked at and not checked",
        from: "!verifiesEd25519(key.publicKey, message, bytes)",
        to: "verifiesEd25519(key.publicKey, message, bytes) && false",
      },
      {
        name: "keys-sign-for-all",
        models: "a key that is bound to a customer signs for others, too",
        from: "customers === null || customers.includes(customer)",
        to: "customers === null || customers.length > 0",
      },
      {
        name: "signature-of-any-bundle",
        models: "a genuine signature is taken for any bundle",
        from: "if (signed === manifest) return;",
        to: 'if (signed !== "") return;',
      },
      {
        name: "payload-of-any-type",
        models: "what was signed for another purpose counts",
        from: "if (envelope.payloadType === PAYLOAD_TYPE) return envelope;",
        to: 'if (envelope.payloadType !== "") return envelope;',
      },
    ],
  ),
  ...inFile(
    "runtime/trust/serials.ts",
    ["unit/trust-serials"],
    [
      {
        name: "yesterday-is-as-good",
        models: "an older bundle replaces a newer one",
        from: "newest.serial < serial ||",
        to: "newest.serial !== serial ||",
      },
      {
        name: "going-back-forgets",
        models: "after a rollback everything in between is new again",
        from: "if (newest && newest.serial >= serial) return;",
        to: "if (newest && newest.serial === serial) return;",
      },
      {
        name: "broken-memory-is-none",
        models: "a node that cannot read what it had takes anything",
        from: 'if (hasErrno(error, "ENOENT")) return null;',
        to: 'if (hasErrno(error, "ENOENT") || error) return null;',
      },
    ],
  ),
  ...inFile(
    "runtime/trust/own-folder.ts",
    ["kernel/own-folder"],
    [
      {
        name: "state-of-anybody",
        models: "a state directory that others may write to is believed",
        from: "(stat.mode & WRITABLE_BY_OTHERS) === 0) return undefined;",
        to: "(stat.mode & WRITABLE_BY_OTHERS) !== 0) return undefined;",
      },
      {
        name: "state-in-anybodys-place",
        models: "folders above the state directory may be anybody's",
        from: "return parent === path ? [path] : [...upwards(parent), path];",
        to: "return parent === path ? [path] : [path];",
      },
    ],
  ),
  ...inFile(
    "runtime/trust/texts.ts",
    ["unit/hostile-bundle"],
    [
      {
        name: "any-word-of-ip",
        models: "a bundle's lines for ip(8) may say anything",
        from: "return isPlain && grammar.holds(words);",
        to: "return isPlain || grammar.holds(words);",
      },
      {
        name: "any-device-of-the-node",
        models: "a line for the node's own namespace may name a device of the customer's",
        from: 'const end = file.endsWith(".up.ip") ? tunnel.device : tunnel.peer;',
        to: "const end = tunnel.device;",
      },
      {
        name: "tunnel-of-anybody",
        models: "a tunnel's lines may leave out the key that the manifest claims",
        from: 'words.includes("key") === (tunnel.key !== null)',
        to: 'words.includes("key") === words.includes("key")',
      },
    ],
  ),
  ...inFile(
    "runtime/trust/files.ts",
    ["unit/hostile-bundle"],
    [
      {
        name: "files-of-any-size",
        models: "a file is read into memory whatever its size",
        from: "if (stat.size > limit) throw",
        to: "if (stat.size < 0) throw",
      },
      {
        name: "files-of-any-number",
        models: "a bundle may have any number of files",
        from: "if (++entries > BUNDLE_LIMITS.entries)",
        to: "if (++entries < 0)",
      },
    ],
  ),
  ...inFile(
    "runtime/ownership.ts",
    ["unit/runtime-bundle", "kernel/runtime-refusals"],
    [
      {
        name: "any-owner-will-do",
        models: "owner check: it is enough that the prefix is somebody's",
        from: "if (!owners.includes(customer)) {",
        to: "if (owners.length === 0) {",
      },
      {
        name: "shortest-grant-counts",
        models: "owner check: who was given the whole keeps the parts of others",
        from: "if (grant.length > longest) [longest, customers]",
        to: "if (longest < 0) [longest, customers]",
      },
      {
        name: "tunnel-ends-by-remote-alone",
        models: "two tunnels with different keys are taken for one",
        from: "return `${kind} ${end} ${key}`;",
        to: "return `${kind} ${end}`;",
      },
    ],
  ),
  ...inFile(
    "runtime/node/own-addresses.ts",
    ["kernel/own-address"],
    [
      {
        name: "own-address-claimed-by-whom-is-in-force",
        models: "a customer that is in force may claim an address of the server's with its next prefix",
        from: "!isFilledBy(block, held)",
        to: "!inForce && !isFilledBy(block, held)",
      },
      {
        name: "own-address-keeps-a-change-away",
        models: "an address that came later keeps every change from a customer that runs",
        from: "!isFilledBy(block, held)",
        to: "!isFilledBy(block, held.slice(0, 0))",
      },
      {
        name: "own-addresses-of-ipv4-alone",
        models: "an address of IPv6 of the server's is taken for the customer's without a word",
        from: "([4, 6] as const).map((family) => allOwn",
        to: "([4] as const).map((family) => allOwn",
      },
      {
        name: "own-addresses-of-devices-alone",
        models: "what is local by a route alone is taken for the customer's without a word",
        from: "...routes.map(",
        to: "...routes.slice(0, 0).map(",
      },
      {
        name: "own-addresses-of-the-table-alone",
        models: "an address of IPv6 that is being looked for elsewhere is not seen yet",
        from: "...given.map(",
        to: "...given.slice(0, 0).map(",
      },
      {
        name: "own-prefix-around-a-customers",
        models: "of the server's own prefixes only those within a customer's are seen",
        from: "within.map(",
        to: "within.slice(0, 0).map(",
      },
      {
        name: "own-address-that-was-anycast",
        models: "an operator's address that leaves edge.ts is left out though it stays on its device",
        from: "one.device === LOOPBACK && ending.some",
        to: "ending.some",
      },
      {
        name: "own-address-that-leaves-lo",
        models: "an anycast address that goes with the change keeps the change away",
        from: "one.device === LOOPBACK && ending.some",
        to: "one.device < LOOPBACK && ending.some",
      },
      {
        name: "own-address-of-no-device",
        models: "a local route through a group of nexthops makes every apply, look and scrape fail",
        from: "return device === 0 ?",
        to: "return device < 0 ?",
      },
    ],
  ),
  ...inFile(
    "runtime/prefix.ts",
    ["unit/runtime-prefix"],
    [
      {
        name: "everything-is-an-eighth",
        models: "/0 prefix shift: the first byte of everything is compared",
        from: "return (0xff00 >> bits) & 255;",
        to: "return (0xff00 >> (bits || 8)) & 255;",
      },
      {
        name: "map-key-in-network-order",
        models: "swapped byte order of a prefix's length, in the key of a map",
        from: "key.writeUInt32LE(prefix.length);",
        to: "key.writeUInt32BE(prefix.length);",
      },
      {
        name: "nested-prefixes-both-marked",
        models: "of nested prefixes both go into a set that refuses overlaps",
        from: "if (!last || !contains(last, prefix))",
        to: "if (!last || last.length > 0 || !contains(last, prefix))",
      },
    ],
  ),
  ...inFile(
    "runtime/steps.ts",
    ["unit/runtime-steps"],
    [
      {
        name: "first-step-not-undone",
        models: "undo step skipped: the first",
        from: "of this.#undos.splice(0).reverse())",
        to: "of this.#undos.splice(1).reverse())",
      },
      {
        name: "undone-forwards",
        models: "steps are undone in the order in which they were done",
        from: "of this.#undos.splice(0).reverse())",
        to: "of this.#undos.splice(0))",
      },
      {
        name: "failed-step-not-undone",
        models: "a step that fails halfway is left as it is",
        from: "this.#undos.push({ name, undo });\n    return action();",
        to: "const done = await action();\n    this.#undos.push({ name, undo });\n    return done;",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/commit.ts",
    ["kernel/runtime-traffic", "kernel/runtime-apply", "kernel/runtime-killed"],
    [
      {
        name: "given-up-prefixes-stay",
        models: "prefixes that a policy no longer claims stay dispatched",
        from: "if (gone.length === 0) return;",
        to: "if (gone.length >= 0) return;",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/generations.ts",
    ["unit/firewall-generations", "kernel/runtime-flip"],
    [
      {
        name: "old-stamp-new-firewall",
        models: "while a policy changes, a packet meets the old one's XDP and the new one's firewall",
        from: "`goto ${ruleset.entry}`",
        to: "`goto ${newest?.entry}`",
      },
      {
        name: "unknown-stamp-passes",
        models: "a packet that came past XDP is not judged, and goes on",
        from: "`counter name ${UNKNOWN.name} drop`",
        to: "`counter name ${UNKNOWN.name} accept`",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/ruleset.ts",
    ["unit/firewall-generations"],
    [
      {
        name: "limits-of-other-terms-share",
        models: "a limit whose rate changes goes on with allowances of the old rate",
        from: 'tags.set(name, tagOf(terms.join("\\n")))',
        to: "tags.set(name, tagOf(name))",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/program.ts",
    ["kernel/difftest", "kernel/runtime-traffic"],
    [
      {
        name: "lists-stay-empty",
        models: "the program is used with empty lists",
        from: "if (rows.length > 0) await loader.updateMap(",
        to: "if (rows.length < 0) await loader.updateMap(",
      },
    ],
  ),
];
