/**
 * Counts what this process does to the machine while it is armed, and lets one of these things go wrong. An action is a command,
 * a request to the loader, a change of a file, a look at one, or the beginning of a step.
 *
 * kill-before, kill-during, kill-after: SIGKILL to this process; of a write, "during" leaves half of it. fail: the action is not
 * done, and gives an error. full: half of it is done, and the disk is full. loader: SIGKILL to the loader before it. rival: this
 * process stands still until somebody lets it go on. reboot: as kill-before; what the machine forgets then is not this process's.
 */
import childProcess from "node:child_process";
import { writeSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

/** `{ kind, alike, nth }`: at the nth action that is named alike, counted from 0; null: none. */
let fault = null;
/** While armed: `{ sort, name, alike, nth }` of each. */
let actions = null;
let loader;

export function arm(next) {
  fault = next ?? null;
  actions = [];
}

/** Gives what was done since it was armed. */
export function disarm() {
  const done = actions;
  actions = null;
  return done;
}

const die = () => process.kill(process.pid, "SIGKILL");

/** Notes an action; gives what is to go wrong with it. */
export function reach(sort, text) {
  if (!actions) return null;
  // Of a name that is chosen at random only the rest says something.
  const name = text.replace(/\.[0-9a-f]{12}$/, "");
  const action = alike(name);
  const nth = actions.filter((one) => one.alike === action).length;
  actions.push({ sort, name, alike: action, nth });
  if (fault?.alike !== action || fault.nth !== nth) return null;
  const { kind } = fault;
  if (kind === "loader" && !isAlive(loader)) return null;
  // Where it is read even if these are the last words.
  writeSync(2, `reached ${name}\n`);
  if (kind === "kill-before" || kind === "reboot") die();
  if (kind === "loader") loader.kill("SIGKILL");
  if (kind === "rival") process.kill(process.pid, "SIGSTOP");
  return kind;
}

/** Generations, and what else is counted, have other numbers in each run. */
const alike = (name) => name.replace(/\d+/g, "N");

const isAlive = (child) => child !== undefined && child.exitCode === null && child.signalCode === null;

const { spawn } = childProcess;
childProcess.spawn = (command, args, options) => {
  const isLoader = command.endsWith("tidegate-loader");
  const kind = reach("command", isLoader ? "start the loader" : [command, ...args].join(" "));
  if (kind === "fail") return spawn("false", [], options);
  const child = spawn(command, args, options);
  if (kind === "kill-during") setImmediate(die);
  if (kind === "kill-after") child.on(isLoader ? "spawn" : "exit", die);
  if (isLoader) watchLoader(child);
  return child;
};

function watchLoader(child) {
  loader = child;
  const write = child.stdin.write.bind(child.stdin);
  child.stdin.write = (frame) => {
    const kind = reach("request", `loader: ${nameIn(frame)}`);
    if (kind === "kill-after") child.stdout.once("data", die);
    // A request that the loader does not know is answered by an error.
    const written = write(kind === "fail" ? spoilt(frame) : frame);
    if (kind === "kill-during") die();
    return written;
  };
}

/** runtime/frame.ts: length, count, then the size of the operation's name and the name. */
function nameIn(frame) {
  return frame.toString("latin1", 12, 12 + frame.readUInt32LE(8));
}

function spoilt(frame) {
  const copy = Buffer.from(frame);
  copy.write("?", 12, "latin1");
  return copy;
}

/** Does `action`, unless it is to go wrong; `half` does a part of it. */
async function attempt(sort, name, action, half = async () => {}) {
  const kind = reach(sort, name);
  if (kind === "kill-during" || kind === "full") await half();
  if (kind === "kill-during") die();
  if (kind === "fail" || kind === "full") {
    const code = kind === "full" ? "ENOSPC" : "EIO";
    throw Object.assign(new Error(`${code}: injected, ${name}`), { code, syscall: name.split(" ")[0] });
  }
  const result = await action();
  if (kind === "kill-after") die();
  return result;
}

function wrap(sort, names) {
  for (const name of names) {
    const original = fs[name];
    fs[name] = (...args) => attempt(sort, `${name} ${args[0]}`, () => original(...args));
  }
}
wrap("change", ["rename", "rm", "mkdir", "link", "rmdir"]);
wrap("look", ["readFile", "readdir", "opendir"]);

const { writeFile, open } = fs;
fs.writeFile = (file, content, ...rest) =>
  attempt(
    "change",
    `writeFile ${file}`,
    () => writeFile(file, content, ...rest),
    () => writeFile(file, content.slice(0, content.length / 2)),
  );

fs.open = async (file, flags, ...rest) => {
  const isWrite = typeof flags === "string" && flags !== "r";
  const handle = await attempt(isWrite ? "change" : "look", `open ${file}`, () => open(file, flags, ...rest));
  const [write, sync] = [handle.writeFile.bind(handle), handle.sync.bind(handle)];
  handle.writeFile = (content) =>
    attempt(
      "change",
      `write ${file}`,
      () => write(content),
      () => write(content.slice(0, content.length / 2)),
    );
  handle.sync = () => attempt("change", `sync ${file}`, sync);
  return handle;
};
syncBuiltinESMExports();
