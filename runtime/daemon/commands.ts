import { mkdir, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { encodeFrame, FrameReader } from "../frame.js";

/** A command line that was handed over by the process that it was given to (runtime/handover/main.c). */
export interface HandedOver {
  /** The hash of that command's code. */
  readonly build: string;
  /** What its paths start from. */
  readonly cwd: string;
  readonly colors: boolean;
  /** Is it to say its steps? */
  readonly steps: boolean;
  readonly words: readonly string[];
}

/** What a command prints that has done its work. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** Does a command's work; undefined: that process is to do it. Must not reject. */
export type Handler = (command: HandedOver) => Promise<Printed | undefined>;

export interface Commands {
  /** Takes no more, and resolves when those that were taken are done. */
  close(): Promise<void>;
}

/** Who connects and says nothing must not stay. */
const SILENCE_MS = 5_000;

/**
 * Takes commands at a socket, one a connection. Who may connect may do what root may: to connect takes the permission to write to
 * the socket (unix(7)), and it lies in a folder that is root's own. The caller has made sure of that.
 */
export async function takeCommands(path: string, handle: Handler): Promise<Commands> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Of a daemon that was killed.
  await rm(path, { force: true });
  const running = new Set<Promise<void>>();
  const server = createServer((socket) => {
    const done = serve(socket, handle).finally(() => running.delete(done));
    running.add(done);
  });
  await listen(server, path);
  return {
    close: async () => {
      server.close();
      await Promise.all(running);
    },
  };
}

/** Nobody but its user may connect, not even before a chmod(2): bind(2) makes the socket by the umask, and Node binds at once. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const before = process.umask(0o177);
    server.listen(path, resolve);
    process.umask(before);
  });
}

async function serve(socket: Socket, handle: Handler): Promise<void> {
  // Who hangs up has nothing more to hear.
  socket.on("error", () => socket.destroy());
  const command = await readCommand(socket);
  const printed = command && (await handle(command));
  // Who does not hang up must not keep the daemon from its end.
  if (printed) socket.end(encodeFrame(["done", printed.stdout, printed.stderr]), () => socket.destroy());
  else socket.destroy();
}

/** The one frame that is sent; undefined where it is none. */
function readCommand(socket: Socket): Promise<HandedOver | undefined> {
  const reader = new FrameReader();
  return new Promise((resolve) => {
    const give = (command: HandedOver | undefined) => {
      socket.setTimeout(0);
      resolve(command);
    };
    socket.setTimeout(SILENCE_MS, () => give(undefined));
    socket.on("close", () => give(undefined));
    socket.on("data", (chunk: Buffer) => {
      try {
        const [fields] = reader.push(chunk);
        if (fields) give(commandOf(fields.map(String)));
      } catch {
        give(undefined);
      }
    });
  });
}

function commandOf([build, cwd, colors, steps, ...words]: readonly string[]): HandedOver | undefined {
  if (build === undefined || cwd === undefined || steps === undefined) return undefined;
  return { build, cwd, colors: colors === "colors", steps: steps === "steps", words };
}
