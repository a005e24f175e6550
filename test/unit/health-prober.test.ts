import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Life } from "../../runtime/health/liveness.js";
import { TunnelProber, type TunnelProberOptions } from "../../runtime/health/tunnel-prober.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { summarize } from "../../src/compiler/semantics/packet-summary.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { acme, CHICAGO } from "../support/acme-edge.js";

/** One tunnel's probes: when they are sent, from where to where, and what becomes of their answers. */

const TERMS = { style: "request", target: "10.0.0.1", interval: 1000, timeout: 300, up: 2, down: 3 } as const;
const NS_OF_MS = 1_000_000n;

const [row] = tunnels(acme({ tunnels: [CHICAGO] }));
if (!row) throw new Error("a policy with a tunnel has its row");

interface Asking {
  readonly prober: TunnelProber;
  /** When each was sent (ms), and what. */
  readonly sent: { readonly at: number; readonly packet: Uint8Array }[];
  readonly turns: string[];
  /** Has the answer to the only open probe come so many milliseconds after it was sent. */
  readonly answer: (after: number) => void;
}

let ends: (() => void)[] = [];

function asking(options: Partial<TunnelProberOptions> = {}, life: Life = "live"): Asking {
  const waiting = new Map<string, (at: bigint) => void>();
  const sent: { at: number; packet: Uint8Array }[] = [];
  const turns: string[] = [];
  let last = 0n;
  const prober = new TunnelProber({
    ...{ row: row as NonNullable<typeof row>, health: TERMS, life, waiting, chance: () => 0.5 },
    send: async (packet) => {
      last = process.hrtime.bigint();
      sent.push({ at: Date.now(), packet });
    },
    ownAddress: async () => "192.0.2.1",
    changed: (now, before) => void turns.push(`${before} ${now}`),
    ...options,
  });
  ends.push(() => prober.stop());
  const answer = (after: number) => {
    expect(waiting.size).toBe(1);
    for (const heard of waiting.values()) heard(last + BigInt(after) * NS_OF_MS);
  };
  return { prober, sent, turns, answer };
}

afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

describe("on a clock of its own", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    [0, [0, 900, 1800]],
    [0.5, [500, 1500, 2500]],
    [0.75, [750, 1800, 2850]],
  ])(
    "the first probe comes within the first interval, and servers do not fall into step: %s",
    async (chance, at) => {
      const { sent } = asking({ chance: () => chance });
      await vi.advanceTimersByTimeAsync(at[2] ?? 0);
      expect(sent.map((one) => one.at)).toEqual(at);
    },
  );

  test("so many losses in a row, and it is dead, and says so once; so many answers, and it lives", async () => {
    const { prober, turns, answer } = asking();
    await vi.advanceTimersByTimeAsync(2500 + TERMS.timeout - 1);
    expect([prober.life, ...turns]).toEqual(["live"]);
    await vi.advanceTimersByTimeAsync(2);
    expect([prober.life, ...turns]).toEqual(["dead", "live dead"]);
    await vi.advanceTimersByTimeAsync(699);
    for (const life of ["dead", "live"]) {
      answer(10);
      expect(prober.life).toBe(life);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(turns).toEqual(["live dead", "dead live"]);
    expect(prober.probes).toMatchObject({ sent: 5, lost: 3, rtt: 10, trouble: null });
  });

  test.each([
    [TERMS.timeout, 0],
    [TERMS.timeout + 1, 1],
  ])("what counts is when an answer came, not when it was read: %s ms", async (after, lost) => {
    const { prober, answer } = asking();
    await vi.advanceTimersByTimeAsync(500);
    answer(after);
    expect(prober.probes).toMatchObject({ sent: 1, lost });
    expect(prober.probes.lastAnswer === null).toBe(lost === 1);
  });

  test("what cannot be sent is neither answered nor lost, and why is said as long as it is so", async () => {
    let fails = false;
    const send = async () => {
      if (fails) throw new Error("no such device");
    };
    const { prober, turns } = asking({ send });
    await vi.advanceTimersByTimeAsync(500);
    fails = true;
    // The one before was sent by a sender that has died since, so nobody hears its answer.
    await vi.advanceTimersByTimeAsync(10_000);
    expect(prober.probes).toMatchObject({ sent: 1, lost: 1, trouble: "no such device" });
    expect(turns).toEqual([]);
    fails = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(prober.probes.trouble).toBe(null);
  });

  test("a sender that dies loses no probe that it sent", async () => {
    let sends = 0;
    const send = async () => {
      if (++sends > 1) throw new Error("no sender");
    };
    const { prober } = asking({ send, health: { ...TERMS, timeout: 5000 } });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(prober.probes).toMatchObject({ sent: 0, lost: 0 });
  });

  test.each([
    ["request", "icmp 192.0.2.1 > 10.0.0.1 type=8"],
    ["reply", "icmp 10.0.0.1 > 192.0.2.1 type=0"],
  ] as const)("%s", async (style, said) => {
    const asked: string[] = [];
    const ownAddress = async (destination: string) => {
      asked.push(destination);
      return "192.0.2.1";
    };
    const { sent } = asking({ ownAddress, health: { ...TERMS, style } });
    await vi.advanceTimersByTimeAsync(500);
    const decoded = decode(Buffer.from(sent[0]?.packet ?? []));
    expect(decoded.kind === "packet" && summarize(decoded.packet)).toContain(said);
    // The target may be private; where the tunnel's packets go is known to the node's routing.
    expect(asked).toEqual([row.remote]);
  });

  test("who stops asks no more, and hears no more", async () => {
    const { prober, sent, turns } = asking({ health: { ...TERMS, down: 1 } });
    await vi.advanceTimersByTimeAsync(500);
    prober.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect([sent.length, turns.length, prober.probes.sent]).toEqual([1, 0, 0]);
  });
});

test("an answer that waits to be read is read before its probe is given up", async () => {
  const timeout = 20;
  const waiting = new Map<string, (at: bigint) => void>();
  let wasRead = () => {};
  const read = new Promise<void>((resolve) => {
    wasRead = resolve;
  });
  const send = async () => {
    const sent = process.hrtime.bigint();
    // Both timers are due when this process is no longer busy, in this order and in one round of the event loop.
    setTimeout(() => {
      for (const heard of waiting.values()) heard(sent + NS_OF_MS);
      wasRead();
    }, timeout);
    while (process.hrtime.bigint() < sent + 3n * BigInt(timeout) * NS_OF_MS);
  };
  const { prober } = asking({ send, waiting, chance: () => 0, health: { ...TERMS, timeout } });
  await read;
  expect(prober.probes).toMatchObject({ sent: 1, lost: 0 });
});
