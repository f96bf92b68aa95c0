// Batches in, batches out, each read back with protobuf-es and with the reader the rule engine uses.
import { fromBinary } from "@bufbuild/protobuf";
import { BatchReader, WireError } from "@nightjar/events";
import { type Batch, BatchSchema, DropReason, ProcessOrigin } from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import { Enricher, type EnricherOptions } from "./enricher.ts";
import {
  type Actor,
  BOOT_ID_HEX,
  batchOf,
  connect,
  describeLine,
  dns,
  type EventInit,
  encodeBatch,
  exec,
  exit,
  fork,
  lineOf,
  open,
  POSITION_STEP,
  testUsers,
  text,
} from "./fixture.ts";
import type { Output } from "./output.ts";
import { TYPE_EXEC, TYPE_EXIT, TYPE_FORK } from "./scan.ts";
import { ANCESTORS_MAX } from "./table.ts";
import { TREE_LIMITS } from "./tree.ts";

const SECOND = 1_000_000_000n;
const root: Actor = { pid: 1, start: 1n, name: "init" };
const shell: Actor = { pid: 100, start: 5n * SECOND, name: "bash", parent: root, uid: 1000 };
const child: Actor = { pid: 200, start: 6n * SECOND, name: "bash", parent: shell, uid: 1000 };

function enricherOf(options: Partial<EnricherOptions> = {}): Enricher {
  const outputBytesMax = 1_000_000;
  const lookup = () => undefined;
  return new Enricher({
    bootId: BOOT_ID_HEX,
    lookup,
    users: testUsers,
    outputBytesMax,
    limits: TREE_LIMITS,
    ...options,
  });
}

function take(enricher: Enricher, bytes: Uint8Array): Output[] {
  const { outputs } = enricher.take(bytes);
  if (outputs === "repeated") throw new Error("taken before");
  return outputs;
}

function takeOne(enricher: Enricher, bytes: Uint8Array): Batch {
  const outputs = take(enricher, bytes);
  if (outputs.length !== 1) throw new Error(`${outputs.length} outputs`);
  return fromBinary(BatchSchema, (outputs[0] as Output).bytes);
}

const lines = (batch: Batch) => batch.events.map((_, event) => describeLine(lineOf(batch, event)));

test("each event points to its process as it was then, and that to its ancestors", (t) => {
  const events = [exec(root, "/sbin/init"), exec(shell, "/bin/bash"), fork(shell, child), open(child)];
  events.push(exec({ ...child, name: "ls" }, "/bin/ls"), open(child), exit(child));
  const batch = takeOne(enricherOf(), batchOf(events));
  t.deepEqual(lines(batch), [
    "init(1)",
    "bash(100) < init(1)",
    "bash(100) < init(1)",
    "bash(200) < bash(100) < init(1)",
    "ls(200) < bash(100) < init(1)",
    "ls(200) < bash(100) < init(1)",
    "ls(200) < bash(100) < init(1)",
  ]);
  t.is(batch.processes.length, 4, "the child twice, as bash and as ls");
  t.is(Buffer.from(lineOf(batch, 4)[0]?.image?.executable ?? []).toString(), "/bin/ls");
  t.like(lineOf(batch, 4)[0], {
    pid: 200,
    startTimeNs: 6n * SECOND,
    userName: "user-1000",
    groupName: "group-1000",
    loginUserName: "user-1000",
    origin: ProcessOrigin.EVENT,
    uid: 1000,
    execTimeNs: batch.events[4]?.timeNs ?? 0n,
  });
  t.is(lineOf(batch, 3)[0]?.execTimeNs, 0n, "a fork is no exec");
});

