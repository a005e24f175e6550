/**
 * Takes what a server sends in one connection until that closes it, and prints as JSON what came: {"bytes": N,
 * "same": whether it was the noise of noise.ts}. Arguments: address and port. Exits with 1 when the connection breaks, or
 * when nothing comes for a while.
 */
import { connect } from "node:net";
import { noise } from "./noise.js";

const QUIET_MS = 10_000;

const [address = "127.0.0.1", port = "20"] = process.argv.slice(2);
const chunks: Buffer[] = [];

const socket = connect(Number(port), address);
socket.setTimeout(QUIET_MS, () => socket.destroy(new Error("nothing came any more")));
socket.on("data", (chunk) => chunks.push(chunk));
socket.on("error", (problem) => {
  console.error(`${problem.message} after ${Buffer.concat(chunks).length} bytes`);
  process.exitCode = 1;
});
socket.on("close", () => {
  const came = Buffer.concat(chunks);
  if (process.exitCode === undefined)
    console.log(JSON.stringify({ bytes: came.length, same: came.equals(noise(came.length)) }));
});
