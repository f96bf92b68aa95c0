// What later events change of what an exec told of a process.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { WireError } from "@nightjar/events";
import { EventSchema, type Exec, ExecSchema } from "@nightjar/proto";
import test from "ava";
import { type Actor, type EventInit, exec, fork, open, scanned, text } from "./fixture.ts";
import type { ProcessNode } from "./node.ts";
import { EventHeader, scanEvent } from "./scan.ts";
import { ProcessTree } from "./tree.ts";

const SECOND = 1_000_000_000n;
const shell: Actor = { pid: 100, start: 5n * SECOND, name: "bash" };
const child: Actor = { pid: 200, start: 6n * SECOND, name: "bash", parent: shell };

function feed(tree: ProcessTree, ...events: EventInit[]): ProcessNode {
  let node: ProcessNode | undefined;
  for (const event of events) node = tree.apply(...scanned(event));
  if (!node) throw new Error("no actor");
  return node;
}

const imageOf = (node: ProcessNode | undefined): Exec =>
  node?.image ? fromBinary(ExecSchema, node.image.exec) : create(ExecSchema);

/** An event of the actor with other data. */
const does = (actor: Actor, data: EventInit["data"], more: EventInit = {}): EventInit => ({
  ...open(actor),
  ...more,
  ...(data && { data }),
});

const credentials = { realUid: 5, effectiveUid: 6, savedUid: 7, filesystemUid: 6, capabilitiesEffective: 1n << 40n };

const changes: { what: string; data: EventInit["data"]; expected: Partial<Omit<Exec, "$typeName" | "$unknown">> }[] = [
  {
    what: "chdir",
    data: { case: "chdir", value: { path: text("/new"), pathTruncated: true } },
    expected: { workingDirectory: text("/new"), workingDirectoryTruncated: true },
  },
  { what: "setresuid", data: { case: "setId", value: { after: credentials } }, expected: credentials },
  { what: "capset", data: { case: "capset", value: { after: credentials } }, expected: credentials },
  {
    what: "setsid",
    data: {
      case: "setGroup",
      value: { target: { pid: 100, startTimeNs: shell.start }, processGroupId: 100, sessionId: 100 },
    },
    expected: { processGroupId: 100, sessionId: 100 },
  },
  {
    what: "unshare",
    data: {
      case: "setNamespace",
      value: { after: { mount: 11, pid: 12, network: 13, user: 14, time: 19 }, credentials },
    },
    expected: {
      mountNamespace: 11,
      pidNamespace: 12,
      networkNamespace: 13,
      userNamespace: 14,
      timeNamespace: 19,
      ...credentials,
    },
  },
];

for (const { what, data, expected } of changes) {
  test(`${what} changes what is known of its process, and nothing else of it`, (t) => {
    const tree = new ProcessTree();
    feed(tree, exec(shell, "/bin/bash"));
    const before = imageOf(feed(tree, does(shell, data)));
    const after = imageOf(feed(tree, does(shell, data)));
    t.deepEqual(after, before, "once more is the same");
    t.deepEqual(
      after,
      create(ExecSchema, { ...imageOf(feed(new ProcessTree(), exec(shell, "/bin/bash"))), ...expected }),
    );
  });

  test(`${what} that failed changes nothing`, (t) => {
    const tree = new ProcessTree();
    const { image } = feed(tree, exec(shell, "/bin/bash"));
    t.is(feed(tree, does(shell, data, { result: -1n })).image, image);
  });
}

test("what became 0 is 0", (t) => {
  const tree = new ProcessTree();
  feed(tree, exec(shell, "/bin/bash"), does(shell, { case: "setId", value: { after: credentials } }));
  const node = feed(tree, does(shell, { case: "setId", value: { after: {} } }));
  t.like(imageOf(node), { realUid: 0, savedUid: 0, capabilitiesEffective: 0n });
});