test("leaders who are no ancestors go along: of a pipeline, and of a session that a stray is in", (t) => {
  const leader: Actor = { pid: 300, start: 7n * SECOND, name: "cat", parent: shell };
  const member: Actor = { pid: 301, start: 8n * SECOND, name: "sort", parent: shell };
  const stray: Actor = { pid: 400, start: 9n * SECOND, name: "stray", parent: root };
  const ids = { sessionId: 100, processGroupId: 300 };
  const enricher = enricherOf();
  const begin = [exec(root, "/sbin/init"), exec(shell, "/bin/bash", 1000, { sessionId: 100, processGroupId: 100 })];
  takeOne(enricher, batchOf([...begin, fork(shell, leader), fork(shell, member), exec(leader, "/bin/cat", 1000, ids)]));
  const events = [exec(member, "/bin/sort", 1000, ids), open(leader), exec(stray, "/bin/s", 1000, ids), open(shell)];
  const batch = takeOne(enricher, batchOf(events, 5 * POSITION_STEP));
  const leaders = batch.events.map((_, event) => {
    const actor = batch.processes[(batch.actors[event] ?? 0) - 1];
    return [actor?.sessionLeader, actor?.processGroupLeader].map((row) => batch.processes[(row ?? 0) - 1]?.pid);
  });
  t.deepEqual(leaders, [
    [undefined, 300],
    [undefined, undefined],
    [100, 300],
    [undefined, undefined],
  ]);
  t.deepEqual(lines(batch)[0], "sort(301) < bash(100) < init(1)");
  t.is(batch.processes.length, 5);
});

test("what was known before is known in the next batch", (t) => {
  const enricher = enricherOf();
  takeOne(enricher, batchOf([exec(root, "/sbin/init"), exec(shell, "/bin/bash"), fork(shell, child)]));
  const batch = takeOne(enricher, batchOf([open(child)], 3 * POSITION_STEP));
  t.deepEqual(lines(batch), ["bash(200) < bash(100) < init(1)"]);
});

test("the fields of the input stay as they are, those this version does not know too", (t) => {
  const unknown = Uint8Array.of(0xfa, 0x06, 3, 1, 2, 3);
  const ledger = [
    { type: TYPE_EXEC, seen: 7n, submitted: 5n, filtered: 1n, drops: [{ reason: DropReason.RING_FULL, count: 1n }] },
  ];
  const events = [{ ...open(shell), position: 70n }];
  const input = encodeBatch({ firstPosition: 64n, nextPosition: 128n, bootTimeUnixNs: 17n, ledger, events });
  const joined = new Uint8Array([...input, ...unknown]);
  const batch = takeOne(enricherOf(), joined);
  const { processes, actors, ...rest } = batch;
  const { processes: _, actors: __, ...expected } = fromBinary(BatchSchema, joined);
  t.deepEqual(rest, expected);
  t.is(processes.length, 2);
  t.deepEqual(actors, [1]);
});

/** A history of processes as a table of choices: which one acts, and what it does. */
const history = fc.array(fc.tuple(fc.nat(), fc.constantFrom("exec", "fork", "exit", "open", "open")), {
  minLength: 1,
  maxLength: 80,
});

function play(choices: readonly (readonly [number, string])[]): { events: EventInit[]; lines: string[] } {
  const alive: Actor[] = [{ ...root }];
  const events: EventInit[] = [exec(alive[0] as Actor, "/sbin/init")];
  const named = (actor: Actor | undefined): string =>
    actor ? [`${actor.name}(${actor.pid})`, named(actor.parent)].filter(Boolean).join(" < ") : "";
  const expected = [named(alive[0])];
  let count = 0;
  for (const [choice, what] of choices) {
    const index = choice % alive.length;
    const actor = alive[index] as Actor;
    count++;
    if (what === "exec") actor.name = `p${count}`;
    if (what === "fork") {
      // Few pids, so that they are used again.
      const pids = Array.from({ length: 20 }, (_, offset) => 2 + ((count + offset) % 20));
      const pid = pids.find((one) => !alive.some((other) => other.pid === one));
      if (pid === undefined) continue;
      const made: Actor = { pid, start: BigInt(count) * SECOND, parent: actor, name: actor.name ?? "" };
      alive.push(made);
      events.push(fork(actor, made));
    } else if (what === "exec") events.push(exec(actor, `/bin/p${count}`));
    else if (what === "exit" && index > 0) {
      alive.splice(index, 1);
      events.push(exit(actor));
    } else events.push(open(actor));
    expected.push(named(actor));
  }
  return { events, lines: expected };
}

