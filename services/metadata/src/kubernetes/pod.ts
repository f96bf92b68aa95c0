// A pod as the API server or the kubelet writes it, read into the message that travels with events.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Pod,
  type PodContainer,
  PodContainerKind,
  PodContainerSchema,
  type PodOrigin,
  PodSchema,
  type SecurityContextSchema,
} from "@nightjar/proto";
import { at, booleanAt, integerAt, type Json, listAt, objectAt, textAt, textsAt } from "../formats/json.ts";
import { timeNs } from "../formats/time.ts";
import { labelsOf } from "./labels.ts";
import { type Controller, controllerOf } from "./workload.ts";

/** A pod that was read, before it is known who owns it. */
export interface PodReading {
  readonly pod: Pod;
  readonly controller?: Controller;
  /** The uid in the API, where it is another than the pod's own: that of a static pod's mirror. */
  readonly mirrorUid?: string;
  /** The full ids of its containers, those that have just ended too. */
  readonly containerIds: readonly string[];
}

/** More containers are left out; a pod of 500 would be one nobody can run. */
const CONTAINERS_MAX = 64;
/** Arguments of a probe's command, and characters of each; what is beyond is left out. */
const COMMAND_ARGUMENTS_MAX = 32;
const ARGUMENT_CHARACTERS_MAX = 1_024;

/** The kubelet's own uid of a static pod (pkg/kubelet/types/pod_update.go); its cgroups are named by it. */
const STATIC_UID = "kubernetes.io/config.hash";
const MIRROR = "kubernetes.io/config.mirror";
/** Where AppArmor's profile stood before Kubernetes 1.30, followed by the container's name. */
const APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";

/** The lists of a specification and of a status that belong together. */
const CONTAINER_LISTS = [
  ["containers", "containerStatuses", PodContainerKind.REGULAR],
  ["initContainers", "initContainerStatuses", PodContainerKind.INIT],
  ["ephemeralContainers", "ephemeralContainerStatuses", PodContainerKind.EPHEMERAL],
] as const;

type Parts = [metadata: Json, spec: Json, status: Json];

/** Undefined for what is no pod: it lacks its name, its namespace or its uid. */
export function readPod(object: unknown, origin: PodOrigin): PodReading | undefined {
  const [metadata, spec, status] = ["metadata", "spec", "status"].map((part) => objectAt(object, part)) as Parts;
  const [name, namespace, apiUid] = [textAt(metadata.name), textAt(metadata.namespace), textAt(metadata.uid)];
  if (!name || !namespace || !apiUid) return undefined;
  const annotations = objectAt(metadata.annotations);
  const uid = (MIRROR in annotations && textAt(annotations[STATIC_UID])) || apiUid;
  const controller = controllerOf(metadata);
  const pod = create(PodSchema, {
    name,
    namespace,
    uid,
    labels: labelsOf(metadata.labels),
    ips: ipsOf(status),
    node: textAt(spec.nodeName),
    serviceAccount: textAt(spec.serviceAccountName),
    startTimeUnixNs: timeNs(textAt(status.startTime)),
    hostNetwork: spec.hostNetwork === true,
    hostPid: spec.hostPID === true,
    hostIpc: spec.hostIPC === true,
    securityContext: securityContextOf(spec.securityContext),
    containers: containersOf(spec, status, annotations),
    runtimeClass: textAt(spec.runtimeClassName),
    priorityClass: textAt(spec.priorityClassName),
    origin,
  });
  return {
    pod,
    ...(controller && { controller }),
    ...(uid !== apiUid && { mirrorUid: apiUid }),
    containerIds: containerIdsOf(status),
  };
}

function ipsOf(status: Json): string[] {
  const ips = listAt(status.podIPs).map((one) => textAt(one, "ip"));
  return [...new Set([textAt(status.podIP), ...ips])].filter((ip) => ip !== "");
}

