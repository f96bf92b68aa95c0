// What conditions mean, over real encoded events: each row of the table is a condition and whether it holds.

import { BatchReader } from "@nightjar/events";
import { Call } from "@nightjar/proto";
import test from "ava";
import { findField } from "../fields/catalogue.ts";
import { EVENT_NAMES } from "../fields/event-names.ts";
import {
  batchOf,
  bytes,
  type DescriptorInit,
  encode,
  exec,
  image,
  type Line,
  open,
  processes,
} from "./batch.fixture.ts";
import { checkCondition, compileCondition } from "./condition.ts";
import { EventView } from "./event-view.ts";
import { getterOf, interpret } from "./interpret.ts";
import { specialiser } from "./specialise.ts";

const O_WRONLY_CREAT = 0o101;

const LINE: Line = [
  ["vi", "/usr/bin/vi", "vi", "-R", "/etc/hosts"],
  ["bash", "/usr/bin/bash", "-bash"],
  ["sshd", "/usr/sbin/sshd", "sshd: root@pts/0"],
  ["systemd", "/usr/lib/systemd/systemd", "/sbin/init"],
];

const ADDRESSES = {
  local: { address: new Uint8Array([192, 168, 1, 2]), port: 40000 },
  remote: { address: new Uint8Array([10, 1, 2, 3]), port: 443 },
};
const stdio: DescriptorInit[] = [
  { type: 7, family: 2, ...ADDRESSES },
  { type: 6, name: bytes("pipe:[7]") },
  { type: 4, name: bytes("pts0") },
];

const EPOCH_NS = 1_700_000_000_000_000_000n;

/**
 * An open by sort, whose parent is bash (uid 1000) and whose grandparent is login (root), all three in the session and
 * at the terminal given; in its group leads cat, which is no ancestor. bash is the first of its pid namespace.
 */
function ofSession(exec: NonNullable<Parameters<typeof image>[2]>): Uint8Array {
  const namespace = { pidNamespace: 77, changedTimeNs: EPOCH_NS + 2_000n };
  const rows = processes([
    ["sort", "/usr/bin/sort", "sort", "-ü"],
    ["bash", "/usr/bin/bash", "-bash"],
    ["login", "/usr/bin/login", "login"],
  ]).map((row, generation) => ({
    ...row,
    uid: generation === 2 ? 0 : 1000,
    userName: generation === 2 ? "root" : "ada",
    loginUserName: exec.loginUid === 1000 ? "ada" : "",
    image: { ...row.image, loginUid: 4294967295, ...exec, ...namespace, namespacedPid: 3 - generation },
  }));
  (rows[1] as { image: { namespacedPid: number } }).image.namespacedPid = 1;
  const leader = { pid: 950, name: bytes("cat"), image: image("/usr/bin/cat", ["cat"]) };
  const actor = { ...rows[0], processGroupLeader: 4 };
  const event = { ...open("/x", 0), name: bytes("sort"), tid: 1000, startTimeNs: 1_000n, parentStartTimeNs: 500n };
  return encode([event], [actor, ...rows.slice(1), leader] as Parameters<typeof encode>[1], [1]);
}

const EVENTS = {
  open: batchOf({ ...open("/etc/hosts", O_WRONLY_CREAT), uid: 7 }, LINE),
  failed: batchOf(
    {
      call: Call.OPEN,
      result: -2n,
      data: { case: "open", value: { requested: bytes("sub/../gone"), directoryFd: -100, flags: 0n } },
    },
    LINE,
  ),
  exec: batchOf(
    {
      ...exec("/usr/bin/id", ["id", "-u", "root"], {
        ...{ stdio, sessionId: 997, processGroupId: 1000, loginUid: 1000 },
        environment: ["HOME=/root", "LD_PRELOAD=/tmp/x.so", "HOMES=1"].map(bytes),
      }),
      name: bytes("id"),
    },
    LINE,
  ),
  connect: batchOf(
    {
      call: Call.CONNECT,
      result: -115n,
      data: { case: "connect", value: { fd: 5, family: 2, socketType: 1, ...ADDRESSES } },
    },
    LINE,
  ),
  six: batchOf(
    {
      call: Call.CONNECT,
      data: {
        case: "connect",
        value: {
          family: 10,
          socketType: 2,
          remote: { address: new Uint8Array([0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1]), port: 53 },
        },
      },
    },
    LINE,
  ),
  firstWrite: batchOf(
    {
      call: Call.FIRST_WRITE,
      result: 5n,
      data: {
        case: "firstWrite",
        value: {
          ...{ fd: 3, carrier: Call.WRITE, size: 5n, position: 7n, data: bytes("world"), inode: 9n },
          descriptor: { type: 1, path: bytes("/etc/hosts"), name: bytes("hosts") },
        },
      },
    },
    LINE,
  ),
  sent: batchOf(
    {
      call: Call.SENDTO,
      result: 3n,
      data: {
        case: "send",
        value: { fd: 5, size: 3n, data: bytes("abc"), descriptor: { type: 7, family: 2, socketType: 2, ...ADDRESSES } },
      },
    },
    LINE,
  ),
  terminal: ofSession({ tty: 136 << 8, ttyName: bytes("pts0"), sessionId: 999, processGroupId: 950 }),
  daemon: ofSession({ sessionId: 998, processGroupId: 998, loginUid: 4294967295 }),
  cron: ofSession({ sessionId: 40, processGroupId: 40, loginUid: 1000, auditSessionId: 7 }),
  orphan: batchOf({ ...open("/x", 0), name: bytes("ghost") }, [
    ["ghost", "/g", "g"],
    ["p", "/p", "p"],
  ]),
};