test("every event of any history has the right line", (t) => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 30 }), (choices, perBatch) => {
      const { events, lines: expected } = play(choices);
      const enricher = enricherOf();
      const found: string[] = [];
      const names: string[] = [];
      for (let from = 0; from < events.length; from += perBatch) {
        const batch = takeOne(enricher, batchOf(events.slice(from, from + perBatch), from * POSITION_STEP));
        found.push(...lines(batch));
        for (let event = 0; event < batch.events.length; event++) {
          names.push(Buffer.from(lineOf(batch, event)[0]?.image?.executable ?? []).toString());
        }
      }
      // A parent may have called exec between the events of its child: pids are what must agree all the way up.
      const pids = (line: string) => line.replace(/[^(<]*\((\d+)\)/g, "$1");
      t.deepEqual(found.map(pids), expected.map(pids));
      t.deepEqual(
        found.map((line) => line.split(" ")[0]),
        expected.map((line) => line.split(" ")[0]),
      );
    }),
    { numRuns: 200 },
  );
});

test("the parts of a large batch touch, fit, hold the same events with the same lines, the same way each time", (t) => {
  fc.assert(
    fc.property(history, fc.integer({ min: 700, max: 4_000 }), fc.boolean(), (choices, outputBytesMax, isFiltered) => {
      const { events } = play(choices);
      const input = batchOf(events, 640);
      const run = (limit: number) => {
        const enricher = enricherOf({ outputBytesMax: limit });
        if (isFiltered) enricher.setInterest([TYPE_EXEC, TYPE_FORK]);
        return { enricher, outputs: take(enricher, input) };
      };
      const whole = run(1_000_000).outputs;
      const { outputs: parts, enricher } = run(outputBytesMax);
      t.deepEqual(run(outputBytesMax).outputs, parts);
      t.is(whole.length, 1);
      let next = 640n;
      const decoded = parts.map(({ bytes }) => fromBinary(BatchSchema, bytes));
      for (const [index, part] of decoded.entries()) {
        const bytes = parts[index]?.bytes as Uint8Array;
        t.is(part.firstPosition, next);
        t.true(bytes.length <= outputBytesMax);
        t.is(part.actors.length, part.events.length);
        t.is(new BatchReader(bytes).id, parts[index]?.id ?? "");
        for (const { position } of part.events) t.true(part.firstPosition <= position && position < part.nextPosition);
        next = part.nextPosition;
      }
      t.is(next, BigInt(640 + events.length * POSITION_STEP));
      const expected = fromBinary(BatchSchema, (whole[0] as Output).bytes);
      t.deepEqual(
        decoded.flatMap((part) => part.events),
        expected.events,
      );
      if (enricher.counts.ancestorsLost === 0) t.deepEqual(decoded.flatMap(lines), lines(expected));
      else t.true(decoded.flatMap(lines).every((line, event) => lines(expected)[event]?.startsWith(line)));
    }),
    { numRuns: 150 },
  );
});

test("a single event that is too large loses ancestors from the root's end, counted", (t) => {
  const enricher = enricherOf();
  takeOne(enricher, batchOf([exec(root, "/sbin/init"), exec(shell, `/bin/${"b".repeat(300)}`), fork(shell, child)]));
  const event = batchOf([exec(child, "/bin/ls")], 3 * POSITION_STEP);
  const small = enricherOf({ outputBytesMax: event.length + 200 });
  small.take(batchOf([exec(root, "/sbin/init"), exec(shell, `/bin/${"b".repeat(300)}`), fork(shell, child)]));
  const { ancestorsLost } = small.counts;
  const batch = takeOne(small, event);
  t.deepEqual(lines(batch), ["bash(200)"]);
  t.is(small.counts.ancestorsLost - ancestorsLost, 2);
  t.deepEqual(lines(takeOne(enricher, event)), ["bash(200) < bash(100) < init(1)"]);
});

test("a line of ancestors has an end", (t) => {
  const actors: Actor[] = [{ ...root }];
  const events = [exec(actors[0] as Actor, "/sbin/init")];
  for (let depth = 1; depth < 60; depth++) {
    const parent = actors[depth - 1] as Actor;
    const one: Actor = { pid: 1 + depth, start: BigInt(depth) * SECOND, parent };
    actors.push(one);
    events.push(fork(parent, one));
  }
  const enricher = enricherOf();
  takeOne(enricher, batchOf(events));
  const batch = takeOne(enricher, batchOf([open(actors.at(-1) as Actor)], 60 * POSITION_STEP));
  t.is(lineOf(batch, 0).length, 1 + ANCESTORS_MAX);
});

