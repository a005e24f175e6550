import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AcmeEdge, acme, FTP, FTP6, NODE } from "../support/acme-edge.js";

/** Uplinks whose driver has no XDP: the kernel runs the root program behind them, and all means the same. */

let edge: AcmeEdge;

beforeAll(async () => {
  edge = await AcmeEdge.start({ bridged: true });
  await edge.server.apply(edge.bundle("acme", acme()), NODE);
});

afterAll(() => edge?.server.end());

describe("a bridge whose packets meet netfilter before XDP", () => {
  const refusal = async () =>
    edge.server.apply(edge.bundle("acme", acme()), NODE).then(
      () => "none",
      ({ code, hint }) => `${code} ${hint}`,
    );

  test("is refused: by the switch of the machine", async () => {
    edge.server.run(["sysctl", "-q", "-w", "net.bridge.bridge-nf-call-ip6tables=1"]);
    expect(await refusal()).toBe("TG9017 turn it off: sysctl -w net.bridge.bridge-nf-call-ip6tables=0");
    edge.server.run(["sysctl", "-q", "-w", "net.bridge.bridge-nf-call-ip6tables=0"]);
  });

  test("is refused: by a bridge's own switch", async () => {
    edge.server.ip(["link set dev up1 type bridge nf_call_iptables 1"]);
    expect(await refusal()).toBe("TG9017 turn it off: ip link set dev up1 type bridge nf_call_iptables 0");
    edge.server.ip(["link set dev up1 type bridge nf_call_iptables 0"]);
    expect(await refusal()).toBe("none");
  });
});

test("status says so, and finds nothing missing", async () => {
  const { node, customers } = await edge.server.status();
  expect(node).toMatchObject({
    drift: [],
    uplinks: NODE.uplinks.map((device) => ({ device, xdp: "generic" })),
  });
  expect(customers).toMatchObject([{ drift: [] }]);
});

test("what the policy allows comes through, both ways, and nothing else", async () => {
  const site = await edge.start(
    "site",
    `const net = require("net"); let left = 2;
     for (const port of [21, 22]) net.createServer((s) => s.end()).listen(port, "::", () => --left || console.log("up"));`,
  );
  expect(["21", "22"].map((port) => edge.connect(Number(port)))).toEqual(["open", "silence"]);
  expect(edge.connect(21, FTP6)).toBe("open");
  await site.end();
});

test("every packet is judged by the generation that its stamp names", async () => {
  const before = (await edge.server.status()).customers[0].counters;
  edge.sendUdp("client", "10.1.2.3", FTP);
  edge.sendUdp("client", "192.0.2.7", FTP);
  const { mitigate, firewall, other } = (await edge.server.status()).customers[0].counters;
  expect(mitigate.bogons.packets).toBe(before.mitigate.bogons.packets + 1);
  expect(firewall.default.packets).toBe(before.firewall.default.packets + 1);
  expect(other["unknown-generation"].packets).toBe(0);
});

test("drift of the link is found and mended in the same mode, and removal leaves nothing", async () => {
  edge.server.run(["rm", "/run/tidegate/bpf/root/link_up0"]);
  expect((await edge.server.status()).node.drift).toEqual(["root program on up0"]);
  await edge.server.apply(edge.bundle("acme", acme()), NODE);
  expect((await edge.server.status()).node).toMatchObject({
    drift: [],
    uplinks: [{ xdp: "generic" }, { xdp: "generic" }],
  });
  await edge.server.remove("acme");
  expect(edge.server.run(["ip", "link", "show", "dev", "up0"])).not.toContain("xdp");
});
