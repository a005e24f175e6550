import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publishBundle } from "../../runtime/store/bundles.js";
import { dirStore } from "../../runtime/store/dir-store.js";
import { AcmeEdge, acme, NODE } from "../support/acme-edge.js";
import { RunningDaemon, writeEdge } from "../support/daemon.js";

const UNIT = join(import.meta.dirname, "../../runtime/daemon/tidegated.service");
const text = readFileSync(UNIT, "utf8");

/** All values of a setting, in order. */
function settings(name: string): readonly string[] {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}=`));
  return lines.flatMap((line) => line.slice(name.length + 1).split(" "));
}

const CAPABILITIES = settings("CapabilityBoundingSet");
const without = (capability: string) => CAPABILITIES.filter((one) => one !== capability);

/** A command line that runs the rest with these capabilities, and can never have others. */
function having(capabilities: readonly string[]): readonly string[] {
  const set = ["-all", ...capabilities.map((one) => `+${one.replace("CAP_", "").toLowerCase()}`)].join(",");
  return ["setpriv", `--bounding-set=${set}`, `--inh-caps=${set}`, "--no-new-privs"];
}

let edge: AcmeEdge;
let args: readonly string[];

beforeAll(async () => {
  edge = await AcmeEdge.start();
  const root = join(edge.server.folder, "store");
  mkdirSync(root);
  await publishBundle(dirStore(root), edge.bundle("acme", acme()));
  const node = writeEdge(join(edge.server.folder, "edge.ts"), NODE);
  args = ["--node", node, "--store", `dir:${root}`, "--metrics", "off"];
});
afterAll(() => edge?.server.end());

describe("the capabilities that the unit leaves to the daemon", () => {
  test.each(CAPABILITIES.filter((one) => one !== "CAP_NET_RAW"))(
    "without %s it cannot put a policy in force",
    async (capability) => {
      const daemon = RunningDaemon.start(edge.server, args, { before: having(without(capability)) });
      await daemon.says(
        /acme: revision 1 not in force yet: .*([Oo]peration not permitted|[Pp]ermission|EPERM|EACCES)/,
      );
      await daemon.end();
    },
  );

  test("are enough", async () => {
    const found = edge.server.portrait();
    const daemon = RunningDaemon.start(edge.server, args, { before: having(CAPABILITIES) });
    await daemon.says(/acme: revision 1 in force/);
    await daemon.end();
    expect((await edge.server.status()).customers).toMatchObject([{ drift: [] }]);
    await edge.server.remove("acme");
    expect(edge.server.portrait()).toBe(found);
  });
});

test("systemd is told that it is ready, that it lives, and that it ends", async () => {
  const notified = join(edge.server.folder, "notified");
  const folder = join(edge.server.folder, "bin");
  mkdirSync(folder);
  const fake = `#!/bin/sh\necho "$@" >> ${notified}\n`;
  execFileSync("sh", ["-c", 'cat > "$0" && chmod +x "$0"', join(folder, "systemd-notify")], { input: fake });
  const environment = {
    ...{ NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "400000" },
    PATH: `${folder}:${process.env["PATH"]}`,
  };
  const daemon = RunningDaemon.start(edge.server, args, { environment });
  await daemon.says(/following/);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(await daemon.end()).toBe(0);
  const lines = readFileSync(notified, "utf8").trim().split("\n");
  expect(lines.some((line) => /^--pid=\d+ READY=1 STATUS=following dir:/.test(line))).toBe(true);
  expect(lines.filter((line) => line.endsWith("WATCHDOG=1")).length).toBeGreaterThan(1);
  expect(lines.at(-1)).toMatch(/STOPPING=1$/);
});

test("the unit asks for no mounts of its own, and kills the daemon alone", () => {
  expect(text).not.toMatch(
    /^(Protect|Private|ReadOnly|ReadWrite|Inaccessible|Temporary|Root|Dynamic|State)\w*=/m,
  );
  expect(settings("KillMode")).toEqual(["mixed"]);
  expect(settings("Type")).toEqual(["notify"]);
  expect(settings("NotifyAccess")).toEqual(["all"]);
});
