import { error, example, message } from "../entry.js";

/** TG2060–TG2069: tunnels, and the routes into them. */
export const TUNNELS = {
  TG2060: error(
    message`there are two routes for ${"prefix"} into \`${"tunnel"}\` with the same priority`,
    `Routes of one prefix and one priority share its packets, each tunnel by its weight. A tunnel that stands there twice
would have two weights, of which it is not clear which one holds. Leave one of the two out, and give the other the weight
that is meant; or give them different priorities.`,
    example(
      "policy",
      `routes: [
  { prefix: "203.0.113.0/24", tunnel: "main", weight: 2 },
  { prefix: "203.0.113.0/24", tunnel: "main" },
]`,
      `routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }]`,
    ),
    "leave one of them out, or name another tunnel",
  ),
};
