import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { initramfs } from "./initramfs.js";
import type { Kernel } from "./kernels.js";

/** Where Debian 12 and 13 have it; no folder for commands. */
export const VIRTIOFSD = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"];

export interface Machine {
  readonly kernel: Kernel;
  /** Visible inside as /share, where the machine may write. Its file `run` is a script of bash(1) for it to run. */
  readonly share: string;
  readonly memoryMb: number;
  /** After so long it is switched off. */
  readonly minutes: number;
}

/**
 * Starts a machine that sees the files of this one, under a layer of its own, and waits until it has run its script, whose
 * output it prints. Resolves to the script's exit code, or to what became of the machine instead.
 */
export async function runMachine(machine: Machine): Promise<number | string> {
  const { share, minutes } = machine;
  const initrd = join(share, "initrd");
  await writeFile(initrd, await initramfs(machine.kernel));
  const files = await shareFiles(share);
  const qemu = spawnBound(["qemu-system-x86_64", ...qemuArguments(machine, initrd)], "inherit");
  const said = collect(qemu);
  const watch = AbortSignal.timeout(60_000 * minutes);
  watch.addEventListener("abort", () => qemu.kill("SIGKILL"));
  await once(qemu, "close");
  files.kill();
  const written = join(share, "status");
  if (existsSync(written)) return Number(readFileSync(written, "utf8"));
  if (watch.aborted) return `it was switched off after ${minutes} minutes`;
  return ["it ended before its tests did", said(), lastLines(join(share, "console"))].join("\n").trim();
}

/** Gone with this process, even if that is killed. QEMU passes no output on once its input has ended. */
function spawnBound(argv: readonly string[], stdout: "inherit" | "pipe"): ChildProcess {
  return spawn("setpriv", ["--pdeathsig", "KILL", "--", ...argv], { stdio: ["pipe", stdout, "pipe"] });
}

/** Gives the machine all files of this one to read, and those of the folder `share` to write. */
async function shareFiles(share: string): Promise<ChildProcess> {
  const script = `mount --bind "$1" "$1" && mount -o remount,bind,ro / && mount -t tmpfs run /run &&
    exec "$0" --socket-path="$1/files" -o source=/ -o cache=always -o sandbox=chroot`;
  const argv = ["unshare", "--mount", "sh", "-c", script, VIRTIOFSD.find(existsSync) ?? "", share];
  const child = spawnBound(argv, "pipe");
  const said = collect(child);
  while (!existsSync(join(share, "files"))) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`virtiofsd: ${said().trim() || child.signalCode}`);
    await setTimeout(20);
  }
  return child;
}

function qemuArguments({ kernel, share, memoryMb }: Machine, initrd: string): readonly string[] {
  return [
    ...["-M", "microvm,rtc=on", "-smp", "1", "-m", `${memoryMb}`, "-nic", "none", "-no-reboot"],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-global", "virtio-mmio.force-legacy=false"],
    // KVM where the CPU has it and we may use it. Five-level page tables are slow to emulate.
    ...(hasKvm()
      ? ["-accel", "kvm", "-cpu", "host"]
      : ["-accel", "tcg,thread=single,tb-size=512", "-cpu", "max,la57=off"]),
    ...["-kernel", kernel.image, "-initrd", initrd, "-append", commandLine(kernel, share)],
    ...["-chardev", `file,id=console,path=${join(share, "console")}`, "-serial", "chardev:console"],
    ...["-device", "virtio-serial-device", "-chardev", "stdio,id=out,signal=off"],
    ...["-device", "virtserialport,chardev=out,name=out"],
    // The files of this machine (virtiofsd shares memory with QEMU).
    ...[
      "-object",
      `memory-backend-memfd,id=memory,size=${memoryMb}M,share=on`,
      "-numa",
      "node,memdev=memory",
    ],
    ...["-chardev", `socket,id=files,path=${join(share, "files")}`],
    ...["-device", "vhost-user-fs-device,queue-size=1024,chardev=files,tag=host"],
  ];
}

/** kernel-parameters.txt. An emulated clock counts as the host's does, so it need not be measured, which can hang on a busy host. */
function commandLine({ modules }: Kernel, share: string): string {
  const mhz = /cpu MHz\s*: ([\d.]+)/.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "1000";
  return [
    ...["console=ttyS0", "quiet", "panic=-1", "oops=panic", "reboot=t", "mitigations=off", "nokaslr"],
    ...["audit=0", "selinux=0", "apparmor=0", "random.trust_cpu=on", "no_timer_check", "lpj=4000000"],
    ...[
      `tsc_early_khz=${Math.round(1000 * Number(mhz))}`,
      "tsc=reliable",
      `modules=${modules}`,
      `share=${share}`,
    ],
  ].join(" ");
}

function hasKvm(): boolean {
  if (!/^flags.* (vmx|svm) /m.test(readFileSync("/proc/cpuinfo", "utf8"))) return false;
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function collect(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  return () => text;
}

function lastLines(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").slice(-20).join("\n") : "";
}
