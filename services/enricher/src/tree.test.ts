// The tree of processes, event by event.
import { ProcessOrigin } from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import { type Actor, type EventInit, exec, exit, fork, open, scanned, text } from "./fixture.ts";
import type { ProcessNode } from "./node.ts";
import { momentOf, NANOSECONDS_PER_TICK } from "./scan.ts";
import { ProcessTree, type ProcfsProcess, TREE_LIMITS } from "./tree.ts";

const SECOND = 1_000_000_000n;

function feed(tree: ProcessTree, ...events: EventInit[]): ProcessNode {
  let node: ProcessNode | undefined;
  for (const event of events) node = tree.apply(...scanned(event));
  if (!node) throw new Error("no actor");
  return node;
}

function lineOf(node: ProcessNode | undefined): string {
  const names: string[] = [];
  for (let one = node; one; one = one.parent) names.push(`${one.name}(${one.pid})`);
  return names.join(" < ");
}

function procfs(pid: number, parentPid: number, startTicks: number, name: string): ProcfsProcess {
  return { pid, parentPid, startTicks, name: text(name), uid: 0, gid: 0, image: new Uint8Array(0), isBrief: false };
}

const shell: Actor = { pid: 100, start: 5n * SECOND, name: "bash" };
const child: Actor = { pid: 200, start: 6n * SECOND, name: "bash", parent: shell };

test("a child is as its parent until it calls exec", (t) => {
  const tree = new ProcessTree();
  feed(tree, exec(shell, "/bin/bash"), fork(shell, child));
  const before = feed(tree, open(child));
  t.is(lineOf(before), "bash(200) < bash(100)");
  t.is(before.image, before.parent?.image);
  t.deepEqual(before.execTime, { low: 0, high: 0 });
  const after = feed(tree, exec({ ...child, name: "ls" }, "/bin/ls"));
  t.is(after, before);
  t.is(lineOf(after), "ls(200) < bash(100)");
  t.not(after.image, after.parent?.image);
  t.is(after.origin, ProcessOrigin.EVENT);
});

test("a reused pid is another process, and the earlier one is still found by its start", (t) => {
  const tree = new ProcessTree();
  const first = feed(tree, exec(shell, "/bin/bash"), fork(shell, child), exit(child));
  const second = feed(tree, fork(shell, { ...child, start: 7n * SECOND }), open({ ...child, start: 7n * SECOND }));
  t.not(first, second);
  t.is(tree.find(200, momentOf(6n * SECOND)), first);
  t.is(tree.find(200, momentOf(7n * SECOND)), second);
  t.true(first.exited);
  t.is(feed(tree, open(child)), first, "an event that comes late");
  t.is(tree.counts.exitsMissed, 0);
});

test("a reused pid without an exit event ends the process before", (t) => {
  const tree = new ProcessTree();
  const first = feed(tree, exec(shell, "/bin/bash"));
  feed(tree, exec({ ...shell, start: 9n * SECOND }, "/bin/sh"));
  t.true(first.exited);
  t.is(tree.counts.exitsMissed, 1);
});

test("two starts that differ only in the last ns are two processes", (t) => {
  const tree = new ProcessTree();
  const late = (1n << 62n) + 1n;
  const first = feed(tree, exec({ pid: 9, start: late }, "/a"));
  t.not(feed(tree, exec({ pid: 9, start: late + 1n }, "/b")), first);
});

test("an unknown process is what its header says, and its parent too", (t) => {
  const tree = new ProcessTree();
  const node = feed(tree, open({ ...child, name: "curl", uid: 33 }));
  t.is(lineOf(node), "curl(200) < (100)");
  t.is(node.origin, ProcessOrigin.HEADER);
  t.is(node.parent?.origin, ProcessOrigin.HEADER);
  t.is(node.uid, 33);
  t.is(node.parent?.uid, 0xffff_ffff);
  t.like(tree.counts, { unknownActors: 1, headerOnly: 2 });
  t.is(lineOf(feed(tree, exec(shell, "/bin/bash"))), "bash(100)");
  t.is(lineOf(node), "curl(200) < bash(100)", "learnt later");
});

test("an unknown process that still runs is read from /proc with its ancestors", (t) => {
  const running = new Map([
    [1, procfs(1, 0, 3, "init")],
    [50, procfs(50, 1, 200, "sshd")],
    [100, procfs(100, 50, 500, "bash")],
    [200, procfs(200, 100, 600, "vim")],
  ]);
  const tree = new ProcessTree((pid) => running.get(pid));
  const node = feed(tree, open(child));
  t.is(lineOf(node), "vim(200) < bash(100) < sshd(50) < init(1)");
  t.is(node.origin, ProcessOrigin.PROCFS);
  const another = feed(tree, open({ ...child, start: 8n * SECOND }));
  t.is(another.origin, ProcessOrigin.HEADER, "what runs under that pid is not it");
});

