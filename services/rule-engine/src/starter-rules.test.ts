// The starter rules: each matches what it is for, and is silent about what a host does all day.
import { readFileSync } from "node:fs";
import { Call } from "@nightjar/proto";
import { compileRules, loadRules } from "@nightjar/rules";
import { batchOf, bytes, exec, type Line, open } from "@nightjar/rules/fixture";
import test from "ava";

const FILE = "nightjar.yaml";
const text = readFileSync(new URL(`../rules/${FILE}`, import.meta.url), "utf8");
const { rules, problems } = loadRules([{ name: FILE, text }]);
const engine = compileRules(rules);

const SECRET = "Secret file read by an unexpected program";
const SHELL = "Shell with its input and output on a network connection";
const MEMORY = "Program executed from memory";
const SHARED = "Program executed from shared memory";
const ACCOUNT = "Account file written by an unexpected program";
const PROGRAM = "System program written by an unexpected program";
const REPLACED = "Account file or program replaced by renaming";

const O_RDONLY = 0o2000000;
const O_WRONLY = 0o1;
const O_RDWR = 0o2;
const O_CREATE = 0o1101;
const O_APPEND = 0o2001;

type Deed = Parameters<typeof batchOf>[0];

const IPV4 = { type: 7, family: 2 };
const UNIX = { type: 9, family: 1 };
const PIPE = { type: 6 };
const TTY = { type: 4 };
const remote = { address: new Uint8Array([203, 0, 113, 9]), port: 4444 };

/** An exec with standard input, output and error as given. */
function shell(path: string, args: string[], ...streams: { type: number }[]): Deed {
  const stdio = streams.map((stream) => ({ ...stream, remote }));
  return exec(path, args, { stdio } as Parameters<typeof exec>[2]);
}

/** A rename that went well. */
function renamed(from: string, to: string, result = 0n): Deed {
  const paths = {
    oldAbsolute: bytes(from),
    oldRequested: bytes(from),
    newAbsolute: bytes(to),
    newRequested: bytes(to),
  };
  return { call: Call.RENAME, result, data: { case: "rename", value: paths } };
}

const program = (path: string, ...args: string[]): Line => [
  [path.slice(path.lastIndexOf("/") + 1).slice(0, 15), path, ...args],
];
const DPKG: Line[number] = ["dpkg", "/usr/bin/dpkg", "/usr/bin/dpkg", "--configure"];
const APT: Line[number] = ["apt-get", "/usr/bin/apt-get", "apt-get", "upgrade"];
const BASH: Line[number] = ["bash", "/usr/bin/bash", "-bash"];
const PYTHON = "/usr/bin/python3.11";

