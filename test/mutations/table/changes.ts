import { inFile, type Mutation } from "../mutation.js";

/** What would let packets meet two policies in a change, or none, or count them wrongly. */
export const CHANGES: readonly Mutation[] = [
  ...inFile(
    "runtime/node/constants.ts",
    ["unit/stamps"],
    [
      {
        name: "stamps-odd-in-number",
        models:
          "where stamps begin anew two generations have the same place, and one is replaced under packets",
        from: "export const STAMPS = 14;",
        to: "export const STAMPS = 13;",
      },
      {
        name: "stamp-of-nobody",
        models: "every fourteenth generation has the stamp by which nobody judges",
        from: "return 1 + (generation % STAMPS);",
        to: "return generation % STAMPS;",
      },
      {
        name: "turns-of-generations",
        models: "the program stands in the place that the root program does not look at",
        from: "return stampOf(generation) % 2 === 0 ? 0 : 1;",
        to: "return generation % 2 === 0 ? 0 : 1;",
      },
      {
        name: "stamp-in-others-bits",
        models: "a packet's stamp is written where others have their marks",
        from: "const MARK_STAMP = 16;",
        to: "const MARK_STAMP = 12;",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/generations.ts",
    ["unit/firewall-generations"],
    [
      {
        name: "way-back-by-the-old-one",
        models: "while a policy changes, what comes out of tunnels is judged by the one that goes",
        from: "const newest = judges.at(-1)?.ruleset;",
        to: "const newest = judges.at(0)?.ruleset;",
      },
      {
        name: "way-back-behind-reassembly",
        models: "where all firewalls are stateful, nobody judges what comes out of tunnels",
        from: "new Set([WAY_BACK, ...judges.map(",
        to: "new Set([...judges.map(",
      },
      {
        name: "old-sets-stay",
        models: "each change leaves the sets of the policy before in the namespace",
        from: '...statements("delete", "set"),',
        to: "",
      },
      {
        name: "shared-counters-made-anew",
        models: "counters that both generations have begin at 0",
        from: "present.has(key) ? [] : [one]",
        to: 'present.has(key) && one.kind !== "counter" ? [] : [one]',
      },
    ],
  ),
  ...inFile(
    "runtime/customer/ruleset.ts",
    ["unit/firewall-generations"],
    [
      {
        name: "generations-share-sets",
        models: "the sets of both generations have one name, and the new list judges old packets",
        from: "[name, `${name}.${own}`]",
        to: '[name, own === "" ? own : name]',
      },
    ],
  ),
  ...inFile(
    "runtime/customer/retire.ts",
    ["kernel/metrics"],
    [
      {
        name: "counted-and-forgotten",
        models: "what the programs of earlier generations counted is lost with them",
        from: "{ ...recordOf(loaded), counted }",
        to: "recordOf(loaded)",
      },
    ],
  ),
  ...inFile(
    "runtime/node/apart.ts",
    ["kernel/metrics"],
    [
      {
        name: "streams-merged",
        models:
          "the kernel merges a stream's packets before the firewall: they count once, and have a length nobody sent",
        from: "up: () => loader.setMergesReceived(device, false),",
        to: "up: () => loader.setMergesReceived(device, true),",
      },
    ],
  ),
  ...inFile(
    "runtime/trust/renew.ts",
    ["unit/trust-renew"],
    [
      {
        name: "renewed-by-an-older",
        models: "the node's copy gets a signature that is older than the one it has",
        from: "if (before?.equals(signature) || serialIn(before) > bundle.release.serial) return;",
        to: "if (before?.equals(signature)) return;",
      },
      {
        name: "renewed-without-its-serial",
        models: "what was released before a bundle was signed again may replace it",
        from: "await serials.remember(bundle, steps);",
        to: "",
      },
    ],
  ),
  ...inFile(
    "runtime/trust/downgrade.ts",
    ["unit/trust-release"],
    [
      {
        name: "keys-may-go",
        models: "a node whose description loses its keys takes anything from then on",
        from: "if (!before?.keys || node.keys) return;",
        to: "if (!before?.keys || !node.keys) return;",
      },
    ],
  ),
  ...inFile(
    "runtime/trust/keys.ts",
    ["unit/trust-release"],
    [
      {
        name: "key-scopes-not-read",
        models: "what the operator says about whose bundles a key may sign is passed over",
        from: "customers: customers ?? null }",
        to: "customers: customers ? null : null }",
      },
      {
        name: "key-id-of-anything",
        models: "all keys have one name, and the first of them is asked",
        from: '.update(publicDer(key)).digest("hex")',
        to: '.update(publicDer(key).subarray(0, 12)).digest("hex")',
      },
    ],
  ),
  ...inFile(
    "runtime/trust/release.ts",
    ["unit/trust-release"],
    [
      {
        name: "statement-of-any-spelling",
        models: "two readers of a signed statement may read two things",
        from: "if (Buffer.from(formatStatement(statement)).equals(payload)) return statement;",
        to: "if (payload.length > 0) return statement;",
      },
      {
        name: "one-forged-signature-of-two",
        models: "of several known signatures one that is genuine suffices, whatever the others are",
        from: "known.find(({ key, bytes }) => !verifies",
        to: "known.slice(1).find(({ key, bytes }) => !verifies",
      },
    ],
  ),
  ...inFile(
    "runtime/trust/serials.ts",
    ["unit/trust-serials"],
    [
      {
        name: "twins-are-one",
        models: "of two bundles with one serial each replaces the other",
        from: "newest.manifest === hash) return;",
        to: "newest.serial === serial) return;",
      },
      {
        name: "loaded-customers-may-go-back",
        models: "whoever is loaded may have any older bundle again",
        from: "one.customer === customer && one.hash === hash",
        to: "one.customer === customer",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/vectors.h",
    ["kernel/classifier"],
    [
      {
        name: "terms-count-twice",
        models: "a packet that two terms of a `count` rule match is counted twice",
        from: "if (rule->value == at->last)\n\t\t\tcontinue;",
        to: "",
      },
      {
        name: "terms-behind-the-decision",
        models: "first match forgotten: `count` rules behind the one that decides count too, in vectors",
        from: "if (rule->value >= at->first)\n\t\t\treturn 0;",
        to: "",
      },
      {
        name: "limits-passed-in-vain",
        models: "a packet over the rate of a limit goes on, in vectors",
        from: "at->first = rule->value;\n\t\t\treturn 0;",
        to: "return 0;",
      },
    ],
  ),
  ...inFile(
    "src/targets/xdp/classifier/long-list.ts",
    ["unit/xdp-long-list"],
    [
      {
        name: "long-list-ends-nowhere",
        models: "behind the last place of a line a list is what it was before it",
        from: "places.subarray(first, end), end % 2 === 1);",
        to: "places.subarray(first, end), first % 2 === 1);",
      },
      {
        name: "long-list-bitmap-upside-down",
        models: "a dense part begins with what it ends with",
        from: "let state = isIn === (places.length % 2 === 0);",
        to: "let state = isIn;",
      },
      {
        name: "long-list-one-place-more",
        models: "a line takes a place more than it has lanes for",
        from: "if (places.length > PLACES) {",
        to: "if (places.length > LANES) {",
      },
      {
        name: "long-list-without-its-class",
        models: "what only the long list tells apart is of one class",
        from: "if (pair) pair[isIn[found] ? 1 : 0] = found;",
        to: "if (pair) pair[0] = found;",
      },
    ],
  ),
];
