import { error, example, message } from "../entry.js";

/** TG91xx: the store that a fleet's policies come from, and the generations that a node keeps. Raised by runtime/failures.ts. */
export const STORE = {
  TG9101: error(
    message`cannot read the store ${"store"}: ${"problem"}`,
    `The store's folder does not exist or may not be read. What the node runs stays in force, and \`tidegated\` tries
again. Look whether the path is right, and whether what it lies on is mounted.`,
    example(
      "sketch",
      "tidegated --node edge.ts --store dir:/mnt/policies   # not mounted",
      "mount /mnt/policies && tidegated --node edge.ts --store dir:/mnt/policies",
    ),
  ),
  TG9102: error(
    message`revision ${"revision"} of \`${"customer"}\` is not valid: ${"problem"}`,
    `A head in the store says which files a customer's bundle consists of. This one cannot be read, or speaks of another
customer's bundle. Heads are written by \`tidegate publish\` and never by hand. Publish the bundle again.`,
    example(
      "sketch",
      "cp heads/globex.3.json heads/acme.8.json   # in the store",
      "tidegate publish build/acme --store dir:/mnt/policies",
    ),
  ),
  TG9103: error(
    message`\`${"file"}\` of \`${"customer"}\` revision ${"revision"} is missing in ${"store"}, or damaged`,
    `The head is there, and bytes that it promises are not. A store that is copied must be copied in the order in which it
is written, \`blobs\` before \`heads\`; then this mends itself. Publishing the bundle again brings back what was lost.`,
    example(
      "sketch",
      "rsync -a store/heads edge1:/srv/store/",
      "rsync -a store/blobs edge1:/srv/store/ && rsync -a store/heads edge1:/srv/store/",
    ),
  ),
  TG9104: error(
    message`somebody else has just published revision ${"revision"} of \`${"customer"}\``,
    `Two publishers were at work at the same time, and the other one was first. Nothing of yours is in force, and
nothing of theirs is lost. Look at what they published; if yours should follow it, publish it again.`,
    example(
      "sketch",
      `tidegate publish build/acme --store dir:/srv/store &
tidegate publish build/acme-new --store dir:/srv/store`,
      `tidegate publish build/acme --store dir:/srv/store
tidegate publish build/acme-new --store dir:/srv/store`,
    ),
  ),
  TG9105: error(
    message`\`${"customer"}\` has no earlier policy on this node to go back to`,
    `A node keeps one policy of each customer beside the one in force: the one that was in force before. There is none
before the first change, nor after a restart of the machine. Apply or publish an older bundle instead.`,
    example(
      "sketch",
      `tidegate apply build/acme --edge edge.ts   # the first one
tidegate rollback acme`,
      "tidegate apply build/acme-older --edge edge.ts",
    ),
  ),
  TG9106: error(
    message`cannot write to the store ${"store"}: ${"problem"}`,
    `The file system refused, in the words that are quoted. Nothing was published: a head is written last, in one step.
Mend the cause and publish again.`,
    example(
      "sketch",
      "tidegate publish build/acme --store dir:/srv/store   # no space left on the device",
      "df -h /srv/store   # make room, then publish again",
    ),
  ),
  TG9107: error(
    message`\`${"customer"}\` was never published in ${"store"}`,
    `Only a customer that the store holds can be taken away. Look at how its policy writes the name, and
whether this is the right store.`,
    example(
      "sketch",
      "tidegate publish --remove acme-corp --store dir:/srv/store",
      "tidegate publish --remove acme --store dir:/srv/store",
    ),
  ),
};
