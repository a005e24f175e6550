import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { AcmeEdge, acme, NODE } from "../support/acme-edge.js";
import { compileBpf } from "../support/bpf-object.js";

/** What an operator must mend first. Each refusal leaves the machine as it was. */

let edge: AcmeEdge;
let bundle: string;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  bundle = edge.bundle("acme", acme());
});

afterAll(() => edge?.server.end());

async function refusal(node = NODE): Promise<{ code: string; message: string; hint: string }> {
  const before = edge.server.portrait();
  const refused = await edge.server.apply(bundle, node).then(
    () => ({ code: "none" }),
    (error) => error,
  );
  expect(edge.server.portrait()).toBe(before);
  return refused;
}

test("an uplink that does not exist", async () => {
  const { code, hint } = await refusal({ ...NODE, uplinks: ["up0", "up9"] });
  expect([code, hint]).toEqual(["TG9004", "devices here are: up0, up1"]);
});

test.each(["up0", "all"])("strict reverse-path filtering on %s", async (device) => {
  const key = `net.ipv4.conf.${device}.rp_filter`;
  edge.server.run(["sysctl", "-q", "-w", `${key}=1`]);
  const { code, hint } = await refusal();
  edge.server.run(["sysctl", "-q", "-w", `${key}=0`]);
  expect(code).toBe("TG9003");
  expect(hint).toContain(`sysctl -w ${key}=2`);
});

test("an XDP program of somebody else on an uplink", async () => {
  const object = join(edge.server.folder, "other.o");
  compileBpf(object, 'SEC("xdp") int other(struct xdp_md *ctx) { return XDP_PASS; }');
  edge.server.run(["ip", "link", "set", "up1", "xdp", "object", object, "section", "xdp"]);
  const { code, message } = await refusal();
  edge.server.run(["ip", "link", "set", "up1", "xdp", "off"]);
  expect([code, message]).toEqual(["TG9005", "`up1` already has an XDP program that is not Tidegate's"]);
});

test.each([
  ["nft table inet tidegate", ["nft", "add table inet tidegate"], ["nft", "delete table inet tidegate"]],
  [
    "IPv6 routing table 21575",
    ["ip", "-6", "route", "add", "blackhole", "2001:db8:77::/48", "table", "21575"],
    ["ip", "-6", "route", "flush", "table", "21575"],
  ],
  ["network namespace tg-acme", ["ip", "netns", "add", "tg-acme"], ["ip", "netns", "del", "tg-acme"]],
  ["device tg-acme", ["ip", "link", "add", "tg-acme", "type", "veth"], ["ip", "link", "del", "tg-acme"]],
])("%s of somebody else", async (thing, add, remove) => {
  edge.server.run(add);
  const { code, message } = await refusal();
  edge.server.run(remove);
  expect([code, message]).toEqual(["TG9013", `${thing} is there already, and Tidegate did not make it`]);
});

test("a state directory that is none", async () => {
  edge.server.run(["sh", "-c", "rm -rf /run/tidegate && touch /run/tidegate"]);
  const { code, message } = await refusal();
  edge.server.run(["rm", "/run/tidegate"]);
  expect([code, message]).toEqual(["TG9015", expect.stringMatching(/^this node refused: EEXIST/)]);
});

test.each([
  ["that everybody may write to", "mkdir -m 1777 /run/tidegate"],
  ["of somebody else's", "mkdir -m 700 /run/tidegate && chown 65534 /run/tidegate"],
])("a state directory %s", async (_name, make) => {
  edge.server.run(["sh", "-c", make]);
  const { code } = await refusal();
  const look = await edge.server.status().catch((error) => error);
  expect([code, look.code]).toEqual(["TG9016", "TG9016"]);
  expect(edge.server.run(["ls", "-A", "/run/tidegate"])).toBe("");
  edge.server.run(["rmdir", "/run/tidegate"]);
});

test("another run at the same time", async () => {
  edge.server.run(["mkdir", "-p", "/run/tidegate"]);
  const [command, ...args] = edge.server.enter([
    "flock",
    "/run/tidegate/lock",
    "sh",
    "-c",
    "echo held; exec cat",
  ]);
  const holder = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  const { code } = await refusal();
  const ended = new Promise((resolve) => holder.once("close", resolve));
  holder.stdin.end();
  await ended;
  expect(code).toBe("TG9002");
});

test("a user who is not root", () => {
  const script = `const { status } = await import(${JSON.stringify(join(packageRoot(), "dist/runtime/status.js"))});
    await status({}).catch(({ code }) => console.log(code));`;
  // May read the checkout wherever it lies, also below a home that is closed to others.
  const reads = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"];
  const user = ["setpriv", "--reuid", "65534", "--clear-groups", ...reads];
  expect(edge.server.run([...user, "node", "--input-type=module", "-e", script]).trim()).toBe("TG9001");
});