test("only types that rules want go on, the tree sees all, and the range stays whole", (t) => {
  const enricher = enricherOf();
  enricher.setInterest([TYPE_EXEC]);
  const events = [exec(shell, "/bin/bash"), fork(shell, child), exec({ ...child, name: "ls" }, "/bin/ls"), open(child)];
  const batch = takeOne(enricher, batchOf(events));
  t.deepEqual(lines(batch), ["bash(100) < (1)", "ls(200) < bash(100) < (1)"]);
  t.is(batch.nextPosition, BigInt(4 * POSITION_STEP));
  t.like(enricher.counts, { eventsIn: 4, eventsOut: 2, eventsFiltered: 2 });
  const empty = takeOne(enricher, batchOf([open(child), exit(child)], 4 * POSITION_STEP));
  t.like(empty, { events: [], processes: [], actors: [], firstPosition: 256n, nextPosition: 384n });
  enricher.setInterest([TYPE_EXIT]);
  t.is(takeOne(enricher, batchOf([exit(shell)], 6 * POSITION_STEP)).events.length, 1);
});

test("what only those want who listen is enriched for them, and does not go on", (t) => {
  const enricher = enricherOf();
  enricher.setInterest([TYPE_EXEC]);
  enricher.setTapped([TYPE_EXEC, TYPE_EXIT]);
  const { outputs, tapped } = enricher.take(batchOf([exec(shell, "/bin/bash"), open(shell), exit(shell)]));
  const linesOf = (parts: typeof outputs) =>
    parts === "repeated" ? [] : parts.flatMap(({ bytes }) => lines(fromBinary(BatchSchema, bytes)));
  t.deepEqual(linesOf(outputs), ["bash(100) < (1)"]);
  t.deepEqual(linesOf(tapped), ["bash(100) < (1)"]);
  t.deepEqual(
    tapped.flatMap(({ bytes }) => fromBinary(BatchSchema, bytes).events.map(({ data }) => data.case)),
    ["exit"],
  );
  t.like(enricher.counts, { eventsIn: 3, eventsOut: 1, eventsFiltered: 2, eventsTapped: 1 });
});

test("a batch that comes again changes nothing, one that comes again in part only what is new", (t) => {
  const enricher = enricherOf();
  const ls = exec({ ...child, name: "ls" }, "/bin/ls");
  const first = [exec(shell, "/bin/bash"), fork(shell, child), exec({ ...child, name: "cat" }, "/bin/cat"), ls];
  takeOne(enricher, batchOf(first));
  t.deepEqual(enricher.take(batchOf(first)).outputs, "repeated");
  t.deepEqual(enricher.take(batchOf(first.slice(0, 2))).outputs, "repeated");
  const overlapping = takeOne(enricher, batchOf([...first.slice(2, 3), ls, open(child)], 2 * POSITION_STEP));
  t.is(describeLine(lineOf(overlapping, 2)), "ls(200) < bash(100) < (1)", "the exec before is not applied again");
  t.like(enricher.counts, { batches: 2, batchesRepeated: 2 });
});

test("a batch that only tells the counters goes on each time", (t) => {
  const enricher = enricherOf();
  const counters = encodeBatch({ firstPosition: 64n, nextPosition: 64n, ledger: [{ type: TYPE_EXEC, seen: 3n }] });
  for (let time = 0; time < 2; time++) t.is(takeOne(enricher, counters).ledger[0]?.seen, 3n);
});

test("processes of another boot are kept apart and have no names of this host", (t) => {
  const enricher = enricherOf({ lookup: () => t.fail() as undefined });
  const other = new Uint8Array(16).fill(1);
  const events = [{ ...exec(shell, "/bin/bash"), position: 0n }];
  const batch = takeOne(enricher, encodeBatch({ bootId: other, nextPosition: 64n, events }));
  t.is(lineOf(batch, 0)[0]?.userName, "");
  t.is(enricher.tree.size, 0);
  for (const id of [2, 3, 4])
    enricher.take(encodeBatch({ bootId: new Uint8Array(16).fill(id), nextPosition: 64n, events }));
  t.is(enricher.tree.size, 0);
});

test("names of any bytes and of any length pass", (t) => {
  const name = new Uint8Array(15).fill(0xff);
  const users = { ...testUsers, user: () => text("ü".repeat(1_000)), of: () => users };
  const enricher = enricherOf({ users });
  const batch = takeOne(enricher, batchOf([{ ...exec(shell, "/bin/bash"), name }]));
  t.deepEqual(lineOf(batch, 0)[0]?.name, name);
  t.is(lineOf(batch, 0)[0]?.userName, "ü".repeat(128));
});

