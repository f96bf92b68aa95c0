// The tree of actors, from the enricher's answer to what a person and a program read.
import { Writable } from "node:stream";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { BatchSchema, type ProcessSchema, ProcessState } from "@nightjar/proto";
import test from "ava";
import { Output } from "../output.ts";
import { type ActorFilter, actorJson, actorsOf, choose, showActors } from "./actors.ts";

type Row = Exclude<MessageInitShape<typeof ProcessSchema>, { $unknown?: unknown }>;

const text = (value: string) => new TextEncoder().encode(value);
const SECOND = 1_000_000_000n;

function row(pid: number, parent: number, name: string, more: Row = {}): Row {
  const image = { executable: text(`/usr/bin/${name}`), args: [text(name), text("-x")] };
  const start = { startTimeNs: BigInt(pid) * SECOND, state: ProcessState.RUNNING };
  return { pid, parent, name: text(name), userName: "root", image, ...start, ...more };
}

const init = row(1, 0, "init");
/** An ancestor stands in both parts, as each stands for itself. */
const PARTS = [
  [
    init,
    row(20, 1, "sshd"),
    row(30, 2, "bash", { userName: "ada", uid: 1000, loginUserName: "ada" }),
    row(40, 3, "sudo", { loginUserName: "ada" }),
  ],
  [
    init,
    row(10, 1, "gone\u001b[2J", { state: ProcessState.HOLDS_CHILD, exitTimeNs: 15n * SECOND }),
    row(12, 2, "nginx", { container: 1 }),
  ],
].map((processes) => {
  const containers = [{ id: "0123456789ab", fullId: "0123456789abcdef", name: "web", image: "nginx:1" }];
  return create(BatchSchema, { bootTimeUnixNs: 1_700_000_000n * SECOND, processes, containers });
});

function shown(wanted: ActorFilter): string[] {
  let written = "";
  const stdout = new Writable({
    write: (chunk, _, done) => {
      written += chunk;
      done();
    },
  });
  const output = new Output({ stdout, stderr: stdout, stdin: process.stdin, env: {} }, { json: false, color: "never" });
  showActors(output, actorsOf(PARTS), wanted);
  return written.trimEnd().split("\n");
}

test("all of them, as a tree in the order of their starts", (t) => {
  t.deepEqual(shown({}), [
    "PROCESS            WHY            USER        CONTAINER  COMMAND",
    "1 init             running        root                   init -x",
    "├─ 10 gone\\x1b[2J  holds a child  root                   gone\\x1b[2J -x",
    "│  └─ 12 nginx     running        root        web        nginx -x",
    "└─ 20 sshd         running        root                   sshd -x",
    "   └─ 30 bash      running        ada                    bash -x",
    "      └─ 40 sudo   running        root (ada)             sudo -x",
    "6 of 6 processes",
  ]);
});

const FILTERS: readonly (readonly [what: string, wanted: ActorFilter, fitting: number[], shown: number[]])[] = [
  ["a name", { name: "bash" }, [30], [1, 20, 30, 40]],
  ["a pid", { pid: 12 }, [12], [1, 10, 12]],
  ["how a container's id begins", { container: "0123456789abcd" }, [12], [1, 10, 12]],
  ["a container's name", { container: "web" }, [12], [1, 10, 12]],
  ["no container, and a name", { container: "host", name: "nginx" }, [], []],
  ["no container", { container: "host", pid: 40 }, [40], [1, 20, 30, 40]],
];
for (const [what, wanted, fitting, all] of FILTERS) {
  test(`a filter shows what fits with its ancestors and descendants: ${what}`, (t) => {
    const pids = (actors: Iterable<{ process: { pid: number } }>) =>
      [...actors].map(({ process: { pid } }) => pid).sort((left, right) => left - right);
    const chosen = choose(actorsOf(PARTS), wanted);
    t.deepEqual(pids(chosen.fitting), fitting);
    t.deepEqual(pids(chosen.shown), all);
    t.is(shown(wanted).at(-1), `${fitting.length} of 6 processes`);
  });
}

test("a program reads when it ended and what it is in", (t) => {
  const actors = actorsOf(PARTS);
  t.like(actorJson(actors.find(({ process: { pid } }) => pid === 10) as (typeof actors)[0], false), {
    ...{ pid: 10, parent: 1, why: "holds a child", fits: false, container: null },
    ...{ start: "2023-11-14T22:13:30.000Z", end: "2023-11-14T22:13:35.000Z" },
  });
  t.like(actorJson(actors.find(({ process: { pid } }) => pid === 12) as (typeof actors)[0], true), {
    ...{ parent: 10, args: ["nginx", "-x"], executable: "/usr/bin/nginx", fits: true },
    container: { id: "0123456789ab", name: "web", image: "nginx:1" },
  });
});
