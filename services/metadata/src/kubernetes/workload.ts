// Who controls a pod: its controller, and that one's, as far up as the API server tells.
import { create } from "@bufbuild/protobuf";
import { type Workload, WorkloadSchema } from "@nightjar/proto";
import { type Json, listAt, objectAt, textAt } from "../formats/json.ts";
import { labelsOf } from "./labels.ts";

/** What an object says of the one that controls it. */
export interface Controller {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** What is kept of an object that was asked for. */
export interface ObjectFacts {
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly controller?: Controller;
}

/** What is known of the object at a path: undefined while it is not known yet, null when it will not be. */
export type FindObject = (path: string) => ObjectFacts | null | undefined;

/** Nothing of Kubernetes' own is controlled over more steps than three. */
const OWNERS_MAX = 4;

/** The label by which a Deployment tells its ReplicaSets' pods apart; the ReplicaSet's name ends with it. */
const TEMPLATE_HASH = "pod-template-hash";

/** The kinds that can be asked for: group and version, kind, resource. */
const KINDS: readonly (readonly [apiVersion: string, kind: string, resource: string])[] = [
  ["apps/v1", "ReplicaSet", "replicasets"],
  ["apps/v1", "Deployment", "deployments"],
  ["apps/v1", "DaemonSet", "daemonsets"],
  ["apps/v1", "StatefulSet", "statefulsets"],
  ["batch/v1", "Job", "jobs"],
  ["batch/v1", "CronJob", "cronjobs"],
  ["v1", "ReplicationController", "replicationcontrollers"],
];

/** The object that controls the one with this metadata, where there is one. */
export function controllerOf(metadata: Json): Controller | undefined {
  const reference = listAt(metadata.ownerReferences)
    .map((one) => objectAt(one))
    .find(({ controller }) => controller === true);
  if (!reference) return undefined;
  const [apiVersion, kind] = [textAt(reference.apiVersion), textAt(reference.kind)];
  const [name, uid] = [textAt(reference.name), textAt(reference.uid)];
  return kind && name ? { apiVersion, kind, name, uid } : undefined;
}

/** What to keep of any object of the API. */
export function factsOf(object: unknown): ObjectFacts {
  const metadata = objectAt(object, "metadata");
  const controller = controllerOf(metadata);
  return { uid: textAt(metadata.uid), labels: labelsOf(metadata.labels), ...(controller && { controller }) };
}

/**
 * The controllers of a pod from the nearest on. The Deployment behind a ReplicaSet is told by the names alone as long
 * as nobody could be asked (the kubelet's own credentials may read pods only).
 */
export function ownersOf(
  controller: Controller | undefined,
  pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  find: FindObject,
): Workload[] {
  const owners: Workload[] = [];
  for (let next = controller; next && owners.length < OWNERS_MAX; ) {
    const path = objectPath(next, pod.namespace);
    const found = path === undefined ? null : find(path);
    // Another object may have taken the name since.
    const facts = found?.uid === next.uid ? found : undefined;
    owners.push(workload(next, facts?.labels));
    next = facts ? facts.controller : deploymentByName(next, pod.labels);
  }
  return owners;
}

function workload({ kind, name, uid }: Controller, labels: ObjectFacts["labels"] = {}): Workload {
  return create(WorkloadSchema, { kind, name, uid, labels: { ...labels } });
}

function objectPath({ apiVersion, kind, name }: Controller, namespace: string): string | undefined {
  const row = KINDS.find((one) => one[0] === apiVersion && one[1] === kind);
  if (!row) return undefined;
  const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${row[2]}/${encodeURIComponent(name)}`;
}

function deploymentByName({ kind, name }: Controller, labels: ObjectFacts["labels"]): Controller | undefined {
  const suffix = `-${labels[TEMPLATE_HASH]}`;
  if (kind !== "ReplicaSet" || !name.endsWith(suffix) || name.length === suffix.length) return undefined;
  return { apiVersion: "", kind: "Deployment", name: name.slice(0, -suffix.length), uid: "" };
}