test("nothing it keeps is a view on a message", (t) => {
  const enricher = enricherOf();
  const message = Buffer.from(batchOf([exec(shell, "/bin/bash")]));
  takeOne(enricher, message);
  message.fill(0xff);
  const batch = takeOne(enricher, batchOf([open(shell)], POSITION_STEP));
  t.deepEqual(lines(batch), ["bash(100) < (1)"]);
  t.is(Buffer.from(lineOf(batch, 0)[0]?.image?.executable ?? []).toString(), "/bin/bash");
});

test("garbage is refused and changes nothing", (t) => {
  const enricher = enricherOf();
  const events = [exec(shell, "/bin/bash"), open(shell)];
  const good = batchOf(events);
  const wrong = {
    "out of its range": encodeBatch({ nextPosition: 10n, events: [{ ...open(shell), position: 10n }] }),
    "out of order": encodeBatch({
      nextPosition: 10n,
      events: [5n, 5n].map((position) => ({ ...open(shell), position })),
    }),
    "without a boot id": encodeBatch({ bootId: new Uint8Array(0), nextPosition: 64n }),
    cut: good.subarray(0, good.length - 1),
    "too far": encodeBatch({ nextPosition: 1n << 60n }),
  };
  for (const [why, bytes] of Object.entries(wrong))
    t.throws(() => enricher.take(bytes), { instanceOf: WireError }, why);
  t.is(enricher.tree.size, 0);
  t.is(enricher.processed.count, 0);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (index, value) => {
      const bytes = good.slice();
      bytes[index] = value;
      try {
        // What stays a batch gives outputs that its reader can read; deep inside an event nobody looks.
        for (const output of take(enricherOf(), bytes)) t.is(new BatchReader(output.bytes).id, output.id);
      } catch (error) {
        t.true(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 1_000 },
  );
});

test("while somebody wants them, addresses come with the names they were resolved from", (t) => {
  const address = Uint8Array.of(192, 0, 2, 7);
  const answers = [{ name: text("a.test"), type: 1, class: 1, timeToLiveS: 60, address }];
  const answer = dns(shell, { questionName: text("a.test"), isResponse: true, answers });
  const enricher = enricherOf();
  const namesIn = (first: number, events: EventInit[]) => {
    const [output] = take(enricher, batchOf(events, first));
    const reader = new BatchReader((output as Output).bytes);
    return reader.namesOf(address, shell.pid, shell.start);
  };
  t.deepEqual(namesIn(0, [answer, connect(shell, address, 443)]), []);
  enricher.setAddressesNamed(true);
  t.deepEqual(namesIn(1_000, [answer, connect(shell, address, 443)]), ["a.test"]);
  t.deepEqual(namesIn(2_000, [connect(shell, address, 443)]), ["a.test"]);
  t.deepEqual(namesIn(3_000, [open(shell)]), [], "no event speaks of it");
  enricher.setAddressesNamed(false);
  t.deepEqual(namesIn(4_000, [connect(shell, address, 443)]), []);
  t.is(enricher.addresses.size, 0);
});

test("a process has its systemd unit, and the names of the users of where it is", (t) => {
  const elsewhere = { ...testUsers, user: () => text("app"), of: () => elsewhere };
  const of = (pid: number, namespaces: { mountNamespace: number } | undefined) =>
    pid === shell.pid && namespaces?.mountNamespace === 7 ? elsewhere : testUsers;
  const enricher = enricherOf({ users: { ...testUsers, of } });
  const image = (mountNamespace: number, cgroup: string) => {
    const { data, ...header } = exec(shell, "/bin/bash");
    const value = { ...(data?.value as object), mountNamespace, cgroup: text(cgroup) };
    return { ...header, data: { case: "exec", value } } as EventInit;
  };
  const manager = "/user.slice/user-1000.slice/user@1000.service";
  const batch = takeOne(enricher, batchOf([image(7, "/system.slice/x.service/y"), image(8, `${manager}/a.scope`)]));
  t.like(lineOf(batch, 0)[0], {
    userName: "app",
    loginUserName: "user-1000",
    unit: "x.service",
    slice: "system.slice",
  });
  t.like(lineOf(batch, 1)[0], { userName: "user-1000", unit: "user@1000.service", userUnit: "a.scope" });
});
