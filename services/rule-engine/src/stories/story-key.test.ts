// What belongs to one story has one key, and what does not has another.
import { readFileSync } from "node:fs";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { DetectionSchema, type EventSchema } from "@nightjar/proto";
import test from "ava";
import { storyKey, storyOf, TARGETS } from "./story-key.ts";

type Data = MessageInitShape<typeof EventSchema>["data"];

const bytes = (text: string) => new TextEncoder().encode(text);

/** The detection of an event by the first of these programs, whose ancestors are the others. */
function detection(data: Data, programs: readonly string[] = ["/usr/bin/cat", "/usr/bin/bash"], container = "") {
  const processes = programs.map((program, at) => ({
    pid: 100 + Math.floor(Math.random() * 1_000) + at,
    image: { executable: bytes(program) },
    container: container === "" ? 0 : 1,
  }));
  const containers = container === "" ? [] : [{ id: container }];
  return create(DetectionSchema, { event: { data: data ?? { case: undefined } }, processes, containers });
}

const key = (...given: Parameters<typeof detection>) => storyKey("A rule", storyOf(detection(...given)));
const opened = (path: string): Data => ({ case: "open", value: { path: bytes(path) } });

test("files of one directory are one story, whatever the loop calls them", (t) => {
  t.is(key(opened("/proc/812/maps")), key(opened("/proc/9/environ")));
  t.is(key(opened("/tmp/tmp.4f1a09bcd/x")), key(opened("/tmp/tmp.00ee17fa2/y")));
  t.not(key(opened("/etc/shadow")), key(opened("/root/.ssh/id_rsa")));
});

test("programs count, pids and the depth of a recursion do not", (t) => {
  const data = opened("/etc/shadow");
  t.is(key(data, ["/bin/sh", "/bin/nc"]), key(data, ["/bin/sh", "/bin/sh", "/bin/sh", "/bin/nc"]));
  t.not(key(data, ["/bin/sh", "/bin/nc"]), key(data, ["/bin/sh", "/usr/sbin/sshd"]));
});

test("containers and rules are told apart", (t) => {
  const data = opened("/etc/shadow");
  const [one, other] = ["a".repeat(12), "b".repeat(12)];
  t.is(storyOf(detection(data, undefined, one)).container, one);
  t.not(key(data, undefined, one), key(data, undefined, other));
  const story = storyOf(detection(data));
  t.not(storyKey("A rule", story), storyKey("Another rule", story));
});

const peer = { address: Uint8Array.of(203, 0, 113, 9), port: 4444 };

test("what is acted on is named", (t) => {
  const rows: [Data, string][] = [
    [opened("/etc/shadow"), "/etc/"],
    [{ case: "exec", value: { executable: bytes("/tmp/x1") } }, "/tmp/x1"],
    [{ case: "rename", value: { oldAbsolute: bytes("/tmp/a"), newAbsolute: bytes("/usr/bin/ls") } }, "/usr/bin/"],
    [{ case: "connect", value: { remote: peer } }, "203.0.113.9 4444"],
    [{ case: "accept", value: { descriptor: { remote: peer, isServer: true } } }, "203.0.113.9"],
    [{ case: "send", value: { descriptor: { remote: peer } } }, "203.0.113.9 4444"],
    [{ case: "chmod", value: { descriptor: { path: bytes("/etc/ssh/x") } } }, "/etc/ssh/"],
    [{ case: "dns", value: { questionName: bytes("example.org") } }, "example.org"],
    [{ case: "ptrace", value: { target: { pid: 7, name: bytes("sshd") } } }, "sshd"],
    [{ case: "symlink", value: { target: bytes("/etc/shadow"), absolute: bytes("/tmp/link") } }, "/tmp/"],
    [{ case: "moduleUnload", value: { name: bytes("nf_tables") } }, "nf_tables"],
    [{ case: "reboot", value: {} }, ""],
  ];
  for (const [data, target] of rows) t.is(storyOf(detection(data)).target, target);
});

test("the page about detections shows the table of targets", (t) => {
  const page = readFileSync(new URL("../../../../docs/detections.md", import.meta.url), "utf8");
  for (const { doc } of TARGETS) t.true(page.includes(doc), doc);
});
