import { type NodeStatus, status } from "../../../runtime/status.js";
import { EXIT } from "../exit.js";
import { renderStatus } from "../render/status.js";

/** `tidegate status`: what is in force, what it counted, and what differs from what should be there. */
export async function showStatus(options: {
  readonly stateDir: string;
  readonly json?: boolean;
}): Promise<number> {
  const found = await status({ stateDir: options.stateDir });
  console.log(options.json ? JSON.stringify(found) : renderStatus(found));
  return drifted(found) ? EXIT.failed : EXIT.ok;
}

function drifted({ node, customers }: NodeStatus): boolean {
  return [...(node?.drift ?? []), ...customers.flatMap(({ drift }) => drift)].length > 0;
}
