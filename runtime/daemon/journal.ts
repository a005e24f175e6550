/** As syslog(3) counts: what stops a customer's change, what somebody should look at, what happened. */
export type Level = "error" | "warning" | "info";

/** Says one line. Lines tell of changes: a node where nothing happens is silent. */
export type Say = (level: Level, text: string) => void;

const PRIORITY: Readonly<Record<Level, number>> = { error: 3, warning: 4, info: 6 };

/** What cannot stand in a line of a log: names and causes come from files that anybody may have written. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/**
 * Lines for journald, which reads the level from `<N>` (sd-daemon(3)); elsewhere with the time in front.
 */
export function journal(write: (line: string) => void, environment: NodeJS.ProcessEnv): Say {
  const inJournal = environment["JOURNAL_STREAM"] !== undefined;
  return (level, text) => {
    const head = inJournal ? `<${PRIORITY[level]}>` : `${new Date().toISOString()} ${level}: `;
    write(`${head}${text.replace(CONTROL, " ").trim()}\n`);
  };
}
