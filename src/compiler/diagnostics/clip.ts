/** Longer texts are cut in messages: a mistake can be as long as the file that it stands in. */
const LONGEST = 60;

/** At most 60 characters of a text, on one line. */
export function clip(text: string): string {
  const line = text.replace(/\s*[\r\n]\s*/g, " ");
  // By code points, so that no surrogate pair is torn apart.
  const start = Array.from(line.slice(0, 2 * LONGEST));
  return start.length <= LONGEST && line.length <= 2 * LONGEST
    ? line
    : `${start.slice(0, LONGEST - 1).join("")}…`;
}
