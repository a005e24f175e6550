import pc from "picocolors";
import { rollback } from "../../../runtime/rollback.js";
import { EXIT } from "../exit.js";
import { renderWarnings } from "../render/applied.js";
import { stepPrinter } from "../render/steps.js";

/** `tidegate rollback`: back to the policy that was in force before. */
export async function rollBack(
  customer: string,
  options: { readonly stateDir: string; readonly memoryDir: string; readonly json?: boolean },
): Promise<number> {
  const { stateDir, memoryDir, json = false } = options;
  const steps = stepPrinter(json);
  const applied = await rollback({ customer, stateDir, memoryDir, onStep: steps.step });
  steps.end();
  const { generation, hash } = applied;
  const which = `generation ${generation} ${pc.dim(hash.slice(0, 12))}`;
  for (const line of renderWarnings(applied, { json, colors: pc })) console.error(line);
  console.log(json ? JSON.stringify(applied) : `${pc.green("ok")} ${customer} is back, as ${which}`);
  return EXIT.ok;
}
