import { inFile, type Mutation } from "../mutation.js";

/** Whether routers live, and what routes make of it: who would be left out wrongly, or kept, or cost others their flows. */
export const HEALTH: readonly Mutation[] = [
  ...inFile(
    "runtime/health/liveness.ts",
    ["unit/health"],
    [
      {
        name: "answers-add-up",
        models: "hysteresis: a dead router that answers now and then lives again",
        from: "answered ? before.answers + 1 : 0;",
        to: "before.answers + (answered ? 1 : 0);",
      },
      {
        name: "losses-add-up",
        models: "hysteresis: a router that loses a probe now and then is dead one day",
        from: "answered ? 0 : before.losses + 1;",
        to: "before.losses + (answered ? 0 : 1);",
      },
      {
        name: "alive-one-answer-late",
        models: "threshold off by one (up)",
        from: "if (answers >= up)",
        to: "if (answers > up)",
      },
      {
        name: "dead-one-loss-late",
        models: "threshold off by one (down)",
        from: "if (losses >= down)",
        to: "if (losses > down)",
      },
      {
        name: "thresholds-swapped",
        models: "as many losses kill as answers revive, and the other way about",
        from: "{ up, down }: Thresholds",
        to: "{ up: down, down: up }: Thresholds",
      },
    ],
  ),
  ...inFile(
    "runtime/health/tunnel-prober.ts",
    ["unit/health-prober"],
    [
      {
        name: "late-answers-count",
        models: "an answer behind the timeout keeps a router alive while this process is busy",
        from: "const inTime = rtt <= this.#options.health.timeout;",
        to: "const inTime = rtt <= Number.MAX_VALUE;",
      },
      {
        name: "given-up-before-read",
        models: "an answer that came in time is lost as this process is busy",
        from: "setTimeout(() => setImmediate(() => this.#expire(key)), timeout)",
        to: "setTimeout(() => this.#expire(key), timeout)",
      },
      {
        name: "unsent-is-lost",
        models: "probes of a sender that has died kill the routers",
        from: "this.#forgetPending();\n        this.#probes = {",
        to: "this.#probes = {",
      },
      {
        name: "trouble-for-ever",
        models: "status goes on saying that nothing can be sent",
        from: "this.#probes = { ...this.#probes, trouble: null };",
        to: "",
      },
      {
        name: "servers-in-step",
        models: "all servers ask a router at the same moment",
        from: "JITTER * (2 * chance() - 1)",
        to: "0 * JITTER * (2 * chance() - 1)",
      },
      {
        name: "replies-are-requests",
        models: "in style `reply` the router is sent what it would have to answer",
        from: 'style === "request" ? [own, target] : [target, own]',
        to: 'style === "request" || style ? [own, target] : [target, own]',
      },
      {
        name: "own-address-for-a-private-target",
        models:
          "the source of probes is what the node's routing says of an address that is only known inside",
        from: "sameFamily(row.remote, target) ? row.remote : target",
        to: "sameFamily(row.remote, target) ? target : target",
      },
      {
        name: "asked-after-the-end",
        models: "a tunnel that is gone is asked for ever",
        from: "clearTimeout(this.#next);\n    this.#forgetPending();",
        to: "this.#forgetPending();",
      },
      {
        name: "each-probe-is-news",
        models: "routes are looked at after each probe, and the log is full",
        from: "if (this.#liveness.life !== before) changed",
        to: "changed",
      },
    ],
  ),
  ...inFile(
    "runtime/health/lives.ts",
    ["unit/health"],
    [
      {
        name: "life-of-whoever",
        models: "a tunnel of the same name to another router is as dead as the one before",
        from: "return known && known.asked === askedBy(row) ? known : undefined;",
        to: 'return known && known.asked !== "" ? known : undefined;',
      },
      {
        name: "asked-whoever-the-target",
        models: "what was found out about one target holds for another",
        from: "health.style, health.target]",
        to: "health.style]",
      },
      {
        name: "unasked-remembered",
        models: "a tunnel that is asked about again after a year is what it was then",
        from: "else if (!isDeepStrictEqual(lives, before)) await writeLives(paths, customer, lives);",
        to: "void isDeepStrictEqual;",
        killers: ["kernel/health-turns"],
      },
      {
        name: "unknown-is-dead",
        models: "a router that nobody has asked yet has no packets",
        from: 'lifeOf(row, lives)?.life === "dead"',
        to: 'lifeOf(row, lives)?.life !== "live"',
      },
      {
        name: "unasked-lives-again",
        models: "a tunnel that is not asked just now is taken for live, whatever was found out before",
        from: 'lifeNow(row) ?? last?.life ?? "unknown"',
        to: 'lifeNow(row) ?? "unknown"',
      },
      {
        name: "dead-since-just-now",
        models: "each look at a dead router makes it have died just now",
        from: "last?.life === life ? last.since : now",
        to: "last ? now : now",
      },
    ],
  ),
  ...inFile(
    "runtime/health/live-lines.ts",
    ["unit/health"],
    [
      {
        name: "one-dead-all-dead",
        models: "a prefix that tunnels share is left as soon as one of them is dead",
        from: "route.devices.some((device) => !dead.has(device))",
        to: "route.devices.every((device) => !dead.has(device))",
      },
      {
        name: "longer-prefix-stands-in",
        models: "a live route to a part stands in for a dead one to the whole",
        from: "live.some((other) => contains(other.prefix, prefix))",
        to: "live.some((other) => contains(prefix, other.prefix))",
      },
      {
        name: "equal-shares-of-what-lives",
        models: "while one router is dead the others share alike, whatever their weights",
        from: "live.map(({ text }) => text)",
        to: "live.map(({ id }) => `${id},1`)",
      },
      {
        name: "shared-prefixes-left-alone",
        models: "only routes that lead nowhere else follow their tunnels",
        from: "devices.some((device) => into.has(device))",
        to: "devices.every((device) => into.has(device))",
      },
      {
        name: "closed-though-another-lives",
        models: "a prefix is closed though a live route to a shorter one holds it",
        from: "lifeless.filter((route) => !hasOther(route))",
        to: "lifeless.filter((route) => !hasOther(route) || route.prefix.length > 24)",
      },
      {
        name: "closed-whatever-the-policy-says",
        models: "where all routers are dead their prefixes are closed, though all are to be used then",
        from: 'noLiveTunnel === "blackhole" ? lifeless',
        to: "noLiveTunnel ? lifeless",
      },
      {
        name: "opened-by-its-own-tunnels-alone",
        models: "status does not say that a router of a shorter prefix would open a closed one",
        from: "routes.filter((other) => contains(other.prefix, prefix));\n  const devices = [",
        to: "routes.filter((other) => contains(other.prefix, prefix) && contains(prefix, other.prefix));\n  const devices = [",
      },
      {
        name: "groups-stay",
        models: "a router that dies keeps its part of the packets that tunnels share",
        from: 'const groups = table.filter((line) => line.startsWith("nexthop "));',
        to: 'const groups = table.filter((line) => line.startsWith("nexthops "));',
        killers: ["unit/health", "kernel/runtime-outage", "kernel/runtime-health"],
      },
      {
        name: "closed-last",
        models: "groups have their dead members back before what leads into them is closed",
        from: "...groups.filter(isLive),\n",
        to: "...groups,\n",
        killers: ["unit/health", "kernel/runtime-outage"],
      },
      {
        name: "closed-first",
        models: "a prefix is closed before the longer one of a tunnel that lives again is back",
        from: "    ...table.filter((line) => about.has(line)),\n    ...closed.map(({ line }) => line),\n",
        to: "    ...closed.map(({ line }) => line),\n    ...table.filter((line) => about.has(line)),\n",
        killers: ["unit/health"],
      },
    ],
  ),
  ...inFile(
    "runtime/health/turns.ts",
    ["unit/health-turns"],
    [
      {
        name: "turn-during-a-turn-lost",
        models: "what is found out while a customer's table changes is forgotten",
        from: "      this.#due.delete(customer);\n      const { stateDir, lifeOf } = this.#options;",
        to: "      const { stateDir, lifeOf } = this.#options;\n      setTimeout(() => this.#due.delete(customer));",
      },
      {
        name: "one-behind-all-behind",
        models: "a customer whose routes cannot follow keeps the others' from it",
        from: "(error: unknown) => this.#failed(customer, wordsOf(error)),",
        to: "(error: unknown) => {\n          this.#failed(customer, wordsOf(error));\n          throw error;\n        },",
      },
      {
        name: "tried-once",
        models: "routes that could not follow once never do",
        from: "for (const behind of this.#behind.keys()) this.sync(behind);",
        to: "",
      },
      {
        name: "behind-for-ever",
        models: "a customer that could not follow once is tried for ever",
        from: "this.#behind.delete(customer)",
        to: "this.#behind.get(customer)",
      },
      {
        name: "followed-though-deaf",
        models: "of XDP that was not told of a dead router it is said once, and nobody tries again",
        from: "else this.#behind.delete(customer);",
        to: "this.#behind.delete(customer);",
      },
      {
        name: "said-each-time",
        models: "the log is full of a customer that cannot follow",
        from: "if (words !== this.#behind.get(customer))",
        to: 'if (words !== "")',
      },
    ],
  ),
  ...inFile(
    "runtime/health/prober.ts",
    ["kernel/runtime-health"],
    [
      {
        name: "restarted-and-forgotten",
        models: "a daemon that starts anew sends packets to dead routers until it has found out again",
        from: 'life: known?.life ?? "unknown"',
        to: 'life: known ? "unknown" : "unknown"',
      },
    ],
  ),
  ...inFile(
    "runtime/customer/live-routes.ts",
    ["unit/live-routes", "kernel/runtime-outage", "kernel/runtime-health"],
    [
      {
        name: "groups-taken-and-made-anew",
        models: "a group is away for a moment while a router leaves it or comes back",
        from: "await perform(network, [\n    ...readReplacing(",
        to: 'const { deleteNexthop } = await import("../netlink/nexthop.js");\n  await perform(network, [\n    ...live.table.filter((line) => line.startsWith("nexthop ")).map((line) => deleteNexthop(Number(line.split(" ")[3]))),\n    ...readReplacing(',
      },
    ],
  ),
  ...inFile(
    "runtime/customer/live-ways.ts",
    ["unit/live-ways"],
    [
      {
        name: "dead-on-the-fast-path",
        models: "XDP goes on to send to a router that is dead",
        from: "dead.has(device) === (way",
        to: "dead.has(`${device} `) === (way",
      },
      {
        name: "opened-before-the-routes",
        models: "XDP sends to a router that is back while the routes lead past it",
        from: 'const notClosed = await turn("close");',
        to: 'await turn("open");\n  const notClosed = await turn("close");',
      },
      {
        name: "routes-wait-for-xdp",
        models:
          "where a map cannot be written, all packets go on to a dead router, and not those of XDP alone",
        from: "const turned = await turnRoutes();",
        to: 'if ([notClosed].some(Boolean)) throw new Error("");\n  const turned = await turnRoutes();',
      },
      {
        name: "deaf-xdp-is-not-said",
        models: "XDP goes on to send to a dead router, and nobody knows, or tries again",
        from: 'deaf: notClosed ?? (await turn("open")) };',
        to: 'deaf: (notClosed ?? (await turn("open"))) && null };',
      },
    ],
  ),
  ...inFile(
    "runtime/customer/fast-path.ts",
    ["unit/fast-path"],
    [
      {
        name: "without-a-pin-no-death",
        models: "a map that has lost its pin is nobody's business, and its program sends to a dead router",
        from: 'if (!existsSync(pin)) await loader.pinAgain(join(pinDir, CUSTOMER_PROGRAM), "tunnels", pin);',
        to: "if (!existsSync(pin)) return void CUSTOMER_PROGRAM;",
      },
      {
        name: "closed-with-another-address",
        models:
          "of a row that XDP looks at more than the MTU changes, and who meets half of it sends to somebody else",
        from: "const value = Buffer.from(held);",
        to: "const value = Buffer.alloc(held.length);",
      },
      {
        name: "filled-as-if-all-lived",
        models: "a map of tunnels that is wrong about a dead one is as it should be",
        from: "closed.has(tunnel.device) ? CLOSED",
        to: "closed.has(tunnel.name) ? CLOSED",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/program.ts",
    ["kernel/fast-path-health"],
    [
      {
        name: "new-program-for-the-dead",
        models: "a change of the policy has XDP send to dead routers again",
        from: "tunnels: tunnelsWhileLive(manifest) });",
        to: "tunnels: tunnelsWhileLive({ ...manifest, tunnels: [] }) });",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/narrow-uplinks.ts",
    ["kernel/narrow-uplink"],
    [
      {
        name: "uplink-a-byte-too-narrow",
        models: "off by one: a tunnel that its uplink just carries is said to be too wide",
        from: "needed <= carries",
        to: "needed < carries",
      },
      {
        name: "uplink-without-room-for-keys",
        models: "nothing is said of a tunnel whose packets are too long by their key",
        from: "key === null ? 0 : GRE_KEY",
        to: "key === null ? 0 : 0 * GRE_KEY",
      },
      {
        name: "uplink-of-no-source",
        models: "what routing says for packets from nowhere stands for those from the anycast address",
        from: "wayTo(host, remote, from)",
        to: "wayTo(host, remote, from && undefined)",
      },
      {
        name: "mtu-that-the-language-refuses",
        models: "the hint names an mtu that IPv6 inside does not allow",
        from: "fitting < leastMtu(manifest, row)",
        to: "fitting < Math.min(0, leastMtu(manifest, row))",
      },
      {
        name: "mtu-of-the-route-unasked",
        models:
          "nothing is said of a tunnel whose packets fit the device, and not what the route says of the way",
        from: "Math.min(device.mtu, routed)",
        to: "device.mtu",
      },
      {
        name: "mtu-of-ipv6-unasked",
        models: "nothing is said of a tunnel to a remote of IPv6 that the device carries in IPv4 alone",
        from: "familyOf(row.remote) === 6 ? device.mtu6 : device.mtu",
        to: "device.mtu",
      },
    ],
  ),
  ...inFile(
    "runtime/netlink/route.ts",
    ["kernel/narrow-uplink"],
    [
      {
        name: "mtu-that-routers-said",
        models: "what a router has said of a path for some minutes is taken for what the route says",
        from: "to, from, AS_IT_STANDS)",
        to: "to, from, 0 * AS_IT_STANDS)",
      },
    ],
  ),
  ...inFile(
    "runtime/netlink/nexthop.ts",
    ["unit/netlink", "kernel/runtime-outage"],
    [
      {
        name: "flows-do-not-stay",
        models: "a router that is back takes its flows at once, in the middle of what they send",
        from: "u32(idleTimer * HUNDREDTHS)",
        to: "u32(0 * idleTimer * HUNDREDTHS)",
      },
      {
        name: "weights-one-more",
        models: "weights off by one: 3:1 becomes 4:2",
        from: "u8(one.weight - 1, 0, 0, 0)",
        to: "u8(one.weight, 0, 0, 0)",
      },
    ],
  ),
];
