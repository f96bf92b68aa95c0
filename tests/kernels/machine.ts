// Boots a kernel in QEMU with this machine's files inside, read-only under a layer of memory, and runs one command.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Without KVM a machine is 10 to 60 times slower than this one. */
const MACHINE_MS_MAX = 45 * 60_000;
const MEMORY_MIB = 3072;
const CPUS = 2;

/** Quiet on the console, no randomised addresses, and clocks that software emulation can keep. */
const COMMAND_LINE =
  "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off nokaslr audit=0 tsc=nowatchdog no_timer_check " +
  "random.trust_cpu=on";

export interface Machine {
  /** The folder that prepare.sh made. */
  folder: string;
  /** The kernel's release, as its folder of modules is named. */
  release: string;
  commandLine: string;
}

function shareOf(name: string, path: string, access: string): string[] {
  const share = `local,id=${name},path=${path},security_model=none,multidevs=remap${access}`;
  return ["-fsdev", share, "-device", `virtio-9p-pci,fsdev=${name},mount_tag=${name}`];
}

function argumentsOf({ folder, release, commandLine }: Machine, control: string): string[] {
  return [
    ...["-accel", "tcg,thread=multi,tb-size=512", "-M", "q35", "-smp", String(CPUS), "-m", `${MEMORY_MIB}M`],
    // Software emulation of five-level page tables breaks some kernels.
    ...["-cpu", "max,la57=off", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-kernel", join(folder, "vmlinuz"), "-initrd", join(folder, "initrd.img")],
    ...["-append", `${COMMAND_LINE} ${commandLine}`.trim(), "-serial", `file:${join(control, "console")}`],
    ...["-device", "virtio-serial-pci", "-chardev", "stdio,id=output,signal=off"],
    ...["-device", "virtconsole,chardev=output", "-device", "virtio-rng-pci"],
    ...shareOf("host", "/", ",readonly=on"),
    ...shareOf("control", control, ""),
    ...shareOf("modules", join(folder, "lib/modules", release), ",readonly=on"),
  ];
}

/**
 * Runs a shell command in the machine, and gives each line it prints to `onLine`. Resolves with its exit code; throws,
 * with the end of the machine's console, where the machine did not come so far.
 */
export async function runIn(
  machine: Machine,
  command: string,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const control = mkdtempSync(join(tmpdir(), "nightjar-machine-"));
  try {
    copyFileSync(join(import.meta.dirname, "guest.sh"), join(control, "guest.sh"));
    writeFileSync(join(control, "command.sh"), command);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(MACHINE_MS_MAX)]);
    const stdio = ["ignore", "pipe", "inherit"] as const;
    const qemu = spawn("qemu-system-x86_64", argumentsOf(machine, control), { stdio: [...stdio], signal: limit });
    const ended = new Promise<string>((resolve) => {
      qemu.on("error", (error) => resolve(error.message));
      qemu.on("close", (code, name) => resolve(`QEMU ended with ${name ?? code}`));
    });
    for await (const line of createInterface({ input: qemu.stdout })) onLine(line.trimEnd());
    const how = await ended;
    const status = join(control, "status");
    if (existsSync(status)) return Number(readFileSync(status, "utf8"));
    const console = existsSync(join(control, "console")) ? readFileSync(join(control, "console"), "utf8") : "";
    throw new Error(`${how} before the command had; the console's end:\n${console.slice(-2_000)}`);
  } finally {
    rmSync(control, { recursive: true });
  }
}
