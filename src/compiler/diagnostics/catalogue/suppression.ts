import { error, example, message, warning } from "../entry.js";

/** TG3090–TG3094: comments that suppress a warning or a note. They cannot be suppressed themselves. */
export const SUPPRESSION = {
  TG3090: error(
    message`\`${"comment"}\` gives no reason`,
    `Whoever reads the policy next must see why the finding was right to be left as it is. The reason stands behind a
colon, on the same line.`,
    example(
      "policy",
      `mitigate: [
  // tidegate-ignore TG3004
  drop("other", expr\`not tcp.dstport == 80\`),
]`,
      `mitigate: [
  // tidegate-ignore TG3004: every protocol is meant
  drop("other", expr\`not tcp.dstport == 80\`),
]`,
    ),
    "write the reason behind a colon",
  ),
  TG3091: warning(
    message`there is no diagnostic \`${"code"}\``,
    `The comment suppresses nothing, because no diagnostic has this code. Codes are TG and four digits, as the messages
show them. A code may also have gone in a newer version of Tidegate; then remove the comment.`,
    example(
      "policy",
      `mitigate: [
  // tidegate-ignore TG3004, TG3999: every protocol is meant
  drop("other", expr\`not tcp.dstport == 80\`),
]`,
      `mitigate: [
  // tidegate-ignore TG3004: every protocol is meant
  drop("other", expr\`not tcp.dstport == 80\`),
]`,
    ),
  ),
  TG3092: warning(
    message`\`${"code"}\` is not raised by line ${"line"}, so there is nothing to suppress`,
    `A suppression speaks of its own line if there is something else on it, otherwise of the next line that is no
comment, and of the whole rule, statement, item or property that begins there. Nothing there raises this code any more.
Remove it, or else it will hide the next mistake.`,
    example(
      "policy",
      `mitigate: [
  // tidegate-ignore TG3004: every protocol is meant
  drop("other", expr\`tcp.dstport != 80\`),
]`,
      `mitigate: [
  drop("other", expr\`tcp.dstport != 80\`),
]`,
    ),
    "remove it",
  ),
  TG3093: error(
    message`\`${"code"}\` cannot be suppressed: it is ${"what"}`,
    `Only warnings and notes can be suppressed. An error says that the policy has no meaning, or one that no target can
keep, so there is nothing that could be compiled in spite of it. What is wrong with suppressions is always said.`,
    example(
      "policy",
      `mitigate: [
  // tidegate-ignore TG2001: not mine
  drop("other", expr\`ip.sorce == 192.0.2.1\`),
]`,
      `mitigate: [
  drop("other", expr\`ip.src == 192.0.2.1\`),
]`,
    ),
  ),
  TG3094: error(
    message`\`${"comment"}\` is not a suppression`,
    `A suppression names codes and gives a reason: tidegate-ignore TG3004: reason. Several codes have commas between
them. There is none that suppresses everything, because it would hide mistakes that are yet to be made.`,
    example(
      "policy",
      `mitigate: [
  // tidegate-ignore TG3004 every protocol is meant
  drop("other", expr\`not tcp.dstport == 80\`),
]`,
      `mitigate: [
  // tidegate-ignore TG3004: every protocol is meant
  drop("other", expr\`not tcp.dstport == 80\`),
]`,
    ),
    "write `tidegate-ignore TG3004: reason`, with the code that is meant",
  ),
};
