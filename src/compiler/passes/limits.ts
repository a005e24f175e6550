import type { Located, SurfaceLimit } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import type { Limit, RateUnit } from "../ir/policy.js";

/** Nanoseconds of each unit. */
const UNITS: Readonly<Record<RateUnit, bigint>> = {
  s: 1_000_000_000n,
  m: 60n * 1_000_000_000n,
  h: 3600n * 1_000_000_000n,
};

const LARGEST_BURST = 0xffffffffn;
/** INVARIANT (NoOverflow): interval × burst stays below, so that an arrival time plus tolerance fits into 64 bits. */
const LARGEST_ALLOWANCE = 1n << 62n;

/** Reads a limit into a GCRA's interval and burst (docs/semantics.md, "Limits"). */
export function readLimit(limit: SurfaceLimit, diagnostics: Diagnostics): Limit | undefined {
  const rate = readRate(limit.rate, diagnostics);
  const per = readPer(limit.per, diagnostics);
  if (rate === undefined || per === undefined) return undefined;
  const interval = UNITS[rate.unit] / BigInt(rate.count);
  const burst = readBurst(limit, rate, interval, diagnostics);
  return burst === undefined ? undefined : { interval, burst, per, rate };
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
  return { count: Number(count), unit };
}

function isUnit(text: string): text is RateUnit {
  return Object.hasOwn(UNITS, text);
}

function readBurst(
  { burst: written, span }: SurfaceLimit,
  rate: Limit["rate"],
  interval: bigint,
  diagnostics: Diagnostics,
): bigint | undefined {
  const place = written?.span ?? span;
  if (written && !(Number.isInteger(written.value) && written.value >= 1)) {
    diagnostics.report("TG2031", place, { burst: written.value, problem: "not a whole number from 1" });
    return undefined;
  }
  const burst = written ? BigInt(written.value) : packetsOfOneSecond(rate);
  const problem =
    burst > LARGEST_BURST
      ? "more than 4294967295"
      : interval * burst >= LARGEST_ALLOWANCE
        ? "too long at this rate"
        : undefined;
  if (problem === undefined) return burst;
  diagnostics.report("TG2031", place, { burst: String(burst), problem });
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