/** What happens, who does it, and the rules that must speak. */
const DEEDS: readonly (readonly [what: string, deed: Deed, line: Line, ...rules: string[]])[] = [
  ["cat reads /etc/shadow", open("/etc/shadow", O_RDONLY), program("/usr/bin/cat", "cat", "/etc/shadow"), SECRET],
  [
    "a program that calls itself sshd reads /etc/shadow",
    open("/etc/shadow", O_RDONLY),
    [["sshd", "/tmp/sshd", "sshd"]],
    SECRET,
  ],
  ["tar reads a host key", open("/etc/ssh/ssh_host_ed25519_key", O_RDONLY), program("/usr/bin/tar", "tar"), SECRET],
  ["head reads sudo's rules", open("/etc/sudoers.d/admins", O_RDONLY), program("/usr/bin/head", "head"), SECRET],
  ["cat reads /etc/passwd", open("/etc/passwd", O_RDONLY), program("/usr/bin/cat", "cat")],
  [
    "cat reads a host's public key",
    open("/etc/ssh/ssh_host_ed25519_key.pub", O_RDONLY),
    program("/usr/bin/cat", "cat"),
  ],
  ["sshd reads /etc/shadow", open("/etc/shadow", O_RDONLY), program("/usr/sbin/sshd", "sshd: root [priv]")],
  ["sshd reads its key", open("/etc/ssh/ssh_host_rsa_key", O_RDONLY), program("/usr/sbin/sshd", "sshd", "-D")],
  ["sudo reads its rules", open("/etc/sudoers", O_RDONLY), program("/usr/bin/sudo", "sudo", "ls")],
  ["su reads /etc/shadow", open("/etc/shadow", O_RDONLY), program("/usr/bin/su", "su", "-")],
  [
    "unix_chkpwd reads /etc/shadow",
    open("/etc/shadow", O_RDONLY),
    program("/usr/sbin/unix_chkpwd", "unix_chkpwd", "root"),
  ],
  ["cron reads /etc/shadow", open("/etc/shadow", O_RDONLY), program("/usr/sbin/cron", "cron", "-f")],
  ["systemd reads /etc/gshadow", open("/etc/gshadow", O_RDONLY), program("/usr/lib/systemd/systemd", "/sbin/init")],
  ["dpkg reads sudo's rules", open("/etc/sudoers", O_RDONLY), [DPKG, APT, BASH]],
  [
    "a package's script reads /etc/shadow",
    open("/etc/shadow", O_RDONLY),
    [["grep", "/usr/bin/grep", "grep", "x"], DPKG, APT, BASH],
  ],
  [
    "dnf reads sudo's rules",
    open("/etc/sudoers", O_RDONLY),
    [["dnf", "/usr/bin/python3.9", "/usr/bin/python3", "/usr/bin/dnf", "update"], BASH],
  ],
  [
    "Debian's daily copy",
    open("/etc/shadow", O_RDONLY),
    [
      ["cmp", "/usr/bin/cmp", "cmp", "-s", "shadow.bak", "/etc/shadow"],
      ["passwd", "/usr/bin/dash", "/bin/sh", "/etc/cron.daily/passwd"],
      ["run-parts", "/usr/bin/run-parts", "run-parts"],
    ],
  ],
  ["an open that fails", { ...open("/etc/shadow", O_RDONLY), result: -13n }, program("/usr/bin/cat", "cat")],

  [
    "a shell on a TCP connection",
    shell("/usr/bin/bash", ["bash", "-i"], IPV4, IPV4, IPV4),
    program("/usr/bin/bash", "bash", "-i"),
    SHELL,
  ],
  ["a shell with another name", shell("/usr/bin/dash", ["x"], IPV4, IPV4, PIPE), [["x", "/usr/bin/dash", "x"]], SHELL],
  ["a shell in a terminal", shell("/usr/bin/bash", ["bash"], TTY, TTY, TTY), program("/usr/bin/bash", "bash")],
  [
    "a command by SSH",
    shell("/usr/bin/bash", ["bash", "-c", "ls"], UNIX, UNIX, UNIX),
    program("/usr/bin/bash", "bash"),
  ],
  ["curl into a shell", shell("/usr/bin/sh", ["sh"], PIPE, TTY, TTY), program("/usr/bin/sh", "sh")],
  [
    "a network service that is no shell",
    shell("/usr/sbin/in.tftpd", ["in.tftpd"], IPV4, IPV4, IPV4),
    program("/usr/sbin/in.tftpd", "in.tftpd"),
  ],

  ["a program from memfd", exec("/memfd:x (deleted)", ["x"], { fromMemfd: true }), program("/memfd:x", "x"), MEMORY],
  [
    "runc runs itself from memory",
    exec("/memfd:runc (deleted)", ["runc", "init"], { fromMemfd: true }),
    [
      ["runc", "/memfd:runc", "runc"],
      ["runc", "/usr/bin/runc", "runc"],
    ],
  ],
  ["a program from a disk", exec("/usr/bin/make", ["make", "-j4"]), program("/usr/bin/make", "make", "-j4")],

  ["a program from /dev/shm", exec("/dev/shm/x", ["./x"]), program("/dev/shm/x", "./x"), SHARED],
  [
    "a script from /dev/shm",
    exec("/usr/bin/bash", ["bash", "/dev/shm/x.sh"], { filename: bytes("/dev/shm/x.sh") }),
    program("/usr/bin/bash", "bash"),
    SHARED,
  ],
  [
    "a script from there by a relative path",
    exec("/usr/bin/bash", ["bash", "./x.sh"], {
      filename: bytes("./x.sh"),
      workingDirectory: bytes("/dev/shm"),
    }),
    program("/usr/bin/bash", "bash"),
    SHARED,
  ],
  ["data in /dev/shm is opened", open("/dev/shm/data", O_RDWR), program("/usr/bin/python3", "python3")],
  [
    "a compiled test in /tmp",
    exec("/tmp/go-build1/test", ["/tmp/go-build1/test"]),
    program("/tmp/go-build1/test", "x"),
  ],

  ["echo adds a user", open("/etc/passwd", O_APPEND), program("/usr/bin/bash", "bash"), ACCOUNT],
  ["tee writes sudo's rules", open("/etc/sudoers.d/x", O_CREATE), program("/usr/bin/tee", "tee"), ACCOUNT],
  ["useradd opens /etc/passwd", open("/etc/passwd", O_RDWR), program("/usr/sbin/useradd", "useradd", "x")],
  ["usermod opens /etc/group", open("/etc/group", O_RDWR), program("/usr/sbin/usermod", "usermod", "x")],
  ["passwd opens /etc/shadow", open("/etc/shadow", O_RDWR), program("/usr/bin/passwd", "passwd")],
  [
    "sysusers writes /etc/group",
    open("/etc/group", O_WRONLY),
    program("/usr/bin/systemd-sysusers", "systemd-sysusers"),
  ],
  ["busybox adds a user", open("/etc/passwd", O_RDWR), [["adduser", "/bin/busybox", "adduser", "-D", "x"], BASH]],
  [
    "cloud-init writes sudo's rules",
    open("/etc/sudoers.d/90-cloud-init-users", O_CREATE),
    [
      ["cloud-init", PYTHON, "/usr/bin/python3", "/usr/bin/cloud-init", "init"],
      ["systemd", "/usr/lib/systemd/systemd", "/sbin/init"],
    ],
  ],

  ["cp replaces ls", open("/usr/bin/ls", O_CREATE), program("/usr/bin/cp", "cp", "x", "/usr/bin/ls"), PROGRAM],
  ["a shell appends to a program", open("/usr/sbin/sshd", O_APPEND), program("/usr/bin/bash", "bash"), PROGRAM],
  ["dpkg unpacks a program", open("/usr/bin/ls.dpkg-new", O_CREATE), [DPKG, APT, BASH]],
  [
    "a package's script writes a program",
    open("/usr/bin/x", O_CREATE),
    [["cp", "/usr/bin/cp", "cp"], ["x.postinst", "/usr/bin/dash", "sh"], DPKG],
  ],
  ["rpm unpacks a program", open("/usr/bin/ls;65a1", O_CREATE), program("/usr/bin/rpm", "rpm", "-U")],
  [
    "unattended-upgrade works",
    open("/usr/bin/x", O_CREATE),
    [["unattended-upgr", PYTHON, "/usr/bin/python3", "/usr/bin/unattended-upgrade"], BASH],
  ],
  ["make install to /usr/local", open("/usr/local/bin/tool", O_CREATE), program("/usr/bin/install", "install")],
  ["a linker writes its output", open("/home/me/a.out", O_CREATE), program("/usr/bin/x86_64-linux-gnu-ld.bfd", "ld")],
  ["a program is read", open("/usr/bin/ls", O_RDONLY), program("/usr/bin/bash", "bash")],
  [
    "curl reads its certificates",
    open("/etc/ssl/certs/ca-certificates.crt", O_RDONLY),
    program("/usr/bin/curl", "curl"),
  ],

  ["mv replaces ls", renamed("/tmp/ls", "/usr/bin/ls"), program("/usr/bin/mv", "mv"), REPLACED],
  ["mv replaces the accounts", renamed("/tmp/x", "/etc/passwd"), program("/usr/bin/mv", "mv"), REPLACED],
  ["a rule of sudo's is moved in", renamed("/tmp/x", "/etc/sudoers.d/x"), program("/usr/bin/mv", "mv"), REPLACED],
  ["mv may not replace the accounts", renamed("/tmp/x", "/etc/passwd", -13n), program("/usr/bin/mv", "mv")],
  ["useradd renames its copy", renamed("/etc/passwd+", "/etc/passwd"), program("/usr/sbin/useradd", "useradd")],
  ["dpkg puts a program in place", renamed("/usr/bin/ls.dpkg-new", "/usr/bin/ls"), [DPKG, APT, BASH]],
  ["a program is moved away", renamed("/usr/bin/ls", "/tmp/ls"), program("/usr/bin/mv", "mv")],
  ["a file called passwd is renamed", renamed("/srv/new", "/srv/passwd"), program("/usr/bin/mv", "mv")],

  ["ssh reads a user's key", open("/home/me/.ssh/id_ed25519", O_RDONLY), program("/usr/bin/ssh", "ssh", "host")],
];

