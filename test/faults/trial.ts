import type { Arrived, Class } from "../support/two-policies.js";
import { type FaultLab, same } from "./lab.js";
import { isOfDisk, type Point } from "./points.js";
import type { Answer, Call } from "./resident.js";
import { type Loaded, passes, type Scenario } from "./scenarios.js";

/** What became of a fault. */
export interface Outcome {
  readonly point: Point;
  /** `recovered`; `not reached`: the run did nothing of the kind; else what is wrong. */
  readonly result: "recovered" | "not reached" | { readonly wrong: string };
  /** How the run ended: killed, or the code of its failure, or as if nothing had happened. */
  readonly ended: string;
  /** What is in force now; undefined where that cannot be said. */
  readonly now: Loaded | undefined;
}

/**
 * Lets one thing go wrong in a run, with traffic on, and then has the node recover. What is in force afterwards is the old or
 * the new, whole, and judges alone; nothing of the other is left; and until then nothing got through that both forbid.
 */
export async function attempt(
  lab: FaultLab,
  scenario: Scenario,
  point: Point,
  again: boolean,
): Promise<Outcome> {
  let ended = "";
  try {
    const { result, arrived } = await lab.during(() => goWrong(lab, scenario, point, again));
    ended = result.ended;
    expectFiltered(arrived, scenario);
    if (result.reached === undefined) return { point, result: "not reached", ended, now: await lab.whole() };
    const now = await lab.whole();
    if (!isEnd(scenario, now)) throw new Error(`neither the old nor the new: ${JSON.stringify(now)}`);
    await lab.expectJudgedBy(now);
    return { point: { ...point, name: result.reached }, result: "recovered", ended, now };
  } catch (error) {
    const wrong = error instanceof Error ? error.message : String(error);
    return { point, result: { wrong }, ended, now: undefined };
  }
}

interface GoneWrong {
  /** Undefined: nothing has. */
  readonly reached: string | undefined;
  readonly ended: string;
}

async function goWrong(lab: FaultLab, scenario: Scenario, point: Point, again: boolean): Promise<GoneWrong> {
  const call = lab.callOf(scenario);
  let other = "";
  const meanwhile = async () => {
    other = `, the rival: ${await rival(lab, scenario)}`;
  };
  const answer = isOfDisk(point) ? await onFullDisk(lab, call, point) : await lab.run(call, point, meanwhile);
  const gone = { reached: reachedBy(answer, point), ended: `${endOf(answer)}${other}` };
  if (point.kind === "reboot" && answer.killed) {
    lab.reboot();
    await lab.demand(lab.recovery);
    // Who is recorded by then is what the next start, or the operator, brings back.
    await lab.restore(await lab.recorded());
    return gone;
  }
  if (point.kind !== "rival") await expectAsSaid(lab, scenario, answer);
  await lab.recover(scenario);
  // Whoever does it again comes to the end, or is told that it is reached.
  if (again && scenario.operation !== "rollback") {
    const { error } = await lab.calmly(lab.callOf(scenario));
    if (error && error.code !== "TG9010") throw new Error(`again: ${error.code} ${error.message}`);
  }
  return gone;
}

async function onFullDisk(lab: FaultLab, call: Call, point: Point): Promise<Answer> {
  lab.squeeze(point);
  return lab.run(call).finally(() => lab.release());
}

/** Somebody else wants the same at the time: it is done, or refused as long as the first one is at work. */
async function rival(lab: FaultLab, scenario: Scenario): Promise<string> {
  const { error } = await lab.attempt(lab.callOf(scenario));
  if (error && error.code !== "TG9002") throw new Error(`the rival: ${error.code} ${error.message}`);
  return error?.code ?? "done";
}

/** A fault counts only where it has happened: a kill has killed, and a full disk has refused something. */
function reachedBy({ killed, error, reached }: Answer, point: Point): string | undefined {
  if (isOfDisk(point)) return error && /no space left/i.test(error.message) ? point.name : undefined;
  const isDeadly = point.kind.startsWith("kill-") || point.kind === "reboot";
  return isDeadly && !killed ? undefined : reached;
}

function endOf({ killed, error }: Answer): string {
  if (killed) return "killed";
  if (!error) return "done all the same";
  if (!error.code?.startsWith("TG")) throw new Error(`crashed: ${error.stack}`);
  return error.code;
}

/** A run that lives to say how it ended has told the truth, before anybody has mended anything. */
async function expectAsSaid(lab: FaultLab, { from, to }: Scenario, { error, killed }: Answer): Promise<void> {
  if (killed) return;
  if (error && error.code !== "TG9006") return;
  const now = await lab.whole();
  if (!same(now, error ? from : to))
    throw new Error(`it said ${error?.message ?? "done"}, and there is ${JSON.stringify(now)}`);
}

/** An uninstall takes one customer after the other. */
function isEnd({ from, to, operation }: Scenario, now: Loaded): boolean {
  if (same(now, from) || same(now, to)) return true;
  return operation === "uninstall" && now.acme === null;
}

/** Nothing has left by a tunnel that neither of both lets into it. */
function expectFiltered(arrived: Arrived, { from, to }: Scenario): void {
  for (const tunnel of ["chicago", "dallas"] as const) {
    const allowed = new Set<string>([...passes(from)[tunnel], ...passes(to)[tunnel]]);
    for (const [name, packets] of Object.entries(arrived[tunnel]) as [Class, number][])
      if (packets > 0 && !allowed.has(name))
        throw new Error(`let through though both forbid it: ${packets} packets of ${name} into ${tunnel}`);
  }
}
