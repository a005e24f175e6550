/**
 * Runs the built runtime's operations, one after another, as it is asked on standard input: a line
 * `{ operation, options, fault }` is answered by a line `{ value }` or `{ error }`, with what was done. A fault may be its end.
 */
import { createInterface } from "node:readline";
import { arm, disarm, reach } from "./injector.mjs";

const MODULES = {
  apply: "apply",
  remove: "remove",
  rollback: "rollback",
  uninstall: "uninstall",
  recoverNode: "restart",
  status: "status",
};

const operations = {};
for (const [name, module] of Object.entries(MODULES))
  operations[name] = (await import(`../../dist/runtime/${module}.js`))[name];

// As tidegated does when it has found out about a customer's routers; `lives` says what, by tunnel.
const { followRouters } = await import("../../dist/runtime/health/follow.js");
operations.turn = ({ lives, ...options }) =>
  followRouters({ ...options, lifeOf: ({ name }) => lives[name] });

const onStep = (step) => void reach("step", `step: ${step}`);

for await (const line of createInterface({ input: process.stdin })) {
  const { operation, options, fault } = JSON.parse(line);
  arm(fault);
  const answer = await operations[operation]({ ...options, onStep }).then(
    (value) => ({ value }),
    ({ code, message, stack }) => ({ error: { code, message, stack } }),
  );
  process.stdout.write(`${JSON.stringify({ ...answer, actions: disarm() })}\n`);
}
