import pc from "picocolors";

export interface StepPrinter {
  /** Shows the step that begins. */
  readonly step: (text: string) => void;
  readonly end: () => void;
}

/** Shows steps on stderr: one line that changes on a terminal, a line each elsewhere, nothing when `quiet`. */
export function stepPrinter(quiet: boolean): StepPrinter {
  if (quiet) return { step: () => {}, end: () => {} };
  if (!process.stderr.isTTY) return { step: (text) => console.error(`  ${text}`), end: () => {} };
  return {
    step: (text) => process.stderr.write(`\r\x1b[K${pc.dim(`  ${text} …`)}`),
    end: () => process.stderr.write("\r\x1b[K"),
  };
}
