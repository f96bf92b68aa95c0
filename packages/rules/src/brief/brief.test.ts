// Events written briefly become what the sensor would send, or are refused with the reason.
import { fromBinary } from "@bufbuild/protobuf";
import { BatchSchema, eventTypes } from "@nightjar/proto";
import test from "ava";
import { compileRules } from "../engine/engine.ts";
import { loadRules } from "../files/load.ts";
import { encodeBrief } from "./brief.ts";
import { readEventFile } from "./test-file.ts";

function encoded(yaml: string) {
  const { events, problems } = readEventFile("e.yaml", yaml);
  if (problems.length > 0) return { problems };
  return encodeBrief(events);
}

/** Each event with a condition that must be true of it. */
const EVENTS: readonly (readonly [event: string, condition: string])[] = [
  [
    "{evt.type: openat, fd.name: /etc/shadow, evt.arg.flags: O_WRONLY|O_CREAT, process: /usr/bin/cat /etc/shadow}",
    "evt.is_open_write = true and fd.num = 3 and fd.typechar = f and proc.name = cat and proc.args = /etc/shadow and " +
      "proc.pname = bash and proc.aname[2] = sshd and evt.arg.name = /etc/shadow and " +
      "user.name = root and evt.res = SUCCESS",
  ],
  [
    "{type: open, fd.name: /etc/shadow, evt.res: EACCES}",
    "fd.name = /etc/shadow and evt.failed = true and fd.num = -1 and evt.rawres = -13",
  ],
  [
    "{type: exec, process: /usr/bin/id -u, user.uid: 7}",
    "evt.type = execve and proc.cmdline = 'id -u' and user.uid = 7",
  ],
  [
    "{type: exec, proc.cmdline: [sh, -c, echo hello], proc.exepath: /usr/bin/dash, proc.env: [A=1], proc.tty: 5}",
    "proc.exe = sh and proc.args[1] = 'echo hello' and proc.env[A] = 1 and proc.exepath = /usr/bin/dash and proc.tty=5",
  ],
  [
    "{type: connect, fd.name: '10.0.0.1:40000->203.0.113.9:443', evt.res: EINPROGRESS}",
    "fd.sip = 203.0.113.9 and fd.cport = 40000 and fd.type = ipv4 and fd.l4proto = tcp and evt.rawres = -115",
  ],
  [
    "{type: accept, fd.is_server: true, fd.cip: 10.1.2.3, fd.sport: 22, fd.sip: 10.0.0.9, fd.cport: 5000}",
    "fd.lport = 22 and fd.rip = 10.1.2.3 and fd.name = '10.1.2.3:5000->10.0.0.9:22'",
  ],
  [
    "{type: rename, evt.arg.oldpath: /tmp/x, evt.arg.newpath: /etc/passwd}",
    "fs.path.target = /etc/passwd and fs.path.sourceraw = /tmp/x and evt.rawres = 0",
  ],
  ["{type: exec, Image: /usr/bin/id, CommandLine: id -u}", "proc.exepath = /usr/bin/id and proc.exeline = 'id -u'"],
  [
    "{type: connect, DestinationIp: 203.0.113.9, DestinationPort: 443, Image: /bin/nc, ParentCommandLine: sh -i}",
    "fd.rip = 203.0.113.9 and fd.rport = 443 and proc.aexe[1] = sh",
  ],
  ["{evt.type: ptrace, evt.arg.request: PTRACE_ATTACH}", "evt.arg.request = PTRACE_ATTACH"],
  ["{evt.type: chmod, evt.arg.filename: /tmp/x, evt.arg.mode: S_ISUID|S_IRUSR}", "evt.arg.mode contains S_ISUID"],
  [
    "{type: exec, process: /bin/sh, container.image.repository: nginx, container.privileged: true, k8s.ns.name: shop}",
    "container.id != host and container.image.repository = nginx and container.privileged = true and k8s.ns.name=shop",
  ],
  ["{type: exec, process: /bin/sh, container.id: host}", "container.name = host and not container.image exists"],
  ["{type: exec, process: /bin/sh, container.id: abc, container.name: web}", "container.id=abc and container.name=web"],
  [
    "{type: exec, process: {proc.exepath: /usr/bin/bash, proc.stdin.type: ipv4}, " +
      "ancestors: [{proc.name: nginx, user.name: www}]}",
    "proc.stdin.type = ipv4 and proc.pname = nginx and not proc.aname[2] exists",
  ],
];

for (const [event, condition] of EVENTS) {
  test(`${event} is an event of which this is true: ${condition}`, (t) => {
    const { bytes, problems } = encoded(event);
    t.deepEqual(problems, []);
    const rule = `- {rule: R, desc: d, priority: INFO, output: o, condition: "${condition}"}`;
    const loaded = loadRules([{ name: "r.yaml", text: rule }]);
    t.deepEqual(
      loaded.problems.filter(({ severity }) => severity === "error"),
      [],
    );
    t.is(compileRules(loaded.rules).matchBatch(bytes as Uint8Array).length, 1);
  });
}

/** Each with what is said of it. */
const REFUSED: readonly (readonly [event: string, message: RegExp])[] = [
  ["{type: nothing}", /no event type and no call/],
  ["{type: open, fd.nmae: /x}", /there is no field fd.nmae/],
  ["{type: open, fd.sip: 1.2.3.4}", /does not have fd.sip/],
  ["{type: open, fd.name: /etc/x, fd.directory: /usr}", /fd.directory comes out as "\/etc"/],
  ["{type: open, fd.name: /etc/x, evt.arg.flags: O_NONSENSE}", /no value of evt.arg.flags/],
  ["{type: exec, process: /bin/a, proc.name: b, proc.cmdline: c d}", /proc.cmdline comes out as "b d"/],
  ["{type: open, fd.name: /x, k8s.svc.name: s}", /no event has k8s.svc.name/],
  ["{type: open, process: {fd.name: /x}}", /says nothing of a process/],
  ["[1, 2]", /an event is a mapping/],
];

for (const [event, message] of REFUSED) {
  test(`${event} is refused: ${message.source}`, (t) => {
    const { bytes, problems } = encoded(event) as ReturnType<typeof encodeBrief>;
    t.is(bytes, undefined);
    t.regex(problems[0]?.message ?? "", message);
    t.is(problems[0]?.file, "e.yaml");
  });
}

test("every event type can be written, with its type alone", (t) => {
  for (const { name, member } of eventTypes) {
    const { bytes, problems } = encoded(`{type: ${name}, process: /usr/bin/true}`);
    t.deepEqual(problems, [], name);
    const [event] = fromBinary(BatchSchema, bytes as Uint8Array).events;
    t.is(event?.data.case as string, member);
    t.is(event?.pid, 1000);
  }
});
