import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { AcmeEdge, acme, FTP, NODE, owned } from "../support/acme-edge.js";
import { writeEdge } from "../support/daemon.js";

/** Addresses of the server's own in a prefix that a customer claims, or has. */

const ENGINE = join(packageRoot(), "dist/runtime/daemon/engine.js");
const COUNTS = join(packageRoot(), "dist/runtime/metrics/counts.js");
const OWN = "203.0.113.9";
const WHOLE = acme();
/** Acme's, but for the half that has the address. */
const HALF = acme({
  prefixes: [owned("203.0.113.128/25")],
  routes: [{ ...owned("203.0.113.128/25"), tunnel: "chicago", priority: 100, weight: 1 }],
});

let edge: AcmeEdge;
let whole: string;
let half: string;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  whole = edge.bundle("whole", WHOLE);
  half = edge.bundle("half", HALF);
});

afterAll(() => edge?.server.end());

const message = (address: string, device: string, prefix: string, would = "would be") =>
  `\`${device}\` of this server has the address ${address}, which is in ${prefix} of \`acme\`: what comes for the server there ${would} taken for the customer's`;
const hint = (device: string) =>
  `give \`${device}\` an address that is in no customer's prefix, or the customer prefixes around it`;

/** Does the server answer the client at that address? */
function answers(address: string): boolean {
  const ping = `ping -n -W 1 -c 1 ${address} || true`;
  return edge.server.run(["sh", "-c", ping], { namespace: "client" }).includes(" 1 received");
}

async function refusal(bundle: string): Promise<Record<string, unknown>> {
  const before = edge.server.portrait();
  const refused = await edge.server.apply(bundle, NODE).catch((error) => error);
  expect(edge.server.portrait()).toBe(before);
  return refused;
}

describe("claimed by a customer who has not got it yet", () => {
  test.each([
    [OWN, "32", "up0", "203.0.113.0/24"],
    ["203.0.113.10", "24", "up1", "203.0.113.0/24"],
    ["203.0.113.11", "32", "lo", "203.0.113.0/24"],
    ["2001:db8:a:1::7", "64", "up1", "2001:db8:a::/48"],
  ])("%s/%s of %s is refused, with what to do", async (address, length, device, prefix) => {
    const given = `addr add ${address}/${length} dev ${device}`;
    edge.server.ip([given]);
    const refused = await refusal(whole);
    edge.server.ip([given.replace("addr add", "addr del")]);
    expect(refused).toMatchObject({
      code: "TG9023",
      message: message(address, device, prefix),
      hint: hint(device),
    });
  });

  test.each([
    ["203.0.113.9/32", "203.0.113.9", "203.0.113.0/24"],
    ["203.0.113.64/26", "203.0.113.64/26", "203.0.113.0/24"],
    ["203.0.112.0/20", "203.0.113.0/24", "203.0.113.0/24"],
    ["2001:db8:a:7::/64", "2001:db8:a:7::/64", "2001:db8:a::/48"],
  ])("%s that no device has, but that is local by a route, is refused", async (local, address, prefix) => {
    edge.server.ip([`route add local ${local} dev lo`]);
    const refused = await refusal(whole);
    edge.server.ip([`route del local ${local} dev lo table local`]);
    expect(refused).toMatchObject({ code: "TG9023", message: message(address, "lo", prefix) });
  });

  test("what is local by a group of nexthops, which names no device, is refused", async () => {
    const ip = (words: string) => edge.server.run(["ip", ...words.split(" ")]);
    ip("-6 nexthop add id 4711 dev up0");
    ip("nexthop add id 4712 group 4711");
    ip("-6 route add local 2001:db8:a::10/128 nhid 4712");
    const refused = await refusal(whole);
    ip("-6 route del local 2001:db8:a::10/128 table local");
    ip("nexthop del id 4712");
    ip("nexthop del id 4711");
    expect(refused).toMatchObject({
      code: "TG9023",
      message: message("2001:db8:a::10", "table local", "2001:db8:a::/48"),
    });
  });

  test("is said by the command, which fails", () => {
    edge.server.ip([`addr add ${OWN}/32 dev up0`]);
    const node = writeEdge(join(edge.server.folder, "edge.ts"), NODE);
    const words = [join(packageRoot(), "dist/bin/tidegate.js"), "apply", whole, "--edge", node];
    const [command, ...args] = edge.server.enter(words);
    const env = { ...process.env, NO_COLOR: "1" };
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", env });
    edge.server.ip([`addr del ${OWN}/32 dev up0`]);
    expect(stderr).toContain(
      `error[TG9023]: ${message(OWN, "up0", "203.0.113.0/24")}\n  hint: ${hint("up0")}\n`,
    );
    expect([status, stdout]).toEqual([1, ""]);
  });
});