test("they load without a problem, each with a description, tags and its ancestors in the output", (t) => {
  t.deepEqual(problems, []);
  t.is(rules.length, 8);
  for (const rule of rules) {
    t.true(rule.enabled && rule.description.length > 80, rule.name);
    t.true(
      rule.tags.some((tag) => /^T\d{4}(\.\d{3})?$/.test(tag)),
      rule.name,
    );
    t.true(rule.output.includes("%proc.aname[2]"), rule.name);
  }
  t.true(text.split("\n").length <= 500);
});

for (const [what, deed, line, ...expected] of DEEDS) {
  test(`${what}: ${expected.join(", ") || "silence"}`, (t) => {
    const found = engine.matchBatch(batchOf(deed, line)).map((match) => match.rule.name);
    t.deepEqual(found, expected);
  });
}

test("what is said names the file, the program and its ancestors", (t) => {
  const [match] = engine.matchBatch(
    batchOf(open("/etc/shadow", O_RDONLY), program("/usr/bin/cat", "cat", "/etc/shadow")),
  );
  t.is(
    match?.output,
    "Secret file read by an unexpected program (file=/etc/shadow program=/usr/bin/cat command=cat /etc/shadow " +
      "parent=bash ancestors=sshd<sshd<systemd user=root login=<NA> tty=0 directory=/root)",
  );
});
