// A detection as a Detection Finding (class 2004) of the Open Cybersecurity Schema Framework.
import type { Container, Detection } from "@nightjar/proto";
import { isSubtechnique, tacticId, techniqueOf } from "./attack.ts";
import { type Actor, hexOf, lineageOf, type Target, targetOf, unixMs, uuidOf } from "./evidence.ts";
import type { Origin } from "./format.ts";
import { type JsonObject, known } from "./json.ts";
import { severityOf } from "./severity.ts";

/** Everything that is used is in it; is_alert came with it. */
const OCSF_VERSION = "1.4.0";
const CATEGORY_FINDINGS = 2;
const CLASS_DETECTION_FINDING = 2004;
/** type_uid is class_uid × 100 + activity_id. */
const TYPES_A_CLASS = 100;
const CREATE = [1, "Create"] as const;
const UPDATE = [2, "Update"] as const;
const STATUS_NEW = 1;
const ANALYTIC_RULE = 1;
const OS_LINUX = 200;
const DEVICE_UNKNOWN = 0;
const FILE_UNKNOWN = [0, "Unknown"] as const;
const FILE_REGULAR = [1, "Regular File"] as const;
const HASH_SHA256 = 3;

export function ocsf(detection: Detection, origin: Origin): JsonObject {
  const { time, lastTime } = detection;
  const [activity, activityName] = detection.revision > 1 ? UPDATE : CREATE;
  const [severity, severityName] = severityOf(detection.priority).ocsf;
  const actors = lineageOf(detection);
  return known({
    activity_id: activity,
    activity_name: activityName,
    category_uid: CATEGORY_FINDINGS,
    category_name: "Findings",
    class_uid: CLASS_DETECTION_FINDING,
    class_name: "Detection Finding",
    type_uid: CLASS_DETECTION_FINDING * TYPES_A_CLASS + activity,
    type_name: `Detection Finding: ${activityName}`,
    time: unixMs(lastTime ?? time),
    start_time: unixMs(time),
    end_time: unixMs(lastTime ?? time),
    count: detection.count > 0n ? detection.count : 1,
    severity_id: severity,
    severity: severityName,
    status_id: STATUS_NEW,
    status: "New",
    is_alert: true,
    message: detection.output,
    metadata: {
      version: OCSF_VERSION,
      // Of each revision its own; finding_info.uid is what they have in common.
      uid: `${uuidOf(detection)}:${detection.revision}`,
      product: { name: "Nightjar", vendor_name: "Nightjar", version: origin.sensorVersion, uid: origin.sensorId },
      profiles: ["host"],
      labels: detection.tags,
    },
    finding_info: findingOf(detection),
    device: deviceOf(origin),
    actor: actors[0] && { process: processOf(actors), user: userOf(actors[0]) },
    evidences: evidencesOf(actors, targetOf(detection)),
    resources: resourcesOf(actors[0]?.container),
    unmapped: { fields: detection.fields },
  });
}

function findingOf(detection: Detection): JsonObject {
  const { time, lastTime, rule } = detection;
  return {
    uid: uuidOf(detection),
    title: rule,
    desc: detection.output,
    created_time: unixMs(time),
    first_seen_time: unixMs(time),
    last_seen_time: unixMs(lastTime ?? time),
    analytic: { name: rule, type: "Rule", type_id: ANALYTIC_RULE, version: detection.contentVersion },
    attacks: attacksOf(detection),
    data_sources: ["eBPF"],
  };
}

/** Which technique serves which tactic the tags do not say, so each stands alone. */
function attacksOf({ techniques, tactics }: Detection): JsonObject[] {
  return [
    ...tactics.map((name) => ({ tactic: { name, uid: tacticId(name) } })),
    ...techniques.map((uid) => ({
      technique: { uid: techniqueOf(uid) },
      sub_technique: isSubtechnique(uid) ? { uid } : undefined,
    })),
  ];
}

function deviceOf({ host }: Origin): JsonObject {
  return {
    hostname: host.name,
    uid: host.machineId,
    type: "Unknown",
    type_id: DEVICE_UNKNOWN,
    os: { name: host.distribution || "Linux", type: "Linux", type_id: OS_LINUX, kernel_release: host.kernelRelease },
  };
}

/** The process, within it its parent, and so on. */
function processOf([actor, ...ancestors]: readonly Actor[]): JsonObject | undefined {
  if (!actor) return undefined;
  const { process, entityId, startMs, path, name, args, executable, container } = actor;
  return {
    pid: process.pid,
    uid: entityId,
    name,
    cmd_line: args.join(" "),
    created_time: startMs,
    file: path === "" ? undefined : fileOf(path, FILE_REGULAR, executable?.sha256),
    user: userOf(actor),
    container: container && containerOf(container),
    parent_process: processOf(ancestors),
  };
}

function userOf({ process }: Actor): JsonObject {
  return { uid: String(process.uid), name: process.userName };
}

function fileOf(
  path: string,
  [typeId, type]: typeof FILE_UNKNOWN | typeof FILE_REGULAR,
  sha256?: Uint8Array,
): JsonObject {
  const value = sha256 ? hexOf(sha256) : "";
  return {
    path,
    name: path.slice(path.lastIndexOf("/") + 1) || path,
    type,
    type_id: typeId,
    hashes: value === "" ? [] : [{ algorithm: "SHA-256", algorithm_id: HASH_SHA256, value }],
  };
}

function containerOf(container: Container): JsonObject {
  return {
    uid: container.fullId || container.id,
    name: container.name,
    runtime: container.runtime,
    image: {
      name: container.imageRepository || container.image,
      tag: container.imageTag,
      uid: container.imageDigest || container.imageId || container.image,
    },
    orchestrator: container.pod ? "kubernetes" : undefined,
    pod_uuid: container.pod?.uid,
  };
}

function evidencesOf(actors: readonly Actor[], { path, source, destination, question }: Target): JsonObject[] {
  if (actors.length === 0) return [];
  return [
    {
      actor: { process: processOf(actors.slice(0, 1)) },
      container: actors[0]?.container && containerOf(actors[0].container),
      file: path === "" ? undefined : fileOf(path, FILE_UNKNOWN),
      src_endpoint: source && { ip: source.ip, port: source.port },
      dst_endpoint: destination && { ip: destination.ip, port: destination.port },
      query: question === "" ? undefined : { hostname: question },
    },
  ];
}

function resourcesOf(container: Container | undefined): JsonObject[] {
  const pod = container?.pod;
  return pod ? [{ type: "Pod", uid: pod.uid, name: pod.name, namespace: pod.namespace }] : [];
}
