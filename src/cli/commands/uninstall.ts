import pc from "picocolors";
import { uninstall } from "../../../runtime/uninstall.js";
import { EXIT } from "../exit.js";
import { stepPrinter } from "../render/steps.js";

/** `tidegate uninstall`: takes all of Tidegate off this machine's network. */
export async function uninstallAll(options: {
  readonly stateDir: string;
  readonly json?: boolean;
}): Promise<number> {
  const steps = stepPrinter(options.json ?? false);
  const done = await uninstall({ stateDir: options.stateDir, onStep: steps.step });
  steps.end();
  const who = done.customers.length === 0 ? "no customer was loaded" : `removed ${done.customers.join(", ")}`;
  console.log(
    options.json ? JSON.stringify(done) : `${pc.green("ok")} the machine is as it was found; ${who}`,
  );
  return EXIT.ok;
}
