// Finds or makes the folder in which the probe is pinned, and trusts none that somebody else could have filled.
import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, statfsSync, symlinkSync } from "node:fs";
import { pinPaths } from "@nightjar/stage";

/** From include/uapi/linux/magic.h. */
const BPF_FS_MAGIC = 0xcafe4a11;
const FOLDER_MODE = 0o700;
/** Write permission for the group and for others. */
const FOREIGN_WRITE = 0o022;
const MOUNT_MS_MAX = 5_000;

/** The folder, or why nothing can be pinned. */
export type PinPlace = { folder: string } | { problem: string };

/** `bpffs` is mounted where it is no BPF file system; mounted it stays, since other programs may use it by then. */
export function preparePinPlace(bpffs: string, stateDir: string): PinPlace {
  if (bpffs === "") return { problem: "collector.bpffs is empty" };
  try {
    if (!isBpffs(bpffs)) mountBpffs(bpffs);
    const folder = pinPaths.folder(bpffs, stateDir);
    for (const one of [pinPaths.root(bpffs), folder]) makeOwnFolder(one);
    unlessItExists(() => symlinkSync(stateDir, pinPaths.stateLink(folder)));
    return { folder };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function isBpffs(path: string): boolean {
  try {
    return statfsSync(path).type === BPF_FS_MAGIC;
  } catch {
    return false;
  }
}

function mountBpffs(path: string): void {
  // Not recursively: in a file system that refuses with ENOENT, such as /proc, Node's would never come back.
  unlessItExists(() => mkdirSync(path, { mode: FOLDER_MODE }));
  const args = ["-t", "bpf", "-o", "mode=0700", "bpf", path];
  const { status, error, stderr } = spawnSync("mount", args, { encoding: "utf8", timeout: MOUNT_MS_MAX });
  if (status !== 0) {
    throw new Error(`${path} is no BPF file system and cannot be made one: ${error?.message ?? stderr.trim()}`);
  }
}

/** Programs that someone else pinned there would be taken for the sensor's own. */
function makeOwnFolder(path: string): void {
  unlessItExists(() => mkdirSync(path, { mode: FOLDER_MODE }));
  const found = lstatSync(path);
  if (!found.isDirectory()) throw new Error(`${path} is no folder`);
  if (found.uid !== process.getuid?.()) throw new Error(`${path} belongs to the user ${found.uid}`);
  if (found.mode & FOREIGN_WRITE) throw new Error(`${path} may be written to by others`);
}

function unlessItExists(make: () => void): void {
  try {
    make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