test("a process from /proc is recognised by its clock tick and then known to the ns", (t) => {
  const tree = new ProcessTree();
  tree.load([procfs(200, 100, 600, "vim"), procfs(100, 1, 500, "bash")]);
  const exact = 6n * SECOND + BigInt(NANOSECONDS_PER_TICK) - 1n;
  const node = feed(tree, open({ ...child, start: exact }));
  t.is(lineOf(node), "vim(200) < bash(100)");
  t.deepEqual(node.start, momentOf(exact));
  t.is(tree.size, 2);
  t.not(feed(tree, open({ ...child, start: exact - 1n })), node, "now it is exact");
});

test("loading again adds only what is new", (t) => {
  const tree = new ProcessTree();
  feed(tree, exec(shell, "/bin/bash"));
  tree.load([procfs(100, 0, 500, "other"), procfs(7, 100, 900, "new")]);
  t.is(tree.size, 2);
  t.is(lineOf(tree.find(7, momentOf(9n * SECOND))), "new(7) < bash(100)");
});

test("what was read in short is read in full when something speaks of it, its ancestors too", (t) => {
  const reads: number[] = [];
  const full = new Map([
    [100, procfs(100, 1, 500, "bash")],
    [200, procfs(200, 100, 600, "vim")],
  ]);
  const tree = new ProcessTree((pid) => {
    reads.push(pid);
    return full.get(pid);
  });
  tree.load([...full.values()].map((process) => ({ ...process, isBrief: true })));
  feed(tree, open(child), open(child), open(shell));
  t.deepEqual(reads, [200, 100]);
});

test("CLONE_PARENT gives a child its actor's parent", (t) => {
  const tree = new ProcessTree();
  const sibling: Actor = { pid: 300, start: 7n * SECOND, parent: shell };
  feed(tree, exec(shell, "/bin/bash"), fork(shell, child), exec({ ...child, name: "spawner" }, "/bin/spawner"));
  feed(tree, fork({ ...child, name: "spawner" }, sibling));
  const node = feed(tree, open(sibling));
  t.is(lineOf(node), "spawner(300) < bash(100)");
});

test("an exec that failed and an event of the kernel itself change nothing", (t) => {
  const tree = new ProcessTree();
  const node = feed(tree, exec(shell, "/bin/bash"));
  const { image } = node;
  feed(tree, { ...exec({ ...shell, name: "nope" }, "/nope"), result: -2n });
  t.is(node.image, image);
  t.is(tree.apply(...scanned(open({ pid: 0, start: 0n }))), undefined);
  t.is(tree.size, 1);
});

test("other ids are another row; another name since the exec is not", (t) => {
  const tree = new ProcessTree();
  const node = feed(tree, exec(shell, "/bin/bash"));
  node.tableStamp = 7;
  for (let count = 0; count < 1_000; count++) feed(tree, open({ ...shell, name: `name-${count}` }));
  t.is(lineOf(node), "bash(100)");
  t.is(node.tableStamp, 7);
  feed(tree, open({ ...shell, uid: 33 }));
  t.is(node.uid, 33);
  t.is(node.tableStamp, -1);
});

test("parents that headers invent make no circle", (t) => {
  const tree = new ProcessTree();
  const one: Actor = { pid: 1, start: SECOND };
  const two: Actor = { pid: 2, start: SECOND, parent: one };
  one.parent = two;
  feed(tree, open(one), open(two), open({ ...one, parent: one }));
  for (const node of tree) {
    let above: ProcessNode | undefined = node;
    for (let steps = 0; above; steps++, above = above.parent) t.true(steps < 3);
  }
});

test("exited processes go after a while, those with children when these go", (t) => {
  const tree = new ProcessTree(undefined, { ...TREE_LIMITS, exitedKeepNs: 10e9 });
  feed(tree, exec(shell, "/bin/bash"), fork(shell, child), exit(shell));
  const shellNode = tree.find(shell.pid, momentOf(shell.start));
  tree.settle(9e9);
  t.is(tree.size, 2);
  tree.settle(1e12);
  t.is(tree.size, 2, "a child needs it");
  t.is(lineOf(feed(tree, open(child))), "bash(200) < bash(100)");
  feed(tree, exit(child));
  tree.settle(2e12);
  t.is(tree.size, 0);
  t.is(tree.imageBytes, 0);
  t.true(shellNode?.dropped);
  t.is(tree.counts.evicted, 0);
});

test("no more exited processes are kept than the limit", (t) => {
  const tree = new ProcessTree(undefined, { ...TREE_LIMITS, exited: 10 });
  feed(tree, exec(shell, "/bin/bash"));
  for (let index = 0; index < 1_000; index++) {
    const one: Actor = { pid: 1000 + index, start: BigInt(10 + index) * SECOND, parent: shell };
    feed(tree, fork(shell, one), exit(one));
    tree.settle(0);
    t.true(tree.size <= 11);
  }
});

