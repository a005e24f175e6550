import type { Located, SurfaceLimit } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import type { Limit, RateUnit } from "../ir/policy.js";

/** Nanoseconds of each unit. */
const UNITS: Readonly<Record<RateUnit, bigint>> = {
  s: 1_000_000_000n,
  m: 60n * 1_000_000_000n,
  h: 3600n * 1_000_000_000n,
};

/** Packets a second of the smallest size on a link of 400 Gbit/s: 84 bytes each, preamble and gap included (IEEE 802.3). */
const FASTEST_LINK = 595_238_095n;

const LARGEST_BURST = 0xffffffff;
/** INVARIANT (NoOverflow): interval × burst stays below, so that an arrival time plus tolerance fits into 64 bits. */
const LARGEST_ALLOWANCE = 1n << 62n;

/** Reads a limit into a GCRA's interval and burst (docs/semantics.md, "Limits"). */
export function readLimit(limit: SurfaceLimit, diagnostics: Diagnostics): Limit | undefined {
  const rate = readRate(limit.rate, diagnostics);
  const per = readPer(limit.per, diagnostics);
  const written = readBurst(limit.burst, diagnostics);
  if (rate === undefined || per === undefined || written === undefined) return undefined;
  const interval = UNITS[rate.unit] / BigInt(rate.count);
  const burst = written ?? packetsOfOneSecond(rate);
  if (interval * burst < LARGEST_ALLOWANCE) return { interval, burst, per, rate };
  const place = limit.burst?.span ?? limit.span;
  diagnostics.report("TG2031", place, { burst: String(burst), problem: "too long at this rate" });
  return undefined;
}

function readRate({ value, span }: Located<string>, diagnostics: Diagnostics): Limit["rate"] | undefined {
  const [, digits = "", unit = ""] = /^(\d+)\/([smh])$/.exec(value) ?? [];
  if (digits === "" || !isUnit(unit)) {
    const spoken = /^(\d+)\s*\/\s*([smh])[a-z]*$/i.exec(value);
    const hint = spoken ? `write "${spoken[1]}/${spoken[2]?.toLowerCase()}"` : 'write it like "5000/s"';
    diagnostics.report("TG2029", span, { rate: value }, { hint });
    return undefined;
  }
  const count = BigInt(digits);
  if (count === 0n || count > UNITS[unit]) {
    const problem = count === 0n ? "no rate at all" : "faster than 1 packet a nanosecond";
    const hint = count === 0n ? "to let nothing through, use `drop`" : undefined;
    diagnostics.report("TG2030", span, { rate: value, problem }, { hint });
    return undefined;
  }
  if ((count * UNITS.s) / UNITS[unit] > FASTEST_LINK) diagnostics.report("TG3009", span, { rate: value });
  return { count: Number(count), unit };
}

function isUnit(text: string): text is RateUnit {
  return Object.hasOwn(UNITS, text);
}

/** null: none is written. undefined: not a number of packets. */
function readBurst(written: Located<number> | null, diagnostics: Diagnostics): bigint | null | undefined {
  if (written === null) return null;
  const { value, span } = written;
  const whole = Number.isInteger(value) && value >= 1;
  if (whole && value <= LARGEST_BURST) return BigInt(value);
  const problem = whole ? `more than ${LARGEST_BURST}` : "not a whole number from 1";
  diagnostics.report("TG2031", span, { burst: value, problem });
  return undefined;
}

function packetsOfOneSecond({ count, unit }: Limit["rate"]): bigint {
  const packets = (BigInt(count) * UNITS.s) / UNITS[unit];
  return packets > 0n ? packets : 1n;
}

/** undefined: not a field that a limit can count by. */
function readPer(per: Located<string> | null, diagnostics: Diagnostics): Limit["per"] | undefined {
  if (per === null) return null;
  if (per.value === "ip.src" || per.value === "ip.dst") return per.value;
  diagnostics.report("TG2032", per.span, { per: per.value }, { hint: 'write "ip.src" or "ip.dst"' });
  return undefined;
}
