import pc from "picocolors";
import { remove } from "../../../runtime/remove.js";
import { EXIT } from "../exit.js";
import { stepPrinter } from "../render/steps.js";

/** `tidegate remove`: takes a customer off this edge server. */
export async function removeCustomer(
  customer: string,
  options: { readonly stateDir: string; readonly json?: boolean },
): Promise<number> {
  const steps = stepPrinter(options.json ?? false);
  const removed = await remove({ customer, stateDir: options.stateDir, onStep: steps.step });
  steps.end();
  const last = removed.last ? "; it was the last customer, and the node is as it was before the first" : "";
  console.log(options.json ? JSON.stringify(removed) : `${pc.green("ok")} ${customer} is removed${last}`);
  return EXIT.ok;
}