test("a process that forks and exits over and over keeps a short line with its nearest ancestors", (t) => {
  const tree = new ProcessTree(undefined, { ...TREE_LIMITS, lineage: 8, exited: 4 });
  let last: Actor = { pid: 1000, start: SECOND, name: "worm" };
  feed(tree, exec(last, "/worm"));
  for (let index = 1; index < 500; index++) {
    const next: Actor = { pid: 1000 + index, start: SECOND + BigInt(index), parent: last, name: "worm" };
    feed(tree, fork(last, next), exit(last));
    tree.settle(0);
    t.true(tree.size <= 8 + 4 + 2, `${tree.size} processes`);
    last = next;
  }
  t.is(tree.find(last.pid, momentOf(last.start))?.parent?.pid, last.pid - 1);
  t.true(tree.counts.ancestorsSpliced > 400);
});

test("50,000 processes of a fork bomb fit; above the limits those that exited go first, counted", (t) => {
  const tree = new ProcessTree(undefined, { ...TREE_LIMITS, processes: 40_000 });
  feed(tree, exec(shell, "/bin/bash"));
  const bombs: Actor[] = [shell];
  for (let index = 0; index < 50_000; index++) {
    const parent = bombs[index >> 1] as Actor;
    const one: Actor = { pid: 1000 + index, start: 10n * SECOND + BigInt(index), parent };
    bombs.push(one);
    feed(tree, fork(parent, one));
    if (index < 1_000) feed(tree, exit(one));
    if (index % 256 === 0) tree.settle(0);
    // The shell goes on acting, so it is no victim.
    if (index % 256 === 0) feed(tree, open(shell));
  }
  tree.settle(0);
  t.true(tree.size <= 40_000);
  t.is(tree.counts.evicted, 50_001 - tree.size);
  t.is(tree.counts.evictedAlive, tree.counts.evicted - 1_000);
  let nodes = 0;
  const children = new Map<ProcessNode, number>();
  for (const node of tree) {
    nodes++;
    t.false(node.dropped || node.parent?.dropped === true);
    if (node.parent) children.set(node.parent, (children.get(node.parent) ?? 0) + 1);
  }
  t.is(nodes, tree.size);
  for (const node of tree) if (node.children !== (children.get(node) ?? 0)) t.fail(`children of ${node.pid}`);
  t.truthy(tree.find(shell.pid, momentOf(shell.start)));
});

test("processes whose exit was lost end when they no longer run", (t) => {
  const tree = new ProcessTree();
  feed(tree, exec(shell, "/bin/bash"), fork(shell, child));
  tree.reconcile(new Set([shell.pid]), 7e9);
  t.false(tree.find(child.pid, momentOf(child.start))?.exited, "its exit may be on its way");
  tree.reconcile(new Set([shell.pid]), 7e9);
  t.true(tree.find(child.pid, momentOf(child.start))?.exited);
  t.false(tree.find(shell.pid, momentOf(shell.start))?.exited);
  t.is(tree.counts.exitsMissed, 1);
});

test("whatever comes in whatever order, the tree stays whole", (t) => {
  const actor = fc.record({ pid: fc.integer({ min: 1, max: 6 }), start: fc.integer({ min: 1, max: 6 }) });
  const step = fc.tuple(fc.constantFrom("exec", "fork", "exit", "open", "settle"), actor, actor);
  const limits = { processes: 12, imageBytes: 400, exited: 3, exitedKeepNs: 5, lineage: 4 };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const tree = new ProcessTree(undefined, limits);
      for (const [what, left, right] of steps) {
        const parent: Actor = { pid: right.pid, start: BigInt(right.start) * SECOND };
        const one: Actor = { pid: left.pid, start: BigInt(left.start) * SECOND, parent };
        if (what === "settle") tree.settle(left.start * 1e9);
        else if (what === "fork") feed(tree, fork(parent, one));
        else feed(tree, { exec: exec(one, "/bin/x"), exit: exit(one), open: open(one) }[what]);
        assertWhole(tree);
      }
    }),
    { numRuns: 300 },
  );
  t.pass();
});

/** What holds of every tree: counts agree, each process is found by its identity, lines end. */
function assertWhole(tree: ProcessTree): void {
  const nodes = [...tree];
  const images = new Map<object, number>();
  for (const node of nodes) {
    const bad = (why: string) => new Error(`${why}: ${node.pid}@${node.start.low}`);
    if (tree.find(node.pid, node.start) !== node) throw bad("not found");
    if (node.children !== nodes.filter(({ parent }) => parent === node).length) throw bad("children");
    if (node.dropped || node.parent?.dropped) throw bad("dropped");
    if (node.older && node.older.start.low === node.start.low && node.older.start.high === node.start.high)
      throw bad("twice");
    let above = node.parent;
    for (let steps = 0; above; above = above.parent) if (above === node || steps++ > nodes.length) throw bad("circle");
    if (node.image) images.set(node.image, node.image.fieldSize);
  }
  const bytes = [...images.values()].reduce((sum, length) => sum + length, 0);
  if (tree.size !== nodes.length) throw new Error(`size ${tree.size}, nodes ${nodes.length}`);
  if (tree.imageBytes !== bytes) throw new Error(`imageBytes ${tree.imageBytes}, images ${bytes}`);
}