describe("beside the prefixes that a customer has in force", () => {
  let first: Record<string, unknown>;

  beforeAll(async () => {
    edge.server.ip([`addr add ${OWN}/32 dev up0`]);
    first = await edge.server.apply(half, NODE);
  });

  afterAll(() => edge.server.ip([`addr del ${OWN}/32 dev up0`]));

  test("is nothing to speak of, and answers", async () => {
    expect(first).toMatchObject({ changed: true, warnings: [] });
    expect(await edge.server.status()).toMatchObject({ customers: [{ ownAddresses: [] }] });
    expect(answers(OWN)).toBe(true);
  });

  test("of which it has a part, is refused where it claims another", async () => {
    const local = "local 203.0.113.0/24 dev lo";
    edge.server.ip([`addr del ${OWN}/32 dev up0`, `route add ${local}`]);
    const [refused, same] = [await refusal(whole), await edge.server.apply(half, NODE)];
    edge.server.ip([`route del ${local} table local`, `addr add ${OWN}/32 dev up0`]);
    expect(refused).toMatchObject({
      code: "TG9023",
      message: message("203.0.113.0/24", "lo", "203.0.113.0/24"),
    });
    expect(same).toMatchObject({ changed: false, warnings: [{ code: "TG9024" }] });
  });

  test("is refused to another bundle that claims it, and what is in force stays", async () => {
    expect(await refusal(whole)).toMatchObject({ code: "TG9023" });
    expect(await edge.server.apply(half, NODE)).toMatchObject({ changed: false });
  });
});

describe("that was an anycast address until the same change", () => {
  const [KEPT, LEFT] = ["198.18.8.1", "198.18.8.9"];
  const owners = { ...NODE.owners, acme: [...(NODE.owners["acme"] ?? []), "198.18.8.0/29", "198.18.8.8/29"] };
  const claiming = (text: string) => {
    const prefixes = ["203.0.113.128/25", text].map(owned);
    const routes = prefixes.map((prefix) => ({ ...prefix, tunnel: "chicago", priority: 100, weight: 1 }));
    return edge.bundle("claiming", acme({ prefixes, routes }));
  };

  beforeAll(async () => {
    edge.server.ip([`addr add ${KEPT}/32 dev up0`]);
    await edge.server.apply(half, { ...NODE, anycast: [...NODE.anycast, KEPT, LEFT] });
  });

  afterAll(() => edge.server.ip([`addr del ${KEPT}/32 dev up0`]));

  test("is refused where it stays, as an operator put it on a device", async () => {
    const before = edge.server.portrait();
    const refused = await edge.server
      .apply(claiming("198.18.8.0/29"), { ...NODE, owners })
      .catch((error) => error);
    expect(edge.server.portrait()).toBe(before);
    expect(refused).toMatchObject({ code: "TG9023", message: message(KEPT, "up0", "198.18.8.0/29") });
  });

  test("is the customer's where it goes with the change", async () => {
    const applied = await edge.server.apply(claiming("198.18.8.8/29"), { ...NODE, owners });
    expect(applied).toMatchObject({ changed: true, warnings: [] });
    expect(edge.server.run(["ip", "addr", "show", "dev", "lo"])).not.toContain(LEFT);
  });
});

describe("that comes when the prefix is in force", () => {
  const warning = {
    code: "TG9024",
    message: message(OWN, "up0", "203.0.113.0/24", "is"),
    hint: `${hint("up0")}; else the whole customer is refused at the next start of the machine`,
  };

  beforeAll(async () => {
    expect(await edge.server.apply(whole, NODE)).toMatchObject({ changed: true, warnings: [] });
    edge.server.ip([`addr add ${OWN}/32 dev up0`]);
  });

  test("is lost to the server", () => {
    expect(answers(OWN)).toBe(false);
  });

  test("is a warning when the same bundle is applied, and what status says", async () => {
    expect(await edge.server.apply(whole, NODE)).toMatchObject({ changed: false, warnings: [warning] });
    const taken = [{ address: OWN, device: "up0", prefix: "203.0.113.0/24" }];
    expect(await edge.server.status()).toMatchObject({ customers: [{ drift: [], ownAddresses: taken }] });
  });

  test("is what the daemon's look finds, also of customers that it does not ask about", () => {
    const script = `import { kernelEngine } from ${JSON.stringify(ENGINE)};
      const engine = kernelEngine("/run/tidegate", "/var/lib/tidegate");
      const { customers, warnings } = await engine.look(new Set());
      console.log(JSON.stringify({ customers, warnings: [...warnings] }));`;
    const found = JSON.parse(edge.server.run(["node", "--input-type=module", "-e", script]));
    expect(found).toEqual({ customers: [], warnings: [["acme", [warning]]] });
  });

  test("is counted for Prometheus", () => {
    const script = `import { readCounts } from ${JSON.stringify(COUNTS)};
      console.log(JSON.stringify(await readCounts("/run/tidegate")));`;
    const counts = JSON.parse(edge.server.run(["node", "--input-type=module", "-e", script]));
    expect(counts).toMatchObject({ customers: [{ customer: "acme", ownAddresses: 1 }] });
  });

  test("keeps no other policy from the customer", async () => {
    const other = edge.bundle("other", { ...WHOLE, mitigate: [] });
    expect(await edge.server.apply(other, NODE)).toMatchObject({ changed: true, warnings: [warning] });
  });

  test("answers past the customer's firewall where that is in the namespace, as local delivery comes first", async () => {
    const firewall = { ...WHOLE.firewall, offload: "off" } as const;
    const later = edge.bundle("later", { ...WHOLE, firewall });
    expect(await edge.server.apply(later, NODE)).toMatchObject({ changed: true, warnings: [warning] });
    expect(answers(OWN)).toBe(true);
    expect(answers(FTP)).toBe(false);
  });

  test("but one more that the customer has not got is refused", async () => {
    await edge.server.apply(half, NODE);
    expect(await refusal(whole)).toMatchObject({ code: "TG9023" });
  });
});
