// Opens a file below a root that a stranger furnished, without holding up the thread where its file system is slow.
import { closeSync, constants, fstat, open as openCallback, type Stats } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import { promisify } from "node:util";
import { type Answer, type Found, NotReadable, type Step, walk } from "./walk.ts";

const { O_NONBLOCK, O_NOCTTY, O_RDONLY } = constants;
const openDescriptor = promisify(openCallback) as (path: string | Buffer, flags: number) => Promise<number>;
const statDescriptor = promisify(fstat) as (fd: number) => Promise<Stats>;

/**
 * Opens the regular file at an absolute path for reading, as the path is meant below `root`; nothing is opened that
 * could block (a FIFO) or act (a device). The caller closes what it gets.
 * @throws NotReadable where there is none, or anything but a regular file.
 */
export async function openInRoot(root: string, path: string): Promise<FileHandle> {
  const { fd, stats } = await perform(walk(root, path));
  try {
    if (!stats.isFile()) throw new NotReadable(`${path} is no regular file`);
    // The same inode that was looked at, whatever stands at its name by now.
    return await open(`/proc/self/fd/${fd}`, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  } finally {
    closeSync(fd);
  }
}

async function perform(steps: Generator<Step, Found, Answer>): Promise<Found> {
  let next = steps.next();
  while (!next.done) {
    const answered = await act(next.value).catch((error: Error) => error);
    next = answered instanceof Error ? steps.throw(answered) : steps.next(answered);
  }
  return next.value;
}

async function act(step: Step): Promise<Answer> {
  if (step.do === "stat") return await statDescriptor(step.fd);
  if (step.do === "readlink") return await readlink(step.path, "latin1");
  return await openDescriptor(step.path, step.flags);
}
