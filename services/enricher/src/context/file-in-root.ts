// Opens a file below a root that a stranger furnished, say a container's: nothing leads out of it, nothing blocks.
import { constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";

/** As many as the kernel follows for one path (MAXSYMLINKS, include/linux/namei.h). */
const LINKS_MAX = 40;
/** Steps in all, those that links add too. */
const STEPS_MAX = 256;
/** Only to be looked at, not to be read: opens no device and waits for no writer (open(2); asm-generic/fcntl.h). */
const O_PATH = 0o10000000;
const { O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDONLY } = constants;

/** Why there is no such file to be read, in words. */
export class NotReadable extends Error {}

/**
 * Opens the regular file at an absolute path for reading, as the path is meant below `root` (as with openat2(2)'s
 * RESOLVE_IN_ROOT, which Node does not offer): each step is a look at one name in a folder that is held open, so that
 * whoever exchanges folders for links meanwhile gains nothing. The caller closes what it gets.
 * @throws NotReadable where there is none, or anything but a regular file.
 */
export async function openInRoot(root: string, path: string): Promise<FileHandle> {
  const folders = [await look(root, 0)];
  try {
    return await walk(folders, path);
  } finally {
    await Promise.all(folders.map((folder) => folder.close()));
  }
}

/** `folders` is where the walk stands, the root first; whoever calls closes them. */
async function walk(folders: FileHandle[], path: string): Promise<FileHandle> {
  const rest = path.split("/").reverse();
  let links = 0;
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    const name = rest.pop();
    if (name === undefined) break;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (folders.length > 1) await folders.pop()?.close();
      continue;
    }
    const here = inside(folders.at(-1) as FileHandle, name);
    const found = await look(here, O_NOFOLLOW);
    const stats = await found.stat();
    if (stats.isDirectory()) {
      folders.push(found);
      continue;
    }
    await using _ = found;
    if (stats.isFile() && rest.every((each) => each === "")) {
      // The same inode that was looked at, whatever stands at its name by now.
      return await open(`/proc/self/fd/${found.fd}`, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    }
    if (!stats.isSymbolicLink()) throw new NotReadable(`${path}: ${name} is no regular file`);
    if (++links > LINKS_MAX) throw new NotReadable(`${path}: more than ${LINKS_MAX} links`);
    const target = await readlink(here);
    if (target.startsWith("/")) await closeAll(folders.splice(1));
    rest.push(...target.split("/").reverse());
  }
  throw new NotReadable(`${path}: no regular file`);
}

const inside = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`;

async function look(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, O_PATH | flags);
  } catch (error) {
    throw new NotReadable(`${path}: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}

async function closeAll(folders: readonly FileHandle[]): Promise<void> {
  for (const folder of folders) await folder.close();
}
