// What a support package holds: a table, the most telling first, since what is beyond the size is left out.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { stageNames } from "@nightjar/stage";
import { findLogs } from "../logs/files.ts";

/** Where an item comes from: a program, a file, a command of our own, or whoever asks for it. */
export type Source =
  | { readonly program: readonly [name: string, ...args: string[]] }
  | { readonly file: string }
  | { readonly nightjar: readonly string[] }
  | { readonly ask: (signal: AbortSignal) => Promise<string> };

export interface Item {
  /** Its path in the archive. */
  readonly name: string;
  readonly source: Source;
}

export interface Places {
  stateDir: string;
  logFolder: string;
  /** As `uname -r` says. */
  kernelRelease: string;
  askBus: (signal: AbortSignal) => Promise<string>;
}

/** Where clouds answer what the machine is: whether they do tells why names and tags are missing. */
const METADATA_ADDRESS = "http://169.254.169.254/";
const METADATA_MS_MAX = 1_000;
const JOURNAL_LINES = "20000";
const UNITS = "nightjar*";
/** In each stage's own folder. */
const CRASHES_FOLDER = "crashes";

/** Commands of our own, which say by themselves that a sensor does not run. */
const OWN: readonly (readonly [name: string, ...args: string[]])[] = [
  ["version.txt", "version"],
  ["doctor.json", "doctor", "--json"],
  ["errors.txt", "logs", "--errors"],
  ["status.json", "status", "--json"],
  ["statistics.json", "get-statistics", "--json"],
  ["health.json", "health", "--json"],
  ["config.json", "config", "show", "--json"],
  ["containers.json", "containers", "--json"],
  ["actors.txt", "actors"],
  ["outputs.json", "outputs", "list", "--json"],
  ["filters.json", "doctor", "--filters", "--json"],
  ["inventory.json", "inventory", "--json"],
];

const PROGRAMS: readonly (readonly [name: string, ...command: [string, ...string[]]])[] = [
  ["system/system_info.txt", "uname", "-a"],
  ["system/disk_space.txt", "df", "-hT"],
  ["system/mem_usage.txt", "free", "-h"],
  ["system/cpu_usage.txt", "top", "-b", "-n", "1"],
  ["system/process_list.txt", "ps", "auxww"],
  ["system/selinux_status.txt", "sestatus"],
  ["system/apparmor_status.txt", "aa-status"],
  ["system/io_usage.txt", "iostat", "-d", "1", "2"],
  ["system/bpf_programs.txt", "bpftool", "prog", "show"],
  ["system/bpf_maps.txt", "bpftool", "map", "show"],
  ["system/sockets.txt", "ss", "-lntp"],
  ["system/docker_version.txt", "docker", "version"],
  ["systemd/version.txt", "systemctl", "--version"],
  ["systemd/status.txt", "systemctl", "--no-pager", "--full", "status", UNITS],
  ["systemd/show.txt", "systemctl", "--no-pager", "show", UNITS],
  ["systemd/units.txt", "systemctl", "--no-pager", "cat", UNITS],
  ["systemd/journal.txt", "journalctl", "--no-pager", "--unit", UNITS, "--lines", JOURNAL_LINES],
  ["system/dmesg.txt", "dmesg"],
];

const FILES: readonly (readonly [name: string, file: string])[] = [
  ["system/os_release.txt", "/etc/os-release"],
  ["system/meminfo.txt", "/proc/meminfo"],
  ["system/pressure_cpu.txt", "/proc/pressure/cpu"],
  ["system/pressure_memory.txt", "/proc/pressure/memory"],
  ["system/pressure_io.txt", "/proc/pressure/io"],
  ["system/diskstats.txt", "/proc/diskstats"],
  ["system/mounts.txt", "/proc/self/mountinfo"],
  ["system/ulimit.txt", "/proc/self/limits"],
  ["system/command_line.txt", "/proc/cmdline"],
  ["system/lockdown.txt", "/sys/kernel/security/lockdown"],
  ["system/security_modules.txt", "/sys/kernel/security/lsm"],
  ["system/selinux_config.txt", "/etc/selinux/config"],
  ["system/bios_version.txt", "/sys/class/dmi/id/bios_version"],
];

/** All items; those of folders are looked up now. */
export function supportItems({ stateDir, logFolder, kernelRelease, askBus }: Places): Item[] {
  const named = (folder: string, files: readonly string[]) =>
    files.map((file): Item => ({ name: join(folder, basename(file)), source: { file } }));
  return [
    ...OWN.map(([name, ...args]): Item => ({ name: join("sensor", name), source: { nightjar: args } })),
    { name: "sensor/bus.json", source: { ask: askBus } },
    { name: "sensor/supervisor.json", source: { file: join(stateDir, "run", "supervisor.json") } },
    { name: "sensor/state_folder.txt", source: { program: ["ls", "-lR", stateDir] } },
    { name: "sensor/state_disk.txt", source: { program: ["df", "-hT", stateDir] } },
    ...[...stageNames, "portal"].flatMap((stage) =>
      named(join("crash", stage), filesOf(join(stateDir, stage, CRASHES_FOLDER))),
    ),
    ...PROGRAMS.map(([name, ...program]): Item => ({ name, source: { program } })),
    ...FILES.map(([name, file]): Item => ({ name, source: { file } })),
    { name: "system/kernel_config.txt", source: { ask: async () => kernelConfig(kernelRelease) } },
    { name: "system/imds.txt", source: { ask: askMetadata } },
    ...named(
      "log",
      findLogs(logFolder).flatMap(({ files }) => files.toReversed()),
    ),
  ];
}

/** Beside the kernel, as most distributions put it; or from the kernel itself, where it was built in. */
function kernelConfig(kernelRelease: string): string {
  const file = `/boot/config-${kernelRelease}`;
  return existsSync(file) ? readFileSync(file, "utf8") : gunzipSync(readFileSync("/proc/config.gz")).toString();
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Nothing that it says is taken: credentials may be among it. */
async function askMetadata(signal: AbortSignal): Promise<string> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(METADATA_MS_MAX)]);
  const { status } = await fetch(METADATA_ADDRESS, { signal: limit });
  return `${METADATA_ADDRESS} answers with ${status}\n`;
}