/** Conditions by the event they are asked of, with the answer. */
const TABLE: Readonly<Record<keyof typeof EVENTS, readonly (readonly [condition: string, holds: boolean])[]>> = {
  open: [
    ["evt.type = openat and evt.category = file and evt.source = syscall", true],
    ["evt.type in (open, creat)", false],
    ["evt.type != open", true],
    ["fd.name = /etc/hosts and fd.directory = /etc and fd.filename = hosts", true],
    ["fd.num = 3 and fd.typechar = f and fd.type = file", true],
    ["evt.is_open_write = true and evt.is_open_read = false", true],
    ["evt.arg.flags contains O_CREAT and evt.arg[name] = /etc/hosts and evt.arg[0] = <f>/etc/hosts", true],
    ["evt.arg[fd] = val(evt.arg.fd) and evt.rawarg.fd = 3 and evt.rawarg.flags in (65)", true],
    ["evt.rawarg.flags contains 6 or evt.rawarg.fd startswith 3 or evt.rawarg.mode glob *", false],
    ["evt.args startswith 'fd=3(<f>/etc/hosts) dirfd=0 name=/etc/hosts flags=65(O_WRONLY|O_CREAT) mode=0 '", true],
    ["evt.arg.resolve exists or evt.arg.path exists", false],
    ["evt.res = SUCCESS and evt.rawres = 3 and evt.failed = false", true],
    // A missing field makes every comparison false, != too; so these two differ.
    ["fd.sip = 1.2.3.4 or fd.sip != 1.2.3.4 or fd.sip exists", false],
    ["not fd.sip = 1.2.3.4", true],
    ["k8s.ns.name != kube-system", false],
    ["not k8s.ns.name = kube-system", true],
    ["proc.name = vi and proc.pname = bash and proc.aname[2] = sshd and proc.aname[9] exists", false],
    ["proc.name = vi and proc.pname = bash and proc.aname[2] = sshd and proc.aname[0] = vi", true],
    ["proc.aname = systemd and proc.aname in (x, sshd)", true],
    ["proc.aname = vi", false],
    ["proc.aexepath endswith /sshd and proc.pexe = -bash", true],
    ["proc.cmdline = 'vi -R /etc/hosts' and proc.args = '-R /etc/hosts' and proc.args[0] = -R", true],
    ["proc.exeline startswith 'vi -R' and proc.pcmdline = bash and proc.cmdnargs = 2", true],
    ["proc.apid[1] = 999 and proc.apid = 998 and proc.pid = 1000", true],
    ["user.uid = 7 and user.name = root and user.loginuid = -1", true],
    ["container.id = host and container.name = host", true],
    ["container.image.repository exists", false],
    ["evt.num > 1000 and evt.num < 1002", true],
    ["evt.time = 22:13:25.000000000 and evt.rawtime = 1700000005000000000", true],
    ["fd.name glob /etc/h* and fd.name glob /etc/h?sts and fd.name glob /etc/[a-h]osts", true],
    ["fd.name glob /etc/h or fd.name glob /ETC/*", false],
    ["fd.name iglob /ETC/*", true],
    ["fd.name regex /etc/[a-z]+", true],
    ["fd.name regex etc or fd.name regex '/etc/[a-z]'", false],
    ["fd.name pmatch (/var, /etc)", true],
    ["fd.name pmatch (/etc/host, /et)", false],
    ["fd.name pmatch (/e*/hosts)", true],
    ["fd.name icontains ETC/HO", true],
    ["fd.name contains ETC", false],
    ["tolower(fd.name) = /etc/hosts and toupper(proc.name) = VI and len(proc.name) = 2", true],
    ['basename(fd.name) = hosts and concat(proc.name, "-", proc.pname) = vi-bash', true],
    ['join(",", (proc.name, proc.pid)) = "vi,1000" and join(proc.name, ("<", 1, ">")) = "<vi1vi>"', true],
    ['join("-", ()) = "" and len(()) = 0 and len((proc.pid, fd.num)) = 2', true],
    ['join("-", (proc.name, k8s.ns.name)) exists', false],
    ['toupper(("a", proc.name)) intersects (VI) and toupper(("a", proc.name)) in (A, VI, X)', true],
    ['toupper(("a", proc.name)) in (A)', false],
    ['getopt(proc.args, "Rx:")[R] = R and getopt(proc.args, "Rx:") in (R)', true],
    ['len(getopt(("-ab", "-c", "1", "file", "-d"), "abc:d")) = 4', true],
    ['getopt(("-a"), "a") in getopt(("-ab"), "ab") and getopt(("-ac"), "ac") intersects getopt(("-ab"), "ab")', true],
    ['getopt(("-ac"), "ac") in getopt(("-ab"), "ab") or getopt(("-ab"), "ab") in val(proc.name)', false],
    ["proc.name in getopt(('-a', 'vi'), 'a:') or proc.name in val(proc.name)", true],
    ['getopt(proc.args, "Rx:")[x] exists', false],
    ["proc.name = val(proc.pname) or fd.name startswith val(proc.name)", false],
    ["fd.directory = val(fd.directory)", true],
    ["fd.name startswith anyof (/x, /etc) and fd.name endswith allof (s, ts)", true],
    ["fd.name endswith oneof (s, ts)", false],
    ["proc.name in () or proc.name = oneof ()", false],
    ["proc.duration > 0", true],
    ["proc.loginshellid = 999 and proc.pgid.name exists", false],
    ["proc.loginshellid = 999 and evt.is_io = false and evt.count = 1", true],
    ["evt.io_dir exists", false],
  ],
  firstWrite: [
    [
      "evt.type = first_write and evt.category = file and fd.name = /etc/hosts and fd.typechar = f and fd.ino = 9",
      true,
    ],
    ["evt.type in (write, writev, pwrite64)", false],
    ["evt.buffer = world and evt.buffer contains orl and evt.arg.data = world and evt.buflen = 5", true],
    ["evt.is_io_write = true and evt.io_dir = write and evt.buflen.file.out = 5 and evt.buflen.out = 5", true],
    ["evt.buflen.in exists or evt.buflen.net exists or evt.buflen.file.in exists", false],
    ["evt.args startswith 'res=5 data=world fd=3(<f>/etc/hosts) size=5 pos=7'", true],
  ],
  sent: [
    ["evt.buflen = 3 and evt.buflen.net.out = 3 and evt.buflen.net = 3 and evt.buffer startswith ab", true],
    ["evt.buflen.file exists or evt.buflen.net.in exists", false],
  ],
  failed: [
    ["fd.num = -1 and evt.res = ENOENT and evt.rawres = -2 and evt.failed = true", true],
    ["fd.name = /root/gone and fd.nameraw = sub/../gone and fd.typechar = f", true],
    ["fd.num >= 0", false],
  ],
  exec: [
    ["proc.name = id and proc.exepath = /usr/bin/id and proc.cmdline = 'id -u root'", true],
    ["proc.stdin.type = ipv4 and proc.stdin.name = '192.168.1.2:40000->10.1.2.3:443'", true],
    ["proc.stdout.type = pipe and proc.stderr.type = file and proc.stderr.name = pts0", true],
    ["proc.env = 'HOME=/root LD_PRELOAD=/tmp/x.so HOMES=1' and proc.env icontains ld_preload", true],
    ["proc.env[HOME] = /root and proc.env[LD_PRELOAD] endswith .so and not proc.env[PATH] exists", true],
    ["proc.aenv exists or proc.aenv[1] exists or proc.aenv[HOME] exists", false],
    ["proc.pgid.name = id and proc.vpgid.exe = id and proc.pgid.exepath = /usr/bin/id", true],
    ["proc.is_vpgid_leader = true and proc.is_pgid_leader = true", true],
    ["proc.sname = systemd and proc.is_sid_leader = false and user.loginuid = 1000", true],
    ["evt.arg.filename = /usr/bin/id", true],
    ["evt.arg.exe = id and evt.arg.args = '-u root'", true],
    ["proc.is_exe_from_memfd = true", false],
    ["fd.name exists", false],
  ],
  connect: [
    ["fd.sip = 10.1.2.3 and fd.sport = 443 and fd.sport = https and fd.cip = 192.168.1.2", true],
    ["fd.ip = 192.168.1.2 and fd.port in (1, 40000)", true],
    ["fd.ip != 192.168.1.2", false],
    ["fd.ip != 1.1.1.1", true],
    ["fd.snet in (10.0.0.0/8, 172.16.0.0/12)", true],
    ["fd.snet = 10.1.3.0/24", false],
    ["fd.net = 192.168.0.0/16 and fd.net = 10.1.2.3/32", true],
    ["fd.net != 192.168.0.0/16", false],
    ["fd.l4proto = tcp and fd.typechar = 4 and fd.sockfamily = ip and fd.connected = true", true],
    ["evt.res = EINPROGRESS and fd.num = 5", true],
    ["fd.name = '192.168.1.2:40000->10.1.2.3:443'", true],
    ["fd.directory exists or evt.is_open_read exists", false],
  ],
  six: [
    ["fd.sip = 2001:db8::1 and fd.sip != 10.0.0.1 and fd.snet = 2001:db8::/32", true],
    ["fd.cip exists", false],
    ["fd.l4proto = udp and fd.typechar = 6 and fd.rport = 53", true],
  ],
  terminal: [
    ["proc.sname = bash and proc.sid.exe = -bash and proc.sid.exepath = /usr/bin/bash", true],
    ["proc.pgid.name = cat and proc.vpgid.exe = cat and proc.vpgid.exepath = /usr/bin/cat", true],
    ["proc.is_sid_leader = true or proc.is_pgid_leader = true or proc.is_vpgid_leader = true", false],
    ["nightjar.session.type = terminal and nightjar.session.terminal = pts0", true],
    ["nightjar.session.user = ada and nightjar.session.uid = 1000 and user.loginuid = -1", true],
    ["proc.loginshellid = 999 and proc.cmdlenargs = 3 and proc.cmdnargs = 1", true],
    ["proc.pid.ts = 1700000000000001000 and proc.ppid.ts = 1700000000000000500", true],
    ["proc.duration = 4999999000 and proc.ppid.duration = 4999999500", true],
    ["proc.pidns_init_start_ts = 1700000000000000999", true],
    ["proc.exe_ino.ctime_duration_pidns_start = 1001 and proc.exe_ino.ctime_duration_proc_start = -1000", true],
    ["thread.vtid = 3 and proc.vpid = 3 and proc.pvpid = 1", true],
  ],
  daemon: [
    ["nightjar.session.type = service", true],
    ["nightjar.session.user exists or nightjar.session.uid exists or nightjar.session.terminal exists", false],
    ["proc.sname = login and proc.pgid.name = login", true],
  ],
  cron: [
    ["nightjar.session.type = login and nightjar.session.id = 7", true],
    ["nightjar.session.user = ada and nightjar.session.uid = 1000 and user.loginuid = 1000", true],
    // The leader is gone: the eldest of the line that is in the same session.
    ["proc.sname = login and proc.sid.exepath = /usr/bin/login", true],
  ],
  orphan: [["proc.name = ghost and proc.pname = p", true]],
};

