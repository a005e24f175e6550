import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nonceIn, OPENING, probeBytes } from "../../runtime/health/probe-packet.js";
import { SenderError } from "../../runtime/health/sender.js";
import { NativeProcess, packageRoot } from "../../runtime/native-process.js";

/** What sends probes hears of answers to them, and of nothing else that anybody sends: the kernel drops that. */

const heard: string[] = [];
let sender: NativeProcess;

beforeAll(async () => {
  const program = join(packageRoot(), "dist/runtime/health/tidegate-health");
  // The kernel takes no packets between own addresses from a device, unless it is told to.
  const own = "sysctl -qw net.ipv4.conf.lo.route_localnet=1 net.ipv4.conf.lo.accept_local=1";
  const alone = ["unshare", "-n", "sh", "-ec", `ip link set lo up; ${own}; exec ${program}`] as const;
  sender = await NativeProcess.start(alone, SenderError, ([, , payload]) => {
    heard.push((payload && nonceIn(payload)) ?? "no probe");
  });
});

afterAll(() => sender?.close());

/** The rest of a nonce, behind what all of this process's begin with. */
function nonce(rest: number, { damaged }: { readonly damaged?: number } = {}): Buffer {
  const bytes = Buffer.concat([OPENING.subarray(8), Buffer.alloc(8, rest)]);
  if (damaged !== undefined) bytes.writeUInt8(bytes.readUInt8(damaged) ^ 1, damaged);
  return bytes;
}

function answer(address: string, of: Uint8Array, magic = "tidegate"): Promise<unknown> {
  const packet = probeBytes({ style: "reply", source: address, destination: address, nonce: of });
  // Words that change places leave the checksum as it is.
  if (magic !== "tidegate") packet.write(magic, packet.length - 56);
  return sender.call("send", "/proc/self/ns/net", "lo", packet);
}

test("listens to one opening of 16 bytes, once", async () => {
  await expect(sender.call("listen", "tidegate")).rejects.toThrow("an opening has 16 bytes");
  await sender.call("listen", OPENING);
  await expect(sender.call("listen", OPENING)).rejects.toThrow("already listening to ICMP");
});

describe.each(["127.0.0.1", "::1"])("answers to %s", (address) => {
  test("come all, also many at once; others' do not", async () => {
    heard.length = 0;
    await answer(address, nonce(250), "degatite");
    for (const damaged of [0, 3, 4, 7]) await answer(address, nonce(251, { damaged }));
    const sent = Array.from({ length: 200 }, (_, index) => nonce(index));
    await Promise.all(sent.map((one) => answer(address, one)));
    await expect.poll(() => heard.length).toBe(sent.length);
    expect(heard).toEqual(sent.map((one) => one.toString("hex")));
  });
});
