// Finds what a path means below a root that a stranger furnished, say a container's: nothing leads out of it. As
// openat2(2)'s RESOLVE_IN_ROOT, which Node does not offer: each step is a look at one name in a folder that is held
// open, so that whoever exchanges folders for links meanwhile gains nothing.
import { closeSync, constants, type Stats } from "node:fs";

/** As many as the kernel follows for one path (MAXSYMLINKS, include/linux/namei.h). */
const LINKS_MAX = 40;
/** Steps in all, those that links add too. */
const STEPS_MAX = 256;
/** Only to be looked at, not to be read: opens no device and waits for no writer (open(2); asm-generic/fcntl.h). */
const O_PATH = 0o10000000;
const { O_NOFOLLOW } = constants;

/** Why there is no such file to be read, in words. */
export class NotReadable extends Error {}

/** What the walk needs done, and is answered: an open descriptor and what it is of, or where a link leads. */
export type Step =
  | { do: "open"; path: string | Buffer; flags: number }
  | { do: "stat"; fd: number }
  | { do: "readlink"; path: Buffer };
export type Answer = number | Stats | string;

/** What stands at the path; whoever asked closes the descriptor, which is good for looking and not for reading. */
export interface Found {
  fd: number;
  stats: Stats;
}

/**
 * The steps from `root`, a path of ours, along `path`, absolute below it, a character for each byte ("latin1"), as are
 * targets. Who performs them may wait between them or not: see root-folder.ts and open-in-root.ts.
 * @throws NotReadable where nothing is there.
 */
export function* walk(root: string, path: string): Generator<Step, Found, Answer> {
  const folders = [yield* look(root, 0)];
  try {
    const rest = path.split("/").reverse();
    let links = 0;
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      const name = rest.pop();
      if (name === undefined) return folders.pop() as Found;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (folders.length > 1) closeAll(folders.splice(-1));
        continue;
      }
      const here = Buffer.from(`/proc/self/fd/${folders.at(-1)?.fd}/${name}`, "latin1");
      const found = yield* look(here, O_NOFOLLOW);
      if (found.stats.isDirectory()) {
        folders.push(found);
        continue;
      }
      const isLast = rest.every((each) => each === "");
      const isLink = found.stats.isSymbolicLink();
      if (isLast && !isLink) return found;
      closeAll([found]);
      if (!isLink) throw new NotReadable(`${path}: ${name} is no folder`);
      if (++links > LINKS_MAX) throw new NotReadable(`${path}: more than ${LINKS_MAX} links`);
      const target = (yield* attempt({ do: "readlink", path: here })) as string;
      if (target.startsWith("/")) closeAll(folders.splice(1));
      rest.push(...target.split("/").reverse());
    }
    throw new NotReadable(`${path}: more than ${STEPS_MAX} steps`);
  } finally {
    closeAll(folders);
  }
}

function* look(path: string | Buffer, flags: number): Generator<Step, Found, Answer> {
  const fd = (yield* attempt({ do: "open", path, flags: O_PATH | flags })) as number;
  return { fd, stats: (yield { do: "stat", fd }) as Stats };
}

function* attempt(step: Exclude<Step, { do: "stat" }>): Generator<Step, Answer, Answer> {
  try {
    return yield step;
  } catch (error) {
    throw new NotReadable(`${step.path}: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}

/** Closing what was only looked at waits for nobody. */
function closeAll(found: readonly Found[]): void {
  for (const { fd } of found) closeSync(fd);
}
