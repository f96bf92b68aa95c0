// Where a sensor's kernel programs are pinned, and how what is pinned is cleared away.
import { existsSync, readdirSync, readlinkSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** In the BPF file system; each sensor has a folder in it. */
const PINS = "nightjar";
/** In a sensor's folder: a symbolic link to the state folder it belongs to. */
const STATE_LINK = "state_folder";

export interface PinFolder {
  folder: string;
  /** The state folder it was made for, which may be gone; undefined where it does not say. */
  stateDir: string | undefined;
}

export const pinPaths = {
  root: (bpffs: string) => join(bpffs, PINS),
  stateLink: (folder: string) => join(folder, STATE_LINK),
  /**
   * The folder of the sensor with this state folder, which must exist: named by its device and inode, so that two
   * containers that know theirs by the same path do not meet in the host's BPF file system.
   */
  folder: (bpffs: string, stateDir: string) => {
    const { dev, ino } = statSync(stateDir, { bigint: true });
    return join(bpffs, PINS, `${dev.toString(16)}-${ino.toString(16)}`);
  },
};

/** All folders of sensors in a BPF file system, those of state folders that are gone too. */
export function listPinFolders(bpffs: string): PinFolder[] {
  const root = pinPaths.root(bpffs);
  return namesIn(root).map((name) => {
    const folder = join(root, name);
    return { folder, stateDir: linkOf(pinPaths.stateLink(folder)) };
  });
}

/**
 * Removes all that is pinned in a sensor's folder, and the folder: the kernel unloads the programs when nobody has them
 * open any more. Links go first, so that no program runs of whose set a part is gone. False where there was nothing.
 */
export function removePins(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const sets = namesIn(folder);
  for (const set of sets) rmSync(join(folder, set, "links"), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
  removeIfEmpty(dirname(folder));
  return sets.some((name) => name !== STATE_LINK);
}

/** Other sensors may have theirs in it. */
function removeIfEmpty(root: string): void {
  try {
    rmdirSync(root);
  } catch {
    // It is not empty.
  }
}

/** The same for the sensor with this state folder; there is nothing where nothing is pinned. */
export function removePinsOf(bpffs: string, stateDir: string): boolean {
  return bpffs !== "" && existsSync(stateDir) && removePins(pinPaths.folder(bpffs, stateDir));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
