/**
 * Sends whoever connects the same noise (noise.ts) and closes. Arguments: address, port and bytes. Ends with its
 * standard input.
 */
import { createServer } from "node:net";
import { noise } from "./noise.js";

const [address = "0.0.0.0", port = "20", bytes = "0"] = process.argv.slice(2);

createServer((socket) => {
  // A client that goes away in the middle is no reason to stop serving.
  socket.on("error", () => socket.destroy());
  socket.end(noise(Number(bytes)));
}).listen(Number(port), address, () => console.log("listening"));
process.stdin.resume().on("end", () => process.exit(0));
