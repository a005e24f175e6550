import pc from "picocolors";

export interface Progress {
  /** Shows how much of something is done. */
  readonly show: (what: string, done: number, of: number) => void;
  readonly end: () => void;
}

const WIDTH = 24;

/** One line on stderr that changes; only on a terminal, where it is of use, and not in CI or when `quiet`. */
export function progressBar(quiet: boolean): Progress {
  const ci = process.env["CI"];
  if (quiet || !process.stderr.isTTY || (ci !== undefined && ci !== "" && ci !== "false")) {
    return { show: () => {}, end: () => {} };
  }
  return {
    show: (what, done, of) => {
      const filled = Math.round((WIDTH * done) / of);
      const bar = "█".repeat(filled) + pc.dim("░".repeat(WIDTH - filled));
      process.stderr.write(
        `\r\x1b[K  ${bar} ${String(Math.round((100 * done) / of)).padStart(3)} %  ${what}`,
      );
    },
    end: () => process.stderr.write("\r\x1b[K"),
  };
}
