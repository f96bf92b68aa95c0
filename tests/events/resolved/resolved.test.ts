// Files are named through a symbolic link to their directory: where the kernel lets the probe see what it resolved,
// events tell the path of the file itself; elsewhere, and where nothing was resolved, the path that was passed.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { type Argument, call, texts } from "../support/call.ts";
import { kernelTest, notHere, type TypeName, type Watch, watchKernel } from "../support/kernel.ts";

const AT_FDCWD = -100;
const AT_REMOVEDIR = 0x200;
const S_IFIFO = 0o010000;
const ENOENT = 2n;
const EACCES = 13n;
const NOBODY = 65_534;

/** Two names of one directory, with something of each kind in it. */
function folders(t: ExecutionContext): { real: string; link: string } {
  const folder = temporaryFolder(t);
  const [real, link] = [join(folder, "real"), join(folder, "link")];
  mkdirSync(real);
  symlinkSync("real", link);
  for (const name of ["a", "b", "c"]) writeFileSync(join(real, name), "x");
  mkdirSync(join(real, "inner"));
  symlinkSync("a", join(real, "alias"));
  return { real, link };
}

const isOffered = ({ probe }: Watch) =>
  probe.attachments.some(({ program, attached }) => program === "resolved" && attached);

interface Case {
  type: TypeName;
  /** The call, where it says DIRECTORY one of the directory's names. */
  call: readonly [string, ...Argument[]];
  /** The fields with the paths, and what is in the directory. */
  paths: Readonly<Record<string, string>>;
}

const D = "DIRECTORY";
const CASES: readonly Case[] = [
  { type: "unlink", call: ["unlinkat", AT_FDCWD, `${D}/a`, 0], paths: { absolute: "a" } },
  { type: "unlink", call: ["unlinkat", AT_FDCWD, `${D}/inner`, AT_REMOVEDIR], paths: { absolute: "inner" } },
  { type: "mkdir", call: ["mkdirat", AT_FDCWD, `${D}/new`, 0o700], paths: { absolute: "new" } },
  { type: "mknod", call: ["mknodat", AT_FDCWD, `${D}/pipe`, S_IFIFO, 0], paths: { absolute: "pipe" } },
  { type: "symlink", call: ["symlinkat", "nowhere", AT_FDCWD, `${D}/to`], paths: { absolute: "to" } },
  {
    type: "link",
    call: ["linkat", AT_FDCWD, `${D}/b`, AT_FDCWD, `${D}/also`, 0],
    paths: { oldAbsolute: "b", newAbsolute: "also" },
  },
  {
    type: "rename",
    call: ["renameat2", AT_FDCWD, `${D}/b`, AT_FDCWD, `${D}/inner/b`, 0],
    paths: { oldAbsolute: "b", newAbsolute: "inner/b" },
  },
  { type: "truncate", call: ["truncate", `${D}/c`, 3], paths: { absolute: "c" } },
  { type: "chmod", call: ["fchmodat", AT_FDCWD, `${D}/c`, 0o600], paths: { absolute: "c" } },
  { type: "chown", call: ["fchownat", AT_FDCWD, `${D}/c`, 0, 0, 0], paths: { absolute: "c" } },
  { type: "utime", call: ["utimensat", AT_FDCWD, `${D}/c`, null, 0], paths: { absolute: "c" } },
];

/** Makes the call through the link; the paths told, with whether they are those of the file itself. */
async function through(t: ExecutionContext, watch: Watch, { type, call: made, paths }: Case, link: string, uid = 0) {
  const [name, ...args] = made;
  const passed = args.map((one) => (typeof one === "string" ? one.replace(D, link) : one));
  const { data, result } = await call(t, watch, type, [name, ...passed], { uid });
  const told = texts(data as unknown as Record<string, Uint8Array>, Object.keys(paths));
  return {
    result,
    told,
    expected: (folder: string) =>
      Object.fromEntries(Object.entries(paths).map(([key, inside]) => [key, join(folder, inside)])),
  };
}

for (const one of CASES) {
  kernelTest(
    `the path is that of the file itself: ${one.call.slice(0, 1)} of ${Object.values(one.paths)}`,
    async (t) => {
      const watch = watchKernel(t, { types: [one.type, "exit"] });
      const { real, link } = folders(t);
      const { result, told, expected } = await through(t, watch, one, link);
      t.is(result, 0n);
      if (!isOffered(watch)) notHere(t, "paths are told as they are passed: no fentry, or no bpf_task_pt_regs");
      t.deepEqual(told, expected(isOffered(watch) ? real : link));
    },
  );
}

kernelTest("a link at the path's end is followed where the call follows it", async (t) => {
  const watch = watchKernel(t, { types: ["chmod", "exit"] });
  const { real, link } = folders(t);
  const one: Case = { type: "chmod", call: ["fchmodat", AT_FDCWD, `${D}/alias`, 0o600], paths: { absolute: "alias" } };
  const { told, expected } = await through(t, watch, one, link);
  t.deepEqual(told, isOffered(watch) ? { absolute: join(real, "a") } : expected(link));
});

kernelTest("where nothing was resolved, the path is told as it was passed", async (t) => {
  const watch = watchKernel(t, { types: ["unlink", "exit"] });
  const { link } = folders(t);
  const one: Case = { type: "unlink", call: ["unlinkat", AT_FDCWD, `${D}/nothing`, 0], paths: { absolute: "nothing" } };
  const { result, told, expected } = await through(t, watch, one, link);
  t.is(result, -ENOENT);
  t.deepEqual(told, expected(link));
});

kernelTest("what is resolved is told of a call that was not allowed, too", async (t) => {
  const watch = watchKernel(t, { types: ["mkdir", "exit"] });
  const { real, link } = folders(t);
  // To be found by whoever may not write there.
  chmodSync(dirname(real), 0o755);
  const one: Case = { type: "mkdir", call: ["mkdirat", AT_FDCWD, `${D}/new`, 0o700], paths: { absolute: "new" } };
  const { result, told, expected } = await through(t, watch, one, link, NOBODY);
  t.is(result, -EACCES);
  t.deepEqual(told, expected(isOffered(watch) ? real : link));
});
