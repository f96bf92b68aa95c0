// Tests the fields of pods: of a container in one, of a container in none, and outside of containers.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BatchSchema, type ContainerSchema } from "@nightjar/proto";
import test from "ava";
import { firstEvent, processes, readField } from "../engine/batch.fixture.ts";
import type { EventView } from "../engine/event-view.ts";
import { FIELDS } from "./catalogue.ts";
import type { Value } from "./definition.ts";

type ContainerInit = MessageInitShape<typeof ContainerSchema>;

const CONTAINER: ContainerInit = {
  id: "4f4f4f4f4f4f",
  fullId: "4f".repeat(32),
  sandboxId: "63060edc2d3aa803ab559f2393776b15",
  cniResult: '{"interfaces":{}}',
  pod: {
    name: "shop-7d4b-x",
    namespace: "store",
    uid: "3e41dc6b-08a8-44db-bc2a-3724b18ab19a",
    labels: { tier: "front", app: "shop", canary: "", "io.kubernetes.x": "y" },
    ips: ["10.244.3.17", "2001:db8::17"],
    node: "node-7",
    serviceAccount: "shop",
    hostNetwork: true,
    owners: [
      { kind: "ReplicaSet", name: "shop-7d4b", uid: "rs-uid", labels: { app: "shop" } },
      { kind: "Deployment", name: "shop", uid: "d-uid", labels: { team: "a", app: "shop" } },
    ],
    containers: [
      { name: "setup", id: "5a".repeat(32) },
      { name: "web", id: "4f".repeat(32) },
    ],
    namespaceUid: "ns-uid",
    namespaceLabels: { "pod-security.kubernetes.io/enforce": "baseline" },
  },
};

/** A view of one event by a process in the container; outside of all without one. */
function viewOf(container?: ContainerInit): EventView {
  const batch = create(BatchSchema, {
    bootId: new Uint8Array(16),
    nextPosition: 1n,
    events: [{ pid: 1000, data: { case: "chroot", value: {} } }],
    processes: processes([["sh", "/bin/sh", "sh"]]).map((row) => ({ ...row, container: container ? 1 : 0 })),
    actors: [1],
    containers: container ? [container] : [],
  });
  return firstEvent(toBinary(BatchSchema, batch));
}

const VALUES: readonly (readonly [field: string, value: Value])[] = [
  ["k8s.pod.name", "shop-7d4b-x"],
  ["k8s.ns.name", "store"],
  ["k8s.pod.uid", "3e41dc6b-08a8-44db-bc2a-3724b18ab19a"],
  ["k8s.pod.id", "3e41dc6b-08a8-44db-bc2a-3724b18ab19a"],
  ["k8s.pod.label[app]", "shop"],
  ["k8s.pod.label.app", "shop"],
  ["k8s.pod.label[canary]", ""],
  ["k8s.pod.label[none]", undefined],
  ["k8s.pod.labels", "app:shop, canary, tier:front"],
  ["k8s.pod.ip", "10.244.3.17"],
  ["k8s.pod.sandbox_id", "63060edc2d3a"],
  ["k8s.pod.full_sandbox_id", "63060edc2d3aa803ab559f2393776b15"],
  ["k8s.pod.cni.json", '{"interfaces":{}}'],
  ["k8s.ns.id", "ns-uid"],
  ["k8s.ns.label[pod-security.kubernetes.io/enforce]", "baseline"],
  ["k8s.ns.labels", "pod-security.kubernetes.io/enforce:baseline"],
  ["k8s.rs.name", "shop-7d4b"],
  ["k8s.rs.id", "rs-uid"],
  ["k8s.rs.label[app]", "shop"],
  ["k8s.rs.labels", "app:shop"],
  ["k8s.deployment.name", "shop"],
  ["k8s.deployment.id", "d-uid"],
  ["k8s.deployment.label[team]", "a"],
  ["k8s.deployment.labels", "app:shop, team:a"],
  ["k8s.rc.name", undefined],
  ["nightjar.pod.owner.kind", "Deployment"],
  ["nightjar.pod.owner.name", "shop"],
  ["nightjar.pod.container", "web"],
  ["nightjar.pod.node", "node-7"],
  ["nightjar.pod.service_account", "shop"],
  ["nightjar.pod.host_network", true],
  ["nightjar.pod.host_pid", false],
];

for (const [field, value] of VALUES) {
  test(`${field} is ${JSON.stringify(value)}`, (t) => {
    t.is(readField(field, viewOf(CONTAINER)), value);
    t.is(readField(field, viewOf({ id: "4f4f4f4f4f4f" })), undefined, "of a container that is no pod's");
    t.is(readField(field, viewOf()), undefined, "outside of containers");
  });
}

test("every field of Kubernetes is served but those of services", (t) => {
  const known = [...FIELDS.values()].filter(({ name }) => name.startsWith("k8s."));
  t.deepEqual(
    known.filter(({ getter }) => !getter).map(({ name }) => name),
    ["k8s.svc.name", "k8s.svc.id", "k8s.svc.label", "k8s.svc.labels"],
  );
});
