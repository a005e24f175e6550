import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { takeCommands } from "../../runtime/daemon/commands.js";
import { encodeFrame } from "../../runtime/frame.js";
import { packageRoot } from "../../runtime/native-process.js";
import { AcmeEdge, acme, globex, NODE } from "../support/acme-edge.js";
import { RunningDaemon, writeEdge } from "../support/daemon.js";
import { address, rule } from "../support/ir.js";

const COMMAND = join(packageRoot(), "dist/runtime/handover/tidegate");

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function finished(program: string, args: readonly string[], cwd?: string): Promise<Ran> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], cwd });
  const out = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (chunk: Buffer) => {
      out[name] += chunk;
    });
  const [status] = await once(child, "close");
  return { status, ...out };
}

describe("tidegate apply, where a daemon runs", () => {
  let edge: AcmeEdge;
  let daemon: RunningDaemon;
  let bundles: readonly [string, string];
  const edgeFile = () => join(edge.server.folder, "edge.ts");

  async function start(): Promise<RunningDaemon> {
    const store = join(edge.server.folder, "store");
    mkdirSync(store, { recursive: true });
    const args = ["--node", edgeFile(), "--store", `dir:${store}`, "--metrics", "off", "--look", "3600"];
    const running = RunningDaemon.start(edge.server, args);
    await running.says(/following/);
    return running;
  }

  function apply(bundle: string, options: readonly string[] = [], namespace?: string): Promise<Ran> {
    const words = [COMMAND, "apply", bundle, "--edge", edgeFile(), ...options];
    const [program, ...args] = edge.server.enter(words, namespace);
    return finished(program, args);
  }

  /** What the daemon says of what was handed over to it. */
  const handedOver = () => daemon.output.match(/by `tidegate apply`/g)?.length ?? 0;

  beforeAll(async () => {
    edge = await AcmeEdge.start();
    writeEdge(edgeFile(), NODE);
    const other = rule("other", "drop", address("ip.src", "192.168.0.0/16"));
    bundles = [edge.bundle("first", acme()), edge.bundle("second", acme({ mitigate: [other] }))];
    daemon = await start();
  });
  afterAll(async () => {
    await daemon?.end("SIGKILL");
    await edge?.server.end();
  });

  test("is done by the daemon, and prints what it prints itself", async () => {
    const { status, stdout, stderr } = await apply(bundles[0]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ok acme generation 1 [0-9a-f]{12}: in force, by tidegated\n$/);
    expect(stderr).toMatch(
      /^ {2}verify the bundle\n(?: {2}.*\n)* {2}record\nnote: unsigned bundles are taken here; .*\n$/,
    );
    await daemon.says(/<6>acme: in force as generation 1, by `tidegate apply` \([0-9a-f]{12}, \d+ ms\)$/);
    expect(await apply(bundles[0])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/nothing to change/),
    });
    const json = await apply(bundles[1], ["--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      customer: "acme",
      changed: true,
      generation: 2,
      drift: [],
    });
    expect(json.stderr).toBe("");
    expect(handedOver()).toBe(2);
    expect((await edge.server.status()).customers).toMatchObject([{ generation: 2, drift: [] }]);
  });

  test("a daemon's mending does nothing over what it has not seen", async () => {
    const { generation } = await edge.server.apply(bundles[1], NODE);
    const onlyOver = "0".repeat(64);
    const answer = await edge.server.apply(bundles[0], NODE, { onlyOver });
    expect(answer).toMatchObject({ changed: false, generation, overtaken: true });
    expect((await edge.server.status()).customers).toMatchObject([{ generation, drift: [] }]);
  });

  test("takes paths from where it was called, and holds until the store says something new", async () => {
    const { generation } = await edge.server.apply(bundles[1], NODE);
    const before = handedOver();
    const [program, ...args] = edge.server.enter([
      ...["sh", "-c", `cd ${edge.server.folder} && exec ${COMMAND} apply first --edge edge.ts --json`],
    ]);
    const { stdout } = await finished(program, args);
    expect(JSON.parse(stdout)).toMatchObject({ changed: true, generation: Number(generation) + 1 });
    expect(handedOver()).toBe(before + 1);
  });

  test("says itself what is wrong with a bundle", async () => {
    const before = handedOver();
    const stolen = edge.bundle("stolen", { ...globex(), customer: "acme" });
    const { status, stderr } = await apply(stolen);
    expect(status).toBe(1);
    expect(stderr).toContain("error[TG5007]");
    expect(handedOver()).toBe(before);
  });

  test.each([
    ["another edge.ts", ["--edge", "other.ts"], 0],
    ["an option that there is not", ["--none"], 2],
    ["a question", ["--help"], 0],
  ])("does %s itself", async (_, options, status) => {
    const before = handedOver();
    writeEdge(join(edge.server.folder, "other.ts"), NODE);
    const words = options.map((word) => (word === "other.ts" ? join(edge.server.folder, word) : word));
    expect((await apply(bundles[1], words)).status).toBe(status);
    expect(handedOver()).toBe(before);
  });

  test("does it itself where edge.ts is not what the daemon has read", async () => {
    const before = handedOver();
    writeEdge(edgeFile(), { ...NODE, owners: { ...NODE.owners, initech: ["198.18.66.0/24"] } });
    const { stdout } = await apply(bundles[0], ["--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ changed: true });
    writeEdge(edgeFile(), NODE);
    expect(handedOver()).toBe(before);
  });

  test("does it itself in another network namespace, where there is no such node", async () => {
    const before = handedOver();
    const { status, stderr } = await apply(bundles[1], [], "client");
    expect(status).toBe(1);
    expect(stderr).toMatch(/error\[TG90(04|13)\]/);
    expect(handedOver()).toBe(before);
  });

  test("does it itself where the daemon was killed, and is handed over again to the next one", async () => {
    await daemon.end("SIGKILL");
    const { stdout } = await apply(bundles[1], ["--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ changed: true });
    daemon = await start();
    expect((await apply(bundles[0])).stdout).toContain("by tidegated");
    await daemon.end("SIGTERM");
    expect(edge.server.run(["ls", "/run/tidegate"])).not.toContain("commands");
  });
});

describe("the command, when the other side is not as it should be", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-handover-"));
  const path = join(folder, "commands");
  let close: () => Promise<unknown> = async () => {};
  afterEach(async () => {
    await close();
    rmSync(path, { force: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function answering(answer: (socket: Socket) => void): Promise<void> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => answer(socket));
    });
    await once(server.listen(path), "listening");
    close = () => new Promise((resolve) => server.close(resolve));
  }

  const command = () =>
    finished(
      COMMAND,
      ["apply", "none", "--edge", "none.ts", "--state-dir=/nowhere", "--state-dir", folder],
      folder,
    );
  const ITSELF = { status: 2, stdout: "", stderr: "tidegate: cannot read none.ts: no such file\n" };

  test.each<[string, (socket: Socket) => void]>([
    ["hangs up", (socket) => socket.end()],
    ["dies", (socket) => socket.destroy()],
    ["answers something else", (socket) => socket.end(encodeFrame(["sorry", "", ""]))],
    ["answers too little", (socket) => socket.end(encodeFrame(["done"]))],
    ["stops in the middle", (socket) => socket.end(encodeFrame(["done", "text", ""]).subarray(0, -2))],
    ["announces too much", (socket) => socket.end(Buffer.alloc(4, 0xff))],
    ["talks nonsense", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ])("does its work itself where that %s", async (_, answer) => {
    await answering(answer);
    expect(await command()).toEqual(ITSELF);
  });

  test("prints a whole answer", async () => {
    await answering((socket) => socket.end(encodeFrame(["done", "out\n", "err\n"])));
    expect(await command()).toEqual({ status: 0, stdout: "out\n", stderr: "err\n" });
  });

  test("says what it was asked, by whom, and how to print", async () => {
    const seen: unknown[] = [];
    const commands = await takeCommands(path, async (command) => {
      seen.push(command);
      return { stdout: "", stderr: "" };
    });
    close = () => commands.close();
    expect(await command()).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(seen).toMatchObject([
      { build: expect.stringMatching(/^[0-9a-f]{64}$/), cwd: folder, colors: false, steps: true },
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test.each([
    ["others' bytes", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["too few fields", encodeFrame(["build", "/"])],
  ])("a daemon answers nothing to %s", async (_, bytes) => {
    const commands = await takeCommands(path, async () => ({ stdout: "", stderr: "" }));
    close = () => commands.close();
    writeFileSync(join(folder, "request"), bytes);
    const client = `const s = require("net").connect(${JSON.stringify(path)}, () => s.write(require("fs").readFileSync("request")));
      let n = 0; s.on("data", (d) => { n += d.length; }); s.on("close", () => console.log(n));`;
    expect(await finished("node", ["-e", client], folder)).toMatchObject({ stdout: "0\n" });
  });

  test("does its work itself where who answers is not root", async () => {
    chmodSync(folder, 0o777);
    const answer = encodeFrame(["done", "out\n", ""]).toString("hex");
    const script = `const server = require("net").createServer((s) => { s.on("error", () => {}); s.end(Buffer.from("${answer}", "hex")); });
      server.listen("${path}", () => console.log("ready"));`;
    const server = spawn("setpriv", ["--reuid=65534", "--clear-groups", "node", "-e", script]);
    close = async () => void server.kill();
    await once(server.stdout, "data");
    expect(await command()).toEqual(ITSELF);
  });

  test("is left alone by who is not root", async () => {
    await answering((socket) => socket.end(encodeFrame(["done", "out\n", ""])));
    for (const open of [folder, path]) chmodSync(open, 0o777);
    // A copy, with a stand-in for the command: the project may lie where only root can look.
    const [program, itself] = [join(folder, "runtime/handover/tidegate"), join(folder, "bin/tidegate.js")];
    for (const file of [program, itself]) mkdirSync(dirname(file), { recursive: true });
    cpSync(COMMAND, program);
    writeFileSync(itself, "#!/bin/sh\necho itself\n", { mode: 0o755 });
    const words = ["--reuid=65534", "--clear-groups", program, "apply", "none", "--state-dir", folder];
    const ran = await finished("setpriv", words, folder);
    expect(ran).toEqual({ status: 0, stdout: "itself\n", stderr: "" });
  });
});
