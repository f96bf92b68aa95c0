// Real containers for tests: images and bundles made of busybox alone, and engines that run them on folders of their
// own. Nothing is downloaded.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";

type Test = Parameters<typeof startProcess>[0];

const BUSYBOX = "/bin/busybox";
const APPLETS = ["sh", "sleep", "cat", "true"];
const CGROUPS = "/sys/fs/cgroup";
const START_TIMEOUT_MS = 30_000;
/** Whatever hangs is ended. */
const COMMAND_TIMEOUT_MS = 60_000;

/** Why no containers can be run here, undefined when all of these programs are there. */
export function whyNoContainers(...programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return "containers need root";
  const folders = (process.env.PATH ?? "").split(":");
  const missing = programs.filter((program) => !folders.some((folder) => existsSync(join(folder, program))));
  if (!existsSync(BUSYBOX)) missing.push(BUSYBOX);
  return missing.length > 0 ? `missing: ${missing.join(", ")}` : undefined;
}

/** Runs a program to its end and returns what it printed. */
export function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, {
    encoding: "utf8",
    timeout: COMMAND_TIMEOUT_MS,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** A root file system in which a shell runs. */
export function makeRootfs(folder: string): string {
  const root = join(folder, "rootfs");
  for (const name of ["bin", "proc", "dev", "sys", "tmp", "etc", "data"])
    mkdirSync(join(root, name), { recursive: true });
  cpSync(BUSYBOX, join(root, "bin/busybox"));
  for (const applet of APPLETS) symlinkSync("busybox", join(root, "bin", applet));
  return root;
}

export interface BundleOptions {
  rootfs: string;
  script: string;
  cgroup: string;
  annotations?: Record<string, string>;
}

/** A bundle as the runtime specification has it; without limits that root may not set everywhere. */
export function writeBundle(folder: string, { rootfs, script, cgroup, annotations = {} }: BundleOptions): string {
  mkdirSync(folder, { recursive: true });
  const capabilities = ["CAP_KILL", "CAP_NET_BIND_SERVICE"];
  const spec = {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0 },
      args: ["/bin/sh", "-c", script],
      env: ["PATH=/bin"],
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    },
    root: { path: rootfs, readonly: true },
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    annotations,
    linux: {
      cgroupsPath: cgroup,
      namespaces: ["pid", "ipc", "uts", "mount", "network"].map((type) => ({ type })),
      maskedPaths: ["/proc/kcore"],
    },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(spec));
  return folder;
}

/**
 * Where a host has both versions of cgroups, crun 1.8 refuses to run. In a mount namespace of its own it sees those of
 * version 1 alone, on a folder that only this namespace has: what the host has stays as it is.
 */
const WITHOUT_UNIFIED = `
new=$1; shift
mount -t tmpfs none "$new"
for each in ${CGROUPS}/*/; do
  name=$(basename "$each")
  [ "$name" = unified ] || { mkdir "$new/$name" && mount --bind "$each" "$new/$name"; }
done
mount --rbind "$new" ${CGROUPS}
exec "$@"`;

/** The command that runs `runc` or `crun` with its state in a folder of its own. */
export function ociCommand(test: Test, runtime: "runc" | "crun", state: string, args: readonly string[]) {
  const command = [runtime, "--root", state, ...args] as const;
  if (runtime === "runc" || !existsSync(join(CGROUPS, "unified"))) return command;
  const view = ["unshare", "--mount", "--propagation", "private", "sh", "-c", WITHOUT_UNIFIED, "crun"] as const;
  return [...view, temporaryFolder(test), ...command] as const;
}

/** Removes the empty folders above a container's cgroup with the test, those that were there before excepted. */
export function removeCgroup(test: Test, cgroup: string): void {
  const all = [CGROUPS, ...globSync(`${CGROUPS}/*/`)];
  const made = [...parentsOf(cgroup)]
    .flatMap((path) => all.map((root) => join(root, path)))
    .filter((path) => !existsSync(path));
  test.teardown(() => {
    for (const path of made) {
      try {
        rmdirSync(path);
      } catch {
        // It was never made in this hierarchy, or somebody else uses it now.
      }
    }
  });
}