test("a child that changes leaves its parent as it was, and is counted with its own bytes", (t) => {
  const tree = new ProcessTree();
  feed(tree, exec(shell, "/bin/bash"), fork(shell, child));
  const before = tree.imageBytes;
  const node = feed(tree, does(child, { case: "chdir", value: { path: text("/child") } }));
  t.is(Buffer.from(imageOf(node).workingDirectory).toString(), "/child");
  t.is(imageOf(node.parent).workingDirectory.length, 0);
  t.is(tree.imageBytes, before + (node.image?.fieldSize ?? 0));
});

test("who moves its child to a group changes the child", (t) => {
  const tree = new ProcessTree();
  feed(tree, exec(shell, "/bin/bash"), fork(shell, child));
  const target = { pid: child.pid, startTimeNs: child.start };
  feed(tree, does(shell, { case: "setGroup", value: { target, processGroupId: 200, sessionId: 100 } }));
  t.like(imageOf(feed(tree, open(child))), { processGroupId: 200, sessionId: 100 });
  t.is(imageOf(feed(tree, open(shell))).processGroupId, 0);
});

test("ids of a thread that is not the first are its own affair, a directory is everyone's", (t) => {
  const tree = new ProcessTree();
  const { image } = feed(tree, exec(shell, "/bin/bash"));
  const thread = { tid: shell.pid + 1 };
  t.is(feed(tree, does(shell, { case: "setId", value: { after: credentials } }, thread)).image, image);
  const node = feed(tree, does(shell, { case: "chdir", value: { path: text("/new") } }, thread));
  t.is(Buffer.from(imageOf(node).workingDirectory).toString(), "/new");
});

test("a process that renames itself has the new name as an ancestor too", (t) => {
  const tree = new ProcessTree();
  feed(tree, exec(shell, "/bin/bash"), fork(shell, child));
  feed(tree, does({ ...shell, name: "renamed" }, { case: "prctl", value: { option: 15 } }));
  const node = feed(tree, open(child));
  t.is(Buffer.from(node.parent?.name ?? []).toString(), "renamed");
  t.is(node.name, "bash");
});

test("garbage in what changed is found when the event is scanned", (t) => {
  const { bytes, start, end } = encoded({ case: "setId", value: { after: { realUid: 300 } } });
  t.notThrows(() => scanEvent(bytes, start, end, new EventHeader()));
  // The last byte is the end of realUid's value: without it the number has no end.
  const broken = bytes.map((byte, at) => (at === end - 1 ? byte | 0x80 : byte));
  t.throws(() => scanEvent(broken, start, end, new EventHeader()), { instanceOf: WireError });
});

function encoded(data: EventInit["data"]): { bytes: Uint8Array; start: number; end: number } {
  const bytes = toBinary(EventSchema, create(EventSchema, { pid: 1, ...(data && { data }) }));
  return { bytes, start: 0, end: bytes.length };
}

test("a session of its own takes the terminal from a process, a group of its own does not", (t) => {
  const tree = new ProcessTree();
  const atTerminal = { tty: 136 << 8, ttyName: text("pts0"), sessionId: 100, processGroupId: 100 };
  const moves = (processGroupId: number, sessionId: number): EventInit["data"] => ({
    case: "setGroup",
    value: { target: { pid: child.pid, startTimeNs: child.start }, processGroupId, sessionId },
  });
  feed(tree, exec(shell, "/bin/bash", 1000, atTerminal), fork(shell, child));
  const grouped = imageOf(feed(tree, does(child, moves(200, 100))));
  t.like(grouped, { tty: 136 << 8, ttyName: text("pts0"), processGroupId: 200, sessionId: 100 });
  const alone = imageOf(feed(tree, does(child, moves(200, 200))));
  t.like(alone, { tty: 0, processGroupId: 200, sessionId: 200 });
  t.is(alone.ttyName.length, 0);
  t.like(imageOf(feed(tree, open(shell))), atTerminal);
});
