import type { Problems } from "./problems.js";

/** What the Rules language escapes in a text, and what a template makes authors escape. */
const ESCAPE = /^\\(?:x([0-9a-fA-F]{2})|(["\\`$]))/;

/**
 * The value of a text as it stands in the file, `"…"` or `r#"…"#`; undefined after a report. `start` is its offset
 * in the file.
 */
export function unquote(image: string, start: number, problems: Problems): string | undefined {
  const raw = /^r(#*)"/.exec(image);
  if (raw) return image.slice(raw[0].length, image.length - raw[0].length + 1);
  let value = "";
  let bad = false;
  const end = image.length - 1;
  for (let at = 1; at < end; ) {
    if (image[at] !== "\\") {
      value += image[at++];
      continue;
    }
    const [written, hex, plain] = ESCAPE.exec(image.slice(at, end)) ?? [];
    if (written === undefined) {
      bad = true;
      reportEscape(image, start, at, problems);
    }
    value += hex === undefined ? (plain ?? "") : String.fromCharCode(Number.parseInt(hex, 16));
    at += written?.length ?? 2;
  }
  return bad ? undefined : value;
}

function reportEscape(image: string, start: number, at: number, problems: Problems): void {
  const length = Math.min(2, image.length - 1 - at);
  const span = problems.source.span(start + at, start + at + length);
  const hint = 'a text knows \\" and \\\\ and \\x41; interpolate a constant for any other character';
  problems.fatal("TG1103", span, { escape: image.slice(at, at + length) }, { hint });
}