/** The path and all above it, the longest first. */
function* parentsOf(path: string): Generator<string> {
  for (let one = path; one !== "/" && one !== "."; one = dirname(one)) yield one;
}

export const IMAGE = "localhost/nightjar-test:7";

/** Podman on folders of its own, with the image, and its service on a socket. */
export class Podman {
  readonly folder: string;
  readonly socket: string;
  readonly service: TestProcess;

  constructor(test: Test) {
    this.folder = temporaryFolder(test);
    this.socket = join(this.folder, "podman.sock");
    // Runs last: the storage stays mounted on itself when all containers are gone.
    test.teardown(() => unmountBelow(this.folder));
    const tar = join(this.folder, "rootfs.tar");
    run("tar", ["-C", makeRootfs(this.folder), "-cf", tar, "."]);
    this.run("import", tar, IMAGE);
    // The host's configuration may keep containers in cgroups of systemd, which is not everywhere.
    this.service = startProcess(test, "podman", [
      ...this.#options,
      "system",
      "service",
      "-t",
      "0",
      `unix://${this.socket}`,
    ]);
    test.teardown(() => void this.run("rm", "--all", "--force", "--time", "0"));
  }

  get #options(): string[] {
    const place = (name: string) => join(this.folder, name);
    return [
      ...["--root", place("root"), "--runroot", place("run"), "--tmpdir", place("tmp")],
      ...["--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file"],
    ];
  }

  /** Runs a command of podman's and returns what it printed. */
  run(...args: readonly string[]): string {
    return run("podman", [...this.#options, ...args]).trim();
  }

  /** Arguments of `run` that any root may use: no network, and limits below those it has. */
  get plain(): string[] {
    return ["--network", "none", "--ulimit", "nofile=1000:1000", "--ulimit", "nproc=1000:1000"];
  }

  async ready(): Promise<void> {
    await waitFor(() => existsSync(this.socket), { what: "podman has its socket", timeoutMs: START_TIMEOUT_MS });
  }
}

function unmountBelow(folder: string): void {
  const places = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const below = places.flatMap((line) => line.split(" ")[1] ?? []).filter((place) => place.startsWith(`${folder}/`));
  for (const place of below.reverse()) run("umount", ["--lazy", place]);
}

/** containerd on folders of its own, with the image. */
export class Containerd {
  readonly folder: string;
  readonly socket: string;
  readonly process: TestProcess;

  constructor(test: Test) {
    this.folder = temporaryFolder(test);
    this.socket = join(this.folder, "containerd.sock");
    const file = join(this.folder, "config.toml");
    writeFileSync(file, this.#configuration());
    this.process = startProcess(test, "containerd", ["--config", file]);
  }

  #configuration(): string {
    return `version = 2
root = "${this.folder}/root"
state = "${this.folder}/state"
[grpc]
  address = "${this.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${IMAGE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
# ctr holds no lease while it unpacks what it imported: what is collected then is missing (containerd issue 5690).
[plugins."io.containerd.gc.v1.scheduler"]
  startup_delay = "1h"
  schedule_delay = "1h"
`;
  }

  /** Runs a command of ctr's in the namespace of Kubernetes. */
  ctr(...args: readonly string[]): string {
    return run("ctr", ["--address", this.socket, "--namespace", "k8s.io", ...args]).trim();
  }

  /** Waits for the socket and imports the image from an archive of Podman's. */
  async ready(archive: string): Promise<void> {
    await waitFor(() => this.ctr("version") !== "", {
      what: "containerd answers",
      timeoutMs: START_TIMEOUT_MS,
      explain: () => this.process.stderr.slice(-2_000),
    });
    this.ctr("images", "import", "--index-name", IMAGE, archive);
  }
}
