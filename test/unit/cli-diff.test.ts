import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diff } from "../../src/cli/commands/diff.js";
import { commandTests } from "../support/commands.js";
import { type PolicyParts, policyText } from "../support/reading.js";

/** What scripts rely on, and what people read. */
const { folder, printed } = commandTests("diff");

async function compare(before: PolicyParts, after: PolicyParts) {
  printed.length = 0;
  const [old, now] = [before, after].map((parts, index) => {
    const path = join(folder, `${index}.policy.ts`);
    writeFileSync(path, policyText(parts));
    return path;
  });
  const code = await diff(old ?? "", now ?? "", { json: true });
  return { code, ...(printed.length > 0 ? JSON.parse(printed.join("")) : {}) };
}

const WEB = 'allow("web", expr`tcp.dstport == 80`)';
const SSH = 'allow("ssh", expr`tcp.dstport == 22`)';
const SLOW = 'limit("slow", expr`ip.proto == "udp"`, { rate: "1/s" })';

test.each<[string, PolicyParts, PolicyParts]>([
  ["the same text", { rules: WEB }, { rules: WEB }],
  ["rules that do not meet, in another order", { rules: `${WEB}, ${SSH}` }, { rules: `${SSH}, ${WEB}` }],
  ["another name", { rules: WEB }, { rules: WEB.replace("web", "http") }],
  [
    "one rule instead of two",
    { rules: `${WEB}, ${SSH}` },
    { rules: 'allow("tcp", expr`tcp.dstport in {22 80}`)' },
  ],
  [
    "a rule that no packet gets to",
    { rules: WEB },
    { rules: `${WEB}, drop("no", expr\`tcp.dstport == 80\`)` },
  ],
  [
    "a list instead of a set",
    { rules: 'drop("a", expr`ip.src in {192.0.2.0/24}`)' },
    { before: 'const bad = list(["192.0.2.0/24"]);', rules: `drop("a", expr\`ip.src in \${bad}\`)` },
  ],
])("%s: equal", async (_, before, after) => {
  expect(await compare(before, after)).toMatchObject({ code: 0, equal: true, change: "none", regions: [] });
});

test("a port more: widened, with a packet", async () => {
  expect(await compare({ rules: WEB }, { rules: `${WEB}, ${SSH}` })).toMatchObject({
    ...{ code: 1, equal: false, change: "widened" },
    regions: [
      {
        ...{ before: "drop", after: "allow", beforeRule: null, afterRule: "ssh", exact: true },
        packets: "tcp, tcp.dstport 22",
        witness: "tcp 192.0.2.7:40000 > 203.0.113.1:22 flags=S",
        share: expect.any(Number),
      },
    ],
  });
});

test("another default: narrowed", async () => {
  const found = await compare({ rules: WEB, byDefault: '"allow"' }, { rules: WEB });
  expect(found).toMatchObject({ code: 1, change: "narrowed", regions: [{ before: "allow", after: "drop" }] });
  expect(found.regions[0].share).toBeGreaterThan(0.9);
});

test("what moves behind a rule that it crosses: both", async () => {
  const near = 'drop("near", expr`ip.src in {192.0.2.0/24}`)';
  const found = await compare({ rules: `${WEB}, ${near}, ${SSH}` }, { rules: `${near}, ${WEB}` });
  expect(found).toMatchObject({ code: 1, change: "narrowed" });
  expect(found.regions).toHaveLength(2);
  const other = await compare({ rules: `${near}, ${WEB}, ${SSH}` }, { rules: `${WEB}, ${near}` });
  expect(other.change).toBe("both");
});

const ASKED = { tunnels: '{ main: gre({ remote: "198.51.100.1", health: {} }) }' };

test.each<[string, PolicyParts, PolicyParts, string]>([
  [
    "a limit's rate",
    { mitigate: SLOW },
    { mitigate: SLOW.replace("1/s", "2/s") },
    "limit slow: 1/s → 2/s, burst 1 → burst 2",
  ],
  [
    "a route",
    {},
    {
      routes:
        '[{ prefix: "203.0.113.0/24", tunnel: "main" }, { prefix: "2001:db8:a::/48", tunnel: "main", weight: 2 }]',
    },
    "route 2001:db8:a::/48 into main, priority 100: weight 1 → weight 2",
  ],
  [
    "a tunnel",
    {},
    { tunnels: '{ main: gre({ remote: "198.51.100.2" }) }' },
    "tunnel main: gre to 198.51.100.1 → gre to 198.51.100.2",
  ],
  [
    "what becomes of packets without a live tunnel",
    ASKED,
    { ...ASKED, noLiveTunnel: '"use"' },
    "noLiveTunnel: blackhole → use",
  ],
])("%s: no region, but told, and not equal", async (_, before, after, text) => {
  expect(await compare(before, after)).toMatchObject({ code: 1, equal: false, regions: [], also: [text] });
});

test("a new rule is told with its condition, as it is written", async () => {
  const none = 'limit("none", expr`ip.src in {10.0.0.0/8 192.0.2.7}  and udp.dstport==53`, { rate: "1/s" })';
  const found = await compare({ rules: WEB }, { rules: `${none}, ${WEB}` });
  expect(found.also).toEqual([
    "limit none: 1/s; burst 1; per rule; if ip.src in {10.0.0.0/8 192.0.2.7} and udp.dstport == 53 is new",
  ]);
});

test("without routes, what the firewall allows and what it drops still differ", async () => {
  const found = await compare({ rules: WEB, routes: "[]" }, { rules: `${WEB}, ${SSH}`, routes: "[]" });
  expect(found).toMatchObject({
    ...{ code: 1, equal: false, change: "other" },
    regions: [
      {
        ...{ before: "drop", beforeStage: "firewall", after: "drop", afterStage: "route", exact: true },
        witness: "tcp 192.0.2.7:40000 > 203.0.113.1:22 flags=S",
      },
    ],
  });
});

test("who meets a limit is told, and who is no longer owned", async () => {
  expect(await compare({ rules: WEB }, { rules: WEB, mitigate: SLOW })).toMatchObject({
    regions: [{ before: "drop", after: "drop", beforeLimits: [], afterLimits: ["slow"], change: "other" }],
  });
  const found = await compare(
    {},
    { prefixes: '["203.0.113.0/24"]', routes: '[{ prefix: "203.0.113.0/24", tunnel: "main" }]' },
  );
  expect(found.regions).toMatchObject([{ before: "drop", after: "foreign" }]);
});

test("a policy with mistakes cannot be compared: exit 2", async () => {
  expect(await compare({ rules: WEB }, { rules: 'allow("web", expr`tcp.port == 80`)' })).toEqual({ code: 2 });
});
