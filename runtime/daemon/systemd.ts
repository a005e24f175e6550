import { spawn } from "node:child_process";

/** What systemd is told of a service of type `notify` (sd_notify(3)); nothing where it did not start us. */
export interface Notifier {
  ready(status: string): void;
  reloading(): void;
  stopping(): void;
  /** Says `alive` again and again, as often as systemd asks for it, while `isAlive` holds. */
  watch(isAlive: () => boolean): void;
  close(): void;
}

/** Node.js has no datagrams to Unix sockets, so systemd-notify(1) sends them; the unit needs NotifyAccess=all for it. */
export function notifier(environment: NodeJS.ProcessEnv): Notifier {
  let timer: NodeJS.Timeout | undefined;
  const send = (...assignments: readonly string[]) => {
    if (environment["NOTIFY_SOCKET"] === undefined) return;
    // Should it fail, systemd does what it does with a service that is silent.
    spawn("systemd-notify", [`--pid=${process.pid}`, ...assignments], {
      env: environment,
      stdio: "ignore",
    }).on("error", () => undefined);
  };
  return {
    ready: (status) => send("READY=1", `STATUS=${status}`),
    // Since systemd 253 with the time, without which older ones do not mind (sd_notify(3), MONOTONIC_USEC).
    reloading: () => send("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => send("STOPPING=1"),
    watch: (isAlive) => {
      const micros = Number(environment["WATCHDOG_USEC"]);
      if (!(micros > 0)) return;
      timer = setInterval(() => isAlive() && send("WATCHDOG=1"), micros / 1000 / 2).unref();
    },
    close: () => clearInterval(timer),
  };
}
