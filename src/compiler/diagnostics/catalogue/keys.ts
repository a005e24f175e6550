import { error, example, message } from "../entry.js";

/** Keys for examples. Their private halves were thrown away, so that trusting one by mistake trusts nobody. */
const RELEASE = "MCowBQYDK2VwAyEAqcoLbXUi0Ni2MI3T7mSJi7/Yb5pZllSMxdTwTEr1yzE=";
const BRANCH = "MCowBQYDK2VwAyEAKk3ofzwsResBoOswzlBu3l+cNFHGdvd0Ybk9yhOZsUs=";

/** TG2080–TG2089: the keys that an edge server trusts. */
export const KEYS = {
  TG2080: error(
    message`this is not the text of an Ed25519 public key: ${"problem"}`,
    `A key stands in edge.ts as one line of base64 that begins with \`MCowBQYDK2VwAyEA\`: what stands between BEGIN and END in
the \`.pub\` file that \`tidegate keygen\` writes. The command prints the line to copy.`,
    example("edge", 'keys: { release: { key: "release.pub" } }', `keys: { release: { key: "${RELEASE}" } }`),
  ),
  TG2081: error(
    message`\`${"name"}\` and \`${"other"}\` are the same key`,
    `A key has one name and one list of customers. With two of them it would not be clear which one holds.
Put the customers together under one name.`,
    example(
      "edge",
      `keys: { release: { key: "${RELEASE}" }, again: { key: "${RELEASE}" } }`,
      `keys: { release: { key: "${RELEASE}" }, branch: { key: "${BRANCH}" } }`,
    ),
  ),
  TG2082: error(
    message`${"what"} is empty, so that nobody could sign`,
    `An empty set never becomes "any": with no key or no customer in it, no bundle would ever be taken. To take unsigned
bundles leave \`keys\` out; to let a key sign for all customers leave its \`customers\` out.`,
    example("edge", "keys: {}", `keys: { release: { key: "${RELEASE}" } }`),
  ),
  TG2083: error(
    message`key \`${"key"}\` is for \`${"customer"}\`, who owns nothing here`,
    `A key's \`customers\` are names of \`owners\`. A name that is not there is a misspelled one, or a customer that has left.`,
    example(
      "edge",
      `keys: { branch: { key: "${BRANCH}", customers: ["amce"] } }`,
      `keys: { branch: { key: "${BRANCH}", customers: ["acme"] } }`,
    ),
  ),
};
