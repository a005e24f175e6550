/**
 * Opens an FTP control connection, says USER and QUIT, and prints what was said as one JSON object:
 * {"connectedMs": N, "lines": ["< 220 …", "> USER anonymous", …]}. Arguments: address and port.
 * Exits with 1 when the conversation does not come to its end in time.
 */
import { connect } from "node:net";
import { createInterface } from "node:readline";

const TIMEOUT_MS = 5000;
const ANSWERS: Readonly<Record<string, string>> = { 220: "USER anonymous", 331: "QUIT" };

const [address = "127.0.0.1", port = "21"] = process.argv.slice(2);
const started = performance.now();
const lines: string[] = [];
let connectedMs = Number.NaN;

const socket = connect(Number(port), address, () => {
  connectedMs = Math.round(performance.now() - started);
});
const timer = setTimeout(() => socket.destroy(new Error("timed out")), TIMEOUT_MS);

createInterface({ input: socket }).on("line", (line) => {
  lines.push(`< ${line}`);
  const answer = ANSWERS[line.slice(0, 3)];
  if (answer === undefined) return;
  lines.push(`> ${answer}`);
  socket.write(`${answer}\r\n`);
});
socket.on("error", (problem) => {
  console.error(`${problem.message} after: ${lines.join(" ") || "nothing"}`);
  process.exitCode = 1;
});
socket.on("close", () => {
  clearTimeout(timer);
  if (process.exitCode === undefined) console.log(JSON.stringify({ connectedMs, lines }));
});
