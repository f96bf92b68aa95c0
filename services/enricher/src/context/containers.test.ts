// Containers with a metadata that the test plays: asked once, in the rows as soon as it answers, and reasons where not.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ContainerRequestSchema,
  ContainerResponseSchema,
  ContainerSchema,
  ExecSchema,
  MissingReason,
} from "@nightjar/proto";
import test from "ava";
import { CGROUPS_MAX, CONTAINERS_ELSEWHERE, CONTAINERS_MAX, ContainerSource, RETRY_MS_MIN } from "./containers.ts";
import { NO_ROW, type Row } from "./row.ts";

const ID = "a".repeat(64);
const DOCKER = `/docker/${ID}`;
const SUBJECT = { pid: 42, message: new Uint8Array(0) };

const containerOf = (row: Row | undefined) => fromBinary(ContainerSchema, row?.bytes ?? new Uint8Array(0));

function setUp() {
  const asked: ReturnType<typeof requestOf>[] = [];
  const answers: ((answer: Parameters<typeof create<typeof ContainerResponseSchema>>[1] | Error) => void)[] = [];
  const timers: { work: () => void; milliseconds: number }[] = [];
  const source = new ContainerSource(
    (request) => {
      asked.push(requestOf(request));
      return new Promise((resolve, reject) => {
        answers.push((answer) => {
          if (answer instanceof Error) reject(answer);
          else resolve(toBinary(ContainerResponseSchema, create(ContainerResponseSchema, answer)));
        });
      });
    },
    (work, milliseconds) => void timers.push({ work, milliseconds }),
  );
  return { source, asked, answers, timers };
}

function requestOf(bytes: Uint8Array) {
  const { id, runtime, podUid, pid } = fromBinary(ContainerRequestSchema, bytes);
  return { id, runtime, podUid, pid };
}

test("the id is known at once, the rest when metadata answers, in the same row", async (t) => {
  const { source, asked, answers } = setUp();
  const row = source.lookup(DOCKER);
  t.like(containerOf(row), { id: "a".repeat(12), fullId: ID, runtime: "docker", missing: "waiting" });
  const answered = source.ask(DOCKER, SUBJECT);
  t.deepEqual(asked, [{ id: ID, runtime: "docker", podUid: "", pid: 42 }]);
  void source.ask(DOCKER, SUBJECT);
  t.is(asked.length, 1, "asked once");
  answers[0]?.({ container: { fullId: ID, name: "web", image: "nginx:1.27" } });
  await answered;
  t.is(source.lookup(DOCKER), row);
  t.like(containerOf(row), { id: "a".repeat(12), name: "web", image: "nginx:1.27", missing: "" });
  t.false(row?.isPartial);
  await source.ask(DOCKER, SUBJECT);
  t.is(asked.length, 1);
});

test("a name alone is a container only when a runtime says so", async (t) => {
  const { source, answers } = setUp();
  for (const path of ["/jobs/web1", "/process_api/d5a5b8a7e75d26808709c99a794600ec"]) {
    t.is(source.lookup(path), undefined);
  }
  const first = source.ask("/jobs/web1", SUBJECT);
  const second = source.ask("/process_api/d5a5b8a7e75d26808709c99a794600ec", SUBJECT);
  answers[0]?.({ container: { fullId: "web1", runtime: "runc" } });
  answers[1]?.({ missing: MissingReason.NOT_FOUND });
  await Promise.all([first, second]);
  t.like(containerOf(source.lookup("/jobs/web1")), { id: "web1", fullId: "web1", runtime: "runc" });
  t.is(source.lookup("/process_api/d5a5b8a7e75d26808709c99a794600ec"), NO_ROW);
  t.is(source.lookup("/system.slice/ssh.service"), NO_ROW);
});

test("no answer is a reason, counted, in the row, and asked again later, less and less often", async (t) => {
  const { source, asked, answers, timers } = setUp();
  const answered = source.ask(DOCKER, SUBJECT);
  answers[0]?.(new Error("no responders"));
  await answered;
  t.like(containerOf(source.lookup(DOCKER)), { fullId: ID, missing: "unreachable" });
  t.is(source.health().counts.containers_unreachable, 1);
  t.regex(source.health().problems[0] ?? "", /no responders/);
  await source.ask(DOCKER, SUBJECT);
  t.is(asked.length, 1, "not for each event");
  timers[0]?.work();
  t.is(asked.length, 2);
  answers[1]?.({ missing: MissingReason.NO_ANSWER });
  await new Promise((resolve) => setImmediate(resolve));
  t.like(containerOf(source.lookup(DOCKER)), { missing: "no_answer" });
  t.deepEqual(
    timers.map(({ milliseconds }) => milliseconds),
    [RETRY_MS_MIN, 2 * RETRY_MS_MIN],
  );
  t.deepEqual(source.health().problems, []);
});

test("what changed is asked again", async (t) => {
  const { source, asked, answers } = setUp();
  const answered = source.ask(DOCKER, SUBJECT);
  answers[0]?.({ container: { fullId: ID, name: "old" } });
  await answered;
  source.changed([ID, "b".repeat(64)]);
  t.is(asked.length, 2);
  answers[1]?.({ container: { fullId: ID, name: "new" } });
  await new Promise((resolve) => setImmediate(resolve));
  t.is(containerOf(source.lookup(DOCKER)).name, "new");
});

test("cgroups of one container are one container; its pod is known by the path", (t) => {
  const { source } = setUp();
  t.is(source.lookup(`/system.slice/docker-${ID}.scope/init.scope`), source.lookup(DOCKER));
  const uid = "0b0a8e4c-5d3f-4a6b-9c8d-7e6f5a4b3c2d";
  t.is(containerOf(source.lookup(`/kubepods/pod${uid}/${"c".repeat(64)}`)).pod?.uid, uid);
});

test("no more is kept than the limits; what is forgotten says so", (t) => {
  const { source } = setUp();
  const first = source.lookup(DOCKER);
  for (let at = 0; at < CONTAINERS_MAX; at++) source.lookup(`/docker/${at.toString(16).padStart(64, "0")}`);
  t.is(source.size, CONTAINERS_MAX);
  t.true(first?.isForgotten);
  t.is(source.health().counts.containers_evicted, 1);
  t.not(source.lookup(DOCKER), first);
  for (let at = 0; at < CGROUPS_MAX + 1; at++) source.lookup(`/system.slice/${at}.service`);
  t.is(source.lookup(DOCKER)?.isForgotten, false);
});

test("of another host the cgroup's form says what it can, and nobody is asked", (t) => {
  t.like(containerOf(CONTAINERS_ELSEWHERE.lookup(DOCKER)), { fullId: ID, missing: "elsewhere" });
  t.is(CONTAINERS_ELSEWHERE.lookup("/jobs/web1"), NO_ROW);
  const cgroup = new TextEncoder().encode(DOCKER);
  t.is(CONTAINERS_ELSEWHERE.keyOf(toBinary(ExecSchema, create(ExecSchema, { cgroup }))), DOCKER);
});