const context = { findField, isEventName: (name: string) => EVENT_NAMES.has(name) };

for (const [event, rows] of Object.entries(TABLE)) {
  for (const [condition, expected] of rows) {
    test(`${event}: ${condition} is ${expected}`, (t) => {
      const view = new EventView();
      view.open(new BatchReader(EVENTS[event as keyof typeof EVENTS]));
      const type = view.select(0);
      const { expression, problem } = checkCondition(condition, context);
      t.is(problem, undefined);
      if (!expression) return;
      t.is(
        interpret(expression, (term) => getterOf(term)(view)),
        expected,
        "interpreted",
      );
      t.is(compileCondition(expression)(view), expected, "compiled");
      t.is(compileCondition(specialiser(type)(expression))(view), expected, "compiled for the event type");
    });
  }
}

test("a pattern that would hang a backtracking engine does not", (t) => {
  const view = new EventView();
  view.open(new BatchReader(batchOf(open(`/${"a".repeat(4000)}`, 0), LINE)));
  view.select(0);
  const conditions = [
    "fd.name regex '/(a+)+b'",
    `fd.name glob '/${"*a".repeat(60)}b'`,
    `fd.name glob '${"*".repeat(500)}b'`,
  ];
  const start = performance.now();
  for (const condition of conditions) {
    const { expression } = checkCondition(condition, context);
    t.truthy(expression);
    if (expression) t.false(compileCondition(expression)(view));
  }
  t.true(performance.now() - start < 5000);
});
