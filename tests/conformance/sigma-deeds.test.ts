// Rules of Sigma, in our own words, over batches as the sensor makes them: one for each logsource and kind of record.
import { Call, DescriptorType } from "@nightjar/proto";
import { compileRules, loadRules } from "@nightjar/rules";
import { bytes } from "@nightjar/rules/fixture";
import test from "ava";
import {
  accepts,
  BASH,
  batchOfDeed,
  by,
  calls,
  connects,
  type Deed,
  O_CREATE,
  opens,
  starts,
} from "./public-rules/deeds.ts";

const CURL = "/usr/bin/curl";
const O_TRUNCATE_WRITE = 0o1001;

const unlinks = (path: string) => calls(Call.UNLINK, { case: "unlink", value: { absolute: bytes(path) } });
const renames = (from: string, to: string) =>
  calls(Call.RENAME, { case: "rename", value: { oldAbsolute: bytes(from), newAbsolute: bytes(to) } });
const asks = (name: string, isResponse = false) =>
  calls(Call.DNS, {
    case: "dns",
    value: { questionName: bytes(name), isResponse, results: isResponse ? [bytes("192.0.2.1")] : [] },
  });
const sockets = (family: number) => calls(Call.SOCKET, { case: "socket", value: { domain: family } }, 3);
const loads = (path: string) =>
  calls(Call.FINIT_MODULE, {
    case: "moduleLoad",
    value: { fd: 3, descriptor: { type: DescriptorType.FILE, name: bytes(path) } },
  });

/** A logsource, a detection, a deed it is true of, and one that it is not. */
const CASES: readonly (readonly [logsource: string, detection: string, match: Deed, miss: Deed])[] = [
  [
    "category: process_creation",
    "{Image|endswith: /curl, CommandLine|contains: ' -F ', ParentImage: /usr/bin/bash}",
    starts(CURL, ["curl", "-F", "x"], {}, BASH),
    starts(CURL, ["curl", "-f", "y"], {}, ["zsh", "/usr/bin/zsh", "zsh"]),
  ],
  [
    "category: process_creation",
    "{User: alice, ParentCommandLine: '-BASH', CurrentDirectory: /root}",
    starts("/bin/id", ["id"], {}, BASH),
    { ...starts("/bin/id", ["id"], {}, BASH), user: "root" },
  ],
  [
    "category: file_event",
    "{TargetFilename|startswith: /ETC/cron.d/}",
    by(CURL, opens("/etc/cron.d/x", O_CREATE, { created: true })),
    by(CURL, opens("/etc/cron.d/x", 0)),
  ],
  [
    "category: file_event",
    "{TargetFilename: /etc/passwd}",
    by(CURL, opens("/etc/passwd", O_TRUNCATE_WRITE)),
    by(CURL, opens("/etc/passwd", O_TRUNCATE_WRITE, {}, -13)),
  ],
  ["category: file_event", "{TargetFilename: /b}", by(CURL, renames("/a", "/b")), by(CURL, renames("/b", "/a"))],
  [
    "category: file_delete",
    "{TargetFilename|endswith: .log}",
    by(CURL, unlinks("/var/x.log")),
    by(CURL, unlinks("/x")),
  ],
  ["category: file_rename", "{SourceFilename: /a}", by(CURL, renames("/a", "/b")), by(CURL, renames("/b", "/a"))],
  ["category: file_access", "{TargetFilename: /etc/shadow}", by(CURL, opens("/etc/shadow")), by(CURL, opens("/etc/x"))],
  [
    "category: network_connection",
    "{Initiated: 'true', DestinationPort: 4444, DestinationIp|cidr: 203.0.113.0/24}",
    by(CURL, connects("203.0.113.9", 4444)),
    by(CURL, connects("198.51.100.9", 4444)),
  ],
  [
    "category: network_connection",
    "{Initiated: false, DestinationPort: 80, SourceIp: 203.0.113.7}",
    by(CURL, accepts("203.0.113.7", 5000)),
    by(CURL, connects("203.0.113.7", 80)),
  ],
  [
    "category: network_connection",
    "{Initiated: 'true', DestinationHostname|endswith: .EXAMPLE}",
    { ...by(CURL, connects("203.0.113.9", 443)), addressNames: { "203.0.113.9": ["a.example", "b.test"] } },
    { ...by(CURL, connects("203.0.113.9", 443)), addressNames: { "203.0.113.8": ["a.example"] } },
  ],
  [
    "category: network_connection",
    "{DestinationHostname: [a.example, b.test]}",
    { ...by(CURL, connects("203.0.113.9", 443)), addressNames: { "203.0.113.9": ["c.test", "b.test"] } },
    by(CURL, connects("203.0.113.9", 443)),
  ],
  ["category: dns_query", "{QueryName|endswith: .onion}", by(CURL, asks("x.onion")), by(CURL, asks("x.onion", true))],
  ["category: dns_query", "{QueryResults|contains: '192.0.2.1'}", by(CURL, asks("x", true)), by(CURL, asks("x"))],
  [
    "category: driver_load",
    "{ImageLoaded|endswith: /x.ko}",
    by("/sbin/insmod", loads("/x.ko")),
    by(CURL, loads("/y.ko")),
  ],
  ["product: linux", "['curl -f']", starts(CURL, ["curl", "-F"]), starts(CURL, ["curl"])],
  [
    "service: auditd",
    "{type: EXECVE, a0: curl, a2|startswith: 'http'}",
    starts(CURL, ["curl", "-s", "http://x"]),
    starts(CURL, ["curl", "http://x"]),
  ],
  [
    "service: auditd",
    "{type: SYSCALL, comm: curl, exe: /usr/bin/curl, success: 'yes', auid: 4294967295}",
    starts(CURL, ["curl"], { loginUid: 4294967295 }),
    by(CURL, sockets(2)),
  ],
  ["service: auditd", "{type: SYSCALL, SYSCALL: socket, a0: 26}", by(CURL, sockets(38)), by(CURL, sockets(26))],
  [
    "service: auditd",
    "{type: PATH, nametype: CREATE, name: /etc/x}",
    by(CURL, opens("/etc/x", O_CREATE, { created: true })),
    by(CURL, opens("/etc/x", O_CREATE)),
  ],
  [
    "service: auditd",
    "{type: PATH, nametype: DELETE, name: /a}",
    by(CURL, unlinks("/a")),
    by(CURL, renames("/b", "/a")),
  ],
  ["service: auditd", "{type: CWD, cwd: /root}", starts(CURL, ["curl"]), by(CURL, opens("/root"))],
];

for (const [at, [logsource, detection, match, miss]] of CASES.entries()) {
  test(`${logsource}: ${detection} (${at})`, (t) => {
    const product = logsource.startsWith("product") ? "" : "product: linux, ";
    const text = `title: T\nlogsource: {${product}${logsource}}\ndetection:\n  a: ${detection}\n  condition: a\n`;
    const { rules, problems } = loadRules([{ name: "r.yml", text }]);
    t.deepEqual(problems, []);
    const engine = compileRules(rules);
    const outputs = engine.matchBatch(batchOfDeed(match)).map(({ output }) => output);
    t.is(outputs.length, 1, "the deed that the rule is for");
    t.regex(outputs[0] ?? "", /^T \(\w+=/);
    t.deepEqual(engine.matchBatch(batchOfDeed(miss)), [], "the deed that is another");
  });
}
