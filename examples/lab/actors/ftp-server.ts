/**
 * The control connection of a small FTP server (RFC 959): greets, asks for a password, says goodbye.
 * Arguments: address and port. Ends with its standard input.
 */
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

const [address = "0.0.0.0", port = "21"] = process.argv.slice(2);

function serve(socket: Socket): void {
  // A client that goes away in the middle is no reason to stop serving.
  socket.on("error", () => socket.destroy());
  socket.write("220 Acme FTP ready\r\n");
  createInterface({ input: socket }).on("line", (line) => {
    const command = line.split(" ")[0]?.toUpperCase();
    if (command === "USER") socket.write("331 Password, please\r\n");
    else if (command === "QUIT") socket.end("221 Goodbye\r\n");
    else socket.write("502 Not here\r\n");
  });
}

createServer(serve).listen(Number(port), address, () => console.log("listening"));
process.stdin.resume().on("end", () => process.exit(0));
