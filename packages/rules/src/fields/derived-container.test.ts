// Tests the fields of containers that are worked out: where all is known, where only the id is, and on the host.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BatchSchema, type ContainerSchema, type ExecSchema } from "@nightjar/proto";
import test from "ava";
import { firstEvent, processes, readField } from "../engine/batch.fixture.ts";
import type { EventView } from "../engine/event-view.ts";
import { FIELDS } from "./catalogue.ts";
import type { Value } from "./definition.ts";

type ContainerInit = MessageInitShape<typeof ContainerSchema>;

const SECOND = 1_000_000_000n;
const BOOTED = 1_700_000_000n * SECOND;
const STARTED = BOOTED + 100n * SECOND;
const CONTAINER: ContainerInit = {
  id: "4f4f4f4f4f4f",
  fullId: "4f".repeat(32),
  name: "web",
  runtime: "docker",
  labels: { app: "shop", tier: "" },
  startedTimeNs: STARTED,
  privileged: false,
  healthCheck: "sh -c probe",
  mounts: [
    { source: "/var/run/docker.sock", destination: "/sock", mode: "z", writable: true, propagation: "rprivate" },
    { source: "/proc/sys", destination: "/host/sys", propagation: "rslave" },
  ],
};
const KNOWN_BY_ID: ContainerInit = { id: "4f4f4f4f4f4f", fullId: "4f".repeat(32), missing: "no_answer" };

type Image = Omit<MessageInitShape<typeof ExecSchema>, "$typeName" | "$unknown">;

/** A view of an event, 160 s after the boot, by a process whose last exec said `image`. */
function viewOf(container?: ContainerInit, image: Image = {}): EventView {
  const rows = processes([
    ["probe", "/bin/probe", "probe"],
    ["sh", "/bin/sh", "sh", "-c", "probe"],
  ]);
  const batch = create(BatchSchema, {
    bootId: new Uint8Array(16),
    nextPosition: 1n,
    bootTimeUnixNs: BOOTED,
    events: [{ pid: 1000, timeNs: 160n * SECOND, data: { case: "chroot", value: {} } }],
    processes: rows.map((row) => {
      return { ...row, image: { ...row.image, ...image } as typeof row.image, container: container ? 1 : 0 };
    }) as typeof rows,
    actors: [1],
    containers: container ? [container] : [],
  });
  return firstEvent(toBinary(BatchSchema, batch));
}

/** The field, and its value where all is known, where the id is, and on the host. */
const ROWS: readonly (readonly [field: string, known: Value, byId: Value, host: Value])[] = [
  ["container.id", "4f4f4f4f4f4f", "4f4f4f4f4f4f", "host"],
  ["container.name", "web", undefined, "host"],
  ["container.type", "docker", undefined, "host"],
  ["container.privileged", false, undefined, undefined],
  ["container.start_ts", STARTED, undefined, undefined],
  ["container.duration", Number(60n * SECOND), undefined, undefined],
  ["container.labels", "app:shop, tier", undefined, undefined],
  ["container.label[app]", "shop", undefined, undefined],
  ["container.label[none]", undefined, undefined, undefined],
  [
    "container.mounts",
    "/var/run/docker.sock:/sock:z:true:rprivate /proc/sys:/host/sys::false:rslave",
    undefined,
    undefined,
  ],
  ["container.mount[1]", "/proc/sys:/host/sys::false:rslave", "N/A", undefined],
  ["container.mount[/proc*]", "/proc/sys:/host/sys::false:rslave", "N/A", undefined],
  ["container.mount.dest[/var/run/docker.sock]", "/sock", "N/A", undefined],
  ["container.mount.source[/sock]", "/var/run/docker.sock", "N/A", undefined],
  ["container.mount.rdwr[0]", "true", "N/A", undefined],
  ["container.mount.mode[0]", "z", "N/A", undefined],
  ["container.mount.propagation[9]", "N/A", "N/A", undefined],
  ["proc.is_container_healthcheck", true, false, false],
  ["proc.is_container_liveness_probe", false, false, false],
  ["nightjar.container.missing", undefined, "no_answer", undefined],
];

for (const [field, ...expected] of ROWS) {
  test(field, (t) => {
    t.deepEqual(
      [CONTAINER, KNOWN_BY_ID, undefined].map((container) => readField(field, viewOf(container))),
      expected,
    );
  });
}

test("every field of containers that Falco knows has values", (t) => {
  const silent = [...FIELDS.values()].filter(
    ({ name, events }) => name.startsWith("container.") && events.length === 0,
  );
  t.deepEqual(silent, []);
});

const drift = (container: ContainerInit | undefined, image: Image) =>
  ["nightjar.container.drift", "nightjar.container.changed"].map((field) => readField(field, viewOf(container, image)));

test("what is not of the image, or was changed since the container began, has drifted", (t) => {
  t.deepEqual(drift(CONTAINER, { upperLayer: true, changedTimeNs: STARTED - 1n }), [true, false]);
  t.deepEqual(drift(CONTAINER, { changedTimeNs: STARTED + 1n }), [true, true]);
  t.deepEqual(drift(CONTAINER, { changedTimeNs: STARTED - 1n }), [false, false]);
  t.deepEqual(drift(undefined, { changedTimeNs: STARTED + 1n }), [undefined, undefined]);
});

test("without its runtime a container began when its first process did", (t) => {
  const first = { pidNamespace: 7, namespacedPid: 1 };
  const began = BOOTED + 1000n;
  t.deepEqual(drift(KNOWN_BY_ID, { ...first, changedTimeNs: began + 1n }), [true, true]);
  t.deepEqual(drift(KNOWN_BY_ID, { ...first, changedTimeNs: began - 1n }), [false, false]);
  t.deepEqual(drift(KNOWN_BY_ID, { changedTimeNs: began + 1n }), [false, undefined]);
});
