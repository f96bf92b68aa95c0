// A systemd booted for a test, over a throw-away copy of this machine's root: real units, limits, journal, watchdog.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";

type Test = Parameters<typeof temporaryFolder>[0];

const CGROUP_ROOT = "/sys/fs/cgroup";
/** What is written over the root stays in memory, up to this. */
const OVERLAY_SIZE = "4G";
const BOOT_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 120_000;
/** What the sensor's units need beyond nspawn's own. */
const CAPABILITIES = [
  "CAP_BPF",
  "CAP_PERFMON",
  "CAP_SYSLOG",
  "CAP_CHECKPOINT_RESTORE",
  "CAP_IPC_LOCK",
  "CAP_NET_ADMIN",
];

/** The first process: the controllers come read-only, and limits would be ignored silently. */
const INIT = `#!/bin/sh
mount -o remount,bind,rw /sys/fs/cgroup
for folder in /sys/fs/cgroup/*/; do mount -o remount,bind,rw "$folder" 2>/dev/null; done
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
exec /lib/systemd/systemd --unit=basic.target --show-status=0 --log-target=journal
`;

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Why no systemd can be booted here, undefined when one can. */
export function whyNoSystemd(): string | undefined {
  if (process.getuid?.() !== 0) return "booting a systemd needs root";
  if (!existsSync("/usr/bin/systemd-nspawn")) return "systemd-nspawn is not installed (systemd-container)";
  if (!existsSync("/lib/systemd/systemd")) return "systemd is not installed";
  return undefined;
}

export class BootedSystem {
  /** Its root, as seen from outside: files may be put there and read. */
  readonly root: string;
  readonly #nspawn: TestProcess;
  readonly #leader: number;

  private constructor(root: string, nspawn: TestProcess, leader: number) {
    this.root = root;
    this.#nspawn = nspawn;
    this.#leader = leader;
  }

  /**
   * Boots to basic.target. `bind` are folders and files of this machine by where they are to be seen in it, read-only.
   * `prepare` is called with its root before it boots. It shares this machine's network, and ends with the test.
   */
  static async boot(
    test: Test,
    { bind = {}, prepare }: { bind?: Record<string, string>; prepare?: (root: string) => void } = {},
  ): Promise<BootedSystem> {
    const folder = temporaryFolder(test);
    const root = mountOverlay(test, folder);
    rmSync(join(root, "etc/machine-id"), { force: true });
    writeFileSync(join(root, "etc/machine-id"), "");
    writeFileSync(join(root, "init.sh"), INIT, { mode: 0o755 });
    prepare?.(root);
    const groups = makeControlGroups(test);
    const enter = groups.map((group) => `echo 0 > '${group}/cgroup.procs'`).join("; ");
    const options = [
      ...["--quiet", `--directory=${root}`, "--register=no", "--keep-unit", `--capability=${CAPABILITIES.join(",")}`],
      ...["--system-call-filter=bpf perf_event_open", "--resolv-conf=off", "--timezone=off"],
      ...Object.entries(bind).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`),
    ];
    const quoted = options.map((one) => `'${one}'`).join(" ");
    const nspawn = startProcess(test, "/bin/sh", ["-c", `${enter}; exec systemd-nspawn ${quoted} /init.sh`], {
      env: { SYSTEMD_NSPAWN_API_VFS_WRITABLE: "1" },
      // As its machine would be switched off (systemd(1): halts).
      stopSignal: "SIGKILL",
    });
    const leader = await waitFor(() => leaderOf(nspawn.pid), { what: "systemd starts", timeoutMs: BOOT_TIMEOUT_MS });
    const system = new BootedSystem(root, nspawn, leader);
    test.teardown(() => system.#endLeader());
    await waitFor(() => system.run("systemctl is-active basic.target").code === 0, {
      what: "systemd has booted",
      timeoutMs: BOOT_TIMEOUT_MS,
      explain: () => `${nspawn.stdout}\n${nspawn.stderr}`,
    });
    return system;
  }

  /** Runs a shell command in it as root. */
  run(command: string): CommandResult {
    const inside = ["--target", `${this.#leader}`, "--mount", "--uts", "--ipc", "--pid", "--net", "--root"];
    const { status, stdout, stderr, error } = spawnSync("nsenter", [...inside, "/bin/sh", "-c", `cd / && ${command}`], {
      encoding: "utf8",
      timeout: COMMAND_TIMEOUT_MS,
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    if (error) throw error;
    return { code: status ?? -1, stdout, stderr };
  }

  /** The same of a command that has to work: its standard output. */
  must(command: string): string {
    const { code, stdout, stderr } = this.run(command);
    if (code !== 0) throw new Error(`${command} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** A unit's properties, as `systemctl show` names them. */
  show(unit: string, ...properties: string[]): Record<string, string> {
    const lines = this.must(`systemctl show -p ${properties.join(",")} ${unit}`)
      .trim()
      .split("\n");
    return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2) as [string, string]));
  }

  journal(unit: string): string {
    return this.run(`journalctl --no-pager -o cat -u '${unit}' | tail -n 40`).stdout;
  }

  async #endLeader(): Promise<void> {
    try {
      process.kill(this.#leader, "SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#nspawn.exited;
  }
}

/** This machine's root with a layer over it that is gone with the test. */
function mountOverlay(test: Test, folder: string): string {
  const mounted: string[] = [];
  test.teardown(() => {
    for (const one of mounted.reverse()) execFileSync("umount", ["--lazy", one]);
  });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${OVERLAY_SIZE}`, "tmpfs", folder]);
  mounted.push(folder);
  const [upper, work, root] = ["upper", "work", "root"].map((name) => join(folder, name)) as [string, string, string];
  for (const one of [upper, work, root]) mkdirSync(one);
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=/,upperdir=${upper},workdir=${work}`, root]);
  mounted.push(root);
  return root;
}

/** A group of its own in each hierarchy this process is in: limits hold there and nothing is left behind. */
function makeControlGroups(test: Test): string[] {
  const name = `nightjar-test-${process.pid}`;
  const groups = readFileSync("/proc/self/cgroup", "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(":") as [string, string, string])
    .map(([, controllers, path]) => join(hierarchyOf(controllers), path, name))
    .filter((group) => existsSync(join(group, "..", "cgroup.procs")));
  for (const group of groups) {
    mkdirSync(group, { recursive: true });
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      // A new group of cpuset has no processor, and takes no process.
      if (existsSync(join(group, file))) writeFileSync(join(group, file), readFileSync(join(group, "..", file)));
    }
  }
  test.teardown(async () => {
    await waitFor(() => groups.every(removeGroup), { what: "its control groups are empty" });
  });
  return groups;
}

function hierarchyOf(controllers: string): string {
  if (controllers === "") return existsSync(join(CGROUP_ROOT, "unified")) ? join(CGROUP_ROOT, "unified") : CGROUP_ROOT;
  return join(CGROUP_ROOT, controllers.replace(/^name=/, ""));
}

/** Children first; true when it is gone. Throws while a process is in it. */
function removeGroup(group: string): boolean {
  if (!existsSync(group)) return true;
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(join(group, entry.name));
  }
  rmdirSync(group);
  return true;
}

/** The container's first process, once it is systemd. */
function leaderOf(nspawn: number): number | undefined {
  const children = readFileSync(`/proc/${nspawn}/task/${nspawn}/children`, "utf8").trim().split(" ").filter(Boolean);
  return children.map(Number).find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "systemd");
}
