/**
 * Loaded into a process before the runtime (node --import): counts what it does to the machine, and lets one of these things go
 * wrong. An action is a command, a request to the loader, or a change of a file. FAULT is `MODE:NUMBER`, counted from 0.
 *
 * kill-before, kill-after: SIGKILL to this process; fail: the action is not done, and gives an error; full: the same, of files
 * only, as of a full disk; loader: SIGKILL to the loader.
 */
import childProcess from "node:child_process";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const [mode, number] = (process.env.FAULT ?? "none:-1").split(":");
const at = Number(number);
const actions = [];
let loader;

process.on("exit", () => {
  if (mode === "none") process.stderr.write(JSON.stringify(actions));
});

/** Notes an action; gives whether it is the one. */
function isTheOne(what) {
  actions.push(what);
  if (actions.length - 1 !== at) return false;
  if (mode === "kill-before") process.kill(process.pid, "SIGKILL");
  if (mode === "loader") loader?.kill("SIGKILL");
  return mode === "fail" || mode === "kill-after" || mode === "full";
}

const die = () => process.kill(process.pid, "SIGKILL");

const { spawn } = childProcess;
childProcess.spawn = (command, args, options) => {
  const isLoader = command.endsWith("tidegate-loader");
  const one = isTheOne(isLoader ? "start the loader" : [command, ...args].join(" "));
  if (one && mode === "fail") return spawn("false", [], options);
  const child = spawn(command, args, options);
  if (one && mode === "kill-after") child.on("exit", die);
  if (isLoader) watchLoader(child);
  return child;
};

function watchLoader(child) {
  loader = child;
  const write = child.stdin.write.bind(child.stdin);
  child.stdin.write = (frame) => {
    const one = isTheOne(`loader: ${nameIn(frame)}`);
    if (one && mode === "kill-after") child.stdout.once("data", die);
    // A request that the loader does not know is answered by an error.
    return write(one && mode === "fail" ? spoilt(frame) : frame);
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

for (const name of ["writeFile", "rename", "rm", "mkdir", "link", "rmdir"]) {
  const original = fs[name];
  fs[name] = async (...args) => {
    const one = isTheOne(`${name} ${args[0]}`);
    if (one && (mode === "fail" || mode === "full")) {
      const code = mode === "full" ? "ENOSPC" : "EIO";
      throw Object.assign(new Error(`${code}: injected, ${name} '${args[0]}'`), { code, syscall: name });
    }
    const result = await original(...args);
    if (one && mode === "kill-after") die();
    return result;
  };
}
syncBuiltinESMExports();
