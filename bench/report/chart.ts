/** Lines over a logarithmic axis of sizes, as SVG. */
export interface Chart {
  readonly title: string;
  readonly across: string;
  readonly up: { readonly name: string; readonly scale: "linear" | "log" };
  readonly lines: readonly Line[];
}

export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const SIZE = { width: 760, height: 420 };
const PLOT = { left: 64, right: 560, top: 44, bottom: 364 };
/** Okabe and Ito's colours, which everybody can tell apart. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999"];

/** The chart as a file of its own. Same chart, same bytes. */
export function renderChart({ title, across, up, lines }: Chart): string {
  const points = lines.flatMap((line) => line.points);
  const x = axis(
    points.map((point) => point.x),
    "log",
    PLOT.left,
    PLOT.right,
  );
  const y = axis(
    points.map((point) => point.y),
    up.scale,
    PLOT.bottom,
    PLOT.top,
  );
  const middle = (PLOT.top + PLOT.bottom) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${SIZE.width}" height="${SIZE.height}" fill="#ffffff"/>`,
    text(PLOT.left, 24, title, `font-size="15" font-weight="bold"`),
    ...x.ticks.map((tick) => verticalTick(x.place(tick), tick)),
    ...y.ticks.map((tick) => horizontalTick(y.place(tick), tick)),
    text((PLOT.left + PLOT.right) / 2, SIZE.height - 16, across, `text-anchor="middle"`),
    text(16, middle, up.name, `text-anchor="middle" transform="rotate(-90 16 ${middle})"`),
    ...lines.flatMap((line, index) => drawn(line, index, x, y)),
    "</svg>",
    "",
  ].join("\n");
}

interface Axis {
  readonly ticks: readonly number[];
  /** Where on the page a value stands. */
  readonly place: (value: number) => number;
}

function axis(values: readonly number[], scale: "linear" | "log", from: number, to: number): Axis {
  const [least, most] = [Math.min(...values, Infinity), Math.max(...values, -Infinity)];
  if (!Number.isFinite(least)) return { ticks: [], place: () => from };
  const ticks = scale === "log" ? decades(Math.max(least, 1e-9), most) : steps(most);
  const measure = scale === "log" ? Math.log10 : (value: number) => value;
  const [first, last] = [measure(ticks[0] ?? 1), measure(ticks.at(-1) ?? 1)];
  const share = (value: number) => (last === first ? 0 : (measure(value) - first) / (last - first));
  return { ticks, place: (value) => round(from + share(value) * (to - from)) };
}

function decades(least: number, most: number): readonly number[] {
  const first = Math.floor(Math.log10(least));
  const last = Math.max(first + 1, Math.ceil(Math.log10(most)));
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

/** From 0 in about five round steps. */
function steps(most: number): readonly number[] {
  const rough = Math.max(most, 1e-9) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step);
}

function verticalTick(place: number, value: number): string {
  const grid = `<path d="M${place} ${PLOT.top}V${PLOT.bottom}" stroke="#dddddd"/>`;
  return grid + text(place, PLOT.bottom + 18, label(value), `text-anchor="middle"`);
}

function horizontalTick(place: number, value: number): string {
  const grid = `<path d="M${PLOT.left} ${place}H${PLOT.right}" stroke="#dddddd"/>`;
  return grid + text(PLOT.left - 6, place + 4, label(value), `text-anchor="end"`);
}

function drawn({ name, points }: Line, index: number, x: Axis, y: Axis): readonly string[] {
  const stroke = strokeOf(index);
  const places = points.map((point) => ({ x: x.place(point.x), y: y.place(point.y) }));
  const path = places.map((at) => `${at.x},${at.y}`).join(" ");
  const legend = PLOT.top + 18 * index;
  return [
    `<polyline points="${path}" fill="none" ${stroke}/>`,
    ...places.map((at) => `<circle cx="${at.x}" cy="${at.y}" r="3" fill="${colourOf(index)}"/>`),
    `<path d="M${PLOT.right + 16} ${legend}h20" ${stroke}/>`,
    text(PLOT.right + 42, legend + 4, name, ""),
  ];
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? "#000000";
}

/** Lines beyond as many as there are colours are dashed. */
function strokeOf(index: number): string {
  const dashes = index < COLOURS.length ? "" : ` stroke-dasharray="5 3"`;
  return `stroke="${colourOf(index)}" stroke-width="2"${dashes}`;
}

function text(x: number, y: number, words: string, attributes: string): string {
  const escaped = words.replace(/[&<>]/g, (c) => (c === "&" ? "&amp;" : c === "<" ? "&lt;" : "&gt;"));
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}

function label(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 6 });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
