import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readBundle } from "../../runtime/bundle.js";
import { routeAround } from "../../runtime/customer/live-routes.js";
import type { Host } from "../../runtime/host.js";
import type { NetlinkRequests } from "../../runtime/loader-client.js";
import type { Health, Policy } from "../../src/compiler/ir/policy.js";
import { acme, endsOf, owned } from "../support/acme-edge.js";
import { writePolicyBundle } from "../support/bundles.js";
import { tunnel } from "../support/ir.js";

/** What the kernel is told while routers die, where none of its namespaces are there to ask. */

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-routes-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const PREFIX = owned("203.0.113.0/24");
const HEALTH: Health = {
  style: "request",
  target: { family: 4, value: 0x0a000001n },
  interval: 1000,
  timeout: 500,
  up: 3,
  down: 3,
};

const POLICY: Policy = acme({
  prefixes: [PREFIX],
  tunnels: ["chicago", "dallas"].map((name, at) => tunnel(name, `198.51.100.${at + 1}`, { health: HEALTH })),
  routes: ["chicago", "dallas"].map((name) => ({ ...PREFIX, tunnel: name, priority: 100, weight: 1 })),
  noLiveTunnel: "blackhole",
});

/** Words of the requests, in the order in which they are sent, and the prefixes that are closed then. */
async function told(...dead: readonly string[]) {
  const words: string[] = [];
  const netlink = async ({ requests }: NetlinkRequests) => {
    words.push(...requests.map((request) => request.words));
    return Buffer.alloc(0);
  };
  const host = { loader: { netlink } } as unknown as Host;
  const bundle = await readBundle(writePolicyBundle(POLICY, folder));
  const closed = await routeAround(host, bundle, 1, new Set(dead.map((name) => endsOf(name, POLICY).device)));
  return { words, closed: closed.map(({ prefix }) => prefix.text) };
}

test("a prefix is closed before its group has all of its dead members again", async () => {
  expect(await told("chicago", "dallas")).toEqual({
    words: [
      expect.stringMatching(/^route replace blackhole 203\.0\.113\.0\/24 /),
      expect.stringMatching(/^nexthop replace id \d+ group \d+,1\/\d+,1$/),
    ],
    closed: ["203.0.113.0/24"],
  });
});

test("and opened when it has those alone that live", async () => {
  expect(await told("chicago")).toEqual({
    words: [
      expect.stringMatching(/^nexthop replace id \d+ group \d+,1$/),
      expect.stringMatching(/^route replace 203\.0\.113\.0\/24 nhid /),
    ],
    closed: [],
  });
});