function containersOf(spec: Json, status: Json, annotations: Json): PodContainer[] {
  const containers = CONTAINER_LISTS.flatMap(([specified, reported, kind]) => {
    const statuses = new Map(
      listAt(status[reported])
        .map((one) => objectAt(one))
        .map((one) => [one.name, one]),
    );
    return listAt(spec[specified])
      .map((one) => objectAt(one))
      .map((one) => containerOf(one, statuses.get(one.name) ?? {}, kind, annotations));
  });
  return containers.slice(0, CONTAINERS_MAX);
}

function containerOf(spec: Json, status: Json, kind: PodContainerKind, annotations: Json): PodContainer {
  const name = textAt(spec.name);
  const [runtime, id] = splitId(status.containerID);
  const allowed = securityContextOf(spec.securityContext) ?? {};
  const profile = textAt(annotations[APPARMOR_ANNOTATION + name]);
  if (profile && !allowed.apparmorProfile) allowed.apparmorProfile = appArmorBefore(profile);
  return create(PodContainerSchema, {
    name,
    id,
    runtime,
    kind,
    image: textAt(spec.image),
    imageId: textAt(status.imageID),
    ...(Object.keys(allowed).length > 0 && { securityContext: allowed }),
    livenessProbe: commandOf(spec.livenessProbe),
    readinessProbe: commandOf(spec.readinessProbe),
    startupProbe: commandOf(spec.startupProbe),
  });
}

/** As in "containerd://8a4f…". */
function splitId(value: unknown): readonly [runtime: string, id: string] {
  const text = textAt(value);
  const at = text.indexOf("://");
  return at < 0 ? ["", ""] : [text.slice(0, at), text.slice(at + "://".length)];
}

/** The container that runs and the one before it, whose last events may still come. */
function containerIdsOf(status: Json): string[] {
  const ids = CONTAINER_LISTS.flatMap(([, reported]) => listAt(status[reported]).slice(0, CONTAINERS_MAX))
    .map((one) => objectAt(one))
    .flatMap(({ containerID, state, lastState }) => [
      containerID,
      at(state, "terminated", "containerID"),
      at(lastState, "terminated", "containerID"),
    ])
    .map((value) => splitId(value)[1]);
  return [...new Set(ids)].filter((id) => id !== "");
}

function commandOf(probe: unknown): string[] {
  const command = textsAt(probe, "exec", "command");
  return command.slice(0, COMMAND_ARGUMENTS_MAX).map((argument) => argument.slice(0, ARGUMENT_CHARACTERS_MAX));
}

type SecurityContextInit = MessageInitShape<typeof SecurityContextSchema> & { $typeName?: never };

/** Of a pod or of a container: both have the same names for what both have. Undefined where it says nothing. */
function securityContextOf(value: unknown): SecurityContextInit | undefined {
  const context = objectAt(value);
  const capabilities = objectAt(context.capabilities);
  const rows = Object.entries({
    privileged: booleanAt(context.privileged),
    allowPrivilegeEscalation: booleanAt(context.allowPrivilegeEscalation),
    readOnlyRootFilesystem: booleanAt(context.readOnlyRootFilesystem),
    runAsNonRoot: booleanAt(context.runAsNonRoot),
    runAsUser: integerAt(context.runAsUser),
    runAsGroup: integerAt(context.runAsGroup),
    capabilitiesAdded: some(textsAt(capabilities.add)),
    capabilitiesDropped: some(textsAt(capabilities.drop)),
    seccompProfile: profileOf(context.seccompProfile),
    apparmorProfile: profileOf(context.appArmorProfile),
  }).filter(([, field]) => field !== undefined);
  return rows.length > 0 ? Object.fromEntries(rows) : undefined;
}

function some(texts: string[]): string[] | undefined {
  return texts.length > 0 ? texts : undefined;
}

function profileOf(value: unknown): string | undefined {
  const { type, localhostProfile } = objectAt(value);
  if (type === "Localhost") return `Localhost/${textAt(localhostProfile)}`;
  return textAt(type) || undefined;
}

/** The annotation's words in those of the field that took its place. */
function appArmorBefore(annotation: string): string {
  const words: Readonly<Record<string, string>> = { "runtime/default": "RuntimeDefault", unconfined: "Unconfined" };
  return words[annotation] ?? annotation.replace(/^localhost\//, "Localhost/");
}
